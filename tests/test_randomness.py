"""One seed, independent streams."""

import numpy as np
import pytest

from lazybook.experiment import ORDERS
from lazybook.networks import Shape, initial_weights
from lazybook.support.randomness import Streams, draw_mask, noise, shuffle


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


def draws(seed: int, number: int) -> dict[str, np.ndarray]:
    """Draw whole numbers below 10^5 from each stream of a seed, used for nothing else before."""
    generators = {name: getattr(Streams(seed), name) for name in ("weights", "masks", "ties")}
    drawn = {name: each.integers(10**5, size=number) for name, each in generators.items()}
    # The order is drawn with replacement by the same method.
    drawn["order"] = Streams(seed).next_epoch(10**5, "replacement")[:number]
    drawn["key"] = np.array([noise(Streams(seed).key, 0, i) % 10**5 for i in range(number)])
    return drawn


def test_streams_of_a_seed_and_of_two_seeds_differ():
    first = [tuple(drawn[:4]) for seed in range(20) for drawn in draws(seed, 4).values()]
    assert len(set(first)) == 20 * 5
    keys = {int(Streams(seed).key) for seed in range(1000)}
    assert len(keys) == 1000
    # Nor is the key the seed of a stream.
    streams = Streams(0)
    seeds = {
        int(each.bit_generator.seed_seq.generate_state(1, np.uint64)[0])
        for each in (streams.weights, streams.masks, streams.ties, streams._order)
    }
    assert len(seeds | {int(streams.key)}) == 5


def test_streams_of_a_seed_and_of_two_seeds_are_independent():
    drawn = [each for seed in range(2) for each in draws(seed, 5000).values()]
    assert_uncorrelated(*drawn)


def assert_uncorrelated(*several: np.ndarray) -> None:
    """Whatever is drawn independently is correlated by no more than chance: 5 / sqrt(n)."""
    found = np.corrcoef([each.ravel().astype(float) for each in several])
    np.fill_diagonal(found, 0)
    assert np.abs(found).max() < 5 / np.sqrt(several[0].size)


def assert_as_often(counts: np.ndarray, trials: int, probability: float) -> None:
    """Each was chosen as often as it should be, within 5 standard errors."""
    error = np.sqrt(trials * probability * (1 - probability))
    np.testing.assert_allclose(counts, trials * probability, rtol=0, atol=5 * error)


KEYS = [Streams(seed).key for seed in range(2)]


def test_noise_is_another_number_for_other_arguments():
    """And each of its bits is set as often as not."""
    arguments = [(key, t, place) for key in KEYS for t in range(50) for place in range(50)]
    numbers = np.array([noise(*each) for each in arguments], np.uint64)
    assert len(np.unique(numbers)) == len(numbers)
    bits = (numbers[:, None] >> np.arange(64, dtype=np.uint64)) & np.uint64(1)
    assert_as_often(bits.sum(axis=0), len(numbers), 0.5)
    assert_uncorrelated(*bits.T)
    np.testing.assert_array_equal(numbers, [noise(*each) for each in arguments])


def masks(probability: float, shape: tuple[int, int]) -> dict[tuple, np.ndarray]:
    """Draw the masks of two keys, two presentations and two layers, all of one shape."""
    drawn = {}
    for key in KEYS:
        for presentation in (0, 1):
            for layer in (0, 1):
                mask = np.zeros(shape, bool)
                draw_mask(mask, probability, layer, key, presentation)
                drawn[key, presentation, layer] = mask
    return drawn


@pytest.mark.parametrize("probability", [0.02, 0.1, 0.5, 0.9])
def test_masks_of_two_samples_layers_and_seeds_have_nothing_in_common(probability):
    drawn = [*masks(probability, (101, 70)).values()]
    for mask in drawn:
        assert_as_often(mask.sum(), mask.size, probability)
        assert_uncorrelated(mask[1:], mask[:-1])  # nor do the inputs of a layer
        assert_uncorrelated(mask[:, 1:], mask[:, :-1])  # nor its units
        assert_as_often(mask.sum(axis=0), len(mask), probability)
    assert_uncorrelated(*drawn)


@pytest.mark.parametrize(("probability", "expected"), [(0.0, 0), (1.0, 1)])
def test_a_mask_of_nothing_and_of_all(probability, expected):
    for mask in masks(probability, (20, 30)).values():
        assert (mask == expected).all()


def test_a_mask_is_a_function_of_key_presentation_and_layer():
    for (key, presentation, layer), mask in masks(0.4, (20, 30)).items():
        again = ~mask
        draw_mask(again, 0.4, layer, key, presentation)
        np.testing.assert_array_equal(again, mask)


@pytest.mark.parametrize(("number", "many"), [(1, 12), (5, 12), (11, 12), (7, 100)])
def test_each_unit_is_chosen_as_often_and_each_two_of_them(number, many):
    units, times = np.arange(many), 3000
    chosen = np.zeros((times, many), bool)
    for presentation in range(times):
        shuffle(units, number, KEYS[0], presentation)
        assert sorted(units) == list(range(many))  # none is lost, none is there twice
        chosen[presentation, units[:number]] = True
    share = number / many
    assert_as_often(chosen.sum(axis=0), times, share)
    # As many are chosen again next time as chance would have it.
    again = (chosen[1:] & chosen[:-1]).sum(axis=1)
    error = again.std() / np.sqrt(len(again))
    assert again.mean() == pytest.approx(number * share, abs=5 * error + 1e-12)
    # And two units are chosen together as often as any other two.
    together = chosen.T.astype(int) @ chosen
    both = share * (number - 1) / (many - 1)
    assert_as_often(together[np.triu_indices(many, 1)], times, both)


def test_seeds_choose_other_units():
    chosen = []
    for key in KEYS:
        units = np.arange(100)
        shuffle(units, 50, key, 0)
        chosen.append(set(units[:50].tolist()))
    assert len(chosen[0] ^ chosen[1]) > 20


@pytest.mark.parametrize("order", ["permutation", "replacement"])
def test_each_sample_has_as_good_a_chance_to_come_first(order):
    streams = Streams(0)
    first = [streams.next_epoch(10, order)[0] for _ in range(2000)]
    assert_as_often(np.bincount(first, minlength=10), 2000, 0.1)


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
