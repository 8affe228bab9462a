"""Many experiments: run side by side, kept in the store, resumed where they were interrupted."""

import os
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from threadpoolctl import threadpool_limits

from lazybook import datasets
from lazybook.datasets import Facts
from lazybook.engines.contract import network_shape
from lazybook.errors import InvalidValue, check_whole, told
from lazybook.experiment import IN_PYTORCH, Experiment
from lazybook.runs import DivergedRun, Run, Store, Summary, record_name
from lazybook.support import machine, progress
from lazybook.support.compiling import is_kept
from lazybook.support.sharing import Reservations
from lazybook.trainers import check, groups, train_group

if TYPE_CHECKING:
    import pandas as pd

# The columns that the table of every run has.
MEASURED = (
    "samples", "epoch", "test_accuracy", "test_loss", "train_accuracy", "train_loss", "updates",
    "memorized", "energy_m0", "energy_m1", "energy_min", "transient_energy", "pending_m0",
    "pending_m1", "seconds",
)  # fmt: skip

PAUSE = 0.5  # seconds between two looks at what other processes are at
GRACE = 0.5  # seconds that runs are given to stop, and a record to be written
RECORD = 20_000  # bytes that a record has at least
WITH_SCHEDULER = 1000  # runs that a scheduler is given at a time

# As `lazybook.trainers.train_group` does, here or elsewhere.
Trains = Callable[[Sequence[Experiment], Callable[[int], None], Run | None], list[Run]]


@dataclass(frozen=True)
class Sweep:
    """The runs of a sweep, in the order of its experiments.

    ``computed`` is how many were computed now, with those that others come after; what was not, was
    found in the store.
    """

    runs: list[Run]
    computed: int

    def table(self) -> "pd.DataFrame":
        """Return all measurements as one table, with the experiments' fields as columns too.

        ``diverged`` tells whether the run did, see `Run`.
        """
        import pandas as pd

        tables = [run.table.assign(**_columns(run)) for run in self.runs]
        return pd.concat(tables, ignore_index=True) if tables else self._empty()

    def ends(self) -> "pd.DataFrame":
        """Return one row a run: its last measurement, its experiment's fields, how it ended.

        ``reached`` tells whether the run got to the accuracy that it was to stop at, ``diverged``
        whether it did, see `Run`.
        """
        import pandas as pd

        rows = [end(run) for run in self.runs]
        return pd.DataFrame(rows) if rows else self._empty("reached")

    def _empty(self, *more: str) -> "pd.DataFrame":
        import pandas as pd

        fields = _columns(Run(Experiment(), pd.DataFrame(), {}, {}))
        return pd.DataFrame(columns=[*MEASURED, *fields, *more])


def sweep(
    experiments: Iterable[Experiment],
    jobs: int | None = None,
    fresh: bool = False,
    store: Store | None = None,
    tell: Callable[[int, int], None] = lambda runs, missing: None,
    scheduler: str | None = None,
) -> Sweep:
    """Run ``experiments``, ``jobs`` at a time, and return their runs.

    A run whose record is in the store is not computed again, unless ``fresh``; where all are there,
    neither the data nor the right to write are needed. Each run is written as soon as it is
    finished, so an interrupted sweep goes on where it was. Of several processes that sweep over the
    same store, each computes what the others are not at. Results do not depend on ``jobs`` (None:
    one for each core that this process may use).

    With the address of a ``scheduler`` (None: ``$LAZYBOOK_SCHEDULER``, or none if that is empty)
    the workers of a Dask cluster compute, and this process writes, see `lazybook.cluster`; ``jobs``
    then is how many runs the scheduler is given at a time (None: 1,000).

    Before the first one is computed, ``tell`` is called with how many runs there are, and how many
    of them are to be computed.

    What a missing run comes after (``after``) is found or computed first, once. It is counted here,
    and is among the runs returned only if it is asked for.

    A run that diverges is a run like the others, and a warning `DivergedRun` says how many did.

    Raises
    ------
    InvalidValue, DataError, RecordError: before anything is computed.
    RecordError: the disk is full.
    LazybookError: the scheduler was lost.
    KeyboardInterrupt: within about a second; runs that are not finished stop at their next
        measurement, and are not kept.
    """
    wanted = _listed(experiments)
    if scheduler is None:
        scheduler = os.environ.get("LAZYBOOK_SCHEDULER") or None
    usual = machine.cores() if scheduler is None else WITH_SCHEDULER
    jobs = usual if jobs is None else check_whole("jobs", jobs, 1)
    if not isinstance(store, Store | None):
        raise InvalidValue(f"store is {told(store)}; it must be a lazybook.runs.Store")
    store = store or Store()
    facts: dict[str, Facts] = {}
    found: dict[Experiment, Run | None] = {}
    ahead = wanted
    while ahead:  # of those that are missing, what they come after is needed too
        for experiment in dict.fromkeys(ahead):
            if experiment.dataset not in facts:
                facts[experiment.dataset] = datasets.facts(experiment.dataset)
            known = None if fresh else store.find(experiment, facts[experiment.dataset])
            found[experiment] = known
        ahead = [e.after for e in ahead if e.after and not found[e] and e.after not in found]
    missing = [experiment for experiment, run in found.items() if run is None]
    if missing:
        _check(missing, facts, store)
    computed = 0
    with _trains(missing, scheduler) as trains:
        tell(len(found), len(missing))
        if missing:
            first = _first(missing) if scheduler is None else "waiting for a worker"
            computed = _Work(found, missing, facts, jobs, fresh, store, trains).compute(first)
    runs = [found[experiment] for experiment in wanted]
    if diverged := sum(run.diverged for run in runs):
        warnings.warn(
            f"{diverged} of {len(runs)} runs diverged: loss or weights stopped being finite, and"
            " they ended there; what they measured is no result; a smaller learning rate may help",
            DivergedRun,
            stacklevel=2,
        )
    return Sweep(runs, computed)


def _listed(experiments: object) -> list[Experiment]:
    try:
        listed = list(experiments)
    except TypeError:  # an array of no dimension, among others
        raise InvalidValue(
            f"experiments is {told(experiments)}; it must be a list of Experiment"
        ) from None
    for experiment in listed:
        if not isinstance(experiment, Experiment):
            raise InvalidValue(f"experiments has {told(experiment)}, which is no Experiment")
    return listed


def _check(missing: list[Experiment], facts: dict[str, Facts], store: Store) -> None:
    """Raise what there is to raise before any work."""
    for experiment in missing:
        check(experiment, facts[experiment.dataset])
    room = 0
    for experiment in missing:
        room += RECORD
        if "weights" in experiment.record:
            layers = network_shape(experiment, facts[experiment.dataset]).layers
            room += 4 * sum(rows * columns for rows, columns in layers)
    store.check_writable([store.path(e, facts[e.dataset]) for e in missing], room)
    for name in _needed(missing):
        datasets.load(name)


def _needed(missing: list[Experiment]) -> list[str]:
    """Return the names of the data sets that experiments learn or are tested on, each once."""
    return list(dict.fromkeys(name for e in missing for name in (e.dataset, *e.also_test)))


@contextmanager
def _trains(missing: list[Experiment], scheduler: str | None) -> Iterator[Trains]:
    """Give what trains: it does so here, or, if there is a scheduler, on one of its workers."""
    if scheduler is None or not missing:
        yield train_group
        return
    from lazybook.cluster import Cluster

    with Cluster(scheduler, _needed(missing)) as cluster:
        yield cluster.train


class _Work:
    """What a sweep has to compute, or to wait for while other processes do.

    Each run, or group of runs that are computed together, has a thread, which computes it, or waits
    for the worker of a cluster that does, and then writes the records. The main thread, which
    Ctrl-C reaches, only hands them out.
    """

    def __init__(
        self,
        found: dict[Experiment, Run | None],
        missing: list[Experiment],
        facts: dict[str, Facts],
        jobs: int,
        fresh: bool,
        store: Store,
        trains: Trains,
    ) -> None:
        self.found, self.facts, self.fresh, self.store = found, facts, fresh, store
        self.trains = trains
        # The longest first, so that no core is left with a long one at the end.
        self.left = sorted(groups(missing, facts), key=self._total, reverse=True)
        self.jobs, self.pool = jobs, ThreadPoolExecutor(jobs)
        self.running: dict[Future[list[Run]], list[Experiment]] = {}
        self.reservations = Reservations()
        self.stopped = threading.Event()
        self.writing = threading.Lock()

    def compute(self, first: str) -> int:
        """Find all runs; return how many were computed now. ``first`` is shown at the beginning."""
        number, total = sum(map(len, self.left)), sum(map(self._total, self.left))
        label = f"{number} run{'s' * (number > 1)}"
        computed = 0
        with (
            progress.shown(total, label, first) as self.advance,
            threadpool_limits(limits=1),  # the runs themselves are what goes on in parallel
            self.reservations,
        ):
            try:
                while self.left or self.running:
                    self._hand_out()
                    if self.left and not self.running:
                        time.sleep(PAUSE)
                    pause = PAUSE if self.left else None
                    for future in wait(self.running, pause, FIRST_COMPLETED).done:
                        group = self.running.pop(future)
                        self.found |= zip(group, future.result(), strict=True)
                        computed += len(group)
            except BaseException:  # Ctrl-C too: the runs stop at their next measurement
                self.stopped.set()
                wait(self.running, GRACE)
                if self.writing.acquire(timeout=GRACE):  # a record that is being written
                    self.writing.release()
                raise
            finally:
                self.pool.shutdown(wait=False)
        return computed

    def _hand_out(self) -> None:
        """Start as many runs as there is room for, but none that another process is at."""
        for group in list(self.left):
            if len(self.running) == self.jobs:
                return
            before = group[0].after  # None for those that are several
            if before and self.found.get(before) is None:
                continue
            free = [experiment for experiment in list(group) if self._take(experiment, group)]
            if free:
                self.running[self.pool.submit(self._run, free)] = free
            if not group:
                self.left.remove(group)

    def _take(self, experiment: Experiment, group: list[Experiment]) -> bool:
        """Whether to compute ``experiment``; if so, or if it has been, it leaves its ``group``."""
        facts = self.facts[experiment.dataset]
        path = self.store.path(experiment, facts)
        free = self.reservations.take(path) or self.fresh
        run = None
        if not self.fresh and os.path.lexists(path):  # finished by another process since
            run = self.store.find(experiment, facts)
        if run:
            self.found[experiment] = run
            self.reservations.release(path)
            self.advance(self._size(experiment))
        if run or free:
            group.remove(experiment)
        return free and not run

    def _run(self, group: list[Experiment]) -> list[Run]:
        """Compute and keep runs, in a thread of their own."""
        left = self._total(group)
        per_sample = left / sum(e.epochs * self.facts[e.dataset].train for e in group)

        def tell(samples: int) -> None:
            nonlocal left
            if self.stopped.is_set():
                raise InterruptedError
            left -= samples * per_sample
            self.advance(samples * per_sample)

        try:
            before = group[0].after
            runs = self.trains(group, tell, before and self.found[before])
            with self.writing:
                for run in runs:
                    self.store.save(run, self.facts[run.experiment.dataset])
        finally:
            for experiment in group:
                path = self.store.path(experiment, self.facts[experiment.dataset])
                self.reservations.release(path)
        self.advance(left)  # what was spared by stopping early
        return runs

    def _total(self, group: list[Experiment]) -> float:
        return sum(map(self._size, group))

    def _size(self, experiment: Experiment) -> float:
        """A run's share of the work, in units that only compare with each other."""
        per_sample = 50 + (experiment.hidden or 1)
        if experiment.engine in IN_PYTORCH:
            per_sample += 15_000 / experiment.batch  # what PyTorch takes for a step, however small
        return experiment.epochs * self.facts[experiment.dataset].train * per_sample


def _first(experiments: Sequence[Experiment]) -> str:
    """What to say while the fast engine is compiled, for some 20 seconds, if it has to be."""
    fast = [e for e in experiments if e.engine == "numba"]
    if not fast:
        return ""
    from lazybook.engines.numba_cpu import loop

    return "" if all(is_kept(loop(e)) for e in fast) else "compiling, once on this machine"


def end(run: Run | Summary) -> dict[str, Any]:
    """Return the row of `Sweep.ends` that tells of ``run``."""
    return run.final | _columns(run) | {"reached": _reached(run)}


def _columns(run: Run | Summary) -> dict[str, Any]:
    fields = run.experiment.to_dict().items()
    single = {name: value for name, value in fields if not isinstance(value, list)}
    if before := run.experiment.after:  # told by the name of its record, as `runs list` has it
        single["after"] = Path(record_name(before, datasets.facts(before.dataset))).stem
    return single | {"diverged": run.diverged}


def _reached(run: Run | Summary) -> bool:
    goal = run.experiment.until
    return goal is not None and not run.diverged and run.final["test_accuracy"] >= goal


class _Callable(ModuleType):
    """Makes ``lazybook.sweep`` what one expects of it, the function, though it is this module.

    Python makes a module an attribute of its package when it is first imported, from wherever; a
    function of the same name there would be hidden by that.
    """

    def __call__(self, *given: Any, **named: Any) -> Sweep:
        return sweep(*given, **named)


sys.modules[__name__].__class__ = _Callable
