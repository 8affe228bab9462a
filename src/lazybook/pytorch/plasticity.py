"""Which changes of a network's weights become permanent, and what they cost, in any training loop.

`Plasticity` is put around whatever changes the weights. It compares them before and after: what
the restriction (`lazybook.restrictions`) does not allow is undone, what the caching
(`lazybook.caching`) holds back stays transient, and what becomes permanent is charged
(`lazybook.energy`). `Meter` is the one that restricts and holds back nothing.
"""

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any, Self

import torch
from torch import Tensor, nn

from lazybook.caching import Caching, Immediate
from lazybook.errors import InvalidValue, check_whole, told
from lazybook.pytorch.chain import Chain, find
from lazybook.restrictions import AllSynapses, Restriction


@dataclass
class Spent:
    """What a window of training has cost; its numbers are there when the window is over.

    Attributes
    ----------
    name: of the window.
    steps: how often the weights were compared.
    m0: number of permanent changes, one entry a parameter tensor, float64 ``(parameters,)``.
    m1: sum of their sizes, in units of the weights, ``(parameters,)``.
    m_min: energy of the straight path from the weights at the beginning to those at the end,
        in units of the weights, ``(parameters,)``.
    transient: cost of what was transient, in units of `SynapticCaching.transient_cost`.
    pending_m0, pending_m1: what it would cost at the end to make permanent all that is transient,
        ``(parameters,)``.
    """

    name: str
    steps: int
    m0: Tensor
    m1: Tensor
    m_min: Tensor
    transient: float
    pending_m0: Tensor
    pending_m1: Tensor

    @property
    def inefficiency(self) -> float:
        """How many times the energy of the straight path was spent; nan if nothing changed."""
        return float(self.m1.sum() / self.m_min.sum())

    def __str__(self) -> str:
        pending = f", {self.pending_m1.sum():.4g} of it pending" if self.pending_m0.any() else ""
        return (
            f"{self.name}: {self.steps} steps, M0 = {self.m0.sum():.0f} changes,"
            f" M1 = {self.m1.sum():.4g} in units of the weights,"
            f" {self.inefficiency:.3g} times the straight path{pending}"
        )


class Meter:
    """Measures the energy of all changes of ``parameters`` that are made inside ``with meter:``.

    It compares the weights before and after, so it does not matter what changes them: any
    optimizer, weight decay, clipping. A change too small for the weight's precision is none. Sums
    are float64 whatever the weights are, and are kept on the CPU.

    Attributes
    ----------
    parameters: the tensors, in their order.
    steps: how often ``with meter:`` was passed.
    m0, m1: number of changes and sum of their sizes so far, one entry a parameter tensor, float64;
        see `lazybook.energy`.
    initial: copies of the parameters as they were when this was made.
    transient: cost of what was transient; of a meter 0.

    Raises
    ------
    InvalidValue: no parameters, the same one twice, or what is not a tensor of floats.
    """

    def __init__(self, parameters: Iterable[Tensor]) -> None:
        self.parameters = _checked(parameters)
        self.steps, self.transient = 0, 0.0
        self.m0, self.m1 = (torch.zeros(len(self.parameters), dtype=torch.float64) for _ in "01")
        self.initial = self._copies()
        self._before: list[Tensor] | None = None

    @property
    def m_min(self) -> Tensor:
        """Energy of the straight path from the weights when this was made to those now (Eq. 4).

        One entry a parameter tensor, float64.
        """
        return _sums(_changes(self.parameters, self.initial))

    @property
    def pending_m0(self) -> Tensor:
        """M0 of making permanent now all that is transient, one entry a parameter tensor."""
        return torch.zeros_like(self.m0)

    @property
    def pending_m1(self) -> Tensor:
        """M1 of making permanent now all that is transient, one entry a parameter tensor."""
        return torch.zeros_like(self.m1)

    def __enter__(self) -> Self:
        if self._before is not None:
            raise InvalidValue("these changes are measured already; leave the first `with` before")
        self._before = self._copies()
        return self

    def __exit__(self, *error: object) -> None:
        before, self._before = self._before, None
        with torch.no_grad():
            permanent = self._permanent(before)
        self.m0 += _counts(permanent)
        self.m1 += _sums(permanent)
        self.steps += 1

    @contextmanager
    def window(self, name: str) -> Iterator[Spent]:
        """Measure what is spent inside ``with meter.window(name) as spent:``, by itself.

        Windows may lie in each other. For the straight path the weights are copied.
        """
        begin, steps, transient = self._copies(), self.steps, self.transient
        m0, m1 = self.m0.clone(), self.m1.clone()
        zeros = [torch.zeros_like(m0) for _ in range(5)]
        spent = Spent(name, 0, *zeros[:3], 0.0, *zeros[3:])
        try:
            yield spent
        finally:
            spent.steps, spent.transient = self.steps - steps, self.transient - transient
            spent.m0, spent.m1 = self.m0 - m0, self.m1 - m1
            spent.m_min = _sums(_changes(self.parameters, begin))
            spent.pending_m0, spent.pending_m1 = self.pending_m0, self.pending_m1

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of all that has to be saved to go on later: tensors and numbers."""
        return copy.deepcopy(self._state())

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a saved state; raise InvalidValue for one of other parameters or rules."""
        own = self._state()
        if _form(state) != _form(own):
            raise InvalidValue("the state is not one of these parameters with these rules")
        for name, value in state.items():
            if isinstance(value, Tensor):
                own[name].copy_(value)
            elif isinstance(value, list):
                for mine, saved in zip(own[name], value, strict=True):
                    mine.copy_(saved)
            else:
                setattr(self, name, value)

    def _state(self) -> dict[str, Any]:
        names = ("steps", "m0", "m1", "transient", "initial")
        return {name: getattr(self, name) for name in names}

    def _permanent(self, before: list[Tensor]) -> list[Tensor]:
        """Return the changes since ``before`` that are permanent, like the parameters."""
        return _changes(self.parameters, before)

    def _copies(self) -> list[Tensor]:
        return [parameter.detach().clone() for parameter in self.parameters]


class Plasticity(Meter):
    """Lets a restriction and a caching decide which changes of a network become permanent.

    ``with plasticity: optimizer.step()`` is one presentation, whatever happens inside: decay, draws
    and costs that are "per presentation" or "per sample" in the rules are per ``with``. Put it
    around a whole presentation, from the forward pass to the step, if what is transient shall decay
    before the outputs are computed, and also where there is nothing to learn; in batches of one
    this learns what this book's engines learn.

    The optimizer does not know what is undone: its momentum goes on adding up for all weights.
    Where updates compete, those are equal that differ by no more than the weights' rounding: in
    float32 a choice between nearly equal ones may be another than the engines'.
    Caching holds for all parameters. A restriction holds for the layers of ``chain``; what else
    the network has (norms, embeddings) changes freely. Along the chain

    * a `SynapseMask` takes ``p_out`` for the last layer and ``p_in`` for those before (or for the
      only one);
    * a `NeuronMask` and a `Subnet` choose ``n`` units in each layer but the last; a synapse of a
      subnet has both ends in it, where inputs and outputs of the network belong to every subnet;
    * `LargestUpdates` compete in each layer but the last (or in the only one), and
      `LargestToOutputs` in the last;
    * `SelectedNeurons` are refused: changes of weights do not tell how active a unit is.

    A unit of a convolutional layer is an output channel. Masks are those that an experiment with
    the same seed draws.

    Attributes
    ----------
    initial: copies of the parameters as they were when this was made.
    m0, m1, m_min, steps: as of a `Meter`; M0 and M1 are charged when a change becomes permanent.
    transient: cost of what was transient so far, see `SynapticCaching.transient_cost`.
    pending_m0, pending_m1: what it would cost to make permanent now all that is transient, one
        entry a parameter tensor.

    Parameters
    ----------
    model: any network.
    restriction: one of `lazybook.restrictions`, or several combined.
    caching: one of `lazybook.caching`.
    chain: the linear and convolutional layers that the restriction is for, from the inputs up, each
        the only one that what the one before yields goes into. In an `nn.Sequential` they are
        found.
    seed: of the random masks, and of the choice between equal updates.

    Raises
    ------
    InvalidValue: not a network, not a rule, a restriction that does not fit the chain, or a chain
        that is not found.
    """

    def __init__(
        self,
        model: nn.Module,
        restriction: Restriction = AllSynapses(),
        caching: Caching = Immediate(),
        *,
        chain: Iterable[nn.Module] | None = None,
        seed: int = 0,
    ) -> None:
        if not isinstance(model, nn.Module):
            raise InvalidValue(f"model is {told(model)}; give a network, or make a Meter")
        for name, rule, kind in (
            ("restriction", restriction, Restriction),
            ("caching", caching, Caching),
        ):
            if not isinstance(rule, kind):
                raise InvalidValue(f"{name} is {told(rule)}, not a rule of lazybook.{name}s")
        seed = check_whole("seed", seed, 0)
        if getattr(caching, "variant", None) == "unit":
            raise InvalidValue(
                "caching: variant is 'unit', for which a model does not tell what enters a unit;"
                " choose synapse, any or sum"
            )
        super().__init__(model.parameters())
        self.caching, self.rules = caching, f"{restriction}, {caching}, seed {seed}"
        self.chain, self._label = None, None
        if restriction.parts:
            layers = find(model) if chain is None else list(chain)
            self.chain = Chain(layers, self.parameters, restriction, seed)
        self.caches = not isinstance(caching, Immediate)
        wide = [_wide(parameter.detach()) for parameter in self.parameters] if self.caches else []
        self.persistent = [weights.clone() for weights in wide]
        self.held = [torch.zeros_like(weights) for weights in wide]

    def __call__(self, labels: int | Tensor) -> Self:
        """Say which class is presented: ``with plasticity(labels):``.

        Masks that are drawn per class need to know. ``labels`` is a class, from 0, or a tensor that
        holds only one. Raises InvalidValue for anything else.
        """
        found = labels.unique().tolist() if isinstance(labels, Tensor) else [labels]
        if len(found) != 1:
            raise InvalidValue(
                f"labels are {told(found)}; masks drawn per class need batches of a single class"
            )
        most = self.chain.classes - 1 if self.chain else 2**63 - 1
        self._label = check_whole("labels", found[0], 0, most)
        return self

    def __enter__(self) -> Self:
        if self.chain and self.chain.per_class and self._label is None:
            raise InvalidValue("masks are drawn per class; say which: with plasticity(labels):")
        if self.caches and self._before is None:
            self._decay()
        return super().__enter__()

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._label = None

    @property
    def pending_m0(self) -> Tensor:
        """M0 of making permanent now all that is transient, one entry a parameter tensor."""
        return _counts(self.held) if self.caches else super().pending_m0

    @property
    def pending_m1(self) -> Tensor:
        """M1 of making permanent now all that is transient, one entry a parameter tensor."""
        return _sums(self.held) if self.caches else super().pending_m1

    def _state(self) -> dict[str, Any]:
        names = ("rules", "persistent", "held")
        units = self.chain.units if self.chain else []
        return super()._state() | {name: getattr(self, name) for name in names} | {"units": units}

    @torch.no_grad()
    def _decay(self) -> None:
        """Begin a presentation: what is transient decays."""
        for place, parameter in enumerate(self.parameters):
            held = self.held[place] = self.held[place].to(parameter.device)
            persistent = self.persistent[place] = self.persistent[place].to(parameter.device)
            # What changed the weights since, such as loading others, is nobody's learning.
            persistent += _wide(parameter) - _wide((persistent + held).to(parameter.dtype))
            held *= self.caching.kept
            parameter.copy_(persistent + held)

    def _permanent(self, before: list[Tensor]) -> list[Tensor]:
        changes = super()._permanent(before)
        if self.chain:
            plastic = self.chain.plastic(changes, self.parameters, self._label, self.steps)
            for place, allowed in plastic.items():
                changes[place] = changes[place].where(allowed, 0)
                parameter = self.parameters[place]
                parameter.copy_(parameter.where(allowed, before[place]))
        if not self.caches:
            return changes
        for held, change in zip(self.held, changes, strict=True):
            held += change
        permanent = []
        for place, now in enumerate(self.caching.consolidates(self.held)):
            permanent.append(self.held[place].where(now, 0))
            self.persistent[place] += permanent[-1]
            self.held[place] -= permanent[-1]
            self.parameters[place].copy_(self.persistent[place] + self.held[place])
        self.transient += self.caching.transient_cost * float(_sums(self.held).sum())
        return permanent


def _checked(parameters: Iterable[Tensor]) -> list[Tensor]:
    """Return the parameters as a list; raise InvalidValue for what cannot be measured."""
    remedy = "give tensors of floats, such as network.parameters()"
    if isinstance(parameters, Tensor) or not isinstance(parameters, Iterable):
        raise InvalidValue(f"parameters are a {type(parameters).__name__}; {remedy}")
    found = list(parameters)
    if not found:
        raise InvalidValue("there are no parameters (an iterator is empty once it was used)")
    for parameter in found:
        if isinstance(parameter, nn.parameter.UninitializedTensorMixin):
            raise InvalidValue("parameters have no shape yet; run the network once before")
        if not isinstance(parameter, Tensor) or not parameter.is_floating_point():
            raise InvalidValue(f"parameters hold {told(parameter)}; {remedy}")
    if len({id(parameter) for parameter in found}) < len(found):
        raise InvalidValue("parameters hold the same tensor twice")
    return found


def _wide(tensor: Tensor) -> Tensor:
    """Return it in at least float32: differences and sums need more than half precision."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


@torch.no_grad()
def _changes(now: list[Tensor], before: list[Tensor]) -> list[Tensor]:
    """Return by how much the tensors have changed, in at least float32."""
    return [
        _wide(tensor) - _wide(then.to(tensor.device))
        for tensor, then in zip(now, before, strict=True)
    ]


def _counts(changes: list[Tensor]) -> Tensor:
    """Return how many changes there are in each tensor, float64 on the CPU, ``(tensors,)``."""
    # As floats ones are counted in a quarter of the time that counting what is not 0 takes.
    return _added([torch.ne(change, 0, out=torch.empty_like(change)) for change in changes])


def _sums(changes: list[Tensor]) -> Tensor:
    """Return the sum of the sizes of changes in each tensor, float64 on the CPU, ``(tensors,)``."""
    return _added([change.abs() for change in changes])


def _added(tensors: list[Tensor]) -> Tensor:
    """Return the sum of each tensor, float64 on the CPU, ``(tensors,)``."""
    there = [tensor if has_float64(tensor.device) else tensor.cpu() for tensor in tensors]
    return _gathered([tensor.sum(dtype=torch.float64) for tensor in there])


def _gathered(numbers: list[Tensor]) -> Tensor:
    """Return numbers from any devices as one float64 tensor on the CPU."""
    there = torch.stack([number.to(numbers[0].device) for number in numbers])  # waits only once
    return there.cpu().double()


@cache
def has_float64(device: torch.device) -> bool:
    """Whether a device knows float64; GPUs of Macs do not."""
    try:
        torch.zeros((), dtype=torch.float64, device=device)
    except (TypeError, RuntimeError):
        return False
    return True


def _form(state: Any) -> Any:
    """Return what has to be equal in two states, that one may follow the other."""
    if isinstance(state, dict):
        return {name: _form(value) for name, value in state.items()}
    if isinstance(state, list):
        return [_form(value) for value in state]
    if isinstance(state, Tensor):
        return state.shape
    return state if isinstance(state, str) else type(state)
