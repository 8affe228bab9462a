"""Tables of what was measured of pattern sets, and in searches, kept as runs are.

What a notebook measures of a set is determined by its settings and the set, so it is found by a
hash of them: in one's own run folder, or among the published records. It is computed if it is not
there, and kept. A file is two lines of JSON, packed: how the table came about, and its columns.

The trials of a search are kept the same way, so a page that shows them needs neither Optuna nor
their hundreds of records.
"""

import gzip
import hashlib
import json
import time
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from lazybook import datasets
from lazybook.book import analysis
from lazybook.errors import InvalidValue, RecordError
from lazybook.experiment import Experiment
from lazybook.runs import SEMANTICS, Run, provenance
from lazybook.search import Range, Search, Space, search
from lazybook.support import machine, paths, progress, sharing


@dataclass(frozen=True)
class Table:
    """The rows of several pattern sets.

    Attributes
    ----------
    rows: what was measured, with the column ``set``.
    facts: how the rows of each set came about, see `lazybook.runs.provenance`.
    computed: how many sets were computed now; the others were found.
    """

    rows: pd.DataFrame
    facts: list[dict[str, Any]]
    computed: int

    @property
    def sets(self) -> list[int]:
        """The pattern sets."""
        return sorted(self.rows["set"].unique().tolist())


def measured(
    name: str,
    what: Mapping[str, Any],
    measure: Callable[[int], list[dict[str, float]]],
    sets: Collection[int],
    jobs: int | None = None,
    fresh: bool = False,
) -> Table:
    """Return the rows that ``measure`` gives for each of the ``sets``, which it is called with.

    Parameters
    ----------
    name: of the table.
    what: all that the rows depend on besides the set, as JSON values.
    measure: called side by side, in ``jobs`` threads (None: one for each core); its rows are of
        numbers.
    fresh: compute what is there too.

    Raises RecordError if what was computed cannot be kept.
    """
    files = {number: _file(name, {**what, "set": number}) for number in sets}
    found = {} if fresh else {n: kept for n, file in files.items() if (kept := _found(file))}
    missing = [number for number in files if number not in found]
    with (
        progress.shown(len(missing), f"{name}: {len(missing)} pattern sets") as advance,
        ThreadPoolExecutor(jobs or machine.cores()) as pool,
    ):
        waited = {pool.submit(_compute, measure, number): number for number in missing}
        for future in as_completed(waited):
            number = waited[future]
            found[number] = future.result()
            _keep(files[number], *found[number])
            advance(1)
    rows = [found[number][0].assign(set=number) for number in files]
    facts = [found[number][1] for number in files]
    return Table(pd.concat(rows, ignore_index=True), facts, len(missing))


@dataclass(frozen=True)
class Trials:
    """The trials of a search.

    Attributes
    ----------
    rows: one a trial and goal, in order: the number of the ``trial``, its ``experiment``, the
        values that were tried, its best ``accuracy`` on the test set, and the costs of reaching the
        ``goal``, nan if it did not.
    facts: how they came about, see `lazybook.runs.provenance`.
    computed: how many of them were computed now; the others were found.
    """

    rows: pd.DataFrame
    facts: list[dict[str, Any]]
    computed: int


def searched(
    name: str,
    build: Callable[..., Experiment],
    space: Space,
    trials: int,
    costs: Sequence[str],
    goals: Sequence[float],
    jobs: int | None = None,
    fresh: bool = False,
    **more: Any,
) -> Trials:
    """Return the trials of a search: found as a table, or else by `lazybook.search.search`.

    A table that was made with another ``build`` is not used: its experiments would be others.

    Parameters
    ----------
    name: of the table.
    build, space, trials, jobs, fresh, more: as that function takes them.
    costs: of reaching each of the ``goals``, accuracies on the test set.

    Raises what `lazybook.search.search` raises, and RecordError if the table cannot be kept.
    """
    ranges = {name: asdict(c) if isinstance(c, Range) else list(c) for name, c in space.items()}
    told = {"space": ranges, "trials": trials, "costs": [*costs], "goals": [*goals], **more}
    file = _file(name, told)
    kept = None if fresh else _found(file)
    if kept and all(_is_built(row, build, space) for row in kept[0].to_dict("records")):
        rows, about = kept
        computed = 0
    else:
        looked = search(build, space, trials, jobs=jobs, fresh=fresh, **more)
        rows = pd.DataFrame(_rows(looked, costs, goals))
        about = {"facts": _together([trial.run for trial in looked.trials])}
        computed = looked.computed
        _keep(file, rows, about)
    experiments = [Experiment.from_dict(said) for said in rows["experiment"]]
    return Trials(rows.assign(experiment=experiments), about["facts"], computed)


def _rows(looked: Search, costs: Sequence[str], goals: Sequence[float]) -> list[dict[str, Any]]:
    rows = []
    for number, trial in enumerate(looked.trials):
        accuracy = trial.run.table["test_accuracy"].max().item()
        said = {"trial": number, "experiment": _said(trial.run.experiment), **trial.values}
        for goal in goals:
            spent = analysis.spent(trial.run, goal)[[*costs]].to_dict()
            rows.append(said | {"accuracy": accuracy, "goal": goal} | spent)
    return rows


def _said(experiment: Experiment) -> dict[str, Any]:
    """Return what differs from the defaults, as JSON values."""
    usual = Experiment().to_dict()
    return {name: v for name, v in experiment.to_dict().items() if v != usual[name]}


def _is_built(row: Mapping[str, Any], build: Callable[..., Experiment], space: Space) -> bool:
    """Whether ``build`` still gives the experiment that a row says."""
    try:
        return _said(build(**{name: row[name] for name in space})) == row["experiment"]
    except (InvalidValue, KeyError):
        return False


def _together(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return how runs of a search came about: what is alike is said once, with all its seconds."""
    facts: dict[str, dict[str, Any]] = {}
    for run in runs:
        fact = run.provenance | {"date": run.provenance["date"][:10]}
        fact["packages"] = fact["packages"] | {"optuna": version("optuna")}
        seconds = fact.pop("compute_seconds")
        kind = facts.setdefault(json.dumps(fact, sort_keys=True), fact | {"compute_seconds": 0})
        kind["compute_seconds"] = round(kind["compute_seconds"] + seconds, 3)
    return list(facts.values())


def _compute(
    measure: Callable[[int], list[dict[str, float]]], number: int
) -> tuple[pd.DataFrame, dict[str, Any]]:
    began = time.thread_time()
    rows = pd.DataFrame(measure(number))
    about = provenance(datasets.load("random-patterns:1,1"), time.thread_time() - began)
    return rows, about | {"dataset": "random patterns", "data_checksum": ""}


def _file(name: str, what: Mapping[str, Any]) -> str:
    told = json.dumps([name, what, SEMANTICS], sort_keys=True)
    return f"tables/{name}-{hashlib.sha256(told.encode()).hexdigest()[:16]}.json.gz"


def _found(file: str) -> tuple[pd.DataFrame, dict[str, Any]] | None:
    """Return what a file holds; None if there is none, or it is damaged."""
    for folder in filter(None, (paths.runs(), paths.published())):
        try:
            head, text = gzip.decompress(sharing.read_regular(folder / file)).split(b"\n", 1)
            about = json.loads(head)
            if about.pop("checksum") == hashlib.sha256(text).hexdigest():
                return pd.DataFrame(json.loads(text)), about
        except (OSError, ValueError, KeyError, EOFError, zlib.error):
            continue
    return None


def _keep(file: str, rows: pd.DataFrame, about: dict[str, Any]) -> None:
    path: Path = paths.runs() / file
    text = json.dumps(rows.to_dict("list")).encode()
    head = json.dumps(about | {"checksum": hashlib.sha256(text).hexdigest()})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        sharing.write_aside(path, gzip.compress(head.encode() + b"\n" + text, mtime=0))
    except OSError as error:
        raise RecordError(
            f"tables cannot be written to {path.parent}: {error.strerror};"
            " name another folder in $LAZYBOOK_RUNS"
        ) from None
