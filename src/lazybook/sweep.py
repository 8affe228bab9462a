"""Many experiments: run side by side, kept in the store, resumed where they were interrupted."""

import json
import os
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from threadpoolctl import threadpool_limits

from lazybook import datasets
from lazybook.errors import InvalidValue
from lazybook.experiment import Experiment
from lazybook.runs import Run, Store
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

    with (
        _progress(sum(map(_work, missing)), f"{len(missing)} runs") as advance,
        threadpool_limits(limits=1),  # the runs themselves are what goes on in parallel
        ThreadPoolExecutor(jobs or os.cpu_count()) as pool,
    ):

        def compute(experiment: Experiment) -> Run:
            dataset = data[experiment.dataset]
            left = _work(experiment)
            per_sample = left / experiment.epochs / len(dataset.train)

            def progress(samples: int) -> None:
                nonlocal left
                if stopped.is_set():
                    raise InterruptedError
                left -= samples * per_sample
                advance(samples * per_sample)

            run = train(experiment, progress)
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
    return experiment.epochs * samples * (50 + (experiment.hidden or 1))


def _columns(experiment: Experiment) -> dict:
    fields = experiment.to_dict().items()
    return {name: value for name, value in fields if not isinstance(value, list)}


@contextmanager
def _progress(total: float, label: str) -> Iterator:
    """Show how far the work is; yields a function to call with each piece that is done.

    With ``$LAZYBOOK_PROGRESS`` set, progress goes to that file for `lazybook.figures` to show.
    """
    if not total:
        yield lambda work: None
    elif "LAZYBOOK_PROGRESS" in os.environ:
        yield _ProgressFile(Path(os.environ["LAZYBOOK_PROGRESS"]), total, label).advance
    else:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(label, total=total)
            yield lambda work: bar.advance(task, work)


@dataclass
class _ProgressFile:
    path: Path
    total: float
    label: str
    done: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def advance(self, work: float) -> None:
        with self.lock:
            self.done += work
            temporary = self.path.with_suffix(".tmp")
            state = {"done": self.done, "total": self.total, "label": self.label}
            temporary.write_text(json.dumps(state))
            temporary.replace(self.path)
