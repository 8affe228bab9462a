"""The loop that all methods are trained by, and what is counted in it."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from lazybook.benchmarks.peers.methods import (
    CountForgetting,
    InfoBatch,
    Lazy,
    Method,
    Only,
    SelectiveBackprop,
)
from lazybook.benchmarks.peers.records import Trial
from lazybook.benchmarks.peers.tasks import BATCH, LOOK, MOMENTUM, TASKS, Data, Task
from lazybook.gates import MemorizedMistakes, Mistakes
from lazybook.pytorch import Gate, Meter, Packer

FORWARD, BACKWARD = 1, 2  # the work of a pass of one sample, in forward passes: the usual estimate


@dataclass
class Counts:
    """What a training has taken so far.

    Attributes
    ----------
    presented, updates: samples presented and learned.
    forward: samples passed forward, with gradients or without.
    backward: samples in the batches passed backward.
    steps: of the optimizer.
    seconds: of the processor, without measuring.
    m0, m1: energy of all changes of the weights: their number, and the sum of their sizes.
    """

    presented: int = 0
    updates: int = 0
    forward: int = 0
    backward: int = 0
    steps: int = 0
    seconds: float = 0.0
    m0: float = 0.0
    m1: float = 0.0

    @property
    def work(self) -> int:
        """All passes, in forward passes of one sample."""
        return FORWARD * self.forward + BACKWARD * self.backward


class Clock:
    """Adds up the processor's time of this process, but for what happens inside ``with clock:``."""

    def __init__(self) -> None:
        self.began, self.left_out = time.process_time(), 0.0

    def __enter__(self) -> None:
        self.stopped = time.process_time()

    def __exit__(self, *error: object) -> None:
        self.left_out += time.process_time() - self.stopped

    @property
    def seconds(self) -> float:
        return time.process_time() - self.began - self.left_out


class Training:
    """A network in training by a method.

    Parameters
    ----------
    work: when it ends, in forward passes of one sample: `Counts.work`. All methods are given the
        same, so that one which learns less presents more.
    measurements: how often accuracy is measured, after equal parts of the work.
    """

    def __init__(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        data: Data,
        method: Method,
        work: int,
        measurements: int,
    ) -> None:
        self.network, self.optimizer, self.data, self.method = network, optimizer, data, method
        self.work, self.measurements = work, measurements
        self.gate = Gate(method.rule, len(data.labels)) if method.rule else None
        self.packer = Packer(self.gate, BATCH) if method.packed else None
        self.meter, self.counts, self.clock = Meter(network.parameters()), Counts(), Clock()
        self.table = [self.measured()]

    def run(
        self, generator: torch.Generator, tell: Callable[[float], None] = lambda work: None
    ) -> list[dict]:
        """Train to the end; return the measurements, one row each.

        ``generator`` draws the order of the samples. ``tell`` is called with the work done since.
        """
        self.clock = Clock()
        while True:
            order = torch.randperm(len(self.data.labels), generator=generator)
            presented = self.method.present(order, self.counts.work / self.work)
            for indices in presented.split(LOOK if self.method.packed else BATCH):
                before = self.counts.work
                self.present(indices)
                tell(min(self.counts.work, self.work) - before)
                parts = self.counts.work * self.measurements // self.work
                while len(self.table) <= min(parts, self.measurements):
                    with self.clock:
                        self.table.append(self.measured())
                if self.counts.work >= self.work:
                    return self.table

    def present(self, indices: Tensor) -> None:
        """Present a batch, and learn what is to be learned."""
        inputs, labels = self.data.inputs[indices], self.data.labels[indices]
        self.counts.presented += len(indices)
        self.counts.forward += len(indices)
        if self.packer is not None:  # an empty one is false
            with torch.no_grad():
                outputs = self.network(inputs)
            for full, wanted in self.packer(outputs, labels, indices, inputs):
                self.counts.forward += len(wanted)
                self.step(cross_entropy(self.network(full), wanted), BATCH, BATCH)
            return
        outputs = self.network(inputs)
        if not self.gate:
            losses = cross_entropy(outputs, labels, reduction="none")
            weights = self.method.weights(indices, outputs.detach(), labels, losses.detach())
            loss = losses.mean() if weights is None else (weights * losses).mean()
            self.step(loss, len(indices), len(indices))
            return
        learned = self.gate(outputs, labels, indices)
        if self.gate.any(learned):
            loss = cross_entropy(outputs[learned], labels[learned], reduction="sum")
            self.step(loss / len(indices), int(learned.sum()), len(indices))

    def step(self, loss: Tensor, learned: int, backward: int) -> None:
        """Descend the gradient of ``loss``: so many samples of so many are learned."""
        self.optimizer.zero_grad()
        loss.backward()
        with self.clock:
            self.meter.__enter__()
        self.optimizer.step()
        with self.clock:
            self.meter.__exit__()
        self.counts.updates += learned
        self.counts.backward += backward
        self.counts.steps += 1

    @torch.no_grad()
    def measured(self) -> dict:
        """Return the counts so far, and accuracy on the test set."""
        self.counts.seconds = self.clock.seconds
        self.counts.m0, self.counts.m1 = (float(m.sum()) for m in (self.meter.m0, self.meter.m1))
        right = 0
        for inputs, labels in zip(
            self.data.test_inputs.split(1000), self.data.test_labels.split(1000), strict=True
        ):
            right += int((self.network(inputs).argmax(dim=1) == labels).sum())
        accuracy = right / len(self.data.test_labels)
        return asdict(self.counts) | {"work": self.counts.work, "test_accuracy": accuracy}


def train(
    trial: Trial, tell: Callable[[float], None] = lambda samples: None
) -> tuple[list[dict], dict[str, float]]:
    """Train as ``trial`` says.

    Return the measurements, one row each, and what was counted in a training that is needed before,
    nothing if none is. ``tell`` is called with the work done since, in samples of full training.

    Raises DataError if the data set is missing or damaged.
    """
    task = TASKS[trial.task]
    data = task.data(trial.samples, trial.tests)
    samples = len(data.labels)
    weights, order, drawn = np.random.SeedSequence(trial.seed).generate_state(3).tolist()
    generator = torch.Generator().manual_seed(drawn)

    def run(method: Method, parts: int = 1) -> list[dict]:
        network = _network(task, weights)
        rate, work = task.learning_rate, (FORWARD + BACKWARD) * samples * trial.epochs
        optimizer = torch.optim.SGD(network.parameters(), rate, momentum=MOMENTUM)
        training = Training(network, optimizer, data, method, work, trial.measurements)
        orders = torch.Generator().manual_seed(order)
        return training.run(orders, lambda done: tell(done / (FORWARD + BACKWARD) / parts))

    before: dict[str, float] = {}
    if trial.method == "forgetting":
        counting = CountForgetting(samples)
        before = run(counting, parts=2)[-1]
        method = Only(counting.hardest(samples // 2, generator))
    elif trial.method == "random half":
        method = Only(torch.randperm(samples, generator=generator)[: samples // 2])
    else:
        method = {
            "full": Method,
            "lazy": lambda: Lazy(MemorizedMistakes()),
            "pure lazy": lambda: Lazy(Mistakes()),
            "lazy packed": lambda: Lazy(MemorizedMistakes(), packed=True),
            "selective backprop": lambda: SelectiveBackprop(generator),
            "infobatch": lambda: InfoBatch(samples, generator),
        }[trial.method]()
    return run(method, parts=2 if before else 1), before


def _network(task: Task, seed: int) -> nn.Module:
    """Return a network with fresh weights; nobody else's random numbers are drawn for it."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return task.network()
