"""A small drawing for each measure of a claim: dots with whiskers on the accepted range."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lazybook.book.claims import Judged

WIDTH, STEP, EDGE = 150, 7, 6  # in pixels: of the strip, from dot to dot, and left free at the ends


def strip(cells: Sequence["Judged"]) -> str:
    """Return the means of ``cells`` with their 95 % intervals, above one another, as an SVG.

    What lies in the shaded range meets the criterion. A dot is full if its cell is met, open if it
    fails, and pale if it is undecided; it is fainter beyond the paper. What is infinite stands
    at the right edge.
    """
    measure = cells[0].measure
    bounds = [measure.at_least, measure.at_most, measure.above, measure.below]
    ends = [end for j in cells for end in (j.interval or (j.mean,)) if math.isfinite(end)]
    shown = [*ends, *(bound for bound in bounds if bound is not None)]
    scale = math.log if measure.log and min(shown) > 0 else float
    low, high = scale(min(shown)), scale(max(shown))
    span = (high - low) or abs(high) or 1.0
    low, high = low - 0.08 * span, high + 0.08 * span

    def place(value: float) -> float:
        if not math.isfinite(value):
            return WIDTH - EDGE / 2
        return EDGE + (WIDTH - 2 * EDGE) * (scale(value) - low) / (high - low)

    least = measure.at_least if measure.at_least is not None else measure.above
    most = measure.at_most if measure.at_most is not None else measure.below
    left = 0.0 if least is None else place(least)
    right = float(WIDTH) if most is None else place(most)
    if right - left < 3:  # a single value is accepted
        left, right = left - 1.5, right + 1.5
    height = STEP * len(cells) + 4
    marks = [
        f'<rect class="accepted" x="{left:.1f}" y="0" width="{right - left:.1f}"'
        f' height="{height}"/>'
    ]
    for row, j in enumerate(cells):
        y, faint = 2 + STEP * (row + 0.5), "" if j.core else " beyond"
        if j.interval:
            first, last = map(place, j.interval)
            marks.append(
                f'<line class="whisker{faint}" x1="{first:.1f}" x2="{last:.1f}" y1="{y}" y2="{y}"/>'
            )
        marks.append(
            f'<circle class="cell-{j.state}{faint}" cx="{place(j.mean):.1f}" cy="{y}" r="2.4"/>'
        )
    said = {state: sum(j.state == state for j in cells) for state in ("met", "failed", "undecided")}
    label = ", ".join(f"{number} {state}" for state, number in said.items() if number)
    return (
        f'<svg class="strip" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
        f' role="img" aria-label="{label}">{"".join(marks)}</svg>'
    )
