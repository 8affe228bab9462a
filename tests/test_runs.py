"""The run store: what it gives back is what was put in, or nothing."""

import os
import subprocess
import sys
from dataclasses import fields, replace
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lazybook import datasets, runs
from lazybook.buffers import Reservoir
from lazybook.caching import SynapticCaching
from lazybook.errors import InvalidValue, RecordError
from lazybook.experiment import Experiment, preset
from lazybook.gates import MemorizedMistakes, Mistakes
from lazybook.restrictions import LargestUpdates, Subnet, SynapseMask
from lazybook.runs import DamagedRecord, RecordLeftAlone, Run, Store
from lazybook.support import paths
from lazybook.sweep import sweep
from lazybook.trainers import train

CLOUDS = datasets.load("two-clouds")
EXPERIMENT = Experiment(
    dataset="two-clouds", hidden=None, bias="none", initial="values:-1,0.5", epochs=1,
    measure_every=70, gate=Mistakes(), record=("path", "sample-energy"),
)  # fmt: skip


@pytest.fixture(scope="module")
def run() -> Run:
    return train(EXPERIMENT)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "own", tmp_path / "published")


def assert_equal(first: Run, second: Run) -> None:
    """Check that two runs are the same, bit for bit."""
    assert first.experiment == second.experiment
    assert first.provenance == second.provenance
    assert first.diverged is second.diverged
    pd.testing.assert_frame_equal(first.table, second.table, check_exact=True)
    assert list(first.arrays) == list(second.arrays)
    for name, array in first.arrays.items():
        assert array.dtype == second.arrays[name].dtype
        np.testing.assert_array_equal(array, second.arrays[name], strict=True)


def test_a_record_is_read_back_bit_for_bit(run, store):
    assert store.find(EXPERIMENT, CLOUDS) is None
    path = store.save(run, CLOUDS)
    assert_equal(store.find(EXPERIMENT, CLOUDS), run)
    assert store.all() == [path]
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_any_table_and_any_arrays_are_read_back(run, store):
    numbers = [0.1, np.nan, np.inf, -np.inf, 5e-324, 1e300]
    strange = replace(
        run,
        diverged=True,
        table=pd.DataFrame({"epoch": numbers, "samples": [0, 1, 2, 3, 4, 2**62]}),
        arrays={
            "memory": np.array([True, False, True]),
            "counts": np.arange(6).reshape(2, 3),
            "empty": np.zeros((0, 2), np.float32),
            "single": np.array([0.1, np.nan, np.inf], np.float32),
            "special": np.array(numbers),
        },
    )
    store.save(strange, CLOUDS)
    assert_equal(store.find(EXPERIMENT, CLOUDS), strange)


def test_a_later_record_replaces_an_earlier_one(run, store):
    store.save(run, CLOUDS)
    later = replace(run, provenance=run.provenance | {"date": "later"})
    store.save(later, CLOUDS)
    assert_equal(store.find(EXPERIMENT, CLOUDS), later)
    assert len(store.all()) == 1


def test_what_was_run_names_the_record(monkeypatch):
    def name() -> str:
        return runs.record_name(EXPERIMENT, CLOUDS)

    first = name()
    assert name() == first
    others = [
        runs.record_name(replace(EXPERIMENT, seed=1), CLOUDS),
        runs.record_name(replace(EXPERIMENT, learning_rate=0.011), CLOUDS),
        runs.record_name(EXPERIMENT, replace(CLOUDS, checksum="0")),
    ]
    monkeypatch.setattr(runs, "SEMANTICS", runs.SEMANTICS + 1)
    others.append(name())
    assert len({first, *others}) == 5


AUTOGRAD = Experiment(engine="autograd")
ANOTHER = {  # for each field: to what else it may be set, and in which experiment
    "dataset": (Experiment(), "fashion-mnist"),
    "zero_mean": (Experiment(), True),
    "shifts": (AUTOGRAD, 2),
    "hidden": (Experiment(), None),
    "activation": (Experiment(), "relu"),
    "initial": (Experiment(), "gaussian:0.01"),
    "bias": (Experiment(), "clamped-unit"),
    "loss": (Experiment(), "half-mse"),
    "learning_rate": (Experiment(), 0.011),
    "batch": (AUTOGRAD, 10),
    "optimizer": (AUTOGRAD, "momentum:0.9"),
    "order": (Experiment(), "in-turn"),
    "gate": (Experiment(), MemorizedMistakes()),
    "restriction": (Experiment(), Subnet(10)),
    "caching": (Experiment(), SynapticCaching(0.1)),
    "epochs": (Experiment(), 51),
    "until": (Experiment(), 0.95),
    "measure_every": (Experiment(), 5001),
    "measure_training": (Experiment(), False),
    "seed": (Experiment(), 1),
    "engine": (Experiment(), "reference"),
    "device": (Experiment(engine="reference"), "cuda"),
    "energy_exponents": (Experiment(), (2.0,)),
    "record": (Experiment(), ("potentiation",)),
    "after": (Experiment(), Experiment(epochs=51)),
    "keep_memory": (Experiment(after=Experiment()), True),
    "gated": (AUTOGRAD, "batch"),
    "buffer": (Experiment(), Reservoir(5)),
    "also_test": (Experiment(), ("mnist/classes:0-4",)),
}


@pytest.mark.parametrize("field", [field.name for field in fields(Experiment)])
def test_another_value_of_any_field_is_another_record(field):
    base, value = ANOTHER[field]
    names = {runs.record_name(e, CLOUDS) for e in (base, replace(base, **{field: value}))}
    assert len(names) == 2


def test_the_whole_chain_names_the_record(monkeypatch):
    def name(**first) -> str:
        after = Experiment(after=Experiment(dataset="mnist/classes:0-4", **first))
        return runs.record_name(replace(Experiment(), after=after), CLOUDS)

    names = {name(), name(seed=1), name(epochs=1)}
    monkeypatch.setattr(datasets, "facts", lambda name: replace(CLOUDS, checksum="altered"))
    assert len(names | {name()}) == 4
    assert name() == name(record=("weights",))


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("until", (1, 1.0, np.float64(1))),
        ("learning_rate", (1, 1.0, np.float64(1))),
        ("energy_exponents", ((1, 2), (1.0, 2.0), (2.0, 1.0), [1, 2])),
        ("energy_exponents", ((0.0,), (-0.0,))),
        ("record", (("weights", "potentiation"), ("potentiation", "weights"))),
        ("seed", (3, np.int64(3))),
        ("caching", (SynapticCaching(1), SynapticCaching(1.0, 0, 0.0))),
        ("restriction", (SynapseMask(1, 0.5), SynapseMask(1.0, 0.5))),
        ("restriction", (LargestUpdates(1), LargestUpdates(1.0))),
    ],
)
def test_equal_experiments_have_one_record(field, values):
    experiments = [replace(Experiment(), **{field: value}) for value in values]
    assert all(first == second for first, second in combinations(experiments, 2))
    assert len({runs.record_name(e, CLOUDS) for e in experiments}) == 1


def published_records() -> list[Path]:
    root = paths.repository()
    return sorted((root / "results").glob("*/*.parquet"))[::25]


def test_published_records_have_the_names_of_what_was_run():
    for path in published_records():
        told = runs.summary(path)
        data = replace(CLOUDS, checksum=told.provenance["data_checksum"])
        assert runs.record_name(told.experiment, data) == f"{path.parent.name}/{path.name}"
        assert isinstance(told.diverged, bool)  # also of older records, which do not say


def test_a_summary_says_what_the_record_says(run, store):
    kept = [store.save(replace(run, diverged=True), CLOUDS), *published_records()[::10]]
    for path in kept:
        told, whole = runs.summary(path), runs.read(path)
        assert told.experiment == whole.experiment
        assert told.provenance == whole.provenance
        assert told.diverged is whole.diverged
        assert list(told.final) == list(whole.final)
        np.testing.assert_equal(told.final, whole.final)
        kinds = [
            {name: type(value) for name, value in each.final.items()} for each in (told, whole)
        ]
        assert kinds[0] == kinds[1]


def test_the_last_measurement(run):
    rows = {"epoch": [0.0, 1.0, 1.5], "samples": [0, 10, 15], "test_loss": [2.0, 1.0, np.nan]}
    table = pd.DataFrame(rows | {"train_loss": [3.0, 2.0, np.nan]})
    final = replace(run, table=table).final
    assert np.isnan(final.pop("test_loss"))  # a network that diverged; not to be hidden
    assert final == {"epoch": 1.5, "samples": 15, "train_loss": 2.0}
    assert isinstance(final["samples"], int)


def damaged_records(contents: bytes):
    """Yield what may have become of the bytes of a record."""
    for size in {0, 4, *range(0, len(contents), 997), len(contents) - 1}:
        yield contents[:size]
    for at in range(0, len(contents), 9):
        yield contents[:at] + bytes([contents[at] ^ 1 << at % 8]) + contents[at + 1 :]
    yield contents + b"\0"
    yield contents[:500] + contents
    yield bytes(len(contents))


def test_no_damage_goes_unnoticed(run, store):
    path = store.save(run, CLOUDS)
    for contents in damaged_records(path.read_bytes()):
        path.write_bytes(contents)
        for read in (runs.read, runs.summary):
            with pytest.raises(RecordError) as caught:
                read(path)
            assert "\n" not in str(caught.value)


def test_a_damaged_record_is_set_aside_and_computed_again(run, store):
    path = store.save(run, CLOUDS)
    damaged = path.read_bytes()[:-100]
    path.write_bytes(damaged)
    with pytest.warns(DamagedRecord, match=path.name) as caught:
        assert store.find(EXPERIMENT, CLOUDS) is None
    assert len(caught) == 1
    assert not path.exists()
    assert path.with_suffix(".damaged").read_bytes() == damaged
    assert store.find(EXPERIMENT, CLOUDS) is None  # reported once

    path.write_bytes(damaged)
    with pytest.warns(DamagedRecord):
        computed = sweep([EXPERIMENT], jobs=1, store=store)
    assert computed.computed == 1
    columns = run.table.columns.drop("seconds")
    pd.testing.assert_frame_equal(
        computed.runs[0].table[columns], run.table[columns], check_exact=True
    )
    assert_equal(store.find(EXPERIMENT, CLOUDS), computed.runs[0])


def test_the_record_of_another_experiment_is_not_taken(run, store):
    path = store.save(run, CLOUDS)
    other = replace(EXPERIMENT, seed=1)
    path.rename(path.parent.parent / runs.record_name(other, CLOUDS))
    with pytest.warns(DamagedRecord, match="another experiment"):
        assert store.find(other, CLOUDS) is None


def test_published_records_are_found_and_never_touched(run, store):
    published = Store(store.published).save(run, CLOUDS)
    assert_equal(store.find(EXPERIMENT, CLOUDS), run)
    assert store.all() == [published]
    own = replace(run, provenance=run.provenance | {"date": "own"})
    store.save(own, CLOUDS)
    assert_equal(store.find(EXPERIMENT, CLOUDS), own)
    store.all()[0].unlink()

    published.write_bytes(published.read_bytes()[:-1])
    before = published.stat()
    with pytest.warns(DamagedRecord, match="left where it is"):
        assert store.find(EXPERIMENT, CLOUDS) is None
    assert published.stat() == before
    assert [path.name for path in published.parent.iterdir()] == [published.name]


def test_a_damaged_record_of_ones_own_gives_way_to_a_published_one(run, store):
    Store(store.published).save(run, CLOUDS)
    store.save(run, CLOUDS).write_bytes(b"")
    with pytest.warns(DamagedRecord):
        assert_equal(store.find(EXPERIMENT, CLOUDS), run)


WRITER = """
import sys
from pathlib import Path
from lazybook import datasets
from lazybook.runs import Store, read

run, store = read(Path(sys.argv[1])), Store(Path(sys.argv[2]))
print("ready", flush=True)
for _ in range(200):
    store.save(run, datasets.load("two-clouds"))
"""


def test_two_processes_write_the_same_record(run, store, tmp_path):
    path = tmp_path / "run.parquet"
    runs.write(run, path)
    command = [sys.executable, "-c", WRITER, str(path), str(store.root)]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    try:
        for writer in writers:
            assert writer.stdout.readline() == "ready\n"
        found = []
        while any(writer.poll() is None for writer in writers):
            found.append(store.find(EXPERIMENT, CLOUDS) is not None)
    finally:
        for writer in writers:
            writer.communicate()
    assert [writer.returncode for writer in writers] == [0, 0]
    assert found
    assert all(then or not now for now, then in pairwise(found))  # once it is there, it is there
    assert_equal(store.find(EXPERIMENT, CLOUDS), run)
    assert len(list(store.root.rglob("*.*"))) == 1


def test_a_folder_that_cannot_be_written_is_named(run, tmp_path):
    (tmp_path / "file").touch()
    store = Store(tmp_path / "file" / "runs")
    records = [store.path(EXPERIMENT, CLOUDS)]
    for write in (
        store.check_writable,
        lambda: store.check_writable(records),
        lambda: store.save(run, CLOUDS),
    ):
        with pytest.raises(RecordError) as caught:
            write()
        assert str(store.root) in str(caught.value)
        assert "$LAZYBOOK_RUNS" in str(caught.value)
    assert store.find(EXPERIMENT, CLOUDS) is None


@pytest.mark.parametrize("own", [None, ""])
def test_an_empty_name_of_a_folder_is_none(monkeypatch, own):
    monkeypatch.delenv("LAZYBOOK_RUNS")
    if own is not None:
        monkeypatch.setenv("LAZYBOOK_RUNS", own)
    assert paths.runs() == paths.repository() / "runs"


def test_looking_whether_a_folder_can_be_written_leaves_nothing_in_it(store):
    store.check_writable()
    assert list(store.root.iterdir()) == []


def make_unreadable(path: Path, kind: str) -> None:
    """Put something into the place of a record that cannot be read."""
    path.unlink(missing_ok=True)
    if kind == "folder":
        (path / "within").mkdir(parents=True)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to({"device": "/dev/zero", "link": "missing", "loop": path.name}[kind])


@pytest.mark.parametrize("kind", ["folder", "pipe", "device", "link", "loop"])
def test_what_cannot_be_read_is_passed_over_and_left_alone(run, store, kind):
    path = store.save(run, CLOUDS)
    make_unreadable(path, kind)
    before = path.lstat()
    with pytest.warns(RecordLeftAlone, match=f"{path.name} cannot be read") as caught:
        assert store.find(EXPERIMENT, CLOUDS) is None
        assert store.find(EXPERIMENT, CLOUDS) is None
        store.save(run, CLOUDS)
    assert len(caught) == 1
    assert path.lstat() == before
    assert list(path.parent.iterdir()) == [path]
    for read in (runs.read, runs.summary, lambda path: store.named(path.stem)):
        with pytest.raises(RecordError, match="it cannot be read"):
            read(path)
    Store(store.published).save(run, CLOUDS)
    assert_equal(store.find(EXPERIMENT, CLOUDS), run)


def test_an_unreadable_published_record_is_computed_and_kept(run, store):
    Store(store.published).save(run, CLOUDS)
    make_unreadable(store.published / runs.record_name(EXPERIMENT, CLOUDS), "pipe")
    with pytest.warns(RecordLeftAlone, match="left alone$"):
        assert store.find(EXPERIMENT, CLOUDS) is None
    store.save(run, CLOUDS)
    assert_equal(store.find(EXPERIMENT, CLOUDS), run)


def test_errors_of_reading_are_no_damage(run, store, monkeypatch):
    """As of a mount whose server is gone."""
    path = store.save(run, CLOUDS)
    with monkeypatch.context() as patch:

        def gone(path):
            raise OSError(116, "Stale file handle")

        patch.setattr(runs.sharing, "open_regular", gone)
        with pytest.warns(RecordLeftAlone, match="Stale file handle"):
            assert store.find(EXPERIMENT, CLOUDS) is None
    assert_equal(store.find(EXPERIMENT, CLOUDS), run)
    assert list(path.parent.iterdir()) == [path]


def refuse(*paths):
    raise PermissionError(1, "Operation not permitted")


def test_a_record_that_others_do_not_let_be_replaced_is_left_alone(run, store, monkeypatch):
    """As in a folder whose sticky bit is set."""
    store.save(run, CLOUDS)
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.warns(RecordLeftAlone, match="cannot be replaced"):
        store.save(replace(run, diverged=True), CLOUDS)
    assert_equal(store.find(EXPERIMENT, CLOUDS), run)
    assert len(list(store.root.rglob("*.*"))) == 1


def test_damage_that_cannot_be_set_aside_is_told_all_the_same(run, store, monkeypatch):
    path = store.save(run, CLOUDS)
    path.write_bytes(b"")
    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.warns(DamagedRecord, match="cannot be set aside"):
        assert store.find(EXPERIMENT, CLOUDS) is None
    assert path.exists()


def test_a_disk_without_room_is_told_before_anything_is_written(store, monkeypatch):
    room = os.statvfs("/").f_blocks * os.statvfs("/").f_frsize * 1000
    with pytest.raises(RecordError, match=r"cannot be written to .*two-clouds: "):
        store.check_writable([store.path(EXPERIMENT, CLOUDS)], room)
    store.check_writable([store.path(EXPERIMENT, CLOUDS)], 1 << 20)
    assert list(store.root.rglob("*.*")) == []


def test_a_disk_that_is_full_leaves_no_half_record(run, store, monkeypatch):
    path = store.path(EXPERIMENT, CLOUDS)
    full = path.with_suffix(".tmp")
    path.parent.mkdir(parents=True)
    full.symlink_to("/dev/full")
    monkeypatch.setattr(runs.sharing, "temporary", lambda path: full)
    with pytest.raises(RecordError, match=f"cannot be written to {path.parent}: No space"):
        store.save(run, CLOUDS)
    assert list(path.parent.iterdir()) == []


def test_a_store_is_no_file(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(InvalidValue, match="a file; it must be a folder"):
        Store(tmp_path / "file")
    monkeypatch.setenv("LAZYBOOK_RUNS", str(tmp_path / "file"))
    with pytest.raises(InvalidValue, match="LAZYBOOK_RUNS"):
        Store()


@pytest.mark.parametrize(
    "experiment",
    [
        Experiment(hidden=11, learning_rate=0.05),
        Experiment(hidden=11, activation="relu", bias="none"),
        Experiment(hidden=None),
        preset("competitive", hidden=11, until=None),
        Experiment(dataset="two-clouds", hidden=None, bias="none", learning_rate=0.1),
        Experiment(dataset="two-clouds", hidden=3, learning_rate=0.1),
    ],
)
@pytest.mark.parametrize("engine", ["numba", "reference"])
def test_the_weights_that_are_kept_give_what_was_measured(few, store, experiment, engine):
    experiment = replace(experiment, epochs=1, record=("weights",), engine=engine)
    store.save(train(experiment), datasets.facts(experiment.dataset))
    run = store.find(experiment, datasets.facts(experiment.dataset))
    data = datasets.load(experiment.dataset)
    data = data.zero_mean() if experiment.zero_mean else data
    outputs, classes = (f(data.test.inputs()) for f in (run.outputs, run.predict))
    assert classes.dtype == np.int64
    assert (classes == data.test.labels).mean() == pytest.approx(run.final["test_accuracy"])
    targets = (
        2 * data.test.labels[:, None] - 1
        if data.classes == 2
        else np.eye(data.classes)[data.test.labels]
    )
    losses = {"mse": np.mean, "half-mse": lambda squares: squares.sum() / 2 / len(squares)}
    loss = losses[experiment.loss]((outputs - targets) ** 2)
    assert loss == pytest.approx(run.final["test_loss"], rel=1e-4)


def test_weights_that_were_not_kept_are_not_given(run):
    for ask in (lambda: run.weights, lambda: run.predict(np.zeros((1, 2)))):
        with pytest.raises(InvalidValue, match="weights of this run were not kept"):
            ask()


@pytest.mark.parametrize("shape", [(3,), (4, 3), (2, 2, 2), ()])
def test_inputs_of_another_size_are_refused(run, shape):
    kept = replace(run, arrays={"weights_output": np.ones((2, 1), np.float32)})
    assert kept.predict(np.zeros((5, 2))).tolist() == [0] * 5
    with pytest.raises(InvalidValue, match=r"it must be \(n, 2\)"):
        kept.predict(np.zeros(shape))


def test_the_version_is_told_as_far_as_it_is_known(monkeypatch):
    whole = runs.version

    def version(name):
        if name in ("lazybook", "torch"):
            raise runs.PackageNotFoundError(name)
        return whole(name)

    monkeypatch.setattr(runs, "version", version)
    packages = runs.provenance(CLOUDS, 0.0)["packages"]
    assert packages["lazybook"] == paths.project()["version"]
    assert set(packages) == {"lazybook", "numpy", "numba"}
    monkeypatch.setattr(paths, "project", dict)
    assert runs.provenance(CLOUDS, 0.0)["packages"]["lazybook"] == "unknown"


def git(folder: Path, *arguments: str) -> str:
    name = ("-c", "user.name=x", "-c", "user.email=x@localhost")
    command = ["git", "-C", str(folder), *name, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def test_the_commit_is_that_of_the_checkout_itself(tmp_path, monkeypatch):
    checkout = tmp_path / "thesis" / "code"
    checkout.mkdir(parents=True)
    (checkout / "rule.py").write_text("energy = 0")
    monkeypatch.setattr(paths, "SOURCE", checkout)
    git(tmp_path, "init", "-q", "thesis")
    git(checkout, "add", ".")
    git(checkout, "commit", "-q", "-m", "thesis")

    def told() -> str:
        runs._commit.cache_clear()
        return runs._commit()

    assert told() == ""
    git(checkout, "init", "-q")
    assert told() == ""  # nothing was committed yet
    git(checkout, "add", ".")
    git(checkout, "commit", "-q", "-m", "code")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "thesis" / ".git"))
    commit = subprocess.run(
        ["git", f"--git-dir={checkout}/.git", "rev-parse", "--short=12", "HEAD"],
        capture_output=True,
        text=True,
    ).stdout.strip()
    assert told() == commit
    (checkout / "rule.py").write_text("energy = 1")
    assert told() == f"{commit}+"
    if os.getuid() == 0:
        for path in (checkout, *checkout.rglob("*")):
            os.chown(path, 54321, 54321)
        assert told() == f"{commit}+"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert told() == ""
    runs._commit.cache_clear()
