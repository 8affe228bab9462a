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
# # A convolutional network · mistake gating
#
# Photographs are harder than digits. From scratch a small convolutional network misclassifies most
# of them for a long time, so a rule that learns mistakes learns nearly all. Is it different when
# the network knows half of the classes already, as summaries of the paper report of CIFAR-10
# {cite}`pache2026mistake`?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`new classes <new_classes>` and {doc}`limits <limits>`, with the small network
# and digits.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
hidden = None
epochs = None
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
from itertools import product

import pandas as pd
from IPython.display import Markdown

from lazybook.book import notebook, plotting
from lazybook.book.notebook import span
from lazybook.support import paths

settings = notebook.start(globals())
NAME = "mistake_gating/convolutional"
BACKPROP, LAZY = "every-sample", "memorized-mistakes"

# %% [markdown]
# ## The runs
#
# The images are `cifar-10-jpeg`, a copy of CIFAR-10 {cite}`krizhevsky2009learning` in JPEG, which
# changes pixels a little: 600 images of each class to train, 200 to test. Two convolutions of 5 × 5
# with 16 and 32 channels, each followed by a rectifier and pooling, then a linear layer; softmax
# cross-entropy, batches of 16 gated image by image, plain descent. The gate is the one for
# everybody's own PyTorch loop, see {doc}`/your_own_training`. A network that knows half of the
# classes has learned them by backprop, for as many epochs.
#
# These runs take minutes, and images that do not come with the book. So they are not made with the
# page, whatever the profile: it shows the published `results/convolutional.csv`, which
# `python -m lazybook.benchmarks.convolutional` writes anew.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the published runs"}
table = pd.read_csv(paths.repository() / "results" / "convolutional.csv")
for column in ("all", "old", "new"):
    table[column] *= 100
STARTS = {"scratch": ":", "half known": "-"}
seeds = sorted(table["seed"].unique())
last = table["epoch"].max()

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
panels = []
for x, label in (("updates", "images learned"), ("epoch", "epoch")):
    figure, axes = plotting.subplots(figsize=(3.95, 3.5))
    for (start, style), rule in product(STARTS.items(), (BACKPROP, LAZY)):
        group = table[(table["start"] == start) & (table["gate"] == rule)]
        mean = group.groupby("epoch")[[x, "all"]].mean().reset_index(drop=True)
        spread = group.groupby("epoch")["all"].agg(["min", "max"])
        look = {"color": plotting.RULES[rule], "ls": style}
        name = f"{plotting.NAMES[rule]}, {start}"
        places = mean[x] if x == "updates" else mean.index
        axes.plot(places, mean["all"], **look, marker="o", ms=3, label=name)
        axes.fill_between(
            places, spread["min"], spread["max"], color=look["color"], alpha=0.2, lw=0
        )
    axes.set(xlabel=label, ylabel="test accuracy, all classes (%)")
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.locator_params(axis="x", nbins=4 if x == "updates" else 8)
    panels.append(figure)
    if x == "epoch":
        axes.legend(fontsize="small")
N_SEEDS = f"n&nbsp;=&nbsp;{len(seeds)}"
plotting.show(
    *panels,
    name="fig-convolutional",
    caption="A small convolutional network learns ten classes of photographs, from "
    "scratch (dotted) or with half of them known. (a) Against the images learned, "
    "(b) against epochs. Lines are means over seeds, bands go from the lowest to "
    f"the highest; {N_SEEDS}. (Paper: a summary by third parties.)",
    alt="Accuracy against images learned and against epochs, for backprop and lazy "
    "learning, from scratch and with half of the classes known.",
    notebook=NAME,
    lead=True,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table"}
ends = table[table["epoch"] == last].set_index(["start", "gate", "seed"]).sort_index()
rows = []
for start, rule in product(STARTS, (BACKPROP, LAZY)):
    end, plain = ends.loc[start, rule], ends.loc[start, BACKPROP]
    rows.append(
        {
            "start": start,
            "rule": plotting.NAMES[rule],
            "images learned": f"{end['updates'].mean():,.0f}",
            "saved (%)": span(100 * (1 - end["updates"] / plain["updates"]), ".0f"),
            "energy M1": f"{end['m1'].mean():,.0f}",
            "all (%)": f"{end['all'].mean():.1f}",
            "old (%)": f"{end['old'].mean():.1f}",
            "new (%)": f"{end['new'].mean():.1f}",
        }
    )
notebook.html_table(pd.DataFrame(rows), "what was learned, and how well")

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the answer"}
saved = {
    start: 100
    * (1 - ends.loc[start, LAZY]["updates"] / ends.loc[start, BACKPROP]["updates"])
    for start in STARTS
}
ahead = {
    start: ends.loc[start, LAZY]["all"] - ends.loc[start, BACKPROP]["all"]
    for start in STARTS
}
notebook.answer(
    f"In {last} epochs it saves **{saved['scratch'].mean():.0f} %** of the updates "
    "from "
    f"scratch, and **{saved['half known'].mean():.0f} %** with half of the classes "
    "known; "
    f"its accuracy is {span([ahead['scratch'].mean()], '+.1f')} and "
    f"{span([ahead['half known'].mean()], '+.1f')} points from backprop's (means "
    f"over {len(seeds)} "
    "seeds; no claim is judged by it)."
)
Markdown(
    f"Table: after {last} epochs, means over seeds, of what is saved the range. The "
    "accuracy of both rules stays far from what photographs allow: six thousand images "
    "are few, and the network is small."
)

# %% [markdown]
# ## Your turn
#
# **1.** Of the 6,000 images of an epoch, how many does lazy learning learn in the last one? Compare
# the two starts.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: the last epoch"}
# NBVAL_CHECK_OUTPUT
by_epoch = table[table["gate"] == LAZY].groupby(["start", "epoch"])["updates"].mean()
for start in STARTS:
    learned = by_epoch[start, last] - by_epoch[start, last - 1]
    print(f"{start}: {learned:,.0f}")

# %% [markdown]
# **2.** Fewer images learned need not be less energy. Which part of backprop's $M_1$ does lazy
# learning spend, beside which part of its updates?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: updates and energy"}
# NBVAL_CHECK_OUTPUT
for start in STARTS:
    lazy, plain = (ends.loc[start, rule].mean() for rule in (LAZY, BACKPROP))
    parts = [f"{100 * lazy[name] / plain[name]:.0f} %" for name in ("updates", "m1")]
    print(f"{start}: {parts[0]} of the updates, {parts[1]} of the energy")

# %% [markdown]
# Next: {doc}`Back to a single neuron, and to changes that need not be permanent.
# <../synaptic_caching/fig1_cost>`
