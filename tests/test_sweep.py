"""Sweeps: many runs, computed once."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from lazybook import datasets, trainers
from lazybook import sweep as sweeping
from lazybook.errors import DataError, InvalidValue, RecordError
from lazybook.experiment import Experiment, grid
from lazybook.gates import EverySample, MemorizedMistakes
from lazybook.restrictions import Subnet
from lazybook.runs import DivergedRun, Store
from lazybook.support import machine
from lazybook.support.sharing import Reservations
from lazybook.sweep import sweep
from lazybook.trainers import train

CLOUDS = datasets.facts("two-clouds")

GRID = grid(
    Experiment(dataset="two-clouds", hidden=3, epochs=2, measure_every=100, learning_rate=0.1),
    gate=[EverySample(), MemorizedMistakes()],
    seed=[0, 1, 2],
)


LAYERS = ("hidden", "output")
PATIENCE = 60  # seconds after which what does not happen is given up


def files(store: Store) -> list[Path]:
    return list(store.root.rglob("*.*"))


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "runs")


@pytest.fixture
def trained(monkeypatch) -> list[Experiment]:
    """The experiments that are trained, in order."""
    trained = []

    def watched(experiment, *given):
        trained.append(experiment)
        return train(experiment, *given)

    monkeypatch.setattr(trainers, "train", watched)
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


def test_a_run_that_stops_exactly_at_its_goal_has_reached_it(store):
    """Accuracies of a 10th, as on a test set of ten samples; a little less does not do."""
    [run] = sweep(GRID[:1], store=store).runs
    for accuracy, reached in ((0.7, True), (0.699999, False), (0.700001, True)):
        table = run.table.assign(test_accuracy=accuracy)
        ended = replace(run, experiment=replace(GRID[0], until=0.7), table=table)
        assert sweeping.Sweep([ended], 0).ends()["reached"].tolist() == [reached]


def test_of_nothing_there_is_an_empty_table(store):
    done, some = sweep([], store=store), sweep(GRID[:1], store=store)
    assert done.runs == []
    for empty, full in ((done.table(), some.table()), (done.ends(), some.ends())):
        assert len(empty) == 0
        layers = {f"energy_{name}_{layer}" for name in ("m0", "m1") for layer in LAYERS}
        assert set(empty.columns) == set(full.columns) - layers


@pytest.fixture
def diverging(monkeypatch):
    """Seed 1 diverges, in name at least."""
    whole = trainers.train
    monkeypatch.setattr(
        trainers, "train", lambda e, *given: replace(whole(e, *given), diverged=e.seed == 1)
    )


def test_a_run_that_diverges_is_told_and_stops_nothing(store, diverging):
    experiments = grid(GRID[0], seed=[0, 1, 2], until=[0.01])
    for computed in (3, 0):
        with pytest.warns(DivergedRun, match="1 of 3 runs diverged") as caught:
            done = sweep(experiments, store=store)
        assert len(caught) == 1
        assert caught[0].filename == __file__
        assert done.computed == computed
        assert [run.diverged for run in done.runs] == [False, True, False]
        ends, table = done.ends(), done.table()
        assert ends["diverged"].tolist() == [False, True, False]
        assert ends["reached"].tolist() == [True, False, True]
        assert table.groupby("seed")["diverged"].all().tolist() == [False, True, False]


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
    watched = trainers.train

    def break_off(experiment, *given):
        if len(trained) == 2:
            raise error
        return watched(experiment, *given)

    with monkeypatch.context() as patch:
        patch.setattr(trainers, "train", break_off)
        with pytest.raises(type(error) if isinstance(error, Exception) else error) as caught:
            sweep(GRID, jobs=1, store=store)
    assert str(error) in str(caught.value) or error is KeyboardInterrupt
    assert len(store.all()) == 2
    assert sweep(GRID, jobs=1, store=store).computed == 4
    assert len(trained) == len(set(trained)) == 6


def test_a_failing_run_stops_those_beside_it(store, monkeypatch):
    beside, ended = threading.Event(), threading.Event()
    outcomes = []

    def fail_or_go_on(experiment, progress, before):
        if experiment == GRID[0]:
            assert beside.wait(PATIENCE), "the second run did not start"
            raise ZeroDivisionError("the first run")
        beside.set()
        try:
            for _ in range(100 * PATIENCE):
                progress(0)
                time.sleep(0.01)
        except BaseException as error:
            outcomes.append(type(error))
            raise
        finally:
            ended.set()

    monkeypatch.setattr(trainers, "train", fail_or_go_on)
    with pytest.raises(ZeroDivisionError, match="the first run"):
        sweep(GRID[:2], jobs=2, store=store)
    assert ended.wait(PATIENCE)
    assert outcomes == [InterruptedError]
    assert files(store) == []


INTERRUPTED = """
import os, signal, sys, threading
from pathlib import Path
from lazybook import sweep as sweeping, trainers
from lazybook.experiment import Experiment, grid
from lazybook.runs import Store

whole, go_on, outcomes = trainers.train, threading.Event(), []

def long(experiment, *given):
    os.kill(os.getpid(), signal.SIGINT)
    go_on.wait()  # as in a loop that cannot be stopped
    try:
        return whole(experiment, *given)
    except BaseException as error:
        outcomes.append(type(error).__name__)
        raise

store = Store(Path(sys.argv[1]))
cloud = Experiment(dataset="two-clouds", hidden=3, epochs=1, engine="reference")
experiments = grid(cloud, seed=[0, 1, 2])
trainers.train = long
try:
    sweeping(experiments, jobs=1, store=store)
except KeyboardInterrupt:
    print("interrupted", [path.name for path in store.root.rglob("*.*")])
threads = [t for t in threading.enumerate() if t.name.startswith("ThreadPool")]
trainers.train = whole
print(sweeping(experiments, jobs=1, store=store).computed)
go_on.set()
for thread in threads:
    thread.join()
print(outcomes, len(store.all()), len(list(store.root.rglob("*.*"))))
"""


def test_an_interrupt_does_not_wait_for_a_run_and_the_next_sweep_goes_on(tmp_path):
    """Whatever a run is at: here it goes on only after the next sweep is through."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, str(tmp_path)],
        capture_output=True,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["interrupted []", "3", "['InterruptedError'] 3 3"]


def test_a_record_that_is_being_written_is_finished_before_an_interrupt_is_passed_on(
    store, trained, monkeypatch
):
    save, begun = Store.save, threading.Event()

    def slow(*given):
        begun.set()
        time.sleep(sweeping.GRACE / 2)
        return save(*given)

    def fail(experiment, *given):
        if experiment == GRID[0]:
            begun.wait(PATIENCE)
            raise KeyboardInterrupt
        return train(experiment, *given)

    monkeypatch.setattr(Store, "save", slow)
    monkeypatch.setattr(trainers, "train", fail)
    with pytest.raises(KeyboardInterrupt):
        sweep(GRID[:2], jobs=2, store=store)
    assert [path.suffix for path in files(store)] == [".parquet"]


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


@pytest.mark.parametrize("jobs", [0, -1, 1.5, True, "2", float("nan")])
def test_jobs_is_a_whole_number_from_one(store, trained, jobs):
    with pytest.raises(InvalidValue, match=f"jobs is {jobs!r}"):
        sweep(GRID, jobs, store=store)
    assert trained == []


@pytest.mark.parametrize("experiments", [GRID[0], None, 5, "mnist", [*GRID, "lazy"], [None]])
def test_experiments_are_a_list_of_experiments(store, trained, experiments):
    with pytest.raises(InvalidValue, match=r"experiments (is|has) "):
        sweep(experiments, store=store)
    assert trained == []


def test_any_iterable_will_do(store):
    done = sweep((experiment for experiment in GRID[:2]), store=store)
    assert [run.experiment for run in done.runs] == GRID[:2]


def test_a_store_is_a_store(tmp_path):
    with pytest.raises(InvalidValue, match="store is"):
        sweep(GRID, store=str(tmp_path))


def test_one_run_for_each_core_that_this_process_may_use(store, monkeypatch):
    monkeypatch.setattr(machine, "cores", lambda: 2)
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    at_a_time, most = set(), []

    def watched(experiment, *given):
        at_a_time.add(experiment)
        most.append(len(at_a_time))
        try:
            return train(experiment, *given)
        finally:
            at_a_time.remove(experiment)

    monkeypatch.setattr(trainers, "train", watched)
    sweep(GRID, store=store)
    assert max(most) <= 2


def test_the_module_is_called_as_the_function_is(store):
    """However it was imported: ``lazybook.sweep`` is the module in any case."""
    from lazybook import sweep as called

    assert called is sweeping
    assert called.sweep is sweep
    assert called(GRID[:1], store=store).computed == 1
    assert called(experiments=GRID[:1], jobs=1, fresh=False, store=store).computed == 0


def test_published_records_are_enough_where_the_data_are_not(tmp_path, monkeypatch, trained):
    kept = sweep(GRID, store=Store(tmp_path / "published"))
    store = Store(tmp_path / "own", tmp_path / "published")

    def missing(name):
        raise DataError(f"{name} is missing")

    monkeypatch.setattr(datasets, "load", missing)
    done = sweep(GRID, store=store)
    assert done.computed == 0
    assert [run.provenance for run in done.runs] == [run.provenance for run in kept.runs]
    assert not store.root.exists()  # nor is there anything to be written
    trained.clear()
    with pytest.raises(DataError, match="two-clouds is missing"):
        sweep([*GRID, replace(GRID[0], seed=9)], store=store)
    assert trained == []


def test_the_folder_of_each_data_set_is_tried_before_any_work(tmp_path, store, trained):
    store.root.mkdir()
    (store.root / "two-clouds").touch()
    with pytest.raises(RecordError, match=r"cannot be written to .*two-clouds"):
        sweep(GRID, store=store)
    assert trained == []


def test_room_for_the_weights_is_tried_before_any_work(store, trained, monkeypatch):
    tried = []
    monkeypatch.setattr(Store, "check_writable", lambda store, paths, room: tried.append(room))
    sweep(GRID[:2], store=store)
    sweep(grid(GRID[0], record=[("weights",)]), store=store)
    assert tried == [2 * sweeping.RECORD, sweeping.RECORD + 4 * (3 * 3 + 4)]


def others(store, experiment) -> tuple[Reservations, Path]:
    """What another sweep has that is at an experiment."""
    reservations, path = Reservations(), store.path(experiment, CLOUDS)
    path.parent.mkdir(parents=True, exist_ok=True)
    assert reservations.take(path)
    return reservations, path


@pytest.mark.parametrize("finished", [True, False])
def test_what_another_process_is_at_comes_last_and_is_taken_from_it(
    store, trained, monkeypatch, finished
):
    """Once it is finished; if the other gives up, it is computed."""
    theirs, path = others(store, GRID[0])
    watched = trainers.train

    def with_the_other(experiment, *given):
        run = watched(experiment, *given)
        if len(trained) == 5:
            if finished:
                store.save(train(GRID[0]), CLOUDS)
            theirs.release(path)
        return run

    monkeypatch.setattr(trainers, "train", with_the_other)
    done = sweep(GRID, jobs=1, store=store)
    assert [run.experiment for run in done.runs] == GRID
    assert GRID[0] not in trained[:5]
    assert done.computed == len(trained) == (5 if finished else 6)
    assert {path.suffix for path in files(store)} == {".parquet"}


def test_a_fresh_sweep_waits_for_nobody(store, trained):
    theirs, path = others(store, GRID[0])
    assert sweep(GRID[:1], fresh=True, store=store).computed == 1
    assert path.with_suffix(".running").exists()
    theirs.release(path)


def test_what_a_killed_process_was_at_is_computed(store):
    script = (
        "import os, signal, sys; from pathlib import Path\n"
        "from lazybook.support.sharing import Reservations\n"
        "assert Reservations().take(Path(sys.argv[1])); os.kill(os.getpid(), signal.SIGKILL)"
    )
    path = store.path(GRID[0], CLOUDS)
    path.parent.mkdir(parents=True)
    subprocess.run([sys.executable, "-c", script, str(path)])
    assert [path.suffix for path in files(store)] == [".running"]
    assert sweep(GRID, store=store).computed == 6
    assert {path.suffix for path in files(store)} == {".parquet"}


SHARES = """
import sys
from pathlib import Path
from lazybook.experiment import Experiment, grid
from lazybook.runs import Store
from lazybook.sweep import sweep

cloud = Experiment(dataset="two-clouds", hidden=3, epochs=2, engine="reference")
print("ready", flush=True)
sys.stdin.read()
done = sweep(grid(cloud, seed=range(12)), jobs=2, store=Store(Path(sys.argv[1])))
print(done.computed, len(done.runs))
"""


def test_two_processes_on_one_sweep_compute_everything_once(store):
    command = [sys.executable, "-c", SHARES, str(store.root)]
    pipe = subprocess.PIPE
    both = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(2)]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.close()
    counts = []
    for process in both:
        with process:
            counts.append(process.stdout.read().split())
    assert [process.returncode for process in both] == [0, 0]
    assert sum(int(computed) for computed, _ in counts) == 12
    assert [runs for _, runs in counts] == ["12", "12"]
    assert len(files(store)) == len(store.all()) == 12


@pytest.mark.parametrize("until", [None, 0.6])
def test_the_progress_file_ends_at_the_total(store, tmp_path, monkeypatch, until):
    path = tmp_path / "progress"
    monkeypatch.setenv("LAZYBOOK_PROGRESS", str(path))
    seen = []

    def watched(experiment, progress, before):
        def told(samples):
            progress(samples)
            seen.append(json.loads(path.read_text()))

        return train(experiment, told)

    monkeypatch.setattr(trainers, "train", watched)
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
        ("numba", True, "1 run"),
        ("reference", False, "1 run"),
    ],
)
def test_it_is_said_when_the_loops_have_to_be_compiled(
    store, tmp_path, monkeypatch, engine, kept, said
):
    path = tmp_path / "progress"
    monkeypatch.setenv("LAZYBOOK_PROGRESS", str(path))
    monkeypatch.setattr(sweeping, "is_kept", lambda function: kept)
    seen = []

    def watched(experiment, *given):
        seen.append(json.loads(path.read_text()))
        return train(experiment, *given)

    monkeypatch.setattr(trainers, "train", watched)
    sweep(grid(GRID[0], engine=[engine]), store=store)
    assert [(state["done"], state["label"]) for state in seen] == [(0, said)]
    assert json.loads(path.read_text())["label"] == "1 run"


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


FIRST = replace(GRID[0], epochs=1)
CHAIN = [replace(e, after=replace(FIRST, seed=e.seed)) for e in GRID]


def test_what_others_come_after_is_computed_once_and_first(store, trained):
    found = sweep(CHAIN, jobs=3, store=store)
    firsts = {e.after for e in CHAIN}
    assert len(trained) == len(set(trained)) == found.computed == len(CHAIN) + len(firsts)
    for experiment in CHAIN:
        assert trained.index(experiment.after) < trained.index(experiment)
    assert [run.experiment for run in found.runs] == CHAIN
    for run in found.runs:
        before = store.find(run.experiment.after, CLOUDS)
        assert run.table["test_accuracy"].iloc[0] == before.final["test_accuracy"]
        alone = train(run.experiment).table.drop(columns="seconds")
        pd.testing.assert_frame_equal(run.table.drop(columns="seconds"), alone, check_exact=True)


def test_where_all_is_found_nothing_before_it_is_needed(store, trained):
    sweep(CHAIN[:1], store=store)
    store.path(CHAIN[0].after, CLOUDS).unlink()
    assert sweep(CHAIN[:1], store=store).computed == 0
    trained.clear()
    assert sweep(CHAIN[:2], jobs=1, store=store).computed == 2
    assert trained == [CHAIN[1].after, CHAIN[1]]


def test_a_longer_chain(store, trained):
    third = replace(CHAIN[0], after=CHAIN[0], epochs=1)
    run = sweep([third], store=store).runs[0]
    assert [e.place for e in trained] == [0, 1, 2]
    end = sweep([third], store=store).ends().iloc[0]
    assert store.named(end["after"]).experiment == third.after
    assert run.final["samples"] == 200


def test_what_others_come_after_is_checked_before_any_work(store, trained):
    with pytest.raises(InvalidValue, match=r"^restriction .*99"):
        sweep(
            [GRID[0], replace(GRID[1], after=replace(FIRST, restriction=Subnet(99)))], store=store
        )
    assert trained == files(store) == []
