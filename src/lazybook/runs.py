"""Runs, and the store that keeps one record of each, found by what was run."""

import errno
import hashlib
import io
import json
import math
import os
import platform
import re
import subprocess
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lazybook import datasets, networks
from lazybook.datasets import Dataset, Facts
from lazybook.errors import InvalidValue, LazybookWarning, RecordError
from lazybook.experiment import Experiment
from lazybook.support import paths, sharing

if TYPE_CHECKING:  # a second that nobody needs to wait for who only looks what there is
    import pandas as pd

# Raised when the same experiment may give another result than before, or a default of an experiment
# changes, so that older records are no longer found.
SEMANTICS = 1

# In the file of a record: the SHA-256 of the rest of the file.
SEAL = re.compile(rb"sealed:([0-9a-f]{64})")


LAYERS = ("hidden", "output")  # in the names of arrays


class DamagedRecord(LazybookWarning):
    """A record whose contents are wrong; its run is computed again."""


class RecordLeftAlone(LazybookWarning):
    """A record that cannot be read, or not be replaced, such as another user's."""


class DivergedRun(LazybookWarning):
    """A run whose loss or weights stopped being finite; what it gave is no result."""


@dataclass(frozen=True)
class Run:
    """What one experiment gave.

    Attributes
    ----------
    experiment: what was run.
    table: one row a measurement, in time; columns as in `lazybook.trainers.measure`.
    arrays: further results: ``memory``, and what the experiment wanted recorded.
    provenance: how the results came about, see `provenance`.
    diverged: whether it ended because loss or weights stopped being finite.
    """

    experiment: Experiment
    table: "pd.DataFrame"
    arrays: dict[str, np.ndarray]
    provenance: dict[str, Any]
    diverged: bool = False

    @property
    def final(self) -> dict[str, float]:
        """The last measurement; of the training set the last one that was made."""
        rows = _last_rows(self.table, list(self.table["epoch"]))
        return {name: self.table[name].iloc[row].item() for name, row in rows.items()}

    @property
    def weights(self) -> list[np.ndarray]:
        """The weights at the end, float32 ``[from, to]`` with the bias row, a layer each.

        Raises InvalidValue unless the experiment has ``"weights"`` in its ``record``.
        """
        names = [f"weights_{layer}" for layer in LAYERS]
        kept = [self.arrays[name] for name in names if name in self.arrays]
        if not kept:
            raise InvalidValue(
                "the weights of this run were not kept; run its experiment with record=('weights',)"
            )
        return kept

    def outputs(self, inputs: np.ndarray) -> np.ndarray:
        """Return the outputs of the network that was learned, float32 ``(n, outputs)``.

        ``inputs`` are of shape ``(n, inputs)``, prepared as those it learned from: see
        `lazybook.datasets.Split.inputs`, and `Dataset.zero_mean` if the experiment has that.

        Raises InvalidValue if weights were not kept, or for inputs of another shape.
        """
        layers, bias = self.weights, self.experiment.bias != "none"
        values = np.asarray(inputs, dtype=np.float32)
        expected = len(layers[0]) - bias
        if values.ndim != 2 or values.shape[1] != expected:
            raise InvalidValue(f"inputs are of shape {values.shape}; it must be (n, {expected})")
        return networks.outputs(layers, values, self.experiment.activation, bias)

    def predict(self, inputs: np.ndarray) -> np.ndarray:
        """Return the class of each of the ``inputs``, int64 ``(n,)``; see `outputs`."""
        outputs = self.outputs(inputs)
        if outputs.shape[1] == 1:
            return (outputs[:, 0] > 0).astype(np.int64)
        return outputs.argmax(axis=1)


def model(run: Run, dataset: Dataset) -> dict[str, np.ndarray]:
    """Return what it takes to use the network that ``run`` learned on ``dataset`` with NumPy alone.

    Arrays of numbers and text, which `numpy.savez` writes and `numpy.load` reads without pickle:
    ``weights_hidden`` (a perceptron has none) and ``weights_output`` as in `Run.weights`; ``bias``,
    whether their last row is one; ``activation`` and a rectifier's ``slope`` below 0; the number of
    ``classes``; ``scale`` and ``offset``, see `lazybook.datasets.Split`; and ``experiment``, as
    JSON.

    Raises InvalidValue if weights were not kept.
    """
    layers, experiment = run.weights, run.experiment
    samples = (dataset.zero_mean() if experiment.zero_mean else dataset).test
    facts = {
        "bias": np.bool_(experiment.bias != "none"),
        "activation": np.str_(experiment.activation),
        "classes": np.int64(dataset.classes),
        "scale": np.float32(samples.scale),
        "offset": np.float32(samples.offset),
        "experiment": np.str_(json.dumps(experiment.to_dict())),
    }
    if experiment.activation != "logistic":
        facts["slope"] = np.float32(networks.leak(experiment.activation))
    names = [f"weights_{layer}" for layer in LAYERS[-len(layers) :]]
    return dict(zip(names, layers, strict=True)) | {k: np.asarray(v) for k, v in facts.items()}


@dataclass(frozen=True)
class Summary:
    """What can be told of a record without reading all of it; see `Run`."""

    experiment: Experiment
    final: dict[str, float]
    provenance: dict[str, Any]
    diverged: bool


def provenance(dataset: Dataset, compute_seconds: float) -> dict[str, Any]:
    """Return where, when and with what a run on ``dataset`` was made.

    It took ``compute_seconds`` of one core.
    """
    return {
        "dataset": dataset.name,
        "data_checksum": dataset.checksum,
        "semantics": SEMANTICS,
        "compute_seconds": round(compute_seconds, 3),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": f"{_processor()}, {os.cpu_count()} cores, {platform.system()}",
        "python": platform.python_version(),
        "packages": packages(),
    }


class Store:
    """Run records in a folder: one Parquet file a run, named by a hash of what was run.

    ``root`` is written to; in ``published`` (a folder or None) records are only looked for.
    What cannot be read is passed over and left alone, as is what others do not let be replaced.

    Raises InvalidValue if ``root`` is a file.
    """

    def __init__(self, root: Path | None = None, published: Path | None = None) -> None:
        self.root = Path(root) if root else paths.runs()
        self.published = published if root else paths.published()
        self._told: set[str] = set()  # what was warned of
        with suppress(OSError):  # a mount whose server is gone; to be found out when it is used
            if self.root.is_file():
                raise InvalidValue(f"the run store is {self.root}, a file; it must be a folder")

    def check_writable(self, records: Iterable[Path] = (), room: int = 0) -> None:
        """Raise RecordError unless ``records`` can be written, ``room`` bytes in all.

        What killed processes left half written beside them is removed.
        """
        for folder in {path.parent for path in records} or {self.root}:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                sharing.remove_leftovers(folder)
                with tempfile.TemporaryFile(dir=folder) as file:
                    _occupy(file.fileno(), room)
            except OSError as error:
                raise self._unwritable(folder, error) from None

    def path(self, experiment: Experiment, dataset: Dataset | Facts) -> Path:
        """Return where the record of ``experiment`` on ``dataset`` is written."""
        return self.root / record_name(experiment, dataset)

    def find(self, experiment: Experiment, dataset: Dataset | Facts) -> Run | None:
        """Return the run of ``experiment`` on ``dataset``, or None if there is no record.

        A damaged record is passed over with the warning `DamagedRecord`, and set aside under
        another name unless it is a published one; one that cannot be read with `RecordLeftAlone`.
        """
        for folder in filter(None, (self.root, self.published)):
            path = folder / record_name(experiment, dataset)
            try:
                run = _run(_contents(path))
                if run.experiment != experiment:
                    raise RecordError("it is the record of another experiment")
                return run
            except (FileNotFoundError, NotADirectoryError):
                continue
            except RecordError as error:
                fate = _set_aside(path) if folder == self.root else "it is left where it is"
                warnings.warn(
                    f"run record {path} cannot be used: {error}; {fate} and the run is computed"
                    " again",
                    DamagedRecord,
                    stacklevel=2,
                )
            except OSError as error:
                # Of a folder that cannot be looked into, one warning is enough.
                what = path if os.access(path.parent, os.X_OK) else f"folder {path.parent}"
                fate = ", and no other is kept in its place" if folder == self.root else ""
                self._say_left_alone(
                    f"run record {what} cannot be read: {error.strerror}; it is left alone{fate}"
                )
        return None

    def save(self, run: Run, dataset: Dataset | Facts) -> Path:
        """Write the record of ``run`` on ``dataset``; return its path. Replaces an earlier record.

        An earlier one that cannot be read is left alone; so is one that others do not let be
        replaced, with the warning `RecordLeftAlone`. Raises RecordError if it cannot be written.
        """
        path = self.path(run.experiment, dataset)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not _is_left_alone(path):
                write(run, path)
        except PermissionError as error:
            if not os.path.lexists(path):
                raise self._unwritable(path.parent, error) from None
            self._say_left_alone(
                f"run record {path} cannot be replaced: {error.strerror}; it is left alone, and"
                " what was computed is not kept"
            )
        except OSError as error:
            raise self._unwritable(path.parent, error) from None
        return path

    def all(self) -> list[Path]:
        """Return the paths of all records, the published ones last.

        Raises RecordError if a folder cannot be looked into.
        """
        found = []
        for folder in filter(None, (self.root, self.published)):
            try:
                found += sorted(folder.glob("*/*.parquet"))
            except OSError as error:
                raise RecordError(
                    f"run records in {folder} cannot be listed: {error.strerror}"
                ) from None
        return found

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

    def _unwritable(self, folder: Path, error: OSError) -> RecordError:
        return RecordError(
            f"run records cannot be written to {folder}: {error.strerror};"
            " name another folder in $LAZYBOOK_RUNS"
        )

    def _say_left_alone(self, message: str) -> None:
        if message not in self._told:  # a sweep looks again and again
            self._told.add(message)
            warnings.warn(message, RecordLeftAlone, stacklevel=3)


def record_name(experiment: Experiment, dataset: Dataset | Facts) -> str:
    """Return the file name of a record: a hash of the experiment, the data and `SEMANTICS`.

    Of the experiment only what differs from the defaults counts, so that a field that is added
    with a default that changes nothing leaves older records valid. One that comes after another
    goes by the name of that one's record, and so by the whole chain; further test sets count with
    their checksums.

    Raises InvalidValue if such another data set is unknown.
    """
    defaults = Experiment().to_dict()
    given = {name: v for name, v in experiment.to_dict().items() if v != defaults[name]}
    if before := experiment.after:
        given["after"] = record_name(before, datasets.facts(before.dataset))
    if experiment.also_test:
        given["also_test"] = {name: datasets.facts(name).checksum for name in experiment.also_test}
    what = [given, dataset.checksum, SEMANTICS]
    digest = hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()
    folder, *_ = re.split("[:/]", experiment.dataset)
    return f"{folder}/{digest[:24]}.parquet"


def write(run: Run, path: Path) -> None:
    """Write ``run`` to ``path``; nobody sees half a record. Raises OSError.

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
        "diverged": run.diverged,
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
    sharing.write_aside(path, SEAL.sub(b"sealed:" + _checksum(contents), contents))


def read(path: Path) -> Run:
    """Return the run recorded in ``path``.

    Raises FileNotFoundError or NotADirectoryError if there is no such file, and RecordError if it
    cannot be read, or is truncated, altered or not a record.
    """
    return _run(_readable_contents(path))


def summary(path: Path) -> Summary:
    """Return what is told of the record in ``path``, several times faster than `read`.

    Raises the same errors: the whole file is checked.
    """
    contents = _readable_contents(path)
    with _judged():
        file, facts = _unpack(contents)
        names = [name for name in file.schema_arrow.names if not name.startswith("array ")]
        table = file.read(columns=names, use_threads=False)
        rows = _last_rows(names, table.column("epoch").to_pylist())
        final = {name: table.column(name)[row].as_py() for name, row in rows.items()}
        final = {name: math.nan if value is None else value for name, value in final.items()}
        experiment = Experiment.from_dict(facts["experiment"])
        return Summary(experiment, final, facts["provenance"], facts.get("diverged", False))


def _run(contents: bytes) -> Run:
    with _judged():
        file, facts = _unpack(contents)
        columns, arrays = file.read(), {}
        for name, shape in facts["shapes"].items():
            last = columns.column(f"array {name}")[-1].values
            arrays[name] = last.to_numpy(zero_copy_only=False).reshape(shape)
        table = columns.drop_columns([f"array {name}" for name in arrays]).to_pandas()
        experiment = Experiment.from_dict(facts["experiment"])
        return Run(experiment, table, arrays, facts["provenance"], facts.get("diverged", False))


def _unpack(contents: bytes) -> tuple[pq.ParquetFile, dict[str, Any]]:
    """Return the table in the bytes of a record, not yet read, and what is said beside it."""
    seal = SEAL.search(contents)
    if not seal or seal[1] != _checksum(contents):
        raise RecordError("it is truncated or altered")
    file = pq.ParquetFile(pa.BufferReader(contents))
    return file, json.loads(file.metadata.metadata[b"lazybook"])


@contextmanager
def _judged() -> Iterator[None]:
    """Let bytes that are no record raise RecordError."""
    try:
        yield
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError) as error:
        raise RecordError((str(error) or type(error).__name__).splitlines()[0]) from None


def _contents(path: Path) -> bytes:
    """Return the bytes of a record.

    Raises FileNotFoundError or NotADirectoryError if nothing has that name, else another OSError.
    """
    try:
        return sharing.read_regular(path)
    except FileNotFoundError:
        if path.is_symlink():
            raise OSError(errno.EINVAL, "a link to a file that is missing") from None
        raise


def _readable_contents(path: Path) -> bytes:
    try:
        return _contents(path)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise RecordError(f"it cannot be read: {error.strerror}") from None


def _is_left_alone(path: Path) -> bool:
    """Whether ``path`` is the name of something that cannot be read."""
    try:
        sharing.open_regular(path).close()
    except OSError:
        return os.path.lexists(path)
    return False


def _set_aside(path: Path) -> str:
    """Give a damaged record another name; return what became of it."""
    aside = path.with_suffix(".damaged")
    try:
        path.replace(aside)
    except FileNotFoundError:  # another process was faster
        pass
    except OSError as error:
        return f"it cannot be set aside ({error.strerror})"
    return f"it is set aside as {aside.name}"


def _occupy(file: int, room: int) -> None:
    """Give an empty file so many bytes; raises OSError if there are not as many left."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, max(room, 1))
    else:
        os.write(file, bytes(min(room, 1 << 20)))  # a part of it: this takes time


def _last_rows(names: Iterable[str], epochs: Sequence[float]) -> dict[str, int]:
    """Return the number of each column's last row: of training columns, of the last whole epoch."""
    last = len(epochs) - 1
    whole = max(row for row, epoch in enumerate(epochs) if epoch % 1 == 0)
    return {name: whole if name.startswith("train_") else last for name in names}


def _checksum(contents: bytes) -> bytes:
    """Return the SHA-256 of a record, its seal left out, in hexadecimal digits."""
    return hashlib.sha256(SEAL.sub(b"", contents)).hexdigest().encode()


@cache
def _commit() -> str:
    """The commit of the source checkout, with ``+`` if files were changed since; else empty.

    Only the checkout's own: Git is told where it lies, so it does not look for one around it, nor
    in the environment, nor does it mind whose it is.
    """
    root = paths.SOURCE if paths.project() else None
    if root is None or not (root / ".git").exists():
        return ""
    environment = {name: v for name, v in os.environ.items() if not name.startswith("GIT_")}
    try:
        described = subprocess.run(
            [
                *("git", f"--git-dir={root / '.git'}", f"--work-tree={root}"),
                *("describe", "--always", "--dirty=+", "--abbrev=12", "--exclude=*"),
            ],
            cwd=root,
            env=environment | {"GIT_OPTIONAL_LOCKS": "0"},
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return described.stdout.strip()


def packages() -> dict[str, str]:
    """Return the versions of what a run may depend on, as far as it is installed."""
    found = {"lazybook": paths.project().get("version", "unknown")}
    for name in ("lazybook", "numpy", "numba", "torch"):
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


@cache
def _processor() -> str:
    """The processor's name, as far as the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
