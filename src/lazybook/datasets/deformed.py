"""MNIST with as many images as wanted: the recipe, and what was made by it before.

What is done to an image stands in `lazybook.datasets.deformation`, which is imported only if there
are images to make.
"""

import hashlib
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from lazybook.datasets.names import Sizes
from lazybook.datasets.samples import Dataset, Facts, Split, shared_split
from lazybook.errors import InvalidValue
from lazybook.support import machine, paths
from lazybook.support.progress import shown
from lazybook.support.sharing import open_regular, remove_leftovers, write_aside

VERSION = 1  # raised when anything changes that changes the images
SETS = Sizes(
    form="deformed-mnist:N",
    meaning="the number of training images, a whole number from 1, at most 10,000,000",
    most=10**7,  # 8 GB
)


def facts(mnist: Facts, samples: int) -> Facts:
    """Return what is known of the data set that is made of ``mnist``."""
    name = SETS.name(samples=samples)
    checksum = hashlib.sha256(f"{_recipe(mnist)} {samples}".encode()).hexdigest()
    return replace(mnist, name=name, checksum=checksum, train=samples, test=4 * mnist.test)


def make(mnist: Dataset, samples: int) -> Dataset:
    """Return the data set, kept from before or made now; see `lazybook.datasets.deformed_mnist`."""
    known, recipe = facts(mnist.facts, samples), _recipe(mnist.facts)
    order = np.random.Generator(np.random.PCG64(0)).permutation(len(mnist.train))
    train = _deformed(mnist.train, np.resize(order, samples), 1, f"{recipe} train {samples}")
    every = np.resize(np.arange(len(mnist.test)), known.test)
    test = _deformed(mnist.test, every, 2, f"{recipe} test")
    return Dataset(known.name, train, test, known.classes, known.checksum)


def check_memory(known: Facts) -> None:
    """Raise InvalidValue if the images need more memory than there is."""
    needed, there = (known.train + known.test) * known.inputs, machine.memory()
    if needed > there:
        raise InvalidValue(
            f"dataset is {known.name!r}; its images take {needed / 1e9:.1f} GB of memory, and this"
            f" process can have {there / 1e9:.1f} GB"
        )


def _recipe(mnist: Facts) -> str:
    return f"deformed-mnist {VERSION} {mnist.checksum}"


def _deformed(split: Split, bases: np.ndarray, seed: int, recipe: str) -> Split:
    """Return a deformation of each of the samples ``bases``, kept from before or made now.

    The file is named by the ``recipe`` and holds the SHA-256 of the images, and the images.
    """
    path = paths.cache() / "deformed-mnist" / hashlib.sha256(recipe.encode()).hexdigest()[:24]
    images = _kept(path, len(bases) * split.values.shape[1])
    if images is None:
        from lazybook.datasets.deformation import deform

        takes_seconds = len(bases) > 50_000
        with shown(len(bases) if takes_seconds else 0, "deforming MNIST") as advance:
            images = deform(split.values, bases, seed, advance)
        with suppress(OSError):  # they are kept where that can be
            path.parent.mkdir(parents=True, exist_ok=True)
            remove_leftovers(path.parent)
            write_aside(path, hashlib.sha256(images).digest(), images.data)
    return shared_split(images.reshape(len(bases), -1), split.labels[bases], split.scale)


def _kept(path: Path, size: int) -> np.ndarray | None:
    """Return the ``size`` pixels kept in a file, or None if they are not what was kept."""
    with suppress(OSError), open_regular(path) as file:
        checksum, images = file.read(32), np.fromfile(file, np.uint8, size)
        if len(images) == size and not file.read(1) and hashlib.sha256(images).digest() == checksum:
            return images
    return None
