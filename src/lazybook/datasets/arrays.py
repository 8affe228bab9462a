"""Data sets that are derived from others, and known to the process that made them."""

import hashlib
import math
import re

import numpy as np

from lazybook.datasets.samples import Dataset, Split
from lazybook.errors import InvalidValue, check_number, check_whole, told

made: dict[str, Dataset] = {}  # by name


def derived(word: str, train: Split, test: Split, classes: int = 10) -> str:
    """Make samples that were derived from other data known to `load`; return their name.

    For what a notebook makes of a data set, such as a part of it. The name is ``word``, a colon
    and the first 12 digits of the SHA-256 of the samples, so it stands for one set of samples,
    wherever it was made; and it is known only to the process that made it.

    Parameters
    ----------
    word: says what it is: letters and hyphens, such as ``few-sevens``.
    train, test: the samples, whose arrays can no longer be written to.
    classes: number of classes.

    Raises
    ------
    InvalidValue: not such a word, or samples that no network could learn.
    """
    if not (isinstance(word, str) and re.fullmatch(r"[A-Za-z][A-Za-z-]*", word)):
        raise InvalidValue(
            f"word is {told(word)}; it must be of letters and hyphens, as in few-sevens"
        )
    check_whole("classes", classes, least=1)
    contents = hashlib.sha256()
    for half, split in (("train", train), ("test", test)):
        _check(half, split, classes)
        for array in (split.values, split.labels):
            array.setflags(write=False)
            contents.update(f"{array.dtype.str} {array.shape}".encode())
            contents.update(np.ascontiguousarray(array))
        contents.update(f"{float(split.scale)!r} {float(split.offset)!r} {classes}".encode())
    if train.values.shape[1] != test.values.shape[1]:
        raise InvalidValue(
            f"train has {train.values.shape[1]} inputs and test {test.values.shape[1]}; the numbers"
            " must be equal"
        )
    checksum = contents.hexdigest()
    name = f"{word}:{checksum[:12]}"
    made.setdefault(name, Dataset(name, train, test, classes, checksum))
    return name


def _check(half: str, split: Split, classes: int) -> None:
    """Raise InvalidValue unless a network of so many outputs can learn ``split``."""
    if not (
        isinstance(split, Split)
        and isinstance(split.values, np.ndarray)
        and isinstance(split.labels, np.ndarray)
    ):
        raise InvalidValue(f"{half} is {told(split)}; it must be a Split of two arrays")
    values, labels = split.values, split.labels
    if not (
        values.dtype in (np.uint8, np.float32)
        and labels.dtype == np.int64
        and (values.ndim, labels.ndim) == (2, 1)
        and len(values) == len(labels)
        and values.size > 0
        and 0 <= labels.min() <= labels.max() < classes
        and np.isfinite(values).all()
    ):
        raise InvalidValue(
            f"{half} has values of {values.dtype} {values.shape} and labels of {labels.dtype}"
            f" {labels.shape}; there must be values of uint8 or float32 (n, inputs), all finite,"
            f" and labels of int64 (n,) from 0 to {classes - 1}, n and inputs at least 1"
        )
    for field, value in (("scale", split.scale), ("offset", split.offset)):
        check_number(f"{half}'s {field}", value, "a finite number", math.isfinite)
