"""Record how the reference engine learns in double precision: ``python -m tests.browser.record``.

The playground's own step, in the reader's browser, is held to it. Computing it takes minutes, so
the record is kept; tests compute a part of it again.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from lazybook import datasets
from lazybook.datasets import Dataset, Split
from lazybook.engines.contract import Start
from lazybook.engines.reference import ReferenceEngine
from lazybook.experiment import Experiment
from lazybook.support.randomness import Streams

RECORD = Path(__file__).with_name("two_clouds.npz")
PRESENTATIONS, EVERY = 6000, 100
GATES = ("every-sample", "mistakes", "memorized-mistakes")  # those that the playground has
# The learning rate, the caching threshold, and how many random starts.
CASES = ((0.001, 0.0, 20), (0.005, 0.01, 2))


def in_double(dataset: Dataset) -> Dataset:
    """Return the data set with its values in double precision, so that all that follows is."""

    def half(split: Split) -> Split:
        return replace(split, values=split.values.astype(np.float64))

    return replace(dataset, train=half(dataset.train), test=half(dataset.test))


def engine(experiment: Experiment, dataset: Dataset, weights: list[np.ndarray]) -> ReferenceEngine:
    """Return the reference engine that starts from ``weights`` and computes in double precision."""
    start = Start.draw(experiment, dataset, Streams(0))
    start = replace(start, weights=[layer.astype(np.float64) for layer in weights])
    return ReferenceEngine(experiment, in_double(dataset), start)


def runs() -> list[dict]:
    """Return what is run: a learning rate, a caching threshold, a gate, a start and a seed each."""
    generator = np.random.default_rng(0)
    return [
        {"rate": rate, "threshold": threshold, "gate": gate, "start": start, "seed": seed}
        for rate, threshold, starts in CASES
        for seed, start in enumerate(generator.uniform(-2, 2, (starts, 2)).tolist())
        for gate in GATES
    ]


def order(seed: int) -> np.ndarray:
    """Return the order of the points, int64 of shape ``(PRESENTATIONS,)``."""
    streams, samples = Streams(seed), len(datasets.load("two-clouds").train)
    epochs = PRESENTATIONS // samples
    return np.concatenate([streams.next_epoch(samples, "permutation") for _ in range(epochs)])


def learn(run: dict, presentations: int) -> np.ndarray:
    """Return weights, M1 and the number of updates after every 100 presentations, ``(n, 4)``."""
    experiment = Experiment.from_dict(
        {
            "dataset": "two-clouds",
            "hidden": None,
            "bias": "none",
            "learning_rate": run["rate"],
            "gate": run["gate"],
            "caching": str(run["threshold"]),
            "engine": "reference",
        }
    )
    weights = [np.array(run["start"])[:, None]]
    network = engine(experiment, datasets.load("two-clouds"), weights)
    rows = []
    for part in order(run["seed"])[:presentations].reshape(-1, EVERY):
        network.learn(part)
        meter = network.meter
        rows.append([*network.weights[0].ravel(), meter.m1.sum(), meter.updates])
    return np.array(rows)


if __name__ == "__main__":
    np.savez_compressed(RECORD, measured=[learn(run, PRESENTATIONS) for run in runs()])
