"""Runs, and the store that keeps one record of each, found by what was run."""

import hashlib
import io
import json
import os
import platform
import re
import subprocess
import tempfile
import warnings
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lazybook.datasets import Dataset
from lazybook.errors import InvalidValue, RecordError
from lazybook.experiment import Experiment
from lazybook.support import paths

# Raised when the same experiment may give another result than before, or a default of an experiment
# changes, so that older records are no longer found.
SEMANTICS = 1

# In the file of a record: the SHA-256 of the rest of the file.
SEAL = re.compile(rb"sealed:([0-9a-f]{64})")


class DamagedRecord(UserWarning):
    """A record that could not be read; its run is computed again."""


@dataclass(frozen=True)
class Run:
    """What one experiment gave.

    Attributes
    ----------
    experiment: what was run.
    table: one row a measurement, in time; columns as in `lazybook.trainers.measure`.
    arrays: further results: ``memory``, and what the experiment wanted recorded.
    provenance: how the results came about, see `provenance`.
    """

    experiment: Experiment
    table: pd.DataFrame
    arrays: dict[str, np.ndarray]
    provenance: dict[str, Any]

    @property
    def final(self) -> dict[str, float]:
        """The last measurement; of the training set the last one that was made."""
        whole = self.table[self.table["epoch"] % 1 == 0]
        return {
            name: (whole if name.startswith("train_") else self.table)[name].iloc[-1].item()
            for name in self.table
        }


def provenance(dataset: Dataset, compute_seconds: float) -> dict[str, Any]:
    """Return where, when and with what a run was made; it took ``compute_seconds`` of one core."""
    return {
        "dataset": dataset.name,
        "data_checksum": dataset.checksum,
        "semantics": SEMANTICS,
        "compute_seconds": round(compute_seconds, 3),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()}",
        "python": platform.python_version(),
        "packages": {name: version(name) for name in ("lazybook", "numpy", "numba", "torch")},
    }


class Store:
    """Run records in a folder: one Parquet file a run, named by a hash of what was run.

    ``root`` is written to; in ``published`` (a folder or None) records are only looked for.
    """

    def __init__(self, root: Path | None = None, published: Path | None = None) -> None:
        self.root = root or paths.runs()
        self.published = published if root else paths.published()

    def check_writable(self) -> None:
        """Raise RecordError if no record can be written."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.root):
                pass
        except OSError as error:
            raise self._unwritable(error) from None

    def find(self, experiment: Experiment, dataset: Dataset) -> Run | None:
        """Return the run of ``experiment`` on ``dataset``, or None if there is no record.

        A damaged record is passed over with the warning `DamagedRecord`, and set aside under
        another name unless it is a published one.
        """
        for folder in filter(None, (self.root, self.published)):
            path = folder / record_name(experiment, dataset)
            try:
                run = read(path)
                if run.experiment != experiment:
                    raise RecordError("it is the record of another experiment")
                return run
            except (FileNotFoundError, NotADirectoryError):
                continue
            except RecordError as error:
                fate = "it is left where it is"
                if folder == self.root:
                    aside = path.with_suffix(".damaged")
                    with suppress(FileNotFoundError):  # another process was faster
                        path.replace(aside)
                    fate = f"it is set aside as {aside.name}"
                warnings.warn(
                    f"run record {path} cannot be used: {error}; {fate} and the run is computed"
                    " again",
                    DamagedRecord,
                    stacklevel=2,
                )
        return None

    def save(self, run: Run, dataset: Dataset) -> Path:
        """Write the record of ``run`` and return its path; replaces an earlier record.

        Raises RecordError if it cannot be written.
        """
        path = self.root / record_name(run.experiment, dataset)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(run, path)
        except OSError as error:
            raise self._unwritable(error) from None
        return path

    def all(self) -> list[Path]:
        """Return the paths of all records, the published ones last."""
        folders = [self.root, *([self.published] if self.published else [])]
        return [path for folder in folders for path in sorted(folder.rglob("*.parquet"))]

    def named(self, name: str) -> Run:
        """Return the run whose record's name begins with ``name``.

        Raises InvalidValue if there is none or more than one, and RecordError if it is damaged.
        """
        found = {path.stem: path for path in reversed(self.all()) if path.stem.startswith(name)}
        if not found:
            raise InvalidValue(f"no record's name begins with {name!r}; see: lazybook runs list")
        if len(found) > 1:
            raise InvalidValue(
                f"{len(found)} records' names begin with {name!r}; give more of the name"
            )
        [path] = found.values()
        try:
            return read(path)
        except RecordError as error:
            raise RecordError(f"run record {path} cannot be used: {error}") from None

    def _unwritable(self, error: OSError) -> RecordError:
        return RecordError(
            f"run records cannot be written to {self.root}: {error.strerror};"
            " name another folder in $LAZYBOOK_RUNS"
        )


def record_name(experiment: Experiment, dataset: Dataset) -> str:
    """Return the file name of a record: a hash of the experiment, the data and `SEMANTICS`.

    Of the experiment only what differs from the defaults counts, so that a field that is added
    with a default that changes nothing leaves older records valid.
    """
    defaults = Experiment().to_dict()
    given = {name: v for name, v in experiment.to_dict().items() if v != defaults[name]}
    what = [given, dataset.checksum, SEMANTICS]
    digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
    return f"{experiment.dataset.partition(':')[0]}/{digest[:24]}.parquet"


def write(run: Run, path: Path) -> None:
    """Write ``run`` to ``path``: under a temporary name first, so that no half record is seen.

    Arrays are columns too: flat, in the last row, with their shapes in the file's metadata. So is
    the file's own checksum: Parquet's does not cover the metadata.
    """
    columns = pa.Table.from_pandas(run.table, preserve_index=False)
    for name, array in run.arrays.items():
        cells = [None] * (len(run.table) - 1) + [array.ravel()]
        kind = pa.list_(pa.from_numpy_dtype(array.dtype))
        columns = columns.append_column(f"array {name}", pa.array(cells, kind))
    facts = {
        "experiment": run.experiment.to_dict(),
        "provenance": run.provenance,
        "shapes": {name: array.shape for name, array in run.arrays.items()},
    }
    columns = columns.replace_schema_metadata()
    file = io.BytesIO()
    # Records are small and many; half of one would be dictionaries, statistics and a second schema.
    lean = {"use_dictionary": False, "write_statistics": False, "store_schema": False}
    with pq.ParquetWriter(file, columns.schema, compression="zstd", **lean) as writer:
        writer.write_table(columns)
        seal = f"sealed:{'0' * 64}"
        writer.add_key_value_metadata({"lazybook": json.dumps(facts), "lazybook-checksum": seal})
    contents = file.getvalue()
    temporary = path.with_suffix(f".{os.getpid()}.{id(run)}.tmp")
    try:
        temporary.write_bytes(SEAL.sub(b"sealed:" + _checksum(contents), contents))
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read(path: Path) -> Run:
    """Return the run recorded in ``path``.

    Raises FileNotFoundError or NotADirectoryError if there is no such file, and RecordError if it
    is truncated, altered or not a record.
    """
    try:
        contents = path.read_bytes()
        seal = SEAL.search(contents)
        if not seal or seal[1] != _checksum(contents):
            raise RecordError("it is truncated or altered")
        file = pq.ParquetFile(pa.BufferReader(contents))
        columns, facts = file.read(), json.loads(file.metadata.metadata[b"lazybook"])
        arrays = {}
        for name, shape in facts["shapes"].items():
            last = columns.column(f"array {name}")[-1].values
            arrays[name] = last.to_numpy(zero_copy_only=False).reshape(shape)
        table = columns.drop_columns([f"array {name}" for name in arrays]).to_pandas()
        experiment = Experiment.from_dict(facts["experiment"])
        return Run(experiment, table, arrays, facts["provenance"])
    except (FileNotFoundError, NotADirectoryError):
        raise
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{error}".splitlines()[0]) from None


def _checksum(contents: bytes) -> bytes:
    """Return the SHA-256 of a record, its seal left out, in hexadecimal digits."""
    return hashlib.sha256(SEAL.sub(b"", contents)).hexdigest().encode()


@cache
def _commit() -> str:
    """The commit of the source checkout, with ``+`` if files were changed since; else empty."""
    root = paths.repository()
    if root is None:
        return ""
    try:
        described = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"],
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return described.stdout.strip()


@cache
def _processor() -> str:
    """The processor's name, as far as the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
