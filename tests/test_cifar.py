"""CIFAR-10: its published form and the copy in JPEG are read right, from checked archives."""

import io
import tarfile
from dataclasses import replace

import numpy as np
import pytest

from lazybook import datasets
from lazybook.datasets import cifar
from lazybook.errors import DataError

LABELS = np.array([3, 0, 9, 1, 7, 2], np.uint8)  # of one image in each of the batches


@pytest.fixture
def pixels():
    """A smooth image for each label, uint8 ``(6, 3, 32, 32)``: JPEG hardly changes those."""
    red, green = np.meshgrid(np.arange(32), np.arange(32))
    blue = np.full((32, 32), 20)
    return np.array([np.stack([4 * red, 4 * green, blue + 30 * n]) for n in range(6)], np.uint8)


def pack(path, members):
    """Write a packed archive of ``members``."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as archive:
        for name, contents in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(contents)
            archive.addfile(member, io.BytesIO(contents))


@pytest.fixture
def packed(tmp_path, monkeypatch, pixels):
    """A function that packs a tiny data set of this name, and makes it the one to be found."""

    def make(name):
        if name == "cifar-10":
            images = zip(LABELS, pixels, cifar.BATCHES, strict=True)
            members = {f"cifar-10-batches-bin/{file}": bytes([label]) + image.tobytes()
                       for label, image, file in images}  # fmt: skip
            members["cifar-10-batches-bin/readme.html"] = b"not needed"
        else:
            members = {}
            for number, (label, image) in enumerate(zip(LABELS, pixels, strict=True)):
                half = "train" if number < 5 else "test"
                members[f"./{half}/{cifar.KINDS[label]}/{number:04}.jpg"] = jpeg(image)
        archive = cifar.ARCHIVES[name]
        pack(tmp_path / name / archive.file, members)
        kept = {archive.key(member): held for member, held in members.items()}
        kept.pop("", None)
        tiny = replace(archive, checksum=cifar.contents_checksum(kept))
        monkeypatch.setenv("LAZYBOOK_DATA", str(tmp_path))
        monkeypatch.setitem(cifar.ARCHIVES, name, tiny)
        return cifar.read(name, tiny)

    return make


def jpeg(image):
    Image = pytest.importorskip("PIL.Image")
    held = io.BytesIO()
    Image.fromarray(image.transpose(1, 2, 0)).save(held, "JPEG", quality=95)
    return held.getvalue()


def test_the_published_form(packed, pixels):
    dataset = packed("cifar-10")
    assert dataset.name == "cifar-10"
    np.testing.assert_array_equal(dataset.train.labels, LABELS[:5])
    np.testing.assert_array_equal(dataset.test.labels, LABELS[5:])
    np.testing.assert_array_equal(dataset.train.values, pixels[:5].reshape(5, 3072))
    assert dataset.train.inputs().max() == pytest.approx(pixels[:5].max() / 255)


def test_the_copy_in_jpeg(packed, pixels):
    """By kind, and its pixels stand as in the published form."""
    dataset = packed("cifar-10-jpeg")
    order = np.argsort(LABELS[:5])
    np.testing.assert_array_equal(dataset.train.labels, LABELS[:5][order])
    away = dataset.train.values.astype(int) - pixels[:5][order].reshape(5, 3072)
    assert np.abs(away).max() < 30
    assert np.abs(away).mean() < 3


def test_the_packing_does_not_matter_but_the_contents_do(packed, tmp_path):
    packed("cifar-10")
    archive = cifar.ARCHIVES["cifar-10"]
    path = tmp_path / "cifar-10" / archive.file
    members = cifar.members(path, archive)
    pack(path, dict(reversed(members.items())))
    assert cifar.members(path, archive) == members
    name = cifar.BATCHES[2]
    pack(path, members | {name: bytes([members[name][0] ^ 1]) + members[name][1:]})
    with pytest.raises(DataError, match="altered: its members have SHA-256"):
        cifar.members(path, archive)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError, match="get it again"):
        cifar.members(path, archive)
    path.write_bytes(b"no archive")
    with pytest.raises(DataError, match=r"cannot read .*get it again"):
        cifar.members(path, archive)


def test_an_archive_that_is_not_here(tmp_path, monkeypatch):
    monkeypatch.setenv("LAZYBOOK_DATA", str(tmp_path))
    monkeypatch.setattr("lazybook.support.paths.cache", lambda: tmp_path / "cache")
    for name, archive in cifar.ARCHIVES.items():
        with pytest.raises(DataError, match=f"{name} lacks {archive.file}: not in .*https://"):
            cifar.read(name, archive)


def test_what_is_known_without_the_archive():
    for name in cifar.ARCHIVES:
        facts = datasets.facts(name)
        assert (facts.inputs, facts.classes) == (3072, 10)
        assert (facts.train, facts.test) == (50_000, 10_000)
