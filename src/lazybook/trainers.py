"""Train one network as an experiment says, and measure it on the way."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd

from lazybook import datasets, engines, networks, restrictions
from lazybook.caching import SynapticCaching
from lazybook.datasets import Dataset, Facts, Split
from lazybook.energy import Meter, effective_number
from lazybook.engines.contract import Engine, Start, network_shape
from lazybook.errors import InvalidValue
from lazybook.experiment import IN_PYTORCH, Experiment
from lazybook.gates import OwnRule
from lazybook.runs import Run, provenance
from lazybook.support import machine
from lazybook.support.randomness import Streams

LONGEST_VECTOR = 100  # weights; the paths of larger networks would fill the memory
ROW = 3000  # bytes that a measurement takes in memory until the run ends
# No core learns faster: synapses times samples in a year, and the synapses whose time each sample
# takes beside that of the network's own.
YEAR, STEP = 3 * 10**17, 10_000
# Networks that are trained together at most, and their weights, of which a GPU has two copies.
GROUP, GROUP_WEIGHTS = 1024, 10**9


def check(experiment: Experiment, facts: Facts) -> None:
    """Raise InvalidValue if the experiment cannot be done here with the data of these facts.

    Before any data are read: whether the engine is installed, whether rules and network fit the
    data, whether there is memory for it, and whether it would end within a year.
    """
    engines.check_engine(experiment.engine)
    if experiment.engine != "numba-cuda":
        engines.check_device(experiment.device)
    if isinstance(experiment.gate, OwnRule) and experiment.gate.function is None:
        raise InvalidValue(
            f"gate is {experiment.gate}, a rule that is only named here; give the function itself"
        )
    shape = network_shape(experiment, facts)
    restrictions.check(experiment.restriction, shape)
    networks.check_size(experiment.initial, shape)
    if facts.classes == 2 and experiment.loss == "cross-entropy":
        raise InvalidValue(
            f"loss 'cross-entropy' needs more than two classes; {facts.name} has two"
        )
    side = math.isqrt(shape.inputs)
    if experiment.shifts and (side**2 != shape.inputs or experiment.shifts >= side):
        raise InvalidValue(
            f"shifts is {experiment.shifts}, which needs square images larger than that;"
            f" {facts.name} has {shape.inputs} inputs"
        )
    if experiment.batch > facts.train:
        raise InvalidValue(
            f"batch is {experiment.batch:,}; {facts.name} has {facts.train:,} training samples"
        )
    _check_other_data(experiment, facts)
    weights = sum(rows * columns for rows, columns in shape.layers)
    if "path" in experiment.record and weights > LONGEST_VECTOR:
        raise InvalidValue(
            f"record 'path' is for networks of up to {LONGEST_VECTOR} weights;"
            f" this one has {weights}"
        )
    each = 8  # bytes a weight: float32, as drawn and as learned
    each += 4 * isinstance(experiment.caching, SynapticCaching)
    each += 16 * ("synapse-updates" in experiment.record)  # int64, now and when last measured
    each += 16 * (experiment.engine in IN_PYTORCH)  # gradients, and what is made of them
    check_memory(f"hidden is {experiment.hidden}: {weights:,} weights take", weights * each)
    presented, most = experiment.epochs * facts.train, YEAR // (STEP + weights)
    if presented > most:
        raise InvalidValue(
            f"epochs is {experiment.epochs:,}: {presented:,} samples to present take more than a"
            f" year; at most {most // facts.train:,} epochs ({most:,} samples) take less"
        )
    table = ROW * experiment.epochs * math.ceil(facts.train / experiment.measure_every)
    if "path" in experiment.record:
        table += presented * (weights * 4 + 100)
    check_memory(
        f"epochs is {experiment.epochs:,} and measure_every {experiment.measure_every:,}: what is"
        " measured takes",
        table,
    )


def _check_other_data(experiment: Experiment, facts: Facts) -> None:
    """Raise InvalidValue if the data sets of an experiment, and of one before it, do not fit."""
    others = [("also_test", name) for name in experiment.also_test]
    if experiment.after:
        others.append(("after", experiment.after.dataset))
    for field, name in others:
        other = datasets.facts(name)
        if (other.inputs, other.classes) != (facts.inputs, facts.classes):
            raise InvalidValue(
                f"{field} has {name}, with {other.inputs} inputs and {other.classes} classes;"
                f" {facts.name} has {facts.inputs} and {facts.classes}, and they must be the same"
            )


def check_memory(what: str, size: int) -> None:
    """Raise InvalidValue if ``what`` takes more bytes than there are."""
    there = machine.memory()
    if size > there:
        raise InvalidValue(
            f"{what} {size / 1e9:,.1f} GB of memory; this machine has {there / 1e9:,.1f} GB"
        )


def train(
    experiment: Experiment,
    progress: Callable[[int], None] = lambda samples: None,
    before: Run | None = None,
) -> Run:
    """Train as ``experiment`` says and return the measurements.

    The network is measured before learning, after every ``measure_every`` presentations and at
    the end of each epoch: always on the test set and, if the experiment says so, on the training
    set before learning and at the end of each epoch. The column ``seconds`` counts training only:
    the processor's time, so that it is not longer on a busy machine, or on a GPU the clock's.

    A network that diverges (see `lazybook.engines.contract.Engine`), or whose weights are found
    not to be finite when it is measured, is measured a last time where it did, and learns no more.

    ``progress`` is called with the number of samples presented since it was called last.

    ``before`` is the run of the experiment that this one comes after, which else is computed first.

    Raises
    ------
    InvalidValue: ``before`` is another run, or the experiment cannot be done with its data set,
        engine or device.
    DataError: the data set is missing or damaged.
    """
    clock = _clock(experiment)
    began = clock()
    check(experiment, datasets.facts(experiment.dataset))
    if before is None and experiment.after:
        before = train(experiment.after)
    if before is not None and before.experiment != experiment.after:
        raise InvalidValue("before is not the run of the experiment that this one comes after")
    dataset, others = _prepared(experiment)
    streams = Streams(experiment.seed, experiment.place)
    start = Start.draw(experiment, dataset, streams, before)
    engine = engines.build(experiment, dataset, start)
    training = _Training(experiment, dataset, others, engine, streams)
    while training.goes_on():
        started = clock()
        training.recorder.learn(training.samples)
        training.measure(clock() - started, progress)
    return training.run(clock() - began)


def train_together(
    experiments: Sequence[Experiment], progress: Callable[[int], None] = lambda samples: None
) -> list[Run]:
    """Train the networks of one of `groups` side by side; as `train`, and it raises the same.

    What `train` does for one is done for all; the time of each is its share of the time of all.
    """
    clock = _clock(experiments[0])
    began = clock()
    for experiment in experiments:
        check(experiment, datasets.facts(experiment.dataset))
    dataset, others = _prepared(experiments[0])
    streams = [Streams(experiment.seed) for experiment in experiments]
    both = list(zip(experiments, streams, strict=True))
    starts = [Start.draw(experiment, dataset, stream) for experiment, stream in both]
    group = engines.build_group(experiments, dataset, starts)
    trainings = [
        _Training(experiment, dataset, others, engine, stream)
        for (experiment, stream), engine in zip(both, group.networks, strict=True)
    ]
    while going := [training for training in trainings if training.goes_on()]:
        started = clock()
        group.learn([training.samples for training in trainings])
        seconds = (clock() - started) / len(going)
        for training in going:
            training.measure(seconds, progress)
    seconds = (clock() - began) / len(experiments)
    return [training.run(seconds) for training in trainings]


def train_group(
    experiments: Sequence[Experiment], progress: Callable[[int], None], before: Run | None = None
) -> list[Run]:
    """Train one of `groups`: several together, or a single one, perhaps after the run ``before``.

    ``progress`` is called, and errors are raised, as by `train`.
    """
    if len(experiments) > 1:
        return train_together(experiments, progress)
    return [train(experiments[0], progress, before)]


def groups(experiments: Iterable[Experiment], facts: Mapping[str, Facts]) -> list[list[Experiment]]:
    """Return ``experiments`` in groups: those of each are trained together, or are one.

    Together are those of the engine `numba-cuda` that learn the same data in networks of the same
    shape and are measured alike. ``facts`` are those of their data sets, by name.
    """
    found: dict[object, list[list[Experiment]]] = {}
    for experiment in experiments:
        if experiment.engine != "numba-cuda":
            found[experiment] = [[experiment]]
            continue
        shape = network_shape(experiment, facts[experiment.dataset])
        names = ("dataset", "zero_mean", "measure_every", "measure_training")
        alike = found.setdefault((shape, *(getattr(experiment, name) for name in names)), [[]])
        weights = sum(rows * columns for rows, columns in shape.layers)
        if len(alike[-1]) == max(1, min(GROUP, GROUP_WEIGHTS // weights)):
            alike.append([])
        alike[-1].append(experiment)
    return [group for alike in found.values() for group in alike]


def _clock(experiment: Experiment) -> Callable[[], float]:
    return time.perf_counter if experiment.device == "cuda" else time.thread_time


def _prepared(experiment: Experiment) -> tuple[Dataset, dict[str, Split]]:
    """Return the data as ``experiment`` learns them, and further test samples by name."""
    dataset = datasets.load(experiment.dataset)
    others = {name: datasets.load(name).test for name in experiment.also_test}
    if experiment.zero_mean:
        dataset = dataset.zero_mean()
        others = {name: replace(test, offset=dataset.test.offset) for name, test in others.items()}
    return dataset, others


class _Training:
    """A run in the making: what is to be learned next, and what was measured.

    Attributes
    ----------
    samples: the training samples that are to be presented now, indices; none once it has ended.
    """

    def __init__(
        self,
        experiment: Experiment,
        dataset: Dataset,
        others: Mapping[str, Split],
        engine: Engine,
        streams: Streams,
    ) -> None:
        self.experiment, self.dataset, self.engine = experiment, dataset, engine
        self.others = others
        self.recorder = Recorder(experiment, engine, len(dataset.train))
        self.parts = presentations(experiment, len(dataset.train), streams)
        self.presented, self.seconds, self.diverged = engine.presented, 0.0, False
        self.rows = [self._row(0.0)]
        self.samples = np.empty(0, np.int64)

    def goes_on(self) -> bool:
        """Whether there is something to learn, which then is in ``samples``."""
        until = self.experiment.until
        ended = self.diverged or (until is not None and self.rows[-1]["test_accuracy"] >= until)
        part = None if ended else next(self.parts, None)
        self.samples, self.epoch = part or (np.empty(0, np.int64), np.nan)
        return part is not None

    def measure(self, seconds: float, progress: Callable[[int], None]) -> None:
        """Measure what has been learned, in so many ``seconds``."""
        engine, new = self.engine, self.engine.presented - self.presented
        self.seconds += seconds
        self.presented = engine.presented
        progress(new)
        if engine.diverged:
            self.epoch = engine.presented / len(self.dataset.train)
        if new:
            self.rows.append(self._row(self.epoch))
        self.diverged = engine.diverged or not math.isfinite(self.rows[-1]["energy_min"])

    def run(self, seconds: float) -> Run:
        """Return the run, which took so many ``seconds`` in all."""
        experiment, engine = self.experiment, self.engine
        table = pd.DataFrame(self.rows)
        arrays = self.recorder.arrays | {"memory": engine.memory}
        if experiment.buffer:
            arrays["buffer"] = engine.buffer
        layers = _layers(engine.meter)
        if "synapse-updates" in experiment.record:
            counts = zip(layers, engine.synapse_updates, strict=True)
            arrays |= {f"synapse_updates_{layer}": updates for layer, updates in counts}
        if "weights" in experiment.record:
            weights = zip(layers, engine.weights, strict=True)
            arrays |= {f"weights_{layer}": matrix for layer, matrix in weights}
        return Run(experiment, table, arrays, provenance(self.dataset, seconds), self.diverged)

    def _row(self, epoch: float) -> dict[str, float]:
        measured = {"samples": self.engine.presented}
        measured |= measure(self.engine, self.dataset, self.experiment, epoch, self.seconds)
        return measured | measure_others(self.engine, self.others) | self.recorder.measure()


def presentations(
    experiment: Experiment, samples: int, streams: Streams
) -> Iterator[tuple[np.ndarray, float]]:
    """Yield the indices to present between two measurements, and the epochs passed after them.

    Measurements fall on multiples of ``measure_every`` presentations, or on the end of the batch
    that such a one is in, and on the ends of epochs, where the number of epochs passed is whole
    and the last batch may be smaller. ``samples`` is the size of the training set. Of a stream,
    where there is a buffer, the indices are those that arrive, one epoch in all; presentations of
    kept samples are counted for each of them.
    """
    if experiment.buffer:
        order, each = streams.next_epoch(samples, experiment.order), experiment.epochs
        places = range(0, samples, max(experiment.measure_every // each, 1))
        for begin, end in pairwise((*places, samples)):
            yield order[begin:end], each * end / samples
        return
    batch = experiment.batch
    for epoch in range(experiment.epochs):
        order = streams.next_epoch(samples, experiment.order)
        inside = range(
            -epoch * samples % experiment.measure_every, samples, experiment.measure_every
        )
        ends = (min(-(-place // batch) * batch, samples) for place in inside)
        for begin, end in pairwise(sorted({0, *ends, samples})):
            yield order[begin:end], epoch + end / samples


def measure(
    engine: Engine,
    dataset: Dataset,
    experiment: Experiment,
    epoch: float,
    seconds: float,
) -> dict[str, float]:
    """Return one row of the table; the training set is looked at on whole epochs only.

    It is what the ``engine`` has learned of ``dataset``, as the ``experiment`` says, after so many
    epochs (``epoch``) and ``seconds``.

    Columns with an energy are followed by one for each layer: ``energy_m1_hidden``, the synapses
    into the hidden layer, and ``energy_m1_output``. If ``synapse-updates`` are recorded there is
    ``effective_synapses`` too, see `Recorder.measure`; if there is a buffer, ``buffered`` is how
    many samples it keeps.
    """
    test = engine.evaluate(dataset.test)
    whole = experiment.measure_training and float(epoch).is_integer()
    train = engine.evaluate(dataset.train) if whole else None
    meter = engine.meter
    by_layer = {"m0": meter.m0, "m1": meter.m1}
    exponents = zip(experiment.energy_exponents, meter.m_alpha, strict=True)
    by_layer |= {f"m{alpha:g}": spent for alpha, spent in exponents}
    if "potentiation" in experiment.record:
        by_layer["m0_potentiation"] = meter.m0_potentiation
        by_layer["m1_potentiation"] = meter.m1_potentiation
    energies = {}
    for name, spent in by_layer.items():
        energies[f"energy_{name}"] = spent.sum()
        energies |= {f"energy_{name}_{n}": e for n, e in zip(_layers(meter), spent, strict=True)}
    return {
        "epoch": epoch,
        "test_accuracy": test.accuracy,
        "test_loss": test.loss,
        "train_accuracy": train.accuracy if train else np.nan,
        "train_loss": train.loss if train else np.nan,
        "updates": meter.updates,
        "memorized": int(engine.memory.sum()),
        **({"buffered": len(engine.buffer)} if experiment.buffer else {}),
        **energies,
        "energy_min": engine.distance(),
        "transient_energy": meter.transient,
        "pending_m0": meter.pending_m0.sum(),
        "pending_m1": meter.pending_m1.sum(),
        "seconds": seconds,
    }


def measure_others(engine: Engine, others: Mapping[str, Split]) -> dict[str, float]:
    """Return the columns of further test sets, by name: ``test_accuracy_mnist/classes:0-4``."""
    return {
        f"test_accuracy_{name}": engine.evaluate(test).accuracy for name, test in others.items()
    }


class Recorder:
    """Lets an engine learn, and keeps what the experiment wants recorded at every sample.

    Attributes
    ----------
    arrays: ``sample_energy``, M1 spent on each training sample, shape ``(samples,)``; ``path``,
        all weights before learning and after each presentation, ``(presentations + 1, weights)``.
    """

    def __init__(self, experiment: Experiment, engine: Engine, samples: int) -> None:
        self.engine = engine
        self.wanted = [name for name in experiment.record if name in ("sample-energy", "path")]
        self.sample_energy = np.zeros(samples)
        self.path = [self._weights()] if "path" in self.wanted else []
        self.counted = "synapse-updates" in experiment.record
        self.counts: np.ndarray | None = None  # how often each synapse had changed when measured

    def learn(self, samples: np.ndarray) -> None:
        """Present the training samples of these indices, one after another."""
        if not self.wanted:
            self.engine.learn(samples)
            return
        for sample in samples:
            before = self.engine.meter.m1.sum()
            self.engine.learn(np.array([sample]))
            if self.engine.diverged:
                break
            self.sample_energy[sample] += self.engine.meter.m1.sum() - before
            if "path" in self.wanted:
                self.path.append(self._weights())

    def measure(self) -> dict[str, float]:
        """Return ``effective_synapses`` if ``synapse-updates`` are recorded, else nothing.

        It is the effective number of synapses (`lazybook.energy.effective_number`) of the first
        layer among the changes since this was called last; nan the first time.
        """
        if not self.counted:
            return {}
        before, self.counts = self.counts, self.engine.synapse_updates[0]
        new = np.nan if before is None else effective_number(self.counts - before)
        return {"effective_synapses": new}

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        recorded = {"sample-energy": self.sample_energy, "path": np.array(self.path)}
        return {name.replace("-", "_"): recorded[name] for name in self.wanted}

    def _weights(self) -> np.ndarray:
        return np.concatenate([layer.ravel() for layer in self.engine.weights])


def _layers(meter: Meter) -> list[str]:
    return ["hidden", "output"][-len(meter.m0) :]
