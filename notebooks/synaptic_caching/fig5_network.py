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
# # A network that caches · synaptic caching, Fig. 5
#
# A [perceptron](fig1_cost) spends many times the energy that it needs, and
# [caching](fig2_threshold) gets most of that back. Is it the same in a network with a hidden layer
# that learns to recognise digits {cite}`li2020energy`?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`what learning costs a perceptron <fig1_cost>` and {doc}`when to make a change
# permanent <fig2_threshold>`.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
from dataclasses import replace

import numpy as np
import pandas as pd
from IPython.display import Markdown
from scipy import stats

from lazybook.book import analysis, notebook, plotting
from lazybook.book.notebook import span
from lazybook.caching import SynapticCaching
from lazybook.experiment import grid, preset

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    seeds=([0], [0], [0, 1, 2]),
    at=(30, 100, 100),
    goal=(0.88, 0.96, 0.97),
    epochs=(1, 10, 30),
    every=(3000, 3000, 1000),
    accuracies=((0.7, 0.8), (0.9, 0.92, 0.94), (0.9, 0.92, 0.94, 0.96)),
    rates=(
        [0.05, 0.1, 1.0],
        [0.02, 0.05, 0.1, 0.3, 1.0],
        [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0],
    ),
    rate_goal=(0.88, 0.95, 0.96),
    rate_epochs=(1, 10, 30),
    sizes=([5, 20, 50], [10, 35, 80, 155], [5, 10, *range(20, 160, 15)]),
    goals=((0.7, 0.85), (0.85, 0.93), (0.85, 0.93)),
    size_epochs=(1, 3, 5),
    thresholds=([0.02, 0.06], [0.02, 0.04], [0.01, 0.02, 0.03, 0.04]),
)  # fmt: skip
NAME = "synaptic_caching/fig5_network"
THRESHOLD, DECAY, COST = 0.04, 1e-3, 1e-3

# %% [markdown]
# ## The network
#
# 784 pixels, H hidden units and 10 outputs, all units logistic and without biases. With $o =
# \sigma(W_2^T h)$, $h = \sigma(W_1^T x)$ and targets $t$ of 0.01 and 0.99, each image changes the
# weights by gradient descent on half the sum of squares:
#
# ```{math}
# :label: eq-network-rule
# \Delta W_2 = \eta\, h\, e^T, \quad
# \Delta W_1 = \eta\, x\, \big[(W_2 e) \odot h \odot (1 - h)\big]^T ,
# \quad e = (t - o) \odot o \odot (1 - o) .
# ```
#
# The images come in the order in which they are stored, one by one. What is transient decays by
# $e^{-1/\tau}$ at each image. A *unit* one of whose incoming synapses has a transient part larger
# than θ makes all of its incoming synapses permanent. The energy is what was spent so far,
#
# ```{math}
# :label: eq-network-energy
# M = \sum_t \sum_i |\Delta l_i(t)| + c \sum_t \sum_i |s_i(t)| + \sum_i |s_i| ,
# ```
#
# the last term for consolidating all that is transient still. Without caching it is $\sum_t \sum_i
# |\Delta w_i(t)|$, and the least energy is that of the straight path from the first weights.
#
# ## The runs
#
# `caching-network` is the paper's setting: η = 0.1, initial weights with a standard deviation of
# 0.01. Caching has θ = 0.04, τ = 1,000 images, c = 0.001. The test set is the one that accuracies
# are measured on, during learning too. The paper lets the smallest rates learn for 100 epochs; here
# they get 30. For each size it raises the threshold in steps of 0.01 until that costs more than
# before; here it goes up to 0.04.


# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
def caching(threshold):
    """Return the caching of the paper's network with this threshold."""
    return SynapticCaching(threshold, DECAY, COST, "unit")


base = preset(
    "caching-network",
    hidden=scale.at,
    until=scale.goal,
    epochs=scale.epochs,
    measure_every=scale.every,
)
rules = [base.caching, caching(THRESHOLD)]
along = settings.sweep(grid(base, seed=scale.seeds, caching=rules))
slow = replace(
    base, until=scale.rate_goal, epochs=scale.rate_epochs, measure_every=6000
)
by_rate = settings.sweep(grid(slow, learning_rate=scale.rates, seed=scale.seeds))
small = replace(base, until=scale.goals[-1], epochs=scale.size_epochs)
by_size = settings.sweep(
    grid(
        small,
        hidden=scale.sizes,
        seed=scale.seeds,
        caching=[base.caching, *map(caching, scale.thresholds)],
    ),
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what they spent"}
CACHING, PLAIN, LEAST = "synaptic-caching", "all", "straight path"


def paid(run):
    """Return a run with the column ``total``: its energy, with what is pending."""
    parts = ("energy_m1", "pending_m1", "transient_energy")
    return replace(run, table=run.table.assign(total=run.table[[*parts]].sum(axis=1)))


def spent(run, accuracies, column="total"):
    """Return the energy when each accuracy was first reached, nan if it was not."""
    return analysis.when_reached(paid(run), accuracies, column)


kinds = {PLAIN: {}, CACHING: {}}
for run in along.runs:
    kind = PLAIN if run.experiment.caching == base.caching else CACHING
    kinds[kind][run.experiment.seed] = run
tops = {
    kind: [run.table["test_accuracy"].max() for run in runs.values()]
    for kind, runs in kinds.items()
}
SEEDS = f"n = {len(scale.seeds)} seeds"
Markdown(
    "The best test accuracies of the runs are "
    f"{span(np.multiply(100, tops[PLAIN]), '.1f')} % without caching, and "
    f"{span(np.multiply(100, tops[CACHING]), '.1f')} % with it, in at most "
    f"{scale.epochs} epochs (H = {scale.at}; a run stops at {100 * scale.goal:g} %)."
)

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the energy figure"}
START = 0.6 if profile == "smoke" else 0.85
reach = np.linspace(START, min(map(min, tops.values())), 200)
curves = {
    PLAIN: [spent(run, reach) for run in kinds[PLAIN].values()],
    CACHING: [spent(run, reach) for run in kinds[CACHING].values()],
    LEAST: [spent(run, reach, "energy_min") for run in kinds[PLAIN].values()],
}
LOOKS = {
    PLAIN: {"color": plotting.RULES[PLAIN], "label": "no caching"},
    CACHING: {"color": plotting.RULES[CACHING], "label": "caching"},
    LEAST: {"color": plotting.INK, "ls": ":", "label": "straight path"},
}


def draw(axes, values, **look):
    """Draw the mean over seeds against accuracy, in a band from least to largest."""
    axes.plot(100 * reach, np.mean(values, axis=0), **look)
    ends = np.min(values, axis=0), np.max(values, axis=0)
    axes.fill_between(100 * reach, *ends, color=look["color"], alpha=0.25, lw=0)


energies, left = plotting.subplots(figsize=(3.95, 3.6))
for kind, look in LOOKS.items():
    draw(left, curves[kind], **look)
plotting.logarithmic(left.yaxis)
left.set(ylabel="energy")
left.legend(fontsize="small")
ratios, right = plotting.subplots(figsize=(3.95, 3.6))
by_least = np.divide(curves[PLAIN], curves[LEAST])
saved = np.divide(curves[PLAIN], curves[CACHING])
draw(right, by_least, **LOOKS[PLAIN] | {"label": "no caching / straight path"})
draw(right, saved, **LOOKS[CACHING] | {"label": "no caching / caching"})
right.axhline(20, color=plotting.INK, ls="--", lw=1)
right.text(100 * START, 20.5, "20", va="bottom")
right.set(ylabel="ratio", ylim=(0, None))
right.legend(fontsize="small")
for axes in (left, right):
    axes.set(xlabel="test accuracy reached (%)")
plotting.show(
    energies,
    ratios,
    name="fig-caching-network-accuracy",
    caption="(a) Energy when a test accuracy was first reached, without and with "
    "caching, and that of the straight path to where learning without caching then "
    f"was. (b) Their ratios. H = {scale.at}, η = {base.learning_rate:g}, θ = "
    f"{THRESHOLD}, τ = {1 / DECAY:,.0f}, c = {COST:g}; lines are means over {SEEDS}, "
    "bands go from the lowest to the highest. (Paper: Fig. 5b.)",
    alt="a, three curves of energy against accuracy on a logarithmic axis: learning "
    "without caching is highest, the straight path lowest, caching between. b, ratios "
    "of these.",
    notebook=NAME,
    lead=True,
)

# %% [markdown]
# ## The learning rate
#
# Could one save energy by learning in smaller steps? The energy is the length of the path. Smaller
# steps make a path shorter only as far as they make it straighter.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of rates"}
of_rate = {rate: [] for rate in scale.rates}
for run in by_rate.runs:
    of_rate[run.experiment.learning_rate].append(run)
figure, axes = plotting.subplots(figsize=(5.4, 3.8))
for rate, runs in of_rate.items():
    top = min(run.table["test_accuracy"].max() for run in runs)
    if top <= START:
        continue
    some = np.linspace(START, top, 100)
    values = np.mean([spent(run, some) for run in runs], axis=0)
    look = {"color": plotting.shade(PLAIN, rate, scale.rates)}
    look["lw"] = plotting.width(rate, scale.rates)
    axes.plot(100 * some, values, **look, label=f"{rate:g}")
    axes.plot(100 * top, values[-1], "o", ms=4, color=look["color"])
plotting.logarithmic(axes.yaxis)
axes.set(xlabel="test accuracy reached (%)", ylabel="energy")
axes.legend(fontsize="small", ncols=2, title="learning rate η")
plotting.show(
    figure,
    name="fig-caching-network-rate",
    caption="Energy without caching when a test accuracy was first reached, for "
    "several learning rates; the dots mark the highest accuracy that all seeds "
    f"reached, in at most {scale.rate_epochs} epochs and up to "
    f"{100 * scale.rate_goal:g} %. H = {scale.at}; lines are means over {SEEDS}. "
    "(Paper: Fig. 5a.)",
    alt="Curves of energy against accuracy for the learning rates; those of small "
    "rates lie close together, those of the largest lie higher.",
    notebook=NAME,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how coarse that is"}
low = scale.accuracies[0]
coarse = np.mean([spent(run, low) for run in of_rate[base.learning_rate]])
fine = np.mean([spent(run, low) for run in kinds[PLAIN].values()])
first = np.mean([run.table["test_accuracy"][1] for run in of_rate[base.learning_rate]])
Markdown(
    f"These runs are measured every {slow.measure_every:,} images, as in the paper. "
    f"That is coarse for large rates: with η = {base.learning_rate:g} the first "
    f"measurement finds {100 * first:.1f} %, and what lies below has to be "
    f"interpolated. The energy to {100 * low:g} % comes out as {coarse:,.0f}; measured "
    f"every {scale.every:,} images it is {fine:,.0f}."
)

# %% [markdown]
# ## The number of hidden units

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of sizes"}
found_sizes = []
for run in by_size.runs:
    kind = PLAIN if run.experiment.caching == base.caching else CACHING
    for goal in scale.goals:
        found_sizes.append(
            {
                "kind": kind,
                "goal": goal,
                "hidden": run.experiment.hidden,
                "seed": run.experiment.seed,
                "threshold": getattr(run.experiment.caching, "threshold", 0.0),
                "energy": spent(run, goal),
            }
        )
sizes = pd.DataFrame(found_sizes)
index = ["kind", "goal", "hidden", "seed"]
cheapest = sizes.groupby(index)["energy"].min()  # of the thresholds that got there
panels = []
for goal in scale.goals:
    figure, axes = plotting.subplots(figsize=(3.95, 3.6))
    for kind in kinds:
        rows = cheapest[kind, goal].reset_index()
        look = {key: LOOKS[kind][key] for key in ("color", "label")}
        plotting.over_seeds(axes, rows, "hidden", "energy", kind, **look)
    plotting.logarithmic(axes.yaxis, [1, 3])
    axes.set(
        xlabel="hidden units $H$", ylabel="energy", title=f"goal: {100 * goal:g} %"
    )
    axes.legend(fontsize="small")
    panels.append(figure)
plotting.show(
    *panels,
    name="fig-caching-network-size",
    caption="Energy until the goal, against the number of hidden units; with caching "
    f"at the best of {len(scale.thresholds)} thresholds. A size that not all seeds "
    f"got to the goal with, in {scale.size_epochs} epochs, is left out. η = "
    f"{base.learning_rate:g}; lines are means over {SEEDS}, bands go from the lowest "
    "to the highest. (Paper: Fig. 5c.)",
    alt="Two plots of energy against the number of hidden units, one for each goal, "
    "each with a curve without caching and one with it.",
    notebook=NAME,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the numbers of sizes"}
whole = cheapest.unstack("seed")
mean = whole.mean(axis=1, skipna=False).dropna().rename("energy")
lines = [
    f"| {'with' if kind == CACHING else 'without'} | {100 * goal:g} % | "
    f"{mean[kind, goal].idxmin()} | {mean[kind, goal].min():,.0f} | "
    f"{mean[kind, goal].index[0]}: {mean[kind, goal].iloc[0]:,.0f} | "
    f"{mean[kind, goal].iloc[-1]:,.0f} |"
    for kind in kinds
    for goal in scale.goals
    if goal in mean[kind]
]
chosen = sizes[sizes["kind"] == CACHING].dropna(subset=["energy"])
chosen = chosen.loc[chosen.groupby(["goal", "hidden", "seed"])["energy"].idxmin()]
often = chosen["threshold"].value_counts().sort_index()
Markdown(
    "| caching | goal | best H | its energy | smallest H that gets there | energy at "
    f"H = {scale.sizes[-1]} |\n| --- | --- | --- | --- | --- | --- |\n"
    + "\n".join(lines)
    + "\n\nThe threshold that costs least, over all sizes, goals and seeds: "
    + ", ".join(f"{threshold:g} in {n} cases" for threshold, n in often.items())
    + "."
)

# %% [markdown]
# ## The claims

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
found = notebook.Findings(settings, NAME, "SC10", "SC11", "SC12", "SC13", "SC14")
for accuracy in scale.accuracies:
    where = f"{100 * accuracy:g} %"
    for seed in scale.seeds:
        run, cached = kinds[PLAIN][seed], kinds[CACHING][seed]
        energy, least = spent(run, accuracy), spent(run, accuracy, "energy_min")
        less = spent(
            cached, accuracy
        )  # nan if it did not get there: nothing is saved then
        saving = 0.0 if np.isnan(less) else energy / less
        found.add("SC11", "energy / least energy", where, energy / least, seed)
        if accuracy == 0.92:
            continue
        found.add("SC13", "energy without caching / with it", where, saving, seed)
        measure = "energy with caching / least energy"
        found.add("SC13", measure, where, less / least, seed)
        if accuracy > 0.95:
            continue
        of_seed = {
            run.experiment.learning_rate: spent(run, accuracy)
            for run in by_rate.runs
            if run.experiment.seed == seed
        }
        steady = [of_seed[rate] for rate in of_seed if 0.01 <= rate <= 0.1]
        measure = "largest / smallest energy of the rates 0.01 to 0.1"
        found.add("SC10", measure, where, max(steady) / min(steady), seed)
        large = np.nan_to_num(of_seed[1.0] / np.mean(steady), nan=np.inf)
        found.add("SC10", "energy at the rate 1 / theirs", where, large, seed)
points = np.linspace(*((0.7, 0.82) if profile == "smoke" else (0.88, 0.96)), 81)
for seed, run in kinds[PLAIN].items():
    energy = spent(run, points)
    there = ~np.isnan(energy)
    fit = stats.linregress(points[there], np.log(energy[there]))
    measure = "R² of the logarithm of energy against accuracy, 88 to 96 %"
    found.add("SC12", measure, "no caching", fit.rvalue**2, seed)
for kind in kinds:
    word = "caching" if kind == CACHING else "no caching"
    bests = {}
    for goal in scale.goals:
        for seed in scale.seeds:
            energy = whole.loc[(kind, goal), seed].dropna()
            bests[goal, seed] = energy.idxmin()
            where = f"{word}, {100 * goal:g} %"
            measure = "energy of the smallest network that gets there / least"
            found.add("SC14", measure, where, energy.iloc[0] / energy.min(), seed)
            measure = "energy of the largest network / least"
            found.add("SC14", measure, where, energy.iloc[-1] / energy.min(), seed)
    low, high = scale.goals
    for seed in scale.seeds:
        ratio = bests[high, seed] / bests[low, seed]
        found.add("SC14", "best size for 93 % / for 85 %", word, ratio, seed)
found.verdicts([along, by_rate, by_size])


# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
def ratio(other, accuracy, column="total"):
    """Return the energy without caching by another one, the mean over seeds."""
    return np.mean(
        [
            spent(kinds[PLAIN][seed], accuracy)
            / spent(kinds[other][seed], accuracy, column)
            for seed in scale.seeds
        ]
    )


low, high = scale.accuracies[0], scale.accuracies[-1]
later = max(accuracy for accuracy in scale.accuracies if accuracy <= reach[-1])
worse = reach[saved.mean(axis=0) < 1]
optimum = mean[PLAIN, scale.goals[-1]]
found.answer(
    f"To reach {100 * low:g} % of MNIST the network (H = {scale.at}) spends "
    f"**{ratio(PLAIN, low, 'energy_min'):.0f} times** the energy of the straight path, "
    f"to {100 * high:g} % {ratio(PLAIN, high, 'energy_min'):.0f} times. Caching spends "
    f"**{ratio(CACHING, low):.1f} times less** than learning without it at "
    f"{100 * low:g} %, {ratio(CACHING, later):.1f} times less at {100 * later:g} %"
    + (f"; from {100 * worse[0]:.1f} % on it costs more. " if len(worse) else ". ")
    + f"Of the sizes tried, H = {optimum.idxmin()} costs least for "
    f"{100 * scale.goals[-1]:g} %."
)

# %% [markdown]
# ## Your turn
#
# **1.** First weights have a standard deviation of 0.01. How far from there does a synapse end,
# when the first of the accuracies is reached? And how long was its path?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: how far, and how long"}
# NBVAL_CHECK_OUTPUT
run, synapses = kinds[PLAIN][scale.seeds[0]], (784 + 10) * scale.at
straight, long = (
    spent(run, scale.accuracies[0], column) / synapses
    for column in ("energy_min", "total")
)
print(
    f"at {100 * scale.accuracies[0]:g} %: {straight:.3f} away, on a path of {long:.2f}"
)

# %% [markdown]
# **2.** Of the energy of learning with caching, which part was for changes made permanent on the
# way, which for keeping what is transient, and which for making the rest permanent at the end?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: three parts"}
# NBVAL_CHECK_OUTPUT
for accuracy in scale.accuracies[:2]:
    run = kinds[CACHING][scale.seeds[0]]
    parts = [
        f"{100 * spent(run, accuracy, column) / spent(run, accuracy):.0f} % {word}"
        for column, word in (
            ("energy_m1", "on the way"),
            ("transient_energy", "for keeping"),
            ("pending_m1", "at the end"),
        )
    ]
    print(f"{100 * accuracy:g} %: {', '.join(parts)}")

# %% [markdown]
# Next: {doc}`Could one have known all this from theory? <fig6_power>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([along, by_rate, by_size])

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, [along, by_rate, by_size])
