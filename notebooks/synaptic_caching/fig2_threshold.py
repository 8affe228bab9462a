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
# # When to make a change permanent · synaptic caching, Fig. 2
#
# A perceptron [spends many times the energy that it needs](fig1_cost), as its synapses go to and
# fro. Synaptic caching writes changes to a transient part of each synapse first, which is cheap to
# change but not quite free to keep, and makes them permanent only when they exceed a threshold. A
# low threshold makes too much permanent, a high one keeps too much transient. Which threshold is
# best, and how much does it save {cite}`li2020energy`?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`what learning costs a perceptron <fig1_cost>`.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
from itertools import pairwise

import numpy as np
import pandas as pd
from IPython.display import Markdown

from lazybook import perceptron
from lazybook.book import notebook, pattern_sets, plotting, tables
from lazybook.caching import SynapticCaching
from lazybook.theory import Perceptron

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper; each seed is a set of patterns
    inputs=(200, 1000, 1000),
    seeds=([1, 2], [1, 2, 3, 4, 5], [*range(1, 21)]),
    thresholds=(
        [0.5, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 40, 80],
        [0.5, *range(1, 21), 25, 30, 40, 50, 60, 80, 100, 150, 200],
        [0.5, *range(1, 21), 25, 30, 40, 50, 60, 80, 100, 150, 200],
    ),
)
NAME = "synaptic_caching/fig2_threshold"
COSTS = pattern_sets.COSTS
MIDDLE = 1e-3  # the cost c that is shown in its parts

# %% [markdown]
# ## Two parts of a weight
#
# A weight is $w_i = l_i + s_i$, a permanent and a transient part. An update changes $s_i$. Where
# $|s_i|$ then exceeds the threshold θ, it is *consolidated*: $l_i \to l_i + s_i$, $s_i \to 0$. Here
# as in the paper that happens to all synapses of the neuron as soon as any one exceeds the
# threshold (other ways are compared in [Fig. 4](fig4_variants)). At the end, all that is left is
# consolidated too. The energy is
#
# ```{math}
# :label: eq-cache-energy
# M = M_\text{cons} + M_\text{trans}
#   = \sum_t \sum_i |\Delta l_i(t)| + c \sum_t \sum_i |s_i(t)| ,
# ```
#
# the first sum over consolidations, the second over presentations. The price c of being transient
# changes nothing of what is learned, and as $l_i + s_i$ is what it would be without caching,
# neither does the threshold. So one perceptron, its updates written down, serves for all prices and
# thresholds.
#
# If each synapse is consolidated by itself and walks at random, its transient part is spread over
# ±θ like a triangle, and the energy and the best threshold are
#
# ```{math}
# :label: eq-cache-theory
# M_\text{cons} = N \left(\frac{\eta^2 K}{\theta} + \frac{\theta}{3}\right), \qquad
# M_\text{trans} = c N T \frac{\theta}{3}, \qquad
# \theta^* = \eta \sqrt{\frac{3 K}{1 + c T}} ,
# ```
#
# with T presentations and learning rate η, here 1.
#
# ## The runs

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
costs = pattern_sets.cached(
    settings,
    scale.inputs,
    scale.seeds,
    {"any": scale.thresholds, "synapse": scale.thresholds},
)
theory = Perceptron(scale.inputs, scale.inputs)


def both_ends(number):
    """Learn step by step with the lowest and highest threshold; return the epochs."""
    patterns = pattern_sets.signed(scale.inputs, scale.inputs, number)
    ends = (scale.thresholds[0], scale.thresholds[-1])
    rules = [SynapticCaching(end, variant="any", strict=True) for end in ends]
    low, high = (perceptron.learn(patterns, rule).epochs for rule in rules)
    return [{"low": low, "high": high}]


ends = tables.measured(
    "perceptron-ends",
    {"inputs": scale.inputs, "thresholds": scale.thresholds},
    both_ends,
    scale.seeds,
    settings.jobs,
    settings.fresh,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what it costs"}
rows = costs.rows
priced = pd.concat(
    rows.assign(cost=c, total=rows["consolidated"] + c * rows["transient"])
    for c in COSTS
).reset_index(drop=True)
least = priced.loc[priced.groupby(["variant", "cost", "set"])["total"].idxmin()]
least = least.assign(
    by_minimal=least["total"] / least["minimal"],
    saving=least["energy"] / least["total"],
).set_index(["variant", "cost", "set"])
SETS = f"n = {len(scale.seeds)} sets of patterns"
Markdown(
    f"N = {scale.inputs:,} inputs and as many patterns, {len(scale.seeds)} sets of "
    f"them, each learned once: {costs.rows['updates'].mean():,.0f} updates in "
    f"{costs.rows['epochs'].mean():.0f} epochs on average (theory: "
    f"{theory.updates:,.0f} and {theory.presentations / scale.inputs:.0f}). "
    f"{len(scale.thresholds)} thresholds and {len(COSTS)} prices are charged for these."
)

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the energy figure"}
CACHING = "synaptic-caching"
any_ = priced[priced["variant"] == "any"]
parts, left = plotting.subplots(figsize=(3.95, 3.6))
middle = any_[any_["cost"] == MIDDLE]
middle = middle.assign(kept=middle["cost"] * middle["transient"])
for column, name, marker in (
    ("total", "total", "P"),
    ("consolidated", "consolidation", "^"),
    ("kept", "transient", "v"),
):
    look = {"label": name, "marker": marker, "lw": 2.4 if column == "total" else 1.2}
    plotting.over_seeds(left, middle, "threshold", column, CACHING, **look)
left.set_title(f"c = {MIDDLE:g}")
whole, right = plotting.subplots(figsize=(3.95, 3.6))
SHOWN = (0.0, 1e-4, 1e-3, 1e-2, 0.1)
for cost in SHOWN:
    look = {"color": plotting.shade(CACHING, cost, SHOWN), "marker": ""}
    look |= {"lw": plotting.width(cost, SHOWN), "label": f"c = {cost:g}"}
    chosen = any_[any_["cost"] == cost]
    plotting.over_seeds(right, chosen, "threshold", "total", CACHING, **look)
    best = chosen.groupby("threshold")["total"].mean()
    right.plot(best.idxmin(), best.min(), "o", color=look["color"], ms=6)
spent, minimal = costs.rows["energy"].mean(), costs.rows["minimal"].mean()
for axes in (left, right):
    axes.axhline(spent, color=plotting.RULES["all"], lw=1.5)
    axes.axhline(minimal, color=plotting.INK, ls=":", lw=1.2)
    axes.text(205, 0.93 * spent, "no caching", ha="right", va="top", fontsize="small")
    axes.text(0.5, 1.07 * minimal, "straight path", va="bottom", fontsize="small")
    plotting.logarithmic(axes.xaxis, text="{x:g}")
    plotting.logarithmic(axes.yaxis)
    axes.set(xlabel="threshold θ", ylabel="energy", ylim=(minimal / 3, 12 * spent))
    look = {"loc": "center left", "bbox_to_anchor": (0, 0.42), "borderaxespad": 0.2}
    axes.legend(fontsize="small", handlelength=1.3, **look)
plotting.show(
    parts,
    whole,
    name="fig-cache-threshold",
    caption="Energy until all patterns are right, against the threshold. (a) Its two "
    "parts for one price. (b) The total for several prices; a dot is the least of "
    f"each. N = P = {scale.inputs:,}, no decay, any synapse consolidates all; lines "
    f"are means over {SETS}, bands go from the lowest to the highest. (Paper: Fig. "
    "2b.)",
    alt="a, a falling curve for consolidations and a rising one for transient "
    "changes; their sum has a minimum between. b, such sums for several prices: the "
    "higher the price, the higher the minimum and the lower its threshold.",
    notebook=NAME,
    lead=True,
)

# %% [markdown]
# ## One synapse
#
# What the two parts do is seen in a single synapse, here consolidated by itself. The weight goes to
# and fro, one step at each update. The permanent part follows in a few large steps.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of a synapse"}
THETA = 5
run = perceptron.trajectory(
    pattern_sets.signed(scale.inputs, scale.inputs, scale.seeds[0])
)
permanent, transient = run.synapse(0, THETA)
time = np.arange(len(permanent)) / scale.inputs
figure, (above, below) = plotting.subplots(
    2, 1, figsize=(7.9, 3.7), sharex=True, gridspec_kw={"height_ratios": (2, 1)}
)
above.plot(
    time, permanent + transient, color=plotting.RULES["all"], lw=1, label="weight"
)
above.step(
    time, permanent, color=plotting.RULES[CACHING], lw=2.2, label="permanent part"
)
above.set(ylabel="weight")
above.legend(fontsize="small", loc="lower right", ncols=2)
below.plot(time, transient, color=plotting.RULES["all"], lw=1)
for sign in (-1, 1):
    below.axhline(sign * THETA, color=plotting.INK, ls=":", lw=1.2)
below.set(ylabel="transient part", xlabel="epochs", yticks=(-THETA, 0, THETA))
paths = [np.abs(np.diff(part)).sum() + abs(left_) for part, left_ in
         ((permanent + transient, 0), (permanent, transient[-1]))]  # fmt: skip
plotting.show(
    figure,
    name="fig-cache-synapse",
    caption="One synapse while the perceptron learns, consolidated by itself above a "
    f"threshold of {THETA}. Above: its weight and the permanent part; below: the "
    "transient part, with the threshold dotted. The weight's path has length "
    f"{paths[0]}; the consolidations, the last one included, add up to {paths[1]}. "
    f"One set of patterns, N = P = {scale.inputs:,}. (Paper: Fig. 2a.)",
    alt="A weight that goes up and down over the epochs, with a staircase of few "
    "steps that follows it; beneath, the transient part stays between two dotted "
    "lines and jumps to zero when it crosses one.",
    notebook=NAME,
)

# %% [markdown]
# ## The best threshold, and what it saves

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of the best thresholds"}
flat = least.reset_index()
positive = flat[flat["cost"] > 0]
energies, left = plotting.subplots(figsize=(3.95, 3.6))
chosen, right = plotting.subplots(figsize=(3.95, 3.6))
VARIANTS = {"any": ("P", "any consolidates all"), "synapse": ("o", "each by itself")}
for variant, (marker, name) in VARIANTS.items():
    look = {"marker": marker, "label": name}
    look["color"] = plotting.shade(CACHING, variant, sorted(VARIANTS, reverse=True))
    rows = positive[positive["variant"] == variant]
    plotting.over_seeds(left, rows, "cost", "by_minimal", CACHING, **look)
    plotting.over_seeds(right, rows, "cost", "threshold", CACHING, **look)
fine = np.geomspace(COSTS[1], COSTS[-1], 100)
left.plot(fine, theory.efficiency(fine), ":", color=plotting.INK, label="theory")
right.plot(fine, theory.best_threshold(fine), ":", color=plotting.INK, label="theory")
left.axhline(spent / minimal, color=plotting.RULES["all"], lw=1.5, label="no caching")
left.set(ylabel="best energy / straight path's")
right.set(ylabel="best threshold")
for axes in (left, right):
    axes.set(xlabel="cost of being transient, c")
    plotting.logarithmic(axes.xaxis)
    plotting.logarithmic(axes.yaxis, [1, 3], "{x:g}")
    axes.legend(fontsize="small")
plotting.show(
    energies,
    chosen,
    name="fig-cache-best",
    caption="(a) Energy at the best threshold, relative to the straight path. (b) "
    "That threshold. Both against the price of being transient; at c = 0 the best is "
    "to consolidate once, in the end. Dotted: the theory, which takes each synapse to "
    f"be consolidated by itself. N = P = {scale.inputs:,}; lines are means over "
    f"{SETS}, bands go from the lowest to the highest. (Paper: Fig. 2c.)",
    alt="a, the least energy rises with the cost of being transient up to that "
    "without caching. b, the best threshold falls. Both lie near the dotted curves of "
    "the theory.",
    notebook=NAME,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the numbers"}
mean = least.groupby(["variant", "cost"]).mean(numeric_only=True)
lines = [
    f"| {c:g} | {mean.loc[('any', c), 'threshold']:.0f} | "
    f"{mean.loc[('any', c), 'by_minimal']:.1f} | {mean.loc[('any', c), 'saving']:.1f} "
    f"| {mean.loc[('synapse', c), 'threshold']:.1f} | "
    f"{mean.loc[('synapse', c), 'by_minimal']:.1f} | "
    f"{mean.loc[('synapse', c), 'saving']:.1f} | {theory.best_threshold(c):.1f} | "
    f"{theory.efficiency(c):.1f} |"
    for c in COSTS
]
Markdown(
    "Best threshold, energy by that of the straight path, and energy without caching "
    "by "
    "the best:\n\n| c | any: θ | energy | saving | by itself: θ | energy | saving "
    "| theory: θ | energy |\n| " + "--- | " * 9 + "\n" + "\n".join(lines) + "\n\n"
    "At c = 0 the theory's 1.4 is of a transient part that is spread over all values "
    "within the threshold, which it never gets to be if the threshold is not reached."
)

# %% [markdown]
# ## The claims

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
found = notebook.Findings(settings, NAME, "SC2", "SC2b", "SC3")
JUDGED = (1e-4, 1e-3, 1e-2)
FREE = least.xs(("any", 0.0))
found.each("SC2", "best energy / minimum", "c = 0", FREE["by_minimal"])
found.each("SC2", "energy without caching / best energy", "c = 0", FREE["saving"])
epochs = ends.rows.set_index("set")
measure = "epochs at the highest threshold / at the lowest"
found.each("SC2", measure, "c = 0", epochs["high"] / epochs["low"])
for variant in VARIANTS:
    for cost in JUDGED:
        ratio = least.xs((variant, cost))["by_minimal"] / theory.efficiency(cost)
        condition = f"{variant}, c = {cost:g}"
        found.each("SC2b", "best energy by the minimum / theory", condition, ratio)
    for cost in (1e-4, 0.1):
        saving = least.xs((variant, cost))["saving"]
        found.each("SC2b", f"saving at c = {cost:.4g}", variant, saving)
for cost in (1e-3, 1e-2):
    table = any_[any_["cost"] == cost].pivot(
        index="set", columns="threshold", values="total"
    )
    for place, end in (("lowest", 0), ("highest", -1)):
        measure = f"energy at the {place} threshold / least"
        ratio = table.iloc[:, end] / table.min(axis=1)
        found.each("SC3", measure, f"c = {cost:g}", ratio)
for lower, cost in pairwise(JUDGED):
    ratio = least.xs(("any", cost))["threshold"] / least.xs(("any", lower))["threshold"]
    found.each("SC3", "best threshold / at the next lower cost", f"c = {cost:g}", ratio)
for cost in JUDGED:
    ratio = least.xs(("synapse", cost))["threshold"] / theory.best_threshold(cost)
    found.each("SC3", "best threshold / theory", f"synapse, c = {cost:g}", ratio)
found.verdicts([], scale.seeds)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
said = {c: f"{mean.loc[('any', c), 'saving']:.2g}" for c in COSTS}
found.answer(
    f"If being transient costs c = {MIDDLE:g}, a threshold of "
    f"{mean.loc[('any', MIDDLE), 'threshold']:.0f} is best and learning spends "
    f"**{said[MIDDLE]} times less** than without caching; at c = 0.0001 {said[1e-4]} "
    f"times less, at c = 0.01 {said[1e-2]} times. Transient changes that cost nothing "
    f"bring the energy down to the straight path's, {said[0.0]} times less. The best "
    "threshold falls with the price, as in the theory."
)

# %% [markdown]
# ## Your turn
#
# **1.** At which price c does the theory call a threshold of 5 the best one? Solve its formula for
# c.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: the price for a threshold"}
# NBVAL_CHECK_OUTPUT
price = (3 * theory.updates / THETA**2 - 1) / theory.presentations
best = theory.best_threshold(price)
print(f"c = (3 K / {THETA}² - 1) / T = {price:.2g}; its best threshold: {best:.2f}")

# %% [markdown]
# **2.** Nobody hits the best threshold. What does half of it cost, what twice as much? Is it better
# to err to the one side or to the other?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: half, or twice as much"}
# NBVAL_CHECK_OUTPUT
curve = middle.groupby("threshold")["total"].mean()
for factor in (0.5, 2):
    energy = np.interp(factor * curve.idxmin(), curve.index, curve)
    print(
        f"{factor:g} times the threshold: {energy / curve.min():.2f} times the energy"
    )

# %% [markdown]
# Next: {doc}`What is transient does not last; what then? <fig3_decay>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([])
for (variant, cost, number), threshold in least["threshold"].items():
    if number == scale.seeds[0]:
        print(f"{variant}, c = {cost:g}: best threshold {threshold:g}")

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, [], [costs, ends])
