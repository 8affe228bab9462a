"""Training loops as one would write them in PyTorch, executed line by line.

As those in `loops` they learn what the engines learn, one sample at a time, and count no energy.
"""

import numpy as np
import torch
from torch import nn

from lazybook import networks
from lazybook.caching import Immediate
from lazybook.datasets import Dataset
from lazybook.engines.contract import Start, network_shape
from lazybook.errors import InvalidValue
from lazybook.experiment import Experiment
from lazybook.gates import EverySample
from lazybook.restrictions import number_selected


class EagerLoop:
    """Stochastic gradient descent in PyTorch, executed line by line; plain or lazy.

    Attributes
    ----------
    network: two linear layers with a leaky rectifier between them.
    updates: number of samples learned.
    """

    def __init__(self, experiment: Experiment, dataset: Dataset, start: Start) -> None:
        shape = network_shape(experiment, dataset.facts)
        self.network = nn.Sequential(
            nn.Linear(shape.inputs, shape.hidden),
            nn.LeakyReLU(networks.leak(experiment.activation)),
            nn.Linear(shape.hidden, shape.outputs),
        )
        self.first, _, self.second = self.network
        for linear, weights in zip((self.first, self.second), start.weights, strict=True):
            linear.weight.data = torch.tensor(weights[:-1]).T.contiguous()
            linear.bias.data = torch.tensor(weights[-1])
        self.optimizer = torch.optim.SGD(self.network.parameters(), experiment.learning_rate)
        self.inputs = torch.tensor(dataset.train.inputs())
        self.labels = dataset.train.labels.tolist()
        self.targets = torch.eye(shape.outputs)[self.labels]
        self.half = experiment.loss == "half-mse"
        self.always = isinstance(experiment.gate, EverySample)
        self.gate = experiment.gate
        self.remembered = [False] * len(self.labels)
        self.updates = 0

    def learn(self, samples: np.ndarray) -> None:
        """Present the training samples of these indices, one after another."""
        for sample in samples.tolist():
            self.present(sample)

    def present(self, sample: int) -> None:
        """Present one training sample, as a batch of one, and learn it or not."""
        outputs = self.network(self.inputs[sample : sample + 1])
        if self.always or self.lets_through(outputs, sample):
            squares = (outputs - self.targets[sample]).square()
            loss = squares.sum() / 2 if self.half else squares.mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.change()
            self.updates += 1

    def lets_through(self, outputs: torch.Tensor, sample: int) -> bool:
        """Whether the gate lets a sample be learned."""
        mistake, remembered = int(outputs.argmax()) != self.labels[sample], self.remembered[sample]
        self.remembered[sample] = self.gate.remembers(mistake, remembered)
        return self.gate.learns(mistake, remembered)

    def change(self) -> None:
        """Change the synapses along the gradient."""
        self.optimizer.step()

    @property
    def weights(self) -> list[np.ndarray]:
        """Copies of the weight matrices, ``[from, to]`` with the bias row, a layer each."""
        return [
            torch.cat([linear.weight.T, linear.bias[None]]).detach().numpy()
            for linear in (self.first, self.second)
        ]


class MaskedLoop(EagerLoop):
    """A subnet, neuron mask or synapse mask: the gradient is multiplied by a mask."""

    def __init__(self, experiment: Experiment, dataset: Dataset, start: Start) -> None:
        super().__init__(experiment, dataset, start)
        plan, layers = start.plan, [np.ones(layer.shape, bool) for layer in start.weights]
        if plan.units is not None:
            plastic = np.isin(np.arange(layers[0].shape[1]), plan.units[0])
            layers[0] &= plastic
            if plan.outputs_of_units:
                layers[1] &= np.append(plastic, False)[:, None]
        if plan.masks:
            layers = [layer & masks[0] for layer, masks in zip(layers, plan.masks, strict=True)]
        masks = [torch.tensor(layer).float() for layer in layers]
        pairs = zip((self.first, self.second), masks, strict=True)
        self.masked = [
            (parameter, mask)
            for linear, layer in pairs
            for parameter, mask in (
                (linear.weight, layer[:-1].T.contiguous()),
                (linear.bias, layer[-1]),
            )
            if not mask.all()
        ]

    def change(self) -> None:
        """Change the synapses that the mask leaves plastic."""
        for parameter, mask in self.masked:
            parameter.grad *= mask
        self.optimizer.step()


class LargestLoop(EagerLoop):
    """The largest updates of the first layer or of each of its units: ``torch.topk`` finds them."""

    def __init__(self, experiment: Experiment, dataset: Dataset, start: Start) -> None:
        super().__init__(experiment, dataset, start)
        rule, (rows, units) = start.plan.largest, start.weights[0].shape
        self.competing = (1, rows * units) if rule.per == "layer" else (units, rows)
        self.number = number_selected(rule.fraction, self.competing[1])

    def change(self) -> None:
        """Change the synapses of the first layer with the largest gradients, and the second."""
        weight, bias = self.first.weight.grad, self.first.bias.grad
        sizes = torch.cat([weight, bias[:, None]], dim=1).abs_()
        largest = sizes.view(self.competing).topk(self.number).indices
        mask = torch.zeros(self.competing).scatter_(1, largest, 1).view_as(sizes)
        weight *= mask[:, :-1]
        bias *= mask[:, -1]
        self.optimizer.step()


class CachedLoop(EagerLoop):
    """Synaptic caching, synapse by synapse: a persistent and a transient part of each parameter."""

    def __init__(self, experiment: Experiment, dataset: Dataset, start: Start) -> None:
        super().__init__(experiment, dataset, start)
        self.rate, self.caching = experiment.learning_rate, experiment.caching
        self.parts = [
            (parameter, parameter.detach().clone(), torch.zeros_like(parameter))
            for parameter in self.network.parameters()
        ]

    def present(self, sample: int) -> None:
        """Let the transient parts decay, and present one training sample."""
        with torch.no_grad():
            for parameter, persistent, transient in self.parts:
                transient *= self.caching.kept
                torch.add(persistent, transient, out=parameter)
        super().present(sample)

    @torch.no_grad()
    def change(self) -> None:
        """Change the transient parts, and make permanent those that have reached the threshold."""
        for parameter, persistent, transient in self.parts:
            transient -= self.rate * parameter.grad
            reached = transient.abs() >= self.caching.threshold
            persistent += torch.where(reached, transient, 0)
            transient.copy_(torch.where(reached, 0, transient))
            torch.add(persistent, transient, out=parameter)


def build(experiment: Experiment, dataset: Dataset, start: Start) -> EagerLoop:
    """Return the eager PyTorch loop for an experiment.

    Raises InvalidValue for a combination of rules that none of them knows.
    """
    plan, cached = start.plan, not isinstance(experiment.caching, Immediate)
    redrawn = plan.unit_draw != "once" or (plan.mask and plan.mask.draw != "once")
    kinds = (
        (LargestLoop, plan.largest is not None),
        (CachedLoop, cached),
        (MaskedLoop, plan.units is not None or plan.mask is not None),
    )
    needed = [loop for loop, rule in kinds if rule]
    if len(needed) > 1 or redrawn or (cached and experiment.caching.variant != "synapse"):
        raise InvalidValue(
            f"there is no eager loop for {experiment.restriction} with {experiment.caching};"
            " choose one rule, drawn once"
        )
    return (needed or [EagerLoop])[0](experiment, dataset, start)
