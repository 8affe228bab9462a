"""Sweeps on a cluster: a real scheduler and real workers, on this machine."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from lazybook import cluster, datasets, trainers
from lazybook import sweep as sweeping
from lazybook.benchmarks import cluster as needed
from lazybook.book.figures import run_figures
from lazybook.datasets import Split
from lazybook.errors import InvalidValue, LazybookError
from lazybook.experiment import Experiment, grid
from lazybook.gates import EverySample, MemorizedMistakes
from lazybook.runs import Store
from lazybook.sweep import sweep

distributed = pytest.importorskip("distributed", reason="the extra cluster is not installed")

PATIENCE = 60  # seconds after which what does not happen is given up
CLOUDS = Experiment(dataset="two-clouds", hidden=3, engine="reference", epochs=1)
# A second or more each, and nothing to compile.
LONG = grid(replace(CLOUDS, measure_every=50, epochs=3), seed=range(6))
ENDLESS = ("--dataset=two-clouds", "--hidden=3", "--engine=reference", "--epochs=100000")

# What a worker is started with: it notes each data set that it is sent.
NOTES = """
from lazybook import datasets
from lazybook.datasets import arrays

def note(dataset):
    with open({notes!r}, "a") as file:
        print(dataset.name, file=file)
    arrays.receive(dataset)

datasets.receive = note
"""


class Started:
    """A scheduler and its workers, each a process of one thread.

    A run whose workers are lost more than so many ``failures`` times is given up.
    """

    def __init__(self, folder: Path, stack: ExitStack, failures: int) -> None:
        self.folder, self.stack, self.workers = folder, stack, []
        allowed = "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES"
        self.environment = os.environ | {allowed: str(failures)}
        self.notes = folder / "notes"
        self.notes.touch()
        self.preload = folder / "preload.py"
        self.preload.write_text(NOTES.format(notes=str(self.notes)))
        where = folder / "scheduler.json"
        self.scheduler = self._start(
            "scheduler", "--host=127.0.0.1", "--port=0", f"--scheduler-file={where}"
        )
        wait_for(where.exists)
        self.address = json.loads(where.read_text())["address"]
        for _ in range(2):
            self.add_worker()
        with distributed.Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=PATIENCE)

    def add_worker(self) -> None:
        name = f"--name={len(self.workers)}"
        one = ("--nthreads=1", "--no-nanny", f"--preload={self.preload}", name)
        worker = self._start("worker", self.address, *one, f"--local-directory={self.folder}")
        self.workers.append(worker)

    def received(self, name: str) -> int:
        """How often a data set was sent to a worker."""
        return self.notes.read_text().splitlines().count(name)

    def _start(self, program: str, *options: str) -> subprocess.Popen:
        command = [sys.executable, "-m", f"distributed.cli.dask_{program}", "--no-dashboard"]
        process = subprocess.Popen(
            [*command, *options],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.stack.callback(process.wait)
        self.stack.callback(process.kill)
        return process


@contextmanager
def started(folder: Path, failures: int = 3) -> Iterator[Started]:
    with ExitStack() as stack:
        yield Started(folder, stack, failures)


@pytest.fixture(scope="module")
def lasting(tmp_path_factory) -> Iterator[Started]:
    """A cluster of which nothing is lost."""
    with started(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "runs")


@pytest.fixture
def saved(monkeypatch) -> list[Experiment]:
    """The experiments whose records are written, in order."""
    saved, save = [], Store.save

    def watched(store, run, facts):
        saved.append(run.experiment)
        return save(store, run, facts)

    monkeypatch.setattr(Store, "save", watched)
    return saved


@pytest.fixture
def nothing_is_trained_here(monkeypatch):
    def fail(*_):
        pytest.fail("it was trained here, and not by a worker")

    monkeypatch.setattr(trainers, "train", fail)


def wait_for(happens) -> None:
    """Return as soon as ``happens`` returns True."""
    for _ in range(20 * PATIENCE):
        if happens():
            return
        time.sleep(0.05)
    pytest.fail("it does not happen")


def assert_same_records(ours: Store, theirs: Store) -> None:
    """All runs are there in both, the same in all but times."""
    assert [path.name for path in ours.all()] == [path.name for path in theirs.all()]
    for path, other in zip(ours.all(), theirs.all(), strict=True):
        run, same = ours.named(path.stem), theirs.named(other.stem)
        assert run.experiment == same.experiment
        pd.testing.assert_frame_equal(
            run.table.drop(columns="seconds"), same.table.drop(columns="seconds"), check_exact=True
        )
        assert run.arrays.keys() == same.arrays.keys()
        for name, array in run.arrays.items():
            np.testing.assert_array_equal(array, same.arrays[name])
        for fact in ("dataset", "data_checksum", "semantics", "packages", "machine"):
            assert run.provenance[fact] == same.provenance[fact]


def test_a_lost_workers_runs_are_repeated_and_the_records_are_those_of_one_process(
    store, saved, tmp_path, monkeypatch
):
    alone = Store(tmp_path / "alone")
    sweep(LONG, jobs=1, store=alone)
    saved.clear()
    progress = tmp_path / "progress"
    monkeypatch.setenv("LAZYBOOK_PROGRESS", str(progress))
    parts = []

    def kill_one():
        wait_for(lambda: progress.exists() and json.loads(progress.read_text())["done"] > 0)
        workers[0].kill()  # both have a run, and others wait

    def watch():
        while not finished.wait(0.02):
            if progress.exists():
                parts.append(json.loads(progress.read_text()))

    finished = threading.Event()
    threads = [threading.Thread(target=target, daemon=True) for target in (kill_one, watch)]
    with started(tmp_path) as cluster:
        workers = cluster.workers
        for thread in threads:
            thread.start()
        done = sweep(LONG, store=store, scheduler=cluster.address)
        finished.set()
        for thread in threads:
            thread.join()
        assert workers[0].wait() == -signal.SIGKILL
        assert workers[1].poll() is None
    assert done.computed == len(saved) == len(set(saved)) == len(LONG)
    assert [run.experiment for run in done.runs] == LONG
    assert {path.suffix for path in store.root.rglob("*.*")} == {".parquet"}
    monkeypatch.delenv("LAZYBOOK_PROGRESS")
    assert_same_records(store, alone)
    assert [part["done"] for part in parts] == sorted(part["done"] for part in parts)
    end = json.loads(progress.read_text())
    assert end["done"] == pytest.approx(end["total"])


def test_when_a_run_or_the_scheduler_is_lost_what_is_finished_is_kept(store, tmp_path):
    with started(tmp_path, failures=0) as cluster:
        for process, said in (
            (cluster.workers[0], r"after 1 workers were lost .* It is Experiment\("),
            (cluster.scheduler, f"the scheduler {cluster.address} was lost"),
        ):
            before = len(store.all())

            def kill(process=process, before=before):
                wait_for(lambda: len(store.all()) > before)
                process.kill()

            killer = threading.Thread(target=kill, daemon=True)
            killer.start()
            with pytest.raises(LazybookError, match=said):
                sweep(LONG, store=store, scheduler=cluster.address)
            killer.join()
            assert before < len(store.all()) < len(LONG)
            assert {path.suffix for path in store.root.rglob("*.*")} == {".parquet"}


@pytest.mark.usefixtures("nothing_is_trained_here")
def test_data_are_sent_once_to_each_worker_whenever_it_comes(lasting, store):
    """Data that only this process has."""
    generator = np.random.default_rng(0)

    def half(samples):
        labels = np.arange(samples) % 3
        return Split(generator.random((samples, 5), dtype=np.float32), labels, scale=1.0)

    name = datasets.derived("only-here", half(60), half(30), classes=3)
    experiments = grid(
        replace(CLOUDS, dataset=name),
        gate=[EverySample(), MemorizedMistakes()],
        record=[("weights",)],
        zero_mean=[False, True],
        seed=[0, 1, 2],
    )
    half_of_them = len(experiments) // 2
    for some in (experiments[:half_of_them], experiments):
        assert sweep(some, store=store, scheduler=lasting.address).computed == half_of_them
    assert lasting.received(name) == 2
    lasting.add_worker()
    wait_for(lambda: lasting.received(name) == 3)


def test_an_interrupt_ends_the_sweep_and_frees_the_workers(lasting, store, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", "from lazybook.cli import main; main()", "sweep",
         f"--scheduler={lasting.address}", *ENDLESS, "--seed=0:5"],
        env=os.environ | {
            "LAZYBOOK_RUNS": str(store.root),
            "LAZYBOOK_PROGRESS": str(tmp_path / "progress"),
        },
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip

    def running(dask_worker):
        return dask_worker.state.executing_count

    with process, distributed.Client(lasting.address, set_as_default=False) as client:
        wait_for(lambda: sum(client.run(running).values()) >= 2)
        process.send_signal(signal.SIGINT)
        began = time.monotonic()
        assert process.wait(PATIENCE) == 130
        assert time.monotonic() - began < 5  # 2, on a machine that does nothing else
        assert process.stderr.read().splitlines()[-1].startswith("interrupted;")
        wait_for(lambda: not any(client.run(running).values()))
    assert list(store.root.rglob("*.*")) == []


@pytest.mark.usefixtures("nothing_is_trained_here")
def test_an_error_on_a_worker_is_told_here(lasting, store, monkeypatch):
    monkeypatch.setattr(sweeping, "_check", lambda *_: None)
    experiment = replace(CLOUDS, loss="cross-entropy")
    with pytest.raises(InvalidValue, match="needs more than two classes"):
        sweep([experiment], store=store, scheduler=lasting.address)


@pytest.mark.usefixtures("nothing_is_trained_here")
def test_workers_must_have_the_same_versions(lasting, store, monkeypatch):
    monkeypatch.setattr(cluster, "packages", lambda: {"lazybook": "0.0.0"})
    monkeypatch.setattr(cluster.datasets, "load", other_data)
    with pytest.raises(InvalidValue, match=r"cannot take part: it has lazybook .* must be .*0\.0"):
        sweep([CLOUDS], store=store, scheduler=lasting.address)


def other_data(name: str) -> datasets.Dataset:
    """Data that no worker was sent before."""
    return replace(datasets.two_clouds(), name="other", checksum="other")


NOTEBOOK = """
# %% tags=["parameters"]
profile = "smoke"
device = "cpu"
jobs = None
fresh = False

# %%
from lazybook.book import notebook
from lazybook.experiment import Experiment

settings = notebook.start(globals())
experiment = Experiment(dataset="random-patterns:7,11", hidden=3, engine="reference", epochs=1)
settings.sweep([experiment])
"""


def test_figures_are_computed_by_the_workers(lasting, tmp_path, monkeypatch):
    sources = tmp_path / "notebooks"
    sources.mkdir()
    (sources / "one.py").write_text(NOTEBOOK)
    monkeypatch.setenv("LAZYBOOK_RUNS", str(tmp_path / "runs"))
    monkeypatch.setenv("LAZYBOOK_SCHEDULER", lasting.address)
    run_figures("smoke", sources=sources, output=tmp_path / "out")
    assert (tmp_path / "out" / "one.ipynb").exists()
    assert lasting.received("random-patterns:7,11") >= 2
    assert len(Store(tmp_path / "runs").all()) == 1


@pytest.mark.parametrize("command", [("sweep", *ENDLESS), ("figures", "--only=fig2_mnist")])
@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("tcp://127.0.0.1:9", "where none answers"),
        ("nonsense", "where none answers"),
        ("", "address"),
    ],
)
def test_a_scheduler_that_does_not_answer_is_told_before_any_work(
    lazybook, store, tmp_path, monkeypatch, command, address, said
):
    monkeypatch.setattr(cluster, "ANSWER", 1)
    monkeypatch.setenv("LAZYBOOK_RUNS", str(store.root))
    monkeypatch.setenv("LAZYBOOK_SCHEDULER", "")  # to be put back
    output = [f"--output={tmp_path / 'out'}"] * (command[0] == "figures")
    code, printed, complaint = lazybook(*command, f"--scheduler={address}", *output)
    assert (code, printed) == (2, "")
    [line] = complaint.splitlines()
    assert line.startswith(f"error: scheduler is {address!r}")
    assert said in line
    assert not list(store.root.rglob("*.*"))
    assert not list(tmp_path.rglob("*.ipynb"))


def test_without_dask_it_is_said_what_has_it(store, monkeypatch):
    monkeypatch.setattr(cluster, "distributed", None)
    with pytest.raises(InvalidValue, match=r"needs Dask; install lazybook\[cluster\]"):
        sweep([CLOUDS], store=store, scheduler="tcp://127.0.0.1:9")
    assert store.all() == []


def test_what_is_in_the_store_needs_no_scheduler(store):
    sweep([CLOUDS], store=store)
    assert sweep([CLOUDS], store=store, scheduler="tcp://127.0.0.1:9").computed == 0


PAGE = Path(__file__).parents[1] / "book" / "rerun.md"


def test_the_pages_example_runs(tmp_path):
    blocks = PAGE.read_text().split("```python\n")[1:]
    [block] = [code.partition("```")[0] for code in blocks if "import LocalCluster" in code]
    (tmp_path / "example.py").write_text(block)
    ran = subprocess.run(
        [sys.executable, "example.py"],
        cwd=tmp_path,
        env=os.environ | {"LAZYBOOK_RUNS": str(tmp_path / "runs")},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stderr
    assert len(ran.stdout.splitlines()) == 21
    assert len(list((tmp_path / "runs").rglob("*.parquet"))) == 20


def test_the_pages_table_is_what_was_measured():
    measured, _ = needed.published()
    page = PAGE.read_text()
    assert f"mean of {measured.computing:.1f} seconds" in page
    for row in needed.needs(measured).items():
        assert "| {} | {} |".format(*row) in page
    assert f"{needed.RUNS:,} small" in page.replace("\n", " ")
