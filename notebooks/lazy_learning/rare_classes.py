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
# # Rare classes
#
# In the world some things are rarer than others. A network that learns every sample then learns
# mostly what is common. Lazy learning learns what it misclassifies, and that is what is rare. Does
# its {doc}`memory <memory>` make up for classes of which there are few images? The paper leaves
# that to its discussion {cite}`pache2023lazy`.
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`what is memorized <memory>`.

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
from itertools import product

import numpy as np
from IPython.display import Markdown

from lazybook import datasets
from lazybook.book import analysis, notebook, plotting
from lazybook.book.notebook import span
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=([30, 100], [100, 200, 500, 1000], [100, 200, 500, 1000]),
    epochs=(2, 10, 50),
    seeds=([0], [0], [0, 1, 2, 3, 4]),
    thinned=([20], [10, 20, 50], [10, 20, 50]),  # in the smallest network
    thinned_larger=([], [20], [20]),
)
scale.hidden.sort()
NAME = "lazy_learning/rare_classes"
BACKPROP, LAZY = "every-sample", "memorized-mistakes"

# %% [markdown]
# ## The runs
#
# Two of the ten digits are thinned out: of their training images only one
# in so many is kept, one in 20 for example. Each seed thins two other digits: 0 and 1, 2 and 3, and
# so on. The test set is given as many images of each digit, so that the accuracy on it is the
# *balanced* accuracy, in which each class counts the same. A second run that is the same but for
# the test set gives the accuracy on the two rare digits.
#
# The runs of {doc}`fig2_mnist`, on all of MNIST, are there to compare with.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
base = preset("lazy", epochs=scale.epochs)
gates = [EverySample(), MemorizedMistakes()]
mnist = datasets.load("mnist")
images = mnist.train
middle = scale.hidden[len(scale.hidden) // 2]
thinned = {  # how thin, in which networks
    scale.hidden[0]: scale.thinned,
    middle: scale.thinned_larger,
}
fewest = np.bincount(mnist.test.labels).min()
even = np.concatenate(
    [np.flatnonzero(mnist.test.labels == d)[:fewest] for d in range(10)]
)
# Measured at the ends of epochs.
at_ends = replace(base, measure_every=10**9, measure_training=False)
is_rare, learners = {}, {}
for size, thins in thinned.items():
    for thin, seed in product(thins, scale.seeds):
        digits = [2 * seed % 10, 2 * seed % 10 + 1]
        kept = ~np.isin(images.labels, digits)
        for digit in digits:
            kept[np.flatnonzero(images.labels == digit)[::thin]] = True
        train = images.part(kept)
        is_rare[thin, seed] = np.isin(train.labels, digits)
        tests = {"balanced": even}
        if size == scale.hidden[0]:
            tests["rare"] = even[np.isin(mnist.test.labels[even], digits)]
        for (test, rows), gate in product(tests.items(), gates):
            name = datasets.derived(f"thinned-{test}", train, mnist.test.part(rows))
            learners[test, str(gate), size, thin, seed] = replace(
                at_ends, dataset=name, hidden=size, seed=seed, gate=gate
            )
        learners["begin", LAZY, size, thin, seed] = replace(
            learners["balanced", LAZY, size, thin, seed], epochs=1
        )
whole = settings.sweep(grid(base, hidden=list(thinned), seed=scale.seeds, gate=gates))
unbalanced = settings.sweep(list(learners.values()))

# %% [markdown]
# ## What is learned, and how well
#
# A remembered image is learned exactly once an epoch. So the share of the rare digits in the memory
# at the end of an epoch is their share among the samples learned in the epoch. The figure at the
# top shows it for the first epoch and for the last; backprop learns them as often as they occur.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
runs = dict(zip(learners, unbalanced.runs, strict=True)) | {
    (str(e.gate), e.hidden, e.seed): run for run in whole.runs for e in [run.experiment]
}


def accuracy(*key, epoch=scale.epochs):
    """Return the test accuracy of a run after so many epochs, in percent."""
    table = runs[key].table
    return 100 * table["test_accuracy"][table["epoch"] == epoch].item()


def share_learned(when, size, thin, seed):
    """Return the share of the rare digits in the memory of a run."""
    memory = runs[when, LAZY, size, thin, seed].arrays["memory"]
    return is_rare[thin, seed][memory].mean()


size, thins = scale.hidden[0], thinned[scale.hidden[0]]
learned, left = plotting.subplots(figsize=(2.61, 3.2))
for when, label, fill in (
    ("begin", "first epoch", "none"),
    ("balanced", "last epoch", None),
):
    at = [
        (is_rare[thin, seed].mean(), share_learned(when, size, thin, seed))
        for thin, seed in product(thins, scale.seeds)
    ]
    x, y = 100 * np.transpose(at)
    look = {"color": plotting.RULES[LAZY], "markerfacecolor": fill, "ms": 4}
    left.plot(x, y, "o", **look, label=label)
ends = np.array([min(x) / 1.5, max(x) * 1.5])
left.plot(ends, ends, color=plotting.RULES[BACKPROP], label="as in the data")
for axis in (left.xaxis, left.yaxis):
    plotting.logarithmic(axis, [1, 2, 5], "{x:g}")
left.set(xlabel="rare digits in the data (%)", ylabel="among the samples learned (%)")
left.set_ylim(min(ends), 6 * max(y))
left.legend(fontsize="small", loc="upper left")

panels = [learned]
for test, label in (
    ("rare", "accuracy on the rare digits (%)"),
    ("balanced", "balanced accuracy (%)"),
):
    figure, axes = plotting.subplots(figsize=(2.61, 3.2))
    for (place, thin), seed in product(enumerate(thins), scale.seeds):
        x = place + 0.7 * ((scale.seeds.index(seed) + 0.5) / len(scale.seeds) - 0.5)
        y = [accuracy(test, rule, size, thin, seed) for rule in (BACKPROP, LAZY)]
        axes.plot([x, x], y, color=plotting.INK, lw=0.8, alpha=0.5)
        for rule, reached in zip((BACKPROP, LAZY), y, strict=True):
            axes.plot(x, reached, "o", ms=4, color=plotting.RULES[rule])
    axes.set_xticks(range(len(thins)), [f"1/{thin}" for thin in thins])
    axes.set(xlabel="kept of the rare digits", ylabel=label)
    axes.grid(axis="x", visible=False)
    panels.append(figure)
plotting.show(
    *panels,
    name="fig-rare-classes",
    caption="Two of ten digits are thinned out. (a) Their share among the samples "
    "that lazy learning learns, against their share in the data; on the line it would "
    f"be that of backprop. (b) Accuracy on these digits after {scale.epochs} "
    "epochs, and (c) balanced accuracy, of all digits. Blue is backprop, orange "
    "lazy learning; a dot is one seed, with its own pair of rare digits, and a thin "
    f"line joins the two rules: n&nbsp;=&nbsp;{len(scale.seeds)}, "
    f"H&nbsp;=&nbsp;{size}. (Paper: Discussion; no figure.)",
    alt="a, points of the share learned against the share in the data, above the "
    "diagonal. b and c, pairs of dots of accuracy, one for each rule, for digits of "
    "which ever fewer are kept.",
    notebook=NAME,
    lead=True,
)


# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table"}


def lead(*case, epoch=scale.epochs):
    """Return lazy learning's balanced accuracy less backprop's, for each seed."""
    return [
        accuracy("balanced", LAZY, *case, seed, epoch=epoch)
        - accuracy("balanced", BACKPROP, *case, seed, epoch=epoch)
        for seed in scale.seeds
    ]


cases = [(size, thin) for size, thins in thinned.items() for thin in thins]
excess = {
    (*case, seed): share_learned("balanced", *case, seed)
    / is_rare[case[1], seed].mean()
    for case, seed in product(cases, scale.seeds)
}
times_share = analysis.over_seeds(excess)
early = max(scale.epochs // 10, 1)
medians = [np.median(lead(*case)) for case in cases]
rare = [
    accuracy("rare", BACKPROP, scale.hidden[0], thin, seed)
    for thin, seed in product(thinned[scale.hidden[0]], scale.seeds)
]
lines = [
    f"| H = {size}, 1/{thin} | "
    f"{times_share[size, thin]:.1f} | "
    f"{span([np.mean(lead(size, thin, epoch=early))], '+.2f')} | "
    f"{span([np.mean(lead(size, thin))], '+.2f')} |"
    for size, thin in cases
]
for size in dict(cases):
    ahead = [
        accuracy(LAZY, size, seed) - accuracy(BACKPROP, size, seed)
        for seed in scale.seeds
    ]
    lines.append(f"| H = {size}, all | | | {span([np.mean(ahead)], '+.2f')} |")
Markdown(
    "How many times their share in the data the rare digits have among the samples "
    "learned in the last epoch, and by how many points lazy learning is ahead of "
    "backprop in balanced accuracy: means over seeds. The lines “all” "
    "are MNIST as it is, with its own test set: there the two rules differ for other "
    "reasons than rarity. Single seeds weigh heavily: backprop classifies "
    f"{span(rare, '.0f')} % of the rare digits correctly, and the medians over seeds "
    f"of what lazy learning is ahead by in the end are {span(medians, '+.2f')} "
    f"points.\n\n| kept of the rare digits | times their share | ahead, epoch {early} "
    f"| epoch {scale.epochs} |\n| --- | --- | --- | --- "
    "|\n" + "\n".join(lines)
)

# %% [markdown]
# ## The claims
#
# The claim of the paper that is measured here. Accuracies are those at the end of the run, on the
# test set, not the best within it.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
found = notebook.Findings(settings, NAME, "LL20")
measure = "share of the rare class among the samples learned / in the data"
found.each("LL20", measure, "H = {}, 1/{}", excess)
measure = "balanced accuracy of lazy - of backprop (points)"
for size, thin in cases:
    ahead = dict(zip(scale.seeds, lead(size, thin), strict=True))
    found.each("LL20", measure, f"H = {size}, 1/{thin}", ahead)
sweeps = [whole, unbalanced]
found.verdicts(sweeps)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
ahead = [lead(*case) for case in cases]
behind = sum(each < 0 for of_case in ahead for each in of_case)
found.answer(
    "Lazy learning learns the rare digits "
    f"**{span(times_share, '.1f')} times as often** as they occur. After "
    f"{scale.epochs} epochs its balanced accuracy differs from that of backprop by "
    f"{span([np.mean(of_case) for of_case in ahead], '+.2f')} points, in the means "
    f"over seeds; it is lower in {behind} of {sum(map(len, ahead))} pairs."
)

# %% [markdown]
# ## Your turn
#
# **1.** All ten digits are about equally frequent. If two of them are thinned out to one in n,
# which share of the images do they have? Write the formula, and hold it against the data.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: the share of the rare digits"}
# NBVAL_CHECK_OUTPUT
for thin in thins:
    estimate = (2 / thin) / (8 + 2 / thin)
    share = span([100 * is_rare[thin, seed].mean() for seed in scale.seeds], ".2f")
    print(f"1/{thin}: (2/n) / (8 + 2/n) = {100 * estimate:.2f} %, here {share} %")

# %% [markdown]
# **2.** Which part of the rare images ends in the memory, and which part of the common ones? What
# is the most that the first could be, and how often would rare digits then be learned?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: rare and common in the memory"}
# NBVAL_CHECK_OUTPUT
for thin in thins:
    key = scale.hidden[0], thin, scale.seeds[0]
    kept, rare_ones = runs["balanced", LAZY, *key].arrays["memory"], is_rare[key[1:]]
    rare, common = kept[rare_ones].mean(), kept[~rare_ones].mean()
    share = rare_ones.mean()
    most = 1 / (share + (1 - share) * common)
    print(
        f"1/{thin}: {100 * rare:.0f} % of the rare, {100 * common:.0f} % of the common;"
        f" at most {most:.1f} times as often as they occur"
    )

# %% [markdown]
# Next: {doc}`How much is remembered of larger and larger sets? <memory_growth>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes(sweeps)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, sweeps)
