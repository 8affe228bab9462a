"""What commands print, and the files that they are told to write."""

import errno
import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer
from rich.console import Console, RenderableType
from rich.table import Column, Table

from lazybook.errors import InvalidValue, RecordError
from lazybook.support import sharing, streams

if TYPE_CHECKING:
    import pandas as pd

    from lazybook.runs import Run, Summary

LEAST_WIDTH = 60  # columns of a table, however narrow the terminal says it is

STDOUT = "-"  # in place of the name of a file

Json = Annotated[bool, typer.Option("--json", help="print JSON, for machines")]
Jobs = Annotated[int | None, typer.Option(help="experiments at a time; default: one a core")]
Fresh = Annotated[bool, typer.Option("--fresh", help="compute again what is in the run store")]
Scheduler = Annotated[
    str | None,
    typer.Option(metavar="ADDRESS", help="of a Dask scheduler, whose workers compute the runs"),
]
Csv = Annotated[
    str | None,
    typer.Option("--csv", metavar="FILE", help=f"write CSV, for spreadsheets; {STDOUT}: print it"),
]


class File:
    """A file that a command is to write at its end; that it can be is checked before any work.

    Raises InvalidValue if ``path``, of the option ``name``, is no name of a file that can be
    written, or does not end in ``suffix``.
    """

    def __init__(self, name: str, path: str, suffix: str = "") -> None:
        if not path.endswith(suffix) or not Path(path).name or "\0" in path:
            end = f" that ends in {suffix}" if suffix else ""
            raise InvalidValue(f"{name} is {path!r}; it must be the name of a file{end}")
        try:
            # A link goes on to lead to what is written.
            self.path = Path(path).expanduser().resolve()
            if self.path.exists():
                if not self.path.is_file():  # a folder, or a device that would be replaced
                    raise OSError(errno.EINVAL, "it is not a regular file")
                if not os.access(self.path, os.W_OK):
                    raise PermissionError(errno.EACCES, "it may not be written")
            aside = sharing.temporary(self.path)  # whose name is longer
            aside.touch(exist_ok=False)
            aside.unlink()
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InvalidValue(f"{name} is {path!r}, which cannot be written: {reason}") from None

    def write(self, fill: Callable[[BinaryIO], Any]) -> None:
        """Have the file filled under another name first; raises RecordError."""
        try:
            with sharing.written_aside(self.path) as file:
                fill(file)
        except OSError as error:
            raise RecordError(f"{self.path} cannot be written: {error.strerror}") from None


class CsvFile:
    """Where a command's table is to go as CSV: None, the name of a file, or `STDOUT`.

    Raises InvalidValue as `File`, or if both CSV and JSON are to be printed.
    """

    def __init__(self, path: str | None, as_json: bool) -> None:
        self.wanted, self.printed = path is not None, path == STDOUT
        if self.printed and as_json:
            raise InvalidValue(f"--csv {STDOUT} and --json would both be printed; choose one")
        self.file = File("csv", path) if self.wanted and not self.printed else None

    def write(self, table: "pd.DataFrame") -> None:
        """Write ``table``, if it is wanted."""
        if self.wanted:
            if "hidden" in table:  # whole numbers, or none
                table = table.astype({"hidden": "Int64"})
            text = table.to_csv(index=False, lineterminator="\n")
            if self.file:
                self.file.write(lambda file: file.write(text.encode()))
            else:
                with streams.printing():
                    print(text, end="")


def show(*what: RenderableType) -> None:
    """Print tables and text on stdout as they are: nothing in a name or a path is markup."""
    console = Console(markup=False, emoji=False)
    console.width = max(console.width, LEAST_WIDTH)
    with streams.printing():
        console.print(*what)


def print_json(value: Any) -> None:
    """Print ``value`` as JSON on stdout."""
    with streams.printing():
        print(json.dumps(_finite(value), allow_nan=False, default=str))


def _finite(value: Any) -> Any:
    """Return ``value`` with null in place of nan and infinity, which JSON does not know."""
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def table(*columns: str, **looks: Any) -> Table:
    """Return an empty table, in which words that are too long go on in the next line."""
    return Table(*(Column(name, overflow="fold") for name in columns), **looks)


def number(value: float) -> str:
    """Return how a measurement is shown."""
    return f"{value:,.0f}" if 1e4 <= value < 1e15 else f"{value:.4g}"


def facts(title: str, facts: dict[str, Any]) -> Table:
    """Return a table of names and what belongs to them."""
    rows = table(title, "", box=None)
    for name, value in facts.items():
        rows.add_row(name, str(value))
    return rows


def measured(run: "Run") -> Table:
    """Return a table of the last measurement of a run."""
    found = {name: number(value) for name, value in run.final.items()}
    return facts("at the end", found | ({"diverged": "yes"} if run.diverged else {}))


def run_as_json(run: "Run | Summary") -> dict[str, Any]:
    """Return what JSON says of a run."""
    return {
        "experiment": run.experiment.to_dict(),
        "final": run.final,
        "diverged": run.diverged,
        "provenance": run.provenance,
    }
