"""The theories, against what defines them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special

from lazybook.errors import InvalidValue
from lazybook.theory import DecayingCache, Perceptron, RandomMasks, dawson

masks = st.builds(RandomMasks, st.integers(1, 200), st.integers(10, 1000), st.integers(1, 10))
times = st.floats(1, 1e4)


def cost(masks, hidden, p_in, p_out):
    return hidden * (masks.inputs * p_in + masks.outputs * p_out)


@given(masks=masks, times=times, other=st.floats(0, 1))
def test_no_other_masks_with_as_many_paths_cost_less(masks, times, other):
    hidden = masks.needed * times
    p_in, p_out = masks.fractions(hidden)
    assert p_in * p_out * hidden == pytest.approx(masks.needed)
    # Any p_out that some p_in goes with: from 1 / times, where all inputs are plastic, to 1.
    p_out_other = times ** (other - 1)
    other_cost = cost(masks, hidden, masks.needed / (hidden * p_out_other), p_out_other)
    assert cost(masks, hidden, p_in, p_out) <= other_cost * (1 + 1e-9)
    assert sum(masks.plastic(hidden)) == pytest.approx(cost(masks, hidden, p_in, p_out))


@given(masks=masks, share=st.floats(0.01, 1))
def test_in_a_small_network_all_is_plastic(masks, share):
    assert masks.fractions(masks.needed * share) == (1, 1)


@given(masks=masks, times=times)
def test_outputs_are_masked_from_the_kink_on_and_cost_as_much_as_inputs(masks, times):
    hidden = masks.kink * times
    into, out = masks.plastic(hidden)
    assert into == pytest.approx(out)
    below = masks.needed * min(times, masks.inputs / masks.outputs)
    assert masks.fractions(below)[1] == pytest.approx(1)
    # The cost of both grows as the square root of the size.
    assert sum(masks.plastic(4 * hidden)) == pytest.approx(2 * (into + out))


def test_mnist():
    masks = RandomMasks(50)
    assert masks.kink == 3920
    sizes = np.array([25, 500, 3920, 4 * 3920])
    p_in, p_out = masks.fractions(sizes)
    np.testing.assert_allclose(p_in, [1, 0.1, 50 / 3920, 25 / 3920])
    np.testing.assert_allclose(p_out, [1, 1, 1, 0.5])


@pytest.mark.parametrize("numbers", [(0,), (-1,), (50, 0), (50, 784, 0), (float("nan"),), ("5",)])
def test_numbers_that_mean_nothing(numbers):
    with pytest.raises(InvalidValue, match=r"above 0|at least 1"):
        RandomMasks(*numbers)


@pytest.mark.parametrize("hidden", [0, -1, np.nan, "5", [10, 0], None])
def test_sizes_that_mean_nothing(hidden):
    with pytest.raises(InvalidValue, match="above 0"):
        RandomMasks(5).fractions(hidden)


def test_the_perceptron_of_2020():
    """The paper's numbers, and its limits."""
    theory = Perceptron(1000, 1000)
    assert theory.updates == 2000
    assert theory.presentations / 1000 == pytest.approx(31.6, abs=0.05)
    assert theory.inefficiency == pytest.approx(math.sqrt(1000 * math.pi))
    assert Perceptron(1900, 1000).inefficiency == pytest.approx(773, abs=0.5)
    assert Perceptron(1900, 1000, variance=0.8).inefficiency == pytest.approx(864, abs=0.5)
    assert theory.inefficiency == theory.energy / theory.minimal
    assert theory.inefficiency_at(0) == pytest.approx(2000)
    assert theory.inefficiency_at(1) == pytest.approx(theory.inefficiency)
    assert theory.inefficiency_at(2) == pytest.approx(1)
    np.testing.assert_allclose(
        theory.best_threshold([0, 1e-4, 1e-3, 0.01]), [77.5, 38, 13.6, 4.35], rtol=0.01
    )
    np.testing.assert_allclose(theory.efficiency([0, 1e-3, 0.1]), [1.447, 8.3, 56.05], rtol=0.005)
    assert theory.changes(0.5) == 0  # each change is consolidated at once
    assert theory.changes(1e9) == pytest.approx(theory.energy)


@given(st.integers(10, 1900), st.floats(1e-6, 0.02), st.floats(0.3, 3))
def test_no_other_threshold_costs_less(number, cost, factor):
    theory = Perceptron(number, 1000)

    def energy(threshold):
        return theory.consolidation(threshold) + theory.maintenance(threshold, cost)

    best = theory.best_threshold(cost)
    assert energy(best) <= energy(factor * best) * (1 + 1e-12)
    assert theory.efficiency(cost) <= energy(best) / theory.minimal * (1 + 1e-12)


@given(st.floats(0.1, 20), st.floats(0, 4), st.floats(0.01, 1), st.floats(0.1, 2))
def test_powers_of_a_cache_that_decays(threshold, reach, error_rate, rate):
    """Against the density that they are means of, integrated."""
    spread = threshold / max(reach, 0.05)
    theory = DecayingCache(threshold, (spread / rate) ** 2 / error_rate, error_rate, rate)
    assert theory.spread == pytest.approx(spread)
    s = np.linspace(0, threshold, 4001)
    above = special.erfi(threshold / spread) - special.erfi(s / spread)
    density = np.exp(-((s / spread) ** 2)) * above
    area = 2 * integrate.simpson(density, s)
    mean = 2 * integrate.simpson(s * density, s) / area
    assert theory.size == pytest.approx(mean, rel=1e-5)
    rate_ = 2 * spread / (theory.time_constant * area * math.sqrt(math.pi))
    assert theory.consolidations == pytest.approx(rate_, rel=1e-5)
    assert theory.consolidation == threshold * theory.consolidations


def test_limits_of_a_cache_that_decays():
    slow = DecayingCache(5, 1e7, 0.05)
    assert slow.size == pytest.approx(5 / 3, rel=1e-3)
    assert slow.consolidations == pytest.approx(0.05 / 25, rel=1e-3)
    fast = DecayingCache(50, 5, 0.05)  # nothing gets there: a normal distribution is left
    assert fast.size == pytest.approx(fast.spread / math.sqrt(math.pi))
    assert fast.consolidations < 1e-30
    np.testing.assert_allclose(dawson([0, 0.5, 1, 3, 9]), special.dawsn([0, 0.5, 1, 3, 9]))


@pytest.mark.parametrize("make", [
    lambda: Perceptron(2000, 1000), lambda: Perceptron(0, 5), lambda: Perceptron(5, 5, rate=0),
    lambda: Perceptron(5, 5, 1, -1), lambda: Perceptron(5, 5).efficiency(-1),
    lambda: Perceptron(5, 5).maintenance(0, 1), lambda: DecayingCache(0, 1, 1),
    lambda: DecayingCache(1, 1, math.nan), lambda: Perceptron(5, 5).inefficiency_at(-1),
])  # fmt: skip
def test_a_perceptron_that_means_nothing(make):
    with pytest.raises(InvalidValue, match=r"must be"):
        make()
