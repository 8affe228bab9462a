"""The fast engine: compiled loops that touch only what is not zero. See `kernels`."""

import functools
import math
import threading
import weakref
from collections.abc import Callable

import numpy as np

from lazybook import energy, networks
from lazybook.buffers import Everything, OnlyMistakes, RandomShare, Reservoir
from lazybook.caching import SynapticCaching
from lazybook.datasets import Dataset, Split
from lazybook.energy import Meter
from lazybook.engines.contract import Evaluation, Start
from lazybook.engines.kernels import layout
from lazybook.engines.kernels.evaluation import (
    TOGETHER,
    add_outputs,
    judge,
    pair_up,
    store_pairs,
)
from lazybook.engines.kernels.layers import store_nonzero
from lazybook.engines.kernels.training import LEARN
from lazybook.experiment import Experiment
from lazybook.gates import EverySample, Margin, MemorizedMistakes, Mistakes
from lazybook.restrictions import LargestUpdates, Plan, SynapseMask

# Bytes left free on both sides of each array. Before a loop over two arrays runs in vectors it is
# checked that they lie further apart than a few vectors. Short ones side by side would not, and
# the loop would run one by one and round differently: the result would depend on where they
# happen to lie.
APART = 2048

LINE = 4 * layout.LANES  # bytes of a cache line

PANEL = 512  # at most so many hidden units are evaluated together: they fit the second cache

PIECE = 2**14  # weights that are compared with the initial ones at a time

WIDE = 400  # units from which on it pays that rows wait with their changes

LOSSES = {
    "mse": layout.MSE,
    "half-mse": layout.HALF_MSE,
    "cross-entropy": layout.CROSS_ENTROPY,
    "perceptron": layout.PERCEPTRON,
    "logistic": layout.LOGISTIC,
}
GATES = {
    EverySample: layout.EVERY_SAMPLE,
    Mistakes: layout.MISTAKES,
    MemorizedMistakes: layout.MEMORIZED_MISTAKES,
    Margin: layout.MARGIN,
}
BUFFERS = {
    type(None): layout.NO_BUFFER,
    Everything: layout.EVERYTHING,
    OnlyMistakes: layout.ONLY_MISTAKES,
    RandomShare: layout.RANDOM_SHARE,
    Reservoir: layout.RESERVOIR,
}
SELECTIONS = {"activity": layout.BY_ACTIVITY, "error": layout.BY_ERROR}
DRAWS = {"once": layout.ONCE, "sample": layout.EACH_SAMPLE, "class": layout.EACH_CLASS}
VARIANTS = {
    "synapse": layout.EACH_SYNAPSE,
    "any": layout.ANY_SYNAPSE,
    "sum": layout.SUM,
    "unit": layout.EACH_UNIT,
}


class NumbaEngine:
    """A network in training; see `lazybook.engines.contract.Engine`."""

    def __init__(self, experiment: Experiment, dataset: Dataset, start: Start) -> None:
        self.experiment = experiment
        self.shapes = [layer.shape for layer in start.weights]
        bias = experiment.bias != "none"
        self.inputs = self.shapes[0][0] - bias
        self.hidden = self.shapes[0][1] if len(self.shapes) == 2 else 0
        self.outputs = self.shapes[-1][1]
        self.units = _round_up(self.shapes[0][1] + 1)
        self.order = _plastic_first(start, self.shapes[0][1])
        self.rules = _rules(experiment, start, self)
        ordered = start.plan.largest is not None
        self.data = sparse(dataset.train, bias, ordered)
        self.bias = bias
        self.network = self._network(experiment, dataset, start)
        self.initial, self.initial_readout = start.weights[0], self.network.readout.copy()
        self.masks = self._masks(start)
        self.totals = self._totals(experiment, start.memory)
        self.room = self._room()
        self.given_by_fixed: dict[Split, np.ndarray] = {}
        self.loop = loop(experiment)
        self.learn(np.empty(0, np.int64))  # compile now, or load what was compiled before

    def learn(self, samples: np.ndarray) -> None:
        """Present the training samples of these indices, one after another."""
        if not self.diverged:
            self.loop(
                samples, self.data, self.network, self.rules, self.masks, self.totals, self.room
            )

    def distance(self) -> float:
        """Return the energy of the straight path from the initial weights to these.

        Some rows at a time, so that a large network is not copied for it.
        """
        net, scale = self.network, np.float32(self.network.scale[0])
        cached, total, many = net.transient.size > 1, 0.0, max(PIECE // self.units, 1)
        with np.errstate(over="ignore", invalid="ignore"):  # what it is then is not finite
            for begin in range(0, len(self.initial), many):
                before = self.initial[begin : begin + many]
                rows = net.synapses[begin : begin + len(before)]
                if cached:
                    rows = rows + scale * net.transient[begin : begin + len(before)]
                total += energy.m_min([rows[:, : len(self.order)]], [before[:, self.order]])
            readout = net.readout + scale * net.readout_transient if cached else net.readout
            return total + energy.m_min([readout], [self.initial_readout])

    def evaluate(self, split: Split) -> Evaluation:
        """Return accuracy and mean loss on ``split``.

        Units that are never plastic, nor are their outputs, give each time what they gave first.
        """
        data, plastic = paired(split), max(self.rules.width, self.rules.readout_width)
        outputs = apart(2 * len(data.last), self.outputs)
        if plastic < self.units:
            if split not in self.given_by_fixed:
                self.given_by_fixed[split] = apart(*outputs.shape)
                self._add_outputs(data, plastic, self.units, self.given_by_fixed[split])
            outputs[:] = self.given_by_fixed[split]
        self._add_outputs(data, 0, plastic, outputs)
        loss = LOSSES[self.experiment.loss]
        correct, total = judge(outputs, data.labels, loss, apart(self.outputs))
        return Evaluation(accuracy=correct / len(split), loss=total / len(split))

    def _add_outputs(self, data: layout.Pairs, begin: int, end: int, outputs: np.ndarray) -> None:
        panels = -(-(end - begin) // PANEL)
        width = _round_up(-(-(end - begin) // panels))
        panel, readout = apart(self.inputs + 1 + layout.ROWS, width), apart(self.outputs, width)
        add_outputs(
            data, self.network, begin, end, outputs, panel, readout, apart(2, width), apart(width)
        )

    @property
    def presented(self) -> int:
        """Number of samples presented, without the one at which the network diverged."""
        return int(self.totals.counters[0])

    @property
    def diverged(self) -> bool:
        """Whether the network has diverged: see `lazybook.engines.contract.Engine`."""
        return bool(self.totals.diverged[0])

    @property
    def weights(self) -> list[np.ndarray]:
        """Copies of the weight matrices, ``[from, to]`` with the bias row, a layer each."""
        net, scale = self.network, np.float32(self.network.scale[0])
        layers = [net.synapses, net.readout.T]
        if net.transient.size > 1:
            layers = [net.synapses + scale * net.transient]
            layers.append((net.readout + scale * net.readout_transient).T)
        return self._in_order(layers)

    @property
    def memory(self) -> np.ndarray:
        """Which training samples are remembered, bool, shape ``(samples,)``."""
        return self.totals.remembered.copy()

    @property
    def buffer(self) -> np.ndarray:
        """The training samples that the buffer keeps, int64 ``(kept,)``."""
        return self.totals.buffer[: self.totals.counters[3]].copy()

    @property
    def synapse_updates(self) -> list[np.ndarray]:
        """How often each synapse changed, int64, shaped like the weights."""
        counts = [self.totals.synapse_updates, self.totals.readout_updates.T]
        return self._in_order(counts) if counts[0].size > 1 else []

    @property
    def meter(self) -> Meter:
        """What learning has cost so far."""
        layers, totals, net = len(self.shapes), self.totals, self.network
        pending = [net.scale[0] * parts for parts in (net.transient, net.readout_transient)]
        return Meter(
            updates=int(totals.counters[1]),
            m0=totals.m0[:layers].copy(),
            m1=totals.m1[:layers].copy(),
            m0_potentiation=totals.m0_potentiation[:layers].copy(),
            m1_potentiation=totals.m1_potentiation[:layers].copy(),
            m_alpha=totals.m_alpha[:, :layers].copy(),
            transient=float(totals.transient[0]),
            pending_m0=np.array([np.count_nonzero(parts) for parts in pending[:layers]], float),
            pending_m1=np.array([np.abs(parts).sum(dtype=float) for parts in pending[:layers]]),
        )

    def _in_order(self, layers: list[np.ndarray]) -> list[np.ndarray]:
        """Cut ``layers`` to size, and bring the hidden units back to where they were."""
        first, *more = (
            layer[:rows, :columns]
            for layer, (rows, columns) in zip(layers, self.shapes, strict=False)
        )
        back = np.argsort(self.order)
        if more:
            units = np.concatenate([back, np.arange(len(back), len(more[0]))])
            more = [more[0][units].copy()]
        return [first[:, back].copy(), *more]

    def _network(self, experiment: Experiment, dataset: Dataset, start: Start) -> layout.Network:
        rows, cached = self.inputs + 1 + layout.ROWS, self.rules.consolidation != layout.ALL
        synapses, readout = apart(rows, self.units), apart(self.outputs, self.units)
        first, *more = start.weights
        for row, weights in zip(synapses, first, strict=False):  # the layer may be large
            row[: len(weights)] = weights[self.order]
        if more:
            readout[:, : self.hidden] = more[0][self.order].T
            readout[:, self.hidden : len(more[0])] = more[0][self.hidden :].T
        return layout.Network(
            inputs=self.inputs,
            hidden=self.hidden,
            bias=np.float32(self.bias),
            offset=np.float32(-dataset.train.offset),
            leak=_leak(experiment.activation),
            synapses=synapses,
            readout=readout,
            transient=apart(*(synapses.shape if cached else (1, 1))),
            readout_transient=apart(*(readout.shape if cached else (1, 1))),
            scale=np.ones(1),
            background=apart(self.units),
            column_sums=apart(self.units),
            transient_column_sums=apart(self.units),
            highest=apart(self.units),
            lowest=apart(self.units),
            waiting=apart(rows),
            wait_for=apart(rows, dtype=np.int64),
            steps=apart(layout.SLOTS, self.units),
            step_samples=np.full(layout.SLOTS, -1),
        )

    def _masks(self, start: Start) -> layout.Masks:
        plan, rows = start.plan, self.inputs + 1 + layout.ROWS
        draws = len(plan.masks[0]) if plan.masks else 1
        mask_shape = (draws, rows, self.units) if plan.mask else (1, 1, 1)
        synapses = apart(*mask_shape, dtype=np.uint8)
        readout_shape = (draws, self.outputs, self.units) if plan.mask else (1, 1, 1)
        readout = apart(*readout_shape, dtype=np.uint8)
        if plan.masks:
            first, *more = plan.masks
            synapses[:, : first.shape[1], : first.shape[2]] = first[:, :, self.order]
            if more:
                units = np.concatenate([self.order, np.arange(self.hidden, more[0].shape[1])])
                readout[:, :, : len(units)] = more[0][:, units].transpose(0, 2, 1)
        plastic = apart(self.units)
        fixed = plan.units is not None and plan.unit_draw == "once"
        plastic[: plan.unit_count if fixed else self.shapes[0][1]] = 1
        names = np.arange(self.units)
        names[: len(self.order)] = self.order
        return layout.Masks(
            units=np.zeros((1, 1), np.int64) if plan.units is None else plan.units.copy(),
            names=names,
            places=np.argsort(names)[: self.shapes[-1][0]],
            plastic=plastic,
            synapses=synapses,
            readout=readout,
            plastic_inputs=synapses[0, : self.inputs].sum(axis=0, dtype=np.float32),
            tie_order=start.tie_order,
        )

    def _totals(self, experiment: Experiment, memory: np.ndarray) -> layout.Totals:
        counted = "synapse-updates" in experiment.record
        exponents = np.array(experiment.energy_exponents, float)
        rows = self.inputs + 1 + layout.ROWS
        room = len(memory) if experiment.buffer else 0
        if isinstance(experiment.buffer, Reservoir):
            room = min(room, experiment.buffer.size)
        return layout.Totals(
            remembered=memory.copy(),
            buffer=np.zeros(room, np.int64),
            diverged=np.zeros(1, bool),
            counters=np.zeros(4, np.int64),
            m0=np.zeros(2),
            m1=np.zeros(2),
            m0_potentiation=np.zeros(2),
            m1_potentiation=np.zeros(2),
            exponents=exponents,
            m_alpha=np.zeros((len(exponents), 2)),
            transient=np.zeros(3),
            synapse_updates=apart(*((rows, self.units) if counted else (1, 1)), dtype=np.int64),
            readout_updates=apart(
                *((self.outputs, self.units) if counted else (1, 1)), dtype=np.int64
            ),
        )

    def _room(self) -> layout.Room:
        units, rows = self.units, self.inputs + 1
        dense = self.rules.change == layout.DENSE and (
            self.rules.mask_draw != layout.NOT_DRAWN or self.rules.fraction > 0
        )
        per_unit = (
            "sums", "more_sums", "mask_sums", "activity", "plastic_activity", "hidden_error",
            "step", "size", "spare", "more_spare", "largest", "chosen_size",
        )  # fmt: skip
        free = apart(units, dtype=np.uint8)
        free[:] = 1
        return layout.Room(
            **{name: apart(units) for name in per_unit},
            free=free,
            largest_readout=apart(self.outputs),
            outputs=apart(self.outputs),
            more_outputs=apart(self.outputs),
            error=apart(self.outputs),
            readout_step=apart(self.outputs),
            x=apart(rows),
            x_size=apart(rows),
            level=apart(rows + 1),
            many=apart(rows + 1, dtype=np.int64),
            where=apart(rows + 1, dtype=np.int64),
            place=apart(rows + 1, dtype=np.int64),
            distinct=apart(2 * rows + 3),
            passed=apart(rows + 2, dtype=np.int64),
            chosen=apart(units, dtype=np.int32),
            reach=apart(units, dtype=np.uint32),
            low_reach=apart(units, dtype=np.uint32),
            new_reach=apart(units, dtype=np.uint32),
            reached=apart(rows + 2, dtype=np.int64),
            sizes=apart(rows + 2, dtype=np.float64),
            order=apart(units, dtype=np.int32),
            spare_order=apart(units, dtype=np.int32),
            rows=apart(4, dtype=np.int64),
            tied=apart(rows + 1, dtype=np.int32),
            counts=apart(256, dtype=np.int32),
            selection=apart(*((rows, units) if dense else (1, 1)), dtype=np.uint8),
            readout_selection=apart(
                *((self.outputs, units) if self.rules.to_outputs else (1, 1)), dtype=np.uint8
            ),
            guess=np.full(1, 1e-6, np.float32),
            one=np.zeros(1, np.float32),
        )


def loop(experiment: Experiment) -> Callable:
    """Return the compiled loop that an experiment learns with."""
    return LEARN[_kind_of_change(experiment)]


def _kind_of_change(experiment: Experiment) -> int:
    """Return how the first layer is changed, one of OUTER_PRODUCT … DENSE."""
    parts = experiment.restriction.parts
    mask = next((part for part in parts if isinstance(part, SynapseMask)), None)
    largest = next((part for part in parts if isinstance(part, LargestUpdates)), None)
    cached, redrawn = isinstance(experiment.caching, SynapticCaching), mask and mask.draw != "once"
    if cached and _only_consolidation_counts(experiment) and not (mask or largest):
        return layout.CACHED
    if cached or _extras(experiment) or redrawn or (mask and largest):
        return layout.DENSE
    if largest:
        per_layer = largest.per == "layer"
        return layout.LARGEST_PER_LAYER if per_layer else layout.LARGEST_PER_NEURON
    return layout.MASKED if mask else layout.OUTER_PRODUCT


def _only_consolidation_counts(experiment: Experiment) -> bool:
    """Whether all there is to know of transient parts is which synapse reaches the threshold."""
    caching = experiment.caching
    alone = caching.variant == "synapse" and caching.transient_cost == 0
    return alone and not _extras(experiment)


def _extras(experiment: Experiment) -> bool:
    """Whether exponents, potentiation or counts of updates are to be measured."""
    counted = {"potentiation", "synapse-updates"} & {*experiment.record}
    return bool(experiment.energy_exponents or counted)


def _rules(experiment: Experiment, start: Start, engine: NumbaEngine) -> layout.Rules:
    plan, caching = start.plan, experiment.caching
    cached = isinstance(caching, SynapticCaching)
    mask_draw = DRAWS[plan.mask.draw] if plan.mask else layout.NOT_DRAWN
    per_neuron = bool(plan.largest and plan.largest.per == "neuron")
    fixed = plan.units is not None and plan.unit_draw == "once"
    change = _kind_of_change(experiment)
    width = _round_up(plan.unit_count) if fixed else engine.units
    return layout.Rules(
        loss=LOSSES[experiment.loss],
        rate=np.float32(experiment.learning_rate),
        gate=GATES[type(experiment.gate)],
        margin=np.float32(getattr(experiment.gate, "margin", 0)),
        change=change,
        waits=change == layout.OUTER_PRODUCT
        and width == engine.units >= WIDE
        and isinstance(experiment.gate, EverySample),
        width=width,
        readout_width=width if plan.outputs_of_units else engine.units,
        unit_draw=_unit_draw(plan),
        unit_count=plan.unit_count,
        outputs_of_units=plan.outputs_of_units,
        mask_draw=mask_draw,
        p_in=plan.mask.p_in if plan.mask else 1.0,
        p_out=plan.mask.p_out if plan.mask else 1.0,
        fraction=float(plan.largest.fraction) if plan.largest else 0.0,
        per_neuron=per_neuron,
        selected=plan.number_of_largest(*engine.shapes[0]),
        to_outputs=float(plan.to_outputs.fraction) if plan.to_outputs else 0.0,
        consolidation=VARIANTS[caching.variant] if cached else layout.ALL,
        threshold=_threshold(caching) if cached else np.float32(0),
        kept=float(caching.kept),
        transient_cost=float(caching.transient_cost),
        extras=_extras(experiment),
        buffer=BUFFERS[type(experiment.buffer)],
        share=getattr(experiment.buffer, "share", 1.0),
        presentations=experiment.epochs if experiment.buffer else 1,
        key=start.key,
    )


def _threshold(caching: SynapticCaching) -> np.float32:
    """Return the least size that is consolidated; it is not 0, where there is nothing to be."""
    threshold = np.float32(caching.threshold)
    exceeds = caching.strict or threshold == 0
    return np.nextafter(threshold, np.float32(np.inf)) if exceeds else threshold


def _leak(activation: str) -> np.float32:
    """Return the slope of a rectifier below 0, or what stands for logistic units."""
    if activation == "logistic":
        return layout.LOGISTIC_UNITS
    return np.float32(networks.leak(activation))


def _unit_draw(plan: Plan) -> int:
    """Return when the plastic units are drawn, or by what they are selected."""
    if plan.neurons:
        return SELECTIONS[plan.neurons.by]
    return layout.NOT_DRAWN if plan.units is None else DRAWS[plan.unit_draw]


def _plastic_first(start: Start, units: int) -> np.ndarray:
    """Return the order of the units in memory: those that stay plastic come first."""
    if start.plan.units is None or start.plan.unit_draw != "once":
        return np.arange(units)
    plastic = start.plan.units[0]
    return np.concatenate([plastic, np.setdiff1d(np.arange(units), plastic)])


def _round_up(columns: int) -> int:
    return -(-columns // layout.LANES) * layout.LANES


def _once(make: Callable) -> Callable:
    """Let ``make`` be called once for the same split and options, whichever thread is first.

    What was made is forgotten with the split.
    """
    made, lock = weakref.WeakKeyDictionary(), threading.Lock()

    @functools.wraps(make)
    def get(split: Split, *options: bool):
        with lock:
            known = made.setdefault(split, {})
            if options not in known:
                known[options] = make(split, *options)
            return known[options]

    return get


@_once
def sparse(split: Split, bias: bool, ordered: bool = False) -> layout.Data:
    """Return the pixels of ``split`` that are not zero, for all runs in this process.

    With ``ordered`` each sample's inputs stand in falling order of their sizes.
    """
    samples, inputs = split.values.shape
    blocks = [slice(begin, begin + 1000) for begin in range(0, samples, 1000)]
    stored = np.concatenate([np.count_nonzero(split.values[rows], axis=1) for rows in blocks])
    last = np.cumsum(_padded(stored, layout.ROWS))
    first = np.concatenate([[0], last[:-1]])
    index, value = np.empty(last[-1], _index_type(inputs)), np.empty(last[-1], np.float32)
    store_nonzero(split.values, np.float32(split.scale), first, last, index, value)
    if ordered:
        for begin, count in zip(first, stored, strict=True):
            here = slice(begin, begin + count)
            falling = np.argsort(-np.abs(value[here] - np.float32(split.offset)), kind="stable")
            index[here], value[here] = index[here][falling], value[here][falling]
    count, size = np.empty(samples, np.int64), np.empty(samples)
    for rows in blocks:
        x = split.inputs(rows)
        count[rows] = np.count_nonzero(x, axis=1) + bias
        size[rows] = np.abs(x).sum(axis=1) + bias
    total = np.add.reduceat(value, first).astype(np.float32)
    total[stored == 0] = 0
    return layout.Data(first, last, index, value, split.labels, total, count, size)


@_once
def paired(split: Split) -> layout.Pairs:
    """Return the samples of ``split`` in pairs that are alike, for all runs in this process."""
    samples, inputs = split.values.shape
    order = np.lexsort((np.count_nonzero(split.values, axis=1), split.labels))
    pairs = np.empty(samples + samples % 2, np.int64)
    pair_up(split.values, split.labels, order, np.zeros(samples, bool), pairs)
    either = (split.values[pairs[::2]] != 0) | (split.values[pairs[1::2]] != 0)
    last = np.cumsum(_padded(np.count_nonzero(either, axis=1), TOGETHER))
    index, value = np.empty(last[-1], _index_type(inputs)), np.empty((last[-1], 2), np.float32)
    store_pairs(split.values, np.float32(split.scale), pairs, last, index, value)
    return layout.Pairs(last, index, value, split.labels[pairs[:samples]])


def _index_type(inputs: int) -> type:
    return np.uint16 if inputs < 2**16 - 2 * layout.ROWS else np.uint32


def _padded(counts: np.ndarray, rows: int) -> np.ndarray:
    return -(-counts // rows) * rows


def apart(*shape: int, dtype: type = np.float32) -> np.ndarray:
    """Return zeros of this shape that start on a cache line, `APART` from any other array.

    So no vector spans two lines, and loops run the same whatever was allocated before.
    """
    bytes_ = math.prod(shape) * np.dtype(dtype).itemsize
    room = np.zeros(bytes_ + LINE + 2 * APART, np.uint8)
    start = APART + -(room.ctypes.data + APART) % LINE
    return room[start : start + bytes_].view(dtype).reshape(shape)
