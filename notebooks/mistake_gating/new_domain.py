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
# # A new domain · mistake gating
#
# A network that has learned sharp digits is to read blurred ones. It does not start from nothing,
# and the new images are not unlike the old: a case, one should think, for learning from mistakes
# alone {cite}`pache2026mistake`. Does the gate save as much as it does with new classes? And does
# the network still read the sharp digits?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`new classes <new_classes>`, the other way to go on from what is known.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
hidden = None
epochs = None
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
import math
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from IPython.display import Markdown

from lazybook import datasets
from lazybook.book import analysis, notebook, plotting
from lazybook.book.notebook import span
from lazybook.experiment import preset
from lazybook.gates import EverySample, MemorizedMistakes

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=([100], [100], [100]),
    first_epochs=(1, 3, 10),
    epochs=(1, 2, 4),
    blurs=(["1.5"], ["1", "2"], ["1", "1.5", "2"]),
    images=("mnist/samples:0-9999", "mnist", "mnist"),
    seeds=([0], [0], [0, 1, 2, 3, 4]),
)
[size] = scale.hidden
NAME = "mistake_gating/new_domain"
BACKPROP, LAZY = "every-sample", "memorized-mistakes"
GATES = {str(gate): gate for gate in (EverySample(), MemorizedMistakes())}

# %% [markdown]
# ## The images
#
# Blurred by a Gaussian whose standard deviation is 1, 1.5 or 2 pixels of 28; how far the paper
# blurs is not known.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the images"}
names = [scale.images] + [f"{scale.images}/blur:{blur}" for blur in scale.blurs]
shown = np.array([datasets.load(name).test.values[:8] for name in names])
figure, axes = plotting.subplots(figsize=(5.6, 0.75 * len(names)))
plotting.digits(axes, shown)
axes.set_xticks([])
axes.set_yticks(range(len(names)), ["sharp"] + [f"{blur} px" for blur in scale.blurs])
plotting.show(
    figure,
    name="fig-new-domain-images",
    caption="The first test images of MNIST, sharp and blurred.",
    alt="Rows of the same eight digits, more blurred from row to row.",
    notebook=NAME,
)

# %% [markdown]
# ## The runs
#
# The first network learns sharp MNIST by backprop. It goes on with blurred images alone, by
# backprop or by lazy learning; both kinds of test images are measured on the way.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
base = preset(
    "lazy",
    dataset=scale.images,
    hidden=size,
    measure_every=2000,
    measure_training=False,
)
sharp = replace(
    base, epochs=scale.first_epochs, measure_every=10**9, record=("weights",)
)
keys = list(product(scale.blurs, GATES, scale.seeds))
result = settings.sweep(
    [
        replace(
            base, dataset=f"{scale.images}/blur:{blur}", epochs=scale.epochs,
            gate=GATES[rule], seed=seed, after=replace(sharp, seed=seed),
            also_test=(scale.images,),
        )
        for blur, rule, seed in keys
    ])  # fmt: skip
runs = dict(zip(keys, result.runs, strict=True))
SHARP, BLURRED = f"test_accuracy_{scale.images}", "test_accuracy"

# %% [markdown]
# ## On, with blurred images
#
# Panel a at the top tells how many images were learned until a test accuracy on blurred images was
# first reached. Panel b is what was to be feared: while the network learns blurred images, it reads
# sharp ones ever less well, under both rules.


# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
def updates(blur, rule, seed, goal):
    """Return the images learned until an accuracy on blurred ones, inf if never."""
    run = runs[blur, rule, seed]
    reached = analysis.when_reached(run, [goal], "updates").item()
    return math.inf if math.isnan(reached) else reached


def ratio(blur, seed):
    """Return updates of lazy learning / of backprop until half a point below its "
    "end."""
    goal = runs[blur, BACKPROP, seed].final[BLURRED] - 0.005
    gated, plain = (updates(blur, gate, seed, goal) for gate in (LAZY, BACKPROP))
    return gated / plain


def ahead(blur, seed, column):
    """Return lazy learning's final accuracy less backprop's, in points."""
    gated, plain = (runs[blur, gate, seed].final[column] for gate in (LAZY, BACKPROP))
    return 100 * (gated - plain)


middle = scale.blurs[len(scale.blurs) // 2]
until, left = plotting.subplots(figsize=(3.95, 3.5))
parts, right = plotting.subplots(figsize=(3.95, 3.5))
for rule in GATES:
    group = [runs[middle, rule, seed] for seed in scale.seeds]
    first = max(run.table[BLURRED].iloc[1] for run in group)
    best = min(run.table[BLURRED].max() for run in group)
    reached = np.linspace(first, best, 100)
    values = np.array([analysis.when_reached(r, reached, "updates") for r in group])
    look = {"color": plotting.RULES[rule]}
    left.plot(100 * reached, values.mean(axis=0), **look, label=plotting.NAMES[rule])
    low, high = values.min(axis=0), values.max(axis=0)
    left.fill_between(100 * reached, low, high, **look, alpha=0.2, lw=0)
    for column, style in ((BLURRED, "-"), (SHARP, "--")):
        band = 100 * analysis.band(group, column)
        right.plot(band.index, band["mean"], **look, ls=style)
        right.fill_between(
            band.index, band["low"], band["high"], **look, alpha=0.2, lw=0
        )
for style, name in (("-", "blurred"), ("--", "sharp")):
    right.plot([], [], color=plotting.INK, ls=style, label=name)
plotting.logarithmic(left.yaxis, [1, 3], "{x:,.0f}")
left.set(xlabel=f"test accuracy, blurred by {middle} px (%)", ylabel="images learned")
right.set(xlabel="epoch", ylabel="test accuracy (%)")
for axes in (left, right):
    axes.legend(fontsize="small")
N_SEEDS = f"n&nbsp;=&nbsp;{len(scale.seeds)}"
plotting.show(
    until,
    parts,
    name="fig-new-domain",
    caption="A network that learned sharp digits goes on with blurred ones "
    f"({middle}&nbsp;pixels). (a) Images learned until a test accuracy on blurred "
    "images was first reached. (b) Accuracy on blurred and on sharp images. Lines "
    f"are means over seeds, bands go from the lowest to the highest; {N_SEEDS}, "
    f"H&nbsp;=&nbsp;{size}. (Paper: abstract; blurred MNIST by a summary.)",
    alt="a, images learned against accuracy: backprop's curve lies highest. b, "
    "accuracy "
    "against epochs: on blurred images it rises, on sharp ones it falls.",
    notebook=NAME,
    lead=True,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table"}
rows = []
for blur in scale.blurs:
    saved = [100 * (1 - ratio(blur, seed)) for seed in scale.seeds]
    ends = {
        column: np.mean([ahead(blur, seed, column) for seed in scale.seeds])
        for column in (BLURRED, SHARP)
    }
    rows.append(
        {
            "blur": f"{blur} px",
            "fewer updates (%)": "missed by some"
            if -math.inf in saved
            else span(saved, ".0f"),
            "blurred (points)": f"{ends[BLURRED]:+.2f}",
            "sharp (points)": f"{ends[SHARP]:+.2f}",
        }
    )
notebook.html_table(pd.DataFrame(rows), "savings and accuracies for each blur")

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the numbers"}
before = [
    100 * runs[middle, BACKPROP, seed].table[SHARP].iloc[0] for seed in scale.seeds
]
lost = {
    rule: [
        100 * runs[blur, rule, seed].final[SHARP] - then
        for blur in scale.blurs[-1:]
        for seed, then in zip(scale.seeds, before, strict=True)
    ]
    for rule in (BACKPROP, LAZY)
}
Markdown(
    "The table tells by how many percent the updates are fewer than backprop's, until "
    "its final accuracy on blurred images less half a point (the range over seeds), "
    "and "
    f"by how much lazy learning is ahead of backprop after {scale.epochs} epochs "
    "(means). Sharp "
    f"images were read with {span(before, '.1f')} % accuracy at the start. With the "
    f"strongest blur that changed by {span(lost[BACKPROP], '+.1f')} points in backprop "
    f"and by {span(lost[LAZY], '+.1f')} in lazy learning."
)

# %% [markdown]
# Why is the saving what it is? A blurred digit that the network still reads is never learned; what
# the gate spends is spent on those that the blur has made unreadable, and the more of them there
# are, the more there is to learn. No gate protects the sharp digits: nothing presents them again.
#
# ## The claims
#
# Accuracies are those at the end of the run.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
found = notebook.Findings(settings, NAME, "MG2b")
for blur, seed in product(scale.blurs, scale.seeds):
    where = f"blur {blur} px, H = {size}"
    measure = (
        "updates of lazy / of backprop until backprop's final accuracy less 0.5 points"
    )
    found.add("MG2b", measure, where, ratio(blur, seed), seed)
    measure = "accuracy on blurred images, lazy - backprop (points)"
    found.add("MG2b", measure, where, ahead(blur, seed, BLURRED), seed)
    measure = "accuracy on sharp images, lazy - backprop (points)"
    found.add("MG2b", measure, where, ahead(blur, seed, SHARP), seed)
found.verdicts([result])

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
saved = [
    100 * (1 - np.mean([ratio(blur, seed) for seed in scale.seeds]))
    for blur in scale.blurs
]
gaps = {
    column: [
        np.mean([ahead(blur, seed, column) for seed in scale.seeds])
        for blur in scale.blurs
    ]
    for column in (BLURRED, SHARP)
}
found.answer(
    f"Blurred digits are learned with **{span(saved, '.0f')} %** fewer updates than "
    "backprop needs for the same accuracy. In the end lazy learning is "
    f"{span(gaps[BLURRED], '+.2f')} points ahead of backprop on blurred images and "
    f"{span(gaps[SHARP], '+.2f')} on sharp ones (means over seeds, from the weakest to "
    "the strongest)."
)

# %% [markdown]
# ## Your turn
#
# **1.** How many of the blurred images does the network misread before it has learned any? Predict
# from that which part of them lazy learning memorizes.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: misread, and memorized"}
# NBVAL_CHECK_OUTPUT
for blur in scale.blurs:
    of_blur = [runs[blur, LAZY, seed] for seed in scale.seeds]
    misread = [100 * (1 - run.table[BLURRED].iloc[0]) for run in of_blur]
    kept = [100 * run.arrays["memory"].mean() for run in of_blur]
    print(
        f"{blur} px: {span(misread, '.1f')} % misread, {span(kept, '.1f')} % memorized"
    )

# %% [markdown]
# **2.** Suppose that half of what the network will be shown is sharp and half is blurred. When
# should it stop learning blurred images, under each rule?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: half and half"}
# NBVAL_CHECK_OUTPUT
for blur, rule in product(scale.blurs, GATES):
    table = runs[blur, rule, scale.seeds[0]].table
    both = 100 * (table[SHARP] + table[BLURRED]) / 2
    when, end = table["samples"][both.idxmax()], both.iloc[-1]
    print(
        f"{blur} px, {plotting.NAMES[rule]}: after {when:,} images, {both.max():.1f} % "
        f"then; at the end {end:.1f} %"
    )

# %% [markdown]
# Next: {doc}`What if each image comes only once? <online>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([result])

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, [result])
