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
# # Losses: cross-entropy, and two conventions for the squared error
#
# The networks of the other pages learn by gradient descent on the squared error; most networks on
# computers learn otherwise. The paper says that cross-entropy needs more energy, and shows no
# figure {cite}`pache2023lazy`. How much more? And does it matter which of two conventions for the
# squared error is used?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`lazy learning of MNIST <fig2_mnist>` and {doc}`pure lazy learning
# <fig4_pure_lazy>`, both with the mean squared error.

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
from matplotlib.lines import Line2D

from lazybook import datasets
from lazybook.book import analysis, claims, notebook, plotting
from lazybook.book.claims import Finding
from lazybook.book.notebook import span
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes, Mistakes

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=([30, 100], [100, 500], [100, 200, 500, 1000]),
    epochs=(2, 10, 50),
    seeds=([0], [0], [0, 1, 2]),
)
NAME = "lazy_learning/losses"
BACKPROP, LAZY, PURE = "every-sample", "memorized-mistakes", "mistakes"
MEAN, HALF, ENTROPY = "mse", "half-mse", "cross-entropy"
LOSSES = {
    MEAN: "mean squared error",
    HALF: "half the sum of squares",
    ENTROPY: "cross-entropy",
}

# %% [markdown]
# ## The runs
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
# Pure lazy learning is there for the last section, as on {doc}`fig4_pure_lazy`: it stops if it
# classifies 97.5 % of the test set correctly. This page has fewer seeds, and fewer sizes, than the
# pages of the figures, so a verdict here may differ from theirs.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
base = preset("lazy", epochs=scale.epochs)
both = [EverySample(), MemorizedMistakes()]
squares = grid(
    base, loss=[MEAN, HALF], hidden=scale.hidden, seed=scale.seeds, gate=both
)
pure = grid(
    replace(base, gate=Mistakes(), until=0.975),
    loss=[MEAN, HALF],
    hidden=scale.hidden,
    seed=scale.seeds,
)
short = replace(
    base, loss=ENTROPY, epochs=min(scale.epochs, 15), measure_training=False
)
entropy = grid(
    short,
    hidden=sorted({min(scale.hidden), max(scale.hidden)}),
    seed=scale.seeds,
    gate=both,
)
losses = settings.sweep(squares + pure + entropy)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs by name"}
runs = {
    (e.loss, e.hidden, e.seed, str(e.gate)): run
    for run in losses.runs
    for e in [run.experiment]
}
ends = sorted({min(scale.hidden), max(scale.hidden)})

# %% [markdown]
# ## Cross-entropy
#
# The squared error has a target to arrive at. Cross-entropy has none: it falls as long as the right
# output grows beyond the others, so there is always something to gain from going on. The figure at
# the top shows how much energy an accuracy costs with each.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the energy figure"}
LINES = {MEAN: "-", HALF: (0, (1, 1.2)), ENTROPY: (0, (4, 1.5))}
panels = []
for size in ends:
    figure, axes = plotting.subplots(figsize=(3.95, 3.9))
    for loss, line in LINES.items():
        for rule in (BACKPROP, LAZY):
            group = [runs[loss, size, seed, rule] for seed in scale.seeds]
            # once trained
            accuracies = [run.table["test_accuracy"].iloc[1:] for run in group]
            reached = np.linspace(
                max(a.iloc[0] for a in accuracies), min(map(max, accuracies))
            )
            spent = [analysis.when_reached(run, reached, "energy_m1") for run in group]
            look = {"color": plotting.RULES[rule]}
            axes.plot(100 * reached, np.mean(spent, axis=0), ls=line, **look)
            ends_of = np.min(spent, axis=0), np.max(spent, axis=0)
            axes.fill_between(100 * reached, *ends_of, **look, alpha=0.2, lw=0)
    plotting.stretch(axes, "x")
    axes.set(title=f"H = {size}", xlabel="test accuracy reached (%)", yscale="log")
    axes.set_ylabel("energy $M$ (sum of weight changes)")
    axes.set_xlim(left=88)
    low, high = axes.get_ylim()
    axes.set_ylim(low / 3, high)  # room for the legend
    panels.append(figure)
lines = [
    Line2D([], [], color=plotting.INK, ls=line, label=LOSSES[loss])
    for loss, line in LINES.items()
]
panels[-1].axes[0].legend(handles=lines, fontsize="small", loc="lower right")
plotting.show(
    *panels,
    name="fig-losses-energy",
    caption="Energy spent until a test accuracy was first reached, by backprop (blue) "
    "and lazy learning (orange), in (a) the smallest and (b) the largest "
    "network: solid lines for the mean squared error, dotted for half the sum of "
    "squares, dashed for cross-entropy. Lines are means over seeds, bands go from the "
    f"lowest to the highest; n&nbsp;=&nbsp;{len(scale.seeds)}. The axis of the "
    "accuracy is stretched towards 100&nbsp;%. (Paper: text of the results.)",
    alt="For a small and a large network, curves of energy rising with accuracy, for "
    "three losses and two rules.",
    notebook=NAME,
    lead=True,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the numbers"}
ACCURACIES = np.array([0.95, 0.96, 0.97])


def ratios(loss):
    """Return the energy with cross-entropy / with ``loss``, nan if either got less far.

    By size, rule, accuracy in percent, and seed.
    """
    found = {}
    for size, rule, seed in product(ends, (BACKPROP, LAZY), scale.seeds):
        spent = [
            analysis.when_reached(runs[each, size, seed, rule], ACCURACIES, "energy_m1")
            for each in (ENTROPY, loss)
        ]
        for accuracy, ratio in zip(ACCURACIES, spent[0] / spent[1], strict=True):
            found[size, plotting.NAMES[rule], 100 * accuracy, seed] = ratio
    return found


compared = {
    loss: span(analysis.over_seeds(ratios(loss)), ".2g") for loss in (MEAN, HALF)
}
Markdown(
    "At 95, 96 and 97 % correct, where all runs got there, cross-entropy took "
    f"{compared[MEAN]} times the energy of the mean squared error, in the means over "
    "seeds. But it also sends back larger errors. Relative to half the sum of squares, "
    f"whose errors are about as large as its own, it took {compared[HALF]} times the "
    "energy."
)

# %% [markdown]
# ## Two conventions for the squared error
#
# The paper does not say whether its squared error is the mean over the outputs or half their sum.
# The mean is the default of PyTorch, which it used, and so of this book. But the convention sets
# the pace, by a factor of five, and not all that the paper says need fit the same one. Here are
# both.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the conventions"}
GOAL = 0.975


def until_goal(run):
    """Return the epochs until 97.5 % were first measured, inf if they never were."""
    reached = run.table["test_accuracy"] >= GOAL
    return run.table["epoch"][reached.idxmax()] if reached.any() else math.inf


CONVENTIONS = [MEAN, HALF]
three = {
    key: [runs[*key, rule] for rule in (BACKPROP, LAZY, PURE)]
    for key in product(CONVENTIONS, scale.hidden, scale.seeds)
}
three_keys = list(product(scale.hidden, scale.seeds))
images = datasets.facts("mnist").train
panels = []
for loss in CONVENTIONS:
    figure, axes = plotting.subplots(figsize=(3.95, 3.6))
    for size in scale.hidden:
        for rule in (BACKPROP, PURE):
            group = [runs[loss, size, seed, rule] for seed in scale.seeds]
            band = 100 * analysis.band(group, "test_accuracy").iloc[1:]
            plotting.draw_band(axes, band, rule, size, scale.hidden)
    axes.axhline(100 * GOAL, color=plotting.INK, lw=1, ls=":")
    axes.set(
        title=LOSSES[loss], xlabel="epoch", xscale="log", ylabel="test accuracy (%)"
    )
    axes.xaxis.set_major_formatter("{x:g}")
    plotting.stretch(axes, "y", [60, 70, 80, 85, 90, 93, 95, 96, 97, 98, 98.5])
    axes.set_ylim(85, 99)
    panels.append(figure)
plotting.show(
    *panels,
    name="fig-losses-conventions",
    caption="Test accuracy of backprop (blue) and pure lazy learning (green) with "
    "(a) the mean squared error, (b) half the sum of squares; the darker and "
    f"thicker a line, the larger the network, of {min(scale.hidden)} to "
    f"{max(scale.hidden)} hidden units. The dotted line is at 97.5&nbsp;%, where pure "
    "lazy learning stops. The axis of the accuracy is stretched towards 100&nbsp;%. "
    "Lines are means over seeds, bands go from the lowest to the highest; "
    f"n&nbsp;=&nbsp;{len(scale.seeds)}. (Paper: compare Fig. 5.)",
    alt="Two panels of accuracies that rise with the epochs, and a line at 97.5 %.",
    notebook=NAME,
)
SHORT = {MEAN: "mean", HALF: "half&nbsp;sum"}
M_RATIO, LEARNED = "<i>M</i>, lazy / backprop", "samples learned, lazy / backprop"
FORMS = [".2f"] * 3 + [".1f"] * 2 + [".2f"] * 2
rows = [
    {
        "loss": SHORT[loss],
        "<i>H</i>": size,
        "best of backprop (%)": 100 * backprop.table["test_accuracy"].max(),
        "of lazy": 100 * lazy.table["test_accuracy"].max(),
        "of pure lazy": 100 * pure.table["test_accuracy"].max(),
        "epochs of backprop to 97.5&nbsp;%": until_goal(backprop),
        "memorized (%)": 100 * lazy.final["memorized"] / images,
        M_RATIO: np.log(analysis.at_best_common(lazy, backprop, "energy_m1")),
        LEARNED: np.log(lazy.final["updates"] / backprop.final["updates"]),
    }
    for (loss, size, _), (backprop, lazy, pure) in three.items()
]
means = pd.DataFrame(rows).groupby(["loss", "<i>H</i>"], sort=False).mean()
means[[M_RATIO, LEARNED]] = np.exp(means[[M_RATIO, LEARNED]])
means = means.replace(math.inf, math.nan)
for column, form in zip(means, FORMS, strict=True):
    means[column] = means[column].map(f"{{:{form}}}".format, na_action="ignore")
notebook.html_table(means.reset_index(), "Accuracies and ratios by loss")

# %% [markdown]
# These are means over seeds, of ratios by their logarithms; a dash marks what not all runs reached.
# The best are test accuracies. The energies are compared at the best accuracy that both rules
# reached, and the samples learned at the end.
#
# Which claims of the other pages depend on the convention? Here they are put to their tests, with
# the bounds of the {doc}`scorecard <../scorecard>`, under each of the two; on MNIST alone, and as
# far as the epochs of this page go.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims under both"}
SCALE = {MEAN: 1, HALF: 1 / 5}  # half the sum over ten outputs is five times their mean
tested = {loss: {} for loss in CONVENTIONS}
for (loss, size, seed), (backprop, lazy, pure) in three.items():
    energy, learned = (
        analysis.ratio(lazy, backprop, c) for c in ("energy_m1", "updates")
    )
    cut = analysis.cut(backprop, GOAL)
    saving = analysis.ratio(cut, pure, "energy_m1", least=0.85)
    late = 100 * pure.table.set_index("epoch").reindex([20, 50]).diff().loc[50]
    end = pure.final["test_loss"] / cut.final["test_loss"]
    at_95 = SCALE[loss] * analysis.when_reached(pure, [0.95], "test_loss").item()
    values = {  # in the order of the claims' measures
        "LL5": [energy.max()],
        "LL6": [lazy.final["updates"] / backprop.final["updates"], learned.max()],
        "LL10": [lazy.final["memorized"] / images],  # its others are of EMNIST
        "LL11": [saving.min(), saving.max()],
        "LL13": [
            100 * pure.table["test_accuracy"].max(),
            until_goal(backprop) if scale.epochs >= 10 else math.nan,
        ],
        "LL14": [end, at_95, late["train_accuracy"], late["test_accuracy"]],
    }
    for key, of_claim in values.items():
        for measure, value in zip(
            claims.claims()[key].measures, of_claim, strict=False
        ):
            finding = Finding(measure.name, f"H = {size}", float(value), seed)
            tested[loss].setdefault(key, []).append(finding)


def outcome(key, findings):
    """Return the verdict and what fails, as HTML."""
    verdict = claims.judge(claims.claims()[key], findings)
    places = {}
    for j in verdict.judged:
        if j.state == claims.FAILED:
            places.setdefault(j.measure, []).append(j)
    lines = [
        f"<br>not: {m.name} ({m.criterion}): {claims.values(js)}"
        for m, js in places.items()
    ]
    return claims.badge(verdict) + "".join(lines)


rows = [
    {
        "number": f"<b>{key}</b>",
        "claim": claims.claims()[key].statement,
        **{LOSSES[loss]: outcome(key, tested[loss][key]) for loss in CONVENTIONS},
    }
    for key in tested[MEAN]
]
notebook.html_table(pd.DataFrame(rows), "Claims under both conventions")

# %% [markdown]
# ## The claims
#
# Energies with two losses are compared when each run first reached the accuracy. That of the
# squared error is its mean here, as on the other pages.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
found = notebook.Findings(settings, NAME, "LL17")
measure = "M with cross-entropy / with squared error"
all_ratios = ratios(MEAN)
reached = {key: ratio for key, ratio in all_ratios.items() if not math.isnan(ratio)}
found.each("LL17", measure, "H = {}, {}, {:g}\N{NBSP}%", reached)
missing = all_ratios.keys() - reached.keys()
for percent, size in sorted({(percent, size) for size, _, percent, _ in missing}):
    why = "not reached by all runs"
    found.lacks("LL17", measure, f"{percent:g} % with H = {size}", why)
found.verdicts([losses])

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
goal = [
    [until_goal(three[loss, *key][0]) for key in three_keys] for loss in CONVENTIONS
]
soon = [sum(epochs <= 10 for epochs in of_loss) for of_loss in goal]
found.answer(
    f"To the same accuracy cross-entropy takes **{compared[MEAN]} times the energy** of"
    f" the mean squared error, {compared[HALF]} times that of half the sum of squares. "
    "The conventions set the pace: backprop gets to 97.5&nbsp;% within 10 epochs in "
    f"{soon[0]} of {len(goal[0])} runs with the mean, in {soon[1]} with half the sum."
)

# %% [markdown]
# ## Your turn
#
# **1.** What is the loss of a network that answers 0 ten times, whatever it is shown, under each of
# the three? Work it out, and compare with the networks before they have learned anything.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: before learning"}
# NBVAL_CHECK_OUTPUT
for loss, estimate in ((MEAN, 1 / 10), (HALF, 1 / 2), (ENTROPY, math.log(10))):
    begin = runs[loss, ends[-1], scale.seeds[0], BACKPROP].table["test_loss"].iloc[0]
    print(f"{LOSSES[loss]}: {estimate:.2f}, in the run {begin:.2f}")

# %% [markdown]
# **2.** With which learning rate does the mean squared error teach a network exactly what half the
# sum of squares teaches it at 0.01? Try it, on a few images.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: the same rate"}
# NBVAL_CHECK_OUTPUT
few = replace(base, dataset="mnist/samples:0-4999", hidden=30, epochs=1)
same = settings.sweep([replace(few, loss=HALF), replace(few, learning_rate=0.05)])
for run in same.runs:
    name, rate = LOSSES[run.experiment.loss], run.experiment.learning_rate
    energy, accuracy = run.final["energy_m1"], 100 * run.final["test_accuracy"]
    print(f"{name} at {rate:g}: M = {energy:.0f}, {accuracy:.1f} % correct")

# %% [markdown]
# Next: {doc}`Does it hang on plain gradient descent? <variations>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([losses])

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, [losses])
