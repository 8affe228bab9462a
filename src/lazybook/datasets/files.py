"""Where the files of data sets lie, and whether they are what was published.

They are looked for, file by file, in the folder ``$LAZYBOOK_DATA``, then in the repository's
``data/``, then in the user's cache folder; in each of these in a folder of the data set's name,
such as ``mnist/``, or in torchvision's layout, such as ``MNIST/raw/``; packed by gzip or not.
"""

import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from lazybook.datasets import idx
from lazybook.datasets.published import CLASSES, Files
from lazybook.datasets.samples import Dataset, shared_split
from lazybook.errors import DataError
from lazybook.support import paths
from lazybook.support.sharing import open_regular


def read_images(name: str, files: Files) -> Dataset:
    """Read a data set of images; raise DataError if a file is missing, truncated or altered."""
    arrays = [idx.read(contents, path) for path, contents in checked(name, files)]
    splits = []
    for images, labels in (arrays[:2], arrays[2:]):
        upright = images.swapaxes(1, 2) if files.split else images
        values = upright.reshape(len(images), -1)
        splits.append(shared_split(values, labels.astype(np.int64), scale=1 / 255))
    return Dataset(name, *splits, classes=CLASSES, checksum=files.checksum)


def checked(name: str, files: Files) -> Iterator[tuple[Path, bytes]]:
    """Yield the path and the unpacked contents of each file; raise DataError at a wrong one."""
    for path in locate(name, files):
        contents, problem = unpack(path, files)
        if problem:
            raise DataError(f"{path} is {problem}; delete it and run: lazybook data fetch {name}")
        yield path, contents


def locate(name: str, files: Files) -> list[Path]:
    """Return the paths of a data set's files, or raise DataError that names those missing."""
    roots = folders()
    layouts = (name, f"{files.loader}/raw")
    places = [root / layout for root in roots for layout in layouts]
    found, missing = [], []
    for file in files.checksums:
        both = (folder / each for folder in places for each in (file, file.removesuffix(".gz")))
        path = next((path for path in both if _exists(path)), None)
        if path:
            found.append(path)
        else:
            missing.append(file)
    if missing:
        looked = ", ".join(
            f"{root}{'' if root.is_dir() else ' (no such folder)'}" for root in roots
        )
        raise DataError(
            f"{name} lacks {', '.join(missing)}: not in {' or '.join(layouts)} of {looked}; get it"
            f" with: lazybook data fetch {name}"
        )
    return found


def folders() -> list[Path]:
    """Return the folders that may hold data sets, in the order of searching."""
    own, checkout = paths.from_environment("LAZYBOOK_DATA"), paths.repository()
    return [*([own] if own else []), *([checkout / "data"] if checkout else []), paths.cache()]


def _exists(path: Path) -> bool:
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    return True


def unpack(path: Path, files: Files, name: str = "") -> tuple[bytes, str]:
    """Return what a file contains, unpacked, and what is wrong with it, "" if nothing.

    ``name`` is that of the file if it has another one for now. Raises DataError if it cannot be
    read.
    """
    try:
        with open_regular(path) as file:
            held = file.read(files.largest_packed + 1)  # more would be wrong, however much it is
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
    return unpack_bytes(held, files, name or path.name)


def unpack_bytes(held: bytes, files: Files, name: str) -> tuple[bytes, str]:
    """Return the contents of a file that holds these bytes, and what is wrong, "" if nothing."""
    expected = files.checksums[f"{name.removesuffix('.gz')}.gz"]
    try:
        contents, state = _gunzip(held, files.largest) if name.endswith(".gz") else (held, "")
    except zlib.error:
        return b"", f"altered: it cannot be unpacked to what has SHA-256 {expected}"
    found = hashlib.sha256(contents).hexdigest()
    if found != expected:
        state = state or "altered"
    if not state or hashlib.sha256(held).hexdigest() == files.published.get(name):
        return contents, ""
    return contents, f"{state}: unpacked it has SHA-256 {found}, expected {expected}"


def _gunzip(packed: bytes, most: int) -> tuple[bytes, str]:
    """Return what is unpacked, ``most`` bytes and one at most, and what is wrong, "" if nothing.

    Raises zlib.error if what is packed is damaged.
    """
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    contents = unpacker.decompress(packed, most + 1)
    if len(contents) > most or unpacker.unused_data:  # a right file has nothing after its end
        return contents + unpacker.unused_data, "altered"
    return contents, "" if unpacker.eof else "truncated"
