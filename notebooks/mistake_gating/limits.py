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
# # Limits · mistake gating
#
# A rule that learns from mistakes saves where there are few. On a task where nearly all is wrong at
# first, nearly all is remembered, and nothing is saved: so summaries of the paper report of
# CIFAR-10 from scratch {cite}`pache2026mistake`. Here the task is made harder step by step: a share
# of the labels of MNIST is random. When does the saving end? And what does a wrong label do to a
# rule that dwells on mistakes?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`fewer updates <updates>`, and {doc}`new classes <new_classes>`, for what prior
# knowledge saves.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
hidden = None
epochs = None
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pandas as pd
from IPython.display import Markdown

from lazybook.book import notebook, plotting
from lazybook.book.notebook import span
from lazybook.errors import DataError
from lazybook.experiment import preset
from lazybook.gates import EverySample, MemorizedMistakes, Mistakes

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=([100], [100], [100]),
    epochs=(1, 4, 8),
    first_epochs=(1, 3, 8),
    shares=([0, 0.5, 1], [0, 0.2, 0.5, 1], [0, 0.2, 0.5, 1]),
    images=("mnist/samples:0-9999", "mnist", "mnist"),
    fashion=("fashion-mnist/samples:0-9999", "fashion-mnist", "fashion-mnist"),
    seeds=([0], [0], [0, 1, 2, 3, 4]),
)
[size] = scale.hidden
NAME = "mistake_gating/limits"
BACKPROP, LAZY, PURE = "every-sample", "memorized-mistakes", "mistakes"
GATES = {str(gate): gate for gate in (EverySample(), MemorizedMistakes(), Mistakes())}

# %% [markdown]
# ## The runs
#
# Of the training labels a share is drawn anew from all ten digits, other ones for each seed; the
# test labels stay as they are {cite}`zhang2017understanding`. With random labels there is no
# accuracy that all rules reach, so the saving is told of equal numbers of presentations: the part
# of them in which nothing was learned. A harder set of images is Fashion-MNIST, learned from
# scratch, and after the classes 0 to 4 of it are known.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
base = preset("lazy", hidden=size, epochs=scale.epochs, measure_every=60_000)
noisy = list(product(scale.shares, GATES, scale.seeds))
labels = {
    (share, seed): f"{scale.images}/random-labels:{share:g},{seed}"
    if share
    else scale.images
    for share, seed in product(scale.shares, scale.seeds)
}
result = settings.sweep(
    [
        replace(base, dataset=labels[share, seed], gate=GATES[rule], seed=seed)
        for share, rule, seed in noisy
    ]
)
runs = dict(zip(noisy, result.runs, strict=True))
known = replace(
    base,
    dataset=f"{scale.fashion}/classes:0-4",
    epochs=scale.first_epochs,
    record=("weights",),
)
FASHION = {"Fashion-MNIST": None, "Fashion-MNIST, half known": known}
clothes = list(product(FASHION, scale.seeds))
sweeps, left_out = [result], ""
try:
    of_fashion = settings.sweep(
        [
            replace(
                base, dataset=scale.fashion, gate=GATES[LAZY], seed=seed,
                after=FASHION[task] and replace(FASHION[task], seed=seed),
            )
            for task, seed in clothes
        ]    )  # fmt: skip
    fashion = dict(zip(clothes, of_fashion.runs, strict=True))
    sweeps.append(of_fashion)
except DataError as error:  # neither records nor the data set are here
    FASHION = {}
    left_out = f" Fashion-MNIST is left out: {error}."

# %% [markdown]
# ## The more mistakes, the less is saved
#
# Panel a at the top shows the saving against the share of random labels, panel b the same runs,
# and those of Fashion-MNIST, against what a run shows early: the part of the images that are
# misclassified in the first epoch.


# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
def saving(run):
    """Return in which part of the presentations nothing was learned, in percent."""
    return 100 * (1 - run.final["updates"] / run.final["samples"])


def first_error(run):
    """Return which part of the first epoch was misclassified, in percent."""
    first = run.table.set_index("epoch").loc[1.0]
    return 100 * first["memorized"] / first["samples"]


ends = pd.DataFrame(
    [
        {
            "share": 100 * share, "rule": rule, "seed": seed, "saving": saving(run),
            "test": 100 * run.final["test_accuracy"],
            "train": 100 * run.final["train_accuracy"],
            "best": 100 * run.table["test_accuracy"].max(),
        }
        for (share, rule, seed), run in runs.items()
    ]
)  # fmt: skip
noise, left = plotting.subplots(figsize=(3.95, 3.5))
for rule in (LAZY, PURE):
    group = ends[ends["rule"] == rule]
    look = {"marker": "o", "label": plotting.NAMES[rule]}
    plotting.over_seeds(left, group, "share", "saving", rule, **look)
left.set(xlabel="random labels (%)", ylabel="nothing learned (% of presentations)")
left.set_ylim(0, 102)
left.legend(fontsize="small")
early, right = plotting.subplots(figsize=(3.95, 3.5))
groups = {
    "MNIST, random labels": ("o", [runs[s, LAZY, n] for s, n in labels]),
    **{
        task: (mark, [fashion[task, seed] for seed in scale.seeds])
        for task, mark in zip(FASHION, ("s", "D"), strict=False)
    },
}
for task, (mark, group) in groups.items():
    x, y = [first_error(run) for run in group], [saving(run) for run in group]
    fill = plotting.RULES[LAZY] if mark == "o" else "none"
    look = {"color": plotting.RULES[LAZY], "ms": 5, "markerfacecolor": fill}
    right.plot(x, y, mark, **look, label=task)
right.set(xlabel="misclassified in the first epoch (%)", ylim=(0, 102), xlim=(0, None))
right.set(ylabel="nothing learned (% of presentations)")
right.legend(fontsize="small", loc="upper right")
N_SEEDS = f"n&nbsp;=&nbsp;{len(scale.seeds)}"
plotting.show(
    noise,
    early,
    name="fig-limits",
    caption="Presentations in which nothing was learned. (a) MNIST, against the "
    "share of labels that are random; lines are means over seeds, bands go from the "
    "lowest to the highest. (b) Lazy learning, against the part of the images "
    "misclassified in the first epoch; a mark is one run. "
    f"{scale.epochs} epochs, {N_SEEDS}, H&nbsp;=&nbsp;{size}. (Paper: summaries by "
    "third "
    f"parties.){left_out}",
    alt="a, savings against the share of random labels: lazy learning's falls to "
    "nearly "
    "zero. b, savings against the error of the first epoch, which fall along one line.",
    notebook=NAME,
    lead=True,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table"}
rows = []
mean = ends.groupby(["share", "rule"])[["saving", "train", "test", "best"]].mean()
for share in scale.shares:
    row = {"random labels (%)": f"{100 * share:g}"}
    for rule in (LAZY, PURE):
        row[f"saving, {plotting.NAMES[rule]} (%)"] = (
            f"{mean.loc[(100 * share, rule), 'saving']:.1f}"
        )
    for rule in GATES:
        row[f"test, {plotting.NAMES[rule]} (%)"] = (
            f"{mean.loc[(100 * share, rule), 'test']:.1f}"
        )
    rows.append(row)
notebook.html_table(pd.DataFrame(rows), "savings and accuracies with random labels")

# %% [markdown]
# ## What a wrong label does
#
# An image with a wrong label is a mistake as long as the network is right. Lazy learning remembers
# it at once and learns it each time, while of the correctly labelled ones, which outvote it, most
# are never learned. So random labels weigh more in what is learned than in the data, and the
# accuracy on test images, whose labels are right, suffers.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of accuracy"}
figure, axes = plotting.subplots(figsize=(4.6, 3.2))
for rule in GATES:
    group = ends[(ends["rule"] == rule) & (ends["share"] < 100)]
    look = {"marker": "o", "label": plotting.NAMES[rule]}
    plotting.over_seeds(axes, group, "share", "test", rule, **look)
axes.set(xlabel="random labels (%)", ylabel="test accuracy at the end (%)")
axes.legend(fontsize="small")
plotting.show(
    figure,
    name="fig-limits-accuracy",
    caption=f"Test accuracy after {scale.epochs} epochs against the share of training "
    f"labels that are random. Lines are means over seeds, bands go from the lowest to "
    f"the highest; {N_SEEDS}. (Not in the paper.)",
    alt="Three falling curves of accuracy; with random labels backprop's lies highest.",
    notebook=NAME,
)
some = sorted(set(scale.shares) - {0, 1})[0]


def gap(share, rule=LAZY):
    """Return the rule's final test accuracy less backprop's, for each seed."""
    ours, theirs = (
        ends[(ends["rule"] == each) & (ends["share"] == 100 * share)]
        for each in (rule, BACKPROP)
    )
    return ours["test"].to_numpy() - theirs["test"].to_numpy()


Markdown(
    f"With {100 * some:g} % of random labels lazy learning ends "
    f"{span(gap(some), '+.1f')} points from backprop, pure lazy learning "
    f"{span(gap(some, PURE), '+.1f')} (the range over seeds); with right labels "
    f"{span(gap(0), '+.1f')} and {span(gap(0, PURE), '+.1f')}."
)

# %% [markdown]
# ## The claims

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
found = notebook.Findings(settings, NAME, "MG7")
measure = "saving: less than with fewer random labels by (points)"
for (fewer, more), seed in product(pairwise(scale.shares), scale.seeds):
    less = saving(runs[fewer, LAZY, seed]) - saving(runs[more, LAZY, seed])
    found.add("MG7", measure, f"{100 * fewer:g} to {100 * more:g} %", less, seed)
measure = "saving with random labels only"
for seed in scale.seeds:
    value = saving(runs[1, LAZY, seed]) / 100
    found.add("MG7", measure, f"H = {size}", value, seed)
found.verdicts(sweeps)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
said = {
    share: mean.loc[(100 * share, LAZY), "saving"] for share in (scale.shares[0], 1)
}
half = {
    task: np.mean([saving(fashion[task, seed]) for seed in scale.seeds])
    for task in FASHION
}
clothing = (
    f" On Fashion-MNIST it is {half['Fashion-MNIST']:.0f} % from scratch and "
    f"{half['Fashion-MNIST, half known']:.0f} % with half of the classes known."
    if half
    else ""
)
found.answer(
    f"In {scale.epochs} epochs of MNIST lazy learning learns nothing in "
    f"**{said[scale.shares[0]]:.0f} %** of the presentations; with random labels only, "
    f"in **{said[1]:.1f} %**.{clothing} And "
    f"with {100 * some:g} % of random labels it ends "
    f"{span([np.mean(gap(some))], '+.1f')} points from backprop in accuracy."
)

# %% [markdown]
# ## Your turn
#
# **1.** A label that is drawn anew from all ten digits is right by chance one time in ten. If a
# share s of the labels is random, what accuracy on the training set does a network have that has
# learned the digits, and no label by heart? Does backprop go beyond?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: without learning by heart"}
# NBVAL_CHECK_OUTPUT
for share in scale.shares:
    reached = mean.loc[(100 * share, BACKPROP), "train"]
    print(
        f"s = {share:g}: 1 - 0.9 s = {100 - 90 * share:.1f} %, backprop {reached:.1f} %"
    )

# %% [markdown]
# **2.** With random labels only, no rule can do better than guess an image that it sees for the
# first time. Which part of the first epoch is misclassified, and how much is saved in it?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: guessing"}
# NBVAL_CHECK_OUTPUT
guesses = [first_error(runs[1, LAZY, seed]) for seed in scale.seeds]
print(f"by guessing 90 %, in the runs {span(guesses, '.1f')} %; the rest is saved")

# %% [markdown]
# Next: {doc}`Photographs, with a network made for them. <convolutional>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes(sweeps)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, sweeps)
