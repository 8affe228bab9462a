"""The counts of a run times the costs of a sample."""

import numpy as np
import pandas as pd
import pytest

from lazybook.benchmarks import cases, cost
from lazybook.benchmarks.cost import Cost
from lazybook.benchmarks.timing import Turns
from lazybook.experiment import preset
from lazybook.gates import MemorizedMistakes
from lazybook.trainers import train


def test_every_sample_costs_a_forward_pass_and_every_update_more():
    table = pd.DataFrame({"samples": [0, 100, 200], "updates": [0, 100, 110]}, index=[0, 1, 5])
    seconds = Cost(forward=0.5, update=2.0).seconds(table)
    assert seconds.to_dict() == {0: 0, 1: 250, 5: 320}


def test_a_run_that_learns_less_costs_less(few):
    lazy, backprop = (
        train(preset("lazy", hidden=5, epochs=3, **gate))
        for gate in ({"gate": MemorizedMistakes()}, {})
    )
    price = Cost(forward=1, update=3)
    assert price.seconds(backprop.table).iloc[-1] == 4 * 3 * 600
    expected = 3 * 600 + 3 * lazy.final["updates"]
    assert price.seconds(lazy.table).iloc[-1] == expected < 4 * 3 * 600


def test_what_learning_adds_is_the_update(monkeypatch):
    """The medians of the rounds, in which one loop learned nothing and the other everything."""
    asked = []

    def turns(learners, samples, rounds, seconds, advance):
        assert rounds == 3
        taken = {"forward": [1.0, 9.0, 2.0], "both": [7.0, 5.0, 50.0]}
        for name, loop in learners.items():
            loop.learn(np.arange(40))
            asked.append((name, loop.updates, loop.weights[0].shape[1]))
        return {name: Turns(np.array(taken[name]), 40) for name in learners}

    monkeypatch.setattr(cost, "take_turns", turns)
    assert cost.measure([20, 30], rounds=3) == dict.fromkeys([20, 30], Cost(2.0, 5.0))
    assert asked == [("forward", 0, 20), ("both", 40, 20), ("forward", 0, 30), ("both", 40, 30)]


def test_costs_are_measured_on_this_machine():
    [(size, measured)] = cost.measure([20], rounds=2).items()
    assert size == 20
    assert 0 < measured.forward < measured.update < 1


def test_a_loop_that_learns_other_samples_is_not_timed(monkeypatch):
    half = cases.data_for(cases.lazy(20, 0.5))
    monkeypatch.setattr(cases, "data_for", lambda case: half)
    with pytest.raises(RuntimeError, match="not a share of 0"):
        cost.measure([20], rounds=1)
