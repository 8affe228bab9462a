"""What is to be learned: data, a small network, and the size of a step."""

from collections.abc import Callable
from dataclasses import dataclass
from math import isqrt

import numpy as np
import torch
from torch import Tensor, nn

from lazybook import datasets
from lazybook.datasets import Split

BATCH = 32  # samples a step
LOOK = 256  # samples a forward pass without gradients, which is cheaper for many at a time
MOMENTUM = 0.9


@dataclass(frozen=True)
class Task:
    """A data set and the network that learns it.

    Attributes
    ----------
    dataset: its name.
    network: makes one with fresh weights.
    channels: of the images; 0 where the network takes all pixels as one vector.
    learning_rate: of stochastic gradient descent in batches of `BATCH`, with `MOMENTUM`.
    """

    dataset: str
    network: Callable[[], nn.Module]
    channels: int
    learning_rate: float

    def data(self, samples: int, tests: int) -> "Data":
        """Return so many training and test samples, less the mean over all training inputs.

        They are drawn at random, the same for all; of those that there are, if there are fewer.
        """
        whole = datasets.load(self.dataset).zero_mean()
        return Data(*self._half(whole.train, samples), *self._half(whole.test, tests))

    def _half(self, split: Split, number: int) -> tuple[Tensor, Tensor]:
        rows = np.random.default_rng(0).permutation(len(split))[:number]
        inputs = torch.tensor(split.inputs(rows))
        if self.channels:
            side = isqrt(inputs.shape[1] // self.channels)
            inputs = inputs.reshape(-1, self.channels, side, side)
        return inputs, torch.tensor(split.labels[rows])


@dataclass(frozen=True)
class Data:
    """Inputs, float32 ``(n, …)``, and labels, int64 ``(n,)``, to train and to test with."""

    inputs: Tensor
    labels: Tensor
    test_inputs: Tensor
    test_labels: Tensor


def mlp() -> nn.Sequential:
    """Return a network with one hidden layer for images of 28 × 28 pixels."""
    return nn.Sequential(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 10))


def cnn(channels: int, side: int) -> nn.Sequential:
    """Return a small convolutional network for square images."""
    return nn.Sequential(
        nn.Conv2d(channels, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * (side // 4) ** 2, 10),
    )  # fmt: skip


TASKS = {
    task.dataset: task
    for task in (
        Task("mnist", mlp, 0, 0.01),
        Task("fashion-mnist", lambda: cnn(1, 28), 1, 0.01),
        Task("cifar-10-jpeg", lambda: cnn(3, 32), 3, 0.01),
    )
}
