"""One file for each training, found by what was trained; what is missing is trained."""

import hashlib
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from lazybook import datasets
from lazybook.benchmarks.timing import check_torch, one_core
from lazybook.errors import RecordError, check_one_of, check_whole
from lazybook.runs import provenance
from lazybook.support import paths, progress, sharing
from lazybook.sweep import Sweep

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
    "random half": "a random half",
}
PEERS = ("selective backprop", "infobatch", "forgetting", "random half")


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
    measurements: int = 20
    engine: ClassVar[str] = "PyTorch"
    device: ClassVar[str] = "cpu"

    def __post_init__(self) -> None:
        check_one_of("task", self.task, TITLES)
        check_one_of("method", self.method, METHODS)
        for name in ("epochs", "samples", "tests", "measurements"):
            check_whole(name, getattr(self, name), 1)
        check_whole("seed", self.seed, 0)

    def to_dict(self) -> dict[str, Any]:
        """Return all that determines the training."""
        return asdict(self)

    @property
    def file(self) -> str:
        """The name of its record: a hash of what is trained, and on which data."""
        what = [self.to_dict(), datasets.facts(self.task).checksum, SEMANTICS]
        digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
        return f"{self.task}-{digest[:24]}.json"


@dataclass(frozen=True)
class Record:
    """What a trial gave; like a `lazybook.runs.Run` it has a table of measurements.

    Attributes
    ----------
    experiment: what was trained.
    table: one row a measurement, with the counts (`lazybook.benchmarks.peers.training.Counts`) as
        columns, the ``work`` done and the ``test_accuracy``.
    before: what was counted in a training that the method needs before its own; empty for none.
    provenance: how the result came about, see `lazybook.runs.provenance`.
    """

    experiment: Trial
    table: pd.DataFrame
    before: dict[str, float]
    provenance: dict

    @property
    def final(self) -> dict[str, float]:
        """The last measurement."""
        return self.table.iloc[-1].to_dict()


def collect(trials: Iterable[Trial]) -> Sweep:
    """Return the records of ``trials`` in their order; train what has none, and keep it at once.

    Records are looked for in the folder ``peers`` of the run store and of the published results. An
    interrupted collection goes on where it was.

    Raises
    ------
    InvalidValue: PyTorch is needed and not installed.
    DataError: a data set is needed and not here.
    RecordError: a record is damaged, or the folder cannot be written.
    """
    trials = list(trials)
    found = {trial: find(trial) for trial in trials}
    missing = [trial for trial, record in found.items() if record is None]
    if missing:
        check_torch()
        work = sum(trial.epochs * trial.samples for trial in missing)
        with one_core(), progress.shown(work, f"{len(missing)} trainings") as advance:
            for trial in missing:
                found[trial] = _train(trial, advance)
    return Sweep([found[trial] for trial in trials], len(missing))


def find(trial: Trial) -> Record | None:
    """Return the record of ``trial``, or None; raise RecordError if it is damaged."""
    for folder in filter(None, (paths.runs(), paths.published())):
        path = folder / "peers" / trial.file
        try:
            held = json.loads(sharing.read_regular(path))
            said = Trial(**held["trial"])
            table = pd.DataFrame(held["table"])
            record = Record(said, table, held["before"], held["provenance"])
        except FileNotFoundError:
            continue
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise RecordError(f"record {path} cannot be used: {error}; delete it") from None
        if record.experiment != trial:
            raise RecordError(f"record {path} is that of another trial; delete it")
        return record
    return None


def keep(record: Record) -> Path:
    """Write ``record`` to the run store; raise RecordError if it cannot be written."""
    path = paths.runs() / "peers" / record.experiment.file
    held = {
        "trial": asdict(record.experiment),
        "table": record.table.to_dict("list"),
        "before": record.before,
        "provenance": record.provenance,
    }
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sharing.write_aside(path, json.dumps(held, allow_nan=False).encode())
    except OSError as error:
        raise RecordError(f"{path} cannot be written: {error.strerror}") from None
    return path


def _train(trial: Trial, advance: Callable[[float], None]) -> Record:
    """Train, and keep the record."""
    from lazybook.benchmarks.peers import training  # imports PyTorch

    began = time.process_time()
    rows, before = training.train(trial, advance)
    facts = provenance(datasets.load(trial.task), time.process_time() - began)
    record = Record(trial, pd.DataFrame(rows), before, facts)
    keep(record)
    return record
