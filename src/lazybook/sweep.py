"""Many experiments: run side by side, kept in the store, resumed where they were interrupted."""

import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass

import pandas as pd
from threadpoolctl import threadpool_limits

from lazybook import datasets
from lazybook.errors import InvalidValue
from lazybook.experiment import Experiment
from lazybook.runs import Run, Store
from lazybook.support import progress
from lazybook.support.compiling import is_kept
from lazybook.trainers import check, train


@dataclass(frozen=True)
class Sweep:
    """The runs of a sweep, in the order of its experiments.

    ``computed`` of them were computed now, the others found in the store.
    """

    runs: list[Run]
    computed: int

    def table(self) -> pd.DataFrame:
        """Return all measurements as one table, with the experiments' fields as columns too."""
        return pd.concat(
            [run.table.assign(**_columns(run.experiment)) for run in self.runs],
            ignore_index=True,
        )

    def ends(self) -> pd.DataFrame:
        """Return one row a run: its last measurement, its experiment's fields, ``reached``.

        ``reached`` tells whether the run got to the accuracy that it was to stop at.
        """
        rows = []
        for run in self.runs:
            until = run.experiment.until
            reached = until is not None and run.final["test_accuracy"] >= until
            rows.append(run.final | _columns(run.experiment) | {"reached": reached})
        return pd.DataFrame(rows)


def sweep(
    experiments: Sequence[Experiment],
    jobs: int | None = None,
    fresh: bool = False,
    store: Store | None = None,
) -> Sweep:
    """Run ``experiments``, ``jobs`` at a time, and return their runs.

    A run whose record is in the store is not computed again, unless ``fresh``. Each run is
    written as soon as it is finished, so an interrupted sweep goes on where it was. Results do
    not depend on ``jobs`` (None: one for each core).

    Raises
    ------
    InvalidValue, DataError, RecordError: before anything is computed.
    """
    if jobs is not None and jobs < 1:
        raise InvalidValue(f"jobs is {jobs}; it must be at least 1")
    store = store or Store()
    store.check_writable()
    data = {name: datasets.load(name) for name in {e.dataset for e in experiments}}
    for experiment in experiments:
        check(experiment, data[experiment.dataset])
    runs = {
        e: None if fresh else store.find(e, data[e.dataset]) for e in dict.fromkeys(experiments)
    }
    # The longest first, so that no core is left with a long one at the end.
    stopped = threading.Event()
    missing = sorted((e for e, run in runs.items() if run is None), key=_work, reverse=True)
    work, label, first = sum(map(_work, missing)), f"{len(missing)} runs", _first(missing)

    with (
        progress.shown(work, label, first) as advance,
        threadpool_limits(limits=1),  # the runs themselves are what goes on in parallel
        ThreadPoolExecutor(jobs or os.cpu_count()) as pool,
    ):

        def compute(experiment: Experiment) -> Run:
            dataset = data[experiment.dataset]
            left = _work(experiment)
            per_sample = left / experiment.epochs / len(dataset.train)

            def told(samples: int) -> None:
                nonlocal left
                if stopped.is_set():
                    raise InterruptedError
                left -= samples * per_sample
                advance(samples * per_sample)

            run = train(experiment, told)
            store.save(run, dataset)
            advance(left)  # what was spared by stopping early
            return run

        futures = {pool.submit(compute, experiment): experiment for experiment in missing}
        try:
            for future in as_completed(futures):
                runs[futures[future]] = future.result()
        except BaseException:  # Ctrl-C too: the runs stop at their next measurement
            stopped.set()
            pool.shutdown(cancel_futures=True)
            raise
    return Sweep([runs[e] for e in experiments], computed=len(missing))


def _work(experiment: Experiment) -> float:
    """A run's share of the work, in units that only compare with each other."""
    samples = len(datasets.load(experiment.dataset).train)
    per_sample = 50 + (experiment.hidden or 1)
    if experiment.engine != "numba":
        per_sample += 15_000 / experiment.batch  # what PyTorch takes for a step, however small
    return experiment.epochs * samples * per_sample


def _first(experiments: Sequence[Experiment]) -> str:
    """What to say while the fast engine is compiled, for up to a minute, if it has to be."""
    if all(e.engine != "numba" for e in experiments):
        return ""
    from lazybook.engines.kernels.training import learn

    return "" if is_kept(learn) else "compiling, once on this machine"


def _columns(experiment: Experiment) -> dict:
    fields = experiment.to_dict().items()
    return {name: value for name, value in fields if not isinstance(value, list)}
