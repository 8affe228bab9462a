"""What the package `lazybook.pytorch` says of itself."""

import doctest

import pytest

from lazybook import pytorch
from lazybook.pytorch import packing


@pytest.mark.parametrize("module", [pytorch, packing], ids=str)
def test_the_examples_run(module):
    results = doctest.testmod(module)
    assert results.attempted > results.failed == 0
