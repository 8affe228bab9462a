"""Perceptrons that learn sets of random patterns, as several pages of the book need them."""

from collections.abc import Mapping, Sequence

import numpy as np

from lazybook import datasets, perceptron
from lazybook.book import tables
from lazybook.book.notebook import Settings
from lazybook.caching import SynapticCaching

COSTS = (0.0, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1)  # c: what the size 1 costs, a presentation


def signed(patterns: int, inputs: int, number: int) -> np.ndarray:
    """Return the signed patterns of a set, see `lazybook.perceptron.signed`."""
    split = datasets.random_patterns(patterns, inputs, number).train
    return perceptron.signed(split.values, split.labels)


def cached(
    settings: Settings,
    inputs: int,
    sets: Sequence[int],
    thresholds: Mapping[str, Sequence[float]],
) -> tables.Table:
    """Return what caching without decay costs, with as many patterns as inputs.

    A row for each set, variant and threshold: the parts of the costs (`lazybook.perceptron.Costs`),
    what learning spends without caching (``energy``), at least (``minimal``), its ``updates`` and
    ``epochs``; all from one trajectory for each set. ``thresholds`` are by variant; those of the
    sum are by the number of synapses.
    """

    def measure(number: int) -> list[dict]:
        run = perceptron.trajectory(signed(inputs, inputs, number))
        rows = []
        for variant, chosen in thresholds.items():
            for threshold in chosen:
                by = run.patterns.shape[1] if variant == "sum" else 1
                rule = SynapticCaching(threshold * by, variant=variant, strict=True)
                rows.append(
                    {"variant": variant, "threshold": threshold, **vars(run.cached(rule))}
                    | {"energy": run.energy, "minimal": run.minimal(), "updates": run.updates}
                    | {"epochs": run.epochs}
                )
        return rows

    what = {"inputs": inputs, "thresholds": {k: list(v) for k, v in thresholds.items()}}
    return tables.measured("perceptron-caching", what, measure, sets, settings.jobs, settings.fresh)
