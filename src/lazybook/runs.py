"""Runs, and the store that keeps one record of each, found by what was run."""

import hashlib
import json
import os
import platform
import subprocess
import warnings
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

from lazybook import paths
from lazybook.datasets import Dataset
from lazybook.errors import RecordError
from lazybook.experiment import Experiment

# Raised when the same experiment may give another result than before, so that older records are
# no longer found.
SEMANTICS = 1


class DamagedRecord(UserWarning):
    """A record that could not be read; it was set aside and its run is computed again."""


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
        """The last measurement, with the last known values where something was not measured."""
        return {name: column.ffill().iloc[-1].item() for name, column in self.table.items()}


def provenance(dataset: Dataset, compute_seconds: float) -> dict[str, Any]:
    """Return where, when and with what a run was made; ``compute_seconds`` is its wall time."""
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
            probe = self.root / f".probe-{os.getpid()}"
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise RecordError(
                f"run records cannot be written to {self.root}: {error.strerror};"
                " name another folder in $LAZYBOOK_RUNS"
            ) from None

    def find(self, experiment: Experiment, dataset: Dataset) -> Run | None:
        """Return the run of ``experiment`` on ``dataset``, or None if there is no record.

        A damaged record is set aside under another name, with the warning `DamagedRecord`.
        """
        for folder in (self.root, self.published):
            path = folder and folder / record_name(experiment, dataset)
            if path and path.is_file():
                try:
                    run = read(path)
                    if run.experiment != experiment:
                        raise RecordError(f"it holds another experiment, {run.experiment}")
                    return run
                except RecordError as error:
                    aside = path.with_suffix(".damaged")
                    path.replace(aside)
                    warnings.warn(
                        f"run record {path} is damaged ({error}); it is set aside as"
                        f" {aside.name} and the run is computed again",
                        DamagedRecord,
                        stacklevel=2,
                    )
        return None

    def save(self, run: Run, dataset: Dataset) -> Path:
        """Write the record of ``run`` and return its path; replaces an earlier record."""
        path = self.root / record_name(run.experiment, dataset)
        path.parent.mkdir(parents=True, exist_ok=True)
        write(run, path)
        return path

    def all(self) -> list[Path]:
        """Return the paths of all records, the published ones last."""
        folders = [self.root, *([self.published] if self.published else [])]
        return [path for folder in folders for path in sorted(folder.rglob("*.parquet"))]


def record_name(experiment: Experiment, dataset: Dataset) -> str:
    """Return the file name of a record: a hash of the experiment, the data and `SEMANTICS`."""
    what = [experiment.to_dict(), dataset.checksum, SEMANTICS]
    digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
    return f"{experiment.dataset.replace(':', '-')}/{digest[:24]}.parquet"


def write(run: Run, path: Path) -> None:
    """Write ``run`` to ``path``: under a temporary name first, so that no half record is seen.

    Arrays are columns too: flat, in the last row, with their shapes in the file's metadata.
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
    columns = columns.replace_schema_metadata({"lazybook": json.dumps(facts)})
    temporary = path.with_suffix(f".{os.getpid()}.{id(run)}.tmp")
    try:
        pq.write_table(columns, temporary, compression="zstd", write_page_checksum=True)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def read(path: Path) -> Run:
    """Return the run recorded in ``path``.

    Raises RecordError if the file is truncated, altered or not a record.
    """
    try:
        columns = pq.read_table(path, page_checksum_verification=True)
        facts = json.loads(columns.schema.metadata[b"lazybook"])
        arrays = {}
        for name, shape in facts["shapes"].items():
            last = columns.column(f"array {name}")[-1].values
            arrays[name] = last.to_numpy(zero_copy_only=False).reshape(shape)
        table = columns.drop_columns([f"array {name}" for name in arrays]).to_pandas()
        experiment = Experiment.from_dict(facts["experiment"])
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as error:
        raise RecordError(f"{path}: {error}".splitlines()[0]) from None
    return Run(experiment, table, arrays, facts["provenance"])


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
