"""Files of data sets are found, read as they are, and never taken if they are wrong."""

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from lazybook import datasets
from lazybook.datasets import idx
from lazybook.datasets.files import unpack
from lazybook.datasets.published import FILES
from lazybook.errors import DataError, InvalidValue
from lazybook.support import paths

IMAGES = "train-images-idx3-ubyte.gz"
LABELS = "train-labels-idx1-ubyte.gz"


MNIST = paths.repository() / "data" / "mnist"


def place(folder: Path) -> Path:
    shutil.copytree(MNIST, folder)
    return folder


def checksum(path: Path) -> str:
    return hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()


@pytest.fixture
def torchvision() -> ModuleType:
    """torchvision's module that reads MNIST and its relatives."""
    if not find_spec("torchvision"):
        pytest.skip("torchvision is not installed")
    loader = datasets._loader("mnist")
    assert loader, "torchvision is installed and was not found"
    return sys.modules[loader.__module__]


@pytest.mark.parametrize("layout", ["mnist", "MNIST/raw"])
@pytest.mark.parametrize("root", ["own", "repository/data", "cache"])
def test_each_folder_and_layout_is_found(folders, root, layout):
    folder = place(folders.own.parent / root / layout)
    assert datasets.available()[0] == ("mnist", folder, "ready")


def test_files_need_not_be_packed(folders):
    path = place(folders.own / "MNIST/raw") / LABELS
    plain = path.with_suffix("")
    plain.write_bytes(gzip.decompress(path.read_bytes()))
    path.unlink()
    assert datasets.load("mnist").train.labels[59_915] == 4
    plain.write_bytes(plain.read_bytes()[:-1])
    datasets._load.cache_clear()
    with pytest.raises(DataError, match=rf"^{re.escape(str(plain))} is altered: unpacked it has"):
        datasets.load("mnist")


def test_the_contents_count_not_their_packing(folders):
    path = place(folders.own / "mnist") / LABELS
    before = datasets.load("mnist")
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), 1))
    datasets._load.cache_clear()
    assert datasets.load("mnist").checksum == before.checksum


def test_missing_files_are_named_with_the_folders_and_the_remedy(folders):
    (place(folders.cache / "mnist") / LABELS).unlink()
    with pytest.raises(DataError) as caught:
        datasets.load("mnist")
    message = str(caught.value)
    assert re.findall(r"\S+-ubyte\.gz", message) == [LABELS]
    for part in (folders.own, folders.repository / "data", folders.cache, "mnist or MNIST/raw"):
        assert str(part) in message
    assert message.endswith("lazybook data fetch mnist")
    assert "\n" not in message


def truncate(packed: bytes) -> bytes:
    return packed[: len(packed) // 2]


def cut_the_last_byte(packed: bytes) -> bytes:
    return packed[:-1]


def append_a_byte(packed: bytes) -> bytes:
    return packed + b"\0"


def flip_a_bit(packed: bytes) -> bytes:
    middle = len(packed) // 2
    return packed[:middle] + bytes([packed[middle] ^ 1]) + packed[middle + 1 :]


def relabel(packed: bytes) -> bytes:
    contents = bytearray(gzip.decompress(packed))
    contents[8 + 59_915] = 7
    return gzip.compress(contents)


def empty(packed: bytes) -> bytes:
    return b""


@pytest.mark.parametrize(
    ("damage", "state"),
    [
        (truncate, "truncated"),
        (empty, "truncated"),
        (cut_the_last_byte, "truncated"),
        (append_a_byte, "altered"),
        (flip_a_bit, "altered"),
        (relabel, "altered"),
    ],
)
def test_a_damaged_file_is_reported_even_if_a_later_folder_has_it_right(folders, damage, state):
    path = place(folders.own / "mnist") / LABELS
    expected = checksum(path)
    path.write_bytes(damage(path.read_bytes()))
    place(folders.cache / "mnist")
    with pytest.raises(DataError) as caught:
        datasets.load("mnist")
    message = str(caught.value)
    assert message.startswith(f"{path} is {state}: ")
    *found, stated = re.findall(r"\b[0-9a-f]{64}\b", message)
    assert stated == expected
    assert (found == [expected]) == (damage is cut_the_last_byte)  # the contents are all there
    if damage is relabel:
        assert found == [checksum(path)]
    assert "delete it and run: lazybook data fetch mnist" in message
    assert "\n" not in message
    assert datasets.available()[0] == ("mnist", path.parent, message)
    path.unlink()
    assert datasets.load("mnist").train.labels[59_915] == 4


@pytest.mark.parametrize("suffix", ["", ".gz"], ids=["plain", "packed"])
@pytest.mark.parametrize("kind", ["folder", "pipe", "endless device", "link to itself"])
def test_what_is_no_file_is_named_and_not_waited_for(folders, kind, suffix):
    path = place(folders.own / "mnist") / LABELS
    path.unlink()
    path = path.with_suffix(suffix)
    make = {
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "endless device": lambda: path.symlink_to("/dev/zero"),
        "link to itself": lambda: path.symlink_to(path),
    }
    make[kind]()
    with pytest.raises(DataError, match=re.escape(f"cannot read {path}: ")):
        datasets.load("mnist")
    assert datasets.available()[0].state.startswith(f"cannot read {path}: ")


def test_folders_that_may_not_be_looked_into_are_named(folders, monkeypatch):
    stat = Path.stat

    def refuse(path, **how):
        if folders.own in path.parents:
            raise PermissionError(13, "Permission denied", str(path))
        return stat(path, **how)

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(DataError, match=rf"^cannot read {folders.own}/.*: Permission denied$"):
        datasets.load("mnist")


def test_no_more_is_read_than_a_file_can_have(folders):
    folder = place(folders.own / "mnist")
    with (folder / IMAGES).open("r+b") as file:
        file.truncate(10**12)  # with nothing in it, so on the disk it takes no room
    with pytest.raises(DataError, match=rf"{IMAGES} is altered: "):
        datasets.load("mnist")
    (folder / IMAGES).write_bytes(gzip.compress(bytes(10**8)))
    with pytest.raises(DataError, match=rf"{IMAGES} is altered: "):
        datasets.load("mnist")
    assert len(unpack(folder / IMAGES, FILES["mnist"])[0]) == FILES["mnist"].largest + 1


@pytest.mark.parametrize("written", ["data", "~/data", "./data/", "~/../home/data"])
def test_the_users_own_folder_may_be_relative_or_in_the_home_folder(
    folders, tmp_path, monkeypatch, written
):
    home = tmp_path / "home"
    place(home / "data" / "mnist")
    monkeypatch.chdir(home)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("LAZYBOOK_DATA", written)
    found = datasets.available()[0]
    assert found.state == "ready"
    assert found.folder.is_absolute()
    assert found.folder.samefile(home / "data" / "mnist")


def test_a_file_in_place_of_the_users_own_folder_is_an_error(folders):
    folders.own.write_text("data")
    place(folders.cache / "mnist")
    with pytest.raises(InvalidValue, match=r"LAZYBOOK_DATA.* which is a file"):
        datasets.load("mnist")
    assert "LAZYBOOK_DATA" in datasets.available()[0].state


def test_folders_that_are_not_there_are_told_from_those_that_are(folders):
    folders.cache.mkdir()
    with pytest.raises(DataError) as caught:
        datasets.load("mnist")
    assert f"{folders.own} (no such folder), " in str(caught.value)
    assert f"{folders.cache}; get it with" in str(caught.value)


def test_reading_takes_no_torch_and_no_temporary_file(monkeypatch):
    read = """
import sys
from lazybook import datasets
datasets.load("mnist").zero_mean()
print(*{"torch", "torchvision", "scipy", "numba", "tempfile"} & sys.modules.keys())
"""
    ran = subprocess.run([sys.executable, "-c", read], capture_output=True, text=True, check=True)
    assert set(ran.stdout.split()) <= {"tempfile"}
    monkeypatch.setattr(tempfile, "tempdir", "/nowhere")
    datasets._load.cache_clear()
    assert len(datasets.load("mnist").train) == 60_000


def test_mnist_is_read_as_torchvision_reads_it(torchvision, tmp_path):
    for path in MNIST.glob("*.gz"):
        raw = tmp_path / "MNIST" / "raw" / path.stem
        raw.parent.mkdir(parents=True, exist_ok=True)
        raw.write_bytes(gzip.decompress(path.read_bytes()))
    for train, split in ((True, "train"), (False, "test")):
        theirs = torchvision.MNIST(tmp_path, train=train)
        ours = getattr(datasets.load("mnist"), split)
        np.testing.assert_array_equal(ours.values.reshape(-1, 28, 28), theirs.data.numpy())
        np.testing.assert_array_equal(ours.labels, theirs.targets.numpy())


def packed_idx(code: int, array: np.ndarray) -> bytes:
    sizes = np.array(array.shape, ">u4").tobytes()
    return bytes([0, 0, code, array.ndim]) + sizes + array.astype(idx.TYPES[code]).tobytes()


@pytest.mark.parametrize("code", idx.TYPES)
@pytest.mark.parametrize("shape", [(7,), (3, 5), (2, 3, 4), (1, 1, 1), (0, 4)], ids=str)
def test_every_type_and_shape_of_idx_is_read(torchvision, tmp_path, code, shape):
    generator = np.random.default_rng(code)
    expected = generator.integers(-100, 100, shape).astype(idx.TYPES[code])
    contents = packed_idx(code, expected)
    array = idx.read(contents, "numbers")
    np.testing.assert_array_equal(array, expected)
    assert array.dtype == expected.dtype.newbyteorder("=")
    assert not array.flags.writeable
    if expected.size:
        path = tmp_path / "numbers"
        path.write_bytes(contents)
        theirs = torchvision.read_sn3_pascalvincent_tensor(str(path))
        np.testing.assert_array_equal(array, theirs.numpy())


@pytest.mark.parametrize("cut", range(1, 21))
def test_idx_that_lacks_bytes_is_refused(cut):
    contents = packed_idx(8, np.zeros((2, 2), np.uint8))
    with pytest.raises(DataError, match=r"^numbers (is cut short|is not in the IDX|has)") as caught:
        idx.read(contents[:-cut] if cut < 17 else b"", "numbers")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("contents", "problem"),
    [
        (b"<html>moved</html>", r"begins with the bytes 3c 68 74 6d, and not with 00 00"),
        (b"\x1f\x8b\x08\x00" + bytes(99), r"begins with the bytes 1f 8b 08 00"),
        (b"\0\0\x0a\x01\0\0\0\0", r"begins with the bytes 00 00 0a 01"),
        (b"\0\0\x08\x01\0\0\0\x02\1\1\1", r"has 11 bytes; an array of 2 .* would need 10"),
        (b"\0\0\x0e\x02" + b"\xff" * 8 + bytes(8), r"an array of 4294967295 × 4294967295"),
    ],
)
def test_what_is_no_idx_is_refused(contents, problem):
    with pytest.raises(DataError, match=problem):
        idx.read(contents, "numbers")


def test_our_list_of_files_is_torchvisions(torchvision):
    for name, files in FILES.items():
        loader = datasets._loader(name)
        if files.archive:
            assert loader.url == files.mirrors[0] + files.archive
        else:
            assert list(files.checksums) == [file for file, _ in loader.resources]
            assert list(files.mirrors[: len(loader.mirrors)]) == loader.mirrors
        assert all(mirror.endswith("/") for mirror in files.mirrors)
        sums = [*files.checksums.values(), *files.published.values()]
        assert len({value for value in sums if re.fullmatch("[0-9a-f]{64}", value)}) == len(sums)
        assert not files.published or list(files.published) == list(files.checksums)
