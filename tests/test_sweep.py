"""Sweeps: many runs, computed once."""

import json
import os
import subprocess
import sys
import threading
import time

import pandas as pd
import pytest

from lazybook import sweep as sweeping
from lazybook.errors import InvalidValue, RecordError
from lazybook.experiment import Experiment, grid
from lazybook.gates import EverySample, MemorizedMistakes
from lazybook.runs import Store
from lazybook.sweep import sweep
from lazybook.trainers import train

GRID = grid(
    Experiment(dataset="two-clouds", hidden=3, epochs=2, measure_every=100, learning_rate=0.1),
    gate=[EverySample(), MemorizedMistakes()],
    seed=[0, 1, 2],
)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "runs")


@pytest.fixture
def trained(monkeypatch) -> list[Experiment]:
    """The experiments that are trained, in order."""
    trained = []

    def watched(experiment, progress):
        trained.append(experiment)
        return train(experiment, progress)

    monkeypatch.setattr(sweeping, "train", watched)
    return trained


def test_results_do_not_depend_on_how_many_run_at_a_time(tmp_path):
    tables = [
        sweep(GRID, jobs, store=Store(tmp_path / f"{jobs}")).table().drop(columns="seconds")
        for jobs in (1, 3, None)
    ]
    for table in tables[1:]:
        pd.testing.assert_frame_equal(table, tables[0], check_exact=True)


def test_the_table_has_all_measurements_and_what_was_run(store):
    done = sweep(GRID, store=store)
    assert [run.experiment for run in done.runs] == GRID
    table = done.table()
    assert len(table) == sum(len(run.table) for run in done.runs)
    last = table[table["epoch"] == 2].set_index(["gate", "seed"])["updates"]
    for run in done.runs:
        experiment = run.experiment
        assert last[str(experiment.gate), experiment.seed] == run.final["updates"]
    assert set(table["hidden"]) == {3}


@pytest.mark.parametrize(
    ("until", "rate", "reached"), [(None, 0.1, False), (0.99, 0.1, True), (0.99, 1e-9, False)]
)
def test_the_ends_have_a_row_for_each_run(store, until, rate, reached):
    experiments = grid(GRID[0], until=[until], learning_rate=[rate], seed=[0, 1])
    done = sweep(experiments, store=store)
    ends = done.ends()
    assert ends["seed"].tolist() == [0, 1]
    assert ends["reached"].tolist() == [reached] * 2
    for row, run in zip(ends.to_dict("records"), done.runs, strict=True):
        assert {name: row[name] for name in run.final} == run.final
        assert row["gate"] == "every-sample"


def test_what_is_in_the_store_is_not_computed_again_unless_fresh(store, trained):
    first = sweep(GRID[:4], store=store)
    assert first.computed == 4
    second = sweep(GRID, store=store)
    assert second.computed == 2
    assert sorted(map(str, trained)) == sorted(map(str, GRID))
    assert [run.provenance for run in second.runs[:4]] == [run.provenance for run in first.runs]
    fresh = sweep(GRID[:2], fresh=True, store=store)
    assert fresh.computed == 2
    assert len(trained) == 8


def test_the_same_experiment_twice_is_computed_once(store, trained):
    done = sweep([GRID[0], GRID[1], GRID[0]], store=store)
    assert len(trained) == done.computed == 2
    assert [run.experiment for run in done.runs] == [GRID[0], GRID[1], GRID[0]]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ZeroDivisionError("the third run")])
def test_a_sweep_that_was_broken_off_goes_on_where_it_was(store, trained, monkeypatch, error):
    watched = sweeping.train

    def break_off(experiment, progress):
        if len(trained) == 2:
            raise error
        return watched(experiment, progress)

    with monkeypatch.context() as patch:
        patch.setattr(sweeping, "train", break_off)
        with pytest.raises(type(error) if isinstance(error, Exception) else error) as caught:
            sweep(GRID, jobs=1, store=store)
    assert str(error) in str(caught.value) or error is KeyboardInterrupt
    assert len(store.all()) == 2
    assert sweep(GRID, jobs=1, store=store).computed == 4
    assert len(trained) == len(set(trained)) == 6


def test_a_failing_run_stops_those_beside_it(store, monkeypatch):
    beside = threading.Event()
    outcomes = set()

    def fail_or_go_on(experiment, progress):
        if experiment == GRID[0]:
            beside.wait()
            raise ZeroDivisionError("the first run")
        beside.set()
        try:
            for _ in range(1000):
                progress(0)
                time.sleep(0.005)
        except BaseException as error:
            outcomes.add(type(error))
            raise

    monkeypatch.setattr(sweeping, "train", fail_or_go_on)
    with pytest.raises(ZeroDivisionError, match="the first run"):
        sweep(GRID[:2], jobs=2, store=store)
    assert outcomes == {InterruptedError}
    assert store.all() == []


@pytest.mark.parametrize(
    "impossible",
    [
        {"initial": ["values:1,2"]},
        {"dataset": ["mnits"]},
        {"loss": ["cross-entropy"]},
        {"record": [("path",)], "hidden": [1000]},
    ],
)
def test_an_impossible_experiment_stops_before_any_work(store, trained, impossible):
    with pytest.raises(InvalidValue):
        sweep(GRID + grid(GRID[0], **impossible), store=store)
    assert trained == []
    assert store.all() == []


def test_a_store_that_cannot_be_written_stops_before_any_work(tmp_path, trained):
    (tmp_path / "file").touch()
    with pytest.raises(RecordError, match="cannot be written"):
        sweep(GRID, store=Store(tmp_path / "file" / "runs"))
    assert trained == []


@pytest.mark.parametrize("jobs", [0, -1])
def test_jobs_is_at_least_one(store, jobs):
    with pytest.raises(InvalidValue, match=f"jobs is {jobs}"):
        sweep(GRID, jobs, store=store)


@pytest.mark.parametrize("until", [None, 0.6])
def test_the_progress_file_ends_at_the_total(store, tmp_path, monkeypatch, until):
    path = tmp_path / "progress"
    monkeypatch.setenv("LAZYBOOK_PROGRESS", str(path))
    seen = []

    def watched(experiment, progress):
        def told(samples):
            progress(samples)
            seen.append(json.loads(path.read_text()))

        return train(experiment, told)

    monkeypatch.setattr(sweeping, "train", watched)
    done = sweep(grid(GRID[0], seed=[0, 1], until=[until]), jobs=1, store=store)
    assert all(run.final["epoch"] == 2 for run in done.runs) is (until is None)
    seen.append(json.loads(path.read_text()))
    parts = [state["done"] for state in seen]
    assert parts == sorted(parts)
    assert parts[0] > 0
    assert all(state["done"] <= state["total"] for state in seen)
    assert {state["total"] for state in seen} == {seen[-1]["done"]}
    assert {state["label"] for state in seen} == {"2 runs"}


@pytest.mark.parametrize(
    ("engine", "kept", "said"),
    [
        ("numba", False, "compiling, once on this machine"),
        ("numba", True, "1 runs"),
        ("reference", False, "1 runs"),
    ],
)
def test_it_is_said_when_the_loops_have_to_be_compiled(
    store, tmp_path, monkeypatch, engine, kept, said
):
    path = tmp_path / "progress"
    monkeypatch.setenv("LAZYBOOK_PROGRESS", str(path))
    monkeypatch.setattr(sweeping, "is_kept", lambda function: kept)
    seen = []

    def watched(experiment, progress):
        seen.append(json.loads(path.read_text()))
        return train(experiment, progress)

    monkeypatch.setattr(sweeping, "train", watched)
    sweep(grid(GRID[0], engine=[engine]), store=store)
    assert [(state["done"], state["label"]) for state in seen] == [(0, said)]
    assert json.loads(path.read_text())["label"] == "1 runs"


COMPILES = """
from lazybook.support.compiling import is_kept
from lazybook.support.randomness import noise

print(is_kept(noise))
noise(1, 2, 3)
print(is_kept(noise))
"""


def test_what_is_compiled_is_kept(tmp_path):
    for expected in (["False", "True"], ["True", "True"]):
        done = subprocess.run(
            [sys.executable, "-c", COMPILES],
            env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert done.stdout.split() == expected


def test_no_progress_is_shown_when_all_is_found(store, capsys, tmp_path, monkeypatch):
    sweep(GRID[:1], store=store)
    monkeypatch.setenv("LAZYBOOK_PROGRESS", str(tmp_path / "progress"))
    sweep(GRID[:1], store=store)
    assert not (tmp_path / "progress").exists()
