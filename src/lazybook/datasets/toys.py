"""Small data sets that are drawn here: two clouds of points, and random patterns."""

import numpy as np

from lazybook.datasets.names import Sizes
from lazybook.datasets.samples import Dataset, Split, contents_checksum, shared_split
from lazybook.errors import check_whole

PATTERNS = Sizes(
    form="random-patterns:P,N[,SEED]",
    meaning="P patterns of N inputs and, for another set of them, a SEED: whole numbers from 1, and"
    " P times N at most 100,000,000",
    most=10**8,  # 400 MB
    seeded=True,
)


def two_clouds() -> Dataset:
    """Return the toy task: two classes that a line through the origin separates.

    Points lie uniformly in two discs of radius 0.7, class 0 around (-1, 1.5) and class 1 around
    (1, 2): 100 a class to train, 1,000 to test, drawn once and for all.

    A classifier H(w·x) without bias depends on the direction of w = (w1, w2) alone, so the
    accuracy over the (w1, w2) plane is a fan of terraces that meet in the origin. Both discs lie
    above the origin, most of a half-turn apart when one is reflected in it; what is left for the
    terrace of 100 % is a wedge 20° wide around the w1 axis (for all of the discs' area: from
    -8.3° to 10.8°). The minimum of the squared error to targets -1 and 1, near (0.9, 0), lies
    inside it, in a bowl that is three times as steep across the wedge as along it. In the
    opposite wedge every sample is wrong.

    Setting of Pache & van Rossum 2023, Fig. 1d, which does not give the discs' geometry.
    """
    generator = np.random.Generator(np.random.PCG64(0))
    train, test = (_discs(size, generator) for size in (100, 1000))
    return Dataset("two-clouds", train, test, classes=2, checksum=contents_checksum(train, test))


def random_patterns(patterns: int, inputs: int, seed: int = 0) -> Dataset:
    """Return the perceptron's task: random patterns of -1 and 1 in two random classes.

    They are to be learned by heart, so what is tested is what is trained: float32 of shape
    ``(patterns, inputs)``, drawn once and for all for each pair of sizes and ``seed``. A perceptron
    can learn about twice as many patterns as it has inputs. Setting of Li & van Rossum 2020.

    Raises InvalidValue if a size is no whole number from 1, the patterns have more than 100 million
    inputs in all, or the seed is no whole number from 0.
    """
    another = {"seed": seed} if check_whole("seed", seed, 0) else {}
    name = PATTERNS.name(patterns=patterns, inputs=inputs, **another)
    generator = np.random.Generator(np.random.PCG64([patterns, inputs, *another.values()]))
    values = 2 * generator.integers(2, size=(patterns, inputs), dtype=np.int8) - 1
    labels = generator.integers(2, size=patterns)
    split = shared_split(values.astype(np.float32), labels, scale=1.0)
    return Dataset(name, split, split, classes=2, checksum=contents_checksum(split))


def _discs(size: int, generator: np.random.Generator) -> Split:
    """Draw ``size`` points uniformly in each of the two discs."""
    points = []
    for centre in ((-1, 1.5), (1, 2)):
        # The part of a square's points that falls into its disc: plain arithmetic, so the same
        # numbers on every machine, as sines and square roots need not be.
        square = generator.random((2 * size, 2)) * 2 - 1
        disc = square[(square**2).sum(axis=1) <= 1][:size]
        points.append(centre + 0.7 * disc)
    values = np.concatenate(points).astype(np.float32)
    return shared_split(values, np.repeat([0, 1], size), scale=1.0)
