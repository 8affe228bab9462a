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
# Lazy learning keeps a list. An image that it gets wrong, even once, goes on the list for good, and
# is learned again each time that it comes up; all other images are only looked at
# {cite}`pache2023lazy`. So the list, its *memory*, is all that the network ever learns from.
#
# What is in it? The paper shows how large it is and leaves three questions to its discussion, which
# are taken up here: could one have learned from the memory alone? Does the memory make up for
# classes of which there are few images? And how does it grow with the number of images?

# %% tags=["parameters", "hide-input"]
profile = "quick"  # smoke, quick or paper
device = "cpu"  # cpu or cuda
jobs = None  # experiments at a time; None: one a core
fresh = False  # True: compute again what the run store already has
hidden = None  # sizes of the hidden layer, such as [100, 1000]; None: as the profile says
epochs = None  # length of a run; None: as the profile says
seeds = None  # one run each, such as [0, 1, 2]; None: as the profile says

# %% tags=["hide-input"]
from dataclasses import replace
from functools import reduce
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown

from lazybook import datasets
from lazybook.book import analysis, claims, notebook, plotting
from lazybook.book.claims import Finding
from lazybook.book.notebook import span
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes
from lazybook.support.randomness import Streams
from lazybook.sweep import sweep

settings = notebook.start(globals())
NAME = "lazy_learning/memory"
hidden = sorted(
    settings.hidden
    or settings.choose(smoke=[30, 100], quick=[100, 200, 500, 1000], paper=[100, 200, 500, 1000])
)
epochs = settings.epochs or settings.choose(smoke=2, quick=10, paper=50)
seeds = settings.seeds or settings.choose(smoke=[0], quick=[0], paper=[0, 1, 2, 3, 4])
extremes = sorted({hidden[0], hidden[-1]})
BACKPROP, LAZY = "every-sample", "memorized-mistakes"

# %% [markdown]
# ## The runs
#
# The first runs are those of {doc}`fig2_mnist`: networks with several sizes $H$ of the hidden
# layer learn MNIST, with plain backprop and with lazy learning. For each seed the weights
# and the order of the images are drawn anew. To tell what belongs to an image from what belongs to
# the order, lazy learning is run with at least two seeds.

# %%
base = preset("lazy", epochs=epochs, engine=settings.engine, device=settings.device)
gates = [EverySample(), MemorizedMistakes()]
more = seeds if len(seeds) > 1 else [*seeds, seeds[0] + 1]
whole = sweep(
    grid(base, hidden=hidden, seed=seeds, gate=gates)
    + grid(replace(base, gate=MemorizedMistakes()), hidden=hidden, seed=more),
    jobs=settings.jobs,
    fresh=settings.fresh,
)

# %% tags=["hide-input"]
runs = {(str(e.gate), e.hidden, e.seed): run for run in whole.runs for e in [run.experiment]}
mnist = datasets.load("mnist")
images = mnist.train
networks = list(product(hidden, more))
memories = np.array([runs[LAZY, *network].arrays["memory"] for network in networks])
times = memories.sum(axis=0)  # by how many networks each image is memorized

# %% [markdown]
# ## Hard images
#
# The images below are drawn at random from two groups: those that are in the memories of the most
# networks, and those that are in none. Many of the first are broken, smeared or cramped, or look
# much like another digit. Most of the second are plain.
#
# Framed is image 59,915, which the paper points out: it looks like a 7 and is labelled 4.

# %% tags=["hide-input"]
INDEX = 59_915
draw = np.random.default_rng(0)
groups = []
for number, wanted in ((3, times.max()), (2, 0)):
    columns = []
    for digit in range(10):
        group = np.flatnonzero((times == wanted) & (images.labels == digit))
        if len(group) < number:  # so easy or hard a digit that none gives as many: the nearest
            group = np.flatnonzero(images.labels == digit)
            group = group[np.argsort(abs(times[group] - wanted), kind="stable")][:number]
        columns.append(draw.choice(group, number, replace=False))
    groups.append(np.transpose(columns))
shown = np.concatenate(groups)
where = (0, images.labels[INDEX])
shown[where] = INDEX

figure, axes = plt.subplots(figsize=(5.4, 2.6))
plotting.digits(axes, images.values[shown], framed=where)
axes.set_xticks(range(10), [f"“{digit}”" for digit in range(10)])
axes.set_yticks([1, 3.5], ["most often\nmemorized", "never\nmemorized"])
plotting.show(
    figure,
    name="fig-memory-gallery",
    caption="Training images of MNIST, by their labels (columns). Upper three rows: drawn from "
    f"those memorized by the most of {len(networks)} networks ({len(hidden)} sizes, {len(more)} "
    f"seeds). Lower two rows: drawn from those memorized by none. Framed: image {INDEX:,}, "
    f"memorized by {times[INDEX]} of {len(networks)} networks. (Not in the paper.)",
    alt="Fifty handwritten digits, five for each label. Those of the upper rows are badly written, "
    "those of the lower rows are clear. One that looks like a seven is framed in the column of the "
    "fours.",
    notebook=NAME,
)
Markdown(
    f"{np.sum(times == times.max()):,} images are memorized by"
    f" {times.max()} of the {len(networks)} networks, and {np.sum(times == 0):,} by none;"
    f" image {INDEX:,} is memorized by {times[INDEX]}."
)

# %% [markdown]
# ## Do networks agree?
#
# If each network picked its memory at random, hardly any image would be in all of the memories. The
# left panel compares: the line is what is expected if memories of the same sizes were drawn
# independently of each other.
#
# There are two ways into the memory. A network that has just started gets nearly everything wrong,
# so the first images of the first epoch are memorized whatever they look like (middle). Later on an
# image has to be hard. And some digits are harder than others (right).

# %% tags=["hide-input"]
shares = memories.mean(axis=1)
expected = reduce(np.convolve, [[1 - share, share] for share in shares])  # of independent networks

agreement, left = plt.subplots(figsize=(2.65, 2.9))
counts = np.bincount(times, minlength=len(networks) + 1)
left.bar(range(len(counts)), counts / len(images) * 100, color=plotting.RULES[LAZY], alpha=0.7)
left.plot(100 * expected, color=plotting.INK, marker="o", markersize=3, lw=1.2)
left.set(xlabel="networks that memorize it", ylabel="images (%)", yscale="log")
left.set_ylim(50 / len(images), 130)
left.locator_params(axis="x", integer=True)

beginning, middle = plt.subplots(figsize=(2.65, 2.9))
orders = {seed: Streams(seed).next_epoch(len(images), base.order) for seed in more}
in_turn = {key: runs[LAZY, *key].arrays["memory"][orders[key[1]]] for key in networks}
edges = np.array([1, *np.geomspace(10, len(images), 16).round().astype(int)])  # of the places
for size in extremes:
    pieces = [np.split(in_turn[size, seed], edges[1:-1]) for seed in more]
    curves = np.array([[100 * piece.mean() for piece in each] for each in pieces])
    ends = {"mean": curves.mean(0), "low": curves.min(0), "high": curves.max(0)}
    middles = np.sqrt(edges[1:] * edges[:-1])
    plotting.draw_band(middle, pd.DataFrame(ends, middles), LAZY, size, hidden)
middle.set(xscale="log", xlabel="place in the first epoch", ylabel="memorized (%)", ylim=(0, 105))
middle.legend(handles=plotting.key([LAZY], extremes)[1:], fontsize="small")

classes, right = plt.subplots(figsize=(2.65, 2.9))
by_digit = np.array([100 * memories[:, images.labels == d].mean(axis=1) for d in range(10)])
spread = [by_digit.mean(1) - by_digit.min(1), by_digit.max(1) - by_digit.mean(1)]
right.bar(range(10), by_digit.mean(axis=1), color=plotting.RULES[LAZY], alpha=0.7)
right.errorbar(range(10), by_digit.mean(axis=1), spread, fmt="none", color=plotting.INK, lw=1.2)
right.axhline(100 * shares.mean(), color=plotting.INK, lw=1, ls="--")
right.set(xlabel="label", ylabel="memorized (%)", xticks=range(10))
plotting.show(
    agreement,
    beginning,
    classes,
    name="fig-memory-agreement",
    caption="Left: by how many networks an image is memorized (bars), and what chance would give "
    "(line). Middle: the share memorized among the images that came at a place of the first epoch, "
    "for the smallest and the largest network; bands are the range over seeds. Right: the share of "
    "each digit memorized; lines are the range over networks, the dashed one is the mean of all "
    "digits. (Not in the paper.)",
    alt="Left, a histogram with far more images in none and in all of the memories than the line "
    "of chance. Middle, the memorized share falls from nearly all of the first images of the first "
    "epoch to a level that stays. Right, bars of the memorized share for the ten digits.",
    notebook=NAME,
)
both = memories.astype(float) @ memories.T
given = both / both.diagonal()  # memorized by one, given that it is by another
apart = np.array([[seed != other for _, other in networks] for _, seed in networks])
first, last = (
    100 * np.mean([memory[places].mean() for memory in in_turn.values()])
    for places in (slice(1000), slice(-1000, None))
)
easiest, hardest = by_digit.mean(axis=1).argmin(), by_digit.mean(axis=1).argmax()
Markdown(
    "An image that one network memorized is memorized by another one, with other initial weights"
    f" and another order, with a probability of {given[apart].mean():.2f}; by chance it would be"
    f" {shares.mean():.2f}. {counts[-1]:,} images are memorized by all {len(networks)} networks; by"
    f" chance it would be {expected[-1] * len(images):.0f}. Of the first 1,000 images of the first"
    f" epoch {first:.0f} % are memorized, of its last 1,000 {last:.0f} %. The hardest digit is"
    f" {hardest} ({by_digit[hardest].mean():.0f} % memorized), the easiest {easiest}"
    f" ({by_digit[easiest].mean():.0f} %)."
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

# %%
LONGER = 6
sizes = hidden[:3]


def part(split, rows):
    """Return the samples ``rows`` of ``split``."""
    return replace(split, values=split.values[rows], labels=split.labels[rows])


at_ends = replace(base, measure_every=10**9, measure_training=False)  # of epochs, that is
alone = {}
for size, seed in product(sizes, seeds):
    memory = np.flatnonzero(runs[LAZY, size, seed].arrays["memory"])
    others = np.random.default_rng(seed).choice(len(images), len(memory), replace=False)
    for word, rows in (("memory", memory), ("random", np.sort(others))):
        alone[word, size, seed] = replace(
            at_ends,
            dataset=datasets.derived(f"{word}-part", part(images, rows), mnist.test),
            hidden=size,
            seed=seed,
            epochs=LONGER * epochs if size == hidden[0] else epochs,
        )
coreset = sweep(list(alone.values()), jobs=settings.jobs, fresh=settings.fresh)

# %% tags=["hide-input"]
runs |= dict(zip(alone, coreset.runs, strict=True))
# What each of the four learns from; the colour tells the rule, the line what it is shown.
SHOWN = {
    BACKPROP: {"label": "backprop, all images", "marker": "o"},
    LAZY: {"label": "lazy, all images", "marker": "o", "color": plotting.RULES[LAZY]},
    "memory": {"label": "backprop, memory alone", "marker": "s", "ls": "--"},
    "random": {"label": "backprop, as many at random", "marker": "^", "ls": ":"},
}


def accuracy(*key, epoch=epochs):
    """Return the test accuracy of a run after so many epochs, in percent."""
    table = runs[key].table
    return 100 * table["test_accuracy"][table["epoch"] == epoch].item()


rows = [
    {"rule": rule, "hidden": size, "accuracy": accuracy(rule, size, seed)}
    for rule, size, seed in product(SHOWN, sizes, seeds)
]
at_end, left = plt.subplots(figsize=(3.95, 3.6))
for rule, group in pd.DataFrame(rows).groupby("rule", sort=False):
    plotting.over_seeds(left, group, "hidden", "accuracy", BACKPROP, **SHOWN[rule])
left.set(xscale="log", xlabel="hidden units $H$", ylabel="test accuracy (%)")
left.set_xticks(sizes, sizes)
left.minorticks_off()
low, high = left.get_ylim()
left.set_ylim(bottom=low - 0.35 * (high - low))  # room for the legend
left.legend(fontsize="small", loc="lower right")

on_the_way, right = plt.subplots(figsize=(3.95, 3.6))
for rule, look in SHOWN.items():
    group = [runs[rule, hidden[0], seed] for seed in seeds]
    learned = analysis.band(group, "updates").loc[1:, "mean"]  # from the end of the first epoch on
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
    caption=f"Left: test accuracy after {epochs} epochs of what is learned: all images, the "
    "memory that lazy learning ended with, or as many images drawn at random. Right: test accuracy "
    f"against the number of samples learned, from the end of the first epoch on, H = {hidden[0]}; "
    f"the two small sets are learned for {LONGER * epochs} epochs. Bands are the range over seeds. "
    "(Paper: Discussion; no figure.)",
    alt="Left, test accuracy rises with network size, for all images, memory and random images. "
    "Right, the same four against the number of samples learned.",
    notebook=NAME,
)


def points(rule, other):
    """Return by how many points ``rule`` is better than ``other``, for each size and seed."""
    return {
        (size, seed): accuracy(rule, size, seed) - accuracy(other, size, seed)
        for size, seed in product(sizes, seeds)
    }


lazy_runs = [runs[LAZY, size, seed].final for size, seed in product(sizes, seeds)]
late = [
    100 * (table["test_accuracy"].iloc[-1] - table["test_accuracy"].max())
    for table in (runs["memory", hidden[0], seed].table for seed in seeds)
]
Markdown(
    "The memory is"
    f" {span([100 * final['memorized'] / len(images) for final in lazy_runs], '.1f')} % of the"
    f" images. To learn it {epochs} times takes"
    f" {span([epochs * final['memorized'] / final['updates'] for final in lazy_runs], '.2f')} times"
    " as many updates as lazy learning made. Trained on it alone, backprop ends"
    f" {span(points('memory', LAZY).values(), '+.2f')} points from lazy learning,"
    f" {span(points('memory', BACKPROP).values(), '+.2f')} from backprop on all images, and"
    f" {span(points('memory', 'random').values(), '+.2f')} from backprop on as many random images."
    f" At the end of the long training it stands {span(late, '+.2f')} points from the best that it"
    " had on the way."
)

# %% [markdown]
# A memory is no fair sample: it has the smeared, the ambiguous and the mislabelled images and
# leaves out most of the plain ones. Lazy learning does not learn those either, but it looks at each
# of them once an epoch, and if it starts to get one wrong, that one joins the memory. A network
# that was given the memory alone has no such safeguard, and the longer it learns, the more that can
# tell.

# %% [markdown]
# ## Rare classes
#
# In the world some things are rarer than others. A network that learns every sample then learns
# mostly what is common. Lazy learning should learn what it gets wrong, and it gets wrong what is
# rare.
#
# To see whether it does, two of the ten digits are thinned out: of their training images only one
# in so many is kept, one in 20 for example. Each seed thins two other digits: 0 and 1, 2 and 3, and
# so on. The test set is given as many images of each digit, so that the accuracy on it is the
# *balanced* accuracy, in which each class counts the same. A second run that is the same but for
# the test set gives the accuracy on the two rare digits.

# %%
thinned = {  # how thin, in which networks
    hidden[0]: settings.choose(smoke=[20], quick=[10, 20, 50], paper=[10, 20, 50]),
    hidden[len(hidden) // 2]: settings.choose(smoke=[], quick=[20], paper=[20]),
}
fewest = np.bincount(mnist.test.labels).min()
even = np.concatenate([np.flatnonzero(mnist.test.labels == d)[:fewest] for d in range(10)])
is_rare, learners = {}, {}
for size, thins in thinned.items():
    for thin, seed in product(thins, seeds):
        digits = [2 * seed % 10, 2 * seed % 10 + 1]
        kept = ~np.isin(images.labels, digits)
        for digit in digits:
            kept[np.flatnonzero(images.labels == digit)[::thin]] = True
        train = part(images, kept)
        is_rare[thin, seed] = np.isin(train.labels, digits)
        tests = {"balanced": even}
        if size == hidden[0]:
            tests["rare"] = even[np.isin(mnist.test.labels[even], digits)]
        for (test, rows), gate in product(tests.items(), gates):
            name = datasets.derived(f"thinned-{test}", train, part(mnist.test, rows))
            learners[test, str(gate), size, thin, seed] = replace(
                at_ends, dataset=name, hidden=size, seed=seed, gate=gate
            )
        learners["begin", LAZY, size, thin, seed] = replace(
            learners["balanced", LAZY, size, thin, seed], epochs=1
        )
unbalanced = sweep(list(learners.values()), jobs=settings.jobs, fresh=settings.fresh)

# %% [markdown]
# A remembered image is learned exactly once an epoch. So the share of the rare digits in the memory
# at the end of an epoch is their share among the samples learned in the epoch. Below it is shown
# for the first epoch and for the last; backprop learns them as often as they occur.

# %% tags=["hide-input"]
runs |= dict(zip(learners, unbalanced.runs, strict=True))


def share_learned(when, size, thin, seed):
    """Return the share of the rare digits in the memory of a run."""
    memory = runs[when, LAZY, size, thin, seed].arrays["memory"]
    return is_rare[thin, seed][memory].mean()


size, thins = hidden[0], thinned[hidden[0]]
learned, left = plt.subplots(figsize=(2.65, 3.2))
for when, label, fill in (("begin", "first epoch", "none"), ("balanced", "last epoch", None)):
    at = [
        (is_rare[thin, seed].mean(), share_learned(when, size, thin, seed))
        for thin, seed in product(thins, seeds)
    ]
    x, y = 100 * np.transpose(at)
    left.plot(x, y, "o", color=plotting.RULES[LAZY], markerfacecolor=fill, label=label)
ends = np.array([min(x) / 1.5, max(x) * 1.5])
left.plot(ends, ends, color=plotting.RULES[BACKPROP], label="backprop: as in the data")
for axis in (left.xaxis, left.yaxis):
    plotting.logarithmic(axis, [1, 2, 5], "{x:g}")
left.set(xlabel="rare digits in the data (%)", ylabel="among the samples learned (%)")
left.set_ylim(min(ends), 8 * max(y))
left.legend(fontsize="small", loc="upper left")

panels = [learned]
for test, label in (
    ("rare", "accuracy on the rare digits (%)"),
    ("balanced", "balanced accuracy (%)"),
):
    figure, axes = plt.subplots(figsize=(2.65, 3.2))
    for rule, thin in product((BACKPROP, LAZY), thins):
        group = [runs[test, rule, size, thin, seed] for seed in seeds]
        reached = 100 * analysis.band(group, "test_accuracy").loc[1:]
        plotting.draw_band(axes, reached, rule, thin, thins)
    plotting.logarithmic(axes.xaxis, [1, 2, 5], "{x:g}")
    axes.set(xlabel="epoch", ylabel=label)
    panels.append(figure)
plotting.show(
    *panels,
    name="fig-memory-unbalanced",
    caption="Two of ten digits are thinned out. Left: their share among the samples that lazy "
    "learning learns, against their share in the data; each point is a seed, which thins other "
    "digits. Middle: accuracy on these digits. Right: balanced accuracy, of all digits. Blue is "
    "backprop, orange lazy learning; the rarer, the deeper the colour. Bands are the range over "
    f"seeds, H = {size}. (Paper: Discussion; no figure.)",
    alt="Left, points of the share learned against the share in the data, with the diagonal. "
    "Middle and right, accuracies against epochs, for both rules.",
    notebook=NAME,
)


def lead(*case, epoch=epochs):
    """Return lazy learning's balanced accuracy less backprop's, in points, for each seed."""
    return [
        accuracy("balanced", LAZY, *case, seed, epoch=epoch)
        - accuracy("balanced", BACKPROP, *case, seed, epoch=epoch)
        for seed in seeds
    ]


cases = [(size, thin) for size, thins in thinned.items() for thin in thins]
excess = {
    (*case, seed): share_learned("balanced", *case, seed) / is_rare[case[1], seed].mean()
    for case, seed in product(cases, seeds)
}
early = max(epochs // 10, 1)
lines = [
    f"| H = {size}, 1/{thin} | {span([excess[size, thin, seed] for seed in seeds], '.1f')}"
    f" | {np.mean(lead(size, thin, epoch=early)):+.2f} | {np.mean(lead(size, thin)):+.2f} |"
    for size, thin in cases
]
for size in dict(cases):
    ahead = [accuracy(LAZY, size, seed) - accuracy(BACKPROP, size, seed) for seed in seeds]
    lines.append(f"| H = {size}, all | | | {np.mean(ahead):+.2f} |")
Markdown(
    "How many times their share in the data the rare digits have among the samples learned in the"
    " last epoch (the range over seeds), and by how many points lazy learning is ahead of backprop"
    " in balanced accuracy (the mean). The lines “all” are MNIST as it is, with its own test set:"
    " there the two rules differ for other reasons than rarity.\n\n"
    f"| kept of the rare digits | times their share | ahead, epoch {early} | epoch {epochs} |\n"
    "| --- | --- | --- | --- |\n" + "\n".join(lines)
)

# %% [markdown]
# ## How the memory grows
#
# The paper finds that from four times as many images lazy learning memorizes twice as many, and
# asks for the general relation. Here it is measured on digits of MNIST that were deformed at
# random: each image of MNIST at most once, and in sets of more than 60,000 again, deformed
# differently. All networks learn for the same number of epochs. If the number of memorized images
# is a power of the number of images, $N^a$, it is a straight line in the figure; twice as many from
# four times as many is $a = 1/2$.

# %%
numbers = settings.choose(
    smoke=[300, 600, 1200],
    quick=[3_000, 7_500, 15_000, 30_000, 60_000],
    paper=[3_000, 7_500, 15_000, 30_000, 60_000, 120_000, 240_000],
)
growing = replace(
    base,
    gate=MemorizedMistakes(),
    epochs=settings.epochs or settings.choose(smoke=2, quick=3, paper=50),
    measure_every=60_000,
    measure_training=False,
)
scaling = sweep(
    grid(
        growing,
        dataset=[f"deformed-mnist:{number}" for number in numbers],
        hidden=extremes,
        seed=seeds[:3],
    ),
    jobs=settings.jobs,
    fresh=settings.fresh,
)

# %% tags=["hide-input"]
grown = scaling.ends()
grown["number"] = [len(run.arrays["memory"]) for run in scaling.runs]
grown["error"] = 100 * (1 - grown["test_accuracy"])
counted, left = plt.subplots(figsize=(3.95, 3.6))
errors, right = plt.subplots(figsize=(3.95, 3.6))
laws = {}
for size, group in grown.groupby("hidden"):
    look = {"color": plotting.shade(LAZY, size, hidden), "marker": "o"}
    laws[size] = analysis.power_law(group["number"], group["memorized"])
    name = f"H = {size}, $a$ = {laws[size].exponent:.2f}"
    plotting.over_seeds(left, group, "number", "memorized", LAZY, **look, ls="none", label=name)
    left.plot(numbers, laws[size](np.array(numbers)), color=look["color"])
    plotting.over_seeds(right, group, "number", "error", LAZY, **look, label=f"H = {size}")
left.plot(numbers, numbers, color=plotting.INK, lw=1, ls=":", label="all of them")
left.set(ylabel="images memorized")
right.set(ylabel="test error (%)")
for axes in (left, right):
    axes.set(xscale="log", yscale="log", xlabel="images in the training set, $N$")
    axes.set_xticks(numbers[::2], [f"{number:,}" for number in numbers[::2]])
    axes.set_xticks([], minor=True)
    axes.yaxis.set_minor_formatter("")
    axes.legend(fontsize="small")
plotting.logarithmic(right.yaxis, [1, 2, 5], "{x:g}")
plotting.show(
    counted,
    errors,
    name="fig-memory-scaling",
    caption=f"Left: images memorized after {growing.epochs} epochs, from training sets of "
    "different sizes, with power laws; on the dotted line all would be. Right: the error on the "
    "test set. Deformed MNIST; bands are the range over seeds. (Paper: text to Fig. 3c, two data "
    "sets.)",
    alt="Left, memorized images against the size of the training set, both axes logarithmic, with "
    "fitted straight lines that are less steep than the diagonal. Right, the test error.",
    notebook=NAME,
)


def local(size):
    """Return the exponents between each number of images and the next."""
    mean = grown[grown["hidden"] == size].groupby("number")["memorized"].mean()
    return np.diff(np.log(mean)) / np.diff(np.log(mean.index))


def still(number):
    """Return which part of the memory came in the last epoch, in percent."""
    chosen = [run for run in scaling.runs if len(run.arrays["memory"]) == number]
    memorized = [run.table.set_index("epoch")["memorized"] for run in chosen]
    return 100 * np.mean([1 - m[growing.epochs - 1] / m[growing.epochs] for m in memorized])


laws_said = "; ".join(
    f"for H = {size} $a$ = {law.exponent:.2f}, 95 % interval {law.interval[0]:.2f} to"
    f" {law.interval[1]:.2f} (between one size and the next {span(local(size), '.2f')})"
    for size, law in laws.items()
)
Markdown(
    f"The exponents: {laws_said}. Four times as many images then lead to"
    f" {span([4**law.exponent for law in laws.values()], '.1f')} times as many in memory. Of the"
    f" memory of {numbers[0]:,} images {still(numbers[0]):.1f} % came in the last epoch,"
    f" of that of {numbers[-1]:,} images {still(numbers[-1]):.1f} %."
)

# %% [markdown]
# ## The claims
#
# Each claim of the paper that is measured here. Accuracies are those at the end of the run, on the
# test set, not the best on the way.

# %% tags=["hide-input"]
found = {"LL19": [], "LL20": []}
for measure, gaps in (
    ("accuracy of lazy - of backprop on its memory alone (points)", points(LAZY, "memory")),
    ("accuracy on the memory - on as many random samples (points)", points("memory", "random")),
):
    found["LL19"] += [
        Finding(measure, f"H = {size}", gap, seed) for (size, seed), gap in gaps.items()
    ]
for size, thin in cases:
    condition = f"H = {size}, 1/{thin}"
    for seed, gap in zip(seeds, lead(size, thin), strict=True):
        measure = "share of the rare class among the samples learned / in the data"
        found["LL20"].append(Finding(measure, condition, excess[size, thin, seed], seed))
        measure = "balanced accuracy of lazy - of backprop (points)"
        found["LL20"].append(Finding(measure, condition, gap, seed))
verdicts = notebook.verdicts(settings, NAME, found)
HTML(claims.table(verdicts, "../"))

# %% tags=["hide-cell"]
# NBVAL_CHECK_OUTPUT
print(*verdicts, sep="\n")
print(times[INDEX], "of", len(networks), "networks memorize image", INDEX)
for (kind, *case), run in runs.items():
    final = run.final
    accurate = round(final["test_accuracy"], 4)
    print(kind, *case, final["updates"], final["memorized"], accurate)
for size, number, seed, memorized in grown[["hidden", "number", "seed", "memorized"]].values:
    print(f"H = {size}, {number} images, seed {seed}: {memorized} memorized")

# %% tags=["hide-input"]
notebook.provenance(settings, [whole, coreset, unbalanced, scaling])
