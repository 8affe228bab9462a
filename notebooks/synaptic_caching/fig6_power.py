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
# # The power of a cache, from theory · synaptic caching, Fig. 6
#
# How much energy a cache takes depends on how often a neuron errs, how fast transient changes
# decay, and where the threshold is. For a synapse that walks at random this can be worked out. Does
# it hold for a neuron that learns {cite}`li2020energy`?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`when to make a change permanent <fig2_threshold>` and {doc}`when transient
# changes fade <fig3_decay>`.

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

from lazybook import perceptron
from lazybook.book import notebook, pattern_sets, plotting, tables
from lazybook.caching import SynapticCaching
from lazybook.theory import DecayingCache

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper; each seed is a set of patterns
    inputs=(200, 1000, 1000),
    seeds=([1, 2], [1, 2, 3, 4, 5], [*range(1, 21)]),
    epochs=(50, 200, 200),
)
NAME = "synaptic_caching/fig6_power"
THRESHOLD, TAU, COST = 5, 500, 0.01
LEAST = 0.01  # error rate from which on an epoch is judged

# %% [markdown]
# ## The theory
#
# Let a neuron err with probability p at each presentation. Then the transient part s of each of its
# synapses makes a step of ±η with probability p, and between steps decays with time constant τ.
# Each synapse is consolidated by itself at ±θ, where it starts from 0 again. Many small steps make
# a diffusion with drift. Its density P(s) obeys, in the steady state,
#
# ```{math}
# :label: eq-power-diffusion
# 0 = \frac{1}{\tau} \frac{d}{ds} \left[ s P(s) \right] + \frac{\sigma_s^2}{2} \frac{d^2 P}{ds^2}
#   + r\, \delta(s), \qquad \sigma_s^2 = p \eta^2 , \qquad P(\pm\theta) = 0 ,
# ```
#
# with r the rate at which synapses are consolidated. It is solved by
#
# ```{math}
# :label: eq-power-density
# P(s) = \frac 1Z\, e^{-s^2 / \sigma^2}
#   \left[ \mathrm{erfi}\frac{|s|}{\sigma} - \mathrm{erfi}\frac{\theta}{\sigma} \right],
# \qquad \sigma^2 = \tau \sigma_s^2 ,
# ```
#
# where Z makes the area 1. The two powers, energies for each presentation, are
#
# ```{math}
# :label: eq-power
# m_\text{trans} = c N \langle |s| \rangle
#   = \frac{c N}{Z} \left[ \frac{2 \theta \sigma}{\sqrt\pi} -
#     \sigma^2\, \mathrm{erfi}\frac{\theta}{\sigma} \right], \qquad
# m_\text{cons} = N \theta r, \qquad r = - \frac{2 \sigma}{\tau Z \sqrt\pi} .
# ```
#
# (The rate printed in the paper lacks the $1/\tau$, and the drift has the other sign there. As
# written here r goes to $\sigma_s^2 / \theta^2$ without decay, the limit that the paper states.)
# All that they need from the learning neuron is p.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the theory as a function"}
notebook.html_table(
    pd.DataFrame(
        [
            {
                "τ": f"{tau:,.0f}",
                "p": p,
                "mean size of s": f"{cache.size:.3f}",
                "without decay": f"{THRESHOLD / 3:.3f}",
                "rate r": f"{cache.consolidations:.2g}",
                "r without decay": f"{p / THRESHOLD**2:.2g}",
            }
            for tau in (50, 500, 1e6)
            for p in (0.3, 0.03)
            for cache in [DecayingCache(THRESHOLD, tau, p)]
        ]
    ),
    "what the theory says for several decays and error rates",
)

# %% [markdown]
# ## The runs

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
rule = SynapticCaching(THRESHOLD, perceptron.decay_rate(TAU), strict=True)


def measure(number):
    """Learn a set of patterns, and return what was measured in each epoch."""
    patterns = pattern_sets.signed(scale.inputs, scale.inputs, number)
    run = perceptron.learn(patterns, rule, scale.epochs)
    per = scale.inputs * patterns.shape[1]  # presentations times synapses
    return [
        {
            "epoch": epoch + 1,
            "errors": run.errors[epoch] / scale.inputs,
            "maintenance": COST * run.transient[epoch] / per,
            "consolidation": run.consolidated[epoch] / per,
        }
        for epoch in range(run.epochs)
    ]


powers = tables.measured(
    "perceptron-power",
    {"inputs": scale.inputs, "epochs": scale.epochs, "rule": str(rule), "cost": COST},
    measure,
    scale.seeds,
    settings.jobs,
    settings.fresh,
)
rows = powers.rows.copy()
for reach, suffix in ((THRESHOLD, "theory"), (THRESHOLD + 0.5, "half")):
    caches = [DecayingCache(reach, TAU, p) if p else None for p in rows["errors"]]
    rows[f"maintenance_{suffix}"] = [COST * c.size if c else 0.0 for c in caches]
    rows[f"consolidation_{suffix}"] = [c.consolidation if c else 0.0 for c in caches]
lengths = rows.groupby("set")["epoch"].max()
common = int(lengths.min())  # epochs that all sets have
ended = lengths[lengths < scale.epochs]
SETS = f"n = {len(scale.seeds)} sets of patterns"
Markdown(
    f"N = {scale.inputs:,} inputs and as many patterns, θ = {THRESHOLD}, τ = {TAU}, c "
    f"= {COST:g}; each synapse by itself. {len(ended)} of {len(lengths)} sets are "
    f"learned, in {ended.min()} to {ended.max()} epochs. Where it takes longer, "
    f"learning and forgetting come into balance; these stop after {scale.epochs} "
    "epochs. In each epoch the error rate p and both powers are measured, and the "
    "theory is given that p."
)

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure of powers"}
CACHING = "synaptic-caching"
shown = rows[rows["epoch"] <= common]
panels = []
for name in ("maintenance", "consolidation"):
    figure, axes = plotting.subplots(figsize=(3.95, 3.5))
    plotting.over_seeds(axes, shown, "epoch", name, CACHING, label="measured")
    for suffix, line, label in (
        ("theory", ":", "theory"),
        ("half", "--", "with θ + ½"),
    ):
        theory = shown.groupby("epoch")[f"{name}_{suffix}"].mean()
        axes.plot(theory.index, theory, line, color=plotting.INK, label=label)
    axes.set(xlabel="epoch", ylabel=f"power of {name}", ylim=(0, None))
    axes.legend(fontsize="small")
    panels.append(figure)
plotting.show(
    *panels,
    name="fig-power",
    caption="Power of maintenance (a) and of consolidation (b) in each epoch, for "
    "each synapse and presentation. Dotted: what the theory says of the error rate "
    "measured in that epoch; dashed: with a threshold half a step higher. Epochs that "
    f"all sets of patterns have. N = P = {scale.inputs:,}, θ = {THRESHOLD}, τ = "
    f"{TAU}, c = {COST:g}; lines are means over {SETS}, bands go from the lowest to "
    "the highest. (Paper: Fig. 6.)",
    alt="Two curves of power against the epoch with the theory's curves beside them: "
    "that of consolidation falls with learning, that of maintenance changes little.",
    notebook=NAME,
    lead=True,
)

# %% [markdown]
# ## Where theory and measurement differ
#
# A diffusion stops at θ; a synapse that moves in steps of 1 is consolidated when it *exceeds* θ, on
# average about half a step further on. And the theory is for a walk at random and a steady state,
# where a neuron that learns errs less and less, and its synapses are pulled back by its errors (see
# [Fig. 1](fig1_cost)).

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of deviations"}
judged = rows[rows["errors"] > LEAST].copy()
figure, axes = plotting.subplots(figsize=(5.4, 3.4))
edges = np.geomspace(LEAST, judged["errors"].max(), 9)
judged["bin"] = np.sqrt(edges[1:] * edges[:-1])[
    np.clip(np.digitize(judged["errors"], edges) - 1, 0, 7)
]
for name, marker in (("maintenance", "v"), ("consolidation", "^")):
    judged[f"{name}_ratio"] = judged[name] / judged[f"{name}_theory"]
    look = {"marker": marker, "label": name}
    look["color"] = plotting.shade(CACHING, name, ["maintenance", "consolidation"])
    plotting.over_seeds(axes, judged, "bin", f"{name}_ratio", CACHING, **look)
axes.axhline(1, color=plotting.INK, ls=":", lw=1.2)
axes.set(xlabel="error rate p of the epoch", ylabel="measured / theory", ylim=(0, None))
plotting.logarithmic(axes.xaxis, [1, 3], "{x:g}")
axes.legend(fontsize="small")
plotting.show(
    figure,
    name="fig-power-ratio",
    caption="Measured powers divided by the theory's, against the error rate; "
    "learning goes from right to left. Lines are means over epochs of similar error "
    f"rate, of {SETS}; bands go from the lowest to the highest of these epochs. N = P "
    f"= {scale.inputs:,}. (Paper: Fig. 6.)",
    alt="Two curves of the ratio of measurement and theory against the error rate, "
    "with bands around them.",
    notebook=NAME,
)

# %% [markdown]
# ## The claims

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
found = notebook.Findings(settings, NAME, "SC8")
median = {}
for name in ("maintenance", "consolidation"):
    off = (judged[name] / judged[f"{name}_theory"] - 1).abs()
    median[name] = off.groupby(judged["set"]).median()
    found.each(
        "SC8", "median |measured / theory − 1|", f"power of {name}", median[name]
    )
found.verdicts([], scale.seeds)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
off = {name: 100 * values.mean() for name, values in median.items()}
half = {
    name: 100
    * (judged[name] / judged[f"{name}_half"] - 1)
    .abs()
    .groupby(judged["set"])
    .median()
    .mean()
    for name in off
}
found.answer(
    "Given nothing but the error rate of each epoch, the theory is off by a median of "
    f"**{off['maintenance']:.0f} %** for the power of maintenance and "
    f"**{off['consolidation']:.0f} %** for that of consolidation (epochs with p > 1 "
    "%); with a threshold half a step higher, as synapses move in steps, by "
    f"{half['maintenance']:.0f} and {half['consolidation']:.0f} %. The rate of "
    "consolidation needs a 1/τ that is missing in print."
)

# %% [markdown]
# ## Your turn
#
# **1.** How many presentations lie between two consolidations of a synapse, if the neuron errs in
# one of ten and θ is 5? Work it out without decay, by $r = p / \theta^2$. Does decay make it more
# or fewer?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: between consolidations"}
# NBVAL_CHECK_OUTPUT
print(f"without decay: {THRESHOLD**2 / 0.1:.0f}")
for tau in (1000, 500, 100):
    rate = DecayingCache(THRESHOLD, tau, 0.1).consolidations
    print(f"τ = {tau}: {1 / rate:,.0f}")

# %% [markdown]
# **2.** Decay keeps a synapse within $\sigma = \sqrt{\tau p}$, the threshold within θ. At which
# error rate are the two alike, with the τ of this page? Which part of the epochs was below, where
# decay rules?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: decay or threshold"}
# NBVAL_CHECK_OUTPUT
alike = THRESHOLD**2 / TAU
below = 100 * (rows["errors"] < alike).mean()
print(f"p = θ² / τ = {alike:g}; below in {below:.0f} % of the epochs")

# %% [markdown]
# Next: {doc}`Two rules that save, in one network. <lazy_with_caching>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([])
for number, epochs in lengths.items():
    print(f"set {number}: {epochs} epochs")

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, [], [powers])
