# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The law of lazy learning
#
# Lazy learning learns an image only if it is or ever was misclassified {cite}`pache2023lazy`. How
# do what it learns and what that costs grow with the number of images and with the size of the
# network? And if a share of the images is learned, how much time is saved?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`how the memory grows <../lazy_learning/memory_growth>`, and {doc}`shares`.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
hidden = None
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
from dataclasses import replace

import numpy as np
from IPython.display import Markdown

from lazybook.book import analysis, notebook, plotting
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=([30, 100], [100, 200, 500, 1000], [100, 200, 500, 1000]),
    epochs=(2, 3, 50),
    mnist_epochs=(2, 10, 50),
    seeds=([0], [0], [0, 1, 2]),
    numbers=(
        [300, 600, 1200],
        [3_000, 7_500, 15_000, 30_000, 60_000],
        [3_000, 7_500, 15_000, 30_000, 60_000, 120_000, 240_000],
    ),
)
scale.hidden.sort()
NAME = "frontier/law"
LAZY = "memorized-mistakes"

# %% [markdown]
# ## The runs
#
# All of them belong to other pages: of {doc}`the growth of memory
# </executed/lazy_learning/memory_growth>`, with digits of MNIST that were deformed at random, of
# {doc}`MNIST </executed/lazy_learning/fig2_mnist>`, and of {doc}`four times as many digits
# </executed/lazy_learning/fig3_emnist>`. Networks learn for a number of epochs that is the same for
# all.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
GATES = [EverySample(), MemorizedMistakes()]
base = preset("lazy")
deformed = replace(
    base, epochs=scale.epochs, measure_every=60_000, measure_training=False
)
SETS = [f"deformed-mnist:{number}" for number in scale.numbers]
extremes = sorted({scale.hidden[0], scale.hidden[-1]})
by_images = settings.sweep(
    grid(
        replace(deformed, gate=MemorizedMistakes()),
        dataset=SETS,
        hidden=extremes,
        seed=scale.seeds,
    ),
)
sizes = {"hidden": scale.hidden, "gate": GATES, "seed": scale.seeds}
of_mnist = settings.sweep(grid(replace(base, epochs=scale.mnist_epochs), **sizes))
of_deformed = settings.sweep(grid(replace(deformed, dataset=SETS[-1]), **sizes))

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what grew"}
COLUMNS = {
    "memorized": "images memorized",
    "updates": "samples learned",
    "energy_m0": "changes $M_0$",
    "energy_m1": "sum of changes $M_1$",
}
grown = by_images.ends()
grown["images"] = grown["dataset"].str.rpartition(":")[2].astype(int)
wide = of_mnist.ends()
wide = wide[wide["gate"] == LAZY]

# %% [markdown]
# ## With the number of images
#
# The figure is the one that this page begins with.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
panels = []
for column, label in COLUMNS.items():
    figure, axes = plotting.subplots(figsize=(3.95, 3.2))
    for size in extremes:
        rows = grown[grown["hidden"] == size]
        law = analysis.growth(rows, column, "images")
        look = {"color": plotting.shade(LAZY, size, extremes), "marker": "o"}
        name = f"H = {size:,}, exponent {law.exponent:.2f}"
        plotting.over_seeds(
            axes, rows, "images", column, LAZY, ls="none", label=name, **look
        )
        across = np.array(scale.numbers)
        axes.plot(across, law(across), color=look["color"], lw=1)
    axes.set(xscale="log", yscale="log", xlabel="images $N$", ylabel=label)
    axes.set_xticks(
        scale.numbers[::2], [f"{number:,}" for number in scale.numbers[::2]]
    )
    axes.set_xticks([], minor=True)
    axes.yaxis.set_minor_formatter("")
    axes.legend(fontsize="small")
    panels.append(figure)
plotting.show(
    *panels,
    name="fig-law-images",
    caption="Images memorized (a), samples learned (b), <i>M</i><sub>0</sub> (c) and "
    f"<i>M</i><sub>1</sub> (d) after {scale.epochs} epochs against the number of "
    "images in the training set. Dots are means over seeds, lines fitted power laws. "
    "Deformed "
    f"MNIST, {notebook.seeds(grown)}. (Not in the papers.)",
    alt="Four plots on logarithmic axes with straight lines; each grows more slowly "
    "than the number of images.",
    notebook=NAME,
    lead=True,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the exponents"}
laws = {
    column: [
        *(
            analysis.growth(grown[grown["hidden"] == h], column, "images")
            for h in extremes
        ),
        analysis.growth(wide, column),
    ]
    for column in COLUMNS
}
heads = [f"in $N$, H = {size:,}" for size in extremes] + ["in $H$, MNIST"]
Markdown(
    f"The exponents, each the mean of those of {len(scale.seeds)} seeds:\n\n"
    f"| | {' | '.join(heads)} |\n|{' --- |' * (len(heads) + 1)}\n"
    + "\n".join(
        f"| {label} | "
        + " | ".join(
            f"{notebook.span([law.exponent], '.2f')}<br>{law.range}"
            for law in laws[column]
        )
        + " |"
        for column, label in COLUMNS.items()
    )
)

# %% [markdown]
# ## The time that is saved
#
# Let a sample that is learned take $\kappa$ times as long as one that is only looked at. If a share
# $s$ of what is presented is learned, lazy learning is faster than learning everything by
#
# ```{math}
# \frac{\kappa}{1 + (\kappa - 1)\,s} .
# ```
#
# So the share alone tells the speed-up, once $\kappa$ is known for a size of network and a machine.
# Here $\kappa$ is what makes the law right for MNIST, and the law is tested on the larger set.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of the speed-up"}


def measured(result):
    """Return the speed-up, and the share learned, of each size and seed."""
    table = result.ends()
    table["time"] = table["seconds"] / table["samples"]
    table["share"] = table["updates"] / table["samples"]
    every, lazy = (
        table[table["gate"] == gate].set_index(["hidden", "seed"])
        for gate in ("every-sample", LAZY)
    )
    return every["time"] / lazy["time"], lazy["share"]


speed, share = measured(of_mnist)
more_speed, more_share = measured(of_deformed)
# The speed-up v = k / (1 + (k - 1) s), solved for k.
kappa = (speed * (1 - share) / (1 - speed * share)).groupby("hidden").mean()
cost = kappa.loc[more_share.index.get_level_values("hidden")].to_numpy()
by_law = cost / (1 + (cost - 1) * more_share)
figure, axes = plotting.subplots(figsize=(5.4, 3.6))
for size in scale.hidden:
    look = {"color": plotting.shade(LAZY, size, scale.hidden), "marker": "o"}
    label = f"H = {size:,}, $\\kappa$ = {kappa[size]:.1f}"
    axes.plot(by_law[size], more_speed[size], ls="none", label=label, **look)
ends = np.array([0.9 * by_law.min(), 1.1 * by_law.max()])
axes.plot(ends, ends, color=plotting.INK, lw=1)
axes.fill_between(ends, 0.8 * ends, 1.25 * ends, color="#808080", alpha=0.2, lw=0)
axes.set(xlabel="speed-up by the law", ylabel="speed-up measured")
axes.legend(fontsize="small")
plotting.show(
    figure,
    name="fig-law-speed",
    caption="How many times faster than learning everything lazy learning was on "
    f"{scale.numbers[-1]:,} deformed digits, against what the law says from the share "
    "learned, with the cost of learning found on MNIST; a dot for each seed. On the "
    "line both are the same, in the grey area they differ by less than the claim "
    "allows.",
    alt="Dots around a diagonal line.",
    notebook=NAME,
)

# %% [markdown]
# ## The claim
#
# The times are those that the runs took when they were computed, some of them on different days
# and beside other work. One data set is needed to find $\kappa$, and of Fashion-MNIST there are no
# times of both rules side by side. So the claim, which is about three data sets, is tested on one.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what the claim is judged by"}
found = notebook.Findings(settings, NAME, "FR4")
MEASURE = "speed-up measured / by the law"
found.each("FR4", MEASURE, "deformed MNIST, H = {}", more_speed / by_law)
found.lacks("FR4", MEASURE, "MNIST", "the cost of learning was found on it")
found.lacks("FR4", MEASURE, "Fashion-MNIST", "no times of both rules side by side")
found.verdicts([of_deformed])

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
spans = {
    column: notebook.span([law.exponent for law in laws[column][:-1]], ".2f")
    for column in COLUMNS
}
found.answer(
    f"The images memorized grow as the number of images to the power of "
    f"**{spans['memorized']}**, the samples learned to {spans['updates']}, $M_0$ to "
    f"{spans['energy_m0']} and $M_1$ to {spans['energy_m1']}: the more data, the "
    "smaller the part of them that has to be learned. The speed-up measured is "
    f"{notebook.span(more_speed / by_law, '.2f')} times what the share learned and the "
    "cost of learning a sample say."
)

# %% [markdown]
# Next: {doc}`How sure is sure enough? <margins>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([by_images], timed=["FR4"])

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how the results came about"}
notebook.provenance(settings, [by_images, of_mnist, of_deformed])
