"""What is compared: rules, sizes of the network, and who learns by them."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache

import numpy as np

from lazybook import datasets, engines, restrictions
from lazybook.benchmarks import loops
from lazybook.benchmarks.roofline import Level, Traffic, measure_levels, traffic
from lazybook.benchmarks.timing import BLOCK, Learner, check_torch, one_core, take_turns
from lazybook.caching import SynapticCaching
from lazybook.datasets import Dataset
from lazybook.engines.contract import Start, network_shape
from lazybook.errors import InvalidValue, check_one_of
from lazybook.experiment import Experiment, preset
from lazybook.gates import MemorizedMistakes
from lazybook.runs import provenance
from lazybook.support import progress
from lazybook.support.randomness import Streams
from lazybook.trainers import check_memory

SAMPLES = 10_000  # of MNIST's training set, and fewer for large networks
LEARNED = 0.15  # the share of them that lazy learning learns
SECONDS = 0.05  # that a turn takes, where there are samples enough
LEARNERS = ("eager", "NumPy", "JAX", "reference", "numba")


@dataclass(frozen=True)
class Case:
    """A rule to be timed.

    Attributes
    ----------
    rule: its name in the table.
    experiment: what is learned.
    learned: the share of the samples that its gate lets through, a multiple of 1 / BLOCK.
    """

    rule: str
    experiment: Experiment
    learned: float = 1.0


@dataclass(frozen=True)
class Spread:
    """The median over the rounds, and the lowest and highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: np.ndarray) -> "Spread":
        return cls(float(np.median(values)), float(values.min()), float(values.max()))


@dataclass(frozen=True)
class Result:
    """What was measured of a case.

    Attributes
    ----------
    case: what was timed.
    microseconds: for each learner, the time for one sample.
    ratios: for each learner but ours, its time by ours, round by round.
    traffic: bytes of synapses that have to be moved for one sample.
    """

    case: Case
    microseconds: dict[str, Spread]
    ratios: dict[str, Spread]
    traffic: Traffic

    def reached(self, levels: Sequence[Level]) -> float:
        """Return our speed as a share of the one that the ``levels`` of this core allow."""
        return self.bound(levels) / self.microseconds["numba"].median

    def bound(self, levels: Sequence[Level]) -> float:
        """Return the microseconds that a sample takes at least, see `Traffic.bound`."""
        return 1e6 * self.traffic.bound(levels)


def plain(hidden: int) -> Case:
    """Return ordinary learning in the setting of lazy learning."""
    return Case("backprop", preset("lazy", hidden=hidden))


def lazy(hidden: int, learned: float = LEARNED) -> Case:
    """Return lazy learning that learns a given share of the samples.

    Its learning rate is so small that nothing it does changes an answer; see `data_for`.
    """
    experiment = preset("lazy", hidden=hidden, gate=MemorizedMistakes(), learning_rate=1e-9)
    return Case("lazy", experiment, learned)


def restricted(rule: str, hidden: int, restriction: str) -> Case:
    """Return ordinary learning under a restriction, in the setting of competitive plasticity."""
    parsed = restrictions.parse(restriction)
    return Case(rule, preset("competitive", hidden=hidden, restriction=parsed))


def cached(hidden: int, decay: float = 0.001) -> Case:
    """Return synaptic caching, in the setting of competitive plasticity."""
    experiment = preset("competitive", hidden=hidden, caching=SynapticCaching(0.01, decay))
    return Case("caching", experiment)


# A tenth of the units or synapses is plastic, or the largest twentieth of the updates.
CASES = {
    "backprop": plain,
    "lazy": lazy,
    "subnet": lambda hidden: restricted("subnet", hidden, f"subnet:{hidden // 10}"),
    "neuron mask": lambda hidden: restricted("neuron mask", hidden, f"neuron-mask:{hidden // 10}"),
    "synapse mask": lambda hidden: restricted("synapse mask", hidden, "synapse-mask:0.1,0.1"),
    "largest per layer": lambda hidden: restricted(
        "largest per layer", hidden, "largest-per-layer:0.05"
    ),
    "largest per neuron": lambda hidden: restricted(
        "largest per neuron", hidden, "largest-per-neuron:0.05"
    ),
    "caching": cached,
}


def cases(hidden: Sequence[int], rules: Iterable[str] = ()) -> list[Case]:
    """Return the cases of ``rules`` (none given: all) at the sizes ``hidden``, rule by rule.

    Raises InvalidValue for an unknown rule, or a network too small for a tenth of it.
    """
    for rule in rules:
        check_one_of("rule", rule, CASES)
    for size in hidden:
        if size < 20:
            raise InvalidValue(f"hidden is {size}; it must be at least 20 here")
    return [CASES[rule](size) for rule in rules or CASES for size in hidden]


@cache
def images(zero_mean: bool = False, samples: int = SAMPLES) -> Dataset:
    """Return the first training images of MNIST, and all its test images."""
    mnist = datasets.load("mnist")
    train = mnist.train
    part = replace(train, values=train.values[:samples], labels=train.labels[:samples])
    part = replace(mnist, train=part)
    return part.zero_mean() if zero_mean else part


def data_for(case: Case) -> tuple[Dataset, Start]:
    """Return the data and the initial network of a case.

    A gate that learns from mistakes finds as many as it is to learn: the labels are the network's
    own answers, but for the share ``case.learned`` of each block of samples, which get the next
    class. So all learners learn the same samples, whatever they remember.
    """
    experiment = case.experiment
    enough = 1000 * SAMPLES // experiment.hidden // BLOCK * BLOCK
    dataset = images(experiment.zero_mean, min(SAMPLES, max(enough, 10 * BLOCK)))
    streams = Streams(experiment.seed)
    start = Start.draw(experiment, dataset, streams)
    if isinstance(experiment.gate, MemorizedMistakes):
        dataset = answered(case, dataset, start, streams)
    return dataset, start


def answered(case: Case, dataset: Dataset, start: Start, streams: Streams) -> Dataset:
    """Return ``dataset`` with labels of which the initial network misses the share of the case.

    Its number of training samples is a multiple of `BLOCK`; of each block as many are missed.
    """
    network = loops.NumpyLoop(case.experiment, dataset, start)
    blocks = network.inputs.reshape(-1, BLOCK, network.inputs.shape[1])
    answers = np.concatenate([network.forward(x)[1].argmax(axis=1) for x in blocks])
    places = np.tile(np.arange(BLOCK), (len(blocks), 1))
    wrong = streams.ties.permuted(places, axis=1).ravel() < round(BLOCK * case.learned)
    labels = (answers + wrong) % dataset.classes
    return replace(dataset, train=replace(dataset.train, labels=labels))


def learners(
    case: Case, dataset: Dataset, start: Start, names: Iterable[str] = LEARNERS
) -> dict[str, Learner]:
    """Return those of the named learners that know the case's rules; JAX if it is installed."""
    experiment, built = case.experiment, {}
    is_plain = loops.is_plain(experiment)
    for name in names:
        if name == "eager":
            from lazybook.benchmarks import eager  # imports PyTorch, which not all need

            built[name] = eager.build(experiment, dataset, start)
        elif name == "NumPy" and is_plain:
            built[name] = loops.NumpyLoop(experiment, dataset, start)
        elif name == "JAX" and is_plain and loops.jax_installed():
            built[name] = loops.JaxLoop(experiment, dataset, start)
        elif name in ("reference", "numba"):
            built[name] = engines.build(replace(experiment, engine=name), dataset, start)
    return built


def compare(
    cases: Sequence[Case],
    rounds: int = 5,
    names: Sequence[str] = LEARNERS,
) -> list[Result]:
    """Time the ``cases``, each with all learners by turns, on one core.

    Parameters
    ----------
    rounds: turns of each learner that count.
    names: who learns, of `LEARNERS`; ours, ``numba``, always does.

    Raises
    ------
    InvalidValue: PyTorch is needed by the learners and is not installed.
    RuntimeError: a learner did not learn the share of the samples that it should.
    """
    names = list(dict.fromkeys([*names, "numba"]))
    if {"eager", "reference"} & {*names}:
        check_torch()
    results = []
    turns = len(cases) * len(names) * (rounds + 1)
    with one_core(), progress.shown(turns, "timing") as advance:
        for case in cases:
            dataset, start = data_for(case)
            built = learners(case, dataset, start, names)
            taken = take_turns(built, len(dataset.train), rounds, SECONDS, advance)
            advance((len(names) - len(built)) * (rounds + 1))
            for name, learner in built.items():
                check_learned(name, learner, case, taken[name].presented)
            times = {name: taken[name].seconds for name in built}
            results.append(
                Result(
                    case,
                    {name: Spread.of(1e6 * time) for name, time in times.items()},
                    {
                        name: Spread.of(time / times["numba"])
                        for name, time in times.items()
                        if name != "numba"
                    },
                    traffic(case.experiment, dataset, start, case.learned),
                )
            )
    return results


def check_learned(name: str, learner: Learner, case: Case, presented: int) -> None:
    """Raise RuntimeError unless ``learner`` learned the case's share of the samples.

    A thousandth more or less is allowed, for answers that stand on the edge.
    """
    updates = learner.updates if hasattr(learner, "updates") else learner.meter.updates
    if abs(updates / presented - case.learned) > 1e-3:
        raise RuntimeError(
            f"{case.rule}: {name} learned {updates} of {presented} samples,"
            f" not a share of {case.learned}"
        )


@dataclass(frozen=True)
class Benchmark:
    """The results of `run`, with this core's caches and what they were made with."""

    results: list[Result]
    levels: list[Level]
    provenance: dict

    def to_dict(self) -> dict:
        """Return it all as JSON values."""
        return {
            "results": [
                {
                    "rule": result.case.rule,
                    "hidden": result.case.experiment.hidden,
                    "learned": result.case.learned,
                    "experiment": result.case.experiment.to_dict(),
                    "reached": result.reached(self.levels),
                    "bound_microseconds": result.bound(self.levels),
                    "level": result.traffic.level(self.levels).name,
                    "bytes": asdict(result.traffic),
                    "microseconds": {n: asdict(t) for n, t in result.microseconds.items()},
                    "ratios": {n: asdict(ratio) for n, ratio in result.ratios.items()},
                }
                for result in self.results
            ],
            "levels": [asdict(level) for level in self.levels],
            "provenance": self.provenance,
        }


def run(
    hidden: Sequence[int] = (100, 1000), rules: Sequence[str] = (), rounds: int = 5
) -> Benchmark:
    """Compare ``rules`` (none given: all) at the sizes ``hidden``, and measure the caches.

    Raises InvalidValue for an unknown rule, a network too small or too large for this machine, no
    rounds or no PyTorch.
    """
    check_torch()
    if rounds < 1:
        raise InvalidValue(f"rounds is {rounds}; it must be at least 1")
    began = time.perf_counter()
    chosen = cases(hidden, rules)
    for case in chosen:
        layers = network_shape(case.experiment, datasets.facts("mnist")).layers
        weights = sum(rows * columns for rows, columns in layers)
        check_memory(
            f"hidden is {case.experiment.hidden:,}: {weights:,} weights for {len(LEARNERS)}"
            " learners take",
            8 * weights * len(LEARNERS),  # float32, as drawn and as learned
        )
    with one_core():
        levels = measure_levels()
    results = compare(chosen, rounds)
    return Benchmark(results, levels, provenance(images(), time.perf_counter() - began))
