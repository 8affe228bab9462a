"""Tables of what was measured of one pattern set after another, kept as runs are.

What a notebook measures of a set is determined by its settings and the set, so it is found by a
hash of them: in one's own run folder, or among the published records. It is computed if it is not
there, and kept. A file is two lines of JSON, packed: how the table came about, and its columns.
"""

import gzip
import hashlib
import json
import time
import zlib
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from lazybook import datasets
from lazybook.errors import RecordError
from lazybook.runs import SEMANTICS, provenance
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
