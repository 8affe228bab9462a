"""The engine `numba-cuda`: networks in training side by side on a GPU. See `cuda_kernels`.

A `Group` has networks that are alike in shape and learn from the same samples; rules, rates, seeds
and the samples presented may differ. Each of its `networks` is an engine like the others.
"""

import threading
from collections.abc import Sequence

import numpy as np
from numba import config, cuda

from lazybook import networks
from lazybook.caching import SynapticCaching
from lazybook.datasets import Dataset, Split
from lazybook.energy import Meter
from lazybook.engines import cuda_kernels as kernels
from lazybook.engines.contract import Evaluation, Start
from lazybook.engines.numba_cpu import GATES, LOSSES, sparse
from lazybook.experiment import Experiment

# The simulator's threads are Python's: a few are enough to see that they agree.
THREADS = 3 if config.ENABLE_CUDASIM else 128
BLOCKS = 8 if config.ENABLE_CUDASIM else 1024  # that measure at a time

_one_at_a_time = threading.Lock()  # one launch


class Group:
    """Networks in training side by side, all on one GPU.

    Attributes
    ----------
    networks: one for each of the ``experiments``; see `lazybook.engines.contract.Engine`.
    """

    def __init__(
        self, experiments: Sequence[Experiment], dataset: Dataset, starts: Sequence[Start]
    ) -> None:
        self.number, self.outputs = len(experiments), starts[0].weights[-1].shape[1]
        self.on_device = _networks(experiments, starts)
        self.samples: dict[Split, kernels.Samples] = {}
        self.train = dataset.train
        self.totals = kernels.Totals(
            remembered=_zeros(self.number, len(dataset.train), dtype=np.uint8),
            diverged=_zeros(self.number, dtype=np.uint8),
            counters=_zeros(self.number, 2, dtype=np.int64),
            m0=_zeros(self.number, 2, THREADS, dtype=np.float64),
            m1=_zeros(self.number, 2, THREADS, dtype=np.float64),
            transient=_zeros(self.number, THREADS, dtype=np.float64),
        )
        self.chunks = -(-BLOCKS // self.number)
        _, rows, units = self.on_device.synapses.shape
        blocks, each_unit = self.number * self.chunks, (self.number, units)
        self.room = kernels.Room(
            activity=_zeros(blocks, units),
            partial=_zeros(blocks, self.outputs, THREADS),
            outputs=_zeros(blocks, self.outputs),
            error=_zeros(blocks, self.outputs),
            delta=_zeros(*each_unit),
            chosen=_zeros(*each_unit, dtype=np.uint8),
            least=_zeros(*each_unit),
            tied=_zeros(*each_unit, dtype=np.int64),
            ties=_zeros(*each_unit, dtype=np.int64),
            wanted=_zeros(*each_unit, dtype=np.int64),
            begin=_zeros(*each_unit, dtype=np.int64),
            before=_zeros(*each_unit, dtype=np.int64),
            inputs=_zeros(self.number, rows),
            sums=_zeros(self.number, 3, dtype=np.int32),
        )
        self.networks = [Network(self, n, start) for n, start in enumerate(starts)]
        self.learn([np.empty(0, np.int64)] * self.number)  # compiles, and adds up columns

    def learn(self, samples: Sequence[np.ndarray]) -> None:
        """Present to each network the training samples of its indices, one after another."""
        lengths = np.array([len(indices) for indices in samples], np.int64)
        order = np.zeros((self.number, max(1, lengths.max())), np.int64)
        for row, indices in zip(order, samples, strict=True):
            row[: len(indices)] = indices
        self.known: dict[object, np.ndarray] = {}  # what was copied from the GPU since
        with _one_at_a_time:
            kernels.learn[self.number, THREADS](
                cuda.to_device(order),
                cuda.to_device(lengths),
                self._samples(self.train),
                self.on_device,
                self.totals,
                self.room,
            )

    def evaluate(self, split: Split) -> np.ndarray:
        """Return accuracies and mean losses of all networks, ``(2, networks)``."""
        if split not in self.known:
            correct, loss = (_zeros(self.number, self.chunks, dtype=np.float64) for _ in range(2))
            with _one_at_a_time:
                kernels.evaluate[self.number * self.chunks, THREADS](
                    self.chunks, self._samples(split), self.on_device, self.room, correct, loss
                )
                sums = [array.copy_to_host().sum(axis=1) for array in (correct, loss)]
            self.known[split] = np.array(sums) / len(split)
        return self.known[split]

    def distances(self) -> np.ndarray:
        """Return how far the weights of each network have come, see `energy.m_min`."""
        if "distances" not in self.known:
            sizes = _zeros(self.number, THREADS, dtype=np.float64)
            with _one_at_a_time:
                kernels.add_distances[self.number, THREADS](self.on_device, sizes)
                self.known["distances"] = sizes.copy_to_host().sum(axis=1)
        return self.known["distances"]

    def pending(self) -> np.ndarray:
        """Return number and sizes of what is transient, ``(2, networks, layers)``."""
        if "pending" not in self.known:
            both = [_zeros(self.number, 2, THREADS, dtype=np.float64) for _ in range(2)]
            with _one_at_a_time:
                kernels.add_pending[self.number, THREADS](self.on_device, *both)
                self.known["pending"] = np.array([a.copy_to_host().sum(axis=2) for a in both])
        return self.known["pending"]

    def total(self, name: str) -> np.ndarray:
        """Return one of the `kernels.Totals` of all networks, as it was after learning."""
        if name not in self.known:
            with _one_at_a_time:
                self.known[name] = getattr(self.totals, name).copy_to_host()
        return self.known[name]

    def _samples(self, split: Split) -> kernels.Samples:
        if split not in self.samples:
            data = sparse(split, False)
            last = data.first + np.count_nonzero(split.values, axis=1)
            falling = np.abs(data.value - np.float32(split.offset))
            for first, end in zip(data.first, last, strict=True):
                falling[first:end] = -np.sort(-falling[first:end])
            arrays = (
                data.first, last, data.index, data.value, falling, data.labels, data.total,
                data.count, data.size,
            )  # fmt: skip
            on_device = (cuda.to_device(np.ascontiguousarray(array)) for array in arrays)
            self.samples[split] = kernels.Samples(*on_device, np.float32(-split.offset))
        return self.samples[split]


class Network:
    """One network of a `Group`; see `lazybook.engines.contract.Engine`."""

    def __init__(self, group: Group, number: int, start: Start) -> None:
        self.group, self.number = group, number
        self.shapes = [layer.shape for layer in start.weights]

    def learn(self, samples: np.ndarray) -> None:
        """Present the training samples of these indices to this network alone."""
        others = [np.empty(0, np.int64)] * self.group.number
        others[self.number] = samples
        self.group.learn(others)

    def distance(self) -> float:
        """Return the energy of the straight path from the initial weights to these."""
        return float(self.group.distances()[self.number])

    def evaluate(self, split: Split) -> Evaluation:
        """Return accuracy and mean loss on ``split``; all of the group are measured at once."""
        accuracy, loss = self.group.evaluate(split)[:, self.number]
        return Evaluation(accuracy=float(accuracy), loss=float(loss))

    @property
    def presented(self) -> int:
        """Number of samples presented, without the one at which the network diverged."""
        return int(self._total("counters")[0])

    @property
    def diverged(self) -> bool:
        """Whether the network has diverged."""
        return bool(self._total("diverged"))

    @property
    def meter(self) -> Meter:
        """What learning has cost so far."""
        meter = Meter.zero(len(self.shapes))
        meter.updates = int(self._total("counters")[1])
        meter.m0, meter.m1 = (self._total(name).sum(axis=1) for name in ("m0", "m1"))
        meter.transient = float(self._total("transient").sum())
        meter.pending_m0, meter.pending_m1 = self.group.pending()[:, self.number]
        return meter

    @property
    def weights(self) -> list[np.ndarray]:
        """Copies of the weight matrices, ``[from, to]`` with the bias row, a layer each."""
        there = self.group.on_device
        cache = int(there.cache_of[self.number])
        first, readout = (
            array[self.number].copy_to_host() for array in (there.synapses, there.readout)
        )
        if cache >= 0:
            first += there.transient[cache].copy_to_host()
            readout += there.readout_transient[cache].copy_to_host()
        return [
            layer[:rows, :columns].copy()
            for layer, (rows, columns) in zip((first, readout.T), self.shapes, strict=True)
        ]

    @property
    def memory(self) -> np.ndarray:
        """Which training samples are remembered, bool, shape ``(samples,)``."""
        return self._total("remembered").astype(bool)

    @property
    def synapse_updates(self) -> list[np.ndarray]:
        """Nothing: this engine does not record how often each synapse changed."""
        return []

    def _total(self, name: str) -> np.ndarray:
        return self.group.total(name)[self.number]


def _networks(experiments: Sequence[Experiment], starts: Sequence[Start]) -> kernels.Networks:
    """Return the networks on the GPU, as they are before learning."""
    number, [first, last] = len(starts), [layer.shape for layer in starts[0].weights]
    everyone = range(number)
    bias = experiments[0].bias != "none"
    inputs, units, outputs = first[0] + (not bias), first[1] + 1, last[1]
    synapses, readout = (np.zeros((number, rows, units), np.float32) for rows in (inputs, outputs))
    plastic = np.zeros((number, units), np.float32)
    readout_plastic = np.ones((number, units), np.float32)
    masked = [n for n, start in enumerate(starts) if start.plan.mask]
    plans = [start.plan for start in starts]
    tie_order = np.full((number, inputs), inputs - 1, np.int64)
    selected = np.full(number, -1, np.int64)
    cachings = [experiment.caching for experiment in experiments]
    cached = [n for n, caching in enumerate(cachings) if isinstance(caching, SynapticCaching)]
    caches = max(1, len(cached))  # an array of none is no array to a kernel
    mask_of = np.full(number, -1, np.int64)
    masks, readout_masks = (
        np.zeros((max(1, len(masked)), *layer.shape[1:]), np.uint8) for layer in (synapses, readout)
    )
    for n, start in enumerate(starts):
        plan = start.plan
        into, out = start.weights
        synapses[n, : len(into), : units - 1] = into
        readout[n, :, : len(out)] = out.T
        chosen = slice(units - 1) if plan.units is None else plan.units[0]
        plastic[n, chosen] = 1
        if plan.outputs_of_units:
            readout_plastic[n] = plastic[n]
        tie_order[n, : len(start.tie_order)] = start.tie_order
        if plan.largest:
            selected[n] = plan.number_of_largest(*into.shape)
    for m, n in enumerate(masked):
        into, out = (layer[0] for layer in starts[n].plan.masks)
        mask_of[n] = m
        masks[m, : len(into), : units - 1] = into
        readout_masks[m, :, : len(out)] = out.T

    def numbers(values: list[float], kind: type = np.float32) -> np.ndarray:
        return np.array(values, kind)

    arrays = kernels.Networks(
        loss=numbers([LOSSES[e.loss] for e in experiments], np.int64),
        gate=numbers([GATES[type(e.gate)] for e in experiments], np.int64),
        margin=numbers([getattr(e.gate, "margin", 0) for e in experiments]),
        rate=numbers([e.learning_rate for e in experiments]),
        leak=numbers([networks.leak(e.activation) for e in experiments]),
        bias=numbers([bias for _ in experiments]),
        synapses=synapses,
        initial=synapses,
        readout=readout,
        initial_readout=readout,
        background=np.zeros_like(plastic),
        column_sums=np.zeros_like(plastic),
        plastic=plastic,
        readout_plastic=readout_plastic,
        mask_of=mask_of,
        masks=masks,
        readout_masks=readout_masks,
        plastic_inputs=masks[:, :-1].sum(axis=1, dtype=np.float32),
        neurons=numbers([plan.unit_count if plan.neurons else -1 for plan in plans], np.int64),
        by_error=numbers([bool(p.neurons) and p.neurons.by == "error" for p in plans], np.int64),
        selected=selected,
        per_layer=numbers([bool(p.largest) and p.largest.per == "layer" for p in plans], np.int64),
        tie_order=tie_order,
        key=numbers([start.key for start in starts], np.uint64),
        cache_of=numbers([cached.index(n) if n in cached else -1 for n in everyone], np.int64),
        threshold=numbers([getattr(caching, "threshold", 0) for caching in cachings]),
        kept=numbers([caching.kept for caching in cachings], np.float64),
        transient_cost=numbers([caching.transient_cost for caching in cachings], np.float64),
        transient=np.zeros((caches, inputs, units), np.float32),
        readout_transient=np.zeros((caches, outputs, units), np.float32),
        transient_sums=np.zeros((caches, units), np.float32),
    )
    return kernels.Networks(*map(cuda.to_device, arrays))


def _zeros(*shape: int, dtype: type = np.float32) -> np.ndarray:
    return cuda.to_device(np.zeros(shape, dtype))
