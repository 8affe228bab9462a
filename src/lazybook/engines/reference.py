"""The reference engine: the definition of every rule, in PyTorch, on any device.

`step` is the whole method. It is written to be read; the fast engines are held to it by the
contract tests.
"""

import numpy as np
import torch

from lazybook import energy, networks
from lazybook.datasets import Dataset, Split
from lazybook.energy import Meter
from lazybook.engines.contract import Evaluation, Start
from lazybook.experiment import Experiment
from lazybook.gates import Margin, OwnRule, check_answer
from lazybook.networks import classify, margins
from lazybook.restrictions import largest, number_selected, strongest
from lazybook.support.randomness import ARRIVAL, RECALL, TO_OUTPUTS, draw_mask, noise, shuffle

BATCH = 1000  # samples at a time where nothing is learned


class ReferenceEngine:
    """A network in training; see `lazybook.engines.contract.Engine`."""

    def __init__(self, experiment: Experiment, dataset: Dataset, start: Start) -> None:
        self.experiment, self.start = experiment, start
        self.device = torch.device(experiment.device)
        self.bias = experiment.bias != "none"
        self.train, self.values = dataset.train, self._tensor(dataset.train.values)
        self.labels = self._tensor(dataset.train.labels)
        self.remembered = self._tensor(start.memory)
        self.kept: list[int] = []  # the samples in the buffer
        self.arrived = 0
        self.presented, self.diverged = 0, False
        self.persistent = [self._tensor(layer) for layer in start.weights]
        self.transient = [torch.zeros_like(layer) for layer in self.persistent]
        self.counts = [torch.zeros_like(layer, dtype=torch.int64) for layer in self.persistent]
        self.meter = Meter.zero(len(self.persistent), len(experiment.energy_exponents))

        plan = start.plan
        self.units = plan.units if plan.units is None else plan.units.copy()
        self.masks = plan.masks and [self._tensor(layer) for layer in plan.masks]

    def learn(self, samples: np.ndarray) -> None:
        """Present the training samples of these indices, one after another."""
        present = arrive if self.experiment.buffer else step
        for sample in samples.tolist():
            present(self, sample)
        for layer, transient in enumerate(self.transient):
            self.meter.pending_m0[layer] = float(torch.count_nonzero(transient))
            self.meter.pending_m1[layer] = float(transient.abs().sum(dtype=torch.float64))

    def distance(self) -> float:
        """Return the energy of the straight path from the initial weights to these."""
        return energy.m_min(self.weights, self.start.weights)

    def evaluate(self, split: Split) -> Evaluation:
        """Return accuracy and mean loss on ``split``."""
        correct, loss = 0, 0.0
        for begin in range(0, len(split), BATCH):
            rows = slice(begin, begin + BATCH)
            labels = self._tensor(split.labels[rows])
            *_, outputs = forward(self.synapses, self._tensor(split.inputs(rows)), self)
            correct += int((classify(outputs) == labels).sum())
            loss += float(losses(self.experiment.loss, outputs, labels).sum(dtype=torch.float64))
        return Evaluation(accuracy=correct / len(split), loss=loss / len(split))

    @property
    def synapses(self) -> list[torch.Tensor]:
        """The strengths of the synapses: the persistent and the transient part together."""
        return [a + b for a, b in zip(self.persistent, self.transient, strict=True)]

    @property
    def weights(self) -> list[np.ndarray]:
        """Copies of the weight matrices, ``[from, to]`` with the bias row, a layer each."""
        return [layer.cpu().numpy() for layer in self.synapses]

    @property
    def memory(self) -> np.ndarray:
        """Which training samples are remembered, bool, shape ``(samples,)``."""
        return self.remembered.cpu().numpy().copy()

    @property
    def buffer(self) -> np.ndarray:
        """The training samples that the buffer keeps, int64 ``(kept,)``."""
        return np.array(self.kept, np.int64)

    @property
    def synapse_updates(self) -> list[np.ndarray]:
        """How often each synapse changed, int64, shaped like the weights."""
        return [layer.cpu().numpy().copy() for layer in self.counts]

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.tensor(array, device=self.device)


def step(run: ReferenceEngine, sample: int) -> bool:
    """Present one training sample, and learn it or not: the methods of all the papers.

    Return whether it was misclassified. Once the network has diverged nothing is presented.
    """
    if run.diverged:
        return False
    rules, label = run.experiment, run.labels[sample]
    for transient in run.transient:
        transient *= rules.caching.kept
    synapses = run.synapses
    inputs = run.values[sample] * run.train.scale - run.train.offset
    *entering, outputs = forward(synapses, inputs, run)
    if not outputs.square().sum().isfinite():
        run.diverged = True  # nothing can be learned any more: see `contract.Engine`
        return False

    # Which samples are learned?
    mistake, remembered = classify(outputs) != label, run.remembered[sample]
    if isinstance(rules.gate, OwnRule):
        learned = own_answer(run, outputs, label, mistake, remembered)
        run.remembered[sample] = mistake | remembered
    else:
        margin = [margins(outputs, label)] if isinstance(rules.gate, Margin) else []
        learned = bool(rules.gate.learns(mistake, remembered, *margin))
        run.remembered[sample] = rules.gate.remembers(mistake, remembered)

    # Which synapses may change?
    plastic = plastic_synapses(run, int(label))
    if learned:
        error = output_error(rules.loss, outputs, label)
        errors = backward(synapses, entering, error, run)
        plastic[0] *= select_neurons(run, entering[-1], errors[0])
        sizes = torch.outer(entering[0].abs(), errors[0].abs())
        plastic[0] = select_largest(run, sizes, plastic[0])
        sizes = torch.outer(entering[-1].abs(), error.abs())
        plastic[-1] = select_to_outputs(run, sizes, plastic[-1])

    # When does a change become permanent, and what does it cost?
    if learned:
        for layer, transient in enumerate(run.transient):
            change = -rules.learning_rate * torch.outer(entering[layer], errors[layer])
            transient += change * plastic[layer]
        for layer, permanent in enumerate(rules.caching.consolidates(run.transient)):
            change = run.transient[layer] * permanent
            run.persistent[layer] += change
            run.transient[layer] -= change
            charge(run, layer, change)
        run.meter.updates += 1
    left = sum(float(transient.abs().sum(dtype=torch.float64)) for transient in run.transient)
    run.meter.transient += rules.caching.transient_cost * left
    run.presented += 1
    return bool(mistake)


def arrive(run: ReferenceEngine, sample: int) -> None:
    """Present a sample of the stream, keep it or not, and present some that are kept."""
    rules, key, before = run.experiment, run.start.key, run.presented
    mistake = step(run, sample)
    number = int(noise(key, before, ARRIVAL))
    place = rules.buffer.place(mistake, run.arrived, len(run.kept), number)
    if place is not None and not run.diverged:
        run.kept[place : place + 1] = [sample]
    run.arrived += 1
    for _ in range(rules.epochs - 1):
        if run.kept:
            step(run, run.kept[int(noise(key, run.presented, RECALL)) % len(run.kept)])


def own_answer(
    run: ReferenceEngine,
    outputs: torch.Tensor,
    label: torch.Tensor,
    mistake: torch.Tensor,
    remembered: torch.Tensor,
) -> bool:
    """Whether a rule of someone's own learns a sample; it is asked as for a batch of one."""
    gate, one = run.experiment.gate, (outputs[None], label[None])
    loss = losses(run.experiment.loss, *one)
    answer = gate(mistake[None], remembered[None], margins(*one), loss)
    check_answer(gate, answer, mistake[None])
    return bool(answer)


def charge(run: ReferenceEngine, layer: int, change: torch.Tensor) -> None:
    """Add what the permanent ``change`` of a layer costs to the meter."""
    meter, size = run.meter, change.abs().double()
    meter.m0[layer] += float(torch.count_nonzero(change))
    meter.m1[layer] += float(size.sum())
    for exponent, alpha in enumerate(run.experiment.energy_exponents):
        meter.m_alpha[exponent, layer] += float((size[size > 0] ** alpha).sum())
    if "potentiation" in run.experiment.record:
        meter.m0_potentiation[layer] += float((change > 0).sum())
        meter.m1_potentiation[layer] += float(size[change > 0].sum())
    if "synapse-updates" in run.experiment.record:
        run.counts[layer] += change != 0


def plastic_synapses(run: ReferenceEngine, label: int) -> list[torch.Tensor]:
    """Return for each layer which synapses the masks leave plastic, 0 or 1, ``(from, to)``."""
    plan = run.start.plan
    plastic = [torch.ones_like(layer) for layer in run.persistent]
    if plan.units is not None:
        if plan.unit_draw == "sample":
            shuffle(run.units[0], plan.unit_count, run.start.key, run.presented)
        chosen = run.units[label if plan.unit_draw == "class" else 0, : plan.unit_count]
        into = torch.zeros(plastic[0].shape[1], device=run.device)
        into[torch.tensor(chosen, device=run.device)] = 1
        plastic[0] *= into
        if plan.outputs_of_units:
            plastic[1] *= torch.nn.functional.pad(into, (0, int(run.bias)))[:, None]
    if plan.mask:
        for layer, probability in enumerate((plan.mask.p_in, plan.mask.p_out)[: len(plastic)]):
            if plan.mask.draw == "sample":
                mask = np.empty(plastic[layer].shape, dtype=bool)
                draw_mask(mask, probability, layer, run.start.key, run.presented)
                plastic[layer] *= torch.tensor(mask, device=run.device)
            else:
                plastic[layer] *= run.masks[layer][label if plan.mask.draw == "class" else 0]
    return plastic


def select_neurons(
    run: ReferenceEngine, activity: torch.Tensor, error: torch.Tensor
) -> torch.Tensor:
    """Return which hidden units the selection of whole neurons leaves plastic, 0 or 1.

    ``activity`` is that of the hidden units, the bias unit last; ``error`` what is propagated back
    to them, and the result, have shape ``(hidden,)``.
    """
    plan = run.start.plan
    if plan.neurons is None:
        return torch.ones_like(error)
    strength = error.abs() if plan.neurons.by == "error" else activity[: len(error)]
    return strongest(strength, plan.unit_count).to(error.dtype)


def select_largest(
    run: ReferenceEngine, sizes: torch.Tensor, plastic: torch.Tensor
) -> torch.Tensor:
    """Return which of the first layer's ``plastic`` synapses the selection leaves plastic.

    ``sizes`` are those of the updates; all have shape ``(from, to)``.
    """
    rule, key, order = run.start.plan.largest, run.start.key, run.start.tie_order
    if rule is None:
        return plastic
    sizes, free = (sizes * plastic)[order], plastic.sum(dim=0).long()
    chosen = torch.zeros_like(plastic)
    if rule.per == "layer":
        number = number_selected(rule.fraction, int(free.sum()))
        chosen[order] = largest(sizes, number, int(noise(key, run.presented, 0))).to(plastic.dtype)
        return chosen
    for unit in free.nonzero()[:, 0].tolist():
        number = number_selected(rule.fraction, int(free[unit]))
        begin = int(noise(key, run.presented, 1 + unit))
        chosen[order, unit] = largest(sizes[:, [unit]], number, begin)[:, 0].to(plastic.dtype)
    return chosen


def select_to_outputs(
    run: ReferenceEngine, sizes: torch.Tensor, plastic: torch.Tensor
) -> torch.Tensor:
    """Return which of the last layer's ``plastic`` synapses the selection leaves plastic.

    ``sizes`` are those of the updates; all have shape ``(from, to)``.
    """
    rule = run.start.plan.to_outputs
    if rule is None:
        return plastic
    number = number_selected(rule.fraction, int(plastic.sum()))
    begin = int(noise(run.start.key, run.presented, TO_OUTPUTS))
    return largest(sizes * plastic, number, begin).to(plastic.dtype)


def forward(
    synapses: list[torch.Tensor], inputs: torch.Tensor, run: ReferenceEngine
) -> list[torch.Tensor]:
    """Return what enters each layer of synapses, and last the outputs.

    ``inputs`` has shape ``(inputs,)`` or ``(batch, inputs)``; so, in shape, do the results. What
    enters a layer has the constant 1 of the bias unit as its last value, if there is a bias.
    """
    entering = [with_bias(inputs) if run.bias else inputs]
    for layer in synapses[:-1]:
        hidden = activate(entering[-1] @ layer, run.experiment.activation)
        entering.append(with_bias(hidden) if run.bias else hidden)
    return [*entering, entering[-1] @ synapses[-1]]


def activate(received: torch.Tensor, activation: str) -> torch.Tensor:
    """Return what units do that receive this."""
    if activation == "logistic":
        return received.sigmoid()
    return torch.nn.functional.leaky_relu(received, networks.leak(activation))


def slope(activity: torch.Tensor, activation: str) -> torch.Tensor:
    """Return the derivative of `activate` where it gives ``activity``.

    A rectifier's output has the sign of its input, so the slope can be read off it.
    """
    if activation == "logistic":
        return activity * (1 - activity)
    return torch.where(activity > 0, 1.0, networks.leak(activation))


def with_bias(activity: torch.Tensor) -> torch.Tensor:
    """Append the unit that is always 1."""
    return torch.nn.functional.pad(activity, (0, 1), value=1.0)


def targets(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return what ``outputs`` should be: -1 or 1 for a single output, one-hot for several."""
    if outputs.shape[-1] == 1:
        return (2.0 * labels - 1.0)[..., None]
    return torch.nn.functional.one_hot(labels, outputs.shape[-1]).to(outputs.dtype)


def losses(loss: str, outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the loss of each of the samples, shape ``(batch,)``."""
    if loss == "cross-entropy":
        return torch.nn.functional.cross_entropy(outputs, labels, reduction="none")
    if loss == "perceptron":
        return (perceptron_error(outputs, labels) * outputs).sum(dim=-1)
    if loss == "logistic":
        return (outputs.sigmoid() - logistic_targets(outputs, labels)).square().sum(dim=-1) / 2
    squares = (outputs - targets(outputs, labels)).square()
    return squares.mean(dim=-1) if loss == "mse" else squares.sum(dim=-1) / 2


def logistic_targets(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return what the logistic function of ``outputs`` should be, see `LOGISTIC_TARGETS`."""
    low, high = networks.LOGISTIC_TARGETS
    wanted = targets(outputs, labels)
    return torch.where(wanted > 0, high, low).to(outputs.dtype)


def perceptron_error(outputs: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Return the class chosen less the class wanted, both one-hot (or half of -1 and 1)."""
    excess = targets(outputs, classify(outputs)) - targets(outputs, labels)
    return excess / 2 if outputs.shape[-1] == 1 else excess


def output_error(loss: str, outputs: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
    """Return the gradient of the loss with respect to the outputs, shape ``(outputs,)``."""
    if loss == "cross-entropy":
        return torch.softmax(outputs, dim=-1) - targets(outputs, label)
    if loss == "perceptron":
        return perceptron_error(outputs, label)
    if loss == "logistic":
        answers = outputs.sigmoid()
        return (answers - logistic_targets(outputs, label)) * slope(answers, "logistic")
    error = outputs - targets(outputs, label)
    return error * (2 / len(error)) if loss == "mse" else error


def backward(
    synapses: list[torch.Tensor],
    entering: list[torch.Tensor],
    error: torch.Tensor,
    run: ReferenceEngine,
) -> list[torch.Tensor]:
    """Return the gradient of the loss with respect to what each layer of synapses yields.

    One vector a layer, from the inputs up; ``error`` is the last of them. ``entering`` is what
    `forward` returned for one sample.
    """
    errors = [error]
    for layer, activity in zip(synapses[:0:-1], entering[:0:-1], strict=True):
        error = (layer @ errors[0]) * slope(activity, run.experiment.activation)
        errors.insert(0, error[:-1] if run.bias else error)
    return errors
