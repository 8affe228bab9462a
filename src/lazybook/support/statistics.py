"""Means with their intervals, by Student's t: without SciPy, which a small installation lacks."""

import math
from collections.abc import Collection
from functools import cache

import numpy as np


def mean_interval(
    values: Collection[float], log: bool = False
) -> tuple[float, tuple[float, float] | None]:
    """Return the mean of ``values`` and its 95 % interval.

    With ``log`` both are those of the logarithms of values that are above 0, carried back. There is
    no interval for a single value, nor if one is infinite.
    """
    scaled = np.array([*values], float)
    if log:
        scaled = np.log(scaled)
    back = np.exp if log else float
    middle, interval = scaled.mean(), None
    if len(values) > 1 and math.isfinite(middle):
        half = student_t(len(values) - 1) * scaled.std(ddof=1) / math.sqrt(len(values))
        interval = (float(back(middle - half)), float(back(middle + half)))
    return float(back(middle)), interval


@cache
def student_t(freedom: int) -> float:
    """Return how many standard errors the 95 % interval of a mean reaches to each side.

    That is Student's t at 0.975. With a whole number of degrees of ``freedom``, from 1, there is a
    closed form of its distribution (Abramowitz & Stegun 1964, 26.7.3 and 26.7.4), which is inverted
    by bisection.
    """
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        angle = (low + high) / 2
        low, high = (angle, high) if _inside(angle, freedom) < 0.95 else (low, angle)
    return math.sqrt(freedom) * math.tan(angle)


def _inside(angle: float, freedom: int) -> float:
    """Return the probability that ``|t|`` is below ``sqrt(freedom) * tan(angle)``."""
    odd, cosine = freedom % 2, math.cos(angle)
    term = cosine if odd else 1.0
    total = 0.0 if freedom == 1 else term
    for power in range(2 + odd, freedom - 1, 2):
        term *= cosine**2 * (power - 1) / power
        total += term
    return 2 / math.pi * (angle + math.sin(angle) * total) if odd else math.sin(angle) * total
