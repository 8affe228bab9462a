"""The engine `autograd`: PyTorch's own layers, gradients and optimizers, in batches.

`AutogradEngine.step` is the training loop that PyTorch's users write, with the three lines that
make it lazy (see `lazybook.pytorch`). In batches of one with plain descent it learns what the
reference engine learns; beyond that it is there to see what becomes of the gates with batches,
other optimizers and augmented data.
"""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor, nn

from lazybook import energy, networks, pytorch
from lazybook.datasets import Dataset, Split
from lazybook.engines.contract import Evaluation, Start
from lazybook.engines.reference import BATCH, losses
from lazybook.experiment import Experiment
from lazybook.gates import OwnRule
from lazybook.networks import classify


class _Threads:
    """How many threads PyTorch had when nobody had changed that here, and who still has one."""

    lock, users, before = threading.Lock(), 0, 0


@contextmanager
def one_thread() -> Iterator[None]:
    """Keep PyTorch to one thread: networks are small, and it is the runs that go on in parallel.

    The number is set for a thread, and for all that begin later. So those that are in here at a
    time all give back what the first of them found.
    """
    with _Threads.lock:
        if not _Threads.users:
            _Threads.before = torch.get_num_threads()
        _Threads.users += 1
        torch.set_num_threads(1)
    try:
        yield
    finally:
        with _Threads.lock:
            _Threads.users -= 1
            torch.set_num_threads(_Threads.before)


@contextmanager
def no_denormal_numbers() -> Iterator[None]:
    """Take numbers as 0 that are so small that processors take ten times as long with each.

    Momentum and Adam have many: what they have kept of inputs long unseen dwindles to them.
    """
    flushed = bool(torch.tensor(1e-40) * 1 == 0)  # the setting is this thread's, and cannot be read
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(flushed)


class AutogradEngine:
    """A network in training; see `lazybook.engines.contract.Engine`."""

    def __init__(self, experiment: Experiment, dataset: Dataset, start: Start) -> None:
        self.experiment, self.start = experiment, start
        self.device = torch.device(experiment.device)
        self.network = network(experiment, start).to(self.device)
        self.optimizer = optimizer(experiment, self.network)
        self.gate = pytorch.Gate(experiment.gate, len(dataset.train))
        self.gate.remembered[:] = torch.tensor(start.memory)
        self.gate.to(self.device)
        self.spent = pytorch.Meter(self.network.parameters())
        self.train = dataset.train
        self.presented, self.updates, self.diverged = 0, 0, False
        self.shifts = np.random.default_rng(int(start.key))  # a stream that nothing else uses

    def learn(self, samples: np.ndarray) -> None:
        """Present the training samples of these indices, batch by batch."""
        batch = self.experiment.batch
        at_once = math.ceil(BATCH / batch) * batch  # to be got ready: it costs less than one by one
        with one_thread(), no_denormal_numbers():
            for begin in range(0, len(samples), at_once):
                ready = self.prepare(samples[begin : begin + at_once])
                for part in zip(*(tensor.split(batch) for tensor in ready), strict=True):
                    if not self.diverged:
                        self.step(*part)

    def prepare(self, samples: np.ndarray) -> list[Tensor]:
        """Return inputs as they are presented, labels, and indices of these training samples."""
        values, labels = self.train.values[samples], self.train.labels[samples]
        if self.experiment.shifts:
            values = shifted(values, self.experiment.shifts, self.shifts)
        inputs = replace(self.train, values=values, labels=labels).inputs()
        return [torch.tensor(array, device=self.device) for array in (inputs, labels, samples)]

    def step(self, inputs: Tensor, labels: Tensor, indices: Tensor) -> None:
        """Present a batch, and learn what the gate lets through."""
        outputs = self.network(inputs)
        if not outputs.detach().square().sum().isfinite():
            self.diverged = True  # nothing can be learned any more: see `contract.Engine`
            return
        own = isinstance(self.experiment.gate, OwnRule)
        shown = losses(self.experiment.loss, outputs.detach(), labels) if own else None
        learned = self.gate(outputs, labels, indices, shown)
        if self.experiment.gated == "batch" and learned.any():
            learned = torch.ones_like(learned)
        self.updates += int(learned.sum())
        if self.gate.any(learned):
            # The outputs are finite, so that 0 times a loss is 0, which is faster than to choose.
            loss = (learned * losses(self.experiment.loss, outputs, labels)).mean()
            self.optimizer.zero_grad()
            loss.backward()
            with self.spent:
                self.optimizer.step()
        self.presented += len(labels)

    def distance(self) -> float:
        """Return the energy of the straight path from the initial weights to these."""
        return energy.m_min(self.weights, self.start.weights)

    @one_thread()
    @torch.no_grad()
    def evaluate(self, split: Split) -> Evaluation:
        """Return accuracy and mean loss on ``split``, whose images are not shifted."""
        correct, loss = 0, 0.0
        for begin in range(0, len(split), BATCH):
            rows = slice(begin, begin + BATCH)
            labels = torch.tensor(split.labels[rows], device=self.device)
            outputs = self.network(torch.tensor(split.inputs(rows), device=self.device))
            correct += int((classify(outputs) == labels).sum())
            loss += float(losses(self.experiment.loss, outputs, labels).sum(dtype=torch.float64))
        return Evaluation(accuracy=correct / len(split), loss=loss / len(split))

    @property
    def meter(self) -> energy.Meter:
        """What learning has cost so far."""
        layers = len(self.start.weights)
        meter = energy.Meter.zero(layers)
        meter.updates = self.updates
        # A layer's parameters, its weights and perhaps its biases, stand next to each other.
        meter.m0, meter.m1 = (
            spent.numpy().reshape(layers, -1).sum(axis=1)
            for spent in (self.spent.m0, self.spent.m1)
        )
        return meter

    @property
    def weights(self) -> list[np.ndarray]:
        """Copies of the weight matrices, ``[from, to]`` with the bias row, a layer each."""
        layers = [layer for layer in self.network if isinstance(layer, nn.Linear)]
        return [
            np.vstack([parameter.detach().cpu().numpy().T for parameter in layer.parameters()])
            for layer in layers
        ]

    @property
    def memory(self) -> np.ndarray:
        """Which training samples are remembered, bool, shape ``(samples,)``."""
        return self.gate.remembered.cpu().numpy().copy()

    @property
    def buffer(self) -> np.ndarray:
        """Nothing: this engine has no buffer."""
        return np.empty(0, np.int64)

    @property
    def synapse_updates(self) -> list[np.ndarray]:
        """Nothing: this engine does not record how often each synapse changed."""
        return []


def network(experiment: Experiment, start: Start) -> nn.Sequential:
    """Return the network that ``start`` has the weights of."""
    bias, layers = experiment.bias != "none", []
    for weights in start.weights:
        rows, columns = weights.shape
        linear = nn.Linear(rows - bias, columns, bias=bias)
        linear.weight.data = torch.tensor(weights[: rows - bias].T.copy())
        if bias:
            linear.bias.data = torch.tensor(weights[-1])
        layers += [linear, activation(experiment.activation)]
    return nn.Sequential(*layers[:-1])  # the outputs are linear


def activation(name: str) -> nn.Module:
    """Return the activation that an experiment names so."""
    return nn.Sigmoid() if name == "logistic" else nn.LeakyReLU(networks.leak(name))


def optimizer(experiment: Experiment, network: nn.Module) -> torch.optim.Optimizer:
    """Return the optimizer that the experiment names."""
    # Fused, each is one pass over the weights.
    settings = {"lr": experiment.learning_rate, "fused": True}
    if experiment.optimizer == "adam":
        return torch.optim.Adam(network.parameters(), **settings)
    momentum = float(experiment.optimizer.partition(":")[2] or 0)
    return torch.optim.SGD(network.parameters(), momentum=momentum, **settings)


def shifted(images: np.ndarray, most: int, generator: np.random.Generator) -> np.ndarray:
    """Return square ``images``, each shifted by up to ``most`` pixels either way along both axes.

    Their shape is ``(images, pixels)``; what is shifted in is 0.
    """
    side = math.isqrt(images.shape[1])
    framed = np.pad(images.reshape(-1, side, side), ((0, 0), (most, most), (most, most)))
    windows = np.lib.stride_tricks.sliding_window_view(framed, (side, side), axis=(1, 2))
    corners = generator.integers(2 * most + 1, size=(len(images), 2))
    return windows[np.arange(len(images)), *corners.T].reshape(images.shape)
