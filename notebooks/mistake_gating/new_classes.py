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
# # New classes · mistake gating
#
# A network that knows some digits is to learn the others as well. Most images of the digits that it
# knows are classified correctly from the start, so there is little to learn from them. That is what
# mistake gating {cite}`pache2026mistake` is said to be particularly well suited for: new knowledge
# on a background of existing knowledge. Does it save more there than from scratch? And what becomes
# of the old digits?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`fewer updates <updates>`, for what is saved from scratch.

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
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes, Mistakes

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=([100], [100], [100]),
    first_epochs=(1, 5, 10),
    epochs=(1, 4, 8),
    scratch_epochs=(2, 10, 50),
    more_epochs=(1, 3, 5),
    images=("mnist/samples:0-9999", "mnist", "mnist"),
    last=([4], [4, 8], [4, 8]),
    seeds=([0], [0], [0, 1, 2, 3, 4]),
)
[size] = scale.hidden
NAME = "mistake_gating/new_classes"
BACKPROP, LAZY, PURE = "every-sample", "memorized-mistakes", "mistakes"
GATES = [EverySample(), MemorizedMistakes(), Mistakes()]

# %% [markdown]
# ## The runs
#
# First a network learns the digits 0 to 4 of MNIST by backprop (and another one 0 to 8). Then
# it goes on with all ten, which are presented in a random order, by one of three rules. How the
# paper splits the classes is not known; these are the book's own splits. From the beginning there
# are ten outputs. For comparison there are the runs from scratch of
# {doc}`../lazy_learning/fig2_mnist`.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
base = preset(
    "lazy",
    dataset=scale.images,
    hidden=size,
    measure_every=2000,
    measure_training=False,
)
OLD = {last: f"{scale.images}/classes:0-{last}" for last in scale.last}
NEW = {last: f"{scale.images}/classes:{last + 1}-9" for last in scale.last}


def knowing(last, seed, gate=GATES[0]):
    """Return the experiment that learns the digits up to the last one that is known."""
    return replace(
        base, dataset=OLD[last], epochs=scale.first_epochs, gate=gate, seed=seed,
        measure_every=10**9, record=("weights",),
    )  # fmt: skip


keys = list(product(scale.last, (BACKPROP, LAZY, PURE), scale.seeds))
gates = {str(gate): gate for gate in GATES}
going_on = settings.sweep(
    [
        replace(
            base, epochs=scale.epochs, gate=gates[rule], seed=seed,
            after=knowing(last, seed), also_test=(OLD[last], NEW[last]),
        )
        for last, rule, seed in keys
    ])  # fmt: skip
runs = dict(zip(keys, going_on.runs, strict=True))
whole = preset("lazy", hidden=size, epochs=scale.scratch_epochs)
from_scratch = settings.sweep(grid(whole, gate=GATES[:2], seed=scale.seeds))
scratch = {
    (str(e.gate), e.seed): run for run in from_scratch.runs for e in [run.experiment]
}

# %% [markdown]
# ## All digits, from some of them
#
# At the top: panel a tells how many images were learned until a test accuracy on all ten digits was
# first reached, after 0 to 4 were known, and from scratch (dotted). In panel b the accuracy on the
# old digits falls at first, under all rules: the outputs of the new digits have to be learned, and
# the old ones are in the way. Then it recovers.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
last = scale.last[0]
until, left = plotting.subplots(figsize=(3.95, 3.6))
for rule, style in product((BACKPROP, LAZY, PURE), ("-", ":")):
    if style == "-":
        group = [runs[last, rule, seed] for seed in scale.seeds]
    elif rule != PURE:
        group = [scratch[rule, seed] for seed in scale.seeds]
    else:
        continue
    best = min(run.table["test_accuracy"].max() for run in group)
    reached = np.linspace(0.9 if settings.profile != "smoke" else 0.7, best, 100)
    values = np.array([analysis.when_reached(r, reached, "updates") for r in group])
    look = {"color": plotting.RULES[rule], "ls": style}
    name = plotting.NAMES[rule] + ", from scratch" * (style == ":")
    left.plot(100 * reached, values.mean(axis=0), **look, label=name)
    low, high = values.min(axis=0), values.max(axis=0)
    left.fill_between(100 * reached, low, high, color=look["color"], alpha=0.2, lw=0)
plotting.logarithmic(left.yaxis, [1, 3], "{x:,.0f}")
left.set(xlabel="test accuracy, all digits (%)", ylabel="images learned")
left.legend(fontsize="small")

parts, right = plotting.subplots(figsize=(3.95, 3.6))
for rule, (part, style) in product(
    (BACKPROP, LAZY, PURE), (("old", "-"), ("new", "--"))
):
    name = (OLD if part == "old" else NEW)[last]
    group = [runs[last, rule, seed] for seed in scale.seeds]
    band = 100 * analysis.band(group, f"test_accuracy_{name}")
    look = {"color": plotting.RULES[rule], "ls": style}
    right.plot(band.index, band["mean"], **look)
    right.fill_between(
        band.index, band["low"], band["high"], color=look["color"], alpha=0.2, lw=0
    )
for style, part in (("-", "old digits"), ("--", "new digits")):
    right.plot([], [], color=plotting.INK, ls=style, label=part)
right.set(xlabel="epoch", ylabel="test accuracy (%)", ylim=(80, 100))
right.legend(fontsize="small", loc="lower right")
N_SEEDS = f"n&nbsp;=&nbsp;{len(scale.seeds)}"
plotting.show(
    until,
    parts,
    name="fig-new-classes",
    caption=f"A network that knows 0 to {last} learns all ten digits. (a) Images "
    "learned until a test accuracy on all digits was first reached; dotted: from "
    "scratch. (b) Accuracy on the old and the new digits. Lines are means over "
    f"seeds, bands go from the lowest to the highest; {N_SEEDS}, H&nbsp;=&nbsp;{size}. "
    "(Paper: abstract.)",
    alt="a, images learned against accuracy, on a logarithmic axis: backprop's curves "
    "lie highest, those of lazy and pure lazy learning lowest. b, accuracy on old and "
    "new digits against epochs.",
    notebook=NAME,
    lead=True,
)


# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table"}
def updates(run, goal):
    """Return the images learned until a test accuracy, inf if it was not reached."""
    reached = analysis.when_reached(run, [goal], "updates").item()
    return math.inf if math.isnan(reached) else reached


def goal(last, seed):
    """Return backprop's final accuracy on all digits, less half a point."""
    return runs[last, BACKPROP, seed].final["test_accuracy"] - 0.005


def ratio(last, seed, rule=LAZY):
    """Return updates of a rule / of backprop, after some digits were known."""
    wanted = goal(last, seed)
    gated, plain = (
        updates(runs[last, gate, seed], wanted) for gate in (rule, BACKPROP)
    )
    return gated / plain


def ratio_from_scratch(last, seed):
    """Return updates of lazy learning / of backprop from scratch, to that goal."""
    gated, plain = (
        updates(scratch[gate, seed], goal(last, seed)) for gate in (LAZY, BACKPROP)
    )
    return gated / plain if math.isfinite(plain) else math.nan


def ahead(last, seed, name, rule=LAZY):
    """Return a rule's final accuracy less backprop's, in points."""
    column = f"test_accuracy_{name}"
    gated, plain = (runs[last, gate, seed].final[column] for gate in (rule, BACKPROP))
    return 100 * (gated - plain)


lines = []
for last, rule in product(scale.last, (LAZY, PURE)):
    saved = [100 * (1 - ratio(last, seed, rule)) for seed in scale.seeds]
    alone = [100 * (1 - ratio_from_scratch(last, seed)) for seed in scale.seeds]
    cells = [
        "missed by some" if -math.inf in saved else span(saved, ".0f"),
        span(alone, ".0f") if rule == LAZY else "–",
        *(
            span(
                [np.mean([ahead(last, s, name[last], rule) for s in scale.seeds])],
                "+.2f",
            )
            for name in (OLD, NEW)
        ),
    ]
    lines.append(f"| 0–{last} | {plotting.NAMES[rule]} | {' | '.join(cells)} |")
Markdown(
    "By how many percent the updates are fewer than backprop's, until its final "
    "accuracy on all digits less half a point (the range over seeds); and by how many "
    f"points the rule is ahead after {scale.epochs} epochs (means).\n\n| known | "
    "rule | "
    "fewer updates (%) | from scratch (%) | old digits | new digits |\n| --- | --- | "
    "--- | --- | --- | --- |\n" + "\n".join(lines)
)

# %% [markdown]
# ## If the old digits do not come back
#
# Of this the paper's abstract says nothing. A network that goes on with the *new* digits alone
# forgets the old ones, whatever the rule. What if it is shown, beside the new digits, those images
# of the old ones that it misclassified the first time? They are the memory of lazy learning, which
# is there anyway. It is compared with as many old images drawn at random, and with none.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs with replay"}
last = scale.last[0]
images = datasets.load(scale.images)
old = datasets.load(OLD[last]).train
new = images.train.part(images.train.labels > last)
remembering = settings.sweep([knowing(last, seed, GATES[1]) for seed in scale.seeds])


def with_replay(rows):
    """Return the name of the new digits and these of the old."""
    extra = old.part(rows)
    values = np.concatenate([new.values, extra.values])
    labels = np.concatenate([new.labels, extra.labels])
    train = replace(new, values=values, labels=labels)
    return datasets.derived("replayed", train, images.test)


replayed = {}
for seed, run in zip(scale.seeds, remembering.runs, strict=True):
    memory = np.flatnonzero(run.arrays["memory"])
    rows = {
        "none": memory[:0],
        "memory": memory,
        "random": np.random.default_rng(seed).choice(len(old), len(memory), False),
    }
    for (which, chosen), gate in product(rows.items(), GATES[:2]):
        replayed[which, str(gate), seed] = replace(
            base, dataset=with_replay(chosen), epochs=scale.more_epochs, gate=gate,
            seed=seed, after=run.experiment, also_test=(OLD[last], NEW[last]),
            measure_every=10**9,
        )  # fmt: skip
replaying = settings.sweep(list(replayed.values()))
ends = pd.DataFrame(
    [
        {
            "which": which, "rule": rule, "seed": seed,
            "old": 100 * run.final[f"test_accuracy_{OLD[last]}"],
            "new": 100 * run.final[f"test_accuracy_{NEW[last]}"],
            "all": 100 * run.final["test_accuracy"],
        }
        for (which, rule, seed), run in zip(replayed, replaying.runs, strict=True)
    ]
)  # fmt: skip

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure with replay"}
figure, axes = plotting.subplots(1, 2, figsize=(6.6, 3.0), sharey=True)
PLACES = {"none": 0, "random": 1, "memory": 2}
for panel, part in zip(axes, ("old", "new"), strict=True):
    for (which, rule), group in ends.groupby(["which", "rule"]):
        place = PLACES[which] + (0.12 if rule == LAZY else -0.12)
        panel.plot(
            [place] * len(group), group[part], "o", ms=5, color=plotting.RULES[rule],
            label=plotting.NAMES[rule] if which == "none" else None,
        )  # fmt: skip
    panel.set_xticks([*PLACES.values()], ["none", "at random", "the memory"])
    panel.set(xlabel=f"old images replayed, {part} digits tested")
    panel.grid(axis="x", visible=False)
axes[0].set(ylabel="test accuracy (%)", ylim=(-3, 103))
axes[0].set_title("a", weight="bold")
axes[1].set_title("b", weight="bold")
axes[0].legend(fontsize="small", loc="center right")
kept = [run.final["memorized"] for run in remembering.runs]
plotting.show(
    figure,
    name="fig-new-classes-replay",
    caption=f"A network that learned 0 to {last} lazily goes on with the other digits "
    "alone, with the old images in its memory, or with as many old images drawn at "
    f"random. Accuracy on the old (a) and the new digits (b) after "
    f"{scale.more_epochs} epochs; a dot is one seed, {N_SEEDS}. (Not in the paper.)",
    alt="Dots of accuracy in three groups. Without replay the old digits are "
    "forgotten; "
    "with old images at random, or with the memory, they are not.",
    notebook=NAME,
)
mean = ends.groupby(["which", "rule"])[["old", "new", "all"]].mean()


def told(which, rule):
    return f"{mean.loc[(which, rule), 'old']:.1f} %"


better = {
    rule: ends[ends["which"] == "memory"].set_index(["rule", "seed"])["all"][rule]
    - ends[ends["which"] == "random"].set_index(["rule", "seed"])["all"][rule]
    for rule in (BACKPROP, LAZY)
}
Markdown(
    f"The memory has {span(kept, ',.0f')} of {len(old):,} old images. With it the "
    f"network classifies {told('memory', BACKPROP)} of the old digits correctly after "
    f"learning by backprop ({told('memory', LAZY)} lazily), with as many at random "
    f"{told('random', BACKPROP)} ({told('random', LAZY)}), and without any "
    f"{told('none', BACKPROP)} ({told('none', LAZY)}). On all digits the memory is "
    f"ahead of a random choice by {span(better[BACKPROP], '+.2f')} points (lazily "
    f"{span(better[LAZY], '+.2f')}), the range over seeds."
)

# %% [markdown]
# So the images that were hard the first time are *not* good ones to keep the old digits alive with:
# a random choice is better. The memory is full of odd images, each of which speaks for itself, and
# of those seen in the first minutes; what is to be kept is what a digit usually looks like. The
# same skew shows in {doc}`online`, where mistakes are replayed often.
#
# ## The claims
#
# With 5 of 10 digits known half of the task is still new, and the saving is hardly larger than from
# scratch; with 9 of 10 known it is far larger. Accuracies are those at the end of the run.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
found = notebook.Findings(settings, NAME, "MG2")
for last, seed in product(scale.last, scale.seeds):
    where = f"0–{last} known, H = {size}"
    measure = (
        "updates of lazy / of backprop until backprop's final accuracy less 0.5 points"
    )
    found.add("MG2", measure, where, ratio(last, seed), seed)
    measure = "that ratio / the ratio from scratch"
    value = ratio(last, seed) / ratio_from_scratch(last, seed)
    found.add("MG2", measure, where, value, seed)
    measure = "accuracy on the old classes, lazy - backprop (points)"
    found.add("MG2", measure, where, ahead(last, seed, OLD[last]), seed)
sweeps = [going_on, from_scratch, remembering, replaying]
found.verdicts(sweeps)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
saved = [
    100 * (1 - np.mean([ratio(last, seed) for seed in scale.seeds]))
    for last in scale.last
]
alone = [
    100 * (1 - np.nanmean([ratio_from_scratch(last, seed) for seed in scale.seeds]))
    for last in scale.last
]
behind = [
    np.mean([ahead(last, seed, OLD[last]) for seed in scale.seeds])
    for last in scale.last
]
found.answer(
    f"With some digits known, the others are learned with **{span(saved, '.0f')} %** "
    f"fewer updates than backprop needs for the same accuracy on all; from scratch the "
    f"saving to that accuracy is {span(alone, '.0f')} %. On the old digits lazy "
    f"learning ends {span(behind, '+.2f')} points from backprop (means over seeds)."
)

# %% [markdown]
# ## Your turn
#
# **1.** A network that knows some digits names one of these, whatever it is shown. If that went on,
# how many of the first 2,000 images would it misclassify? Compare with the memory of lazy learning
# then: does it go on?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: the first 2,000 images"}
# NBVAL_CHECK_OUTPUT
for known in scale.last:
    unknown = 2000 * (images.train.labels > known).mean()
    begun = [
        runs[known, LAZY, seed].table.set_index("samples")["memorized"][2000]
        for seed in scale.seeds
    ]
    print(
        f"0–{known} known: {unknown:.0f} images of other digits; "
        f"{np.mean(begun):.0f} images memorized"
    )

# %% [markdown]
# **2.** Under which rule are the old digits forgotten most on the way, and when are they known as
# well again as at the start?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: forgetting"}
# NBVAL_CHECK_OUTPUT
column = f"test_accuracy_{OLD[scale.last[0]]}"
for rule in (BACKPROP, LAZY, PURE):
    table = runs[scale.last[0], rule, scale.seeds[0]].table
    drop = 100 * (table[column].iloc[0] - table[column].min())
    again = table["samples"][1:][table[column][1:] >= table[column].iloc[0]].min()
    when = "never" if np.isnan(again) else f"after {again:,.0f} images"
    print(f"{plotting.NAMES[rule]}: {drop:.1f} points are lost; regained {when}")

# %% [markdown]
# Next: {doc}`And if it is not the classes that are new, but how the images look? <new_domain>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes(sweeps)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, sweeps)
