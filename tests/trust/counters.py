"""The same experiment by other ways: jobs, engines, how often it is measured."""

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np

from lazybook import caching, gates, restrictions
from lazybook.experiment import Experiment
from lazybook.runs import Run, Store
from lazybook.sweep import sweep
from lazybook.trainers import train

from .harness import Wrong

GATES = ("every-sample", "mistakes", "memorized-mistakes", "margin:-0.1", "margin:0.2")
COUNTS = ("samples", "updates", "memorized")
SIZES = ("energy_m1", "energy_min", "pending_m1", "transient_energy")
# Of energies, after some hundred steps in float32; those that a threshold decides differ by more.
RELATIVE, DECIDED = 1e-3, 2e-2


def _experiment(random: Random) -> Experiment:
    """Draw a small experiment; all engines but autograd can do it."""
    clouds = random.random() < 0.5
    hidden = random.choice((None, 6, 17)) if clouds else random.choice((6, 17))
    rules = ["all"]
    if hidden:
        rules += [
            "synapse-mask:0.5,0.8", "synapse-mask-per-sample:0.5,0.8", "neuron-mask-per-class:4",
            "subnet:4", "subnet-per-sample:4", "largest-per-layer:0.3", "largest-per-neuron:0.4",
            "largest-to-outputs:0.2",
            "subnet:4 & largest-per-layer:0.5", "largest-error-neurons:0.3",
        ]  # fmt: skip
    cachings = ("immediate", "immediate", "0.01", "0.01,0.01,0.1", "0.05,0.001,0.1,any")
    return Experiment(
        dataset="two-clouds" if clouds else "random-patterns:80,50",
        hidden=hidden,
        activation=random.choice(("relu", "leaky-relu:0.1")),
        bias=random.choice(("separate", "none", *(["clamped-unit"] if hidden else []))),
        loss=random.choice(("mse", "half-mse", "perceptron")),
        learning_rate=random.choice((0.003, 0.01, 0.03)),
        order=random.choice(("permutation", "replacement", "in-turn")),
        gate=gates.parse(random.choice(GATES)),
        restriction=restrictions.parse(random.choice(rules)),
        caching=caching.parse(random.choice(cachings)),
        epochs=random.randint(2, 5),
        measure_every=random.choice((1, 10, 64, 10**6)),
        measure_training=random.random() < 0.5,
        seed=random.randrange(10**6),
    )


def jobs(random: Random, folder: Path, figures: dict) -> None:
    """However many run side by side, what comes out is the same, bit for bit."""
    experiments = [_experiment(random) for _ in range(5)]
    one, two = (sweep(experiments, n, store=Store(folder / str(n))).runs for n in (1, 2))
    for run, other in zip(one, two, strict=True):
        tables = [each.table.drop(columns="seconds") for each in (run, other)]
        if not tables[0].equals(tables[1]):
            raise Wrong(f"other numbers side by side: {run.experiment}")


def chunks(random: Random, folder: Path, figures: dict) -> None:
    """However often it is measured, the same is learned."""
    experiment = replace(_experiment(random), engine=random.choice(("numba", "reference")))
    _compare(experiment, replace(experiment, measure_every=random.choice((1, 7, 33, 10**6))))


def engines(random: Random, folder: Path, figures: dict) -> None:
    """Whichever engine it is, the same is learned."""
    experiment = _experiment(random)
    _compare(experiment, replace(experiment, engine="reference"))
    plain = replace(experiment, restriction=restrictions.AllSynapses(), caching=caching.Immediate())
    _compare(plain, replace(plain, engine="autograd"))


def diverging(random: Random, folder: Path, figures: dict) -> None:
    """A run whose numbers grow beyond all bounds ends at the same sample with every engine."""
    experiment = replace(
        _experiment(random),
        loss=random.choice(("mse", "half-mse")),
        hidden=random.choice((6, 17)),
        learning_rate=10.0 ** random.randint(2, 9),
        caching=caching.Immediate(),
        restriction=restrictions.AllSynapses(),
        gate=gates.EverySample(),
    )
    runs = [train(replace(experiment, engine=name)) for name in ("numba", "reference", "autograd")]
    ends = {(run.diverged, run.final["samples"], run.final["updates"]) for run in runs}
    if len(ends) > 1:
        raise Wrong(f"diverged, samples, updates: {sorted(ends)} of {experiment}")


def _compare(one: Experiment, other: Experiment) -> None:
    first, second = train(one), train(other)
    competing = "largest" in str(one.restriction)
    caches = str(one.caching) != "immediate"
    for name in (*COUNTS, *SIZES, "energy_m0"):
        a, b = first.final[name], second.final[name]
        if name in COUNTS or (name == "energy_m0" and not (caches or competing)):
            same = a == b
        else:
            tolerance = DECIDED if caches or competing else RELATIVE
            same = np.isclose(a, b, rtol=tolerance, atol=1e-6)
        if not same:
            changed = _changes(one, other)
            raise Wrong(f"{name} is {a} and, with {changed}, {b}: {_told(first)}")
    if not np.array_equal(first.arrays["memory"], second.arrays["memory"]):
        raise Wrong(f"other samples are remembered with {_changes(one, other)}: {_told(first)}")


def _changes(one: Experiment, other: Experiment) -> str:
    ours, theirs = one.to_dict(), other.to_dict()
    return ", ".join(f"{name} {theirs[name]}" for name in ours if ours[name] != theirs[name])


def _told(run: Run) -> str:
    """The fields that are not the default, to repeat it by hand."""
    usual = Experiment().to_dict()
    fields = {n: v for n, v in run.experiment.to_dict().items() if v != usual[n]}
    return f"Experiment.from_dict({fields})"
