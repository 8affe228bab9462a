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
# # The cost of learning · competitive plasticity, Fig. 1
#
# Backpropagation changes every synapse for every image. In a large network that is a great many
# changes, and a brain is a very large network. What does it cost to learn a task, and how does that
# depend on the learning rate and on the size of the network {cite}`vanrossum2024competitive`?
#
# Cost has two measures here. $M_0$ is the number of changes of synapses, $M_1$ the sum of their
# sizes. The other pages on this paper try to save some of it.
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`the method </method>`, for the network and the two energies.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
hidden = None
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
import math
from dataclasses import replace

import numpy as np
from IPython.display import Markdown

from lazybook import networks
from lazybook.book import analysis, notebook, plotting
from lazybook.errors import InvalidValue
from lazybook.experiment import grid, preset

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=(
        [30, 60, 100],
        [30, 100, 300, 1000, 3000],
        [30, 100, 300, 1000, 3000, 10_000, 30_000],
    ),
    tuned=(
        [30, 60, 100],
        [100, 300, 1000],
        [100, 1000, 10_000],
    ),  # sizes for which the learning rate is varied
    seeds=([0], [0], [*range(15)]),
    tuned_seeds=(1, 1, 5),  # so many of these where the learning rate is varied
    wide_seeds=(1, 1, 8),  # and in the largest networks
    large=(30, 100, 100),  # power laws are fitted from here on
    goal=(0.8, 0.95, 0.95),
    # the largest networks learn at a lower rate only
    wide=([], [], [1000, 3000, 10_000, 30_000, 100_000]),
    rates=(
        [0.004, 0.01, 0.025],
        [0.001, 0.0016, 0.0025, 0.004, 0.0063, 0.01, 0.016, 0.025, 0.04, 0.063, 0.1],
        [0.001, 0.0016, 0.0025, 0.004, 0.0063, 0.01, 0.016, 0.025, 0.04, 0.063, 0.1],
    ),
)
NAME = "competitive_plasticity/fig1_cost_of_learning"
if sum(size >= scale.large for size in scale.hidden) < 3:
    raise InvalidValue(
        f"hidden is {scale.hidden}; power laws need at least 3 sizes from "
        f"{scale.large} up"
    )

# %% [markdown]
# ## The runs
#
# The setting is that of the whole paper: MNIST with the mean over all pixels subtracted, so that no
# input is 0 and no synapse is spared by chance; leaky rectified hidden units and ten linear
# outputs; small Gaussian first weights; half the summed squared error to a one-hot target; one
# image at a time, drawn at random. Test accuracy is measured every 1,000 images, and learning stops
# as soon as it is 95 %. (The smoke profile, which only shows that everything runs, stops at 80 %.)
#
# The smaller the learning rate, the longer learning takes. At rates below 0.01 accuracy is measured
# more seldom in the same proportion, and a run gives up later: after 5 epochs at 0.01, but 50 at
# 0.001. At larger rates it gives up sooner, though not before 2 epochs.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
RATE = 0.01  # the paper's, for all that follows this page
SLOWER = 0.0025  # at which networks of 100,000 units learn too
base = preset("competitive", until=scale.goal)


def at(rate):
    """Return ``base`` at a learning rate, with about as many measurements at each."""
    longer = RATE / rate
    epochs, every = max(2, math.ceil(5 * longer)), max(1000, round(1000 * longer))
    return replace(base, learning_rate=rate, epochs=epochs, measure_every=every)


tuned_seeds = scale.seeds[: scale.tuned_seeds]
wide_seeds = scale.seeds[: scale.wide_seeds]
rate_sweep = settings.sweep(
    [
        e
        for rate in scale.rates
        for e in grid(at(rate), hidden=scale.tuned, seed=tuned_seeds)
    ]
)
size_sweep = settings.sweep(grid(base, hidden=scale.hidden, seed=scale.seeds))
wide_sweep = settings.sweep(grid(at(SLOWER), hidden=scale.wide, seed=wide_seeds))

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what the runs spent"}
LABELS = {
    "samples": "learning time (images)",
    "energy_m0": "$M_0$ (changes of synapses)",
    "energy_m1": "$M_1$ (sum of their sizes)",
    "mean_change": "mean size of a change",
    "energy_min": r"$M_\min$ (straight path)",
    "inefficiency": r"inefficiency $M_1 / M_\min$",
    "distance": r"$M_\min$ per synapse",
}


def ends(result):
    """Return the ends of runs; those that missed the goal have no time or cost."""
    table = result.ends()
    table["mean_change"] = table["energy_m1"] / table["energy_m0"]
    table["inefficiency"] = table["energy_m1"] / table["energy_min"]
    shapes = [networks.shape(size, base.bias, 784, 10) for size in table["hidden"]]
    synapses = [sum(math.prod(layer) for layer in shape.layers) for shape in shapes]
    table["distance"] = table["energy_min"] / synapses
    return analysis.reached(table, LABELS)


rates, sizes = ends(rate_sweep), ends(size_sweep)

# %% [markdown]
# ## The learning rate
#
# With a small learning rate, learning takes long. With a large one it overshoots, and beyond some
# rate it does not reach the goal at all. In between it is fastest. $M_0$ says the same in other
# units: every image changes every synapse, so it is the learning time times the number of synapses.
#
# $M_1$ is another matter. Half the rate makes changes of half the size, and if it takes twice as
# many of them, they cost as much as before. That is how it is if the path through the space of
# weights stays the same and is only taken in smaller steps. At large rates the path itself gets
# longer: much of each step is undone by the next ones.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the learning-rate figure"}
panels = []
for column in ("samples", "energy_m0", "energy_m1"):
    figure, axes = plotting.subplots(figsize=(2.61, 3.2))
    for size in scale.tuned:
        look = {
            "color": plotting.shade("all", size, scale.tuned),
            "lw": plotting.width(size, scale.tuned),
        }
        some = rates[rates["hidden"] == size]
        plotting.over_seeds(
            axes, some, "learning_rate", column, "all", label=f"H = {size:,}", **look
        )
    plotting.logarithmic(axes.xaxis, text="{x:g}")
    plotting.logarithmic(axes.yaxis)
    axes.set(xlabel="learning rate", title=LABELS[column])
    axes.set_xlim(0.8 * min(scale.rates), 1.25 * max(scale.rates))
    panels.append(figure)
axes.legend(fontsize="small")
plotting.show(
    *panels,
    name="fig-cost-learning-rate",
    caption="What it takes to reach the goal, against the learning rate, for networks "
    "of <i>H</i> hidden units: number of images (a), number of changes (b), and sum of "
    "their sizes (c). Lines are means over seeds, bands go from the lowest to the "
    f"highest; {notebook.seeds(rates)}. Where a line ends, not all seeds reached the "
    "goal. (Paper: Fig. 1a.)",
    alt="Three plots against the learning rate, all axes logarithmic. Learning time "
    "and number of changes fall to a minimum and rise again. The sum of sizes is level "
    "at small rates and rises at large ones.",
    notebook=NAME,
)
means = analysis.means(rates, ["hidden", "learning_rate"], LABELS)
best = {
    column: dict(means[column].dropna().groupby("hidden").idxmin().to_list())
    for column in ("samples", "energy_m0")
}
missed = rates[~rates["reached"]].groupby(["hidden", "learning_rate"]).size()
failing = [
    f"H = {size:,} at {rate:g} ({count} of {len(tuned_seeds)})"
    for (size, rate), count in missed.items()
]
m1 = means["energy_m1"].unstack()
Markdown(
    "Least time is taken at a rate of "
    + ", ".join(f"{rate:g} for H = {size:,}" for size, rate in best["samples"].items())
    + f". Runs that missed the goal: {', '.join(failing) or 'none'}. Time and $M_1$ "
    f"ask for different rates. The paper settles for {RATE:g}, and so do the other "
    f"pages. There $M_1$ is {notebook.span(m1[RATE] / m1.min(axis=1), '.2g')} times "
    "the least that was found."
)

# %% [markdown]
# ## The size of the network
#
# All that follows is at a learning rate of 0.01. A larger network has more synapses to change. It
# also needs fewer images, but not by as much, so $M_0$ grows, if more slowly than the network.
# $M_1$ grows more slowly still: where many synapses work together, each has to do less. The figure
# is the one that this page begins with.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the energy figure"}
fitted = sizes[(sizes["hidden"] >= scale.large) & sizes["reached"]]
laws = {column: analysis.growth(fitted, column) for column in LABELS}


def spelled(law):
    """Return a power law as a formula, with the 95 % interval of its exponent."""
    return f"$H^{{{law.exponent:.2f}}}$ ({law.range})"


def against_size(column, slope=None, name=None):
    """Return a figure of ``column`` against size, with its law and one to compare."""
    figure, axes = plotting.subplots(figsize=(3.95, 3.4))
    plotting.over_seeds(axes, sizes, "hidden", column, "all", label=None, ls="none")
    law, ends = laws[column], np.array([scale.large, max(scale.hidden)])
    label = f"$H^{{{law.exponent:.2f}}}$"
    axes.plot(ends, law(ends), color=plotting.RULES["all"], lw=1, label=label)
    if slope:
        guide = law(scale.large) * (ends / scale.large) ** slope
        axes.plot(ends, guide, color="#808080", lw=1.2, ls=":", label=name)
    plotting.logarithmic(axes.xaxis, text="{x:,g}")
    plotting.logarithmic(axes.yaxis, [1, 2, 5])
    axes.set(xlabel="hidden units $H$", ylabel=LABELS[column])
    axes.legend()
    return figure


plotting.show(
    against_size("energy_m0", 1, "$H$"),
    against_size("energy_m1", 0.5, r"$\sqrt{H}$"),
    name="fig-cost-energy",
    caption="Number of changes (a) and sum of their sizes (b) that it takes to reach "
    f"{100 * scale.goal:g} % test accuracy, against the size of the network. Dots are "
    "means over seeds, bands go from the lowest to the highest; "
    f"{notebook.seeds(sizes)}. Lines are power laws, the means of those fitted to each "
    f"seed from {scale.large} hidden units on. Dotted: growth as <i>H</i> (a) and as "
    "its square root (b). (Paper: Fig. 1b.)",
    alt="Two plots, all axes logarithmic. Both energies grow with the number of hidden "
    "units, near to straight lines; the number of changes more steeply than the sum of "
    "their sizes.",
    notebook=NAME,
    lead=True,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the exponents"}
reached = sizes.groupby("hidden")["reached"].sum()
left_out = [
    f" With H = {size:,} only {count} of {len(scale.seeds)} seeds reached the goal, so "
    "it is not shown."
    for size, count in reached[reached < len(scale.seeds)].items()
]
Markdown(
    f"From {scale.large} hidden units up, $M_0$ grows as {spelled(laws['energy_m0'])} "
    f"and $M_1$ as {spelled(laws['energy_m1'])}. Here and below laws are fitted to "
    "each seed by itself, and the exponent is the mean of theirs." + "".join(left_out)
)

# %% [markdown]
# Do the exponents depend on which sizes they are fitted to, on the rate, and on the first weights?
# And why does a network of 100,000 units not learn at this rate? See {doc}`fig1_exponents`.

# %% [markdown]
# Both come from two things that can be measured one by one: how many images it takes, and how large
# a change is.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of time and size of changes"}
plotting.show(
    against_size("samples"),
    against_size("mean_change"),
    name="fig-cost-time",
    caption="(a) Images until the goal was reached, to the next "
    f"{base.measure_every:,}. (b) Mean size of a change, <i>M</i><sub>1</sub> / "
    "<i>M</i><sub>0</sub>. Dots are means over seeds, bands go from the lowest to the "
    f"highest; {notebook.seeds(sizes)}. Lines are power laws. (Paper: Fig. 1c.)",
    alt="Two plots, all axes logarithmic. Learning time and mean size of a change both "
    "fall with the number of hidden units.",
    notebook=NAME,
)
Markdown(
    f"Learning time goes as {spelled(laws['samples'])} and the mean size of a change as"
    f" {spelled(laws['mean_change'])}."
)

# %% [markdown]
# ## The straight path
#
# How far did the weights really get? Had every synapse gone straight from its first weight to its
# last, learning would have cost $M_\min$. What it did cost is many times that. Most of what one
# image changes, others change back, and the inefficiency $M_1 / M_\min$ tells how long the detour
# was.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of the straight path"}
inefficiency = against_size("inefficiency")
inefficiency.axes[0].yaxis.set_major_formatter("{x:g}")
plotting.show(
    against_size("energy_min", 0.5, r"$\sqrt{H}$"),
    inefficiency,
    name="fig-cost-detour",
    caption="(a) The energy that the straight path from the first weights to the last "
    "would have taken. (b) How many times that was spent. Dots are means over seeds, "
    f"bands go from the lowest to the highest; {notebook.seeds(sizes)}. Lines are "
    "power laws. (Not in the paper.)",
    alt="Two plots, all axes logarithmic. The straight path gets longer with the "
    "number of hidden units. The inefficiency is far above 1 in all networks.",
    notebook=NAME,
)
Markdown(
    f"The straight path grows as {spelled(laws['energy_min'])}. Learning spent "
    f"{notebook.span(fitted.groupby('hidden')['inefficiency'].mean(), '.0f')} times as "
    "much, depending on the size of the network: the inefficiency goes as "
    f"{spelled(laws['inefficiency'])}. The number of synapses grows as $H$, so in a "
    "larger network each of them ends closer to where it started: the mean distance "
    f"goes as {spelled(laws['distance'])}."
)

# %% [markdown]
# ## The claims
#
# Each claim of the paper about this figure, and what was measured here. The best learning rates are
# those of the least mean over seeds. $M_1$ is compared between rates within each seed, and the
# exponents are fitted to each seed by itself.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what the claims are judged by"}
found = notebook.Findings(settings, NAME, "CP1", "CP2", "CP3", "CP4", "CP20")
measure = "largest / smallest of the sizes' best learning rates"
for column, condition in (("samples", "learning time"), ("energy_m0", "M0")):
    ratio = max(best[column].values()) / min(best[column].values())
    found.add("CP1", measure, condition, ratio)
for (size, seed), tried in rates.groupby(["hidden", "seed"]):
    spent = tried.set_index("learning_rate")["energy_m1"].dropna().sort_index()
    if len(spent) < 2:
        continue  # too small a network for the goal
    two = spent.iloc[:2]
    for measure, value in (
        ("M1 at the two smallest rates, larger / smaller", two.max() / two.min()),
        (
            "M1 at the smallest rate / least M1 of all rates",
            spent.iloc[0] / spent.min(),
        ),
    ):
        found.add("CP2", measure, f"H = {size}", value, seed)
at_rate = f"H = {fitted['hidden'].min()} to {fitted['hidden'].max()}"
for claim, column, measure in (
    ("CP3", "samples", "exponent of the learning time"),
    ("CP3", "mean_change", "exponent of the mean size of an update"),
    ("CP4", "energy_m0", "exponent of M0"),
    ("CP4", "energy_m1", "exponent of M1"),
    ("CP20", "distance", "exponent of the mean distance of a synapse from its start"),
):
    found.each(claim, measure, at_rate, analysis.exponents(fitted, column))
if scale.wide:
    wide = ends(wide_sweep)
    slower = f"H = {min(scale.wide)} to {max(scale.wide)}, learning rate {SLOWER:g}"
    for column, measure in (("energy_m0", "M0"), ("energy_m1", "M1")):
        exponents = analysis.exponents(wide, column)
        found.each("CP4", f"exponent of {measure}", slower, exponents)
sweeps = [rate_sweep, size_sweep, wide_sweep]
found.verdicts(sweeps)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the number of seeds"}
raised = [found.raised("CP4", "exponent of M0", at_rate, first=5)]
if scale.wide:
    raised.append(found.raised("CP4", "exponent of M1", slower, first=3))
    first = [*analysis.exponents(wide, "energy_m0").values()][:3]
    bound, mean = 0.7, np.mean(first)
    if len(first) == 3 and mean != bound:
        number = float(f"{(2 * np.std(first, ddof=1) / (mean - bound)) ** 2:.1g}")
        raised.append(
            f"For the exponent of M0 there, {mean:.3f} by these three, it would have "
            f"taken some {number:,.0f} seeds, so close is it to the bound, {bound}."
        )
Markdown("\n\n".join(raised))

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
least = m1[RATE] / m1.min(axis=1)
found.answer(
    f"From {scale.large} hidden units up the number of changes, $M_0$, grows as "
    f"{spelled(laws['energy_m0'])}. The sum of their sizes, $M_1$, grows as "
    f"{spelled(laws['energy_m1'])}; a square root would be 0.50. Learning is fastest "
    f"at a rate of {notebook.span(best['samples'].values(), 'g')}; $M_1$ is least at "
    f"small rates, and at {RATE:g}, the paper's, "
    f"{notebook.span(least, '.2g')} times that."
)

# %% [markdown]
# ## Your turn
#
# **1.** Every image changes every synapse. How many synapses does a network with H hidden units
# have, one of which is always 1 and has no inputs, with 784 pixels, a bias and ten outputs? Compare
# with the changes that were counted for each image.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: changes for each image"}
# NBVAL_CHECK_OUTPUT
changes = (sizes["energy_m0"] / sizes["samples"]).groupby(sizes["hidden"]).mean()
for size, counted in changes.dropna().items():
    synapses = 785 * (size - 1) + 10 * size
    print(f"H = {size:,}: {synapses:,} synapses, {counted:,.0f} changes for each image")

# %% [markdown]
# **2.** Ask for five percentage points less. What part of $M_1$ is saved, and is it still the same
# law in the size of the network?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: a lower goal"}
# NBVAL_CHECK_OUTPUT
sooner = [
    analysis.when_reached(run, [scale.goal - 0.05], "energy_m1").item()
    for run in size_sweep.runs
]
lower = sizes.assign(sooner=sooner)
parts = 100 * (1 - lower["sooner"] / lower["energy_m1"]).groupby(lower["hidden"]).mean()
law = analysis.growth(lower.loc[fitted.index], "sooner")
print(f"saved: {notebook.span(parts, '.0f')} %")
print(f"exponent {law.exponent:.2f}; of the goal {laws['energy_m1'].exponent:.2f}")

# %% [markdown]
# Next: {doc}`How firm are these exponents, and how large can a network be? <fig1_exponents>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes(sweeps)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how the results came about"}
notebook.provenance(settings, sweeps)
