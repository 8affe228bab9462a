"""Data sets: MNIST and its relatives from checked files, and what is made here.

The four files of each are looked for, file by file, in the folder ``$LAZYBOOK_DATA``, then in the
repository's ``data/``, then in the user's cache folder, where `fetch` puts them; in each of these
in a folder of the data set's name, such as ``mnist/``, or in torchvision's layout, such as
``MNIST/raw/``; packed by gzip or not. Every file is checked before use. torchvision reads them.
"""

import functools
import hashlib
import http.client
import os
import re
import tempfile
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from lazybook.datasets import deformation
from lazybook.errors import DataError, InvalidValue, check_one_of
from lazybook.support import paths
from lazybook.support.progress import shown


@dataclass(frozen=True, eq=False)
class Split:
    """The training or the test half of a data set.

    Attributes
    ----------
    values: what is stored, [n, inputs], uint8 or float32, not writable.
    labels: class of each sample, int64 [n], from 0.
    scale, offset: an input to the network is ``values * scale - offset``.
    """

    values: np.ndarray
    labels: np.ndarray
    scale: float
    offset: float = 0.0

    def __len__(self) -> int:
        return len(self.labels)

    def inputs(self, rows: slice | np.ndarray = slice(None)) -> np.ndarray:
        """Return the inputs to the network of the samples ``rows``, a new float32 [n, inputs]."""
        inputs = self.values[rows] * np.float32(self.scale)
        inputs -= np.float32(self.offset)
        return inputs


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test samples, with a checksum (SHA-256, hex) of what they are made of."""

    name: str
    train: Split
    test: Split
    classes: int
    checksum: str

    @property
    def facts(self) -> "Facts":
        """What `lazybook.datasets.facts` knows of it."""
        inputs = self.train.values.shape[1]
        sizes = len(self.train), len(self.test)
        return Facts(self.name, self.checksum, self.classes, inputs, *sizes)

    def zero_mean(self) -> Self:
        """Return the data less one number: the mean over all inputs of all training samples.

        The preparation of van Rossum & Pache 2024 (competitive plasticity).
        """
        train, test = self.train, self.test
        mean = float(train.values.mean(dtype=np.float64)) * train.scale
        return replace(self, train=replace(train, offset=mean), test=replace(test, offset=mean))


@dataclass(frozen=True)
class Facts:
    """What is known of a data set before its files are read or its images made.

    Attributes
    ----------
    name, checksum, classes: as of the `Dataset`.
    inputs: of a network that learns it.
    train, test: numbers of samples.
    """

    name: str
    checksum: str
    classes: int
    inputs: int
    train: int
    test: int


class Availability(NamedTuple):
    """Where a data set is and whether it can be used.

    ``folder`` is None if nothing was found or nothing is needed; ``state`` is ``ready``,
    ``built in``, or the line that says what is wrong and what to do.
    """

    name: str
    folder: Path | None
    state: str


@dataclass(frozen=True)
class _Files:
    """Files of a data set, as published.

    Attributes
    ----------
    loader: name of the class in torchvision.datasets; also of the folder in its layout.
    mirrors: where to download from if torchvision's own mirrors fail.
    checksums: SHA-256 of each file's contents, unpacked: the same bytes are about in several
        gzip packings, and the contents are what is learned.
    published: SHA-256 of the packed files as published. Such a file is right too.
    archive: the one file, of type zip, to download that holds all others; empty: there is none.
    split: which of several data sets of the loader; these have rows and columns exchanged.
    train, test: numbers of images.
    """

    loader: str
    mirrors: tuple[str, ...]
    checksums: dict[str, str]
    published: dict[str, str] = field(default_factory=dict)
    archive: str = ""
    split: str = ""
    train: int = 60_000
    test: int = 10_000

    @property
    def checksum(self) -> str:
        """The checksum of the data set as a whole."""
        return hashlib.sha256("".join(self.checksums.values()).encode()).hexdigest()


_FILES = {
    "mnist": _Files(
        loader="MNIST",
        mirrors=("https://storage.googleapis.com/cvdf-datasets/mnist/",),
        checksums={
            "train-images-idx3-ubyte.gz": (
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"
            ),
            "train-labels-idx1-ubyte.gz": (
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"
            ),
            "t10k-images-idx3-ubyte.gz": (
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"
            ),
            "t10k-labels-idx1-ubyte.gz": (
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"
            ),
        },
    ),
    "fashion-mnist": _Files(
        loader="FashionMNIST",
        mirrors=(
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
        ),
        checksums={
            "train-images-idx3-ubyte.gz": (
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"
            ),
            "train-labels-idx1-ubyte.gz": (
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9"
            ),
            "t10k-images-idx3-ubyte.gz": (
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"
            ),
            "t10k-labels-idx1-ubyte.gz": (
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34"
            ),
        },
    ),
    "emnist-digits": _Files(
        loader="EMNIST",
        split="digits",
        archive="gzip.zip",
        train=240_000,
        test=40_000,
        mirrors=("https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/",),
        checksums={
            "emnist-digits-train-images-idx3-ubyte.gz": (
                "0fd17ca7bc21f8a10f68356f3c60e9c36ef287895394791ecd051c7a15ea4acd"
            ),
            "emnist-digits-train-labels-idx1-ubyte.gz": (
                "86013a4b932e35477a90ecff239cf492643795cf3c68dd6b7fae3264fb24316b"
            ),
            "emnist-digits-test-images-idx3-ubyte.gz": (
                "3075fed46264a655192bd2ac1dafba8ce0c5184802d74acd0a123e25daa15c50"
            ),
            "emnist-digits-test-labels-idx1-ubyte.gz": (
                "a456cc5cfc928851403b513f94937b9d7570f424ea6d56dce3b28f6c0723608a"
            ),
        },
        published={
            "emnist-digits-train-images-idx3-ubyte.gz": (
                "f7c95004d14d81af89522e67d8f0c781dfb3bd544181c81bfe1eb6b41c35b726"
            ),
            "emnist-digits-train-labels-idx1-ubyte.gz": (
                "6638a6ff5fe2eefd9cca2471995b46c82986b8e4b2a70d2f5ce8e05d7edb319e"
            ),
            "emnist-digits-test-images-idx3-ubyte.gz": (
                "20ebe43509264f7639d37c835a3f0b009e90b29e00a099a03101abe1644a3f63"
            ),
            "emnist-digits-test-labels-idx1-ubyte.gz": (
                "bad1834c45d5988e270b99d43b13edc3fd898f658ffbc2caf2846ef27f7b05b0"
            ),
        },
    ),
}

NAMES = (*_FILES, "deformed-mnist:N", "two-clouds", "random-patterns:P,N")
LARGEST = 10**8  # inputs of random patterns; 400 MB
MOST = 10**7  # deformed images; 8 GB

_derived: dict[str, Dataset] = {}  # those that `derived` made


def load(name: str) -> Dataset:
    """Return a data set; later calls in the same process return the same object.

    Parameters
    ----------
    name: ``mnist`` (LeCun, Cortes & Burges) or ``fashion-mnist`` (Xiao, Rasul & Vollgraf 2017),
        both 60,000 training and 10,000 test images of 784 pixels scaled to [0, 1], 10 classes;
        ``emnist-digits`` (Cohen et al. 2017), the same with 240,000 and 40,000 images of digits;
        ``deformed-mnist:N``, see `deformed_mnist`; ``two-clouds``, see `two_clouds`;
        ``random-patterns:P,N``, see `random_patterns`; or what `derived` returned in this process.

    Raises
    ------
    InvalidValue: no such data set, or one that cannot be, or a derived one that was not made yet.
    DataError: a file is missing, truncated or altered.
    """
    _check_name(name)
    return _load(name)


def facts(name: str) -> Facts:
    """Return what is known of a data set, whether or not its files are here.

    Files are not read and images not deformed for it, so that a published record can be used
    where the data are not.

    Raises InvalidValue for the same names as `load`.
    """
    _check_name(name)
    if name in _FILES:
        files = _FILES[name]
        return Facts(name, files.checksum, 10, deformation.SIDE**2, files.train, files.test)
    if name.startswith("deformed-mnist:"):
        samples, mnist = int(name.partition(":")[2]), facts("mnist")
        checksum = _deformed_checksum(mnist.checksum, samples)
        return replace(mnist, name=name, checksum=checksum, train=samples, test=4 * mnist.test)
    return _load(name).facts


@functools.cache
def _load(name: str) -> Dataset:
    word, _, sizes = name.partition(":")
    if word == "random-patterns":
        return random_patterns(*map(int, sizes.split(",")))
    if word == "deformed-mnist":
        return deformed_mnist(int(sizes))
    if name in _derived:
        return _derived[name]
    return two_clouds() if name == "two-clouds" else _images(name)


def _check_name(name: str) -> None:
    """Raise InvalidValue unless ``name`` is one of a data set that can be, read or made."""
    if not isinstance(name, str):
        raise InvalidValue(f"dataset is {name!r}; it must be a word, one of: {', '.join(NAMES)}")
    if (name in NAMES and ":" not in name) or name in _derived:
        return
    word, _, sizes = name.partition(":")
    if word == "random-patterns":
        if not re.fullmatch(r"[1-9][0-9]*,[1-9][0-9]*", sizes):
            raise InvalidValue(
                f"dataset is {name!r}; write random-patterns:P,N with P patterns of N inputs, both"
                " whole numbers from 1"
            )
        _check_patterns(*map(int, sizes.split(",")))
    elif word == "deformed-mnist":
        if not re.fullmatch(r"[1-9][0-9]*", sizes):
            raise InvalidValue(
                f"dataset is {name!r}; write deformed-mnist:N with the number of training images,"
                " a whole number from 1"
            )
        _check_deformed(int(sizes))
    elif re.fullmatch(r"[0-9a-f]{12}", sizes):
        raise InvalidValue(
            f"dataset is {name!r}, which a notebook derives from other data; run the notebook"
            " that makes it"
        )
    else:
        check_one_of("dataset", name, NAMES)


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
    return Dataset("two-clouds", train, test, classes=2, checksum=_contents(train, test))


def random_patterns(patterns: int, inputs: int) -> Dataset:
    """Return the perceptron's task: random patterns of -1 and 1 in two random classes.

    They are to be learned by heart, so what is tested is what is trained: float32 of shape
    ``(patterns, inputs)``, drawn once and for all for each pair of sizes. A perceptron can learn
    about twice as many patterns as it has inputs. Setting of Li & van Rossum 2020.

    Raises InvalidValue if the patterns have more than 100 million inputs in all.
    """
    _check_patterns(patterns, inputs)
    generator = np.random.Generator(np.random.PCG64([patterns, inputs]))
    values = 2 * generator.integers(2, size=(patterns, inputs), dtype=np.int8) - 1
    labels = generator.integers(2, size=patterns)
    split = _split(values.astype(np.float32), labels, scale=1.0)
    name = f"random-patterns:{patterns},{inputs}"
    return Dataset(name, split, split, classes=2, checksum=_contents(split))


def deformed_mnist(samples: int) -> Dataset:
    """Return MNIST with as many training images as wanted: deformed a little, each differently.

    After Loosli, Canu & Bottou 2007; see `lazybook.datasets.deformation`. Training images are
    deformations of MNIST's, in a random order over and over again; the 40,000 test images are four
    deformations of each of its test images, the same ones whatever the number of training images. The training
    images of a smaller set are the first ones of a larger set, so sizes compare.

    What was made is kept in the user's cache folder, if it can be written to. The checksum is that
    of the recipe: another processor may round some pixels the other way.

    Raises InvalidValue if there are more than ten million training images, DataError if MNIST
    cannot be used.
    """
    _check_deformed(samples)
    mnist = load("mnist")
    order = np.random.Generator(np.random.PCG64(0)).permutation(len(mnist.train))
    recipe = _recipe(mnist.checksum)
    train = _deformed(mnist.train, np.resize(order, samples), 1, f"{recipe} train {samples}")
    every = np.resize(np.arange(len(mnist.test)), 4 * len(mnist.test))
    test = _deformed(mnist.test, every, 2, f"{recipe} test")
    checksum = _deformed_checksum(mnist.checksum, samples)
    return Dataset(f"deformed-mnist:{samples}", train, test, mnist.classes, checksum)


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
    if not re.fullmatch(r"[A-Za-z][A-Za-z-]*", word):
        raise InvalidValue(f"word is {word!r}; it must be of letters and hyphens, as in few-sevens")
    contents = hashlib.sha256()
    for half, split in (("train", train), ("test", test)):
        _check(half, split, train.values.shape[-1], classes)
        for array in (split.values, split.labels):
            array.setflags(write=False)
            contents.update(f"{array.dtype.str} {array.shape}".encode())
            contents.update(np.ascontiguousarray(array).data)
        contents.update(f"{float(split.scale)!r} {float(split.offset)!r} {classes}".encode())
    checksum = contents.hexdigest()
    name = f"{word}:{checksum[:12]}"
    _derived.setdefault(name, Dataset(name, train, test, classes, checksum))
    return name


def available() -> list[Availability]:
    """Return for each data set where it is and whether it can be used, its files checked."""
    found = {name: _availability(name) for name in NAMES}
    if found["mnist"].state != "ready":
        name = "deformed-mnist:N"
        found[name] = Availability(name, None, "is made from mnist, which is not ready")
    return list(found.values())


def fetch(name: str, progress: Callable[[str, int, int | None], None] | None = None) -> Path:
    """Download the files of a data set into the user's cache folder; return their folder.

    Files that are there and right are kept. A download gets its name only once it is complete
    and its checksum is right; otherwise the next mirror is tried.

    Parameters
    ----------
    name: ``mnist``, ``fashion-mnist`` or ``emnist-digits`` (which takes a download of 560 MB).
    progress: called with a file's name, the bytes received and all its bytes (None: not known).

    Raises
    ------
    InvalidValue: no such data set, or one without files.
    DataError: the folder cannot be written, or no mirror has a file; all of them are listed, each
        with its reason.
    """
    if name not in _FILES:
        raise InvalidValue(f"no files to fetch for {name!r}; choose from: {', '.join(_FILES)}")
    folder, files = paths.cache() / name, _FILES[name]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        wrong = [
            file
            for file in files.checksums
            if not (folder / file).exists() or _unpack(folder / file, files)[1]
        ]
        archives = {files.archive: wrong} if files.archive and wrong else {f: [f] for f in wrong}
        with tempfile.TemporaryDirectory(dir=folder) as aside:
            for archive, wanted in archives.items():
                for path in _download(name, archive, wanted, Path(aside), progress):
                    path.replace(folder / path.name)
    except OSError as error:
        raise DataError(f"cannot write to {folder}: {error.strerror}") from error
    return folder


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
    return _split(values, np.repeat([0, 1], size), scale=1.0)


def _check_patterns(patterns: int, inputs: int) -> None:
    if patterns * inputs > LARGEST:
        raise InvalidValue(
            f"dataset is 'random-patterns:{patterns},{inputs}': P times N is"
            f" {patterns * inputs:,}; it must be at most {LARGEST:,}"
        )


def _check_deformed(samples: int) -> None:
    if samples > MOST:
        raise InvalidValue(
            f"dataset is 'deformed-mnist:{samples}'; there can be at most {MOST:,} training images"
        )


def _recipe(mnist: str) -> str:
    # Names what deformed images are made of and how; the checksum stands for MNIST.
    return f"deformed-mnist {deformation.VERSION} {mnist}"


def _deformed_checksum(mnist: str, samples: int) -> str:
    return hashlib.sha256(f"{_recipe(mnist)} {samples}".encode()).hexdigest()


def _deformed(split: Split, bases: np.ndarray, seed: int, recipe: str) -> Split:
    """Return a deformation of each of the samples ``bases``, kept from before or made now.

    The file is named by the ``recipe`` and holds the SHA-256 of the images, and the images.
    """
    name = hashlib.sha256(recipe.encode()).hexdigest()[:24]
    path = paths.cache() / "deformed-mnist" / name
    kept = np.empty(0, np.uint8)
    with suppress(OSError):
        kept = np.fromfile(path, np.uint8)
    checksum, images = kept[:32].tobytes(), kept[32:]
    size = len(bases) * split.values.shape[1]
    if len(images) != size or hashlib.sha256(images).digest() != checksum:
        takes_seconds = len(bases) > 50_000
        with shown(len(bases) if takes_seconds else 0, "deforming MNIST") as advance:
            images = deformation.deform(split.values, bases, seed, advance)
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent) as aside:
                with Path(aside, name).open("wb") as file:
                    file.write(hashlib.sha256(images).digest())
                    file.write(images)
                Path(aside, name).replace(path)
    return _split(images.reshape(len(bases), -1), split.labels[bases], split.scale)


def _images(name: str) -> Dataset:
    """Check, unpack and read a data set of images."""
    files = _FILES[name]
    with tempfile.TemporaryDirectory() as root:
        # torchvision reads unpacked files only, in its own layout.
        raw = Path(root, files.loader, "raw")
        raw.mkdir(parents=True)
        for path, contents in _checked(name):
            (raw / path.stem).write_bytes(contents)
        which = {"split": files.split} if files.split else {}
        splits = []
        for train in (True, False):
            data = _loader(name)(root, train=train, **which)
            images = data.data.mT if files.split else data.data
            values = images.reshape(len(data), -1).numpy()
            splits.append(_split(values, data.targets.numpy(), scale=1 / 255))
    return Dataset(name, *splits, classes=10, checksum=files.checksum)


def _contents(*splits: Split) -> str:
    """Return the checksum of the samples themselves, for data that no file holds."""
    parts = [part.tobytes() for split in splits for part in (split.values, split.labels)]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _check(half: str, split: Split, inputs: int, classes: int) -> None:
    """Raise InvalidValue unless a network of so many inputs and outputs can learn ``split``."""
    values, labels = split.values, split.labels
    if not (
        values.dtype in (np.uint8, np.float32)
        and values.shape == (len(labels), inputs)
        and labels.dtype == np.int64
        and labels.ndim == 1
        and len(labels) > 0
        and 0 <= labels.min() <= labels.max() < classes
        and np.isfinite(values).all()
    ):
        raise InvalidValue(
            f"{half} has values of {values.dtype} {values.shape} and labels of {labels.dtype}"
            f" {labels.shape}; there must be values of uint8 or float32 (n, {inputs}), all finite,"
            f" and labels of int64 (n,) from 0 to {classes - 1}, n at least 1"
        )


def _split(values: np.ndarray, labels: np.ndarray, scale: float) -> Split:
    # All runs of a process share the arrays.
    values.setflags(write=False)
    labels.setflags(write=False)
    return Split(values, labels, scale)


def _loader(name: str) -> type:
    """Return torchvision's class for a data set of images.

    torchvision's usual build is linked against the CUDA build of torch. Beside a CPU build its
    compiled operators do not load, and its import stops at the first of the two that it expects.
    Declared by hand they satisfy it; only detection models ever call them.
    """
    import torch

    try:
        import torchvision.datasets
    except RuntimeError as error:
        if "torchvision::nms" not in str(error):
            raise
        for operator in ("nms", "qnms"):
            torch.library.define(
                f"torchvision::{operator}",
                "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
            )
        import torchvision.datasets
    return getattr(torchvision.datasets, _FILES[name].loader)


def _roots() -> list[Path]:
    """Return the folders that may hold data sets, in the order of searching."""
    own, checkout = os.environ.get("LAZYBOOK_DATA"), paths.repository()
    return [
        *([Path(own)] if own else []),
        *([checkout / "data"] if checkout else []),
        paths.cache(),
    ]


def _locate(name: str) -> list[Path]:
    """Return the paths of a data set's files, or raise DataError that names those missing."""
    roots = _roots()
    layouts = (name, f"{_FILES[name].loader}/raw")
    folders = [root / layout for root in roots for layout in layouts]
    found, missing = [], []
    for file in _FILES[name].checksums:
        both = (folder / each for folder in folders for each in (file, file.removesuffix(".gz")))
        path = next((path for path in both if path.exists()), None)
        if path:
            found.append(path)
        else:
            missing.append(file)
    if missing:
        raise DataError(
            f"{name} lacks {', '.join(missing)}: not in {' or '.join(layouts)} of"
            f" {', '.join(map(str, roots))}; get it with: lazybook data fetch {name}"
        )
    return found


def _checked(name: str) -> Iterator[tuple[Path, bytearray]]:
    """Yield the path and the unpacked contents of each file; raise DataError at a wrong one."""
    for path in _locate(name):
        contents, problem = _unpack(path, _FILES[name])
        if problem:
            raise DataError(f"{path} is {problem}; delete it and run: lazybook data fetch {name}")
        yield path, contents


def _unpack(path: Path, files: _Files) -> tuple[bytearray, str]:
    """Return what a file contains, unpacked, and what is wrong with it, "" if nothing."""
    try:
        packed = memoryview(path.read_bytes())
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    contents, state = _gunzip(packed) if path.suffix == ".gz" else (bytearray(packed), "")
    found, expected = hashlib.sha256(contents).hexdigest(), files.checksums[f"{path.stem}.gz"]
    if found != expected:
        state = state or "altered"
    if not state or hashlib.sha256(packed).hexdigest() == files.published.get(path.name):
        return contents, ""
    return contents, f"{state}: unpacked it has SHA-256 {found}, expected {expected}"


def _gunzip(packed: memoryview) -> tuple[bytearray, str]:
    """Return what can be unpacked, and ``truncated`` or ``altered`` if that is not all."""
    unpacker, contents = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16), bytearray()
    try:
        # In pieces, to see what a damaged file holds before the damage.
        for start in range(0, len(packed), 1 << 16):
            contents += unpacker.decompress(packed[start : start + (1 << 16)])
        contents += unpacker.unused_data  # a right file has nothing after its end
        return contents, "" if unpacker.eof else "truncated"
    except zlib.error:
        return contents, "altered"


def _availability(name: str) -> Availability:
    if name not in _FILES:
        return Availability(name, None, "built in")
    folder = None
    try:
        folder = _locate(name)[0].parent
        for _ in _checked(name):
            pass
    except DataError as error:
        return Availability(name, folder, str(error))
    return Availability(name, folder, "ready")


def _download(
    name: str,
    archive: str,
    wanted: list[str],
    folder: Path,
    progress: Callable[[str, int, int | None], None] | None,
) -> list[Path]:
    """Download ``archive`` into ``folder`` from the first mirror that has it right.

    Returns the paths of the files ``wanted``: the archive itself, or what it holds.
    """
    loader, files, failures = _loader(name), _FILES[name], []
    official = [loader.url.removesuffix(archive)] if files.archive else loader.mirrors
    targets = [folder / file for file in wanted]
    for mirror in (*official, *files.mirrors):
        try:
            with urllib.request.urlopen(mirror + archive, timeout=30) as response:
                total = response.headers.get("Content-Length")
                with (folder / archive).open("wb") as held:
                    while chunk := response.read(1 << 16):
                        held.write(chunk)
                        if progress:
                            progress(archive, held.tell(), int(total) if total else None)
            if files.archive:
                _extract(folder / archive, targets)
        except (OSError, http.client.HTTPException, zipfile.BadZipFile, zlib.error) as error:
            failures.append(f"{mirror} ({error})")
            continue
        problems = [problem for path in targets if (problem := _unpack(path, files)[1])]
        if not problems:
            return targets
        failures.append(f"{mirror} ({'; '.join(problems)})")
    raise DataError(f"no mirror has {archive} of {name}: {'; '.join(failures)}")


def _extract(archive: Path, targets: list[Path]) -> None:
    """Write files from a zip archive, those with the names of ``targets``, to these."""
    with zipfile.ZipFile(archive) as held:
        members = {Path(member).name: member for member in held.namelist()}
        for path in targets:
            if path.name not in members:
                raise zipfile.BadZipFile(f"it lacks {path.name}")
            path.write_bytes(held.read(members[path.name]))
