"""Which synapses of a chain of layers a restriction leaves plastic."""

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from lazybook import restrictions
from lazybook.errors import InvalidValue, told
from lazybook.networks import Shape
from lazybook.restrictions import (
    LargestToOutputs,
    LargestUpdates,
    NeuronMask,
    Plan,
    Restriction,
    SelectedNeurons,
    Subnet,
    SynapseMask,
    number_selected,
)
from lazybook.support.randomness import TO_OUTPUTS, Streams, draw_mask, noise, shuffle

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)
# What has weights, and yet yields one value for each that it is given.
BETWEEN = (
    nn.PReLU, nn.LayerNorm, nn.GroupNorm, nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d,
    nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d,
)  # fmt: skip


def find(network: nn.Module) -> list[nn.Module]:
    """Return the linear and convolutional layers of an `nn.Sequential`, from the inputs up.

    Raises InvalidValue if it has a part with weights whose place in a chain is not known.
    """
    if isinstance(network, nn.parallel.DistributedDataParallel | nn.DataParallel):
        return find(network.module)
    if isinstance(network, nn.Sequential):
        return [layer for part in network for layer in find(part)]
    if isinstance(network, LAYERS):
        return [network]
    if isinstance(network, BETWEEN) or not any(True for _ in network.parameters()):
        return []
    raise InvalidValue(
        f"no chain of layers is found in a {type(network).__name__};"
        " give the layers that the restriction is for, from the inputs up, as chain=[…]"
    )


class Layer:
    """A layer of a chain as a matrix of synapses, ``(to, from)``: a row holds a unit's.

    The last column holds the biases, if there are any.

    Attributes
    ----------
    weight, bias: places of its tensors among the network's parameters; ``bias`` may be None.
    units: number of units; of a convolution the output channels.
    inputs: number of synapses into each, the bias not counted.
    """

    def __init__(self, module: nn.Module, parameters: list[Tensor]) -> None:
        if not isinstance(module, LAYERS):
            names = ", ".join(kind.__name__ for kind in LAYERS)
            raise InvalidValue(f"chain has {told(module)}; its layers must be of {names}")
        places = {id(parameter): place for place, parameter in enumerate(parameters)}
        tensors = [module.weight] if module.bias is None else [module.weight, module.bias]
        if not all(id(tensor) in places for tensor in tensors):
            raise InvalidValue(f"the weights of {told(module)} are no parameters of the network")
        self.weight, self.bias, *_ = *(places[id(tensor)] for tensor in tensors), None
        self.shape = module.weight.shape
        self.units, self.inputs = self.shape[0], self.shape[1:].numel()
        # With groups, a unit sees only the channels of its own.
        groups = getattr(module, "groups", 1)
        self.channels, seen = self.shape[1] * groups, self.shape[1]
        self.sources = torch.arange(seen) + (
            torch.arange(self.units)[:, None] // (self.units // groups) * seen
        )

    @property
    def size(self) -> int:
        """Number of synapses into each unit, the bias among them."""
        return self.inputs + (self.bias is not None)

    def matrix(self, tensors: list[Tensor]) -> Tensor:
        """Return the layer's part of ``tensors``, which are like the parameters, as a matrix."""
        rows = tensors[self.weight].flatten(1)
        if self.bias is None:
            return rows
        return torch.cat([rows, tensors[self.bias][:, None]], dim=1)

    def tensors(self, matrix: Tensor) -> dict[int, Tensor]:
        """Return ``matrix`` as its parameters are, by their places."""
        found = {self.weight: matrix[:, : self.inputs].reshape(self.shape)}
        return found if self.bias is None else found | {self.bias: matrix[:, -1]}

    def leaving(self, chosen: Tensor) -> Tensor:
        """Return which synapses leave the ``chosen`` units of the layer before, ``(to, from)``.

        What is flattened in between has the values of a unit next to each other. The bias leaves
        none of them.
        """
        channels = chosen.repeat_interleave(self.channels // len(chosen))
        seen = channels[self.sources.to(chosen.device)]
        synapses = seen.repeat_interleave(self.inputs // seen.shape[1], dim=1)
        return nn.functional.pad(synapses, (0, int(self.bias is not None)))


class Chain:
    """A restriction for the layers of a chain, with its random masks drawn.

    What the parts of a restriction mean along a chain is said in `lazybook.pytorch.Plasticity`.

    Attributes
    ----------
    units: for each layer but the last, the units chosen, see `lazybook.restrictions.Plan.units`.
    """

    def __init__(
        self,
        modules: list[nn.Module],
        parameters: list[Tensor],
        restriction: Restriction,
        seed: int,
    ) -> None:
        selected = _part(restriction, SelectedNeurons)
        if selected:
            raise InvalidValue(
                f"restriction {selected} chooses by activities or errors, which changes of weights"
                " do not tell; choose another, or let an experiment learn with it"
            )
        self.layers = [Layer(module, parameters) for module in modules]
        _check_fit(self.layers)
        self.mask = _part(restriction, SynapseMask)
        self.choice = _part(restriction, NeuronMask | Subnet)
        self.largest = _part(restriction, LargestUpdates)
        self.to_outputs = _part(restriction, LargestToOutputs)
        *self.hidden, last = self.layers
        self.competing = self.hidden or self.layers
        for hidden in [layer.units for layer in self.hidden] or [None]:
            restrictions.check(restriction, Shape(0, hidden, 0, bias=False))
        self.classes = max(last.units, 2)  # with two classes there is a single output

        streams = Streams(seed)
        # Each hidden layer has a key of its own; the first that of an experiment.
        self.keys = [np.uint64((int(streams.key) + n) % 2**64) for n in range(len(self.layers))]
        self.masks, self.units = [], []
        if self.mask:
            for layer, probability in zip(self.layers, self._probabilities(), strict=True):
                part = SynapseMask(probability, probability, self.mask.draw)
                shape = Shape(layer.inputs, None, layer.units, layer.bias is not None)
                plan = Plan.draw(part, shape, self.classes, streams.masks)
                masks = plan.masks and torch.tensor(plan.masks[0].swapaxes(1, 2))
                self.masks.append(masks)
        if self.choice:
            shapes = [Shape(0, layer.units, 0, bias=False) for layer in self.hidden]
            plans = [Plan.draw(self.choice, s, self.classes, streams.masks) for s in shapes]
            self.units = [torch.tensor(plan.units) for plan in plans]
        self.orders = [torch.tensor(streams.ties.permutation(each.size)) for each in self.competing]

    @property
    def per_class(self) -> bool:
        """Whether something is drawn per class."""
        return "class" in (getattr(part, "draw", "") for part in (self.mask, self.choice))

    def plastic(
        self, changes: list[Tensor], parameters: list[Tensor], label: int, presented: int
    ) -> dict[int, Tensor]:
        """Return which synapses may change at a presentation: bool, like the parameters.

        Parameters
        ----------
        changes: that are wanted, like the parameters.
        parameters: of the network, by whose precision changes are told apart.
        label: class of what is presented; of no meaning if nothing is drawn per class.
        presented: number of presentations before.
        """
        plastic = [
            torch.ones(
                layer.units, layer.size, dtype=torch.bool, device=changes[layer.weight].device
            )
            for layer in self.layers
        ]
        for n, units in enumerate(self.units):
            if self.choice.draw == "sample":
                shuffle(units[0].numpy(), self.choice.n, self.keys[n], presented)
            row = units[label if self.choice.draw == "class" else 0, : self.choice.n]
            chosen = torch.zeros(self.hidden[n].units, dtype=torch.bool)
            chosen[row] = True
            plastic[n] &= chosen[:, None].to(plastic[n].device)
            if isinstance(self.choice, Subnet):
                plastic[n + 1] &= self.layers[n + 1].leaving(chosen).to(plastic[n + 1].device)
        if self.mask:
            for n, probability in enumerate(self._probabilities()):
                plastic[n] &= self._synapses(n, probability, label, presented).to(plastic[n].device)
        if self.largest:
            for n, layer in enumerate(self.competing):
                sizes = layer.matrix(changes).abs()
                weights = layer.matrix(parameters)
                plastic[n] = self._largest(n, sizes, weights, plastic[n], presented)
        if self.to_outputs:
            last, free = self.layers[-1], plastic[-1]
            sizes, weights = last.matrix(changes).abs() * free, last.matrix(parameters)
            number = number_selected(self.to_outputs.fraction, int(free.sum()))
            begin = int(noise(self.keys[0], presented, TO_OUTPUTS))
            rounding = _rounding(weights, sizes).flatten()[None]
            chosen = largest(sizes.flatten()[None], [number], [begin], rounding)
            plastic[-1] = chosen.reshape(free.shape)
        found = {}
        for layer, matrix in zip(self.layers, plastic, strict=True):
            found |= layer.tensors(matrix)
        return found

    def _probabilities(self) -> list[float]:
        return [self.mask.p_in] * len(self.competing) + [self.mask.p_out] * bool(self.hidden)

    def _synapses(self, n: int, probability: float, label: int, presented: int) -> Tensor:
        """Return the synapse mask of a layer for a presentation, ``(to, from)``."""
        if self.mask.draw != "sample":
            return self.masks[n][label if self.mask.draw == "class" else 0]
        layer = self.layers[n]
        mask = np.empty((layer.size, layer.units), dtype=bool)
        draw_mask(mask, probability, n, self.keys[0], presented)
        return torch.from_numpy(mask.T)

    def _largest(
        self, n: int, sizes: Tensor, weights: Tensor, plastic: Tensor, presented: int
    ) -> Tensor:
        """Return which of a layer's ``plastic`` synapses have the largest updates."""
        order, free = self.orders[n].to(sizes.device), plastic.sum(dim=1)
        rounding = _rounding(weights, sizes)[:, order]
        sizes = (sizes * plastic)[:, order]
        if self.largest.per == "layer":
            sizes, free, rounding = (
                sizes.flatten()[None],
                free.sum()[None],
                rounding.flatten()[None],
            )
        place = 0 if self.largest.per == "layer" else 1
        begins = [int(noise(self.keys[n], presented, place + row)) for row in range(len(sizes))]
        numbers = [number_selected(self.largest.fraction, each) for each in free.tolist()]
        chosen = largest(sizes, numbers, begins, rounding).reshape(plastic.shape)
        return torch.zeros_like(plastic).index_copy_(1, order, chosen)


def largest(sizes: Tensor, numbers: list[int], begins: list[int], rounding: Tensor) -> Tensor:
    """Return which have the largest ``sizes`` in each row, as `lazybook.restrictions.largest` does.

    Parameters
    ----------
    sizes: of updates, not negative, shape ``(rows, candidates)``. An update of 0 is never chosen.
    numbers: how many are chosen in each row.
    begins: a number for each row, from which it is determined where the choice among those that
        tie for the last places begins.
    rounding: what each size may be wrong by, like ``sizes``; two tie that differ by no more than
        both together.
    """
    places = torch.tensor(numbers, device=sizes.device)[:, None] - 1
    last = sizes.topk(max(numbers), dim=1).indices.gather(1, places)
    beyond, rounding = sizes - sizes.gather(1, last), rounding + rounding.gather(1, last)
    tied, chosen = (beyond.abs() <= rounding) & (sizes > 0), beyond > rounding
    among = tied.sum(dim=1)
    first = [begin % max(1, ties) for begin, ties in zip(begins, among.tolist(), strict=True)]
    first = torch.tensor(first, device=sizes.device)[:, None]
    ranks = (tied.cumsum(dim=1) - 1 - first) % among.clamp(min=1)[:, None]
    return chosen | (tied & (ranks < places + 1 - chosen.sum(dim=1, keepdim=True)))


def _rounding(weights: Tensor, sizes: Tensor) -> Tensor:
    """Return what sizes of updates may be wrong by, as sums and differences are rounded."""
    return torch.finfo(weights.dtype).eps * (weights.abs() + sizes)


def _part(restriction: Restriction, kind: type) -> Restriction | None:
    return next((part for part in restriction.parts if isinstance(part, kind)), None)


def _check_fit(layers: list[Layer]) -> None:
    """Raise InvalidValue unless there are layers, each once, that go into each other."""
    if not layers:
        raise InvalidValue("chain is empty: there is no layer for the restriction to be for")
    if len({layer.weight for layer in layers}) < len(layers):
        raise InvalidValue("chain has a layer, or its weights, twice")
    for n, (first, second) in enumerate(pairwise(layers)):
        if second.channels % first.units:
            raise InvalidValue(
                f"chain: layer {n} has {first.units} units, which do not go into the"
                f" {second.channels} inputs of layer {n + 1}"
            )
