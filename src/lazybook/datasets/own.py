"""Data sets of one's own: arrays and files that an experiment can learn like any other.

The samples are kept in the user's cache folder, in a file that their checksum names, so a name
means the same in every process of this user. A file there is like one that `from_file` reads.
"""

import os
import re
import warnings
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from lazybook.datasets import arrays
from lazybook.datasets.arrays import ARRAYS
from lazybook.datasets.samples import Dataset
from lazybook.errors import DataError, InvalidValue, LazybookWarning, told
from lazybook.support import machine, paths
from lazybook.support.sharing import open_regular, remove_leftovers, written_aside

HOW_TO_WRITE = f"np.savez(path, {', '.join(f'{name}=…' for name in ARRAYS)})"


class NotKept(LazybookWarning):
    """Own data could not be written to the cache folder; only this process knows them."""


def from_arrays(
    name: str, inputs: object, labels: object, test_inputs: object, test_labels: object
) -> str:
    """Make a data set of your own arrays; return the name that `load` and experiments know it by.

    The name returned is ``name``, a colon and the first 12 digits of a SHA-256 of the samples, as
    in ``leaves:3f2a90c1b7de``. The samples are kept under it in the user's cache folder, so it is
    known to other processes too; where they cannot be kept, a warning `NotKept` says so.

    Parameters
    ----------
    name: says what it is: letters, digits and hyphens, such as ``leaves``.
    inputs, test_inputs: numbers of any type, of shape ``(n, …)``: images and the like are
        flattened. ``uint8`` are pixels, which a network gets as numbers from 0 to 1, like those of
        ``mnist``; all others it gets as they are, in float32. Small ones learn best: scale them to
        about 1.
    labels, test_labels: the class of each sample, of shape ``(n,)``: whole numbers from 0. As many
        classes as there are to train with; each needs a training sample.

    Raises InvalidValue for another word, or for arrays that are not like this.
    """
    arrays.check_word("name", name)
    given = (inputs, labels, test_inputs, test_labels)
    known = arrays.make(name, dict(zip(ARRAYS, given, strict=True)))
    _keep(arrays.made[known])
    return known


def from_file(path: str | os.PathLike) -> str:
    """Make a data set of your own file; return the name that `load` and experiments know it by.

    As `from_arrays` with the file's arrays ``inputs``, ``labels``, ``test_inputs`` and
    ``test_labels``, and the letters and digits of the file's name: of ``leaves_2.npz`` it is
    ``leaves-2:3f2a90c1b7de``, wherever the file lies. ``np.savez`` and ``np.savez_compressed``
    write such files. They cannot run anything: pickled objects are refused.

    Raises InvalidValue for what is no path, DataError for what is no such file or cannot be read.
    """
    try:
        path = Path(path).expanduser()
    except (TypeError, RuntimeError):  # no path, or of someone who has no home
        raise InvalidValue(f"path is {told(path)}; it must be that of a file, *.npz") from None
    word = re.sub("[^A-Za-z0-9]+", "-", path.stem).strip("-")
    word = (word if re.match("[A-Za-z]", word) else f"data-{word}")[:64].strip("-")
    known = _read(path, word)
    _keep(arrays.made[known])
    return known


def named(dataset: object) -> object:
    """Return the name of what may be given by the path of its file, ``*.npz``, too.

    Raises DataError if it is such a path, but not of a file of samples.
    """
    is_path = isinstance(dataset, os.PathLike)
    if is_path or (isinstance(dataset, str) and dataset.lower().endswith(".npz")):
        return from_file(dataset)
    return dataset


def is_kept(name: str) -> bool:
    """Whether there is a file of the data set of this name in the user's cache folder."""
    with suppress(OSError):  # a folder that may not be looked into
        return bool(re.fullmatch(f"{arrays.WORD}:[0-9a-f]{{12}}", name)) and _place(name).is_file()
    return False


def read_kept(name: str) -> Dataset:
    """Return the data set that is kept under ``name``; raise DataError if its file is damaged."""
    path = _place(name)
    found = _read(path, name.partition(":")[0])
    if found != name:
        raise DataError(f"{path} is altered; delete it, and make {name} again of your arrays")
    return arrays.made[name]


def _place(name: str) -> Path:
    word, _, checksum = name.partition(":")
    return paths.cache() / "own" / word / f"{checksum}.npz"


def _keep(dataset: Dataset) -> None:
    """Write a data set that was made of arrays to its file, if it is not there yet."""
    if is_kept(dataset.name):
        return
    path, train, test = _place(dataset.name), dataset.train, dataset.test
    kept = (train.values, train.labels, test.values, test.labels)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path.parent)
        with written_aside(path) as file:
            np.savez(file, **dict(zip(ARRAYS, kept, strict=True)))
    except OSError as error:
        warnings.warn(
            f"{dataset.name} is known to this process only: it cannot be kept in {path.parent}:"
            f" {error.strerror}",
            NotKept,
            stacklevel=3,
        )


def _read(path: Path, word: str) -> str:
    """Make a data set of a file's arrays; return its name, or raise DataError."""
    try:
        with open_regular(path) as file:
            held = _arrays(file)
        return arrays.make(word, held)
    except InvalidValue as error:
        raise DataError(f"{path}: {error}") from None
    except (OSError, ValueError) as error:  # a null character is in no path
        raise DataError(
            f"cannot read {path}: {getattr(error, 'strerror', None) or error}"
        ) from error


def _arrays(file: BinaryIO) -> dict[str, np.ndarray]:
    """Return the arrays in an open file; raise InvalidValue that says what is wrong."""
    try:
        with np.load(file, allow_pickle=False) as archive:
            missing = [name for name in ARRAYS if name not in archive.files]
            if missing:
                there = ", ".join(map(told, archive.files)) or "nothing"
                raise InvalidValue(f"it lacks {', '.join(missing)}: it has {there}")
            needed = sum(archive.zip.getinfo(f"{name}.npy").file_size for name in ARRAYS)
            if needed > machine.memory():
                raise InvalidValue(
                    f"its arrays take {needed / 1e9:.1f} GB of memory, and this process can have"
                    f" {machine.memory() / 1e9:.1f} GB"
                )
            return {name: archive[name] for name in ARRAYS}
    except (InvalidValue, OSError):
        raise
    except Exception as error:  # zipfile, zlib and NumPy have a dozen kinds for a wrong file
        raise InvalidValue(
            f"it holds no arrays of numbers; write it with {HOW_TO_WRITE}"
        ) from error
