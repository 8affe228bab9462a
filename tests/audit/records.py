"""Published run records and findings, read with nothing but pyarrow and pandas."""

import json
import math
from functools import cache, cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

RESULTS = Path(__file__).parents[2] / "results"

COMPETITIVE = {
    "dataset": "mnist",
    "zero_mean": True,
    "activation": "leaky-relu:0.1",
    "initial": "gaussian:0.01",
    "bias": "clamped-unit",
    "loss": "half-mse",
    "learning_rate": 0.01,
    "order": "replacement",
    "gate": "every-sample",
    "restriction": "all",
    "caching": "immediate",
    "epochs": 5,
    "until": 0.95,
    "measure_every": 1000,
    "record": [],
    "engine": "numba",
}
LAZY = {
    "dataset": "mnist",
    "zero_mean": False,
    "activation": "leaky-relu:0.01",
    "initial": "pytorch",
    "bias": "separate",
    "loss": "mse",
    "learning_rate": 0.01,
    "order": "permutation",
    "gate": "every-sample",
    "restriction": "all",
    "epochs": 50,
    "measure_every": 5000,
}


class Record:
    """One run: its experiment (a dict), its table, and what else it kept."""

    def __init__(self, path: Path) -> None:
        self.path = path
        facts = json.loads(pq.read_metadata(path).metadata[b"lazybook"])
        self.experiment, self.diverged = facts["experiment"], facts.get("diverged", False)
        self.shapes = facts["shapes"]

    @cached_property
    def table(self) -> pd.DataFrame:
        names = [n for n in pq.read_schema(self.path).names if not n.startswith("array ")]
        return pq.read_table(self.path, columns=names).to_pandas()

    def array(self, name: str) -> np.ndarray:
        """An array that was kept; it stands in the last row."""
        [column] = pq.read_table(self.path, columns=[f"array {name}"]).columns
        return column[-1].values.to_numpy(zero_copy_only=False).reshape(self.shapes[name])

    @property
    def size(self) -> int:
        return self.experiment["hidden"]

    @property
    def seed(self) -> int:
        return self.experiment["seed"]

    @property
    def reached(self) -> bool:
        """Whether it got to the accuracy at which it was to stop."""
        return not self.diverged and self.end("test_accuracy") >= self.experiment["until"]

    def end(self, column: str) -> float:
        return float(self.table[column].iloc[-1])

    def cost(self, column: str) -> float:
        """Its last value of ``column``; infinite if it missed its goal."""
        return self.end(column) if self.reached else math.inf


@cache
def everything() -> list[Record]:
    return [Record(path) for path in sorted(RESULTS.glob("*/*.parquet"))]


def select(usual: dict, **changes) -> dict[tuple[int, int], Record]:
    """The runs with these settings, by size and seed."""
    wanted = usual | changes
    found = {}
    for record in everything():
        has = record.experiment
        if all(has[name] == value for name, value in wanted.items()):
            key = (record.size, record.seed)
            assert key not in found, f"two records of {wanted} at (H, seed) = {key}"
            found[key] = record
    return found


def restrictions(usual: dict, like: str, **changes) -> dict[str, dict[tuple[int, int], Record]]:
    """The runs of `select` for each restriction whose spelling begins with ``like``."""
    spelled = {record.experiment["restriction"] for record in everything()}
    found = {
        text: select(usual, restriction=text, **changes)
        for text in sorted(spelled)
        if text.startswith(like) and text[len(like) :].count(" & ") == 0
    }
    return {text: runs for text, runs in found.items() if runs}


@cache
def findings() -> dict[str, dict[str, dict[tuple[str, int | None], float]]]:
    """The published values: by claim, by measure, by condition and seed."""
    found: dict = {}
    for path in sorted(RESULTS.glob("claims/paper/*.json")):
        for claim, several in json.loads(path.read_text("utf8")).items():
            for finding in several:
                if not finding.get("missing"):
                    value = float(finding["value"])  # JSON has no infinity
                    values = found.setdefault(claim, {}).setdefault(finding["measure"], {})
                    key = (finding["condition"], finding.get("seed"))
                    assert key not in values
                    values[key] = value
    return found
