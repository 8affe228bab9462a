"""What a run takes beside its own computing, on a cluster; and so what very many would need.

Measured in processor time, which hardly depends on what else a machine does, with a scheduler and
two workers on this machine: ``python -m lazybook.benchmarks.cluster`` publishes it, in
``results/cluster.json``, with the means of the published records. The page "How to re-run" has the
table that `needs` makes of it.
"""

import json
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from lazybook import datasets
from lazybook.experiment import Experiment, grid
from lazybook.runs import Store, provenance, read
from lazybook.support import paths
from lazybook.sweep import sweep

RUNS = 1000  # to measure with
READ = 200  # records whose size in memory is measured
MILLION = 1_000_000


@dataclass(frozen=True)
class Overhead:
    """Means over runs.

    Attributes
    ----------
    sweeping, scheduler, worker: seconds of processor time that a run takes of the process that
        sweeps, the scheduler, and, beside its own computing, a worker.
    computing: seconds of one core that the published runs took.
    record: bytes of their records on disk.
    memory: bytes that such a run takes in the process that sweeps.
    """

    sweeping: float
    scheduler: float
    worker: float
    computing: float
    record: float
    memory: float

    @classmethod
    def measure(cls, runs: int = RUNS) -> Self:
        """Measure with this many runs of a tenth of a second or less; Dask must be installed."""
        from distributed import Client
        from distributed.deploy.subprocess import SubprocessCluster

        small = Experiment(dataset="two-clouds", hidden=3, epochs=2, measure_every=100)
        experiments = grid(small, seed=range(runs + 2))
        with (
            tempfile.TemporaryDirectory() as folder,
            SubprocessCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):

            def spent() -> tuple[float, float, float]:
                workers = sum(client.run(time.process_time).values())
                return time.process_time(), client.run_on_scheduler(time.process_time), workers

            address, store = cluster.scheduler_address, Store(Path(folder, "runs"))
            sweep(experiments[:2], store=store, scheduler=address)  # all is imported and compiled
            before = spent()
            done = sweep(experiments[2:], store=store, scheduler=address)
            each = [(after - b) / runs for after, b in zip(spent(), before, strict=True)]
        each[2] -= _mean(done.runs, lambda run: run.provenance["compute_seconds"])
        return cls(*each, *_published())


def _published() -> tuple[float, float, float]:
    """Return the means of what is published: seconds of computing, bytes on disk and in memory."""
    records = sorted((paths.published() or Path()).glob("*/*.parquet"))
    kept = [read(path) for path in records]
    computing = _mean(kept, lambda run: run.provenance["compute_seconds"])
    some = records[:: len(records) // READ]
    tracemalloc.start()
    held = [read(path) for path in some]
    memory = tracemalloc.get_traced_memory()[0] / len(held)
    tracemalloc.stop()
    return computing, _mean(records, lambda path: path.stat().st_size), memory


def _mean(of: list, what: Callable[[Any], float]) -> float:
    return sum(map(what, of)) / len(of)


def needs(overhead: Overhead, runs: int = MILLION) -> dict[str, str]:
    """Return what so many runs like the published ones would need, as a table's rows."""
    hours = runs / 3600
    slower = max(overhead.sweeping, overhead.scheduler)
    return {
        "computing": f"{overhead.computing * hours:,.0f} core-hours",
        "beside that, on the workers": f"{overhead.worker * hours:,.1f} core-hours",
        "the process that sweeps": f"{overhead.sweeping * hours:,.1f} hours of one core",
        "the scheduler": f"{overhead.scheduler * hours:,.1f} hours of one core",
        "cores that both can keep busy": f"{overhead.computing / slower:,.0f}",
        "so at the least": f"{slower * hours:,.1f} hours",
        "records on disk": f"{overhead.record * runs / 1e9:,.0f} GB in {runs:,} files",
        "memory, if one process holds all runs": f"{overhead.memory * runs / 1e9:,.0f} GB",
    }


def published() -> tuple[Overhead, dict[str, Any]]:
    """Return what is published, and its provenance."""
    record = json.loads(_place().read_text("utf8"))
    return Overhead(**record["each run"]), record["provenance"]


def _place() -> Path:
    return (paths.published() or Path()) / "cluster.json"


if __name__ == "__main__":
    began = time.perf_counter()
    measured = {name: float(f"{value:.3g}") for name, value in asdict(Overhead.measure()).items()}
    made = provenance(datasets.load("two-clouds"), time.perf_counter() - began)
    found = {"each run": measured, "runs": RUNS, "provenance": made}
    _place().write_text(json.dumps(found, indent=1) + "\n", "utf8")
    for what, needed in needs(Overhead(**measured)).items():
        print(f"| {what} | {needed} |")
