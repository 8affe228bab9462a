"""The best random masks, against what defines them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazybook.errors import InvalidValue
from lazybook.theory import RandomMasks

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
