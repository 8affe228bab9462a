"""Data sets made of others: a name, the same samples in every process."""

import subprocess
import sys

import numpy as np
import pytest

from lazybook import datasets
from lazybook.datasets import Split, variants
from lazybook.datasets.published import FILES
from lazybook.errors import DataError, InvalidValue

NAMES = (
    "mnist/classes:0-4",
    "mnist/classes:9-9",
    "mnist/samples:100-399",
    "mnist/blur:1.5",
    "mnist/random-labels:0.2,7",
    "mnist/samples:0-599/classes:5-9",
    "deformed-mnist:300/classes:0-4",
    "random-patterns:9,16/random-labels:1,0",
)
MNIST = datasets.load("mnist")


def assert_same(split: Split, other: Split) -> None:
    np.testing.assert_array_equal(split.values, other.values)
    np.testing.assert_array_equal(split.labels, other.labels)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_known_is_what_is_made(name):
    made = datasets.load(name)
    assert made.name == name
    assert datasets.facts(name) == made.facts
    assert made is datasets.load(name)
    for split in (made.train, made.test):
        assert len(split.values) == len(split.labels) > 0
        assert not split.values.flags.writeable
        assert not split.labels.flags.writeable


def test_names_have_checksums_of_their_own():
    checksums = {datasets.facts(name).checksum for name in (*NAMES, "mnist", "mnist/blur:1")}
    assert len(checksums) == len(NAMES) + 2


def test_another_process_makes_the_same():
    said = "mnist/samples:0-999/blur:1/random-labels:0.5,3"
    code = (
        "from lazybook import datasets; from lazybook.datasets.samples import contents_checksum;"
        f"d = datasets.load({said!r}); print(d.checksum, contents_checksum(d.train, d.test))"
    )
    command = [sys.executable, "-c", code]
    first, second = (
        subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(2)
    )
    assert first == second
    assert first.split()[0] == datasets.facts(said).checksum


def test_classes_keep_their_numbers_and_all_outputs_stay():
    some, others = datasets.load("mnist/classes:0-4"), datasets.load("mnist/classes:5-9")
    for half in ("train", "test"):
        labels = getattr(MNIST, half).labels
        ours, theirs = getattr(some, half), getattr(others, half)
        assert sorted(set(ours.labels)) == [0, 1, 2, 3, 4]
        assert sorted(set(theirs.labels)) == [5, 6, 7, 8, 9]
        assert len(ours) + len(theirs) == len(labels)
        np.testing.assert_array_equal(ours.values, getattr(MNIST, half).values[labels < 5])
    assert some.classes == others.classes == 10


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_the_published_numbers_of_each_class_are_right(name):
    try:
        data = datasets.load(name)
    except DataError:
        pytest.skip(f"{name} is not here")
    for split, numbers in zip((data.train, data.test), FILES[name].per_class, strict=True):
        assert tuple(np.bincount(split.labels)) == numbers


def test_facts_of_published_data_need_no_files(folders):
    assert datasets.facts("fashion-mnist/classes:0-4/blur:2").train == 30_000


def test_a_part_of_the_training_samples():
    part = datasets.load("mnist/samples:100-399")
    np.testing.assert_array_equal(part.train.values, MNIST.train.values[100:400])
    assert_same(part.test, MNIST.test)


def test_a_blur_is_a_gaussian():
    """A bright point becomes one whose variance along each axis is the square of its width."""
    for deviation in (0.8, 1.5, 2.0):
        point = np.zeros((1, 31, 31), np.float32)
        point[0, 15, 15] = 1
        image = variants.blurred(point.reshape(1, -1), deviation).reshape(31, 31)
        assert image.sum() == pytest.approx(1, abs=1e-3)
        for axis in (0, 1):
            profile, places = image.sum(axis=axis), np.arange(31) - 15
            assert (profile * places**2).sum() == pytest.approx(deviation**2, rel=0.01)
        np.testing.assert_allclose(image, image.T)


def test_blurred_digits_stay_pixels():
    blurred = datasets.load("mnist/blur:1.5").test
    assert blurred.values.dtype == np.uint8
    inside = blurred.values.mean(dtype=float)  # little light leaves the frame
    assert inside == pytest.approx(MNIST.test.values.mean(dtype=float), rel=0.01)
    assert (blurred.values > 0).mean() > 2 * (MNIST.test.values > 0).mean()


@pytest.mark.parametrize("share", [0.2, 1])
def test_random_labels_are_random_and_those_of_the_test_stay(share):
    labels = datasets.load(f"mnist/random-labels:{share},0").train.labels
    other = datasets.load(f"mnist/random-labels:{share},1")
    right = (labels == MNIST.train.labels).mean()
    assert right == pytest.approx(1 - 0.9 * share, abs=0.01)
    assert (labels != other.train.labels).mean() > 0.3
    assert_same(other.test, MNIST.test)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("mnist/", "write after the last slash one of: classes:A-B (the classes"),
        ("mnist/classes", "write after the last slash one of"),
        ("mnist/classes:0,4", "write after the last slash one of"),
        ("mnist/blur:.", "write after the last slash one of"),
        ("mnist/blur:-1", "write after the last slash one of"),
        ("mnist/random-labels:0.2", "write after the last slash one of"),
        ("mnist/blur:1.50", "write 'mnist/blur:1.5'"),
        ("mnist/classes:00-4", "write 'mnist/classes:0-4'"),
        ("mnist/classes:5-4", "mnist has 60,000 training samples of 10 classes and 784 inputs"),
        ("mnist/classes:5-10", "mnist has 60,000 training samples of 10 classes and 784 inputs"),
        ("mnist/samples:0-60000", "mnist has 60,000 training samples"),
        ("mnist/blur:0", "above 0 and at most 10"),
        ("mnist/random-labels:1.5,0", "for this share"),
        ("two-clouds/blur:1", "two-clouds has 200 training samples of 2 classes and 2 inputs"),
        ("mnst/blur:1", "did you mean 'mnist'?"),
        ("/blur:1", "choose from: mnist"),
    ],
)
def test_what_cannot_be_made_is_refused(name, said):
    for ask in (datasets.load, datasets.facts):
        with pytest.raises(InvalidValue, match=r"^dataset is ") as caught:
            ask(name)
        assert said in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_data_set_without_samples_is_refused():
    with pytest.raises(InvalidValue, match="it has no samples"):
        datasets.load("mnist/classes:0-0/samples:0-9/classes:1-1")
