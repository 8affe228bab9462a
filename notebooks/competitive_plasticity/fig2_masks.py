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
# # Masks and subnets · competitive plasticity, Fig. 2
#
# The larger a network, the more it costs to let every synapse learn, and most of that is more than
# the task needs. What if only some synapses may change, chosen at random before learning begins?
# And does it matter how they are chosen {cite}`vanrossum2024competitive`?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`the cost of learning <fig1_cost_of_learning>`, which is to be reduced here.

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
from lazybook.networks import Shape
from lazybook.restrictions import AllSynapses, NeuronMask, Plan, Subnet, SynapseMask
from lazybook.theory import RandomMasks

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=(
        [30, 60, 100],
        [100, 300, 1000, 3000],
        [100, 300, 1000, 3000, 10_000, 30_000],
    ),
    seeds=([0], [0], [*range(6)]),  # all of them for the count's masks from H = 1,000
    goal=(0.8, 0.95, 0.95),
    epochs=(1, 5, 5),
    # sizes in which everything learns, besides
    small=([10, 40], [30, 50, 70, 200], [20, 30, 40, 50, 70, 100, 150, 200]),
    # plastic neurons; in the largest networks fewer are enough, but every run is long
    numbers=([10, 20, 40], [40, 70, 100, 200], [20, 30, 50, 70, 100, 150, 200, 300]),
    in_large=([], [50, 100, 200], [10, 20, 30, 50, 100, 200, 500]),
    subnet=(20, 100, 100),
    # sizes, and factors, at which the fraction of plastic inputs is tried out
    fractions_in=([60], [300], [300, 1000]),
    factors=([0.25, 0.5, 1, 2], [0.25, 0.5, 1, 2], [0.125, 0.25, 0.5, 1, 2, 4]),
    beyond=([], [], [1, 4]),  # further sizes, in units of the kink's
    too_large=([], [], [100_000]),  # to learn but in a subnet
)
NAME = "competitive_plasticity/fig2_masks"

# %% [markdown]
# ## Three ways to choose
#
# - A *synapse mask* leaves each synapse plastic or not, whatever the others do.
# - A *neuron mask* chooses hidden units: the synapses into them are plastic, and all synapses out
#   of the hidden layer.
# - A *subnet* chooses hidden units too, and leaves only their own outputs plastic. What learns
#   is a small network inside the large one.
#
# What matters is paths: from an input over a hidden unit to an output, both synapses plastic. The
# dotted lines in the drawing complete none: they cost energy, and lead nowhere.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the drawings"}
SMALL = Shape(inputs=6, hidden=7, outputs=3, bias=False)
panels = []
for restriction in (AllSynapses(), SynapseMask(0.35, 0.6), NeuronMask(3), Subnet(3)):
    plan = Plan.draw(restriction, SMALL, SMALL.outputs, np.random.default_rng(25))
    masks_drawn = plan.masks or [np.ones((1, *layer)) for layer in SMALL.layers]
    layers = [mask[0] for mask in masks_drawn]
    if plan.units is not None:
        others = np.setdiff1d(np.arange(SMALL.hidden), plan.units)
        layers[0][:, others] = 0
        if plan.outputs_of_units:
            layers[1][others] = 0
    rule = str(restriction).split(":")[0]
    figure, axes = plotting.subplots(figsize=(1.95, 2.3))
    numbers = (SMALL.inputs, SMALL.hidden, SMALL.outputs)
    units = [np.linspace(-1, 1, number + 2)[1:-1] for number in numbers]
    goes_on = layers[1].any(axis=1), layers[0].any(axis=0)  # of each hidden unit
    for place, layer in enumerate(layers):
        for (i, j), plastic in np.ndenumerate(layer):
            look = {"c": "#808080", "lw": 0.5, "alpha": 0.45}
            if plastic:
                line = "-" if goes_on[place][(j, i)[place]] else ":"
                look = {"c": plotting.RULES[rule], "lw": 1.3, "ls": line}
            ends = units[place][i], units[place + 1][j]
            axes.plot((place, place + 1), ends, zorder=1 + plastic, **look)
    for place, heights in enumerate(units):
        axes.scatter([place] * len(heights), heights, s=22, c=plotting.INK, zorder=3)
    axes.set_title(plotting.NAMES[rule], loc="center")
    axes.set_xticks(range(3), ["input", "hidden", "output"], fontsize="small")
    axes.set(yticks=[])
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    panels.append(figure)
plotting.show(
    *panels,
    name="fig-masks-diagram",
    caption="Which synapses may change, in a small network: with all plastic (a), a "
    "synapse mask (b), a neuron mask (c) and a subnet (d). Plastic ones are in colour, "
    "dotted if they complete no path; fixed ones are grey. These are masks as the "
    "program draws them. (Paper: diagram in Fig. 2a.)",
    alt="Four drawings of a network with six inputs, seven hidden units and three "
    "outputs. All synapses are coloured; then coloured ones are scattered at random; "
    "then all inputs of three hidden units and all outputs; then only the inputs and "
    "the outputs of the same three units.",
    notebook=NAME,
)

# %% [markdown]
# ## The runs
#
# First, how many hidden units does the task need when every synapse is plastic? All masks will be
# measured by that number. Let $N_c$ be the size, among those tried, that gets there with the least
# $M_0$, in the mean over seeds. Smaller networks take so long that it costs them more.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs with every synapse plastic"}
base = preset("competitive", until=scale.goal, epochs=scale.epochs)
sizes = sorted({*scale.small, *scale.hidden})


def runs(size, *restrictions, most):
    """Return experiments with five seeds at most, ``most`` from 1,000 units on."""
    # masks are to leave a unit fixed, and one is the bias
    kept = [r for r in restrictions if getattr(r, "n", 0) < size - 1]
    some = scale.seeds[: 5 if size < 1000 else most]
    return grid(replace(base, hidden=size), restriction=kept, seed=some)


ALL, SOME, FEW = len(scale.seeds), 3, 2
plain_runs = [e for size in sizes for e in runs(size, AllSynapses(), most=ALL)]
plain_sweep = settings.sweep(plain_runs)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what the runs spent"}
LABELS = {
    "energy_m0": "energy $M_0$",
    "energy_m1": "energy $M_1$",
    "samples": "samples to the goal",
}


def ends(result):
    """Return the ends of runs, without values for those that missed the goal."""
    return analysis.reached(analysis.ends(result), LABELS)


plain = ends(plain_sweep)
plain_means = analysis.means(plain, "hidden", LABELS)
needed = int(plain_means["energy_m0"].idxmin())
masks = RandomMasks(needed)
Markdown(
    f"Of the sizes tried, {notebook.span(sizes, ',')}, $N_c$ = {needed} costs least. "
    f"Every run, here and below, goes on until {100 * scale.goal:g} % of the test "
    "images are classified correctly, which is measured every "
    f"{base.measure_every:,} images, and gives up after {scale.epochs} epochs. A run "
    "that gives up leaves a gap."
)

# %% [markdown]
# The setting is that of the {doc}`cost of learning <fig1_cost_of_learning>`. Now the masks. Large
# networks get fewer seeds, and the mask that the first claim is about, the most.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs with masks"}
experiments = []
for size in [*scale.hidden, *(round(n * masks.kink) for n in scale.beyond)]:
    if size > needed:
        by_the_count = SynapseMask(*map(float, masks.fractions(size)))
        experiments += runs(size, by_the_count, most=ALL)
for size in [2 * scale.subnet, *scale.hidden, *scale.too_large]:
    experiments += runs(size, Subnet(scale.subnet), most=SOME)
for size in scale.hidden:
    tried = map(NeuronMask, scale.numbers if size <= 1000 else scale.in_large)
    if size <= 10_000:  # the next page says why
        experiments += runs(size, *tried, most=FEW if size == 10_000 else SOME)
for size in scale.fractions_in:
    p_in = [factor * needed / size for factor in scale.factors]
    experiments += runs(size, *(SynapseMask(p, 1.0) for p in p_in if p <= 1), most=SOME)
masked_sweep = settings.sweep(dict.fromkeys(experiments))
masked = ends(masked_sweep)
synapses = masked[masked["rule"] == "synapse-mask"]
optimal = synapses[synapses["p_in"] == masks.fractions(synapses["hidden"])[0]]
neuron_masks = masked[masked["rule"] == "neuron-mask"]
subnets = masked[masked["rule"] == "subnet"]

# %% [markdown]
# ## How many synapses? A count of paths
#
# With everything plastic, $N_c$ hidden units are enough: $N_c$ plastic paths lead from each input
# to each output. Suppose that this is what learning needs, in any network. Random masks that leave
# the fractions $p_1$ and $p_2$ of the two layers plastic leave $p_1 p_2 H$ paths, on average. And
# suppose that energy goes with the number of plastic synapses. With $N_i = 784$ inputs and
# $N_o = 10$ outputs, the best masks then have
#
# ```{math}
# N_i H p_1 + H N_o p_2 \;\text{ least, where }\; p_1 p_2 H = N_c .
# ```
#
# An output synapse is worth much: it completes the paths of 784 inputs. So at first only inputs are
# masked, with $p_1 = N_c / H$ and $p_2 = 1$. In networks of more than $N_c N_i / N_o$ units so many
# outputs would lead nowhere that they are masked as well. From this kink on it is best to have as
# many plastic synapses in one layer as in the other,
# $p_2 = p_1 N_i / N_o = \sqrt{N_c N_i / (N_o H)}$, and their number is
# $2 \sqrt{N_i N_o N_c H}$. Random masks can slow the growth of the cost down to a square root, but
# not stop it.
#
# Is the count right? The squares are networks in which $p_1$ was varied, with all outputs plastic.
# "Best" is the vertex of a parabola fitted, on logarithmic axes, to the lowest energy and its
# neighbours, or the end of what was tried.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of the count"}
MANY = np.geomspace(needed, 1e5, 200)
p_in, p_out = masks.fractions(MANY)
MASK = {"color": plotting.RULES["synapse-mask"]}
several = synapses[synapses["hidden"].isin(scale.fractions_in)]
# some seeds have the count's mask alone, which leaves nothing to choose from
several = several.groupby(["hidden", "seed"]).filter(lambda tried: len(tried) > 1)
tuned = []
for (size, seed), tried in several.groupby(["hidden", "seed"]):
    best = {c: analysis.lowest(tried["p_in"], tried[c]) for c in LABELS}
    tuned.append({"hidden": size, "seed": seed} | best)
tuned = pd.DataFrame(tuned)

left_figure, left = plotting.subplots(figsize=(3.95, 3.6))
left.plot(MANY, p_in, **MASK, label="inputs, $p_1$")
left.plot(MANY, p_out, **MASK, ls="--", label="outputs, $p_2$")
for column, label, fill in (("energy_m0", "M_0", None), ("energy_m1", "M_1", "none")):
    label = f"best $p_1$ found, ${label}$"
    left.plot(tuned["hidden"], tuned[column], "s", **MASK, mfc=fill, ms=4, label=label)
left.set(ylabel="plastic fraction")
into, out = masks.plastic(MANY)
right_figure, right = plotting.subplots(figsize=(3.95, 3.6))
right.plot(MANY, into, **MASK, label="inputs")
right.plot(MANY, out, **MASK, ls="--", label="outputs")
right.plot(MANY, into + out, color=plotting.INK, label="both")
there_are = MANY * (masks.inputs + masks.outputs)
right.plot(MANY, there_are, color=plotting.RULES["all"], lw=1, label="all there are")
right.set(ylabel="plastic synapses")
for axes in (left, right):
    axes.axvline(masks.kink, color="#808080", lw=0.8, ls=":")
    axes.set(xlabel="hidden units $H$", yscale="log")
    plotting.logarithmic(axes.xaxis, [1], "{x:,g}")
    axes.legend(fontsize="small")
plotting.show(
    left_figure,
    right_figure,
    name="fig-masks-theory",
    caption="(a) Lines: the best fractions of plastic synapses by the count of paths. "
    "Squares: the best fraction of plastic input synapses found by trying, for each "
    f"energy, one a seed; {notebook.seeds(tuned)}. (b) How many synapses are plastic "
    "by the count. The dotted line is the kink. (Paper: Fig. 2b.)",
    alt="Two plots against network size on logarithmic axes. The plastic fraction of "
    "the inputs falls from 1 as the inverse of the size, and beyond the kink, where "
    "that of the outputs begins to fall too, as the inverse square root. The number of "
    "plastic synapses is level up to the kink and then rises as the square root of the "
    "size.",
    notebook=NAME,
)


def by_count(column, size):
    """Return what the count expects of an energy, from the network of N_c units."""
    plastic, least = (sum(masks.plastic(units)) for units in (size, needed))
    return plain_means[column][needed] * plastic / least


spent, told, factors = analysis.means(optimal, "hidden", LABELS), [], []
for column, label in (("energy_m0", "$M_0$"), ("energy_m1", "$M_1$")):
    share = tuned[column] / masks.fractions(tuned["hidden"])[0]
    at_end = ", the least tried" if share.min() < 1.01 * min(scale.factors) else ""
    measured = spent[column].dropna()
    off = by_count(column, measured.index.to_numpy()) / measured
    factors += [*share, *off]
    told.append(
        f"for {label} the best $p_1$ found is {notebook.span(share, '.2g')} times the "
        f"count's{at_end}, and the {label} that the count expects is "
        f"{notebook.span(off, '.2g')} times what its masks cost"
    )
Markdown(
    f"The kink is at H = {masks.kink:,.0f}. Is the count right? To within a factor of "
    f"{np.exp(np.nanmax(np.abs(np.log(factors)))):.2g}: {'; '.join(told)}, depending "
    "on size and seed. The paper says that numerical optimisation gave similar results."
)

# %% [markdown]
# ## Energy and size
#
# The synapse mask is the one that the count of paths calls best, the neuron mask has the number of
# neurons that costs least, of those tried for each size and each energy, and the subnet has one and
# the same size in every network. The figure is the one that this page begins with.


# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the energy figure"}
def cheapest(tried, setting, column):
    """Return for each size the runs with the setting of the least mean ``column``."""
    means = analysis.means(tried, ["hidden", setting], [column])[column].dropna()
    best = list(means.groupby("hidden").idxmin())
    return tried[pd.MultiIndex.from_frame(tried[["hidden", setting]]).isin(best)]


LOOK = {"ls": "none", "mfc": "none", "markersize": 6, "label": "best mask tried"}
COUNT = MASK | {"ls": "--", "lw": 1.2, "label": "count of paths"}
panels = []
for column, label in LABELS.items():
    figure, axes = plotting.subplots(figsize=(2.61, 3.6))
    energy = "energy_m0" if column == "samples" else column
    neurons = cheapest(neuron_masks, "n", energy)
    for table, rule in (
        (plain, "all"), (optimal, "synapse-mask"),
        (neurons, "neuron-mask"), (subnets, "subnet"),
    ):  # fmt: skip
        plotting.over_seeds(axes, table, "hidden", column, rule)
    best_tried = cheapest(several, "p_in", energy)
    plotting.over_seeds(axes, best_tried, "hidden", column, "synapse-mask", **LOOK)
    if column != "samples":
        reach = np.geomspace(needed, max(*sizes, *optimal["hidden"]), 100)
        axes.plot(reach, by_count(column, reach), **COUNT)
    axes.set(xlabel="hidden units $H$", title=label)
    plotting.logarithmic(axes.xaxis, [1], "{x:,g}")
    ticks = [1, 2, 3, 5, 7] if column == "energy_m1" else [1, 2, 5]
    plotting.logarithmic(axes.yaxis, ticks)
    panels.append(figure)
    if column == "energy_m0":
        axes.legend(fontsize="x-small")
plotting.show(
    *panels,
    name="fig-masks-energy",
    caption="Energies (a, b) and learning time (c) until "
    f"{100 * scale.goal:g} % of the test images are classified correctly, against "
    "network size, with everything plastic and with three masks. The synapse mask is "
    "that of the count of paths; dashed, what the count expects from the cost of the "
    "network of <i>N<sub>c</sub></i> units; open squares, the best fraction of inputs "
    "of those tried. The neuron mask has the number of neurons that costs least (in c, "
    f"least <i>M</i><sub>0</sub>), the subnet {scale.subnet} units. Lines are means, "
    f"bands go from the lowest to the highest seed: {notebook.seeds(plain)} with all "
    f"synapses, {notebook.seeds(optimal)} with synapse masks, {notebook.seeds(subnets)}"
    f" with subnets, {notebook.seeds(neuron_masks)} with neuron masks. (Paper: "
    "Fig. 2a.)",
    alt="Three plots against network size on logarithmic axes. Both energies rise "
    "steeply when everything is plastic, much less with a synapse mask or a neuron "
    "mask, and hardly with a subnet. The learning time falls with size only when "
    "everything is plastic.",
    notebook=NAME,
    lead=True,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what the subnet saves"}
subnet_means = analysis.means(subnets, "hidden", LABELS).dropna()
largest = max(plain_means.dropna().index.intersection(subnet_means.index))
saved = plain_means.loc[largest] / subnet_means.loc[largest]
laws = {f"M_{n}": analysis.growth(subnets, f"energy_m{n}") for n in (0, 1)}
spelled = " and ".join(law.spelled(label) for label, law in laws.items())
grows = " and ".join(f"$H^{{{law.exponent:z.2f}}}$" for law in laws.values())
Markdown(
    f"At H = {largest:,} learning with everything plastic costs "
    f"{saved['energy_m0']:.2g} times the $M_0$ and {saved['energy_m1']:.2g} times the "
    f"$M_1$ of the subnet, in {saved['samples']:.2g} times the samples. The subnet's "
    f"energy goes as {spelled}, the mean of the seeds' laws. With an exponent of 0 the "
    "fixed neurons around it are neither help nor burden."
)

# %% [markdown]
# The count of paths says how many synapses should be plastic. That energy goes with their number
# holds for each sample, so how $M_0$ grows depends on how many samples it takes as well.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: samples beyond the kink"}
past_kink = spent["samples"].loc[round(masks.kink) :].dropna()
Markdown(
    "Samples to the goal with the best synapse masks, from the kink on: "
    + ", ".join(f"{count:,.0f} at H = {size:,}" for size, count in past_kink.items())
    + ". Where they fall, $M_0$ grows more slowly than the square root of the size. "
    f"The exponent of $M_0$ below is that of these {len(past_kink)} sizes, over "
    f"{np.log10(past_kink.index[-1] / past_kink.index[0]):.1f} decades."
    if len(past_kink) > 1
    else "This profile has no networks beyond the kink."
)

# %% [markdown]
# How many neurons are best, and what masks drawn anew do, comes {doc}`next <fig2_neurons>`.
#
# ## The claims
#
# Ratios are of runs of the same size and seed. Exponents are fitted for each seed, to all sizes
# from the kink on, or to all subnets. A goal that was missed counts as an infinite cost.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what the claims are judged by"}
found = notebook.Findings(settings, NAME, "CP5", "CP7", "CP21")
saving = analysis.compared(optimal, plain, "energy_m0")
large = saving.index.get_level_values("hidden") >= min(1000, max(scale.hidden))
measure = "M0 with a synapse mask / of plain learning"
found.each("CP5", measure, "H = {}", saving[large])
from_kink = optimal[optimal["hidden"] >= round(masks.kink)]
growth = "CP5", "exponent of M0 beyond the kink", f"H ≥ {round(masks.kink)}"
if from_kink["hidden"].nunique() > 2:
    found.each(*growth, analysis.exponents(from_kink, "energy_m0"))
else:
    found.lacks(*growth, "such large networks are in the paper profile only")
measure = "best fraction of plastic inputs found / by the count"
for name, label in (("energy_m0", "M0"), ("energy_m1", "M1")):
    share = tuned.set_index(["hidden", "seed"])[name]
    share /= masks.fractions(share.index.get_level_values("hidden"))[0]
    found.each("CP21", measure, f"H = {{}}, {label}", share)
at = f"H = {subnets['hidden'].min()} to {subnets['hidden'].max()}"
for name, label in (("energy_m0", "M0"), ("energy_m1", "M1")):
    measure = f"exponent of {label} with a subnet"
    found.each("CP7", measure, at, analysis.exponents(subnets, name))
sweeps = [plain_sweep, masked_sweep]
found.verdicts(sweeps)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the number of seeds"}
Markdown(found.raised(*growth, first=3))

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
grown = spent["energy_m0"].dropna()
found.answer(
    f"At H = {largest:,} learning with every synapse costs **{saved['energy_m0']:.2g} "
    f"times the $M_0$** and {saved['energy_m1']:.2g} times the $M_1$ of a subnet of "
    f"{scale.subnet} units, whose energies grow as {grows}. Synapses chosen one by one "
    f"cost {notebook.span(saving[large], '.2g')} times the $M_0$ of plain learning, "
    f"but {grown.iloc[-1] / grown.iloc[0]:.1f} times as much at "
    f"H = {grown.index[-1]:,} as at {grown.index[0]:,}."
)

# %% [markdown]
# ## Your turn
#
# **1.** Where would the kink be if the images had a hundred classes, the paths needed being the
# same? Up to which size would it then be enough to mask inputs?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: a hundred classes"}
# NBVAL_CHECK_OUTPUT
for outputs in (10, 100):
    kink = RandomMasks(needed, outputs=outputs).kink
    print(f"{outputs} outputs: {needed} × 784 / {outputs} = {kink:,.0f} hidden units")

# %% [markdown]
# **2.** How many synapses are plastic in a subnet of n units, and how many paths do they make from
# an input to an output? Compare what a path takes there with what it takes in the best synapse mask
# of the largest network.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: synapses for a path"}
# NBVAL_CHECK_OUTPUT
n, largest = scale.subnet, max(scale.hidden)
print(f"subnet: {n * (784 + 10):,} synapses for {n} paths, {784 + 10} each")
plastic = sum(map(float, masks.plastic(largest)))
each = plastic / needed
print(f"mask, H = {largest:,}: {plastic:,.0f} for {needed} paths, {each:,.0f} each")

# %% [markdown]
# Next: {doc}`How large should the part that learns be, and must it stay the same? <fig2_neurons>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes"}
# NBVAL_CHECK_OUTPUT
print(f"N_c = {needed}")
found.print_outcomes(sweeps)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how the results came about"}
notebook.provenance(settings, sweeps)
