"""EMNIST stands upright, and comes out of one archive."""

import gzip
import hashlib
import re
import zipfile
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from lazybook import datasets
from lazybook.errors import DataError


@pytest.fixture
def emnist(folders, monkeypatch) -> SimpleNamespace:
    """Twenty upright training images, eight for testing, and files as EMNIST would have them."""
    generator = np.random.default_rng(0)
    images, labels, packed = {}, {}, {}
    for part, size in (("train", 20), ("test", 8)):
        images[part] = generator.integers(256, size=(size, 28, 28), dtype=np.uint8)
        labels[part] = generator.integers(10, size=size, dtype=np.uint8)
        columns = images[part].swapaxes(1, 2)
        for kind, array in (("images-idx3", columns), ("labels-idx1", labels[part])):
            head = np.array([0x800 + array.ndim, *array.shape], ">i4").tobytes()
            packed[f"emnist-digits-{part}-{kind}-ubyte.gz"] = gzip.compress(head + array.tobytes())

    def use(mirrors: list[Path], published: bool = False) -> None:
        """Let these files be the right ones, by their contents or as they are packed."""
        unpacked = {file: gzip.decompress(bytes) for file, bytes in packed.items()}
        files = replace(
            datasets._FILES["emnist-digits"],
            mirrors=tuple(folder.as_uri() + "/" for folder in mirrors[1:]),
            checksums={file: hashlib.sha256(b).hexdigest() for file, b in unpacked.items()},
        )
        if published:
            sums = {file: hashlib.sha256(bytes).hexdigest() for file, bytes in packed.items()}
            files = replace(files, published=sums, checksums=dict.fromkeys(packed, "0" * 64))
        monkeypatch.setattr(datasets, "_FILES", {"emnist-digits": files})
        if mirrors:
            monkeypatch.setattr(
                datasets._loader("emnist-digits"), "url", f"{mirrors[0].as_uri()}/gzip.zip"
            )

    def write(folder: Path, plain: bool = False) -> None:
        folder.mkdir(parents=True)
        for file, contents in packed.items():
            path = folder / file
            if plain:
                path.with_suffix("").write_bytes(gzip.decompress(contents))
            else:
                path.write_bytes(contents)

    def archive(folder: Path, *left_out: str) -> Path:
        folder.mkdir()
        with zipfile.ZipFile(folder / "gzip.zip", "w") as archive:
            archive.writestr("gzip/emnist-letters-mapping.txt", "1 65 97")
            for file in set(packed) - set(left_out):
                archive.writestr(f"gzip/{file}", packed[file])
        return folder

    use([])
    return SimpleNamespace(
        images=images, labels=labels, packed=packed, use=use, write=write, archive=archive
    )


@pytest.mark.parametrize("plain", [False, True], ids=["packed", "plain"])
@pytest.mark.parametrize("layout", ["emnist-digits", "EMNIST/raw"])
def test_the_digits_of_emnist_stand_upright(emnist, folders, layout, plain):
    emnist.write(folders.own / layout, plain)
    loaded = datasets.load("emnist-digits")
    assert (loaded.name, loaded.classes) == ("emnist-digits", 10)
    for part in ("train", "test"):
        split = getattr(loaded, part)
        np.testing.assert_array_equal(split.values, emnist.images[part].reshape(-1, 784))
        np.testing.assert_array_equal(split.labels, emnist.labels[part])
        assert (split.values.dtype, split.labels.dtype) == (np.uint8, np.int64)
        assert split.scale == 1 / 255
        assert split.values.flags.c_contiguous
    assert datasets._availability("emnist-digits").state == "ready"


def test_emnist_as_published_is_right(emnist, folders):
    emnist.use([], published=True)
    emnist.write(folders.own / "emnist-digits")
    assert len(datasets.load("emnist-digits").train) == 20
    file = folders.own / "emnist-digits" / next(iter(emnist.packed))
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()), 1))
    datasets._load.cache_clear()
    with pytest.raises(DataError, match="is altered: unpacked it has SHA-256"):
        datasets.load("emnist-digits")


def test_missing_and_damaged_files_of_emnist_are_named(emnist, folders):
    with pytest.raises(DataError) as caught:
        datasets.load("emnist-digits")
    message = str(caught.value)
    for part in (*emnist.packed, folders.own, "emnist-digits or EMNIST/raw"):
        assert str(part) in message
    assert message.endswith("lazybook data fetch emnist-digits")
    emnist.write(folders.own / "emnist-digits")
    path = folders.own / "emnist-digits" / "emnist-digits-test-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match=rf"^{re.escape(str(path))} is truncated: .*fetch emnist-d"):
        datasets.load("emnist-digits")


def test_emnist_comes_out_of_one_archive(emnist, folders, tmp_path):
    lacking = emnist.archive(tmp_path / "lacking", "emnist-digits-test-labels-idx1-ubyte.gz")
    no_archive, empty = tmp_path / "no archive", tmp_path / "empty"
    no_archive.mkdir()
    (no_archive / "gzip.zip").write_bytes(b"<html>moved</html>")
    empty.mkdir()
    wrong = [empty, no_archive, lacking]
    emnist.use(wrong)
    with pytest.raises(DataError) as caught:
        datasets.fetch("emnist-digits")
    message = str(caught.value)
    assert message.startswith("no mirror has gzip.zip of emnist-digits: ")
    reasons = ("No such file", "a web page", "lacks emnist-digits-test-labels-idx1-ubyte.gz")
    for folder, reason in zip(wrong, reasons, strict=True):
        assert re.search(rf"{re.escape(folder.as_uri())}/ \([^)]*{reason}", message)
    assert list((folders.cache / "emnist-digits").iterdir()) == []

    emnist.use([*wrong, emnist.archive(tmp_path / "right")])
    seen = []
    folder = datasets.fetch("emnist-digits", progress=lambda *call: seen.append(call))
    assert folder == folders.cache / "emnist-digits"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == emnist.packed
    size = (tmp_path / "right" / "gzip.zip").stat().st_size
    assert seen[-1] == ("gzip.zip", size, size)
    np.testing.assert_array_equal(datasets.load("emnist-digits").test.labels, emnist.labels["test"])


def test_of_emnist_only_what_is_wrong_is_replaced(emnist, folders, tmp_path):
    emnist.use([emnist.archive(tmp_path / "right")])
    folder = datasets.fetch("emnist-digits")
    wrong, *others = sorted(folder.iterdir())
    before = [path.stat() for path in others]
    wrong.write_bytes(b"not gzip")
    datasets.fetch("emnist-digits")
    assert wrong.read_bytes() == emnist.packed[wrong.name]
    assert [path.stat() for path in others] == before
    (tmp_path / "right" / "gzip.zip").unlink()
    datasets.fetch("emnist-digits")  # all is right, and nothing is downloaded
