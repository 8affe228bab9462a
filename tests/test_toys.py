"""The toys are drawn once and for all, and are what their docstrings say."""

import numpy as np
import pytest

from lazybook import datasets
from lazybook.errors import InvalidValue, told


def test_clouds_are_the_same_everywhere():
    first, second = datasets.two_clouds(), datasets.two_clouds()
    assert np.array_equal(first.train.values, second.train.values)
    assert first.checksum == ("1485d6c546475ae9cbcae430329c39bb7fda617b168d9e938929b0db9db5ae91")


@pytest.mark.parametrize(("split", "size"), [("train", 100), ("test", 1000)])
def test_clouds_are_two_discs(split, size):
    clouds = getattr(datasets.load("two-clouds"), split)
    assert clouds.values.dtype == np.float32
    assert np.bincount(clouds.labels).tolist() == [size, size]
    for label, centre in enumerate([(-1, 1.5), (1, 2)]):
        points = clouds.inputs()[clouds.labels == label]
        assert np.linalg.norm(points - centre, axis=1).max() <= 0.7 + 1e-6
        # Uniform over a disc of radius r: the coordinates' variances are r²/4.
        np.testing.assert_allclose(points.var(axis=0), 0.7**2 / 4, rtol=0.35)


def test_a_narrow_wedge_of_weights_separates_the_clouds_and_holds_the_least_squares_solution():
    clouds = datasets.load("two-clouds")
    degrees = np.arange(-180, 180, 0.1)
    lines = np.stack([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])
    right = [
        (split.labels == (split.inputs() @ lines > 0).T).mean(axis=1)
        for split in (clouds.train, clouds.test)
    ]
    wedge = degrees[(right[0] == 1) & (right[1] == 1)]
    assert wedge.min() == pytest.approx(-8.5, abs=0.5)
    assert wedge.max() == pytest.approx(11, abs=0.5)
    assert len(wedge) == pytest.approx((wedge.max() - wedge.min()) / 0.1 + 1, abs=0.1)
    assert (right[0][np.abs(degrees) > 172] == 0).all()

    solution = np.linalg.lstsq(clouds.train.inputs(), clouds.train.labels * 2 - 1)[0]
    angle = np.degrees(np.arctan2(solution[1], solution[0]))
    assert wedge.min() + 5 < angle < wedge.max() - 5


def test_patterns_are_random_and_the_same_everywhere():
    first, again = datasets.random_patterns(300, 200), datasets.random_patterns(300, 200)
    np.testing.assert_array_equal(first.train.values, again.train.values)
    np.testing.assert_array_equal(first.train.labels, again.train.labels)
    assert first.checksum == "a2b9bb63f179787ca7c730f0e80e841dbc597271ab79d8f3ceb58a1f8b724cda"
    assert first.name == "random-patterns:300,200"
    others = [datasets.random_patterns(200, 300), datasets.random_patterns(300, 201)]
    others += [datasets.random_patterns(300, 200, seed) for seed in (1, 2)]
    assert len({first.checksum, *(other.checksum for other in others)}) == 5
    assert others[-1].name == "random-patterns:300,200,2"
    assert datasets.load("random-patterns:300,200,2").checksum == others[-1].checksum
    assert datasets.random_patterns(300, 200, 0).checksum == first.checksum
    with pytest.raises(InvalidValue, match="seed is -1"):
        datasets.random_patterns(300, 200, -1)


def test_patterns_are_plus_and_minus_one_in_two_classes():
    patterns = datasets.load("random-patterns:2000,500")
    assert patterns.test is patterns.train
    assert patterns.classes == 2
    inputs = patterns.train.inputs()
    assert (inputs.shape, inputs.dtype) == ((2000, 500), np.float32)
    assert set(np.unique(inputs)) == {-1, 1}
    assert patterns.train.labels.dtype == np.int64
    assert set(patterns.train.labels.tolist()) == {0, 1}
    # Fair and independent coins: means and correlations are within five standard errors of 0.
    signs = 2 * patterns.train.labels - 1
    assert abs(inputs.mean()) < 5 / np.sqrt(inputs.size)
    assert abs(signs.mean()) < 5 / np.sqrt(2000)
    assert np.abs(signs @ inputs / 2000).max() < 5 / np.sqrt(2000)
    assert np.abs(inputs.mean(axis=0)).max() < 5 / np.sqrt(2000)


@pytest.mark.parametrize(
    "sizes",
    ["", ":", ":5", ":5,", ":,5", ":0,5", ":5,0", ":-5,5", ":5,5,0", ":1,1,1,1", ":5.0,5", ":P,N",
     ":05,5"],
)  # fmt: skip
def test_patterns_of_impossible_sizes_are_refused(sizes):
    with pytest.raises(InvalidValue) as caught:
        datasets.load(f"random-patterns{sizes}")
    assert f"dataset is 'random-patterns{sizes}'" in str(caught.value)
    assert "write random-patterns:P,N" in str(caught.value)


@pytest.mark.parametrize(
    "sizes", ["100001,1000", "1,100000001", f"{'9' * 400},1", f"1,{'9' * 5000}", "1e9,1"]
)
def test_patterns_that_would_fill_the_memory_are_refused(sizes):
    with pytest.raises(InvalidValue, match=r"^dataset is '?.*at most 100,000,000$") as caught:
        datasets.load(f"random-patterns:{sizes}")
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("size", [0, -1, 2.5, True, "5", None, 10**400, 10**5000, [5]], ids=told)
def test_numbers_of_patterns_that_cannot_be_are_refused(size):
    for sizes in ((size, 5), (5, size)):
        with pytest.raises(InvalidValue) as caught:
            datasets.random_patterns(*sizes)
        assert len(str(caught.value)) < 300


def test_sizes_may_come_from_arrays():
    sizes = np.array([7, 5])
    assert datasets.random_patterns(*sizes).name == "random-patterns:7,5"
