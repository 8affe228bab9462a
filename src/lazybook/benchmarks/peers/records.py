"""One file for each training, found by what was trained; what is missing is trained."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import pandas as pd

from lazybook import datasets
from lazybook.benchmarks.timing import check_torch, one_core
from lazybook.errors import RecordError, check_one_of, check_whole
from lazybook.runs import provenance
from lazybook.support import paths, progress, sharing

SEMANTICS = 1  # raised when the same trial may give another result than before
TITLES = {  # of the tasks
    "mnist": "MNIST, one hidden layer",
    "fashion-mnist": "Fashion-MNIST, convolutions",
    "cifar-10-jpeg": "CIFAR-10 in JPEG, convolutions",
}
METHODS = {
    "full": "full training",
    "lazy": "lazy",
    "pure lazy": "pure lazy",
    "lazy packed": "lazy, full batches",
    "selective backprop": "selective backprop",
    "infobatch": "InfoBatch",
    "forgetting": "forgetting scores",
    "random share": "a random share",
}
PEERS = ("selective backprop", "infobatch", "forgetting", "random share")


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One training: everything that determines it.

    Attributes
    ----------
    task: what is learned, one of `TITLES`; see `lazybook.benchmarks.peers.tasks`.
    method: one of `METHODS`.
    seed: of the weights, the order of the samples and what a method draws.
    epochs: of full training, whose work each method is given.
    samples, tests: how many to train and to test with at most.
    measurements: how often accuracy is measured.

    Raises
    ------
    InvalidValue: an impossible value.
    """

    task: str
    method: str
    seed: int = 0
    epochs: int
    samples: int
    tests: int = 10_000
    measurements: int = 40

    def __post_init__(self) -> None:
        check_one_of("task", self.task, TITLES)
        check_one_of("method", self.method, METHODS)
        for name in ("epochs", "samples", "tests", "measurements"):
            check_whole(name, getattr(self, name), 1)
        check_whole("seed", self.seed, 0)

    @property
    def file(self) -> str:
        """The name of its record: a hash of what is trained, and on which data."""
        what = [asdict(self), datasets.facts(self.task).checksum, SEMANTICS]
        digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
        return f"{self.task}-{digest[:24]}.json"


@dataclass(frozen=True)
class Record:
    """What a trial gave.

    Attributes
    ----------
    trial: what was trained.
    table: a list of values for each of the counts (`lazybook.benchmarks.peers.training.Counts`) and
        the test accuracy, one a measurement.
    before: what was counted in a training that the method needs before its own; empty for none.
    chosen: how many samples are presented at all.
    provenance: how the result came about, see `lazybook.runs.provenance`.
    """

    trial: Trial
    table: dict[str, list[float]]
    before: dict[str, float]
    chosen: int
    provenance: dict


def collect(
    trials: Iterable[Trial], tell: Callable[[int, int], None] = lambda records, missing: None
) -> list[Record]:
    """Return the records of ``trials``; train what has none, and keep it at once.

    Records are looked for in the folder ``peers`` of the run store and of the published results. An
    interrupted collection goes on where it was. ``tell`` is called first, with how many records
    there are to be and how many of them are missing.

    Raises
    ------
    InvalidValue: PyTorch is needed and not installed.
    DataError: a data set is needed and not here.
    RecordError: a record is damaged, or the folder cannot be written.
    """
    trials = list(trials)
    found = {trial: find(trial) for trial in trials}
    missing = [trial for trial, record in found.items() if record is None]
    tell(len(found), len(missing))
    if missing:
        check_torch()
        work = sum(trial.epochs * trial.samples for trial in missing)
        with one_core(), progress.shown(work, f"{len(missing)} trainings") as advance:
            for trial in missing:
                found[trial] = find(trial) or _train(trial, advance)
    return [found[trial] for trial in trials]


def table(records: Iterable[Record]) -> pd.DataFrame:
    """Return all measurements as one table, with ``task``, ``method`` and ``seed`` as columns."""
    return pd.concat(
        [
            pd.DataFrame(record.table).assign(
                task=record.trial.task, method=record.trial.method, seed=record.trial.seed
            )
            for record in records
        ],
        ignore_index=True,
    )


def find(trial: Trial) -> Record | None:
    """Return the record of ``trial``, or None; raise RecordError if it is damaged."""
    for folder in filter(None, (paths.runs(), paths.published())):
        path = folder / "peers" / trial.file
        try:
            held = json.loads(sharing.read_regular(path))
            record = Record(**held | {"trial": Trial(**held["trial"])})
        except FileNotFoundError:
            continue
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise RecordError(f"record {path} cannot be used: {error}; delete it") from None
        if record.trial != trial:
            raise RecordError(f"record {path} is that of another trial; delete it")
        return record
    return None


def keep(record: Record) -> Path:
    """Write ``record`` to the run store; raise RecordError if it cannot be written."""
    path = paths.runs() / "peers" / record.trial.file
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sharing.write_aside(path, json.dumps(asdict(record), allow_nan=False).encode())
    except OSError as error:
        raise RecordError(f"{path} cannot be written: {error.strerror}") from None
    return path


def _train(trial: Trial, advance: Callable[[float], None]) -> Record:
    """Train, and keep the record."""
    from lazybook.benchmarks.peers import training  # imports PyTorch

    began = time.process_time()
    chosen = None
    if trial.method == "random share":  # of the size that the forgetting scores give
        beside = replace(trial, method="forgetting")
        chosen = (find(beside) or _train(beside, lambda work: None)).chosen
    found = training.train(trial, chosen, advance)
    dataset = datasets.load(trial.task)
    record = Record(trial, *found, provenance(dataset, time.process_time() - began))
    keep(record)
    return record
