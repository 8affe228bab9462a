"""What a gate, and full batches of what it lets through, save in an ordinary training in PyTorch.

A small convolutional network, written as anyone would, learns part of Fashion-MNIST in three ways.
The results are published in ``results/own_training.csv``, which the page "In your own training"
shows. They are measured anew by ``python -m lazybook.benchmarks.own_training``.
"""

import csv
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset

from lazybook import datasets
from lazybook.benchmarks.timing import one_core
from lazybook.datasets import Split
from lazybook.gates import MemorizedMistakes
from lazybook.pytorch import Gate, Indexed, Meter, Packer
from lazybook.support import paths

SAMPLES, EPOCHS, BATCH, SEEDS = 12_000, 3, 32, 3
OPTIMIZERS = {
    "SGD": lambda parameters: torch.optim.SGD(parameters, lr=0.05),
    "Adam": lambda parameters: torch.optim.Adam(parameters, lr=1e-3),
}
WAYS = ("every sample", "gate", "gate and full batches")


@dataclass
class Training:
    """A network on its way.

    Attributes
    ----------
    meter: of its weights.
    learned, steps: samples learned, and steps of the optimizer, so far.
    measuring: seconds that the meter has taken, which are no part of learning.
    """

    network: nn.Module
    optimizer: torch.optim.Optimizer
    meter: Meter
    learned: int = 0
    steps: int = 0
    measuring: float = 0.0

    def step(self, loss: Tensor, learned: int) -> None:
        """Descend the gradient of ``loss``, in which so many samples are learned."""
        self.optimizer.zero_grad()
        loss.backward()
        began = time.process_time()
        with self.meter:
            entered = time.process_time()
            self.optimizer.step()
            left = time.process_time()
        self.measuring += time.process_time() - began - (left - entered)
        self.learned, self.steps = self.learned + learned, self.steps + 1


def cnn(colours: int = 1, side: int = 28) -> nn.Sequential:
    """Return a small convolutional network for images ``(colours, side, side)``, ten classes."""
    return nn.Sequential(
        nn.Conv2d(colours, 16, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * (side // 4) ** 2, 10),
    )  # fmt: skip


def tensors(split: Split, samples: int) -> TensorDataset:
    """Return the first ``samples`` images of a split, ``(samples, 1, 28, 28)``, and labels."""
    images = torch.tensor(split.inputs(slice(0, samples))).reshape(-1, 1, 28, 28)
    return TensorDataset(images, torch.tensor(split.labels[:samples]))


def learn(training: Training, way: str, dataset: TensorDataset, epochs: int) -> None:
    """Train in one of `WAYS`."""
    network, samples = training.network, len(dataset)
    gate = Gate(MemorizedMistakes(), samples)
    packer = Packer(gate, BATCH)
    for inputs, labels, indices in _batches(Indexed(dataset), epochs):
        if way == "gate and full batches":
            with torch.no_grad():
                outputs = network(inputs)
            for images, wanted in packer(outputs, labels, indices, inputs):
                training.step(cross_entropy(network(images), wanted), BATCH)
            continue
        outputs = network(inputs)
        if way == "every sample":
            training.step(cross_entropy(outputs, labels), len(labels))
            continue
        learned = gate(outputs, labels, indices)
        if gate.any(learned):
            loss = cross_entropy(outputs[learned], labels[learned], reduction="sum") / len(labels)
            training.step(loss, int(learned.sum()))


def measure(
    optimizer: str, way: str, seed: int, dataset: TensorDataset, test: TensorDataset, epochs: int
) -> list[float]:
    """Return samples learned, steps, M0, M1, seconds of the processor, and test accuracy."""
    torch.manual_seed(seed)
    network = cnn()
    make = OPTIMIZERS[optimizer]
    training = Training(network, make(network.parameters()), Meter(network.parameters()))
    began = time.process_time()
    learn(training, way, dataset, epochs)
    seconds = time.process_time() - began - training.measuring
    inputs, labels = test.tensors
    with torch.no_grad():
        right = float((network(inputs).argmax(dim=1) == labels).float().mean())
    spent = float(training.meter.m0.sum()), float(training.meter.m1.sum())
    return [training.learned, training.steps, *spent, seconds, right]


def publish(path: Path, samples: int = SAMPLES, epochs: int = EPOCHS, seeds: int = SEEDS) -> None:
    """Measure each way with each optimizer, and write the table as the page shows it."""
    fashion = datasets.load("fashion-mnist")
    dataset, test = tensors(fashion.train, samples), tensors(fashion.test, 10_000)
    columns = ["Optimizer", "Learned is", "samples learned", "steps", "M0, millions", "M1",
               "seconds", "test accuracy, %"]  # fmt: skip
    with one_core(), path.open("w", encoding="utf8", newline="") as file:
        table = csv.writer(file)
        table.writerow(columns)
        for optimizer in OPTIMIZERS:
            runs = [  # in turns, so that whatever else the machine does hits all alike
                [measure(optimizer, way, seed, dataset, test, epochs) for way in WAYS]
                for seed in range(seeds)
            ]
            means, spreads = np.mean(runs, axis=0), np.std(runs, axis=0)
            for way, mean, spread in zip(WAYS, means, spreads, strict=True):
                learned, steps, m0, m1, seconds, right = mean
                table.writerow(
                    [optimizer, way, f"{learned:,.0f}", f"{steps:,.0f}", f"{m0 / 1e6:.1f}",
                     f"{m1:,.0f}", f"{seconds:.1f}", f"{100 * right:.1f} ± {100 * spread[-1]:.1f}"]
                )  # fmt: skip


def _batches(dataset: Indexed, epochs: int) -> Iterator[list[Tensor]]:
    for _ in range(epochs):
        yield from DataLoader(dataset, BATCH, shuffle=True)


if __name__ == "__main__":
    publish(paths.published() / "own_training.csv")
