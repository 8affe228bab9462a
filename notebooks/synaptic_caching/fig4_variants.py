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
# # Who says when to consolidate · synaptic caching, Fig. 4
#
# A synapse may know by itself when its transient part is large enough to be made permanent. Or the
# neuron may decide for all of its synapses at once, a coarser signal that is easier to imagine in
# biology. Does it matter who decides {cite}`li2020energy`?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`when to make a change permanent <fig2_threshold>`.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
import numpy as np
import pandas as pd
from IPython.display import Markdown

from lazybook.book import notebook, pattern_sets, plotting
from lazybook.theory import Perceptron

settings = notebook.start(globals())
SUMS = [0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 7, 8, 10, 12, 15,
        20, 30, 40, 60, 100]  # fmt: skip
scale = settings.scale(
    # smoke, quick, paper; each seed is a set of patterns
    inputs=(200, 1000, 1000),
    seeds=([1, 2], [1, 2, 3, 4, 5], [*range(1, 21)]),
    thresholds=(
        [0.5, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 40, 80],
        [0.5, *range(1, 21), 25, 30, 40, 50, 60, 80, 100, 150, 200],
        [0.5, *range(1, 21), 25, 30, 40, 50, 60, 80, 100, 150, 200],
    ),
    sums=([0.5, 1, 2, 3, 5, 10, 50], SUMS, SUMS),
)
NAME = "synaptic_caching/fig4_variants"
COSTS = pattern_sets.COSTS

# %% [markdown]
# ## Three variants
#
# An update changes the transient part $s$ of each synapse by 1. After it, the following are
# consolidated, with a threshold θ or Θ:
#
# ```{math}
# :label: eq-variants
# \begin{aligned}
# \textit{each by itself:} \quad & \text{each synapse with } |s_i| > \theta \\
# \textit{any for all:} \quad & \text{all, as soon as } \max_i |s_i| > \theta \\
# \textit{the sum for all:} \quad & \text{all, as soon as } \sum_i |s_i| > \Theta
# \end{aligned}
# ```
#
# The energy is that of [Fig. 2](fig2_threshold): the sizes of all consolidations, the last one of
# what is left included, and $c \sum_i |s_i|$ at each presentation. Without decay it follows for all
# variants from the same course of learning.
#
# ## The runs

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
single = {"any": scale.thresholds, "synapse": scale.thresholds}
parts = [
    pattern_sets.cached(settings, scale.inputs, scale.seeds, thresholds)
    for thresholds in (single, {"sum": scale.sums})
]
costs = pd.concat(part.rows for part in parts)
priced = pd.concat(
    costs.assign(cost=c, total=costs["consolidated"] + c * costs["transient"])
    for c in COSTS
).reset_index(drop=True)
least = priced.loc[priced.groupby(["variant", "cost", "set"])["total"].idxmin()]
least = least.assign(by_minimal=least["total"] / least["minimal"])
SETS = f"n = {len(scale.seeds)} sets of patterns"
Markdown(
    f"N = {scale.inputs:,} inputs and as many patterns; {len(scale.thresholds)} "
    f"thresholds of single synapses and {len(scale.sums)} of their sum, from "
    f"{scale.sums[0]:g} to {scale.sums[-1]:g} times the number of synapses."
)

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the energy figure"}
CACHING = "synaptic-caching"
VARIANTS = {"synapse": "each by itself", "any": "any for all", "sum": "the sum for all"}
LOOKS = {
    variant: {
        "color": plotting.shade(CACHING, number, range(3)),
        "marker": "oPs"[number],
        "ls": ("-", "--", ":")[number],
        "lw": 2.2,
        "label": VARIANTS[variant],
    }
    for number, variant in enumerate(VARIANTS)
}
theory = Perceptron(scale.inputs, scale.inputs)
without = (costs["energy"] / costs["minimal"]).mean()
energies, left = plotting.subplots(figsize=(3.95, 3.6))
relative, right = plotting.subplots(figsize=(3.95, 3.6))
alone = least[least["variant"] == "synapse"].set_index(["cost", "set"])["total"]
compared = least[least["cost"] > 0].copy()
places = pd.MultiIndex.from_frame(compared[["cost", "set"]])
compared["relative"] = compared["total"].to_numpy() / alone.loc[places].to_numpy()
for variant, look in LOOKS.items():
    rows = compared[compared["variant"] == variant]
    plotting.over_seeds(left, rows, "cost", "by_minimal", CACHING, **look)
    plotting.over_seeds(right, rows, "cost", "relative", CACHING, **look)
left.axhline(without, color=plotting.RULES["all"], lw=1.5, label="no caching")
left.set(ylabel="best energy / straight path's")
plotting.logarithmic(left.yaxis, [1, 3], "{x:g}")
left.legend(fontsize="small")
right.set(ylabel="best energy / of each by itself", ylim=(0, 1.6))
for axes in (left, right):
    axes.set(xlabel="cost of being transient, c")
    plotting.logarithmic(axes.xaxis)
plotting.show(
    energies,
    relative,
    name="fig-variants-energy",
    caption="(a) Energy at the best threshold of each variant, relative to the "
    "straight path; (b) relative to that of synapses which are consolidated each by "
    f"itself. Both against the price of being transient. N = P = {scale.inputs:,}, no "
    f"decay; lines are means over {SETS}, bands go from the lowest to the highest. "
    "(Paper: Fig. 4b.)",
    alt="a, three curves that rise together from a low energy to that without "
    "caching. b, their ratios, all between about 0.9 and 1.3.",
    notebook=NAME,
    lead=True,
)

# %% [markdown]
# ## The thresholds
#
# The best thresholds are not the same: one synapse of a thousand reaches a threshold long before
# most others do, so that where any one decides for all, the threshold has to be higher.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of thresholds"}
SHOWN = 1e-3
middle = priced[priced["cost"] == SHOWN]
totals, left = plotting.subplots(figsize=(3.95, 3.6))
bests, right = plotting.subplots(figsize=(3.95, 3.6))
for variant, look in LOOKS.items():
    rows = middle[middle["variant"] == variant]
    plotting.over_seeds(left, rows, "threshold", "total", CACHING, **look, markersize=3)
    rows = compared[compared["variant"] == variant]
    plotting.over_seeds(right, rows, "cost", "threshold", CACHING, **look)
left.set(xlabel="threshold θ, or Θ by number of synapses", ylabel="energy")
left.set_title(f"c = {SHOWN:g}")
right.set(xlabel="cost of being transient, c", ylabel="best threshold")
for axis in (left.xaxis, right.xaxis):
    plotting.logarithmic(axis)
plotting.logarithmic(left.yaxis, [1, 3])
plotting.logarithmic(right.yaxis, [1, 3], "{x:g}")
right.legend(fontsize="small")
plotting.show(
    totals,
    bests,
    name="fig-variants-threshold",
    caption="(a) Energy against the threshold for one price, (b) best threshold "
    "against the price. That of the sum is divided by the number of synapses. N = P = "
    f"{scale.inputs:,}, no decay; lines are means over {SETS}, bands go from the "
    "lowest to the highest. (Paper: text to Fig. 4.)",
    alt="a, three curves with minima at different thresholds and about the same "
    "depth. b, three falling curves: the best threshold is highest where any synapse "
    "decides.",
    notebook=NAME,
)

# %% [markdown]
# ## If changing what is transient costs something too
#
# Transient changes may cost something to make, not only to keep: $b \sum_t \sum_i |\Delta s_i(t)|$,
# where a change that is consolidated at once does not count. A synapse that walks at random takes
# n² steps to get n steps away, so
#
# ```{math}
# :label: eq-change-cost
# M_b = b N K \left(1 - \frac{1}{n^2}\right), \qquad n = \lceil \theta / \eta \rceil .
# ```
#
# With $b \ge 1$ nothing can be saved, as a transient change then costs as much as a permanent one.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of the cost of changes"}
PRICES = (0.0, 0.1, 0.3, 1.0)
alone = costs[costs["variant"] == "synapse"]
figure, axes = plotting.subplots(figsize=(5.4, 3.4))
for b in PRICES:
    paid = alone.assign(total=(alone["consolidated"] + SHOWN * alone["transient"]
                               + b * alone["changed"]) / alone["energy"])  # fmt: skip
    look = {"color": plotting.shade(CACHING, b, PRICES), "marker": ""}
    look |= {"lw": plotting.width(b, PRICES), "label": f"b = {b:g}"}
    plotting.over_seeds(axes, paid, "threshold", "total", CACHING, **look)
    thetas = np.array(scale.thresholds[1:]) + 1  # the next step exceeds the threshold
    spent = theory.consolidation(thetas) + theory.maintenance(thetas, SHOWN)
    spent = (spent + b * theory.changes(thetas)) / theory.energy
    axes.plot(thetas - 1, spent, ":", color=plotting.INK, lw=1.2)
axes.axhline(1, color=plotting.RULES["all"], lw=1.5, label="no caching")
plotting.logarithmic(axes.xaxis, text="{x:g}")
axes.set(xlabel="threshold θ", ylabel="energy / without caching", ylim=(0, 2.2))
axes.legend(fontsize="small", ncols=2)
plotting.show(
    figure,
    name="fig-variants-changes",
    caption="Energy relative to learning without caching, against the threshold, if "
    f"changes of what is transient cost b; c = {SHOWN:g}, each synapse by itself. "
    f"Dotted: the theory. N = P = {scale.inputs:,}, no decay; lines are means over "
    f"{SETS}, bands go from the lowest to the highest. (Paper: Methods.)",
    alt="Four curves of energy against threshold, the higher the more changes cost; "
    "with b = 1 none of it lies below the level without caching.",
    notebook=NAME,
)

# %% [markdown]
# ## The claims
#
# The paper also caches in a model of a spiking neuron, whose learning rule is another one. That
# model is not built here.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
found = notebook.Findings(settings, NAME, "SC4", "SC15")
JUDGED = (1e-4, 1e-3, 1e-2)
table = least.pivot(index=["cost", "set"], columns="variant", values="total")
ratio = table.max(axis=1) / table.min(axis=1)
for cost in JUDGED:
    measure = "largest / smallest of the variants' best energies"
    found.each("SC4", measure, f"c = {cost:g}", ratio.loc[cost])
why = "the spiking neuron is not built"
found.lacks("SC15", "energy saved", "spiking neuron", why)
found.verdicts([], scale.seeds)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
most = ratio.groupby("cost").mean()[list(JUDGED)]
lines = least[least["cost"] == SHOWN].groupby("variant")["by_minimal"].mean()
found.answer(
    "Hardly. At their best thresholds the three variants spend within a factor of "
    f"**{most.max():.2f}** of one another, at prices of c = {JUDGED[0]:g} to "
    f"{JUDGED[-1]:g}. At c = {SHOWN:g} that is {lines['synapse']:.1f}, "
    f"{lines['any']:.1f} and {lines['sum']:.1f} times the straight path's energy if "
    "each synapse decides for itself, any for all, or the sum for all; without caching "
    f"it is {without:.0f} times."
)

# %% [markdown]
# ## Your turn
#
# **1.** Take the threshold that is best for synapses that decide for themselves, and let any one
# decide for all. By how much does that cost more than the threshold that is best then?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: the other's threshold"}
# NBVAL_CHECK_OUTPUT
totals = middle.groupby(["variant", "threshold"])["total"].mean()
own, others = totals["any"].idxmin(), totals["synapse"].idxmin()
more = totals["any"][others] / totals["any"].min()
print(f"threshold {others:g} in place of {own:g}: {more:.2f} times the energy")

# %% [markdown]
# **2.** With $b \ge 1$ nothing can be saved. At which price b of a transient change does it end, if
# c = 0.001 is paid as well? Find the largest b at which some threshold still saves.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: the price at which it ends"}
# NBVAL_CHECK_OUTPUT
alone = alone[alone["changed"] > 0]
spent = alone["consolidated"] + SHOWN * alone["transient"]
highest = (alone["energy"] - spent) / alone["changed"]
by_threshold = highest.groupby(alone["threshold"]).mean()
print(f"b = {by_threshold.max():.2f}, with a threshold of {by_threshold.idxmax():g}")

# %% [markdown]
# Next: {doc}`From one neuron to a network that reads digits. <fig5_network>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([])
for row in least[least["set"] == scale.seeds[0]].itertuples():
    print(f"{row.variant}, c = {row.cost:g}: best threshold {row.threshold:g}")

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, [], parts)
