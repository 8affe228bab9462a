"""The data are what they are said to be, and are known by their names."""

import re
from dataclasses import replace

import numpy as np
import pytest

from lazybook import datasets
from lazybook.datasets import Split
from lazybook.errors import DataError, InvalidValue
from lazybook.experiment import preset
from lazybook.trainers import train


def test_mnist_is_mnist():
    mnist = datasets.load("mnist")
    assert (len(mnist.train), len(mnist.test), mnist.classes) == (60_000, 10_000, 10)
    assert mnist.train.values.shape == (60_000, 784)
    assert mnist.train.values.dtype == np.uint8
    assert mnist.train.labels.dtype == np.int64
    assert mnist.train.labels[59_915] == 4
    counts = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(mnist.train.labels).tolist() == counts
    counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert np.bincount(mnist.test.labels).tolist() == counts
    inputs = mnist.train.inputs()
    assert inputs.dtype == np.float32
    assert (inputs.min(), inputs.max()) == (0, 1)
    assert inputs.mean(dtype=float) == pytest.approx(0.1307, abs=5e-5)


def test_zero_mean_subtracts_the_training_sets_mean_from_both_splits():
    mnist, centred = datasets.load("mnist"), datasets.load("mnist").zero_mean()
    assert centred.train.inputs().mean(dtype=float) == pytest.approx(0, abs=1e-6)
    shift = mnist.test.inputs([3, 5]) - centred.test.inputs([3, 5])
    np.testing.assert_allclose(shift, 0.1306605, rtol=1e-5)
    assert centred.train.values is mnist.train.values


@pytest.mark.parametrize("name", ["mnist", "two-clouds", "random-patterns:7,5"])
def test_facts_are_those_of_the_data_set(name):
    assert datasets.facts(name) == datasets.load(name).facts


def test_facts_need_no_files(folders):
    mnist, deformed = datasets.facts("mnist"), datasets.facts("deformed-mnist:9000000")
    assert (mnist.train, mnist.test, mnist.inputs, mnist.classes) == (60_000, 10_000, 784, 10)
    assert (deformed.train, deformed.test) == (9_000_000, 40_000)
    assert datasets.facts("emnist-digits").train == 240_000
    with pytest.raises(DataError, match="mnist lacks"):
        datasets.load("mnist")


@pytest.mark.parametrize(
    "name", ["mnits", "", "deformed-mnist:0", "random-patterns:5", "few:0123456789ab", None, 5, []]
)
def test_facts_and_load_refuse_the_same_names(name):
    with pytest.raises(InvalidValue) as loading:
        datasets.load(name)
    with pytest.raises(InvalidValue) as asking:
        datasets.facts(name)
    assert str(loading.value) == str(asking.value)


def test_a_data_set_is_loaded_once_and_cannot_be_written_to():
    assert datasets.load("mnist") is datasets.load("mnist")
    for name in ("mnist", "two-clouds"):
        split = datasets.load(name).train
        with pytest.raises(ValueError, match="read-only"):
            split.values[0] = 1
        split.inputs()[0] = 1


def test_unknown_names_are_refused_with_the_choice():
    known = r"mnist, fashion-mnist, emnist-digits, cifar-10, cifar-10-jpeg, deformed-mnist:N"
    with pytest.raises(InvalidValue, match=rf"'mnits'.*{known}"):
        datasets.load("mnits")
    with pytest.raises(InvalidValue, match=r"'two-clouds'.*mnist, fashion-mnist"):
        datasets.fetch("two-clouds")


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("MNIST", "mnist"),
        (" mnist\n", "mnist"),
        ("Fashion MNIST", "fashion-mnist"),
        ("fashion_mnist", "fashion-mnist"),
        ("FashionMNIST", "fashion-mnist"),
        ("emnist_digits", "emnist-digits"),
        ("two clouds", "two-clouds"),
        ("Deformed-MNIST:600", "deformed-mnist:600"),
        ("random_patterns:5,7", "random-patterns:5,7"),
    ],
)
def test_a_name_written_in_another_way_is_told_as_it_is(written, meant):
    for ask in (datasets.load, datasets.facts):
        with pytest.raises(InvalidValue, match=rf"^dataset is .*; did you mean '{meant}'\?"):
            ask(written)


@pytest.mark.parametrize("name", [None, 5, b"mnist", ["mnist"], {}, 1.5, True, np.int64(3)])
def test_what_is_no_word_names_no_data_set(name):
    for ask in (datasets.load, datasets.facts, datasets.fetch):
        with pytest.raises(InvalidValue, match=r"^dataset"):
            ask(name)


def test_what_is_available(folders):
    mnist, fashion, emnist, *cifar, deformed, clouds, patterns = datasets.available()
    assert mnist.folder is None
    assert mnist.state.startswith("mnist lacks train-images")
    assert fashion.state.startswith("fashion-mnist lacks train-images")
    assert emnist.state.startswith("emnist-digits lacks emnist-digits-train-images")
    assert [found.name for found in cifar] == ["cifar-10", "cifar-10-jpeg"]
    for found in cifar:
        assert found.state.startswith(f"{found.name} lacks")
    assert deformed == ("deformed-mnist:N", None, "is made from mnist, which is not ready")
    assert clouds == ("two-clouds", None, "built in")
    assert patterns == ("random-patterns:P,N[,SEED]", None, "built in")


def split(seed: int = 0, n: int = 20) -> Split:
    generator = np.random.default_rng(seed)
    values = generator.integers(256, size=(n, 6), dtype=np.uint8)
    return Split(values, generator.integers(3, size=n), scale=1 / 255)


def test_a_derived_data_set_is_known_by_the_name_it_was_given():
    train, test = split(0), split(1)
    name = datasets.derived("few-sevens", train, test, classes=3)
    assert re.fullmatch("few-sevens:[0-9a-f]{12}", name)
    made = datasets.load(name)
    assert (made.name, made.classes, made.train, made.test) == (name, 3, train, test)
    assert re.fullmatch("[0-9a-f]{64}", made.checksum)
    assert name == f"few-sevens:{made.checksum[:12]}"
    assert datasets.load(name) is made
    with pytest.raises(ValueError, match="read-only"):
        made.train.values[0] = 1


def test_the_same_samples_give_the_same_name_whatever_their_layout():
    names = [datasets.derived("part", split(0), split(1)) for _ in range(2)]
    columns = replace(split(0), values=np.asfortranarray(split(0).values))
    names.append(datasets.derived("part", columns, split(1)))
    assert len(set(names)) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"values": split(2).values},
        {"values": split(0).values.astype(np.float32)},
        {"labels": split(2).labels},
        {"scale": 1 / 256},
        {"offset": 0.5},
    ],
    ids=lambda change: f"{next(iter(change))}",
)
def test_whatever_is_changed_in_either_half_changes_the_name(change):
    changed = replace(split(0), **change)
    pairs = [(split(0), split(0)), (changed, split(0)), (split(0), changed)]
    names = {datasets.derived("part", *pair) for pair in pairs}
    names.add(datasets.derived("part", *pairs[0], classes=11))
    assert len(names) == 4


@pytest.mark.parametrize("name", ["few-sevens:0123456789ab", "mnist:0123456789ab"])
def test_what_was_not_derived_in_this_process_is_not_known(name):
    with pytest.raises(InvalidValue) as caught:
        datasets.load(name)
    assert str(caught.value).startswith(f"dataset is {name!r}, which a notebook derives")


WORDS = ["", "seven 7", "7sevens", "a:b", "a/b", "-", "../a", "zw\u00f6lf"]


@pytest.mark.parametrize("word", WORDS)
def test_a_derived_data_set_needs_a_word(word):
    with pytest.raises(InvalidValue, match="it must be of letters, digits and hyphens"):
        datasets.derived(word, split(), split())


@pytest.mark.parametrize(
    "change",
    [
        {"values": split().values[:-1]},
        {"values": split().values[:, :-1]},
        {"values": split().values[:, 0]},
        {"values": split().values.astype(float)},
        {"values": np.full((20, 6), np.nan, np.float32)},
        {"labels": split().labels + 8},
        {"labels": split().labels - 3},
        {"labels": split().labels.astype(float)},
        {"values": split().values[:0], "labels": split().labels[:0]},
    ],
)
def test_derived_samples_that_no_network_could_learn_are_refused(change):
    with pytest.raises(InvalidValue, match=r"test.* has|and test 5; "):
        datasets.derived("part", split(), replace(split(), **change))


@pytest.mark.parametrize(
    "change",
    [
        {"values": [[1, 2]]},
        {"labels": [0, 1]},
        {"values": None},
        {"values": np.uint8(3)},
        {"scale": np.nan},
        {"scale": "1"},
        {"offset": np.inf},
        {"offset": None},
    ],
    ids=str,
)
def test_halves_that_are_no_arrays_of_samples_are_refused(change):
    for halves in ((replace(split(), **change), split()), (split(), replace(split(), **change))):
        with pytest.raises(InvalidValue, match=r"^(train|test)"):
            datasets.derived("part", *halves)


@pytest.mark.parametrize(
    "arguments",
    [
        (None, split(), split()),
        (b"part", split(), split()),
        ("part", None, split()),
        ("part", split(), [split()]),
        ("part", split(), split(), 0),
        ("part", split(), split(), 2.5),
        ("part", split(), split(), None),
    ],
)
def test_what_derives_no_data_set_is_refused(arguments):
    with pytest.raises(InvalidValue):
        datasets.derived(*arguments)


def test_a_derived_data_set_may_have_the_word_of_another():
    for word in ("random-patterns", "deformed-mnist", "mnist"):
        name = datasets.derived(word, split(), split(1))
        assert datasets.facts(name) == datasets.load(name).facts


def test_a_network_learns_derived_data():
    mnist = datasets.load("mnist")
    few = [
        replace(half, values=half.values[:100], labels=half.labels[:100])
        for half in (mnist.train, mnist.test)
    ]
    experiment = preset("lazy", dataset=datasets.derived("few", *few), hidden=5, epochs=2)
    assert train(experiment).final["updates"] == 200
