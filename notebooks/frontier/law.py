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
# do what it learns and what that costs grow with the number of images, up to millions, and with
# the size of the network? And if a share of the images is learned, how much time is saved?
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
import pandas as pd
from IPython.display import Markdown
from matplotlib.lines import Line2D

from lazybook.benchmarks import speed_up
from lazybook.book import analysis, notebook, plotting
from lazybook.errors import DataError
from lazybook.experiment import grid, preset
from lazybook.gates import MemorizedMistakes

settings = notebook.start(globals())
MILLIONS = [500_000, 1_000_000, 2_000_000, 4_000_000]
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
    few=(1200, 60_000, 240_000),
    many=(2400, 120_000, 4_000_000),
    every_few=(300, 3000, 1500),
    every_many=(1200, 60_000, 500_000),
    seen=(
        [300, 600, 1200, 2400],
        [3_000, 15_000, 60_000, 120_000],
        [3_000, 7_500, 15_000, 30_000, 60_000, 120_000, 240_000, *MILLIONS],
    ),
    pairs=([0], [0], [0, 1, 2, 3, 4]),
    timed=({"samples": 600, "epochs": 2}, {"samples": 6000, "epochs": 2}, {}),
)
scale.hidden.sort()
NAME = "frontier/law"

# %% [markdown]
# ## The runs
#
# Networks learn digits of MNIST that were deformed at random, for a number of epochs that is the
# same for all. These runs belong to the page of {doc}`the growth of memory
# </executed/lazy_learning/memory_growth>`, and those with MNIST itself to {doc}`the page of its
# figure </executed/lazy_learning/fig2_mnist>`. In runs of a second kind each image is seen
# **once**, so there can be far more of them: four million take 7 GB of memory.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
base = replace(preset("lazy"), gate=MemorizedMistakes())
deformed = replace(base, measure_training=False)
extremes = sorted({scale.hidden[0], scale.hidden[-1]})
sizes = {"hidden": extremes, "seed": scale.seeds}
by_images = settings.sweep(
    grid(
        replace(deformed, epochs=scale.epochs, measure_every=60_000),
        dataset=[f"deformed-mnist:{number}" for number in scale.numbers],
        **sizes,
    ),
)
once = replace(deformed, epochs=1)
few, many = (
    settings.sweep(
        grid(
            replace(once, dataset=f"deformed-mnist:{number}", measure_every=every),
            **sizes,
        ),
    )
    for number, every in (
        (scale.few, scale.every_few),
        (scale.many, scale.every_many),
    )
)
of_mnist = settings.sweep(
    grid(
        replace(base, epochs=scale.mnist_epochs),
        hidden=scale.hidden,
        seed=scale.pairs,
    ),
)

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
parts = [few.table(), many.table().query("samples > @scale.few")]
passed = (
    pd.concat(parts)
    .query("samples in @scale.seen")
    .rename(columns={"samples": "images"})
)
passed["missed"] = 100 * (1 - passed["test_accuracy"])


def panels(table, columns, numbers, xlabel):
    """Return a panel for each of the columns, with the laws of both sizes."""
    made = []
    for column, label in columns.items():
        figure, axes = plotting.subplots(figsize=(3.95, 3.2))
        for size in extremes:
            rows = table[table["hidden"] == size]
            law = analysis.growth(rows, column, "images")
            color = plotting.shade("memorized-mistakes", size, extremes)
            look = {"color": color, "marker": "o", "ls": "none"}
            name = f"H = {size:,}, exponent {law.exponent:.2f}"
            plotting.over_seeds(
                axes, rows, "images", column, "memorized-mistakes", label=name, **look
            )
            across = np.array(numbers)
            axes.plot(across, law(across), color=color, lw=1)
        axes.set(xscale="log", yscale="log", xlabel=xlabel, ylabel=label)
        plotting.logarithmic(axes.xaxis)
        plotting.logarithmic(axes.yaxis)
        axes.legend(fontsize="small")
        made.append(figure)
    return made


# %% [markdown]
# ## With the number of images
#
# The figure is the one that this page begins with.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
plotting.show(
    *panels(grown, COLUMNS, scale.numbers, "images $N$"),
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
# ## One pass over far more images
#
# If each image is seen once, {term}`memory` plays no part: learned are the images that are
# misclassified when they are first seen. Their number grows more slowly than that of the images as
# long as the network improves: by a power of it, if the error falls by one. It would grow in
# proportion, with an exponent of 1, if the network improved no more.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the pass"}
PASSED = {name: COLUMNS[name] for name in ("updates", "energy_m0", "energy_m1")}
PASSED["missed"] = "test images misclassified (%)"
plotting.show(
    *panels(passed, PASSED, scale.seen, "images seen, each once"),
    name="fig-law-pass",
    caption="Samples learned (a), <i>M</i><sub>0</sub> (b), <i>M</i><sub>1</sub> (c) "
    "and test error (d) in a single pass over deformed digits. Dots are means over "
    f"seeds, lines power laws fitted to all of them; {notebook.seeds(passed)}. Up to "
    f"{scale.few:,} images they are of a set of that size, beyond it of one of "
    f"{scale.many:,}. (Not in the papers.)",
    alt="Four plots on logarithmic axes; three rise with the number of images, more "
    "slowly than it, and the error falls.",
    notebook=NAME,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the exponents of the pass"}
half = len(scale.seen) // 2
spells = {
    f"{numbers[0]:,} to {numbers[-1]:,}": passed[passed["images"].isin(numbers)]
    for numbers in (scale.seen[:half], scale.seen[-half:])
}
pass_laws = {
    (size, spell, column): analysis.growth(
        rows[rows["hidden"] == size], column, "images"
    )
    for size in extremes
    for spell, rows in spells.items()
    for column in PASSED
}
heads = [f"H = {size:,}, {spell}" for size in extremes for spell in spells]
ends = passed[passed["images"] == scale.seen[-1]].groupby("hidden")
learned, missed = ends["updates"].mean(), ends["missed"].mean()
Markdown(
    f"The exponents in the number of images, of the first {half} and of the last "
    f"{half} numbers:\n\n| | {' | '.join(heads)} |\n|{' --- |' * (len(heads) + 1)}\n"
    + "\n".join(
        f"| {label} | "
        + " | ".join(
            f"{notebook.span([pass_laws[size, spell, column].exponent], '.2f')}<br>"
            f"{pass_laws[size, spell, column].range}"
            for size in extremes
            for spell in spells
        )
        + " |"
        for column, label in PASSED.items()
    )
    + f"\n\nOf {scale.seen[-1]:,} images "
    + "; ".join(
        f"{learned[size]:,.0f} ({learned[size] / scale.seen[-1]:.1%}) are learned with "
        f"H = {size:,}, and {missed[size]:.1f} % of the test images are misclassified "
        "at the end"
        for size in extremes
    )
    + "."
)

# %% [markdown]
# ## The time that is saved
#
# Let a sample that is learned take $\kappa$ times as long as one that is only looked at. If a share
# $s$ of what is presented is learned, lazy learning is faster than learning everything by
#
# ```{math}
# v = \frac{\kappa}{1 + (\kappa - 1)\,s} .
# ```
#
# So the share alone tells the speed-up, once $\kappa$ is known for a size of network and a machine.
# It is measured directly: in two networks whose rate of learning is so small that they stay as they
# are. Of the one all answers are right, so it only looks; of the other all are wrong, so it learns
# every sample. They take turns with a network that learns everything and one that learns lazily, a
# piece of the images at a time, so that all four have the same neighbours on the machine.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the times"}
times, lacking = speed_up.published(), {}
if settings.profile != "paper":
    found_times = []
    for name in speed_up.SETS:
        try:
            found_times.append(
                speed_up.measure(name, scale.hidden, scale.pairs, **scale.timed).table
            )
        except DataError as error:  # it is not here
            lacking[name] = str(error)
    times = speed_up.Times(pd.concat(found_times), "this machine, for this page")
timed = times.table.assign(
    kappa=lambda t: t["learned"] / t["looked"],
    law=lambda t: t["kappa"] / (1 + (t["kappa"] - 1) * t["share"]),
    measured=lambda t: t["backprop"] / t["lazy"],
    ratio=lambda t: t["measured"] / t["law"],
    gate=lambda t: t["learned"] / t["backprop"],
    costs=lambda t: t["looked"] + t["share"] * (t["learned"] - t["looked"]),
    lazy_by_costs=lambda t: t["lazy"] / t["costs"],
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of the speed-up"}
MARKERS = dict(zip(speed_up.SETS, ("o", "s", "^"), strict=True))
figure, axes = plotting.subplots(figsize=(6.4, 3.6))
for (name, size), rows in timed.groupby(["dataset", "hidden"]):
    look = {"color": plotting.shade("memorized-mistakes", size, scale.hidden), "ms": 5}
    label = f"{name}, H = {size:,}"
    axes.plot(rows["law"], rows["measured"], MARKERS[name], label=label, **look)
kinds = [
    Line2D([], [], color=plotting.shade("memorized-mistakes", size, scale.hidden))
    for size in scale.hidden
]
kinds += [
    Line2D([], [], color=plotting.INK, marker=marker, ls="none")
    for marker in MARKERS.values()
]
said = [*(f"H = {size:,}" for size in scale.hidden), *MARKERS]
ends = np.array([0.9 * timed["law"].min(), 1.1 * timed["law"].max()])
axes.plot(ends, ends, color=plotting.INK, lw=1)
axes.fill_between(ends, 0.8 * ends, 1.25 * ends, color="#808080", alpha=0.2, lw=0)
axes.set(xlabel="speed-up by the law", ylabel="speed-up measured")
figure.legend(kinds, said, loc="outside right upper", fontsize="small")
plotting.show(
    figure,
    name="fig-law-speed",
    caption="How many times faster than learning everything lazy learning was, "
    "against what the law says from the share learned and the cost of a sample; a dot "
    "for each seed. On the line both are the same, in the grey area they differ by "
    "less than the claim allows. (Not in the papers.)",
    alt="Dots around a diagonal line.",
    notebook=NAME,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table of the speed-up"}
means = timed.groupby(["dataset", "hidden"], sort=False).mean()
Markdown(
    f"Measured on {times.source}, in processor time; means over "
    f"{timed['seed'].nunique()} seeds:\n\n"
    "| data set | $H$ | µs, looked at | µs, learned | $\\kappa$ | share | by the law "
    "| measured | measured / law |\n|"
    + " --- |" * 9
    + "\n"
    + "\n".join(
        f"| {name} | {size:,} | {1e6 * row.looked:.2f} | {1e6 * row.learned:.2f} | "
        f"{row.kappa:.2f} | {row.share:.1%} | {row.law:.2f} | {row.measured:.2f} | "
        f"{row.ratio:.2f} |"
        for (name, size), row in means.iterrows()
    )
    + "\n\nThe law takes a sample that is learned to cost the same by either rule. "
    "Where a gate is asked it costs "
    f"{notebook.span(means['gate'], '.2f')} times as much here: a network that learns "
    "everything lets the rows of its weights wait with their changes until they are "
    "read next, if it has at least 400 units, and one with a gate does not. The time "
    "of lazy learning by itself is "
    f"{notebook.span(means['lazy_by_costs'], '.2f')} times what the two costs and the "
    "share say."
)

# %% [markdown]
# ## The claim
#
# It is about three data sets. At first it was tested on deformed digits alone, with times that runs
# had taken on different days and a $\kappa$ fitted to MNIST; the pairs of runs by turns were made
# afterwards, and the criterion stayed as it was. They were timed twice, first beside much other
# work; shown are the times with nothing beside.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what the claim is judged by"}
found = notebook.Findings(settings, NAME, "FR4")
MEASURE = "speed-up measured / by the law"
for name in speed_up.SETS:
    if name in lacking:
        for size in scale.hidden:
            found.lacks("FR4", MEASURE, f"{name}, H = {size:,}", lacking[name])
    else:
        of_set = timed[timed["dataset"] == name].set_index(["hidden", "seed"])
        found.each("FR4", MEASURE, f"{name}, H = {{}}", of_set["ratio"])
found.verdicts([of_mnist])

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
spans = {
    column: notebook.span([law.exponent for law in laws[column][:-1]], ".2f")
    for column in COLUMNS
}
passes = notebook.span(
    [law.exponent for (_, _, column), law in pass_laws.items() if column == "updates"],
    ".2f",
)
found.answer(
    f"In {scale.epochs} epochs the images memorized grow as the number of images to "
    f"the power of **{spans['memorized']}**, the samples learned to "
    f"{spans['updates']}, $M_0$ to {spans['energy_m0']} and $M_1$ to "
    f"{spans['energy_m1']}: the more data, the smaller the part of them that has to be "
    f"learned. In one pass over up to {scale.seen[-1]:,} images the samples learned "
    f"grow to a power of {passes}. The speed-up measured is "
    f"{notebook.span(means['ratio'], '.2f')} times what the share learned and the cost "
    "of learning a sample say."
)

# %% [markdown]
# ## Your turn
#
# **1.** Lazy learning learns a share $s$ of the samples, and a learned sample takes $\kappa = 3$
# times as long as one that is looked at. How many times faster can lazy learning be at most? With
# which share is it twice as fast?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: the most that can be saved"}
# NBVAL_CHECK_OUTPUT
k = 3
print(f"at most, without mistakes: {k / (1 + (k - 1) * 0):g} times")
print(f"twice as fast with a share of {(k / 2 - 1) / (k - 1):.0%}")

# %% [markdown]
# **2.** If the samples learned in a pass grow as $N^a$, which share of the images that come next is
# learned? Hold it against the last step of the pass.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: mistakes to come"}
# NBVAL_CHECK_OUTPUT
for size in extremes:
    rows = passed[(passed["hidden"] == size) & (passed["seed"] == scale.seeds[0])]
    law = analysis.power_law(rows["images"], rows["updates"])
    before, last = rows.iloc[-2], rows.iloc[-1]
    seen = last["images"] - before["images"]
    middle = np.sqrt(last["images"] * before["images"])
    by_law = law.exponent * law(middle) / middle
    share = (last["updates"] - before["updates"]) / seen
    print(f"H = {size}: {by_law:.1%} by the law, {share:.1%} learned")

# %% [markdown]
# Next: {doc}`How sure is sure enough? <margins>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([by_images, few, many], timed=["FR4"])

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how the results came about"}
notebook.provenance(settings, [by_images, few, many, of_mnist])
