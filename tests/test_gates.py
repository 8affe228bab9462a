"""Which samples are learned: by definition, and by the networks that are trained."""

import re
import sys

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lazybook import gates, runs, sweep, trainers
from lazybook.errors import InvalidValue
from lazybook.experiment import Experiment
from lazybook.gates import EverySample, Margin, MemorizedMistakes, Mistakes, OwnRule
from lazybook.runs import Store
from lazybook.sklearn import LazyClassifier
from lazybook.support.randomness import Streams

MISTAKE = [False, False, True, True]
REMEMBERED = [False, True, False, True]


@pytest.mark.parametrize(
    ("gate", "learns", "remembers"),
    [
        (EverySample(), [True, True, True, True], REMEMBERED),
        (Mistakes(), MISTAKE, REMEMBERED),
        (MemorizedMistakes(), [False, True, True, True], [False, True, True, True]),
    ],
    ids=str,
)
def test_truth_tables_of_booleans_arrays_and_tensors(gate, learns, remembers):
    pairs = list(zip(MISTAKE, REMEMBERED, strict=True))
    assert [gate.learns(*pair) for pair in pairs] == learns
    assert [gate.remembers(*pair) for pair in pairs] == remembers
    for kind in (np.array, torch.tensor):
        arrays = kind(MISTAKE), kind(REMEMBERED)
        for answer, expected in ((gate.learns, learns), (gate.remembers, remembers)):
            result = answer(*arrays)
            assert result.dtype == kind(MISTAKE).dtype
            assert result.tolist() == expected


@pytest.mark.parametrize("gate", [EverySample(), Mistakes(), MemorizedMistakes()], ids=str)
def test_a_gate_is_what_it_is_spelled(gate):
    assert gates.parse(str(gate)) == gate
    with pytest.raises(InvalidValue, match=f"{gate} takes no values"):
        gates.parse(f"{gate}:1")


@pytest.mark.parametrize("least", [-0.25, 0.0, 0.2, 3.0])
def test_a_margin_that_is_too_small_is_learned_and_at_the_margin_a_mistake(least):
    margin = [least - 0.1, least - 0.1, least, least, least + 0.1, least + 0.1]
    mistake = [False, True] * 3
    expected = [True, True, False, True, False, False]
    gate = Margin(least)
    for remembered in (False, True):  # it has no memory
        learns = [gate.learns(m, remembered, at) for m, at in zip(mistake, margin, strict=True)]
        assert learns == expected
        assert gate.remembers(True, remembered) is remembered
    for kind in (np.array, torch.tensor):
        result = gate.learns(kind(mistake), kind(mistake), kind(margin))
        assert result.dtype == kind(mistake).dtype
        assert result.tolist() == expected


@given(st.floats(-1e30, 1e30))
def test_equal_margins_are_spelled_alike(least):
    gate = Margin(least)
    assert gates.parse(str(gate)) == gate
    assert str(Margin(-0.0)) == str(Margin(0)) == "margin:0.0"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("margin", "gate 'margin': margin needs margin"),
        ("margin:wide", "gate 'margin:wide': margin is 'wide', not a number"),
        ("margin:1,2", "gate 'margin:1,2': margin takes margin"),
        ("margin:nan", "gate: margin is nan; it must be a number"),
        ("margin:inf", "gate: margin is inf; it must be a number, at most 1e+30"),
    ],
)
def test_a_margin_that_is_no_number_is_refused(text, message):
    with pytest.raises(InvalidValue) as caught:
        gates.parse(text)
    assert str(caught.value) == message


@pytest.mark.parametrize("text", ["", "lazy", "Mistakes", "mistakes ", "all", "subnet:1"])
def test_an_unknown_gate_is_refused_with_the_choice(text):
    with pytest.raises(InvalidValue) as caught:
        gates.parse(text)
    assert str(caught.value) == (
        f"unknown gate {text!r}; choose from: every-sample, mistakes, memorized-mistakes, margin"
    )


@pytest.fixture
def observed(few, monkeypatch):
    """Train on few images; return what was presented, its margin, was it learned, the run.

    Margins are found here by an independent computation, from the weights before each
    presentation; a sample counts as learned if the weights are others after it.
    """
    monkeypatch.setattr(trainers, "LONGEST_VECTOR", 20_000)

    def observe(**fields):
        experiment = Experiment(hidden=20, epochs=3, record=("path",), **fields)
        run = trainers.train(experiment)
        streams = Streams(experiment.seed)
        presented = [streams.next_epoch(600, experiment.order) for _ in range(3)]
        presented = np.concatenate(presented)
        path = run.arrays["path"]
        first, second = np.split(path.astype(float), [785 * 20], axis=1)
        inputs = few.train.inputs().astype(float)
        margins = np.empty(len(presented))
        for t, sample in enumerate(presented):
            sums = np.append(inputs[sample], 1) @ first[t].reshape(785, 20)
            hidden = np.append(np.where(sums > 0, sums, 0.01 * sums), 1)
            outputs = hidden @ second[t].reshape(21, 10)
            *others, right = np.roll(outputs, 9 - few.train.labels[sample])
            margins[t] = right - max(others)
        return presented, margins, (path[1:] != path[:-1]).any(axis=1), run

    return observe


def test_every_sample_is_learned(observed):
    _, margins, learned, run = observed(gate=EverySample())
    assert learned.all()
    assert (margins > 0).any()
    assert run.table["updates"].tolist() == run.table["samples"].tolist()
    assert not run.arrays["memory"].any()


@pytest.mark.parametrize("order", ["permutation", "replacement"])
def test_pure_lazy_learns_its_mistakes_and_never_a_sample_classified_correctly(observed, order):
    _, margins, learned, run = observed(gate=Mistakes(), order=order, learning_rate=0.03)
    np.testing.assert_array_equal(learned, margins < 0)
    assert 0 < learned.sum() < len(learned)
    assert run.final["updates"] == learned.sum()
    assert not run.arrays["memory"].any()


@pytest.mark.parametrize("order", ["permutation", "replacement"])
def test_lazy_learns_what_is_or_ever_was_a_mistake(observed, order):
    presented, margins, learned, run = observed(
        gate=MemorizedMistakes(), order=order, learning_rate=0.03
    )
    memory, expected = set(), []
    for sample, mistake in zip(presented.tolist(), margins < 0, strict=True):
        if mistake:
            memory.add(sample)
        expected.append(sample in memory)
    np.testing.assert_array_equal(learned, expected)
    assert (margins < 0).sum() < learned.sum() < len(learned)
    assert run.final["updates"] == learned.sum()
    assert set(np.flatnonzero(run.arrays["memory"]).tolist()) == memory


def test_the_memory_of_lazy_learning_only_grows_and_an_epoch_learns_what_is_in_it():
    run = trainers.train(Experiment(hidden=30, epochs=3, gate=MemorizedMistakes()))
    table = run.table
    assert table["memorized"].is_monotonic_increasing
    # Each epoch presents each sample once, so what is in the memory at its end was learned in it.
    ends = table[table["epoch"] % 1 == 0]
    assert ends["updates"].diff()[1:].tolist() == ends["memorized"][1:].tolist()
    assert run.final["memorized"] == run.arrays["memory"].sum()


@pytest.mark.parametrize("least", [-0.1, 0.1])
def test_a_margin_learns_what_is_right_by_too_little(observed, least):
    _, margins, learned, run = observed(gate=Margin(least), learning_rate=0.1)
    np.testing.assert_array_equal(learned, margins < least)
    assert 0 < learned.sum() < len(learned)
    assert run.final["updates"] == learned.sum()
    assert not run.arrays["memory"].any()


@pytest.mark.parametrize("engine", ["numba", "reference", "autograd"])
@pytest.mark.parametrize("dataset", ["mnist", "two-clouds"])
def test_a_margin_of_0_is_pure_lazy_learning_to_the_last_tie(few, engine, dataset):
    """At first all outputs are 0, and so are all margins."""
    fields = {"dataset": dataset, "hidden": None, "initial": "zeros", "engine": engine}
    first, second = (
        trainers.train(Experiment(gate=gate, epochs=2, record=("weights",), **fields))
        for gate in (Mistakes(), Margin(0))
    )
    assert first.table.drop(columns="seconds").equals(second.table.drop(columns="seconds"))
    for one, other in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def unsure(mistake, remembered, margin, loss):
    """Learn also what is right by too little."""
    return margin < 0.3


def of_high_loss(mistake, remembered, margin, loss):
    return loss > 0.02


def by_mistake(mistake, remembered, margin, loss):
    return mistake


def by_memory(mistake, remembered, margin, loss):
    return mistake | remembered


def own(function, engine, **fields) -> trainers.Run:
    settings = {"hidden": 20, "epochs": 1, "learning_rate": 0.03, "gate": function}
    return trainers.train(Experiment(**settings | {"engine": engine} | fields))


@pytest.mark.parametrize("engine", ["reference", "autograd"])
@pytest.mark.parametrize(
    ("function", "gate"),
    [(by_mistake, Mistakes()), (by_memory, MemorizedMistakes()), (unsure, Margin(0.3))],
)
def test_a_rule_of_ones_own_that_says_the_same_learns_the_same(few, engine, function, gate):
    first, second = own(function, engine), own(gate, engine)
    for name in ("updates", "energy_m0", "energy_m1", "test_loss"):
        assert first.final[name] == second.final[name]
    assert first.final["memorized"] > 0  # what was ever a mistake, whether the rule asks or not


@pytest.mark.parametrize("engine", ["reference", "autograd"])
def test_a_margin_gate_learns_what_is_right_by_too_little(few, engine):
    """More than the mistakes, which have margins below 0, and less than everything."""
    pure, margin, all_of_it = (own(g, engine).final for g in (Mistakes(), unsure, EverySample()))
    assert pure["updates"] < margin["updates"] < all_of_it["updates"]
    assert margin["train_loss"] < pure["train_loss"]


def test_the_engines_agree_on_rules_of_ones_own(few):
    for function in (unsure, of_high_loss):
        first, second = (own(function, engine).final for engine in ("reference", "autograd"))
        assert first["updates"] == pytest.approx(second["updates"], abs=2)
        assert first["energy_m1"] == pytest.approx(second["energy_m1"], rel=0.01)


def test_the_loss_is_that_of_the_experiment(few):
    for engine in ("reference", "autograd"):
        mean, half = (
            own(of_high_loss, engine, loss=loss, learning_rate=rate).final["updates"]
            for loss, rate in (("mse", 0.05), ("half-mse", 0.01))
        )
        assert mean < half  # the same steps, but losses that are five times as large


def test_two_classes_have_a_margin_too():
    fields = {"dataset": "two-clouds", "hidden": None, "initial": "zeros", "epochs": 2}
    for engine in ("reference", "autograd"):
        first, second = (own(g, engine, **fields).final for g in (by_mistake, unsure))
        assert 0 < first["updates"] <= second["updates"]


def test_the_fast_engine_refuses_a_rule_of_ones_own_by_name():
    with pytest.raises(InvalidValue, match=r"gate is unsure:[0-9a-f]{12}, a rule of your own; .*"):
        Experiment(gate=unsure)
    with pytest.raises(InvalidValue, match="not 'numba'"):
        LazyClassifier(gate=unsure).fit(np.eye(4), [0, 1, 0, 1])


def test_a_record_of_a_rule_of_ones_own_is_found_by_what_the_rule_does(few, tmp_path):
    def threshold(least):
        def rule(mistake, remembered, margin, loss):
            return margin < least

        return rule

    store = Store(tmp_path)
    several = [Experiment(gate=threshold(least), engine="autograd", batch=20, epochs=1, hidden=5)
               for least in (0.1, 0.1, 0.9)]  # fmt: skip
    assert several[0] == several[1] != several[2]
    found = sweep.sweep(several, store=store, jobs=1)
    assert found.computed == 2
    assert sweep.sweep(several, store=store, jobs=1).computed == 0
    assert found.ends()["updates"].iloc[2] > found.ends()["updates"].iloc[0]
    [gate, *_] = found.ends()["gate"]
    assert re.fullmatch("rule:[0-9a-f]{12}", gate)
    kept = Experiment.from_dict(several[0].to_dict())
    assert kept == several[0]
    with pytest.raises(InvalidValue, match=f"gate is {gate}, a rule that is only named here"):
        trainers.train(kept)
    [path, *_] = store.all()
    assert runs.read(path).experiment in several


LEAST = 0.5


def outside(mistake, remembered, margin, loss):
    return next(iter([margin < LEAST for _ in "a"]))  # in code of its own, inside the function's


def test_what_a_rule_refers_to_is_part_of_it(monkeypatch):
    first = OwnRule.of(outside)
    assert OwnRule.of(outside) == first
    monkeypatch.setattr(sys.modules[__name__], "LEAST", 0.6)
    assert OwnRule.of(outside) != first
    monkeypatch.setattr(sys.modules[__name__], "LEAST", torch.tensor(0.5))
    with pytest.raises(InvalidValue, match="outside refers to LEAST, which is tensor"):
        OwnRule.of(outside)


@pytest.mark.parametrize(
    "gate",
    [None, 3, "mistakes", Mistakes, torch.sigmoid, lambda m, r, margin, loss: m, print, [unsure]],
    ids=["none", "number", "word", "class", "builtin", "lambda", "print", "list"],
)
def test_what_is_no_rule_is_refused(gate):
    with pytest.raises(InvalidValue, match="gate is "):
        Experiment(gate=gate, engine="reference")


def test_a_function_of_something_else_is_refused():
    def too_few(mistake, remembered):
        return mistake

    with pytest.raises(InvalidValue, match=r"too_few .*\(mistake, remembered, margin, loss\)"):
        Experiment(gate=too_few, engine="reference")


@pytest.mark.parametrize("engine", ["reference", "autograd"])
def test_an_answer_that_is_none_is_refused(few, engine):
    def nothing(mistake, remembered, margin, loss):
        return None

    def number(mistake, remembered, margin, loss):
        return margin

    def one_for_all(mistake, remembered, margin, loss):
        return mistake.any()

    for function in (nothing, number, one_for_all):
        with pytest.raises(InvalidValue, match=r"answers .*; it must be a bool tensor of shape"):
            own(function, engine)
