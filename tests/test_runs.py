"""The run store: what it gives back is what was put in, or nothing."""

import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from lazybook import datasets, runs
from lazybook.errors import RecordError
from lazybook.experiment import Experiment
from lazybook.gates import Mistakes
from lazybook.runs import DamagedRecord, Run, Store
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
        with pytest.raises(RecordError) as caught:
            runs.read(path)
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
    for write in (store.check_writable, lambda: store.save(run, CLOUDS)):
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
