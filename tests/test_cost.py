"""The counts of a run times the costs of a sample."""

import json

import numpy as np
import pandas as pd
import pytest

from lazybook.benchmarks import cases, cost, timing
from lazybook.benchmarks.cost import Cost, Costs
from lazybook.benchmarks.timing import Turns
from lazybook.errors import InvalidValue, RecordError
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


@pytest.fixture
def no_torch(monkeypatch):
    """PyTorch is not to be found."""
    find = timing.find_spec
    monkeypatch.setattr(timing, "find_spec", lambda name: None if name == "torch" else find(name))


@pytest.fixture
def measured(monkeypatch):
    """A list of the sizes that were asked for, which nothing is measured of."""
    asked = []

    def measure(sizes):
        asked.append(sizes)
        return Costs(dict.fromkeys(sizes, Cost(1, 2)), cost.HERE)

    monkeypatch.setattr(cost, "measure", measure)
    return asked


def test_the_paper_profile_takes_the_published_costs(measured):
    """So its pages say the same wherever they are made."""
    found = cost.costs([1000, 100], "paper")
    assert measured == []
    assert list(found) == [1000, 100]
    assert found[100] == cost.published()[100]
    assert "and published" in found.source


@pytest.mark.parametrize(("sizes", "profile"), [([100], "quick"), ([100, 101], "paper")])
def test_other_costs_are_measured(measured, sizes, profile):
    """All of them, so that those which are compared come from one machine."""
    found = cost.costs(sizes, profile)
    assert measured == [sizes]
    assert (found.source, found[100]) == (cost.HERE, Cost(1, 2))


@pytest.mark.parametrize("profile", ["smoke", "quick", "paper"])
def test_without_pytorch_costs_are_published_ones(no_torch, profile):
    assert cost.costs([30, 100], profile).source == cost.published().source
    with pytest.raises(InvalidValue, match=r"hidden is \[100, 101\].* 100, .*lazybook\[torch\]"):
        cost.costs([100, 101], profile)


def test_without_pytorch_nothing_of_it_is_timed(no_torch):
    for measuring in (lambda: cost.measure([20]), lambda: cases.run((20,), (), 1)):
        with pytest.raises(InvalidValue, match=r"install lazybook\[torch\]"):
            measuring()
    [result] = cases.compare([cases.plain(20)], rounds=1, names=["NumPy"])
    assert set(result.microseconds) == {"NumPy", "numba"}


def test_what_is_published_is_what_was_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(cost, "measure", lambda sizes, rounds: {20: Cost(1.23456e-5, 2e-4)})
    path = tmp_path / "costs.json"
    cost.publish(path, [20])
    found = cost.published(path)
    assert found == {20: Cost(1.235e-5, 2e-4)}
    made = json.loads(path.read_text())["provenance"]
    assert made["machine"] in found.source and made["date"][:10] in found.source


def test_learning_costs_more_in_larger_networks():
    """What is published covers the sizes of the profiles, and can be."""
    found = cost.published()
    assert set(found) == {*cost.SIZES}
    learned = [found[size].forward + found[size].update for size in cost.SIZES]
    assert sorted(learned) == learned
    assert all(0 < each.forward < each.update for each in found.values())


@pytest.mark.parametrize("contents", ["{", "[]", '{"seconds": {"20": {}}, "provenance": 1}'])
def test_damaged_costs_are_named(tmp_path, contents):
    path = tmp_path / "costs.json"
    path.write_text(contents)
    with pytest.raises(RecordError, match=r"costs\.json cannot be read"):
        cost.published(path)


def test_outside_a_copy_of_the_repository_no_costs_are_published(tmp_path, monkeypatch):
    monkeypatch.setattr(cost.paths, "published", lambda: None)
    assert cost.published() == cost.published(tmp_path / "none.json") == {}
