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
# # When transient changes fade · synaptic caching, Fig. 3
#
# Transient plasticity does not last. If what is held back fades before it is made permanent, part
# of what was learned has to be learned again, so that one expects a cache that decays to cost more
# energy and more time. Does it {cite}`li2020energy`?
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
import math
from itertools import pairwise

import pandas as pd
from IPython.display import Markdown

from lazybook import perceptron
from lazybook.book import notebook, pattern_sets, plotting, tables
from lazybook.caching import SynapticCaching

settings = notebook.start(globals())
HALVES = [0.5 * n for n in range(1, 21)]  # thresholds up to 10
scale = settings.scale(
    # smoke, quick, paper; each seed is a set of patterns
    inputs=(150, 1000, 1000),
    seeds=([1, 2], [1, 2], [*range(1, 21)]),
    epochs=(300, 1000, 1000),
    patience=(300, 1000, 10_000),  # of the trade-off
    decays=(
        [0, 1e-3, 1e-2, 1e-1],
        [0, 1e-5, 1e-4, 1e-3, 3e-3, 1e-2, 1e-1],
        [0, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1],
    ),
    thresholds=(
        [0.5, 1, 2, 3, 5, 8, 10],
        [*HALVES, 15, 20, 30, 50],
        [*HALVES, 12, 15, 20, 25, 30, 40, 50],
    ),
)
NAME = "synaptic_caching/fig3_decay"
COSTS = (0.0, 1e-3, 1e-2)
TRADED = 1e-3  # 1/τ of the trade-off

# %% [markdown]
# ## What decays
#
# As in [Fig. 2](fig2_threshold), a weight is $w_i = l_i + s_i$. Now at each presentation the
# transient part fades first, with a time constant τ in presentations:
#
# ```{math}
# :label: eq-decay
# s_i \to \left(1 - \frac 1\tau\right) s_i .
# ```
#
# Then $c \sum_i |s_i|$ is charged, a pattern that is an error is learned, $s \to s + t x$, and if
# any $|s_i|$ now exceeds the threshold θ, all are consolidated.
#
# ## The runs
#
# What fades is missing from the weights, so now decay and threshold do matter to what is learned,
# and each needs a run of its own. (The price c does not.) At each decay the threshold is raised
# until the patterns cannot be learned any more.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}


def learn(number, decay, threshold, epochs):
    """Learn a set of patterns, and return what it took."""
    patterns = pattern_sets.signed(scale.inputs, scale.inputs, number)
    rate = perceptron.decay_rate(1 / decay if decay else math.inf)
    rule = SynapticCaching(threshold, rate, variant="any", strict=True)
    run = perceptron.learn(patterns, rule, epochs)
    return {
        "decay": decay,
        "threshold": threshold,
        "epochs": run.epochs,
        "consolidated": run.costs.consolidated,
        "transient": run.costs.transient,
        "converged": run.converged,
    }


def all_decays(number):
    """Return a row for each decay and threshold, up to the first that is too high."""
    rows = []
    for decay in scale.decays:
        for threshold in scale.thresholds:
            rows.append(learn(number, decay, threshold, scale.epochs))
            if not rows[-1]["converged"]:
                break
    return rows


def trade_off(number):
    """Return a row for each threshold up to 10, with one decay."""
    low = [threshold for threshold in scale.thresholds if threshold <= 10]
    return [learn(number, TRADED, threshold, scale.patience) for threshold in low]


how = (scale.seeds, settings.jobs, settings.fresh)
learned = tables.measured(
    "perceptron-decay",
    {
        "inputs": scale.inputs,
        "decays": scale.decays,
        "thresholds": scale.thresholds,
        "epochs": scale.epochs,
    },
    all_decays,
    *how,
)
trade = tables.measured(
    "perceptron-trade-off",
    {
        "inputs": scale.inputs,
        "decay": TRADED,
        "thresholds": scale.thresholds,
        "epochs": scale.patience,
    },
    trade_off,
    *how,
)


def priced_at(rows):
    """Return the rows that learned all patterns, for each price, with their energy."""
    rows = rows[rows["converged"]]
    return pd.concat(
        rows.assign(cost=c, energy=rows["consolidated"] + c * rows["transient"])
        for c in COSTS
    ).reset_index(drop=True)


priced = priced_at(learned.rows)
best = priced.loc[priced.groupby(["cost", "decay", "set"])["energy"].idxmin()]
SETS = f"n = {len(scale.seeds)} sets of patterns"
Markdown(
    f"N = {scale.inputs:,} inputs and as many patterns; any synapse over the threshold "
    f"consolidates all. A perceptron gives up after {scale.epochs:,} epochs (the "
    f"paper: 10,000). {len(learned.rows):,} runs, {learned.rows['converged'].sum():,} "
    "of which learned all patterns."
)

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the energy figure"}
CACHING = "synaptic-caching"
some = best[best["decay"] > 0]
zero = best[best["decay"] == 0]
LEFT = min(some["decay"]) / 5  # where what does not decay is drawn


def draw(axes, column):
    """Draw a column of the best runs against the decay, a line for each price."""
    for cost in COSTS:
        look = {"color": plotting.shade(CACHING, cost, COSTS), "label": f"c = {cost:g}"}
        look |= {"marker": "osv"[COSTS.index(cost)], "lw": plotting.width(cost, COSTS)}
        chosen = some[some["cost"] == cost]
        plotting.over_seeds(axes, chosen, "decay", column, CACHING, **look)
        level = zero.loc[zero["cost"] == cost, column].mean()
        axes.plot(LEFT, level, look["marker"], color=look["color"], ms=6)
    axes.set(xlabel="decay, 1/τ (per presentation)")
    plotting.logarithmic(axes.xaxis)
    axes.text(LEFT, 0.01, "none", transform=axes.get_xaxis_transform(), ha="center",
              fontsize="small")  # fmt: skip


energies, left = plotting.subplots(figsize=(3.95, 3.6))
draw(left, "energy")
plotting.logarithmic(left.yaxis)
left.set(ylabel="energy at the best threshold")
left.legend(fontsize="small")
chosen, right = plotting.subplots(figsize=(3.95, 3.6))
draw(right, "threshold")
plotting.logarithmic(right.yaxis, [1, 3], "{x:g}")
right.set(ylabel="best threshold")
plotting.show(
    energies,
    chosen,
    name="fig-decay-energy",
    caption="(a) Energy until all patterns are right, at the threshold that costs "
    "least, and (b) that threshold, against the rate at which transient changes "
    f"decay. N = P = {scale.inputs:,}; lines are means over {SETS}, bands go from the "
    "lowest to the highest; single markers on the left: without decay. (Paper: Fig. "
    "3.)",
    alt="a, energies against decay for three prices: that without a price rises from "
    "a low level, the others are flatter. b, the best threshold falls with the decay.",
    notebook=NAME,
    lead=True,
)

# %% [markdown]
# ## Time
#
# A cache that loses what it holds has to learn it again. But an error also undoes part of what was
# right, and what decays is, more than anything, what errors did long ago. Weights that forget a
# little may get to a solution sooner.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of time"}
figure, axes = plotting.subplots(figsize=(5.4, 3.4))
draw(axes, "epochs")
axes.axhline(zero["epochs"].mean(), color=plotting.INK, ls=":", lw=1.2)
plotting.logarithmic(axes.yaxis, [1, 3], "{x:g}")
axes.set(ylabel="epochs at the best threshold")
axes.legend(fontsize="small")
plotting.show(
    figure,
    name="fig-decay-epochs",
    caption="Epochs until all patterns are right, at the threshold that costs least "
    f"energy, against the decay. Dotted: without decay. N = P = {scale.inputs:,}; "
    f"lines are means over {SETS}, bands go from the lowest to the highest. (Paper: "
    "Fig. 3.)",
    alt="Epochs against decay for three prices of being transient; where being "
    "transient costs most, the curve dips below the level without decay.",
    notebook=NAME,
)

# %% [markdown]
# ## Energy against time
#
# With one decay, τ = 1,000 presentations, each threshold gives an energy and a time. If there is a
# price to being transient, the threshold that costs least energy is close to the fastest. If there
# is none, energy can be bought with time.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of the trade-off"}
complete = trade.rows.groupby("threshold")["converged"].all()
traded = priced_at(trade.rows)
traded = traded[traded["threshold"].isin(complete[complete].index)]
figure, axes = plotting.subplots(figsize=(5.4, 3.6))
for cost in COSTS:
    line = (
        traded[traded["cost"] == cost].groupby("threshold")[["energy", "epochs"]].mean()
    )
    color = plotting.shade(CACHING, cost, COSTS)
    axes.plot(line["energy"], line["epochs"], "o-", ms=3, color=color,
              lw=plotting.width(cost, COSTS), label=f"c = {cost:g}")  # fmt: skip
    at = line["energy"].idxmin()
    axes.plot(*line.loc[at], "o", ms=9, mfc="none", color=color)
    axes.annotate(f"θ = {at:g}", line.loc[at], (8, 4), textcoords="offset points",
                  fontsize="small")  # fmt: skip
plotting.logarithmic(axes.xaxis, [1, 2, 5])
plotting.logarithmic(axes.yaxis, [1, 2, 5], "{x:g}")
axes.set(xlabel="energy", ylabel="epochs")
axes.legend(fontsize="small")
plotting.show(
    figure,
    name="fig-decay-tradeoff",
    caption="Epochs against energy, a dot for each threshold up to 10 with which all "
    f"sets of patterns are learned in at most {scale.patience:,} epochs; circled: the "
    f"threshold of least energy. τ = {1 / TRADED:,.0f}, N = P = {scale.inputs:,}; "
    f"means over {SETS}. (Paper: Fig. 3 – supplement 1a.)",
    alt="Three curves of epochs against energy, one for each price: without a price "
    "the least energy lies where learning takes longest, with the highest price close "
    "to where it is fastest.",
    notebook=NAME,
)

# %% [markdown]
# ## The claims

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
found = notebook.Findings(settings, NAME, "SC5", "SC6", "SC7")
least = best.set_index(["cost", "decay", "set"])
TENS = [decay for decay in (1e-5, 1e-4, 1e-3, 1e-2, 1e-1) if decay in scale.decays]
for cost in COSTS:
    for weaker, decay in pairwise(TENS):
        ratio = least.loc[(cost, decay), "energy"] / least.loc[(cost, weaker), "energy"]
        condition = f"c = {cost:g}, 1/τ = {decay:g}"
        found.each("SC5", "best energy / with a tenth of the decay", condition, ratio)
DEAR = 1e-2
epochs = least.loc[DEAR, "epochs"].unstack("decay")
fastest = epochs.drop(columns=0.0).mean().idxmin()
condition = f"c = {DEAR:g}, 1/τ = {fastest:g}"
measure = "epochs at the best threshold / without decay"
found.each("SC6", measure, condition, epochs[fastest] / epochs[0.0])
for cost in (0.0, DEAR):
    few = traded[traded["cost"] == cost].set_index(["threshold", "set"])
    at = few.groupby("threshold")["energy"].mean().idxmin()
    quickest = few.groupby("threshold")["epochs"].mean().idxmin()
    ratio = few.loc[at, "epochs"] / few.loc[quickest, "epochs"]
    measure = f"epochs at the best threshold / fewest, c = {cost:g}"
    found.each("SC7", measure, f"τ = {1 / TRADED:,.0f}", ratio)
found.verdicts([], scale.seeds)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
means = least.groupby(["cost", "decay"])[["energy", "epochs"]].mean()
plain, strong = means.loc[(DEAR, 0.0)], max(scale.decays)
cheapest = means.loc[DEAR, "energy"].idxmin()
free = means.loc[(0.0, strong), "energy"] / means.loc[(0.0, 0.0), "energy"]
found.answer(
    f"If being transient costs nothing, decay costs much: with 1/τ = {strong:g} "
    f"learning takes **{free:.2g} times the energy** that it takes without. If it "
    f"costs c = {DEAR:g}, moderate decay is no loss: with 1/τ = {cheapest:g} learning "
    f"takes {means.loc[(DEAR, cheapest), 'energy'] / plain['energy']:.2f} times the "
    f"energy and **{means.loc[(DEAR, cheapest), 'epochs'] / plain['epochs']:.2f} times "
    f"the epochs** of learning without decay ({plain['epochs']:.0f})."
)

# %% [markdown]
# ## Your turn
#
# **1.** A change waits for the same pattern to come again for one epoch, N presentations. Which
# part of a transient change is left then, for each of the decays?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: after one epoch"}
# NBVAL_CHECK_OUTPUT
for decay in scale.decays:
    print(f"1/τ = {decay:g}: {100 * (1 - decay) ** scale.inputs:.3g} %")

# %% [markdown]
# **2.** How high may the threshold be, so that all sets are still learned, and how does the decay
# change that?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: the highest threshold"}
# NBVAL_CHECK_OUTPUT
tried = learned.rows.groupby(["decay", "threshold"])["converged"]
learned_by_all = (tried.sum() == len(scale.seeds)).reset_index()
for decay, at_decay in learned_by_all.groupby("decay"):
    highest = at_decay.loc[at_decay["converged"], "threshold"].max()
    at_end = " (the highest tried)" if highest == max(scale.thresholds) else ""
    print(f"1/τ = {decay:g}: {highest:g}{at_end}")

# %% [markdown]
# Next: {doc}`Need each synapse know by itself when? <fig4_variants>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([])
for (cost, decay, number), row in least.iterrows():
    if number == scale.seeds[0]:
        print(f"c = {cost:g}, 1/τ = {decay:g}: θ = {row['threshold']:g}, "
              f"{row['epochs']:.0f} epochs")  # fmt: skip

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, [], [learned, trade])
