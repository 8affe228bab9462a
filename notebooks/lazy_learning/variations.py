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
# # Variations: losses, optimizers, batches, data
#
# The networks of the other pages learn one image at a time, by plain descent of the squared error,
# because that is what a brain might do. Most networks on computers learn otherwise. The paper says
# in passing that cross-entropy needs more energy than the squared error, and that momentum,
# optimizers, batches, normalisation and augmentation do not undo the benefit of being lazy
# {cite}`pache2023lazy`. It shows no figures of either. Here are some.
#
# At the end is a table for those who want to repeat the other pages: squared errors come in two
# conventions, and some claims hold under one of them only.

# %% tags=["parameters", "hide-input"]
profile = "quick"  # smoke, quick or paper
device = "cpu"  # cpu or cuda
jobs = None  # experiments at a time; None: one a core
fresh = False  # True: compute again what the run store already has
hidden = None  # sizes of the hidden layer, such as [100, 1000]; None: as the profile says
epochs = None  # length of a run; None: as the profile says
seeds = None  # one run each, such as [0, 1, 2]; None: as the profile says

# %% tags=["hide-input"]
import math
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown
from matplotlib.lines import Line2D

from lazybook import datasets
from lazybook.book import analysis, claims, notebook, plotting
from lazybook.book.claims import Finding
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes, Mistakes
from lazybook.sweep import sweep

settings = notebook.start(globals())
NAME = "lazy_learning/variations"
hidden = settings.hidden or settings.choose(
    smoke=[30, 100], quick=[100, 500], paper=[100, 200, 500, 1000]
)
epochs = settings.epochs or settings.choose(smoke=2, quick=10, paper=50)
seeds = settings.seeds or settings.choose(smoke=[0], quick=[0], paper=[0, 1, 2])
BACKPROP, LAZY, PURE = "every-sample", "memorized-mistakes", "mistakes"
MEAN, HALF, ENTROPY = "mse", "half-mse", "cross-entropy"
LOSSES = {MEAN: "mean squared error", HALF: "half the sum of squares", ENTROPY: "cross-entropy"}

# %% [markdown]
# ## The runs with other losses
#
# Networks and task are those of {doc}`fig2_mnist`, and so is the learning rate of 0.01 for each
# loss. There are three:
#
# * the *mean squared error* over the ten outputs, as PyTorch has it and as everywhere in this part
#   of the book; what it sends back is $\frac{2}{10}(o - t)$;
# * *half the sum of squares*, as many textbooks have it; it sends back $o - t$, five times as much,
#   so minimising it is to learn at five times the rate;
# * *cross-entropy* after a softmax, which sends back $\text{softmax}(o) - t$.
#
# Pure lazy learning is there for the last section, as on {doc}`fig4_pure_lazy`: it stops if it gets
# 97.5 % of the test set right.

# %%
base = preset("lazy", epochs=epochs, engine=settings.engine, device=settings.device)
both = [EverySample(), MemorizedMistakes()]
squares = grid(base, loss=[MEAN, HALF], hidden=hidden, seed=seeds, gate=both)
pure = grid(
    replace(base, gate=Mistakes(), until=0.975), loss=[MEAN, HALF], hidden=hidden, seed=seeds
)
short = replace(base, loss=ENTROPY, epochs=min(epochs, 15), measure_training=False)
entropy = grid(short, hidden=sorted({min(hidden), max(hidden)}), seed=seeds, gate=both)
losses = sweep(squares + pure + entropy, jobs=settings.jobs, fresh=settings.fresh)

# %% tags=["hide-input"]
runs = {
    (e.loss, e.hidden, e.seed, str(e.gate)): run for run in losses.runs for e in [run.experiment]
}
ends = sorted({min(hidden), max(hidden)})


def extent(values, form=".2g"):
    """Return the range of ``values`` in words, without those that are missing."""
    found = [value for value in values if not math.isnan(value)]
    ends = dict.fromkeys(format(end, form) for end in (min(found), max(found))) if found else {}
    return " to ".join(ends) or "an unknown number of"


# %% [markdown]
# ## Cross-entropy
#
# The squared error has a target to arrive at. Cross-entropy has none: it falls as long as the right
# output grows beyond the others, so there is always something to gain from going on. How much
# energy does an accuracy cost with each?

# %% tags=["hide-input"]
LINES = {MEAN: "-", HALF: (0, (1, 1.2)), ENTROPY: (0, (4, 1.5))}
panels = []
for size in ends:
    figure, axes = plt.subplots(figsize=(3.95, 3.9))
    for loss, line in LINES.items():
        for rule in (BACKPROP, LAZY):
            group = [runs[loss, size, seed, rule] for seed in seeds]
            accuracies = [run.table["test_accuracy"].iloc[1:] for run in group]  # once trained
            reached = np.linspace(max(a.iloc[0] for a in accuracies), min(map(max, accuracies)))
            spent = [analysis.when_reached(run, reached, "energy_m1") for run in group]
            axes.plot(100 * reached, np.mean(spent, axis=0), ls=line, color=plotting.RULES[rule])
    plotting.stretch(axes, "x")
    axes.set(title=f"H = {size}", xlabel="test accuracy reached (%)", yscale="log")
    axes.set_ylabel("energy $M$ (sum of weight changes)")
    axes.set_xlim(left=88)
    panels.append(figure)
lines = [
    Line2D([], [], color=plotting.INK, ls=line, label=LOSSES[loss]) for loss, line in LINES.items()
]
panels[-1].axes[0].legend(handles=lines, fontsize="small", loc="lower right")
plotting.show(
    *panels,
    name="fig-variations-loss",
    caption="Energy spent until a test accuracy was first reached, by backprop (blue) and lazy "
    "learning (orange): solid lines for the mean squared error, dotted for half the sum of squares,"
    " dashed for cross-entropy. The axis of the accuracy is stretched towards 100 %. Means over "
    "seeds. (Paper: text of the results.)",
    alt="For a small and a large network, curves of energy rising with accuracy, for three losses "
    "and two rules.",
    notebook=NAME,
)
ACCURACIES = np.array([0.95, 0.96, 0.97])


def dearer(loss):
    """Return findings of the energy with cross-entropy by that with ``loss``, where both got."""
    measure = claims.claims()["LL17"].measures[0].name
    found, beyond = [], set()
    for size in ends:
        for rule in (BACKPROP, LAZY):
            for seed in seeds:
                spent = [
                    analysis.when_reached(runs[each, size, seed, rule], ACCURACIES, "energy_m1")
                    for each in (ENTROPY, loss)
                ]
                for accuracy, ratio in zip(ACCURACIES, spent[0] / spent[1], strict=True):
                    if math.isnan(ratio):
                        beyond.add(f"{100 * accuracy:g} % with H = {size}")
                        continue
                    at = f"H = {size}, {plotting.NAMES[rule]}, {100 * accuracy:g}\N{NBSP}%"
                    found.append(Finding(measure, at, float(ratio), seed))
    missing = "not reached by all runs"
    return found + [Finding(measure, at, math.nan, missing=missing) for at in sorted(beyond)]


Markdown(
    "At 95, 96 and 97 % correct, where both got there, cross-entropy took"
    f" {extent([f.value for f in dearer(MEAN)])} times the energy of the mean squared error. But it"
    " also sends back larger errors. Against half the sum of squares, whose errors are about as"
    f" large as its own, the ratio is {extent([f.value for f in dearer(HALF)])}."
)

# %% [markdown]
# ## Optimizers, batches, normalisation, augmentation
#
# Now one change at a time to how a network learns, each with backprop and with lazy learning. The
# plain setting here is half the sum of squares at a learning rate of 0.01, which gets to 97 % in a
# few epochs.
#
# * *Momentum* multiplies by ten what a gradient does in the end, so with it the learning rate is a
#   tenth.
# * *Adam* {cite}`kingma2015adam` scales the step of each synapse by the size of its gradients.
# * *Normalised* inputs have mean 0 and variance 1, over all pixels of all training images.
# * *Shifted* images are moved at random by up to two pixels along both axes, anew each time; the
#   test images stay where they are.
# * *Batches* are of 32 images, and are combined with the others, as one would.
#
# For Adam, batches and normalised inputs a few learning rates were tried, and one was taken with
# which *backprop* gets to 97 % soon. Lazy learning has to do with the same. Momentum, Adam and
# shifts one image at a time take long, and are left to the profile `paper`.
#
# Two things about the rule. In a batch each image's loss is gated: of those not learned it counts
# as 0, and the mean is taken over the whole batch. And if nothing is learned there is no step, so
# what momentum and Adam have gathered waits as well.

# %%
goal = settings.choose(smoke=0.8, quick=0.97, paper=0.97)
images = datasets.load("mnist")
pixels = images.train.values
mean = int(pixels.sum(dtype=np.int64)) / pixels.size
squared = int(np.square(pixels, dtype=np.uint16).sum(dtype=np.int64)) / pixels.size
deviation = math.sqrt(squared - mean**2)
preparation = {"scale": 1 / deviation, "offset": mean / deviation}
train, test = (replace(split, **preparation) for split in (images.train, images.test))
normalised = datasets.derived("mnist-normalised", train, test)

eager = preset(
    "lazy",
    loss=HALF,
    hidden=settings.choose(smoke=30, quick=200, paper=200),
    epochs=30,
    until=goal,
    measure_training=False,
    engine="autograd",
    device=settings.device,
)
plain = replace(eager, engine=settings.engine)
batches = replace(eager, batch=32, learning_rate=0.2)
alone = {
    "momentum 0.9": replace(eager, optimizer="momentum:0.9", learning_rate=0.001),
    "Adam": replace(eager, optimizer="adam", learning_rate=0.0001),
    "shifted": replace(eager, shifts=2),
}
VARIATIONS = {
    "plain": plain,
    "normalised": replace(plain, dataset=normalised, learning_rate=0.005),
    **settings.choose(smoke={}, quick={}, paper=alone),
    "batches": batches,
    "batches, momentum 0.9": replace(batches, optimizer="momentum:0.9", learning_rate=0.02),
    "batches, Adam": replace(batches, optimizer="adam", learning_rate=0.0005),
    "batches, shifted": replace(batches, shifts=2),
}
experiments = [e for each in VARIATIONS.values() for e in grid(each, seed=seeds, gate=both)]
variations = sweep(experiments, jobs=settings.jobs, fresh=settings.fresh)

# %% tags=["hide-input"]
MEASURE = claims.claims()["LL18"].measures[0].name
COLUMNS = ["updates", "samples", "energy_m1"]
cost = pd.DataFrame(
    [[analysis.when_reached(run, [goal], column).item() for column in COLUMNS]
     for run in variations.runs],
    index=pd.MultiIndex.from_product([VARIATIONS, seeds, [BACKPROP, LAZY]]),
    columns=COLUMNS,
)  # fmt: skip
backprop, lazy = (cost.xs(rule, level=2) for rule in (BACKPROP, LAZY))
ratio = lazy.fillna(math.inf) / backprop  # no value where backprop did not get there
found = {
    "LL17": dearer(MEAN),
    "LL18": [
        Finding(MEASURE, name, float(value), seed)
        for (name, seed), value in ratio["updates"].items()
    ],
}
judged = {j.condition: j for j in claims.judge(claims.claims()["LL18"], found["LL18"]).judged}

look = {"marker": "o", "ms": 6, "ls": "none"}
height = 1.2 + 0.36 * len(VARIATIONS)
learned, left = plt.subplots(figsize=(3.95, height))
saved, right = plt.subplots(figsize=(3.95, height))
for place, name in enumerate(VARIATIONS):
    for rule, values in ((BACKPROP, backprop), (LAZY, lazy)):
        updates = values.loc[name, "updates"]
        left.plot(updates, [place] * len(updates), color=plotting.RULES[rule], **look)
    if name in judged:
        right.plot(judged[name].mean, place, color=plotting.RULES[LAZY], **look)
        interval = judged[name].interval or ()
        right.plot(interval, [place] * len(interval), color=plotting.RULES[LAZY], lw=2, alpha=0.5)
right.axvline(1, color=plotting.INK, lw=1)
for axes in (left, right):
    axes.set_yticks(range(len(VARIATIONS)), VARIATIONS)
    axes.invert_yaxis()
plotting.logarithmic(left.xaxis, [1, 3], "{x:,.0f}")
left.set(xlabel=f"samples learned until {100 * goal:g} %")
right.set(xlim=(0, None), xlabel="lazy / backprop")
plotting.show(
    learned,
    saved,
    name="fig-variations-optimizers",
    caption=f"Samples learned until {100 * goal:g} % of the test set are right, by networks of "
    f"{plain.hidden} hidden units. Left: by backprop (blue) and lazy learning (orange), a dot for "
    "each seed. Right: what lazy learning needs of what backprop needs; mean over seeds and, with "
    "several, its 95 % interval. The line is at 1, where being lazy would save nothing. (Paper: "
    "text of the results.)",
    alt="A row for each way to learn. Left, orange and blue dots on a logarithmic axis of "
    "samples learned. Right, a dot for their ratio and a line at 1.",
    notebook=NAME,
)


def spelled(column, form):
    """Return the mean of ``column`` over seeds for each variation, as text."""
    means = column.groupby(level=0, sort=False).mean()
    return means.map(f"{{:{form}}}".format, na_action="ignore")


def shown(table):
    """Return a table as HTML; its cells may be HTML too."""
    return HTML(
        table.to_html(classes="provenance", border=0, index=False, escape=False, na_rep="–")
    )


rates = {name: f"{variation.learning_rate:g}" for name, variation in VARIATIONS.items()}
columns = {
    "": pd.Series({name: f"<b>{name}</b>" for name in VARIATIONS}),
    "learning rate": pd.Series(rates),
    "learned by backprop": spelled(backprop["updates"], ",.0f"),
    "learned by lazy": spelled(lazy["updates"], ",.0f"),
    "lazy / backprop": spelled(ratio["updates"], ".2g"),
    "looked at, lazy / backprop": spelled(ratio["samples"], ".2g"),
    "<i>M</i> of backprop": spelled(backprop["energy_m1"], ",.0f"),
    "<i>M</i> of lazy": spelled(lazy["energy_m1"], ",.0f"),
}
shown(pd.DataFrame(columns))

# %% [markdown]
# *Looked at* are all images that were shown until then, learned or not. Learning less at a time,
# lazy learning may have to look at more of them. In a batch looking is nearly all of the work, as a
# computer finds the gradients of all images at once; there lazy learning saves changes of
# synapses rather than time.
#
# Fewer samples learned need not be less energy. Momentum saves some in a way of its own: it
# averages over the last gradients, and what goes back and forth among them never gets to the
# synapses. Adam makes every step about as large, however small the gradient. In batches there is
# nearly always something to learn, so it makes as many steps as ever; leaving samples out of them
# does not make them smaller.

# %% tags=["hide-input"]
energies = pd.DataFrame({"backprop": backprop["energy_m1"], "lazy": lazy["energy_m1"]})
times = energies.div(energies["backprop"]["batches"], axis=0, level=1)
momentum, adam = (times.loc[f"batches, {name}"] for name in ("momentum 0.9", "Adam"))
Markdown(
    "With the energy $M$ of backprop in batches as 1, lazy learning in batches spent"
    f" {extent(times['lazy']['batches'])}. With momentum backprop spent"
    f" {extent(momentum['backprop'])} and lazy learning {extent(momentum['lazy'])}; with Adam"
    f" backprop spent {extent(adam['backprop'])} and lazy learning {extent(adam['lazy'])}."
)

# %% [markdown]
# ### Whole batches
#
# What would be left if a gate could only let a whole batch through or hold all of it back?

# %% tags=["hide-input"]
shares = [
    run.table["updates"].diff().iloc[-1] / run.table["samples"].diff().iloc[-1]
    for run in variations.runs
    if run.experiment == replace(batches, seed=run.experiment.seed, gate=MemorizedMistakes())
]
idle = [100 * (1 - share) ** batches.batch for share in shares]
Markdown(
    f"At the end of its runs in batches of {batches.batch}, lazy learning still learned"
    f" {extent([100 * share for share in shares])} % of the images that it looked at. As a batch is"
    f" drawn at random, about {extent(idle)} % of all batches then have nothing to learn in them."
    " To skip these, and to learn the others as a whole, could save no more than that; and the"
    " larger the batches, the fewer are skipped. Batches dilute the benefit unless each image's"
    " loss is gated."
)

# %% [markdown]
# ## Two conventions for the squared error
#
# The paper does not say whether its squared error is the mean over the outputs or half their sum.
# The mean is the default of PyTorch, which it used, and so of this book. But the convention sets
# the pace, by a factor of five, and not all that the paper says need fit the same one. Here are
# both.

# %% tags=["hide-input"]
GOAL = 0.975


def until_goal(run):
    """Return the epochs until 97.5 % were first measured, inf if they never were."""
    reached = run.table["test_accuracy"] >= GOAL
    return run.table["epoch"][reached.idxmax()] if reached.any() else math.inf


def saved_by_pure(backprop, pure):
    """Return backprop / pure lazy of the energy at each accuracy above 85 % that both reached.

    What either had reached at its first measurement it may have reached long before.
    """
    pair = analysis.cut(backprop, GOAL), pure
    first = max(run.table["test_accuracy"].iloc[1] for run in pair)
    return analysis.ratio(*pair, "energy_m1", least=0.85).loc[first:]


CONVENTIONS = [MEAN, HALF]
keys = [(loss, size, seed) for loss in CONVENTIONS for size in hidden for seed in seeds]
three = {key: [runs[*key, rule] for rule in (BACKPROP, LAZY, PURE)] for key in keys}
panels = []
for loss in CONVENTIONS:
    figure, axes = plt.subplots(figsize=(3.95, 3.6))
    for size in hidden:
        for rule in (BACKPROP, PURE):
            group = [runs[loss, size, seed, rule] for seed in seeds]
            band = 100 * analysis.band(group, "test_accuracy").iloc[1:]  # not the untrained
            plotting.draw_band(axes, band, rule, size, hidden)
    axes.axhline(100 * GOAL, color=plotting.INK, lw=1, ls=":")
    axes.set(title=LOSSES[loss], xlabel="epoch", xscale="log", ylabel="test accuracy (%)")
    axes.xaxis.set_major_formatter("{x:g}")
    plotting.stretch(axes, "y")
    axes.set_ylim(85, 99)
    panels.append(figure)
plotting.show(
    *panels,
    name="fig-variations-conventions",
    caption="Test accuracy of backprop (blue) and pure lazy learning (green) with each convention; "
    "the darker and thicker a line, the larger the network, of "
    f"{min(hidden)} to {max(hidden)} hidden units. The dotted line is at 97.5 %, where pure lazy "
    "learning stops. The axis of the accuracy is stretched towards 100 %. Bands are the range over "
    "seeds. (Paper: compare Fig. 5.)",
    alt="Two panels of accuracies that rise with the epochs, and a line at 97.5 %.",
    notebook=NAME,
)
rows = [
    {
        "loss": LOSSES[loss],
        "<i>H</i>": size,
        "backprop: best accuracy (%)": 100 * backprop.table["test_accuracy"].max(),
        "epochs to 97.5 %": until_goal(backprop),
        "pure lazy: best accuracy (%)": 100 * pure.table["test_accuracy"].max(),
        "lazy: best accuracy (%)": 100 * lazy.table["test_accuracy"].max(),
        "memorized (%)": 100 * lazy.final["memorized"] / len(images.train),
        "lazy / backprop: <i>M</i>": analysis.ratio(lazy, backprop, "energy_m1").iloc[-1:].mean(),
        "learned": lazy.final["updates"] / backprop.final["updates"],
    }
    for (loss, size, _), (backprop, lazy, pure) in three.items()
]
means = pd.DataFrame(rows).groupby(["loss", "<i>H</i>"], sort=False).mean()
means = means.replace(math.inf, math.nan).map("{:.4g}".format, na_action="ignore")
shown(means.reset_index())

# %% [markdown]
# These are means over seeds; a dash stands for what did not come about in all of the runs. The
# energies are compared at the best accuracy that both rules reached, and the samples learned at the
# end.
#
# Which claims of the other pages depend on the convention? Here they are put to their tests, with
# the bounds of the {doc}`scorecard <../scorecard>`, under each of the two; on MNIST alone, and as
# far as the epochs of this page go.

# %% tags=["hide-input"]
SCALE = {MEAN: 1, HALF: 1 / 5}  # half the sum over ten outputs is five times their mean
tested = {loss: {} for loss in CONVENTIONS}
for (loss, size, seed), (backprop, lazy, pure) in three.items():
    energy, learned = (analysis.ratio(lazy, backprop, c) for c in ("energy_m1", "updates"))
    saving = saved_by_pure(backprop, pure)
    late = 100 * pure.table.set_index("epoch").reindex([20, 50]).diff().loc[50]
    end = pure.final["test_loss"] / analysis.cut(backprop, GOAL).final["test_loss"]
    at_95 = SCALE[loss] * analysis.when_reached(pure, [0.95], "test_loss").item()
    values = {  # in the order of the claims' measures
        "LL5": [energy.max()],
        "LL6": [lazy.final["updates"] / backprop.final["updates"], learned.max()],
        "LL10": [lazy.final["memorized"] / len(images.train)],  # its others are of EMNIST
        "LL11": [saving.min(), saving.max()],
        "LL13": [
            100 * pure.table["test_accuracy"].max(),
            until_goal(backprop) if epochs >= 10 else math.nan,
        ],
        "LL14": [end, at_95, late["train_accuracy"], late["test_accuracy"]],
    }
    for key, of_claim in values.items():
        for measure, value in zip(claims.claims()[key].measures, of_claim, strict=False):
            finding = Finding(measure.name, f"H = {size}", float(value), seed)
            tested[loss].setdefault(key, []).append(finding)


def outcome(key, findings):
    """Return in words whether a claim passes its tests, and where it does not."""
    judged = claims.judge(claims.claims()[key], findings).judged
    failing = [j for j in judged if not j.holds]
    word = "holds" if not failing else "fails" if len(failing) == len(judged) else "holds in part"
    places = {}
    for j in failing:
        places.setdefault(j.measure, []).append(j)
    lines = [f"{m.name} ({m.criterion}): {claims.values(js)}" for m, js in places.items()]
    return f"<b>{word}</b>" + "".join(f"<br>not: {line}" for line in lines)


rows = [
    {
        "": f"<b>{key}</b>",
        "claim": claims.claims()[key].statement,
        **{LOSSES[loss]: outcome(key, tested[loss][key]) for loss in CONVENTIONS},
    }
    for key in tested[MEAN]
]
shown(pd.DataFrame(rows))

# %% [markdown]
# ## The claims
#
# Energies with two losses are compared when each run first reached the accuracy. That of the
# squared error is its mean here, as on the other pages.

# %% tags=["hide-input"]
verdicts = notebook.verdicts(settings, NAME, found)
HTML(claims.table(verdicts, "../"))

# %% tags=["hide-cell"]
# NBVAL_CHECK_OUTPUT
print(*verdicts, sep="\n")
for run in losses.runs + variations.runs:
    e, final = run.experiment, run.final
    if e.engine != "autograd":  # how PyTorch rounds depends on the processor
        print(
            f"H = {e.hidden}, {e.loss}, {e.dataset}, {e.gate}, seed {e.seed}: {final['updates']}"
            f" updates in {final['epoch']:g} epochs, {final['memorized']} memorized, accuracy"
            f" {final['test_accuracy']}"
        )

# %% tags=["hide-input"]
notebook.provenance(settings, [losses, variations])
