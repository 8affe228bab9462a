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
# # What is memorized
#
# Lazy learning keeps a list. An image that it misclassifies, even once, goes on the list for good,
# and is learned each time that it is presented again; all others are only classified
# {cite}`pache2023lazy`. So the list, its *memory*, is all that the network ever learns from. What
# is in it? And could one have learned from the memory alone?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`lazy learning of MNIST <fig2_mnist>`, whose lazy networks these are.

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
from functools import reduce
from itertools import product

import numpy as np
import pandas as pd
from IPython.display import Markdown

from lazybook import datasets
from lazybook.book import analysis, notebook, plotting
from lazybook.book.notebook import span
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes
from lazybook.support.randomness import Streams

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=([30, 100], [100, 200, 500, 1000], [100, 200, 500, 1000]),
    epochs=(2, 10, 50),
    seeds=([0], [0], [0, 1, 2, 3, 4]),
)
scale.hidden.sort()
NAME = "lazy_learning/memory"
extremes = sorted({scale.hidden[0], scale.hidden[-1]})
BACKPROP, LAZY = "every-sample", "memorized-mistakes"

# %% [markdown]
# ## The runs
#
# The first runs are those of {doc}`fig2_mnist`: networks with several sizes $H$ of the hidden
# layer learn MNIST, with plain backprop and with lazy learning. For each seed the weights
# and the order of the images are drawn anew. To tell what belongs to an image from what belongs to
# the order, lazy learning is run with at least two seeds.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
base = preset("lazy", epochs=scale.epochs)
gates = [EverySample(), MemorizedMistakes()]
more = scale.seeds if len(scale.seeds) > 1 else [*scale.seeds, scale.seeds[0] + 1]
whole = settings.sweep(
    grid(base, hidden=scale.hidden, seed=scale.seeds, gate=gates)
    + grid(replace(base, gate=MemorizedMistakes()), hidden=scale.hidden, seed=more)
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the memories"}
runs = {
    (str(e.gate), e.hidden, e.seed): run for run in whole.runs for e in [run.experiment]
}
mnist = datasets.load("mnist")
images = mnist.train
networks = list(product(scale.hidden, more))
memories = np.array([runs[LAZY, *network].arrays["memory"] for network in networks])
times = memories.sum(axis=0)  # by how many networks each image is memorized

# %% [markdown]
# ## Hard images
#
# The images at the top of the page are drawn at random from two groups: those that are in the
# memories of the most networks, and those that are in none. Many of the first are broken, smeared
# or cramped, or look much like another digit. Most of the second are plain.
#
# Framed is image 59,915, which the paper points out: it looks like a 7 and is labelled 4.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the gallery"}
INDEX = 59_915
draw = np.random.default_rng(0)
groups = []
for number, wanted in ((3, times.max()), (2, 0)):
    columns = []
    for digit in range(10):
        group = np.flatnonzero((times == wanted) & (images.labels == digit))
        if (
            len(group) < number
        ):  # so easy or hard a digit that none gives as many: the nearest
            group = np.flatnonzero(images.labels == digit)
            group = group[np.argsort(abs(times[group] - wanted), kind="stable")][
                :number
            ]
        columns.append(draw.choice(group, number, replace=False))
    groups.append(np.transpose(columns))
shown = np.concatenate(groups)
where = (0, images.labels[INDEX])
shown[where] = INDEX

figure, axes = plotting.subplots(figsize=(6.4, 3.1))
plotting.digits(axes, images.values[shown], framed=where)
axes.set_xticks(range(10), [f"“{digit}”" for digit in range(10)])
axes.set_yticks([1, 3.5], ["most often\nmemorized", "never\nmemorized"])
plotting.show(
    figure,
    name="fig-memory-gallery",
    caption="Training images of MNIST, by their labels (columns). Upper three rows: "
    f"drawn from those that the largest number of the {len(networks)} networks "
    f"memorized ({len(scale.hidden)} sizes, n&nbsp;=&nbsp;{len(more)} seeds). Lower "
    f"two rows: drawn from those memorized by none. Framed: image {INDEX:,}, memorized "
    f"by {times[INDEX]} of {len(networks)} networks. (Not in the paper.)",
    alt="Fifty handwritten digits, five for each label. Those of the upper rows are "
    "badly written, those of the lower rows are clear. One that looks like a seven is "
    "framed in the column of the fours.",
    notebook=NAME,
    lead=True,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the numbers"}
Markdown(
    f"{np.sum(times == times.max()):,} images are memorized by {times.max()} of the "
    f"{len(networks)} networks, and {np.sum(times == 0):,} by none; image {INDEX:,} is "
    f"memorized by {times[INDEX]}."
)

# %% [markdown]
# ## Do networks agree?
#
# If each network picked its memory at random, hardly any image would be in all of the memories.
# Panel a compares: the line is what is expected if memories of the same sizes were drawn
# independently of each other.
#
# An image gets into the memory in one of two ways. A network that has just started misclassifies
# nearly everything, so the first images of the first epoch are memorized whatever they look like
# (b). Later on an image has to be hard. And some digits are harder than others (c).

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of agreement"}
shares = memories.mean(axis=1)
expected = reduce(
    np.convolve, [[1 - share, share] for share in shares]
)  # of independent networks

agreement, left = plotting.subplots(figsize=(2.61, 2.9))
counts = np.bincount(times, minlength=len(networks) + 1)
left.bar(
    range(len(counts)),
    counts / len(images) * 100,
    color=plotting.RULES[LAZY],
    alpha=0.7,
)
left.plot(100 * expected, color=plotting.INK, marker="o", markersize=3, lw=1.2)
left.set(xlabel="networks that memorize it", ylabel="images (%)", yscale="log")
left.set_ylim(50 / len(images), 130)
left.locator_params(axis="x", integer=True)

beginning, middle = plotting.subplots(figsize=(2.61, 2.9))
orders = {seed: Streams(seed).next_epoch(len(images), base.order) for seed in more}
in_turn = {key: runs[LAZY, *key].arrays["memory"][orders[key[1]]] for key in networks}
edges = np.array(
    [1, *np.geomspace(10, len(images), 16).round().astype(int)]
)  # of the places
for size in extremes:
    pieces = [np.split(in_turn[size, seed], edges[1:-1]) for seed in more]
    curves = np.array([[100 * piece.mean() for piece in each] for each in pieces])
    ends = {"mean": curves.mean(0), "low": curves.min(0), "high": curves.max(0)}
    middles = np.sqrt(edges[1:] * edges[:-1])
    plotting.draw_band(middle, pd.DataFrame(ends, middles), LAZY, size, scale.hidden)
middle.set(
    xscale="log",
    xlabel="place in the first epoch",
    ylabel="memorized (%)",
    ylim=(0, 105),
)
middle.legend(handles=plotting.key([LAZY], extremes)[1:], fontsize="small")

classes, right = plotting.subplots(figsize=(2.61, 2.9))
by_digit = np.array(
    [100 * memories[:, images.labels == d].mean(axis=1) for d in range(10)]
)
spread = [by_digit.mean(1) - by_digit.min(1), by_digit.max(1) - by_digit.mean(1)]
right.bar(range(10), by_digit.mean(axis=1), color=plotting.RULES[LAZY], alpha=0.7)
right.errorbar(
    range(10), by_digit.mean(axis=1), spread, fmt="none", color=plotting.INK, lw=1.2
)
right.axhline(100 * shares.mean(), color=plotting.INK, lw=1, ls="--")
right.set(xlabel="label", ylabel="memorized (%)", xticks=range(10))
plotting.show(
    agreement,
    beginning,
    classes,
    name="fig-memory-agreement",
    caption="(a) By how many networks an image is memorized (bars), and what "
    "chance would give (line). (b) The share memorized among the images that came "
    "at a place of the first epoch, for the smallest and the largest network; lines "
    "are means over seeds, bands go from the lowest to the highest. (c) The share "
    "of each digit memorized: bars are means over networks, whiskers go from the "
    "lowest to the highest, the dashed line is the mean of all digits. "
    f"n = {len(more)} seeds of {len(scale.hidden)} sizes. (Not in the paper.)",
    alt="a, a histogram with far more images in none and in all of the memories than "
    "the line of chance. b, the memorized share falls from nearly all of the first "
    "images of the first epoch to a level that stays. c, bars of the memorized share "
    "for the ten digits.",
    notebook=NAME,
)
both = memories.astype(float) @ memories.T
given = both / both.diagonal()  # memorized by one, given that it is by another
apart = np.array([[seed != other for _, other in networks] for _, seed in networks])
first, last = (
    100 * np.mean([memory[places].mean() for memory in in_turn.values()])
    for places in (slice(1000), slice(-1000, None))
)
by_chance = expected[-1] * len(images)
by_chance = "fewer than 0.001" if by_chance < 0.001 else f"{by_chance:.2g}"
easiest, hardest = by_digit.mean(axis=1).argmin(), by_digit.mean(axis=1).argmax()
Markdown(
    "An image that one network memorized is memorized by another one, with other "
    "initial weights and another order, with a probability of "
    f"{given[apart].mean():.2f}; by chance it would be {shares.mean():.2f}. "
    f"{counts[-1]:,} images are memorized by all {len(networks)} networks; by chance "
    f"it would be {by_chance}. Of the first 1,000 images of the "
    f"first epoch {first:.0f} % are memorized, of its last 1,000 {last:.0f} %. The "
    f"hardest digit is {hardest} ({by_digit[hardest].mean():.0f} % memorized), the "
    f"easiest {easiest} ({by_digit[easiest].mean():.0f} %)."
)

# %% [markdown]
# ## A part that stands for the whole
#
# If lazy learning never learns anything but its memory, then the memory might do as a training set
# of its own, a *coreset*. So take a finished lazy network's memory, throw everything else away, and
# train a fresh network of the same size on it by plain backprop. For comparison another one learns
# as many images drawn at random.
#
# How long to train? In the same number of epochs a network that learns the memory alone makes a few
# more updates than the lazy network did, whose memory had yet to fill. This is what is compared.
# The smallest network then goes on to six times as many epochs, which comes to about as many
# updates as plain backprop makes on all images.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs on the memory"}
LONGER = 6
sizes = scale.hidden[:3]

# Measured at the ends of epochs.
at_ends = replace(base, measure_every=10**9, measure_training=False)
alone = {}
for size, seed in product(sizes, scale.seeds):
    memory = np.flatnonzero(runs[LAZY, size, seed].arrays["memory"])
    others = np.random.default_rng(seed).choice(len(images), len(memory), replace=False)
    for word, rows in (("memory", memory), ("random", np.sort(others))):
        alone[word, size, seed] = replace(
            at_ends,
            dataset=datasets.derived(f"{word}-part", images.part(rows), mnist.test),
            hidden=size,
            seed=seed,
            epochs=LONGER * scale.epochs if size == scale.hidden[0] else scale.epochs,
        )
coreset = settings.sweep(list(alone.values()))

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of the memory alone"}
runs |= dict(zip(alone, coreset.runs, strict=True))
# The colour tells the rule, the line what it is shown.
SHOWN = {
    BACKPROP: {"label": "backprop, all images", "marker": "o"},
    LAZY: {"label": "lazy, all images", "marker": "o", "color": plotting.RULES[LAZY]},
    "memory": {"label": "backprop, memory alone", "marker": "s", "ls": "--"},
    "random": {"label": "backprop, as many at random", "marker": "^", "ls": ":"},
}


def accuracy(*key, epoch=scale.epochs):
    """Return the test accuracy of a run after so many epochs, in percent."""
    table = runs[key].table
    return 100 * table["test_accuracy"][table["epoch"] == epoch].item()


rows = [
    {"rule": rule, "hidden": size, "accuracy": accuracy(rule, size, seed)}
    for rule, size, seed in product(SHOWN, sizes, scale.seeds)
]
at_end, left = plotting.subplots(figsize=(3.95, 3.6))
for rule, group in pd.DataFrame(rows).groupby("rule", sort=False):
    plotting.over_seeds(left, group, "hidden", "accuracy", BACKPROP, **SHOWN[rule])
left.set(xscale="log", xlabel="hidden units $H$", ylabel="test accuracy (%)")
left.set_xticks(sizes, sizes)
left.minorticks_off()
low, high = left.get_ylim()
left.set_ylim(bottom=low - 0.35 * (high - low))  # room for the legend
left.legend(fontsize="small", loc="lower right")

on_the_way, right = plotting.subplots(figsize=(3.95, 3.6))
for rule, look in SHOWN.items():
    group = [runs[rule, scale.hidden[0], seed] for seed in scale.seeds]
    learned = analysis.band(group, "updates").loc[
        1:, "mean"
    ]  # from the end of the first epoch on
    reached = 100 * analysis.band(group, "test_accuracy").loc[1:]
    look = {"color": plotting.RULES[BACKPROP]} | look | {"marker": None}
    right.plot(learned, reached["mean"], **look, lw=1.4)
    right.fill_between(
        learned, reached["low"], reached["high"], color=look["color"], alpha=0.2, lw=0
    )
right.set(xscale="log", xlabel="samples learned", ylabel="test accuracy (%)")
plotting.show(
    at_end,
    on_the_way,
    name="fig-memory-coreset",
    caption=f"(a) Test accuracy after {scale.epochs} epochs of what is learned: "
    "all images, the memory that lazy learning ended with, or as many images drawn at "
    "random. (b) Test accuracy against the number of samples learned, from the "
    f"end of the first epoch on, H = {scale.hidden[0]}; the two small sets are learned "
    f"for {LONGER * scale.epochs} epochs. Lines are means over seeds, bands go from "
    f"the lowest to the highest; n&nbsp;=&nbsp;{len(scale.seeds)}. (Paper: Discussion; "
    "no figure.)",
    alt="a, test accuracy rises with network size, for all images, memory and random "
    "images. b, the same four against the number of samples learned.",
    notebook=NAME,
)


def points(rule, other):
    """Return by how many points ``rule`` is better, for each size and seed."""
    return {
        (size, seed): accuracy(rule, size, seed) - accuracy(other, size, seed)
        for size, seed in product(sizes, scale.seeds)
    }


def ahead(rule, other):
    """Return the range of that over sizes, in the means over seeds."""
    return span(pd.Series(points(rule, other)).groupby(level=0).mean(), "+.2f")


lazy_runs = [runs[LAZY, size, seed].final for size, seed in product(sizes, scale.seeds)]
late = [
    100 * (table["test_accuracy"].iloc[-1] - table["test_accuracy"].max())
    for table in (runs["memory", scale.hidden[0], seed].table for seed in scale.seeds)
]
share = [100 * final["memorized"] / len(images) for final in lazy_runs]
updates = [scale.epochs * final["memorized"] / final["updates"] for final in lazy_runs]
Markdown(
    f"The memory is {span(share, '.1f')} % of the images. To learn it {scale.epochs} "
    f"times takes {span(updates, '.2f')} times as many updates as lazy learning made. "
    "Trained on it alone, backprop's accuracy differs from that of lazy learning by "
    f"{ahead('memory', LAZY)} points, from that of backprop on all images by "
    f"{ahead('memory', BACKPROP)}, and from that of backprop on as many random images "
    f"by {ahead('memory', 'random')}, in the means over seeds of each size. At the end "
    f"of the long training it has lost {span([-each for each in late], '.2f')} points "
    "from its best."
)

# %% [markdown]
# A memory is no fair sample: it has the smeared, the ambiguous and the mislabelled images and
# leaves out most of the plain ones. Lazy learning does not learn those either, but it classifies
# each of them once an epoch, and if it misclassifies one, that one joins the memory. A network
# that was given the memory alone has no such safeguard, and the longer it learns, the more that can
# tell.

# %% [markdown]
# ## The claims
#
# Each claim of the paper that is measured here. Accuracies are those at the end of the run, on the
# test set, not the best within it.
#
# Two more questions of the paper's discussion have pages of their own: {doc}`does the memory make
# up for classes of which there are few images <rare_classes>`, and {doc}`how does it grow with the
# number of images <memory_growth>`?

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
found = notebook.Findings(settings, NAME, "LL19")
measure = "accuracy of lazy - of backprop on its memory alone (points)"
found.each("LL19", measure, "H = {}", points(LAZY, "memory"))
measure = "accuracy on the memory - on as many random samples (points)"
found.each("LL19", measure, "H = {}", points("memory", "random"))
measure = (
    "accuracy of lazy - of backprop on its memory alone, six times as long (points)"
)
longest = {
    seed: accuracy(LAZY, scale.hidden[0], seed)
    - accuracy("memory", scale.hidden[0], seed, epoch=LONGER * scale.epochs)
    for seed in scale.seeds
}
found.each("LL19", measure, f"H = {scale.hidden[0]}", longest)
sweeps = [whole, coreset]
found.verdicts(sweeps)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
found.answer(
    f"Hard images, and networks agree on them: {counts[-1]:,} are memorized by all "
    f"{len(networks)} networks, where chance would give {by_chance}. The memory, "
    f"**{span(share, '.0f')}&nbsp;% of the images**, teaches a fresh network nearly as "
    f"much as all of them: its accuracy differs by {ahead('memory', BACKPROP)} points, "
    "in the means over seeds. But trained "
    f"{LONGER} times as long, the smallest network loses "
    f"{span([-each for each in late], '.1f')} points again."
)

# %% [markdown]
# ## Your turn
#
# **1.** A network that has learned nothing guesses one digit of ten. How many of the first ten, and
# of the first hundred and the first thousand images should be memorized, if guessing went on? How
# many are, so how soon does a network do better than guess?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: guesses"}
# NBVAL_CHECK_OUTPUT
for number in (10, 100, 1000):
    begun = np.mean([memory[:number].sum() for memory in in_turn.values()])
    print(
        f"of the first {number}: {0.9 * number:g} by guessing, {begun:.1f} in the runs"
    )

# %% [markdown]
# **2.** Call an image hard if at least half of the networks memorized it. Which part of a single
# network's memory is hard, and which part is its own, memorized by no other one?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: hard, or its own"}
# NBVAL_CHECK_OUTPUT
for words, chosen in (
    ("hard", times >= len(networks) / 2),
    ("its own", times == 1),
):
    parts = 100 * memories[:, chosen].sum(axis=1) / memories.sum(axis=1)
    print(f"{words}: {span(parts, '.1f')} % of a memory")

# %% [markdown]
# Next: {doc}`Does the memory make up for what is seldom seen? <rare_classes>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes(sweeps)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, sweeps)
