"""What the package `lazybook.pytorch` says of itself."""

import doctest

from lazybook import pytorch


def test_the_example_runs():
    assert doctest.testmod(pytorch).attempted > 0
    assert doctest.testmod(pytorch).failed == 0
