"""A sweep of a dozen small experiments whose results are known, to be killed and damaged."""

import os
import tempfile
import time
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from lazybook import datasets
from lazybook.errors import RecordError
from lazybook.experiment import Experiment, grid, preset
from lazybook.gates import EverySample, MemorizedMistakes
from lazybook.runs import Run, Store, summary
from lazybook.sweep import sweep
from lazybook.trainers import train

from .harness import Wrong, start

CLOUDS = Experiment(
    dataset="two-clouds",
    hidden=5,
    epochs=4,
    measure_every=50,
    learning_rate=0.1,
    record=("weights",),
)
EXPERIMENTS = [
    *grid(CLOUDS, gate=[EverySample(), MemorizedMistakes()], epochs=[4, 40], seed=[0, 1]),
    *grid(preset("perceptron", dataset="random-patterns:40,60", epochs=30), seed=[0, 1, 2, 3]),
]
# Some that no killed sweep has, one a folder: whoever computes something clears up there.
MORE = [replace(EXPERIMENTS[0], seed=2), replace(EXPERIMENTS[-1], seed=4)]


@cache
def expected() -> dict[Experiment, Run]:
    """Return the runs as they are if nothing disturbs them."""
    return {experiment: train(experiment) for experiment in [*EXPERIMENTS, *MORE]}


@cache
def duration() -> float:
    """Return the seconds that the sweep takes here, from its start in a forked process."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        start(sweep, EXPERIMENTS, 1, False, Store(Path(folder))).join()
        return time.monotonic() - began


def check_results(runs: list[Run]) -> None:
    """Raise Wrong unless these runs are the expected ones, bit for bit."""
    for run in runs:
        wanted = expected()[run.experiment]
        tables = [one.table.drop(columns="seconds") for one in (run, wanted)]
        if not tables[0].equals(tables[1]):
            raise Wrong(f"another table than without a disturbance: {run.experiment}")
        if run.arrays.keys() != wanted.arrays.keys() or not all(
            array.dtype == wanted.arrays[name].dtype and np.array_equal(array, wanted.arrays[name])
            for name, array in run.arrays.items()
        ):
            raise Wrong(f"other arrays than without a disturbance: {run.experiment}")


def kept(store: Store) -> dict[Path, bytes]:
    """Return what the records contain; raise Wrong for one that is not whole."""
    found = {}
    for path in store.all():
        try:
            summary(path)
        except RecordError as error:
            raise Wrong(f"a record that is not whole is seen: {error}") from None
        found[path] = path.read_bytes()
    return found


def record(experiment: Experiment, store: Store) -> Path:
    """Return where the record of an experiment is."""
    return store.path(experiment, datasets.facts(experiment.dataset))


def check_in_the_end(store: Store, before: dict[Path, bytes], jobs: int) -> None:
    """Finish the sweep; raise Wrong unless all is as if nothing had happened.

    ``before``: what was finished already. It must neither be computed again nor be changed.
    """
    experiments = [*EXPERIMENTS, *MORE]
    done = sweep(experiments, jobs, store=store)
    check_results(done.runs)
    if done.computed != len(experiments) - len(before):
        raise Wrong(f"{done.computed} runs were computed where {len(before)} were finished")
    after = kept(store)
    if before.items() - after.items():
        raise Wrong("a record that was finished is gone or another")
    there = {Path(folder, name) for folder, _, names in os.walk(store.root) for name in names}
    if left := there - {record(experiment, store) for experiment in experiments}:
        raise Wrong(f"left in the store: {', '.join(sorted(path.name for path in left))}")
