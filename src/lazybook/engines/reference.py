"""The reference engine: the definition of every rule, in PyTorch, on any device.

`step` is the whole method. It is written to be read; the fast engines are held to it by the
contract tests.
"""

import numpy as np
import torch

from lazybook import networks
from lazybook.datasets import Dataset, Split
from lazybook.energy import Meter
from lazybook.engines.contract import Evaluation
from lazybook.experiment import Experiment

BATCH = 1000  # samples at a time where nothing is learned


class ReferenceEngine:
    """A network in training; see `lazybook.engines.contract.Engine`."""

    def __init__(self, experiment: Experiment, dataset: Dataset, weights: list[np.ndarray]) -> None:
        self.device = torch.device(experiment.device)
        self.experiment = experiment
        self.leak = networks.leak(experiment.activation)
        self.bias = experiment.bias != "none"
        self.inputs = torch.tensor(dataset.train.inputs(), device=self.device)
        self.labels = torch.tensor(dataset.train.labels, device=self.device)
        self.synapses = [torch.tensor(layer, device=self.device) for layer in weights]
        self.remembered = torch.zeros(len(dataset.train), dtype=torch.bool, device=self.device)
        self.meter = Meter.zero(layers=len(weights))

    def learn(self, samples: np.ndarray) -> None:
        """Present the training samples of these indices, one after another."""
        for sample in samples.tolist():
            step(self, sample)

    def evaluate(self, split: Split) -> Evaluation:
        """Return accuracy and mean loss on ``split``."""
        correct, loss = 0, 0.0
        for start in range(0, len(split), BATCH):
            rows = slice(start, start + BATCH)
            inputs = torch.tensor(split.inputs(rows), device=self.device)
            labels = torch.tensor(split.labels[rows], device=self.device)
            *_, outputs = forward(self.synapses, inputs, self.leak, self.bias)
            correct += int((classify(outputs) == labels).sum())
            loss += float(losses(self.experiment.loss, outputs, labels).sum())
        return Evaluation(accuracy=correct / len(split), loss=loss / len(split))

    @property
    def weights(self) -> list[np.ndarray]:
        """Copies of the weight matrices, ``[from, to]`` with the bias row, a layer each."""
        return [layer.cpu().numpy().copy() for layer in self.synapses]

    @property
    def memory(self) -> np.ndarray:
        """Which training samples are remembered, bool, shape ``(samples,)``."""
        return self.remembered.cpu().numpy().copy()


def step(run: ReferenceEngine, sample: int) -> None:
    """Present one training sample, and learn it or not: the methods of all the papers."""
    rules, synapses = run.experiment, run.synapses
    label = run.labels[sample]
    *entering, outputs = forward(synapses, run.inputs[sample], run.leak, run.bias)

    # Which samples are learned?
    mistake, remembered = classify(outputs) != label, run.remembered[sample]
    run.remembered[sample] = rules.gate.remembers(mistake, remembered)
    if not rules.gate.learns(mistake, remembered):
        return

    # What would plain gradient descent change?
    error = output_error(rules.loss, outputs, label)
    errors = backward(synapses, entering, error, run.leak, run.bias)
    updates = [
        -rules.learning_rate * torch.outer(activity, error)
        for activity, error in zip(entering, errors, strict=True)
    ]

    # What is changed, and what does it cost?
    run.meter.updates += 1
    for layer, update in enumerate(updates):
        synapses[layer] += update
        run.meter.m0[layer] += float(torch.count_nonzero(update))
        run.meter.m1[layer] += float(update.abs().sum(dtype=torch.float64))


def forward(
    synapses: list[torch.Tensor], inputs: torch.Tensor, leak: float, bias: bool
) -> list[torch.Tensor]:
    """Return what enters each layer of synapses, and last the outputs.

    ``inputs`` has shape ``(inputs,)`` or ``(batch, inputs)``; so, in shape, do the results. What
    enters a layer has the constant 1 of the bias unit as its last value, if there is a bias.
    """
    entering = [with_bias(inputs) if bias else inputs]
    for layer in synapses[:-1]:
        hidden = torch.nn.functional.leaky_relu(entering[-1] @ layer, leak)
        entering.append(with_bias(hidden) if bias else hidden)
    return [*entering, entering[-1] @ synapses[-1]]


def with_bias(activity: torch.Tensor) -> torch.Tensor:
    """Append the unit that is always 1."""
    return torch.nn.functional.pad(activity, (0, 1), value=1.0)


def classify(outputs: torch.Tensor) -> torch.Tensor:
    """Return the class that ``outputs`` of shape ``(…, outputs)`` stand for.

    A single output is read by the Heaviside function, several by the largest.
    """
    if outputs.shape[-1] == 1:
        return (outputs[..., 0] > 0).long()
    return outputs.argmax(dim=-1)


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
    squares = (outputs - targets(outputs, labels)).square()
    return squares.mean(dim=-1) if loss == "mse" else squares.sum(dim=-1) / 2


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
    error = outputs - targets(outputs, label)
    return error * (2 / len(error)) if loss == "mse" else error


def backward(
    synapses: list[torch.Tensor],
    entering: list[torch.Tensor],
    error: torch.Tensor,
    leak: float,
    bias: bool,
) -> list[torch.Tensor]:
    """Return the gradient of the loss with respect to what each layer of synapses yields.

    One vector a layer, from the inputs up; ``error`` is the last of them. ``entering`` is what
    `forward` returned for one sample. A rectifier's output has the sign of its input, so the
    slope can be read off it.
    """
    errors = [error]
    for layer, activity in zip(synapses[:0:-1], entering[:0:-1], strict=True):
        error = (layer @ errors[0]) * torch.where(activity > 0, 1.0, leak)
        errors.insert(0, error[:-1] if bias else error)
    return errors
