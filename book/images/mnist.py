"""Draw the picture of the README: ``python book/images/mnist.py``.

It shows the runs of Figure 2 in the quick profile, and takes them from the run store if they are
there.
"""

from pathlib import Path

import matplotlib.pyplot as plt

from lazybook import plotting
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes
from lazybook.sweep import sweep

gates = [EverySample(), MemorizedMistakes()]
runs = sweep(grid(preset("lazy", epochs=15), hidden=[100, 200, 500, 1000], gate=gates)).runs
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.3))
for axes, column, label in (
    (left, "energy_m1", "energy (sum of weight changes)"),
    (right, "updates", "samples learned"),
):
    plotting.against_accuracy(axes, runs, column)
    axes.set(ylabel=label)
right.get_legend().remove()
figure.savefig(Path(__file__).with_suffix(".png"), dpi=140, facecolor="white")
