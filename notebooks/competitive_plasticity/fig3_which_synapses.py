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
# # Which synapses compete, and what is lost · competitive plasticity, Fig. 3
#
# If only the {doc}`largest updates <fig3_largest_updates>` are made, are they those of the same
# synapses every time, as with a mask? And does a network in which synapses compete learn as much in
# the end as one in which all of them change {cite}`vanrossum2024competitive`?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`only the largest updates <fig3_largest_updates>`.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
epochs = None
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
from IPython.display import Markdown

from lazybook.book import notebook, plotting
from lazybook.energy import effective_number
from lazybook.experiment import grid, preset
from lazybook.restrictions import AllSynapses, LargestUpdates, SynapseMask

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    seeds=([0], [0], [0, 1, 2]),
    goal=(0.8, 0.95, 0.95),
    give_up=(1, 5, 5),  # epochs until learning to the goal gives up
    diversity_at=(30, 100, 300),
    diverse=(
        {"layer": [0.03, 0.1], "neuron": [0.1]},
        {"layer": [0.03, 0.1], "neuron": [0.1]},
        {"layer": [0.01, 0.03, 0.1], "neuron": [0.1]},
    ),
    # learning on for many epochs
    small=(30, 100, 100),
    epochs=(1, 3, 30),
    plastic=([0.1], [0.03, 0.1], [0.03, 0.1, 0.3]),
    paths_at=(60, 300, 1000),
)
NAME = "competitive_plasticity/fig3_which_synapses"
RULES = {"layer": "largest-per-layer", "neuron": "largest-per-neuron"}
base = preset("competitive", until=scale.goal, epochs=scale.give_up)

# %% [markdown]
# ## Always the same synapses?
#
# A mask always lets the same synapses change. Does competition in effect do the same, once it has
# found the ones that matter? Count how often each input synapse changes within 1,000 samples, and
# let $p_i$ be its share in all these changes. The inverse Simpson index {cite}`hill1973diversity`
#
# ```{math}
# D = 1 / \textstyle\sum_i p_i^2
# ```
#
# is the effective number of synapses that take part. If it is always the same $K$, $D = K$; if all
# $N$ take turns equally, $D = N$.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs that count"}
counting_sweep = settings.sweep(
    grid(
        replace(base, hidden=scale.diversity_at, record=("synapse-updates",)),
        restriction=[
            LargestUpdates(f, per) for per in RULES for f in scale.diverse[per]
        ],
        seed=scale.seeds,
    )
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of which synapses change"}
rows = []
for run in counting_sweep.runs:
    rule = run.experiment.restriction
    new = run.table[["samples", "energy_m0_hidden"]].diff()
    selected = new["energy_m0_hidden"] / new["samples"]
    for when, row in (("start", 1), ("end", -1)):
        rows.append(
            {
                "per": rule.per,
                "fraction": rule.fraction,
                "when": when,
                "seed": run.experiment.seed,
                "selected": selected.iloc[row],
                "effective": run.table["effective_synapses"].iloc[row],
            }
        )
diversity = pd.DataFrame(rows)
synapses = 785 * (scale.diversity_at - 1)  # of the units that learn
figure, axes = plotting.subplots(figsize=(5.4, 3.6))
for per, rule in RULES.items():
    for when, fill in (("start", "none"), ("end", plotting.RULES[rule])):
        some = diversity[(diversity["per"] == per) & (diversity["when"] == when)]
        look = {
            "ec": plotting.RULES[rule],
            "fc": fill,
            "marker": plotting.MARKERS[rule],
            "s": 30,
        }
        label = f"{plotting.NAMES[rule]}, {when}"
        # Start and end would lie on one another: one to the left, one to the right.
        beside = some["selected"] * (0.94 if when == "start" else 1.06)
        axes.scatter(beside, some["effective"], **look, label=label, zorder=3)
reach = [diversity["selected"].min() / 1.5, synapses]
axes.plot(reach, reach, color=plotting.INK, lw=1, label="always the same: $D = K$")
axes.axhline(synapses, color=plotting.INK, lw=1, ls=":", label="all in turn: $D = N$")
plotting.logarithmic(axes.xaxis, [1, 3], "{x:,g}")
plotting.logarithmic(axes.yaxis, [1, 3])
axes.set(xlabel="selected on a sample, $K$", ylabel="effective number $D$")
axes.legend(fontsize="small", loc="lower right")
plotting.show(
    figure,
    name="fig-which-diversity",
    caption="Effective number of input synapses that change within 1,000 samples, "
    "against the number that change on each of them: the first 1,000 samples of "
    f"learning, and the last 1,000 before the goal; H = {scale.diversity_at}. One "
    f"marker a seed, n = {len(scale.seeds)}, those of start and end set a little "
    "apart. A fixed mask lies on the lower line. (Paper: text to Fig. 3.)",
    alt="A plot on logarithmic axes of the effective number of synapses against the "
    "number selected. A diagonal line is where always the same synapses would change, "
    "a level line where all would in turn; markers show the start and the end of "
    "learning.",
    notebook=NAME,
)
diversity["ratio"] = diversity["effective"] / diversity["selected"]
spread = diversity.groupby("when")["ratio"].agg(["min", "max"])
per_neuron = diversity["per"] == "neuron"
of_neurons = diversity.loc[per_neuron & (diversity["fraction"] == 0.1), "ratio"]
told = [
    f"{low:.2g} to {high:.2g} at the {when}" for when, low, high in spread.itertuples()
]
Markdown(
    f"$D$ is {' and '.join(sorted(told, reverse=True))} of learning, in units of $K$. "
    "More than $1/f$ it cannot be, as there are no more synapses: for $f = 0.1$ that "
    f"is 10. Per neuron it is {notebook.span(of_neurons, '.2g')} at $f = 0.1$: within "
    "a neuron the largest inputs win, and these are the bright pixels, which many "
    "images have in common."
)

# %% [markdown]
# ## The best that a small network can do
#
# A mask makes a network smaller, and a small network cannot learn as much as a large one. A network
# in which synapses compete keeps all of them. To see what this is worth, small networks now learn
# on, long beyond the goal. The figure is the one that this page begins with.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the long runs"}
LAST = 5  # epochs that the final accuracy is the mean of
limits = [AllSynapses(), *(SynapseMask(f, 1.0) for f in scale.plastic)]
limits += [LargestUpdates(f, per) for per in RULES for f in scale.plastic]
long = replace(
    base, hidden=scale.small, epochs=scale.epochs, until=None, measure_every=60_000
)
saturation_sweep = settings.sweep(grid(long, restriction=limits, seed=scale.seeds))

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the accuracy figure"}
saturated = pd.DataFrame(
    {
        "rule": str(run.experiment.restriction).split(":")[0],
        "fraction": getattr(run.experiment.restriction, "fraction", None)
        or getattr(run.experiment.restriction, "p_in", 1.0),
        "seed": run.experiment.seed,
        "accuracy": 100 * run.table["test_accuracy"].iloc[1:].tail(LAST).mean(),
    }
    for run in saturation_sweep.runs
)
everything = saturated[saturated["rule"] == "all"]
figure, axes = plotting.subplots(figsize=(5.4, 3.6))
for rule in ("synapse-mask", *RULES.values()):
    table = pd.concat([saturated[saturated["rule"] == rule], everything])
    plotting.over_seeds(axes, table, "fraction", "accuracy", rule)
axes.plot(1, everything["accuracy"].mean(), plotting.MARKERS["all"], ms=7, zorder=3,
          color=plotting.RULES["all"], label=plotting.NAMES["all"])  # fmt: skip
axes.set(
    xscale="log",
    xlabel="plastic fraction of the input synapses",
    ylabel="test accuracy (%)",
)
axes.xaxis.set_major_formatter("{x:g}")
plotting.stretch(axes, "y")
axes.legend(fontsize="small")
plotting.show(
    figure,
    name="fig-which-saturation",
    caption=f"Accuracy of a small network (H = {scale.small}) after {scale.epochs} "
    f"epochs, the mean over the last {min(LAST, scale.epochs)}, against the fraction "
    "of the input synapses that may ever change (synapse mask), or that change on a "
    "sample (largest updates). All output synapses are plastic. Lines are means over "
    "seeds, bands go from the lowest to the highest; "
    f"n = {len(scale.seeds)}. The axis is stretched towards 100 %, by the share of "
    "errors. (Paper: Fig. 3d.)",
    alt="A plot of test accuracy against the plastic fraction, with a curve each for a "
    "synapse mask, largest updates per layer and largest updates per neuron. They meet "
    "where all synapses are plastic.",
    notebook=NAME,
    lead=True,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what is lost"}
whole = everything.set_index("seed")["accuracy"]
a_tenth = saturated[saturated["fraction"] == 0.1].pivot(
    index="rule", columns="seed", values="accuracy"
)
lost_by_seed = whole - a_tenth
lost = lost_by_seed.mean(axis=1)
Markdown(
    f"With a tenth of the synapses plastic, the accuracy is {lost['synapse-mask']:.2f} "
    "percentage points lower with a mask than with all synapses, "
    f"{lost[RULES['layer']]:.2f} points lower with the largest updates per layer and "
    f"{lost[RULES['neuron']]:.2f} with the largest per neuron. With all synapses "
    f"{100 - whole.mean():.1f} % of the images are misclassified."
)

# %% [markdown]
# ## Why less of $M_1$ than of $M_0$?
#
# $M_1$ is the length of the path of the weights, each measured along its own axis. As long as no
# weight turns round, this length is the distance from start to end, on whichever path. What
# selection leaves out is not lost: it is proposed again, and is made up for later. So a path of
# many small steps becomes one of fewer, larger ones, and $M_0$ falls. $M_1$ falls only if weights
# go to and fro, and only if it is those changes that are left out.
#
# Three paths of two weights, thought up for the purpose, show this. For each, blue is the path of
# plain learning in two steps. On the other one only one weight changes at a time, the one that lags
# most behind.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the drawn paths"}
STEPS = {
    "no turn": [(1.2, 0.5), (0.3, 0.9)],
    "turn left out": [(1.2, -0.6), (0.3, 1.4)],
    "turn made": [(1.7, 0.4), (-0.8, 0.5)],
}


def one_at_a_time(path):
    """Return the path on which only the weight moves that lags most behind ``path``."""
    place, way = path[0], [path[0]]
    for goal in [*path[1:], path[-1]]:
        lag = goal - place
        place = place + np.where(np.abs(lag) == np.abs(lag).max(), lag, 0)
        way.append(place)
    return np.array(way)


panels = []
for title, steps in STEPS.items():
    figure, axes = plotting.subplots(figsize=(2.61, 2.9))
    path = np.cumsum([(0, 0), *steps], axis=0)
    costs = []
    for rule, way in (("all", path), (RULES["layer"], one_at_a_time(path))):
        for begin, end in pairwise(way):
            look = {"color": plotting.RULES[rule], "lw": 1.8, "shrinkA": 0}
            look |= {"arrowstyle": "-|>", "shrinkB": 0}
            axes.annotate("", end, begin, arrowprops=look)
        changes = np.diff(way, axis=0)
        costs.append((np.count_nonzero(changes), np.abs(changes).sum()))
    axes.plot(*path[[0, -1]].T, "o", color=plotting.INK, ms=4, zorder=3)
    (m0, m1), (m0_selected, m1_selected) = costs
    axes.set_title(
        f"{title}\n$M_0$: {m0} → {m0_selected}\n$M_1$: {m1:.1f} → {m1_selected:.1f}",
        fontsize="medium",
    )
    axes.set(xlim=(-0.2, 2), ylim=(-0.8, 1.6), aspect=1, xticks=[], yticks=[])
    axes.set(xlabel="weight 1", ylabel="weight 2")
    panels.append(figure)
plotting.show(
    *panels,
    name="fig-which-paths",
    caption="Three hypothetical paths of two weights from start to end (dots): plain "
    "learning in two steps (blue), and with one weight changed at a time (yellow). No "
    "weight turns round (a); one does, and selection leaves that out (b), or makes it "
    "(c). The energies are those of the paths drawn, plain → one at a time. (Paper: "
    "Fig. 3c.)",
    alt="Three drawings of two paths between the same two points, one in two oblique "
    "steps, the other in steps along the axes. In a no path turns back, and M1 is the "
    "same. In b the oblique path first goes down and then up; the other one only up, "
    "and M1 is less. In c both go too far along the first axis and "
    "come back, and M1 is the same.",
    notebook=NAME,
)
path_sweep = settings.sweep(
    grid(
        replace(base, hidden=scale.paths_at),
        restriction=[AllSynapses(), *(LargestUpdates(0.03, per) for per in RULES)],
        seed=scale.seeds,
    )
)
walked = path_sweep.ends()
winding = walked["energy_m1"] / walked["energy_min"]
winding = winding.groupby(walked["restriction"], sort=False).mean()
names = ("with plain learning", "with selection per layer", "with selection per neuron")
told = ", ".join(
    f"{times:.2g} times as long {who}"
    for times, who in zip(winding, names, strict=True)
)
Markdown(
    "And in the networks? There the straight path from the first weights to the last "
    f"is known too. At H = {scale.paths_at:,} the path that was taken is {told}, with "
    "3 % of the input synapses selected. Whatever is above 1 was turning round."
)

# %% [markdown]
# ## The claims
#
# The accuracy lost is compared between runs with the same seed, and what is less than one test
# image in 10,000 counts as one, so that there is something to divide by.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what the claims are judged by"}
found = notebook.Findings(settings, NAME, "CP11", "CP13")
measure = "effective number of synapses / number selected"
ratio = diversity.set_index(["fraction", "per", "when", "seed"])["ratio"]
found.each("CP11", measure, "f = {:g} per {}, {}", ratio)
measure = "accuracy lost by the mask / by the selection"
for per, rule in RULES.items():
    value = lost_by_seed.loc["synapse-mask"] / lost_by_seed.loc[rule].clip(lower=0.01)
    found.each("CP13", measure, f"10 % plastic, per {per}", value)
sweeps = [counting_sweep, saturation_sweep, path_sweep]
found.verdicts(sweeps)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
selections = [lost[rule] for rule in RULES.values()]
found.answer(
    "Within 1,000 samples, effectively "
    f"{notebook.span(diversity['ratio'], '.2g')} times as many synapses take part as "
    "are selected on one. In the end, with a tenth of the synapses, a mask loses "
    f"**{lost['synapse-mask']:.1f} points** of accuracy, and competition "
    f"**{notebook.span(selections, '.1f')}**."
)

# %% [markdown]
# ## Your turn
#
# **1.** Of ten synapses one changes as often as the nine others together, which change equally
# often. What is their effective number? Guess, work it out by the formula for $D$, and check.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: one as often as nine"}
# NBVAL_CHECK_OUTPUT
print(f"1 / (1/4 + 9 (1/18)²) = {1 / (1 / 4 + 9 / 18**2):.2f}")
print(f"by the function: {effective_number(np.array([9, *[1] * 9])):.2f}")

# %% [markdown]
# **2.** Draw two more paths: one that runs ahead and swerves a little to both sides, and one that
# runs in a loop, back to where it began. On which of them does selection save some of $M_1$?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: swerves, and a loop"}
# NBVAL_CHECK_OUTPUT
for name, steps in {
    "swerves": [(1, 0.2), (1, -0.2), (1, 0.2), (1, -0.2)],
    "loop": [(1.2, 0.4), (-0.4, 1.2), (-1.2, -0.4), (0.4, -1.2)],
}.items():
    path = np.cumsum([(0, 0), *steps], axis=0)
    for who, way in (("plain", path), ("selecting", one_at_a_time(path))):
        changes = np.diff(way, axis=0).round(9)
        m0, m1 = np.count_nonzero(changes), abs(changes).sum()
        print(f"{name}, {who}: M0 = {m0}, M1 = {m1:.1f}")

# %% [markdown]
# Next: {doc}`After which samples and which synapses, the third question: when is a change made
# permanent? <fig4_synaptic_caching>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes(sweeps)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how the results came about"}
notebook.provenance(settings, sweeps)
