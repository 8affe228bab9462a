"""What the audit's measures are made of: when a run got where, and how a cost grows."""

import math
from collections.abc import Callable, Iterable, Mapping

import numpy as np
import pandas as pd

Values = dict[tuple[str, int | None], float]  # by condition and seed


def when_first(table: pd.DataFrame, accuracy: float, column: str) -> float:
    """The value of ``column`` when the test accuracy first got to ``accuracy``; nan if never.

    Between two measurements, each the best so far, both are taken to grow along a straight line.
    """
    best, value = -1.0, math.nan
    for now, then in zip(table["test_accuracy"], table[column], strict=True):
        if now <= best:
            continue
        if now >= accuracy:
            if best < 0 or now == accuracy:
                return float(then)
            return float(value + (then - value) * (accuracy - best) / (now - best))
        best, value = now, then
    return math.nan


def at_accuracies(one: pd.DataFrame, other: pd.DataFrame, column: str, least: float) -> np.ndarray:
    """``one / other`` of ``column`` at each tenth of a percent from ``least`` that both reached."""
    best = min(each["test_accuracy"].max() for each in (one, other))
    levels = np.arange(least, best, 0.001)  # as there: an accuracy may be such a level exactly
    ratios = [when_first(one, a, column) / when_first(other, a, column) for a in levels]
    return np.array(ratios)


def slope(x: Iterable[float], y: Iterable[float]) -> tuple[float, float]:
    """Exponent and logarithm of the factor of the power law that fits best on logarithmic axes."""
    x, y = np.log(np.array([*x], float)), np.log(np.array([*y], float))
    exponent = float(((x - x.mean()) * (y - y.mean())).sum() / ((x - x.mean()) ** 2).sum())
    return exponent, float(y.mean() - exponent * x.mean())


def exponents(costs: Mapping[tuple[float, int], float], at: str) -> Values:
    """The exponent of a cost against size, by seed; of the seeds that all sizes have."""
    sizes = {size for size, _ in costs}
    found = {}
    for seed in sorted({seed for _, seed in costs}):
        has = {size: cost for (size, s), cost in costs.items() if s == seed}
        if set(has) == sizes:
            found[at, seed] = slope(has.keys(), has.values())[0]
    return found


def least_at(x: Iterable[float], y: Iterable[float]) -> float:
    """Where ``y`` is least: the vertex of a parabola through the neighbourhood of the least value.

    On logarithmic axes, fitted to it and up to two neighbours on each side. At an end of what was
    tried, that end.
    """
    points = sorted((math.log(a), math.log(b)) for a, b in zip(x, y, strict=True) if b < math.inf)
    place = min(range(len(points)), key=lambda i: points[i][1])
    if place in (0, len(points) - 1):
        return math.exp(points[place][0])
    near = points[max(place - 2, 0) : place + 3]
    a, b = (np.array(each) for each in zip(*near, strict=True))
    design = np.stack([a * a, a, np.ones_like(a)], axis=1)
    bend, tilt, _ = np.linalg.lstsq(design, b, rcond=None)[0]
    if bend <= 0:
        return math.exp(points[place][0])
    return math.exp(min(max(-tilt / (2 * bend), a[0]), a[-1]))


def cheapest(tried: Mapping[str, Mapping], cost: Callable) -> str:
    """Of several settings, each a dict of runs, the one whose mean cost is least."""
    means = {name: np.mean([cost(run) for run in runs.values()]) for name, runs in tried.items()}
    return min(means, key=means.get)
