"""Data sets: MNIST and Fashion-MNIST from checked files, two clouds and random patterns.

The four files of MNIST and of Fashion-MNIST are looked for, file by file, in the folder
``$LAZYBOOK_DATA``, then in the repository's ``data/``, then in the user's cache folder, where
`fetch` puts them; in each of these in ``mnist/`` (``fashion-mnist/``) or in torchvision's layout
``MNIST/raw/`` (``FashionMNIST/raw/``). Every file is checked before use. torchvision reads them.
"""

import functools
import hashlib
import http.client
import os
import re
import tempfile
import urllib.request
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from lazybook import paths
from lazybook.errors import DataError, InvalidValue, check_one_of


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

    def zero_mean(self) -> Self:
        """Return the data less one number: the mean over all inputs of all training samples.

        The preparation of van Rossum & Pache 2024 (competitive plasticity).
        """
        train, test = self.train, self.test
        mean = float(train.values.mean(dtype=np.float64)) * train.scale
        return replace(self, train=replace(train, offset=mean), test=replace(test, offset=mean))


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
    """

    loader: str
    mirrors: tuple[str, ...]
    checksums: dict[str, str]


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
}

NAMES = (*_FILES, "two-clouds", "random-patterns:P,N")
LARGEST = 10**8  # inputs of random patterns; 400 MB


@functools.cache
def load(name: str) -> Dataset:
    """Return a data set; later calls in the same process return the same object.

    Parameters
    ----------
    name: ``mnist`` (LeCun, Cortes & Burges) or ``fashion-mnist`` (Xiao, Rasul & Vollgraf 2017),
        both 60,000 training and 10,000 test images of 784 pixels scaled to [0, 1], 10 classes;
        ``two-clouds``, see `two_clouds`; ``random-patterns:P,N``, see `random_patterns`.

    Raises
    ------
    InvalidValue: no such data set, or one that cannot be.
    DataError: a file is missing, truncated or altered.
    """
    word, _, sizes = name.partition(":")
    if word == "random-patterns":
        if not re.fullmatch(r"[1-9][0-9]*,[1-9][0-9]*", sizes):
            raise InvalidValue(
                f"dataset is {name!r}; write random-patterns:P,N with P patterns of N inputs, both"
                " whole numbers from 1"
            )
        return random_patterns(*map(int, sizes.split(",")))
    check_one_of("dataset", name, NAMES)
    return two_clouds() if name == "two-clouds" else _images(name)


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
    if patterns * inputs > LARGEST:
        raise InvalidValue(
            f"dataset is 'random-patterns:{patterns},{inputs}': P times N is"
            f" {patterns * inputs:,}; it must be at most {LARGEST:,}"
        )
    generator = np.random.Generator(np.random.PCG64([patterns, inputs]))
    values = 2 * generator.integers(2, size=(patterns, inputs), dtype=np.int8) - 1
    labels = generator.integers(2, size=patterns)
    split = _split(values.astype(np.float32), labels, scale=1.0)
    name = f"random-patterns:{patterns},{inputs}"
    return Dataset(name, split, split, classes=2, checksum=_contents(split))


def available() -> list[Availability]:
    """Return for each data set where it is and whether it can be used, its files checked."""
    return [_availability(name) for name in NAMES]


def fetch(name: str, progress: Callable[[str, int, int | None], None] | None = None) -> Path:
    """Download the files of a data set into the user's cache folder; return their folder.

    Files that are there and right are kept. A download gets its name only once it is complete
    and its checksum is right; otherwise the next mirror is tried.

    Parameters
    ----------
    name: ``mnist`` or ``fashion-mnist``.
    progress: called with a file's name, the bytes received and all its bytes (None: not known).

    Raises
    ------
    InvalidValue: no such data set, or one without files.
    DataError: the folder cannot be written, or no mirror has a file; all of them are listed, each
        with its reason.
    """
    if name not in _FILES:
        raise InvalidValue(f"no files to fetch for {name!r}; choose from: {', '.join(_FILES)}")
    folder = paths.cache() / name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as aside:
            for file, checksum in _FILES[name].checksums.items():
                path = folder / file
                if not path.exists() or _unpack(path, checksum)[1]:
                    _download(name, file, Path(aside), progress).replace(path)
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


def _images(name: str) -> Dataset:
    """Check, unpack and read a data set of images."""
    files = _FILES[name]
    with tempfile.TemporaryDirectory() as root:
        # torchvision reads unpacked files only, in its own layout.
        raw = Path(root, files.loader, "raw")
        raw.mkdir(parents=True)
        for path, contents in _checked(name):
            (raw / path.stem).write_bytes(contents)
        loader = _loader(name)
        train, test = (
            _split(data.data.numpy().reshape(len(data), -1), data.targets.numpy(), scale=1 / 255)
            for data in (loader(root, train=True), loader(root, train=False))
        )
    checksum = hashlib.sha256("".join(files.checksums.values()).encode()).hexdigest()
    return Dataset(name, train, test, classes=10, checksum=checksum)


def _contents(*splits: Split) -> str:
    """Return the checksum of the samples themselves, for data that no file holds."""
    parts = [part.tobytes() for split in splits for part in (split.values, split.labels)]
    return hashlib.sha256(b"".join(parts)).hexdigest()


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
        path = next((folder / file for folder in folders if (folder / file).exists()), None)
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
        contents, problem = _unpack(path, _FILES[name].checksums[path.name])
        if problem:
            raise DataError(f"{path} is {problem}; delete it and run: lazybook data fetch {name}")
        yield path, contents


def _unpack(path: Path, checksum: str) -> tuple[bytearray, str]:
    """Return what a gzip file contains and what is wrong with it, an empty string if nothing."""
    try:
        packed = memoryview(path.read_bytes())
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    unpacker, contents, state = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16), bytearray(), ""
    try:
        # In pieces, to see what a damaged file holds before the damage.
        for start in range(0, len(packed), 1 << 16):
            contents += unpacker.decompress(packed[start : start + (1 << 16)])
        contents += unpacker.unused_data  # a right file has nothing after its end
        if not unpacker.eof:
            state = "truncated"
    except zlib.error:
        state = "altered"
    found = hashlib.sha256(contents).hexdigest()
    if found != checksum:
        state = state or "altered"
    problem = f"{state}: unpacked it has SHA-256 {found}, expected {checksum}" if state else ""
    return contents, problem


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
    file: str,
    folder: Path,
    progress: Callable[[str, int, int | None], None] | None,
) -> Path:
    """Download a file into ``folder`` from the first mirror that has it right."""
    path = folder / file
    failures = []
    for mirror in (*_loader(name).mirrors, *_FILES[name].mirrors):
        try:
            with urllib.request.urlopen(mirror + file, timeout=30) as response:
                total = response.headers.get("Content-Length")
                with path.open("wb") as target:
                    while chunk := response.read(1 << 16):
                        target.write(chunk)
                        if progress:
                            progress(file, target.tell(), int(total) if total else None)
        except (OSError, http.client.HTTPException) as error:
            failures.append(f"{mirror} ({error})")
            continue
        _, problem = _unpack(path, _FILES[name].checksums[file])
        if not problem:
            return path
        failures.append(f"{mirror} ({problem})")
    raise DataError(f"no mirror has {file} of {name}: {'; '.join(failures)}")
