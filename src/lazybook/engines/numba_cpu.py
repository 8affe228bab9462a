"""The fast engine: compiled loops that touch only what is not zero."""

import threading
from dataclasses import dataclass
from typing import Self

import numpy as np

from lazybook import networks
from lazybook.datasets import Dataset, Split
from lazybook.energy import Meter
from lazybook.engines import kernels
from lazybook.engines.contract import Evaluation
from lazybook.experiment import Experiment

CHUNK = 1000  # samples made dense at a time

LOSSES = {
    "mse": kernels.MSE,
    "half-mse": kernels.HALF_MSE,
    "cross-entropy": kernels.CROSS_ENTROPY,
    "perceptron": kernels.PERCEPTRON,
}
GATES = {
    "every-sample": kernels.EVERY_SAMPLE,
    "mistakes": kernels.MISTAKES,
    "memorized-mistakes": kernels.MEMORIZED_MISTAKES,
}


class NumbaEngine:
    """A network in training; see `lazybook.engines.contract.Engine`."""

    def __init__(self, experiment: Experiment, dataset: Dataset, weights: list[np.ndarray]) -> None:
        self.experiment = experiment
        self.bias = experiment.bias != "none"
        self.train = sparse(dataset.train, self.bias)
        self.shapes = [layer.shape for layer in weights]
        inputs, first = self.shapes[0]
        outputs = self.shapes[-1][1]
        self.hidden = first if len(weights) == 2 else 0
        units = -(-(first + 1) // kernels.LANES) * kernels.LANES

        self.synapses = aligned(inputs + kernels.ROWS, units)
        self.synapses[:inputs, :first] = weights[0]
        self.readout = aligned(outputs, units)
        if self.hidden:
            self.readout[:, : len(weights[1])] = weights[1].T
        self.memory = np.zeros(len(dataset.train), dtype=bool)
        self.updates, self.m0, self.m1 = np.zeros(1, np.int64), np.zeros(2), np.zeros(2)
        self.sums, self.activity, self.hidden_error = aligned(3, units)
        self.outputs, self.error = np.zeros((2, outputs), np.float32)
        self.leak = np.float32(networks.leak(experiment.activation))
        self.loss = LOSSES[experiment.loss]
        self.learn(np.empty(0, np.int64))  # compile now, or load what was compiled before

    def learn(self, samples: np.ndarray) -> None:
        """Present the training samples of these indices, one after another."""
        data = self.train
        kernels.learn(
            samples, data.first, data.last, data.index, data.value, data.labels,
            data.count, data.sum,
            self.synapses, self.readout, self.hidden, np.float32(self.bias), self.leak, self.loss,
            np.float32(self.experiment.learning_rate), GATES[self.experiment.gate.word],
            self.memory, self.updates, self.m0, self.m1,
            self.sums, self.activity, self.outputs, self.error, self.hidden_error,
        )  # fmt: skip

    def evaluate(self, split: Split) -> Evaluation:
        """Return accuracy and mean loss on ``split``."""
        data = sparse(split, self.bias)
        correct, loss = kernels.evaluate(
            data.first, data.last, data.index, data.value, data.labels,
            self.synapses, self.readout, self.hidden, np.float32(self.bias), self.leak, self.loss,
            self.sums, self.activity, self.outputs, self.error,
        )  # fmt: skip
        return Evaluation(accuracy=correct / len(split), loss=loss / len(split))

    @property
    def meter(self) -> Meter:
        """What learning has cost so far."""
        layers = len(self.shapes)
        return Meter(int(self.updates[0]), self.m0[:layers].copy(), self.m1[:layers].copy())

    @property
    def weights(self) -> list[np.ndarray]:
        """Copies of the weight matrices, ``[from, to]`` with the bias row, a layer each."""
        stored = [self.synapses, self.readout.T]
        return [
            layer[:rows, :columns].copy()
            for layer, (rows, columns) in zip(stored, self.shapes, strict=False)
        ]


@dataclass(frozen=True)
class SparseSplit:
    """The non-zero inputs of a split, as the kernels want them (see `kernels`)."""

    first: np.ndarray
    last: np.ndarray
    index: np.ndarray
    value: np.ndarray
    labels: np.ndarray
    count: np.ndarray
    sum: np.ndarray

    @classmethod
    def of(cls, split: Split, bias: bool) -> Self:
        """Return the non-zero inputs of each sample, and after them the bias."""
        inputs = split.values.shape[1]
        chunks = [slice(start, start + CHUNK) for start in range(0, len(split), CHUNK)]
        count = np.concatenate([np.count_nonzero(split.inputs(rows), axis=1) for rows in chunks])
        count += bias
        last = np.cumsum(-(-count // kernels.ROWS) * kernels.ROWS)
        first = np.concatenate([[0], last[:-1]])
        index = np.empty(last[-1], np.uint16 if inputs < 2**16 - kernels.ROWS else np.uint32)
        value = np.zeros(last[-1], np.float32)
        total = np.empty(len(split), np.float32)
        for rows in chunks:
            kernels.store_nonzero(
                split.inputs(rows), bias, first[rows], last[rows], index, value, total[rows]
            )
        return cls(first, last, index, value, split.labels, count, total)


_sparse_splits: dict[tuple[Split, bool], SparseSplit] = {}
_lock = threading.Lock()


def sparse(split: Split, bias: bool) -> SparseSplit:
    """Return the non-zero inputs of ``split``, made once for all runs in this process."""
    with _lock:
        if (split, bias) not in _sparse_splits:
            _sparse_splits[split, bias] = SparseSplit.of(split, bias)
        return _sparse_splits[split, bias]


def aligned(rows: int, columns: int) -> np.ndarray:
    """Return float32 zeros that start on a cache line, so that no vector spans two."""
    room = np.zeros(rows * columns + kernels.LANES, np.float32)
    start = -room.ctypes.data // 4 % kernels.LANES
    return room[start : start + rows * columns].reshape(rows, columns)
