"""What a data set is: samples to train and to test with, and what is known of them."""

import hashlib
from dataclasses import dataclass, replace
from typing import Self

import numpy as np


@dataclass(frozen=True, eq=False)
class Split:
    """The training or the test half of a data set.

    Attributes
    ----------
    values: what is stored, [n, inputs], uint8 or float32, not writable.
    labels: class of each sample, int64 [n], from 0.
    scale, offset: an input to the network is ``values * scale - offset``.
    """

    values: np.ndarray
    labels: np.ndarray
    scale: float
    offset: float = 0.0

    def __len__(self) -> int:
        return len(self.labels)

    def inputs(self, rows: slice | np.ndarray = slice(None)) -> np.ndarray:
        """Return the inputs to the network of the samples ``rows``, a new float32 [n, inputs]."""
        inputs = self.values[rows] * np.float32(self.scale)
        inputs -= np.float32(self.offset)
        return inputs

    def part(self, rows: np.ndarray) -> Self:
        """Return the samples ``rows`` (indices, or a bool for each sample) of this half."""
        return replace(self, values=self.values[rows], labels=self.labels[rows])


@dataclass(frozen=True)
class Facts:
    """What is known of a data set before its files are read or its images made.

    Attributes
    ----------
    name, checksum, classes: as of the `Dataset`.
    inputs: of a network that learns it.
    train, test: numbers of samples.
    """

    name: str
    checksum: str
    classes: int
    inputs: int
    train: int
    test: int


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test samples, with a checksum (SHA-256, hex) of what they are made of."""

    name: str
    train: Split
    test: Split
    classes: int
    checksum: str

    @property
    def facts(self) -> Facts:
        """What is known of it, as `lazybook.datasets.facts` returns it."""
        inputs = self.train.values.shape[1]
        sizes = len(self.train), len(self.test)
        return Facts(self.name, self.checksum, self.classes, inputs, *sizes)

    def zero_mean(self) -> Self:
        """Return the data less one number: the mean over all inputs of all training samples.

        The preparation of van Rossum & Pache 2024 (competitive plasticity).
        """
        train, test = self.train, self.test
        mean = float(train.values.mean(dtype=np.float64)) * train.scale
        return replace(self, train=replace(train, offset=mean), test=replace(test, offset=mean))


def shared_split(values: np.ndarray, labels: np.ndarray, scale: float) -> Split:
    """Return a split that can be shared: all runs of a process do, so nobody may write to it."""
    values.setflags(write=False)
    labels.setflags(write=False)
    return Split(values, labels, scale)


def contents_checksum(*splits: Split) -> str:
    """Return the checksum of the samples themselves, for data that no file holds."""
    checksum = hashlib.sha256()
    for split in splits:
        checksum.update(np.ascontiguousarray(split.values))
        checksum.update(np.ascontiguousarray(split.labels))
    return checksum.hexdigest()
