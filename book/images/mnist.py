"""Draw the picture of the README: ``python book/images/mnist.py``.

It shows the runs of Figure 2 in the paper profile, which are published in ``results``.
"""

from pathlib import Path

from lazybook.book import plotting
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes
from lazybook.sweep import sweep

gates = [EverySample(), MemorizedMistakes()]
experiments = grid(preset("lazy"), hidden=[100, 200, 500, 1000], seed=[0, 1, 2, 3, 4], gate=gates)
runs = sweep(experiments).runs
with plotting.style():
    figure, (left, right) = plotting.subplots(1, 2, figsize=(10, 4.3))
    for axes, column, label in (
        (left, "energy_m1", "energy (sum of weight changes)"),
        (right, "updates", "samples learned"),
    ):
        plotting.against_accuracy(axes, runs, column)
        axes.set(ylabel=label)
    right.get_legend().remove()
    figure.savefig(Path(__file__).with_suffix(".png"), dpi=140, facecolor="white")
