"""Data sets that are made of arrays: what is checked, and what they are called."""

import hashlib
import math
import re
from collections.abc import Mapping

import numpy as np

from lazybook.datasets.samples import Dataset, Split, shared_split
from lazybook.errors import LARGEST, InvalidValue, check_number, check_whole, told

WORD = r"[A-Za-z][A-Za-z0-9-]{,63}"
ARRAYS = ("inputs", "labels", "test_inputs", "test_labels")
HOW_TO_NUMBER = "np.unique(labels, return_inverse=True) numbers them"

made: dict[str, Dataset] = {}  # by name


def derived(word: str, train: Split, test: Split, classes: int = 10) -> str:
    """Make samples that were derived from other data known to `load`; return their name.

    For what a notebook makes of a data set, such as a part of it. The name is ``word``, a colon
    and the first 12 digits of the SHA-256 of the samples, so it stands for one set of samples,
    wherever it was made; and it is known only to the process that made it.

    Parameters
    ----------
    word: says what it is: letters, digits and hyphens, such as ``few-sevens``.
    train, test: the samples, whose arrays can no longer be written to.
    classes: number of classes.

    Raises
    ------
    InvalidValue: not such a word, or samples that no network could learn.
    """
    check_word("word", word)
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


def receive(dataset: Dataset) -> None:
    """Let `lazybook.datasets.load` know a data set that another process has sent."""
    for split in (dataset.train, dataset.test):
        for array in (split.values, split.labels):
            array.setflags(write=False)
    made.setdefault(dataset.name, dataset)


def make(word: str, arrays: Mapping[str, object]) -> str:
    """Make a data set of `ARRAYS`, see `lazybook.datasets.from_arrays`; return its name.

    Raises InvalidValue for arrays that no network could learn.
    """
    inputs, labels, test_inputs, test_labels = (_array(name, arrays[name]) for name in ARRAYS)
    if (inputs.dtype == np.uint8) != (test_inputs.dtype == np.uint8):
        raise InvalidValue(
            f"inputs are of {inputs.dtype} and test_inputs of {test_inputs.dtype}; both must be"
            " pixels (uint8) or neither"
        )
    train, test = (
        shared_split(
            _values(f"{half}inputs", values),
            _classes(f"{half}labels", numbers, len(values)),
            scale=1 / 255 if values.dtype == np.uint8 else 1.0,
        )
        for half, values, numbers in (("", inputs, labels), ("test_", test_inputs, test_labels))
    )
    if train.values.shape[1] != test.values.shape[1]:
        raise InvalidValue(
            f"inputs are of shape {inputs.shape} and test_inputs of {test_inputs.shape}; they must"
            " be alike but for the number of samples"
        )
    present = np.unique(train.labels)
    if len(present) == 1:
        raise InvalidValue(f"labels has one class only, {present[0]}; there must be two or more")
    if present[-1] >= len(present):
        absent = int(np.flatnonzero(present != np.arange(len(present)))[0])
        raise InvalidValue(
            f"labels has {present[-1]} but no {absent}; classes must be numbered from 0 without"
            f" gaps: {HOW_TO_NUMBER}"
        )
    if test.labels.max() >= len(present):
        raise InvalidValue(
            f"test_labels has {test.labels.max()}, of which labels has no sample to train with"
        )
    return derived(word, train, test, len(present))


def _array(what: str, given: object) -> np.ndarray:
    """Return ``given`` as an array of numbers; raise InvalidValue if it is none."""
    try:
        array = np.asarray(given)
    except (ValueError, TypeError, RuntimeError):  # ragged lists, tensors elsewhere
        raise InvalidValue(f"{what} is {told(given)}; it must be an array of numbers") from None
    if array.dtype.kind not in "biuf":
        hint = f"; {HOW_TO_NUMBER}" if "labels" in what else ""
        raise InvalidValue(f"{what} is of type {array.dtype}; it must be of numbers{hint}")
    if array.size == 0 or np.ma.is_masked(given):
        state = "has masked entries" if array.size else f"of shape {array.shape} is empty"
        raise InvalidValue(f"{what} {state}; each sample must be there, and be complete")
    return array


def _values(what: str, array: np.ndarray) -> np.ndarray:
    """Return inputs as a data set stores them, a copy ``(n, inputs)``."""
    if array.ndim < 2:
        raise InvalidValue(f"{what} is of shape {array.shape}; it must be (samples, inputs)")
    kind = np.uint8 if array.dtype == np.uint8 else np.float32
    with np.errstate(over="ignore"):  # what is too large is found below
        values = np.array(array.reshape(len(array), -1), kind, order="C")
    if not (values.min() >= -LARGEST and values.max() <= LARGEST):
        sample, place = np.argwhere(~(np.abs(values) <= LARGEST))[0]
        raise InvalidValue(
            f"{what} has {told(float(values[sample, place]))} in sample {sample}; all must be"
            f" finite, at most {LARGEST:g} in size"
        )
    return values


def _classes(what: str, array: np.ndarray, samples: int) -> np.ndarray:
    """Return labels as a data set stores them, a copy, int64 ``(n,)``."""
    if array.shape != (samples,):
        raise InvalidValue(
            f"{what} is of shape {array.shape}; it must be ({samples},), the class of each sample"
        )
    wrong = ~((array >= 0) & (array < 2**31) & (array == np.floor(array)))
    if wrong.any():
        raise InvalidValue(
            f"{what} has {told(array[wrong][0].item())}; labels must be whole numbers from 0:"
            f" {HOW_TO_NUMBER}"
        )
    return array.astype(np.int64)


def check_word(what: str, word: object) -> None:
    """Raise InvalidValue unless ``word`` can name a data set and the folder of its records."""
    if not (isinstance(word, str) and re.fullmatch(WORD, word)):
        raise InvalidValue(
            f"{what} is {told(word)}; it must be of letters, digits and hyphens, a letter first, as"
            " in few-sevens"
        )


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
