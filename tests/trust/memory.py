"""The peak memory of a sweep, against what the sizes of its networks ask for."""

import json
import subprocess
import sys
from pathlib import Path
from random import Random

from lazybook import datasets
from lazybook.caching import parse as parse_caching
from lazybook.engines.contract import network_shape
from lazybook.experiment import Experiment
from lazybook.restrictions import parse

from .harness import Wrong

JOBS = 2
PATTERNS = "random-patterns:200,784"
RUNS = 2 * JOBS
# Float32 matrices of the size of its weights that a network has at most, at a time: as drawn and as
# learned; masks or selections; the transient part; counts of changes, int64, now and before, and
# what is made of them; and with the reference engine gradients, steps and their sizes, some of them
# in float64.
PLAIN, RESTRICTION, CACHING, COUNTING, REFERENCE = 4, 4, 2, 10, 16
# What a run keeps of them, and as how many copies while its record is written.
RECORDED, COPIES = {"synapse-updates": 2, "weights": 1}, 3
ROOM = 60e6  # bytes for everything else: threads, tables, records, and the data once more

CASES = (
    {},
    {"restriction": parse("synapse-mask:0.5,0.5")},
    {"restriction": parse("largest-per-layer:0.1")},
    {"caching": parse_caching("0.001")},
    {"record": ("synapse-updates",)},
    {"record": ("weights",)},
    {"engine": "reference"},
)
# Runs a sweep of one experiment for several seeds and prints how much larger the process became.
SWEEP = """
import json, sys
from pathlib import Path
from lazybook import datasets
from lazybook.experiment import Experiment, grid
from lazybook.sweep import sweep

def peak():
    status = Path("/proc/self/status").read_text()
    return 1024 * int(status.partition("VmHWM:")[2].split()[0])

def experiment(**changes):
    return Experiment.from_dict(json.loads(sys.argv[1]) | changes)

jobs, runs = map(int, sys.argv[2:])
sweep([experiment(hidden=3)], jobs)  # loads what is needed, whatever the sizes
before = peak()
sweep(grid(experiment(), seed=range(runs)), jobs)
print(json.dumps([before, peak()]))
"""


def sweeps(random: Random, folder: Path, figures: dict) -> None:
    """A sweep takes the memory of the networks that are learned at a time, and not of all."""
    changes = {"hidden": random.randrange(500, 8000)} | random.choice(CASES)
    experiment = Experiment(**{"dataset": PATTERNS, "epochs": 1, "measure_every": 100} | changes)
    bound = _bound(experiment)
    done = subprocess.run(
        [sys.executable, "-c", SWEEP, json.dumps(experiment.to_dict()), str(JOBS), str(RUNS)],
        capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise Wrong(f"the sweep failed: {done.stderr[-300:]}")
    before, peak = json.loads(done.stdout)
    said = ", ".join(f"{name} {value}" for name, value in changes.items())
    sizes = {"before": before, "peak": peak, "bound": round(before + bound)}
    figures["sweeps"] = [{"sweep": said, **sizes}]
    if peak - before > bound:
        raise Wrong(f"{said}: {(peak - before) / 1e6:.0f} MB, not {bound / 1e6:.0f}")


def _bound(experiment: Experiment) -> float:
    """Return the bytes that a sweep may take: of the networks at a time, and of what runs keep."""
    shape = network_shape(experiment, datasets.facts(experiment.dataset))
    weights = sum(rows * columns for rows, columns in shape.layers)
    learning = PLAIN + RESTRICTION * (str(experiment.restriction) != "all")
    learning += CACHING * (str(experiment.caching) != "immediate")
    learning += COUNTING * ("synapse-updates" in experiment.record)
    learning += REFERENCE * (experiment.engine == "reference")
    kept = sum(RECORDED[name] for name in experiment.record)
    return 4 * weights * (JOBS * learning + (RUNS + COPIES) * kept) + ROOM
