"""Data sets made of others: ``mnist/classes:0-4`` is MNIST with five of its classes.

What stands after a slash says what is done to the data set before it; several such words follow one
another, from left to right. A name means the same samples in every process, and what is known of
them is known without the files of data sets that others have published.
"""

import hashlib
import math
import re
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np

from lazybook.datasets.published import FILES
from lazybook.datasets.samples import Dataset, Facts, Split
from lazybook.errors import InvalidValue, told

VERSION = 1  # raised when anything changes that changes the samples
BLOCK = 1000  # images that are blurred together


@dataclass(frozen=True)
class _Range:
    """What has all numbers from ``first`` to ``last``."""

    form: ClassVar[str]
    first: int
    last: int

    @classmethod
    def read(cls, first: str, last: str) -> Self:
        return cls(int(first), int(last))

    def __str__(self) -> str:
        return f"{self.form.partition(':')[0]}:{self.first}-{self.last}"


class _SameSamples:
    """What changes samples, and leaves none out."""

    def sizes(self, base: Facts) -> tuple[int, int]:
        return base.train, base.test


@dataclass(frozen=True)
class Classes(_Range):
    """The samples of the classes from ``first`` to ``last``, to train and to test.

    Classes keep their numbers, and networks the outputs of those that are left out.
    """

    form: ClassVar[str] = "classes:A-B"
    meaning: ClassVar[str] = "the classes from A to B, as in classes:0-4"

    def fits(self, base: Facts) -> bool:
        return self.first <= self.last < base.classes

    def sizes(self, base: Facts) -> tuple[int, int] | None:
        """Return the numbers of training and test samples; None if labels have to be counted."""
        if base.name not in FILES:
            return None
        train, test = FILES[base.name].per_class
        chosen = slice(self.first, self.last + 1)
        return sum(train[chosen]), sum(test[chosen])

    def make(self, base: Dataset) -> tuple[Split, Split]:
        train, test = (
            split.part((split.labels >= self.first) & (split.labels <= self.last))
            for split in (base.train, base.test)
        )
        return train, test


@dataclass(frozen=True)
class Samples(_Range):
    """The training samples from number ``first`` to ``last``; the test samples stay."""

    form: ClassVar[str] = "samples:A-B"
    meaning: ClassVar[str] = "the training samples from A to B, counted from 0"

    def fits(self, base: Facts) -> bool:
        return self.first <= self.last < base.train

    def sizes(self, base: Facts) -> tuple[int, int]:
        return self.last + 1 - self.first, base.test

    def make(self, base: Dataset) -> tuple[Split, Split]:
        return base.train.part(np.arange(self.first, self.last + 1)), base.test


@dataclass(frozen=True)
class Blur(_SameSamples):
    """All images blurred: a Gaussian whose standard deviation is so many pixels. Outside is 0."""

    form: ClassVar[str] = "blur:S"
    meaning: ClassVar[str] = "square images blurred by S pixels, above 0 and at most 10"
    deviation: float

    @classmethod
    def read(cls, deviation: str) -> Self:
        return cls(float(deviation))

    def __str__(self) -> str:
        return f"blur:{self.deviation:g}"

    def fits(self, base: Facts) -> bool:
        return 0 < self.deviation <= 10 and math.isqrt(base.inputs) ** 2 == base.inputs

    def make(self, base: Dataset) -> tuple[Split, Split]:
        train, test = (
            replace(split, values=blurred(split.values, self.deviation))
            for split in (base.train, base.test)
        )
        return train, test


@dataclass(frozen=True)
class RandomLabels(_SameSamples):
    """A ``share`` of the training samples have their label drawn anew, from all classes.

    So some get the right one by chance (Zhang et al. 2017). Test labels stay. ``seed`` says which
    samples, and which labels.
    """

    form: ClassVar[str] = "random-labels:SHARE,SEED"
    meaning: ClassVar[str] = "labels drawn at random for this share of the training samples"
    share: float
    seed: int

    @classmethod
    def read(cls, share: str, seed: str) -> Self:
        return cls(float(share), int(seed))

    def __str__(self) -> str:
        return f"random-labels:{self.share:g},{self.seed}"

    def fits(self, base: Facts) -> bool:
        return 0 < self.share <= 1

    def make(self, base: Dataset) -> tuple[Split, Split]:
        generator = np.random.Generator(np.random.PCG64(self.seed))
        labels = base.train.labels.copy()
        chosen = generator.random(len(labels)) < self.share
        labels[chosen] = generator.integers(base.classes, size=chosen.sum())
        return replace(base.train, labels=labels), base.test


Variant = Classes | Samples | Blur | RandomLabels
VARIANTS = (Classes, Samples, Blur, RandomLabels)
NUMBER = {"A": r"\d{1,9}", "B": r"\d{1,9}", "SEED": r"\d{1,9}", "S": r"[\d.]{1,9}"}
NUMBER["SHARE"] = NUMBER["S"]
FORMS = tuple(f"NAME/{variant.form}" for variant in VARIANTS)


def read(name: str) -> tuple[str, Variant]:
    """Return the name of the data set that ``name`` is made of, and what is done to it.

    Raises InvalidValue if nothing of the kind can be done.
    """
    base, _, text = name.rpartition("/")
    for kind in VARIANTS:
        word, _, letters = kind.form.partition(":")
        pattern = re.sub("[A-Z]+", lambda letter: f"({NUMBER[letter[0]]})", letters)
        if values := re.fullmatch(f"{word}:{pattern}", text):
            try:
                variant = kind.read(*values.groups())
            except ValueError:  # points that make no number
                break
            if str(variant) != text:
                raise InvalidValue(f"dataset is {told(name)}; write {told(f'{base}/{variant}')}")
            return base, variant
    forms = "; ".join(f"{kind.form} ({kind.meaning})" for kind in VARIANTS)
    raise InvalidValue(f"dataset is {told(name)}; write after the last slash one of: {forms}")


def check(variant: Variant, base: Facts) -> None:
    """Raise InvalidValue if this cannot be done to the data set ``base``."""
    if not variant.fits(base):
        raise InvalidValue(
            f"dataset is {told(f'{base.name}/{variant}')}; {variant.form} means {variant.meaning},"
            f" and {base.name} has {base.train:,} training samples of {base.classes} classes and"
            f" {base.inputs} inputs"
        )


def facts(variant: Variant, base: Facts, sizes: tuple[int, int]) -> Facts:
    """Return what is known of the data set made of ``base``, with these numbers of samples."""
    recipe = f"{base.checksum} {VERSION} {variant}"
    checksum = hashlib.sha256(recipe.encode()).hexdigest()
    name = f"{base.name}/{variant}"
    return replace(base, name=name, checksum=checksum, train=sizes[0], test=sizes[1])


def make(variant: Variant, base: Dataset) -> Dataset:
    """Return the data set made of ``base``. Raises InvalidValue if no sample would be left."""
    train, test = variant.make(base)
    for array in (train.values, train.labels, test.values, test.labels):
        array.setflags(write=False)  # all runs of a process share them
    known = facts(variant, base.facts, (len(train), len(test)))
    if not (known.train and known.test):
        raise InvalidValue(f"dataset is {told(known.name)}; it has no samples")
    return Dataset(known.name, train, test, base.classes, known.checksum)


def blurred(values: np.ndarray, deviation: float) -> np.ndarray:
    """Return square images, ``(n, pixels)``, blurred by so many pixels; of the type they have."""
    side, reach = math.isqrt(values.shape[1]), math.ceil(4 * deviation)
    places = np.arange(-reach, reach + 1)
    weights = np.exp(-((places / deviation) ** 2) / 2)
    weights = (weights / weights.sum()).astype(np.float32)
    result = np.empty_like(values)
    for begin in range(0, len(values), BLOCK):
        images = values[begin : begin + BLOCK].reshape(-1, side, side).astype(np.float32)
        for axis in (1, 2):
            margin = [(0, 0), (0, 0), (0, 0)]
            margin[axis] = (reach, reach)
            framed = np.moveaxis(np.pad(images, margin), axis, 0)
            images = sum(w * framed[i : i + side] for i, w in enumerate(weights))
            images = np.moveaxis(images, 0, axis)
        if values.dtype == np.uint8:
            images = np.rint(images)
        result[begin : begin + BLOCK] = images.reshape(len(images), -1)
    return result
