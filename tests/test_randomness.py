"""One seed, independent streams."""

import numpy as np
import pytest

from lazybook.experiment import ORDERS
from lazybook.networks import Shape, initial_weights
from lazybook.support.randomness import Streams


@pytest.mark.parametrize("order", ORDERS)
def test_the_order_does_not_depend_on_what_else_is_drawn(order):
    plain = Streams(0)
    expected = [plain.next_epoch(1000, order) for _ in range(3)]
    for hidden in (10, 100):
        streams = Streams(0)
        initial_weights("pytorch", Shape(784, hidden, 10, True), streams.weights)
        for epoch in expected:
            streams.masks.random(hidden)
            np.testing.assert_array_equal(streams.next_epoch(1000, order), epoch)


def test_weights_do_not_depend_on_the_order():
    first, second = Streams(3), Streams(3)
    second.next_epoch(1000, "replacement")
    np.testing.assert_array_equal(first.weights.random(10), second.weights.random(10))


def test_streams_of_a_seed_and_of_two_seeds_differ():
    streams = [Streams(0), Streams(1)]
    drawn = [s.weights.random() for s in streams] + [s.masks.random() for s in streams]
    assert len(set(drawn)) == 4
    orders = [s.next_epoch(100, "permutation").tolist() for s in streams]
    assert orders[0] != orders[1]


def test_a_permutation_presents_each_sample_once_and_each_epoch_anew():
    streams = Streams(0)
    first, second = (streams.next_epoch(1000, "permutation") for _ in range(2))
    for epoch in (first, second):
        np.testing.assert_array_equal(np.sort(epoch), np.arange(1000))
    assert (first != second).any()


def test_in_turn_is_the_same_from_first_to_last_in_every_epoch():
    streams = Streams(0)
    for _ in range(2):
        epoch = streams.next_epoch(1000, "in-turn")
        np.testing.assert_array_equal(epoch, np.arange(1000), strict=True)


def test_with_replacement_about_a_third_of_the_samples_is_left_out():
    epoch = Streams(0).next_epoch(10_000, "replacement")
    assert epoch.shape == (10_000,)
    assert epoch.min() >= 0
    assert epoch.max() < 10_000
    assert len(np.unique(epoch)) / 10_000 == pytest.approx(1 - np.exp(-1), abs=0.02)


def test_no_global_generator_is_touched():
    before = np.random.get_state()[1].tolist()
    Streams(0).next_epoch(10, "permutation")
    assert np.random.get_state()[1].tolist() == before
