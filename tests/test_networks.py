"""Shapes and initial weights of the two networks."""

import numpy as np
import pytest
import torch

from lazybook import networks
from lazybook.errors import InvalidValue
from lazybook.networks import Shape, initial_weights, shape


@pytest.mark.parametrize(
    ("hidden", "bias", "classes", "layers"),
    [
        (100, "separate", 10, [(785, 100), (101, 10)]),
        (100, "none", 10, [(784, 100), (100, 10)]),
        (100, "clamped-unit", 10, [(785, 99), (100, 10)]),  # 100 units, one of them always 1
        (2, "clamped-unit", 10, [(785, 1), (2, 10)]),
        (None, "separate", 10, [(785, 10)]),
        (None, "none", 2, [(784, 1)]),
        (7, "separate", 2, [(785, 7), (8, 1)]),
    ],
)
def test_shapes(hidden, bias, classes, layers):
    found = shape(hidden, bias, inputs=784, classes=classes)
    assert found.layers == layers
    weights = initial_weights("pytorch", found, np.random.default_rng(0))
    assert [layer.shape for layer in weights] == layers
    assert {layer.dtype for layer in weights} == {np.dtype(np.float32)}


def test_initial_weights_are_distributed_as_pytorchs():
    torch.manual_seed(0)
    linear = torch.nn.Linear(784, 500)
    theirs = torch.cat([linear.weight.T, linear.bias[None]]).detach().numpy()
    ours, _ = initial_weights("pytorch", Shape(784, 500, 10, bias=True), np.random.default_rng(0))
    assert ours.shape == theirs.shape
    for part in (slice(None), slice(-1, None)):  # all of them; the biases
        assert np.abs(ours[part]).max() == pytest.approx(1 / 28, rel=0.01)
        assert np.abs(ours[part]).max() <= 1 / 28 * (1 + 1e-6)
        assert ours[part].std() == pytest.approx(theirs[part].std(), rel=0.1)
        assert abs(ours[part].mean()) < 0.1 / 28


def test_initial_weights_without_bias_have_the_same_range():
    weights = initial_weights("pytorch", Shape(784, 500, 10, bias=False), np.random.default_rng(0))
    for layer, inputs in zip(weights, (784, 500), strict=True):
        assert np.abs(layer).max() == pytest.approx(inputs**-0.5, rel=0.01)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("inputs", [1, 2, 5])
def test_a_bias_does_not_narrow_the_range_of_few_inputs(inputs, bias):
    """PyTorch's fan-in leaves it out; with few inputs that makes a difference."""
    layer, _ = initial_weights(
        "pytorch", Shape(inputs, 20_000, 2, bias=bias), np.random.default_rng(0)
    )
    bound = torch.nn.Linear(inputs, 20_000, bias=bias).weight.abs().max().item()
    for row in layer:
        assert np.abs(row).max() == pytest.approx(bound, rel=1e-3)
        assert np.abs(row).max() <= inputs**-0.5 * (1 + 1e-6)


def test_gaussian_initial_weights():
    weights = initial_weights("gaussian:0.02", Shape(784, 500, 10, True), np.random.default_rng(0))
    for layer in weights:
        assert layer.std() == pytest.approx(0.02, rel=0.05)
        assert np.abs(layer).max() > 0.05  # not uniform


def test_hidden_units_with_a_threshold_are_the_same_but_for_it():
    shape = Shape(784, 50, 10, True)
    plain, more = (
        initial_weights(f"gaussian:0.02{bias}", shape, np.random.default_rng(0))
        for bias in ("", ",-0.5")
    )
    plain[0][-1] -= np.float32(0.5)
    for one, other in zip(plain, more, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("hidden", "bias", "message"), [(50, False, "has no bias"), (None, True, "has no hidden units")]
)
def test_a_threshold_needs_hidden_units_with_biases(hidden, bias, message):
    with pytest.raises(InvalidValue, match=message):
        initial_weights("gaussian:1,-1", Shape(784, hidden, 10, bias), np.random.default_rng(0))


def test_initial_weights_of_zero_are_float32_and_shaped_like_any():
    shape = Shape(784, None, 10, bias=True)
    [layer] = initial_weights("zeros", shape, np.random.default_rng(0))
    np.testing.assert_array_equal(layer, np.zeros((785, 10), np.float32), strict=True)


def test_given_weights_stand_row_by_row():
    shape = Shape(inputs=2, hidden=2, outputs=1, bias=True)
    given = "values:1,2,3,4,5,6,-1,-2e-1,-3"
    first, second = initial_weights(given, shape, np.random.default_rng(0))
    np.testing.assert_array_equal(first, np.float32([[1, 2], [3, 4], [5, 6]]))
    np.testing.assert_array_equal(second, np.float32([[-1], [-0.2], [-3]]))
    with pytest.raises(InvalidValue, match="gives 2 weights; the network has 9"):
        initial_weights("values:1,2", shape, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("activation", "slope"), [("relu", 0), ("leaky-relu:0.01", 0.01), ("leaky-relu:0", 0)]
)
def test_slope_below_zero(activation, slope):
    assert networks.leak(activation) == slope
