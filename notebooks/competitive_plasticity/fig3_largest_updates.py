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
# # Only the largest updates · competitive plasticity, Fig. 3
#
# [Masks and subnets](fig2_masks) decide before learning which synapses may ever change. Another way
# to save is to let the synapses compete, anew on every sample: backpropagation proposes a change
# for each of them, and only the largest changes are made {cite}`vanrossum2024competitive`. The
# same has been done to train networks on little memory {cite}`golub2018full`. How much does that
# save?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`the cost of learning <fig1_cost_of_learning>` and {doc}`masks and subnets
# <fig2_masks>`.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
hidden = None
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
from dataclasses import replace

import numpy as np
import pandas as pd
from IPython.display import Markdown

from lazybook.book import analysis, notebook, plotting
from lazybook.experiment import grid, preset
from lazybook.restrictions import AllSynapses, LargestUpdates, SelectedNeurons, Subnet

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=([30, 60, 100], [100, 300, 1000], [100, 300, 1000, 3000, 10_000]),
    seeds=([0], [0], [0, 1, 2, 3, 4]),
    goal=(0.8, 0.95, 0.95),
    epochs=(1, 5, 5),
    # fractions that are tried in all sizes, and further ones in one size
    fractions=(
        {"layer": [0.03, 0.1], "neuron": [0.1]},
        {"layer": [0.003, 0.01, 0.03], "neuron": [0.03, 0.1]},
        {
            "layer": [0.001, 0.003, 0.01, 0.03, 0.1],
            "neuron": [0.003, 0.01, 0.03, 0.1, 0.3],
        },
    ),
    at=(60, 300, 1000),
    more_fractions=(
        {"layer": [0.01, 0.3], "neuron": [0.3]},
        {"layer": [0.1], "neuron": [0.3]},
        {"layer": [0.02, 0.05, 0.3], "neuron": [0.02, 0.05]},
    ),
    # sizes in which whole neurons are selected, and fractions of them
    neurons_in=([60], [300], [300, 1000]),
    fractions_of_neurons=([0.1, 0.3], [0.03, 0.1, 0.3], [0.01, 0.03, 0.1, 0.3]),
    subnet=(20, 100, 100),
    inside=([0.1], [0.02, 0.05], [0.01, 0.02, 0.05]),  # fractions in a subnet
)
NAME = "competitive_plasticity/fig3_largest_updates"
RULES = {"layer": "largest-per-layer", "neuron": "largest-per-neuron"}
NEURONS = {"activity": "most-active-neurons", "error": "largest-error-neurons"}
NAMES = {"activity": "most active neurons", "error": "neurons of largest error"}

# %% [markdown]
# ## The runs
#
# The updates of the synapses from the inputs to the hidden layer compete, within the whole layer or
# among the inputs of each hidden neuron, for a fraction $f$ of the places. Synapses from the hidden
# layer to the outputs always change. An update is the product of an input and the error that is
# propagated back to the hidden neuron. That error is one for all inputs of a neuron, so within a
# neuron the largest inputs win, the same ones in every neuron; within the layer neurons with large
# errors get more places. Of equal updates, chance decides which are made. Otherwise the setting is
# that of the [cost of learning](fig1_cost_of_learning): MNIST with zero mean, one image at a time,
# until the goal is reached.
#
# The paper mentions another competition, between whole neurons: all inputs of the most active
# hidden units change, or of those with the largest errors.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
base = preset("competitive", until=scale.goal, epochs=scale.epochs)


def runs(size, restrictions):
    """Return experiments with each restriction; large networks get 3 seeds."""
    few = scale.seeds if size <= 1000 else scale.seeds[:3]
    return grid(replace(base, hidden=size), restriction=restrictions, seed=few)


experiments = runs(
    scale.at, [Subnet(scale.subnet) & LargestUpdates(f) for f in scale.inside]
)
for size in sorted({scale.at, *scale.hidden, *scale.neurons_in}):
    selections = [LargestUpdates(f, per) for per in RULES for f in scale.fractions[per]]
    if size == scale.at:
        more = scale.more_fractions
        selections += [LargestUpdates(f, per) for per in RULES for f in more[per]]
    experiments += runs(size, [AllSynapses(), *selections])
for size in scale.neurons_in:
    neurons = [
        SelectedNeurons(f, by) for by in NEURONS for f in scale.fractions_of_neurons
    ]
    experiments += grid(
        replace(base, hidden=size), restriction=neurons, seed=scale.seeds[:3]
    )
competing_sweep = settings.sweep(experiments)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what they spent"}
LABELS = {
    "energy_m0": "energy $M_0$",
    "energy_m1": "energy $M_1$",
    "samples": "samples to the goal",
}


def ends(result):
    """Return the ends of runs, without values for those that missed the goal."""
    return analysis.reached(analysis.ends(result), LABELS)


def best(table, column):
    """Return of each rule and size the runs with the fraction of the least mean.

    Only fractions count with which all seeds reached the goal.
    """
    key = ["rule", "hidden", "fraction"]
    means = analysis.means(table, key, [column])[column].dropna()
    least = means.groupby(["rule", "hidden"]).idxmin()
    return table[pd.MultiIndex.from_frame(table[key]).isin(list(least))]


competing = ends(competing_sweep)
both_rules = f"subnet & {RULES['layer']}"
in_subnet = best(competing[competing["rule"] == both_rules], "energy_m0")
f_inside = in_subnet["fraction"].iloc[0] if len(in_subnet) else max(scale.inside)
Markdown(
    f"Goal: {100 * scale.goal:g} % of the test images classified correctly, measured "
    f"every {base.measure_every:,} images; a run gives up after "
    f"{60_000 * scale.epochs:,}. Inside a subnet of {scale.subnet} units the fraction "
    f"with the least $M_0$ at H = {scale.at:,} is f = {f_inside:g}, of "
    f"{notebook.span(scale.inside, 'g')} tried; it is used in all sizes."
)

# %% [markdown]
# Then the two ideas together: a subnet that is fixed, and the largest updates inside it.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs in subnets"}
experiments = []
for size in sorted({2 * scale.subnet, scale.at, *scale.hidden}):
    if size > scale.subnet + 1:  # one unit is the bias
        subnet = Subnet(scale.subnet)
        experiments += runs(size, [subnet, subnet & LargestUpdates(f_inside)])
subnet_sweep = settings.sweep(experiments)

# %% [markdown]
# ## How many?
#
# The fewer synapses change, the cheaper is a sample; but the more samples are needed. Follow the
# curves from the right, where everything changes, to the left: $M_0$, which counts the changes,
# falls until learning becomes slow. The figure is the one that this page begins with.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the energy figure"}
subnets = ends(subnet_sweep)
plain = competing[competing["rule"] == "all"]
selecting = competing[competing["rule"].isin(RULES.values())]
whole = competing[competing["rule"].isin(NEURONS.values())]
panels = []
for column in ("energy_m0", "energy_m1"):
    figure, axes = plotting.subplots(figsize=(3.95, 3.6))
    level = plain.loc[plain["hidden"] == scale.at, column].mean()
    axes.axhline(level, color=plotting.RULES["all"], label=plotting.NAMES["all"])
    for place, rule in enumerate(RULES.values()):
        table = selecting[
            (selecting["rule"] == rule) & (selecting["hidden"] == scale.at)
        ]
        plotting.over_seeds(axes, table, "fraction", column, rule)
        missed = table.loc[~table["reached"], "fraction"].unique()
        height, top = 0.98 - 0.05 * place, axes.get_xaxis_transform()
        look = {"color": plotting.RULES[rule], "transform": top, "clip_on": False}
        axes.plot(missed, np.full(len(missed), height), "x", **look)
    for by, ls in (("activity", "--"), ("error", ":")):
        table = whole[(whole["rule"] == NEURONS[by]) & (whole["hidden"] == scale.at)]
        look = {"ls": ls, "marker": "D", "label": NAMES[by]}
        plotting.over_seeds(axes, table, "fraction", column, "neuron-mask", **look)
    plotting.logarithmic(axes.xaxis, [1, 3], "{x:,g}")
    plotting.logarithmic(axes.yaxis, [1, 3])
    axes.set(xlabel="fraction $f$ that changes", ylabel=LABELS[column])
    panels.append(figure)
axes.set_ylim(top=1.4 * axes.get_ylim()[1])  # room for the legend
axes.legend(fontsize="small")
plotting.show(
    *panels,
    name="fig-largest-fraction",
    caption="<i>M</i><sub>0</sub> (a) and <i>M</i><sub>1</sub> (b) until "
    f"{100 * scale.goal:g} % of the test images are classified correctly, against the "
    f"fraction of the input synapses that change on a sample; H = {scale.at:,}. Light "
    "blue: all inputs of a fraction of the neurons change, of the most active ones "
    "(dashed) or those with the largest errors (dotted). "
    "Crosses at the top edge: fractions with which not every seed got there. Lines are "
    "means over seeds, bands go from the lowest to the highest; "
    f"{notebook.seeds(plain[plain['hidden'] == scale.at])}, of whole neurons "
    f"{notebook.seeds(whole)}. (Paper: Fig. 3a.)",
    alt="Two plots of energy against the fraction of synapses that change, on "
    "logarithmic axes, with a level line for a network in which all change. The "
    "curves, for selection per layer and per neuron, bend up towards small fractions. "
    "Those for whole neurons lie higher.",
    notebook=NAME,
    lead=True,
)


# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what is saved at best"}
def at_best(column, per, size):
    """Return the runs of ``size`` with the best fraction for ``column``."""
    of_size = selecting[selecting["hidden"] == size]
    return best(of_size[of_size["rule"] == RULES[per]], column)


told = []
for per in RULES:
    cost = {}
    for column in ("energy_m0", "energy_m1"):
        rows = at_best(column, per, scale.at)
        cost[column] = analysis.compared(rows, plain, column).mean()
    told.append(
        f"selection per {per} needs at best {cost['energy_m0']:.2g} times the $M_0$ "
        f"and {cost['energy_m1']:.2g} times the $M_1$"
    )
at_least = at_best("energy_m0", "layer", scale.at)
share = at_least.eval("energy_m0_output / energy_m0").mean()
Markdown(
    f"At H = {scale.at:,} {' and '.join(told)} of plain learning. The output layer, in "
    "which nothing is selected, has only ten synapses a hidden unit. Yet where "
    f"selection per layer has its least $M_0$, {100 * share:.0f} % of it is spent "
    "there: this limits what can be saved by selecting inputs."
)

# %% [markdown]
# ## Large networks
#
# Now for all sizes, each rule with the fraction that is best for that size and that energy, of
# those tried. Inside a subnet one fraction serves for all.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of sizes"}
both = subnets[subnets["rule"] == both_rules]
alone = subnets[subnets["rule"] == "subnet"]
panels = []
for column, label in LABELS.items():
    figure, axes = plotting.subplots(figsize=(2.61, 3.6))
    chosen = best(selecting, "energy_m0" if column == "samples" else column)
    tables = [(rule, chosen[chosen["rule"] == rule]) for rule in RULES.values()]
    for rule, table in [("all", plain), *tables, ("subnet", alone), (both_rules, both)]:
        plotting.over_seeds(axes, table, "hidden", column, rule)
    plotting.logarithmic(axes.xaxis, text="{x:,g}")
    plotting.logarithmic(axes.yaxis, [1, 3])
    axes.set(xlabel="hidden units $H$", title=label)
    panels.append(figure)
    if column == "energy_m0":
        axes.set_ylim(top=15 * plain[column].max())  # room for the legend
        axes.legend(fontsize="x-small")
plotting.show(
    *panels,
    name="fig-largest-size",
    caption="Energies (a, b) and learning time (c) until "
    f"{100 * scale.goal:g} % of the test images are classified correctly, against "
    "network size. Largest updates with the best of the fractions tried for the energy "
    "shown; the time is that at the best for <i>M</i><sub>0</sub>. Subnets have "
    f"{scale.subnet} units, and {f_inside:g} of their input synapses change where the "
    "largest are selected. Lines are means over seeds, bands go from the lowest to the "
    f"highest; {notebook.seeds(competing)}. A size at which a seed missed the goal is "
    "left out. (Paper: Fig. 3b.)",
    alt="Three plots against network size on logarithmic axes, with a curve each for "
    "all synapses, largest updates per layer and per neuron, a subnet, and largest "
    "updates in a subnet.",
    notebook=NAME,
)
lines = [
    "| $H$ | per layer, $M_0$ | per layer, $M_1$ | per neuron, $M_0$ | neuron, $M_1$ |",
    "| --- | --- | --- | --- | --- |",
]
for size in scale.hidden:
    columns = [(column, per) for per in RULES for column in ("energy_m0", "energy_m1")]
    cells = []
    for column, per in columns:
        tried = selecting[selecting["hidden"] == size]
        tried = tried.loc[tried["rule"] == RULES[per], "fraction"]
        best_one = at_best(column, per, size)["fraction"].min()  # nan: none got there
        edge = "≤ " if best_one == tried.min() else ""
        cells.append("–" if np.isnan(best_one) else f"{edge}{best_one:g}")
    lines.append(f"| {size:,} | {' | '.join(cells)} |")
laws = [analysis.growth(both, f"energy_m{n}").spelled(f"M_{n}") for n in (0, 1)]
Markdown(
    "The best fractions, of those tried (more at H = "
    f"{scale.at:,} than elsewhere; ≤: the least that was tried there):\n\n"
    + "\n".join(lines)
    + "\n\n"
    f"In a subnet the largest updates cost {' and '.join(laws)}, the mean of the "
    "seeds' laws."
)

# %% [markdown]
# Which synapses win, why less of $M_1$ is saved than of $M_0$, and what a small network can do in
# the end, is on {doc}`a page of its own <fig3_which_synapses>`.
#
# ## The claims
#
# Each claim of the paper about this figure, and what was measured here. Ratios are of runs of the
# same size and seed, each rule with its best fraction. Exponents are fitted for each seed that
# learned in all sizes.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what the claims are judged by"}
found = notebook.Findings(settings, NAME, "CP10", "CP12")
chosen = {
    (per, column): best(selecting[selecting["rule"] == rule], column)
    for per, rule in RULES.items()
    for column in ("energy_m0", "energy_m1")
}
for (per, column), table in chosen.items():
    label = column.removeprefix("energy_").upper()
    ratio = analysis.compared(table, plain, column)
    measure = f"least {label} / of plain learning"
    found.each("CP10", measure, f"per {per}, H = {{}}", ratio)
per_layer, per_neuron = chosen["layer", "energy_m0"], chosen["neuron", "energy_m0"]
for per in RULES:
    savings = [
        analysis.compared(chosen[per, column], plain, column)
        for column in ("energy_m0", "energy_m1")
    ]
    measure = "least M0 ratio / least M1 ratio"
    found.each("CP10", measure, f"per {per}, H = {{}}", savings[0] / savings[1])
measure, told = "least M0 with whole neurons selected / per layer", []
for by, rule in NEURONS.items():
    selected = best(whole[whole["rule"] == rule], "energy_m0")
    ratio = analysis.compared(selected, per_layer, "energy_m0")
    found.each("CP10", measure, f"by {by}, H = {{}}", ratio)
    told.append(
        f"{notebook.span(ratio.groupby('hidden').mean(), '.2g')} times (by {by})"
    )
ratio = analysis.compared(per_layer, per_neuron, "energy_m0")
found.each("CP10", "least M0 per layer / per neuron", "H = {}", ratio)
for other, table in (("largest updates", per_layer), ("subnet", alone)):
    ratio = analysis.compared(both, table, "energy_m0")
    found.each("CP12", f"M0 of both / of the {other} alone", "H = {}", ratio)
at = f"H = {both['hidden'].min()} to {both['hidden'].max()}"
for column, label in (("energy_m0", "M0"), ("energy_m1", "M1")):
    exponents = analysis.exponents(both, column)
    found.each("CP12", f"exponent of {label} of both", at, exponents)
sweeps = [competing_sweep, subnet_sweep]
found.verdicts(sweeps)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
ratios = {
    column: [
        analysis.compared(chosen[per, column], plain, column).groupby("hidden").mean()
        for per in RULES
    ]
    for column in ("energy_m0", "energy_m1")
}
least = {c: notebook.span(np.concatenate(of), ".2g") for c, of in ratios.items()}
found.answer(
    "With the best fraction of those tried, changing only the largest updates takes "
    f"**{least['energy_m0']} times the $M_0$** of plain learning, and "
    f"{least['energy_m1']} times its $M_1$, depending on the size of the network and "
    f"on where synapses compete. Selecting whole neurons takes {' and '.join(told)} "
    "the $M_0$ of selection per layer. In a subnet the largest updates cost "
    f"{laws[0]}."
)

# %% [markdown]
# ## Your turn
#
# **1.** Outputs change in any case. At which fraction f of the 785 H synapses into the hidden layer
# do the 10 H into the outputs cost as much as those into the hidden layer? Compare with the share
# of $M_0$ that is spent on the outputs at the fractions tried.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: as much for the outputs"}
# NBVAL_CHECK_OUTPUT
print(f"f = 10 / 785 = {10 / 785:.4f}")
per_layer = selecting[
    (selecting["rule"] == RULES["layer"]) & (selecting["hidden"] == scale.at)
]
part = per_layer.eval("100 * energy_m0_output / energy_m0")
for fraction, spent in part.groupby(per_layer["fraction"]).mean().dropna().items():
    print(f"f = {fraction:g}: {spent:.0f} % spent on the outputs")

# %% [markdown]
# **2.** Is it the fewer, the slower? Find the fraction with which learning takes the fewest
# samples, and compare with learning all.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: the fewest samples"}
# NBVAL_CHECK_OUTPUT
everything = plain.loc[plain["hidden"] == scale.at, "samples"].mean()
for rule in RULES.values():
    tried = selecting[(selecting["rule"] == rule) & (selecting["hidden"] == scale.at)]
    time = analysis.means(tried, "fraction", ["samples"])["samples"]
    print(f"{plotting.NAMES[rule]}: f = {time.idxmin():g}, {time.min():,.0f} samples")
print(f"{plotting.NAMES['all']}: {everything:,.0f} samples")

# %% [markdown]
# Next: {doc}`Which synapses win, and what does the network lose? <fig3_which_synapses>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes(sweeps)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how the results came about"}
notebook.provenance(settings, sweeps)
