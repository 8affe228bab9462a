"""Searches: what is suggested, that a search repeats, and what it refuses."""

import doctest
import math
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import lazybook.search
from lazybook.book import notebook, tables
from lazybook.errors import InvalidValue
from lazybook.experiment import Experiment
from lazybook.gates import parse
from lazybook.runs import Store
from lazybook.search import Range, front, search
from lazybook.support import paths

SPACE = {
    "gate": ["mistakes", "every-sample"],
    "hidden": Range(2, 90),
    "rate": Range(0.01, 1.0),
    "threshold": Range(0.0, 3.0, log=False),
}
BEGIN = [{"gate": "mistakes", "hidden": 20, "rate": 0.1, "threshold": 0.0}]


def build(gate, hidden, rate, threshold):
    """Return a run that takes a moment."""
    return Experiment(
        dataset="two-clouds",
        gate=parse(gate),
        hidden=hidden,
        learning_rate=rate,
        initial=f"gaussian:0.1,{-threshold}",
        epochs=1,
        until=0.9,
        measure_every=50,
    )


def look(trials=24, **given):
    return search(build, SPACE, trials, **{"minimize": ["energy_m0", "samples"]} | given)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "runs")


def test_results_do_not_depend_on_how_many_run_at_a_time_nor_on_the_store(store, tmp_path):
    done = look(store=store)
    assert done.computed == len({trial.run.experiment for trial in done.trials})
    again = look(store=store, jobs=1)
    elsewhere = look(store=Store(tmp_path / "other"), jobs=3)
    assert again.computed == 0
    for other in (again, elsewhere):
        assert [t.values for t in other.trials] == [t.values for t in done.trials]
        for one, two in zip(other.trials, done.trials, strict=True):
            assert one.run.final | {"seconds": 0} == two.run.final | {"seconds": 0}
    assert [t.values for t in look(store=store, seed=1).trials] != [t.values for t in done.trials]


def test_a_search_that_was_interrupted_goes_on_where_it_was(store, monkeypatch):
    def interrupted(experiments, *given):
        if len(swept) == 2:
            raise KeyboardInterrupt
        swept.append(experiments)
        return sweep(experiments, *given)

    swept, sweep = [], lazybook.search.sweep
    with monkeypatch.context() as patched:
        patched.setattr(lazybook.search, "sweep", interrupted)
        with pytest.raises(KeyboardInterrupt):
            look(store=store)
    kept = len(store.all())
    assert kept == len({experiment for batch in swept for experiment in batch})
    whole = look(store=store)
    assert whole.computed == len(store.all()) - kept


def test_a_longer_search_begins_with_the_shorter(store):
    short, long = look(16, store=store), look(24, store=store)
    assert [t.values for t in long.trials[:16]] == [t.values for t in short.trials]
    assert len(long.trials) == 24


def test_what_is_tried_is_in_the_space_and_can_be_written_down(store):
    trials = look(store=store, begin=BEGIN).trials
    assert trials[0].values == BEGIN[0]
    for trial in trials:
        assert trial.values["gate"] in SPACE["gate"]
        assert type(trial.values["hidden"]) is int
        for name in ("hidden", "rate", "threshold"):
            value, choices = trial.values[name], SPACE[name]
            assert choices.least <= value <= choices.most
            assert float(f"{value:.2g}") == value
        assert trial.run.experiment == build(**trial.values)


def test_what_misses_the_goal_says_by_how_much(store):
    found = look(8, store=store)
    for trial in found.trials:
        reached = trial.run.final["test_accuracy"] >= 0.9
        assert (trial in found.reached) == (trial.shortfall <= 0) == reached


def test_a_run_that_diverges_is_far_from_the_goal(store):
    def diverging(rate):
        return Experiment(dataset="two-clouds", hidden=5, learning_rate=rate, epochs=1, until=0.9)

    found = search(diverging, {"rate": Range(1e6, 1e9)}, 2, store=store)
    assert [trial.shortfall for trial in found.trials] == [0.9, 0.9]


def test_optuna_says_nothing_and_keeps_its_settings(store, capsys):
    import optuna

    before = optuna.logging.get_verbosity()
    look(8, store=store)
    assert optuna.logging.get_verbosity() == before
    assert "study" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"space": {}}, "space is {}; it must be a table of what is tried, by name"),
        ({"space": {"hidden": 3}}, "space: hidden is 3; it must be a lazybook.search.Range"),
        ({"space": {"gate": []}}, "space: gate is []; it must be a lazybook.search.Range"),
        ({"trials": 0}, "trials is 0; it must be a whole number, at least 1"),
        ({"seed": -1}, "seed is -1; it must be a whole number, at least 0"),
        ({"minimize": []}, "minimize is []; it must be a list of costs"),
        ({"minimize": ["energy"]}, "minimize is 'energy'; choose from: samples"),
        ({"begin": [{"hidden": 3}]}, "begin has {'hidden': 3}; it must have a value for each of"),
        ({"begin": [BEGIN[0] | {"hidden": 1}]}, "begin: hidden is 1; it must be a number from 2"),
        ({"begin": [BEGIN[0] | {"gate": "none"}]}, "begin: gate is 'none'; choose from: mistakes"),
        ({"build": lambda **values: None}, "build gave None for {'gate': "),
        ({"build": lambda **values: Experiment()}, "it must be an Experiment with a goal, until"),
        ({"build": lambda **values: Experiment(hidden=0)}, "build, for {'gate': "),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_what_cannot_be_searched_is_refused(given, said, store):
    with pytest.raises(InvalidValue) as error:
        search(**{"build": build, "space": SPACE, "trials": 8, "store": store} | given)
    assert said in str(error.value)
    assert not store.root.exists()


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        ({"least": 0, "most": 1}, "range: least is 0; it must be a number above 0"),
        ({"least": 2, "most": 2}, "range: most is 2; it must be a number above least"),
        ({"least": 0, "most": math.nan, "log": False}, "range: most is nan; it must be a number"),
        ({"least": "a", "most": 2}, "range: least is 'a'; it must be a number above 0"),
        ({"least": 1, "most": 2, "log": 1}, "range: log is 1; it must be True or False"),
    ],
)
def test_a_range_that_is_none_is_refused(ends, said):
    with pytest.raises(InvalidValue, match=said):
        Range(**ends)


def test_without_optuna_it_says_what_to_install(store, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ModuleNotFoundError, match=r"needs optuna; install lazybook\[search\]"):
        look(8, store=store)


def test_the_front_is_what_nothing_undercuts():
    generator = np.random.default_rng(0)
    costs = pd.DataFrame(generator.integers(0, 12, (80, 3)) * 1.0, columns=["a", "b", "c"])
    costs.loc[5, "a"] = np.nan
    for columns in (["a"], ["a", "b"], ["a", "b", "c"]):
        found = front(costs, columns)
        assert found[columns[0]].is_monotonic_increasing
        known = costs[columns].dropna()
        for name, row in known.iterrows():
            better = (known <= row).all(axis=1) & (known < row).any(axis=1)
            assert (name in found.index) == (not better.any())


def test_the_docstrings_examples():
    failed, tried = doctest.testmod(lazybook.search)
    assert tried and not failed


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Empty folders for what is kept and what is published."""
    monkeypatch.setenv("LAZYBOOK_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(paths, "published", lambda: tmp_path / "results")
    return tmp_path


def listed(**given):
    settings = {"build": build, "space": SPACE, "trials": 8, "costs": ["energy_m0", "updates"]}
    goals = {"goals": [0.6, 0.9], "minimize": ["energy_m0"], "seed": 3}
    return tables.searched("trial", **settings | goals | given)


def test_a_table_of_trials_says_what_each_goal_cost(kept):
    found = listed()
    assert len(found.rows) == 2 * 8
    for trial, rows in found.rows.groupby("trial"):
        low, high = rows.sort_values("goal").to_dict("records")
        again = Experiment.from_dict(low["experiment"].to_dict())
        assert again == low["experiment"] == build(**{name: low[name] for name in SPACE}), trial
        assert np.isfinite(low["energy_m0"]) == (low["accuracy"] >= 0.6)
        if np.isfinite(high["energy_m0"]):
            assert low["energy_m0"] <= high["energy_m0"]
            assert low["updates"] <= high["updates"]
    [fact] = found.facts
    assert "optuna" in fact["packages"]
    shown = notebook.provenance(notebook.Settings(profile="smoke"), [], searches=[found]).data
    assert "8, " in shown and "optuna" in shown


def test_published_trials_need_no_optuna(kept, monkeypatch):
    first = listed()
    [file] = (kept / "runs" / "tables").iterdir()
    (kept / "results" / "tables").mkdir(parents=True)
    file.rename(kept / "results" / "tables" / file.name)
    monkeypatch.setitem(sys.modules, "optuna", None)
    again = listed()
    assert again.computed == 0
    assert again.facts == first.facts
    pd.testing.assert_frame_equal(again.rows, first.rows, check_exact=True)
    with pytest.raises(ModuleNotFoundError):
        listed(fresh=True)


def test_a_table_of_other_experiments_is_not_used(kept):
    first = listed()

    def other(**values):
        return replace(build(**values), until=0.8)

    assert listed(build=other).rows["experiment"][0] != first.rows["experiment"][0]
    assert listed(build=other).computed == 0
    assert listed(seed=4).computed > 0
