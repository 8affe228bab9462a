"""Deformed images are made by the recipe, kept, and made again where that fails."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

from lazybook import datasets
from lazybook.datasets import Dataset, deformation, deformed
from lazybook.errors import InvalidValue, told
from lazybook.support import machine, sharing


@pytest.fixture
def small(folders, part_of_mnist) -> Iterator[Dataset]:
    """In place of MNIST a small part of it, and an empty cache folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(datasets, "load", {"mnist": part_of_mnist}.get)
        yield part_of_mnist


def test_deformed_images_have_the_labels_of_their_bases_and_resemble_them(small):
    deformed = datasets.deformed_mnist(1500)
    assert (deformed.name, deformed.classes) == ("deformed-mnist:1500", 10)
    assert len(deformed.train) == 1500
    assert len(deformed.test) == 4 * len(small.test)
    for split, base in ((deformed.train, small.train), (deformed.test, small.test)):
        assert (split.values.dtype, split.scale) == (np.uint8, 1 / 255)
        assert split.labels.dtype == np.int64
        # All images in turn, over and over: the first 600 training images are one round.
        count = len(base)
        correlation = np.corrcoef(split.values, base.values)[: len(split), len(split) :]
        nearest = correlation.argmax(axis=1)
        assert len(np.unique(nearest[:count])) > 0.95 * count
        assert (nearest == np.resize(nearest[:count], len(split))).mean() > 0.9
        assert (base.labels[nearest] == split.labels).mean() > 0.99
        assert correlation.max(axis=1).mean() > 0.9
        # Each is deformed, and each time in another way.
        assert correlation.max() < 0.9999
        assert len(np.unique(split.values, axis=0)) == len(split)


def test_a_smaller_deformed_set_is_the_first_part_of_a_larger_one(small):
    large, few = (datasets.deformed_mnist(samples) for samples in (1500, 1100))
    np.testing.assert_array_equal(few.train.values, large.train.values[:1100])
    np.testing.assert_array_equal(few.train.labels, large.train.labels[:1100])
    np.testing.assert_array_equal(few.test.values, large.test.values)
    assert few.checksum != large.checksum


def test_the_facts_of_a_deformed_set_are_known_before_it_is_made(small, monkeypatch):
    facts = datasets.facts
    monkeypatch.setattr(datasets, "facts", lambda name: small.facts)  # of MNIST
    assert facts("deformed-mnist:50") == datasets.deformed_mnist(50).facts


def test_the_checksum_is_that_of_the_recipe():
    recipe = f"deformed-mnist 1 {datasets.load('mnist').checksum} 8000000"
    expected = hashlib.sha256(recipe.encode()).hexdigest()
    assert datasets.facts("deformed-mnist:8000000").checksum == expected


def test_deformations_do_not_depend_on_the_number_of_cores(part_of_mnist, monkeypatch):
    images, bases = part_of_mnist.train.values, np.arange(2500) % 600
    done = []
    expected = deformation.deform(images, bases, 1, done.append)
    assert sum(done) == 2500
    monkeypatch.setattr(deformation, "cores", lambda: 1)
    np.testing.assert_array_equal(deformation.deform(images, bases, 1), expected)
    assert (deformation.deform(images, bases, 2) != expected).mean() > 0.05


def test_the_deformations_are_those_of_version_1(part_of_mnist):
    """If this fails for good reason, `deformed.VERSION` has to be raised."""
    images = deformation.deform(part_of_mnist.train.values, np.arange(2500) % 600, 1)
    middle = images.reshape(-1, 28, 28)[[0, 999, 1000, 2400], 10:18, 10:18].mean(axis=(1, 2))
    np.testing.assert_allclose(middle, [76.19, 79.13, 110.23, 80.55], atol=0.05)
    assert deformed.VERSION == 1


def test_a_deformed_pixel_is_taken_from_the_place_that_the_map_and_the_field_say():
    image = np.random.default_rng(0).integers(256, size=(28, 28), dtype=np.uint8)
    [deformed] = deformation.deform(image.reshape(1, -1), np.array([0]), seed=5)
    numbers = np.random.Generator(np.random.PCG64([5, 0])).random((1, 134), np.float32)[0]
    moves = deformation.RANGES * (2 * numbers - 1)
    scale, rotation, stretch, shear, *shift = moves[:6]
    field = deformation.SPLINES @ moves[6:].reshape(2, 8, 8) @ deformation.SPLINES.T
    at = np.mgrid[:28, :28]
    matrix = [[scale + stretch, shear + rotation], [shear - rotation, scale - stretch]]
    at = at + np.einsum("ij,jyx->iyx", matrix, at - 13.5) + np.reshape(shift, (2, 1, 1)) + field
    expected = map_coordinates(np.pad(image.astype(float), 5), at + 5, order=1)
    np.testing.assert_allclose(deformed.reshape(28, 28), expected, atol=0.51)


def test_deformed_images_are_kept_and_made_again_if_damaged(small, folders, monkeypatch):
    made = datasets.deformed_mnist(50)
    files = sorted(
        (folders.cache / "deformed-mnist").iterdir(), key=lambda file: file.stat().st_size
    )
    assert [file.stat().st_size for file in files] == [32 + 784 * 50, 32 + 784 * 1200]
    deform, calls = deformation.deform, []

    def counted(*arguments):
        calls.append(arguments)
        return deform(*arguments)

    monkeypatch.setattr(deformation, "deform", counted)
    np.testing.assert_array_equal(datasets.deformed_mnist(50).train.values, made.train.values)
    assert calls == []
    right = files[0].read_bytes()
    wrong = [right[:-1], right + b"0", right[:5000] + bytes([right[5000] ^ 1]) + right[5001:], b""]
    for number, contents in enumerate(wrong, 1):
        files[0].write_bytes(contents)
        again = datasets.deformed_mnist(50)
        np.testing.assert_array_equal(again.train.values, made.train.values)
        assert len(calls) == number
        assert files[0].read_bytes() == right
    with pytest.raises(ValueError, match="read-only"):
        datasets.deformed_mnist(50).train.values[0] = 1


def test_deformed_images_are_made_where_nothing_can_be_kept(small, folders):
    folders.cache.write_text("a file where the folder should be")
    assert len(datasets.deformed_mnist(50).train) == 50


@pytest.mark.parametrize("size", ["", ":", ":0", ":-5", ":N", ":5.0", ":05", ":5,5"])
def test_a_deformed_set_of_an_impossible_size_is_refused(size):
    with pytest.raises(InvalidValue) as caught:
        datasets.load(f"deformed-mnist{size}")
    assert f"dataset is 'deformed-mnist{size}'; write deformed-mnist:N" in str(caught.value)


def test_deformed_images_that_would_fill_the_memory_are_refused(small, monkeypatch):
    monkeypatch.setattr(machine, "memory", lambda: 10**9)
    monkeypatch.setattr(deformation, "deform", None)  # not even begun
    with pytest.raises(InvalidValue, match=r"deformed-mnist:2000000'; .* take 1.6 GB .* 1.0 GB$"):
        datasets.deformed_mnist(2_000_000)
    assert datasets.facts("deformed-mnist:2000000").train == 2_000_000


@pytest.mark.parametrize(
    "samples", [10**7 + 1, 10**400, 10**5000, 0, -1, 2.5, True, "5", None], ids=told
)
def test_a_number_of_deformed_images_that_cannot_be_is_refused(samples):
    with pytest.raises(InvalidValue) as caught:
        datasets.deformed_mnist(samples)
    assert len(str(caught.value)) < 300


def test_what_a_killed_process_left_of_deformed_images_is_removed(small, folders):
    kept = folders.cache / "deformed-mnist"
    kept.mkdir(parents=True)
    here = sharing.temporary(kept / f"{'a' * 24}.part")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = here.with_name(here.name.replace(f"-{os.getpid()}-", f"-{gone.pid}-"))
    for path in (here, left):
        path.write_bytes(b"half")
    datasets.deformed_mnist(50)
    assert here.exists()
    assert not left.exists()
    assert len(list(kept.iterdir())) == 3


def test_a_pipe_among_the_kept_images_is_not_waited_for(small, folders):
    datasets.deformed_mnist(50)
    for path in (folders.cache / "deformed-mnist").iterdir():
        path.unlink()
        os.mkfifo(path)
    assert len(datasets.deformed_mnist(50).train) == 50
