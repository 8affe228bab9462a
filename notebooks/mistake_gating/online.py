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
# # Online, with a buffer · mistake gating
#
# Images arrive one after another, each once. Those that are stored in a buffer can be replayed;
# those that are not are gone. Mistake gating has a suggestion what to store
# {cite}`pache2026mistake`: only what was misclassified when it arrived. How much smaller is that
# buffer, and what does it cost in accuracy?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`fewer updates <updates>`, and {doc}`what is memorized
# <../lazy_learning/memory>`, for which images are mistakes.

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

import numpy as np
import pandas as pd
from IPython.display import Markdown

from lazybook.book import notebook, plotting
from lazybook.book.notebook import span
from lazybook.buffers import Everything, OnlyMistakes, RandomShare, Reservoir
from lazybook.experiment import preset
from lazybook.gates import EverySample, MemorizedMistakes

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=([100], [100], [100]),
    stream=("10000-15999", "10000-59999", "10000-59999"),
    prior_epochs=(2, 10, 20),
    replays=([1, 3], [1, 3, 9], [1, 3, 9]),
    shares=([0.1], [0.01, 0.1], [0.01, 0.1, 0.3]),
    seeds=([0], [0], [0, 1, 2, 3, 4]),
)
[size] = scale.hidden
NAME = "mistake_gating/online"
BACKPROP, LAZY = "every-sample", "memorized-mistakes"

# %% [markdown]
# ## The runs
#
# The stream has 50,000 images of MNIST. Each is presented when it arrives, and stored or not; then
# stored images are replayed, drawn at random, a fixed number for each that arrives. So all runs
# with the same number of replays have presented as many images. Four buffers:
#
# * *everything* is stored,
# * *mistakes* are stored: what the network misclassified on arrival,
# * a *random share* is stored, with the probability that makes it as large as that of mistakes,
# * a *reservoir* of exactly that size is at any time a random choice of what has arrived.
#
# Backprop or lazy learning learns from them. From the buffer of mistakes lazy learning learns every
# image that it replays, because each was a mistake. Some networks start from scratch, others with
# *prior knowledge*: they have learned the 10,000 images of MNIST that are not in the stream, or the
# digits 0 to 4 among them.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
base = preset("lazy", hidden=size, measure_every=10**9, measure_training=False)
OTHER = "mnist/samples:0-9999"
prior = replace(base, epochs=scale.prior_epochs, record=("weights",))
PRIORS = {
    "from scratch": None,
    "other images known": replace(prior, dataset=OTHER),
    "digits 0–4 known": replace(prior, dataset=f"{OTHER}/classes:0-4"),
}
GATES = {BACKPROP: EverySample(), LAZY: MemorizedMistakes()}


def experiment(known, replays, seed, buffer, rule):
    """Return the experiment of a stream, each image with so many replays."""
    after = PRIORS[known] and replace(PRIORS[known], seed=seed)
    return replace(
        base, dataset=f"mnist/samples:{scale.stream}", epochs=1 + replays, seed=seed,
        buffer=buffer, gate=GATES[rule], after=after,
    )  # fmt: skip


SCRATCH, FEW = "from scratch", scale.replays[1]
cases = [(k, r, s) for k in PRIORS for r in scale.replays for s in scale.seeds]
of_mistakes = settings.sweep(
    [experiment(*case, OnlyMistakes(), LAZY) for case in cases]
)
begin, end = map(int, scale.stream.split("-"))
length = end + 1 - begin
wanted, runs = {}, {}
for case, run in zip(cases, of_mistakes.runs, strict=True):
    runs[*case, "mistakes", LAZY] = run
    kept = run.final["buffered"]
    others = {"everything": Everything(), "reservoir": Reservoir(kept)}
    if case[0] == SCRATCH:
        wanted[*case, "mistakes", BACKPROP] = experiment(
            *case, OnlyMistakes(), BACKPROP
        )
        others["random share"] = RandomShare(round(kept / length, 4))
    for name, buffer in others.items():
        for rule in GATES if case[0] == SCRATCH else [BACKPROP]:
            wanted[*case, name, rule] = experiment(*case, buffer, rule)
for share in scale.shares:
    for seed in scale.seeds:
        key = (SCRATCH, FEW, seed, f"random share {share}", BACKPROP)
        wanted[key] = experiment(SCRATCH, FEW, seed, RandomShare(share), BACKPROP)
others = settings.sweep(list(wanted.values()))
runs |= dict(zip(wanted, others.runs, strict=True))
ends = pd.DataFrame(
    [
        {
            "known": known, "replays": replays, "seed": seed, "buffer": buffer,
            "rule": rule, "kept": run.final["buffered"],
            "accuracy": 100 * run.final["test_accuracy"],
        }
        for (known, replays, seed, buffer, rule), run in runs.items()
    ]
)  # fmt: skip

# %% [markdown]
# ## It depends on how often one replays
#
# Panel a at the top is the picture that the abstract has in mind: the buffer of mistakes gives more
# accuracy than a random one of its size, and is as good as a buffer of everything. With fewer
# replays it is even better than that, because hard images come back more often. But in panel b the
# advantage turns around as replays get more frequent.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
MARKS = {"everything": "o", "mistakes": "s", "random share": "^", "reservoir": "D"}
LEARNERS = {
    ("everything", BACKPROP), ("mistakes", LAZY), ("mistakes", BACKPROP),
    ("random share", BACKPROP), ("reservoir", BACKPROP),
}  # fmt: skip
scratch = ends[ends["known"] == SCRATCH]
stored, left = plotting.subplots(figsize=(3.95, 3.7))
for (buffer, rule), group in scratch[scratch["replays"] == FEW].groupby(
    ["buffer", "rule"]
):
    if (buffer, rule) in LEARNERS:
        look = {"marker": MARKS[buffer], "color": plotting.RULES[rule], "ls": "none"}
        left.plot(group["kept"], group["accuracy"], **look, ms=5)
shares = scratch[scratch["buffer"].str.contains(r"share \d|everything")]
shares = shares[(shares["replays"] == FEW) & (shares["rule"] == BACKPROP)]
means = shares.groupby("buffer")[["kept", "accuracy"]].mean().sort_values("kept")
left.plot(*means.T.values, color=plotting.RULES[BACKPROP], lw=1, alpha=0.6)
plotting.logarithmic(left.xaxis, [1, 3], "{x:,.0f}")
left.set(xlabel="images in the buffer", ylabel="test accuracy (%)")
left.set_title(f"{FEW} replays", loc="left", fontsize="small")

often, right = plotting.subplots(figsize=(3.95, 3.7))
for (buffer, rule), group in scratch.groupby(["buffer", "rule"]):
    if (buffer, rule) in LEARNERS:
        look = {"marker": MARKS[buffer], "markersize": 5}
        name = f"{buffer}, {plotting.NAMES[rule]}"
        plotting.over_seeds(
            right, group, "replays", "accuracy", rule, **look, label=name
        )
right.set(xscale="log", xlabel="replays for each image that arrives")
right.set(ylabel="test accuracy (%)")
right.set_xticks(scale.replays, scale.replays)
right.set_xticks([], minor=True)
often.legend(loc="outside upper right", ncols=2, fontsize="x-small")
N_SEEDS = f"n&nbsp;=&nbsp;{len(scale.seeds)}"
plotting.show(
    stored,
    often,
    name="fig-online",
    caption="Accuracy at the end of the stream, from scratch. Colours tell who learns "
    "(blue: backprop, orange: lazy learning), marks what is stored. (a) Against "
    f"the images stored, with {FEW} replays for each image that arrives; a mark is one "
    "seed, and the line joins the means of random shares and of everything. (b) "
    "Against the number of replays; lines are means over seeds, bands go from the "
    f"lowest to the highest. {N_SEEDS}, H&nbsp;=&nbsp;{size}. (Paper: abstract.)",
    alt="a, marks of accuracy against buffer size, on a logarithmic axis; the squares "
    "of mistakes stand above the random buffers of their size. b, accuracy against the "
    "number of replays: with everything stored it rises, with mistakes only it falls.",
    notebook=NAME,
    lead=True,
)


# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table"}
def values(known, replays, buffer, rule, column="accuracy"):
    """Return a column of the ends of runs, by seed."""
    chosen = (
        (ends["known"] == known)
        & (ends["replays"] == replays)
        & (ends["buffer"] == buffer)
        & (ends["rule"] == rule)
    )
    return ends[chosen].set_index("seed")[column]


rows = []
for known in PRIORS:
    for replays in scale.replays:
        row = {
            "start": known,
            "replays": replays,
            "mistakes stored": span(
                values(known, replays, "mistakes", LAZY, "kept"), ",.0f"
            ),
        }
        for buffer, rule in (
            ("everything", BACKPROP), ("mistakes", LAZY), ("reservoir", BACKPROP),
            ("mistakes", BACKPROP), ("random share", BACKPROP), ("reservoir", LAZY),
        ):  # fmt: skip
            accuracy = values(known, replays, buffer, rule)
            mean = f"{accuracy.mean():.2f}" if len(accuracy) else np.nan
            row[f"{buffer}, {plotting.NAMES[rule]}"] = mean
        rows.append(row)
notebook.html_table(pd.DataFrame(rows), "accuracy for each buffer")

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the numbers"}
most, few = scale.replays[-1], scale.replays[0]


def lead(replays, buffer, rule, known=SCRATCH):
    """Return the accuracy with mistakes only, lazily, less that of another; by seed."""
    ours = values(known, replays, "mistakes", LAZY)
    return ours - values(known, replays, buffer, rule)


def points(replays, buffer):
    """Return the mean of that, against another buffer learned by backprop."""
    return span([lead(replays, buffer, BACKPROP).mean()], "+.2f")


Markdown(
    f"Test accuracies are means over seeds, in percent. With {few} replay for each "
    "image "
    "that arrives the buffer of mistakes, learned lazily, is "
    f"{points(few, 'everything')} points from a buffer of everything learned by "
    f"backprop; with {most} it is {points(most, 'everything')}."
)

# %% [markdown]
# Why does it turn around? A buffer of mistakes is a skewed sample: it has the images that are
# badly written, ambiguous or mislabelled, and those that came while the network was a beginner. The
# images that arrive balance it, as one of them comes between replays. The more replays there
# are for each, the more the network fits the odd ones, and forgets the plain. A random buffer of
# the same size is not skewed, and gains from more replays, as a buffer of everything does. So the
# claim holds for few replays, and fails for many.
#
# ## With prior knowledge
#
# A network that knows something makes fewer mistakes, so it stores less.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of prior knowledge"}
figure, axes = plotting.subplots(figsize=(5.4, 2.7))
for place, known in enumerate(PRIORS):
    for shift, replays in zip((-0.2, 0, 0.2), scale.replays, strict=False):
        kept = values(known, replays, "mistakes", LAZY, "kept")
        axes.plot(
            kept, [place + shift] * len(kept), "s", ms=4, color=plotting.RULES[LAZY]
        )
axes.set_yticks(range(len(PRIORS)), PRIORS)
axes.invert_yaxis()
axes.set(xlabel="images in the buffer of mistakes", xlim=(0, None))
plotting.show(
    figure,
    name="fig-online-prior",
    caption="Images in the buffer of mistakes at the end of the stream, of "
    f"{length:,} that arrived; from top to bottom in each group with "
    f"{', '.join(map(str, scale.replays))} replays. A mark is one seed, {N_SEEDS}. "
    "(Paper: "
    "abstract.)",
    alt="Three groups of squares: from scratch most images are stored, with prior "
    "knowledge fewer.",
    notebook=NAME,
)
smaller = {
    known: {
        (replays, seed): value
        for replays in scale.replays
        for seed, value in (
            values(known, replays, "mistakes", LAZY, "kept")
            / values(SCRATCH, replays, "mistakes", LAZY, "kept")
        ).items()
    }
    for known in list(PRIORS)[1:]
}
Markdown(
    "; ".join(
        f"{known}: {span(ratio.values(), '.2f')} times the buffer from scratch"
        for known, ratio in smaller.items()
    )
    + ". Half of it, which the claim asks for, would take a network that makes half "
    "the "
    "mistakes of a beginner over the whole stream; but the beginner is one only for "
    "the "
    "first few thousand images."
)

# %% [markdown]
# ## The claims
#
# How many replays there are is not known of the paper, so each number is a condition of its own. A
# random buffer has two learners, backprop and lazy learning; the claim has to hold against
# both.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
found = notebook.Findings(settings, NAME, "MG3", "MG3b")
for replays in scale.replays:
    where = f"{replays} replay{'s' * (replays > 1)}"
    share = values(SCRATCH, replays, "mistakes", LAZY, "kept") / length
    found.each("MG3", "samples kept / samples of the stream", where, share)
    measure = "accuracy - with everything kept (points)"
    found.each("MG3", measure, where, lead(replays, "everything", BACKPROP))
    measure = "accuracy - with a random buffer of that size (points)"
    for buffer in ("random share", "reservoir"):
        for rule in GATES:
            said = f"{where}, {buffer}, {plotting.NAMES[rule]}"
            found.each("MG3", measure, said, lead(replays, buffer, rule))
for known, ratio in smaller.items():
    measure = "samples kept with prior knowledge / from scratch"
    for (replays, seed), value in ratio.items():
        where = f"{known}, {replays} replay{'s' * (replays > 1)}"
        found.add("MG3b", measure, where, value, seed)
sweeps = [of_mistakes, others]
found.verdicts(sweeps)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
kept = [
    values(SCRATCH, replays, "mistakes", LAZY, "kept").mean() / length
    for replays in scale.replays
]
found.answer(
    f"A buffer of mistakes only holds **{100 * np.mean(kept):.0f} %** of the stream. "
    "With "
    f"{few} replay for each image it is "
    f"**{points(few, 'everything')} points** from storing everything and "
    f"{points(few, 'reservoir')} from a random buffer of its size; with {most} replays "
    f"{points(most, 'everything')} and {points(most, 'reservoir')} points. Prior "
    "knowledge shrinks it "
    f"to {span([np.mean([*ratio.values()]) for ratio in smaller.values()], '.2f')} "
    "times "
    "its size."
)

# %% [markdown]
# ## Your turn
#
# **1.** How much memory is saved? A pixel takes a byte. Compare the buffers with what the weights
# of the network take, four bytes each.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: megabytes"}
# NBVAL_CHECK_OUTPUT
stored_mistakes = values(SCRATCH, FEW, "mistakes", LAZY, "kept").mean()
for name, count in (("everything", length), ("mistakes", stored_mistakes)):
    print(f"{name}: {count * 784 / 1e6:.2f} MB")
print(f"weights: {4 * (785 * size + 10 * (size + 1)) / 1e6:.2f} MB")

# %% [markdown]
# **2.** All runs with as many replays have presented as many images. But have they learned as many?
# Order the buffers by how many updates they took, before you look.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: images learned"}
# NBVAL_CHECK_OUTPUT
taken = {
    (buffer, rule): np.mean(
        [
            runs[SCRATCH, FEW, seed, buffer, rule].final["updates"]
            for seed in scale.seeds
        ]
    )
    for buffer in MARKS
    for rule in GATES
}
for (buffer, rule), count in sorted(taken.items(), key=lambda item: item[1]):
    print(f"{buffer}, {plotting.NAMES[rule]}: {count:,.0f}")

# %% [markdown]
# Next: {doc}`How many images have to be learned, the more there are? <distinct_samples>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes(sweeps)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, sweeps)
