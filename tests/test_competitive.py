"""Competitive plasticity on MNIST: what learning costs, and what restrictions save."""

from functools import cache

import numpy as np
import pytest

from lazybook import datasets
from lazybook.experiment import preset
from lazybook.gates import MemorizedMistakes
from lazybook.restrictions import AllSynapses, LargestUpdates, Subnet, number_selected
from lazybook.support.randomness import Streams
from lazybook.trainers import train

INPUTS, OUTPUTS = 784, 10
COMPETITIVE = Subnet(30) & LargestUpdates(0.05)


@cache
def learned(**changes):
    """Return the last measurement of a run of the preset, to 85 % and with what is changed."""
    run = train(preset("competitive", until=0.85, **changes))
    assert run.final["test_accuracy"] >= 0.85
    return run.final


@pytest.mark.parametrize("hidden", [40, 100])
def test_plain_learning_changes_every_synapse_on_every_sample(hidden):
    final = learned(hidden=hidden)
    assert final["updates"] == final["samples"] > 0
    units = hidden - 1  # the last one is clamped, and has no inputs
    assert final["energy_m0_hidden"] == final["samples"] * (INPUTS + 1) * units
    assert final["energy_m0_output"] == final["samples"] * hidden * OUTPUTS


def test_without_zero_mean_it_leaves_the_synapses_of_dark_pixels():
    final = learned(hidden=40, zero_mean=False)
    train_set = datasets.load("mnist").train
    order = Streams(0).next_epoch(len(train_set), "replacement")[: final["samples"]]
    lit = np.count_nonzero(train_set.values, axis=1)[order] + 1  # the bias is an input too
    assert final["energy_m0_hidden"] == lit.sum() * 39


def test_a_subnet_costs_the_same_in_a_larger_network():
    for column in ("energy_m0", "energy_m1"):
        small, large = (learned(hidden=h, restriction=Subnet(30))[column] for h in (60, 300))
        assert 0.6 < large / small < 1.6
        small, large = (learned(hidden=h)[column] for h in (60, 300))
        assert large / small > 1.7


def test_the_largest_updates_in_a_subnet_cost_as_many_changes_as_they_are():
    final = learned(hidden=100, restriction=COMPETITIVE)
    selected = number_selected(0.05, (INPUTS + 1) * 30)
    assert final["energy_m0_hidden"] == final["samples"] * selected
    assert final["energy_m0_output"] == final["samples"] * 30 * OUTPUTS


@pytest.mark.parametrize("restriction", [AllSynapses(), COMPETITIVE])
def test_lazy_learning_saves_on_top(restriction):
    final = learned(hidden=100, restriction=restriction)
    lazy = learned(hidden=100, restriction=restriction, gate=MemorizedMistakes())
    assert lazy["samples"] > lazy["updates"]
    for column in ("updates", "energy_m0", "energy_m1"):
        assert lazy[column] < 0.8 * final[column]
