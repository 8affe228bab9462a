"""Runs on many machines: a Dask scheduler hands them to its workers.

The process that sweeps has the store and the data. It sends the data, once to each worker, and it
alone writes the records, each once. So workers need no folder in common, neither with one another
nor with the process that sweeps; what they need is this package. A run whose worker is lost is
given to another one.

Whoever can reach a scheduler can run code on its workers: keep it in a network that you trust.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from queue import SimpleQueue
from typing import TYPE_CHECKING, Self
from uuid import uuid4

from lazybook import datasets
from lazybook.datasets import Dataset
from lazybook.errors import InvalidValue, LazybookError, told
from lazybook.experiment import Experiment
from lazybook.runs import SEMANTICS, Run, packages
from lazybook.trainers import train_group

if TYPE_CHECKING:
    from distributed import Client, Worker

try:
    import distributed
    from distributed import WorkerPlugin
except ModuleNotFoundError:  # it is an extra
    distributed, WorkerPlugin = None, object

ANSWER = 10  # seconds in which a scheduler has to answer
CLOSE = 1  # seconds to say goodbye to it
REPORT = 0.5  # seconds between two reports of a run
TOPIC = "lazybook"  # of the reports
DEPENDS = ("lazybook", "numba", "numpy")  # packages whose versions have to be the same


class Cluster:
    """The workers of the scheduler at ``address``, while this context is open.

    They are sent the data sets of these ``names``, as those that come later will be.

    Raises
    ------
    InvalidValue: ``address`` is none, Dask is not installed, no scheduler answers, or its workers
        lack this version of lazybook.
    """

    def __init__(self, address: str, names: Iterable[str] = ()) -> None:
        self.address, self.client = address, connected(address)
        self.reports: dict[str, SimpleQueue[float | None]] = {}
        self.closed = threading.Event()
        try:
            for name in names:
                # One of the same name that is there already is not sent again.
                data = Data(datasets.load(name))
                self.client.register_plugin(data, name=f"lazybook {data.dataset.checksum}")
            self.client.subscribe_topic(TOPIC, self._pass_on)
        except Exception as error:  # whatever a worker says, or that one was lost meanwhile
            self.client.close(CLOSE)
            raise InvalidValue(
                f"scheduler is {told(address)}, whose workers cannot take part:"
                f" {error or type(error).__name__}"
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the scheduler: what waits there is dropped, and what runs stops soon."""
        self.closed.set()
        for reports in list(self.reports.values()):
            reports.put(None)
        self.client.close(CLOSE)

    def train(
        self,
        experiments: Sequence[Experiment],
        progress: Callable[[int], None],
        before: Run | None = None,
    ) -> list[Run]:
        """Have a worker train one of `lazybook.trainers.groups`; for threads, to wait here.

        ``before`` is the run that a single experiment comes after, if it does.

        Of a run that is repeated, ``progress`` is told only what goes beyond the first time.

        Raises
        ------
        InterruptedError: this context has been left.
        LazybookError: what was raised there, or scheduler or workers were lost.
        """
        key = f"lazybook-{uuid4().hex}"
        reports = self.reports[key] = SimpleQueue()
        presented = 0
        try:
            if self.closed.is_set():
                raise InterruptedError
            future = self.client.submit(work, experiments, before, versions(), key=key, pure=False)
            future.add_done_callback(lambda _: reports.put(None))
            while (report := reports.get()) is not None:
                if report > presented:
                    progress(report - presented)
                    presented = report
            if self.closed.is_set():
                raise InterruptedError
            return future.result()
        except distributed.KilledWorker as error:
            raise LazybookError(
                f"a run was given up, after {error.allowed_failures + 1} workers were lost with it;"
                f" had they enough memory? It is {experiments[0]}"
            ) from None
        except distributed.CancelledError:
            raise LazybookError(
                f"the scheduler {self.address} was lost; what is finished is kept: start one, and"
                " run this again to go on"
            ) from None
        finally:
            del self.reports[key]

    def _pass_on(self, event: tuple[float, tuple[str, int]]) -> None:
        """Hand a report to the thread that waits for it, if it is one of ours."""
        key, presented = event[1]
        if key in self.reports:
            self.reports[key].put(presented)


def connected(address: object) -> "Client":
    """Return a client of the scheduler at ``address``; raise InvalidValue as `Cluster` does."""
    if not isinstance(address, str) or not address:
        raise InvalidValue(
            f"scheduler is {told(address)}; it must be an address, such as tcp://10.0.0.1:8786"
        )
    if distributed is None:
        raise InvalidValue(
            f"scheduler is {told(address)}, which needs Dask; install lazybook[cluster], or leave"
            " it out to compute here"
        )
    try:
        return distributed.Client(address, timeout=ANSWER, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        raise InvalidValue(
            f"scheduler is {told(address)}, where none answers"
            f" ({str(error).splitlines()[0] if str(error) else 'in time'}); start one with: dask"
            " scheduler"
        ) from None


class Data(WorkerPlugin):
    """A data set, on its way to the workers."""

    idempotent = True

    def __init__(self, dataset: Dataset) -> None:
        self.dataset, self.versions = dataset, versions()

    def setup(self, worker: "Worker") -> None:
        """Let the worker know the data set."""
        check_versions(self.versions)
        datasets.receive(self.dataset)


def work(experiments: Sequence[Experiment], before: Run | None, wanted: str) -> list[Run]:
    """Train on a worker of the ``wanted`` `versions`, and report on it."""
    check_versions(wanted)
    worker = distributed.get_worker()
    key = worker.get_current_task()
    presented, reported = 0, time.monotonic()

    def tell(samples: int) -> None:
        nonlocal presented, reported
        task = worker.state.tasks.get(key)
        if task is None or task.state == "cancelled":  # nobody waits for it any longer
            raise InterruptedError
        presented += samples
        if time.monotonic() > reported + REPORT:
            reported = time.monotonic()
            worker.log_event(TOPIC, (key, presented))

    return train_group(experiments, tell, before)


def versions() -> str:
    """Return what has to be the same where runs are computed, so that their records are."""
    found = packages()
    named = [f"{name} {found.get(name, 'missing')}" for name in DEPENDS]
    return f"{', '.join(named)}, semantics {SEMANTICS}"


def check_versions(wanted: str) -> None:
    """Raise InvalidValue unless this process has the ``wanted`` `versions`."""
    if versions() != wanted:
        raise InvalidValue(f"it has {versions()}; it must be {wanted}, as where the sweep is")
