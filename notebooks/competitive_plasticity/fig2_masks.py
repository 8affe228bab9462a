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
# # Masks and subnets (Figure 2)
#
# The larger a network, the more it costs to let every synapse learn, and most of that is more than
# the task needs. What if only some synapses may change, chosen at random before learning begins?
# And does it matter how they are chosen {cite}`vanrossum2024competitive`?

# %% tags=["parameters", "hide-input"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
hidden = None
seeds = None

# %% tags=["hide-input"]
from dataclasses import replace

import numpy as np
import pandas as pd
from IPython.display import Markdown

from lazybook.book import analysis, notebook, plotting
from lazybook.experiment import grid, preset
from lazybook.networks import Shape
from lazybook.restrictions import AllSynapses, NeuronMask, Plan, Subnet, SynapseMask
from lazybook.sweep import sweep
from lazybook.theory import RandomMasks

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=([30, 60, 100], [100, 300, 1000, 3000], [100, 300, 1000, 3000, 10_000]),
    seeds=([0], [0], [0, 1, 2, 3, 4]),
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
# What matters is paths: from an input over a hidden unit to an output, both synapses plastic. Look
# in the drawing for coloured lines that lead to a unit from which no coloured line goes on, and for
# those that start at a unit which none leads to. They cost energy, and complete no path.

# %% tags=["hide-input"]
SMALL = Shape(inputs=6, hidden=7, outputs=3, bias=False)
panels = []
for restriction in (AllSynapses(), SynapseMask(0.35, 0.6), NeuronMask(3), Subnet(3)):
    plan = Plan.draw(restriction, SMALL, SMALL.outputs, np.random.default_rng(8))
    layers = [
        mask[0]
        for mask in plan.masks or [np.ones((1, *layer)) for layer in SMALL.layers]
    ]
    if plan.units is not None:
        others = np.setdiff1d(np.arange(SMALL.hidden), plan.units)
        layers[0][:, others] = 0
        if plan.outputs_of_units:
            layers[1][others] = 0
    rule = str(restriction).split(":")[0]
    figure, axes = plotting.subplots(figsize=(1.95, 2.3))
    units = [
        np.linspace(-1, 1, n + 2)[1:-1]
        for n in (SMALL.inputs, SMALL.hidden, SMALL.outputs)
    ]
    for place, layer in enumerate(layers):
        for (i, j), plastic in np.ndenumerate(layer):
            look = {"c": "#808080", "lw": 0.5, "alpha": 0.45}
            if plastic:
                look = {"c": plotting.RULES[rule], "lw": 1.3}
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
    caption="Which synapses may change, in a small network: plastic ones in colour, "
    "fixed ones grey. These are masks as the program draws them. (Paper: diagram in "
    "Fig. 2a.)",
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
# measured by that number. Let $N_c$ be the size, among those tried, that gets there with the
# fewest synaptic updates $M_0$, in the mean over seeds. Smaller networks have fewer synapses, but
# take so long that it costs them more.

# %%
base = preset(
    "competitive",
    until=scale.goal,
    epochs=scale.epochs,
    engine=settings.engine,
    device=settings.device,
)
sizes = sorted({*scale.small, *scale.hidden})
plain_sweep = sweep(
    grid(base, hidden=sizes, seed=scale.seeds), jobs=settings.jobs, fresh=settings.fresh
)

# %% tags=["hide-input"]
LABELS = {
    "energy_m0": "energy $M_0$",
    "energy_m1": "energy $M_1$",
    "samples": "samples to the goal",
}


def ends(result):
    """Return the ends of runs, without values for those that missed the goal."""
    by_layer = ["energy_m1_hidden", "energy_m1_output"]
    return analysis.reached(analysis.ends(result), [*LABELS, *by_layer])


plain = ends(plain_sweep)
plain_means = analysis.means(plain, "hidden", LABELS)
needed = int(plain_means["energy_m0"].idxmin())
masks = RandomMasks(needed)
Markdown(
    f"Here $N_c$ = {needed}, of {', '.join(map(str, sizes))}. Every run, here and "
    f"below, goes on until {100 * scale.goal:g} % of the test images are right, which "
    f"is looked at every {base.measure_every:,} images, and gives up after "
    f"{scale.epochs} epochs. A run that gives up leaves a gap in the figures. The "
    "setting is that of the whole paper: MNIST with zero mean, leaky rectified hidden "
    "units, ten linear outputs, half the summed squared error, learning rate "
    f"{base.learning_rate:g}, one image at a time."
)

# %% [markdown]
# Now the masks. The larger the network, the more a run costs, so large ones get fewer seeds.


# %%
def runs(size, *restrictions, most=3):
    """Return experiments with these restrictions, for masks that leave a unit fixed.

    At most ``most`` seeds for networks from 1,000 units on.
    """
    # one unit is the bias
    kept = [r for r in restrictions if getattr(r, "n", 0) < size - 1]
    few = scale.seeds if size < 1000 else scale.seeds[:most]
    return grid(replace(base, hidden=size), restriction=kept, seed=few)


def best_mask(size, draw="once"):
    """Return the synapse mask that is best by the count of paths."""
    return SynapseMask(*map(float, masks.fractions(size)), draw)


experiments = runs(2 * scale.subnet, Subnet(scale.subnet))
for size in [*scale.hidden, *(round(n * masks.kink) for n in scale.beyond)]:
    if size > needed:
        experiments += runs(size, best_mask(size))
for size in scale.hidden:
    experiments += runs(size, Subnet(scale.subnet))
    tried = map(NeuronMask, scale.numbers if size <= 1000 else scale.in_large)
    experiments += runs(size, *tried, most=2 if size >= 10_000 else 3)
for size in scale.fractions_in:
    p_in = [factor * needed / size for factor in scale.factors]
    experiments += runs(size, *(SynapseMask(p, 1.0) for p in p_in if p <= 1))
distinct = [*dict.fromkeys(experiments)]
masked_sweep = sweep(distinct, jobs=settings.jobs, fresh=settings.fresh)

# %% tags=["hide-input"]
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

# %% tags=["hide-input"]
MANY = np.geomspace(needed, 1e5, 200)
p_in, p_out = masks.fractions(MANY)
MASK = {"color": plotting.RULES["synapse-mask"]}
tuned = []
for (size, seed), tried in synapses.groupby(["hidden", "seed"]):
    if size in scale.fractions_in:
        lowest = {
            c: analysis.lowest(tried["p_in"], tried[c])
            for c in ("energy_m0", "energy_m1")
        }
        tuned.append({"hidden": size, "seed": seed} | lowest)
tuned = pd.DataFrame(tuned)

left_figure, left = plotting.subplots(figsize=(3.95, 3.6))
left.plot(MANY, p_in, **MASK, label="inputs, $p_1$")
left.plot(MANY, p_out, **MASK, ls="--", label="outputs, $p_2$")
for column, label, fill in (("energy_m0", "M_0", None), ("energy_m1", "M_1", "none")):
    look = {"mfc": fill, "ls": "none", "marker": plotting.MARKERS["synapse-mask"]}
    plotting.over_seeds(
        left,
        tuned,
        "hidden",
        column,
        "synapse-mask",
        label=f"best $p_1$ found, ${label}$",
        **look,
    )
left.set(ylabel="plastic fraction")
into, out = masks.plastic(MANY)
right_figure, right = plotting.subplots(figsize=(3.95, 3.6))
right.plot(MANY, into, **MASK, label="inputs")
right.plot(MANY, out, **MASK, ls="--", label="outputs")
right.plot(MANY, into + out, color=plotting.INK, label="both")
all_synapses = MANY * (masks.inputs + masks.outputs)
right.plot(MANY, all_synapses, color=plotting.RULES["all"], lw=1, label="all there are")
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
    caption="Left: the best fractions of plastic synapses by the count of paths, and "
    "the best fraction of plastic input synapses found by trying, for each energy. "
    "Right: how many synapses are plastic then. The dotted line is the kink. (Paper: "
    "Fig. 2b.)",
    alt="Two plots against network size on logarithmic axes. The plastic fraction of "
    "the inputs falls from 1 as the inverse of the size, and beyond the kink, where "
    "that of the outputs begins to fall too, as the inverse square root. The number of "
    "plastic synapses is level up to the kink and then rises as the square root of the "
    "size.",
    notebook=NAME,
)
by_trying = tuned["energy_m0"] / masks.fractions(tuned["hidden"])[0]
at_end = "; the least tried" if by_trying.min() < 1.01 * min(scale.factors) else ""
Markdown(
    f"The kink is at H = {masks.kink:,.0f}. By trying, the best $p_1$ for $M_0$ was "
    f"{notebook.span(by_trying, '.2g')} times that of the count (depending on size and "
    f"seed{at_end}). Here and below, what is best is where a parabola has its vertex "
    "that is fitted, in logarithms, to the least energy found and its neighbours."
)

# %% [markdown]
# ## Energy and size
#
# Each mask at its best: the synapse mask as the count of paths has it, the neuron mask with the
# number of neurons that costs least, chosen for each size and each energy, and a subnet of one and
# the same size in every network.


# %% tags=["hide-input"]
def at_best_number(column):
    """Return the runs with the neuron mask of the least mean ``column``, by size."""
    means = analysis.means(neuron_masks, ["hidden", "n"], [column])[column].dropna()
    best = list(means.groupby("hidden").idxmin())
    return neuron_masks[
        pd.MultiIndex.from_frame(neuron_masks[["hidden", "n"]]).isin(best)
    ]


panels = []
for column, label in LABELS.items():
    figure, axes = plotting.subplots(figsize=(2.65, 3.6))
    neurons = at_best_number("energy_m0" if column == "samples" else column)
    for table, rule in (
        (plain, "all"), (optimal, "synapse-mask"),
        (neurons, "neuron-mask"), (subnets, "subnet"),
    ):  # fmt: skip
        plotting.over_seeds(axes, table, "hidden", column, rule)
    if column != "samples":
        reach = np.geomspace(
            needed, max(table["hidden"].max() for table in (plain, optimal)), 100
        )
        into, out = masks.plastic(reach)
        count = plain_means[column][needed] * (into + out) / (into + out)[0]
        axes.plot(reach, count, **MASK, ls="--", lw=1.2, label="count of paths")
    axes.set(xlabel="hidden units $H$", title=label)
    plotting.logarithmic(axes.xaxis, [1], "{x:,g}")
    plotting.logarithmic(
        axes.yaxis, [1, 2, 3, 5, 7] if column == "energy_m1" else [1, 2, 5]
    )
    panels.append(figure)
    if column == "energy_m0":
        axes.legend(fontsize="x-small")
plotting.show(
    *panels,
    name="fig-masks-energy",
    caption=f"Energies and learning time until {100 * scale.goal:g} % of the test "
    "images are right, against network size: everything plastic, and each mask at its "
    f"best. The subnet has {scale.subnet} units. Dashed: the count of paths, set to "
    "what the network of <i>N<sub>c</sub></i> units costs. The neuron mask's time is "
    "that at its best for <i>M</i><sub>0</sub>. Lines are means over seeds, bands go "
    "from the least to the largest. (Paper: Fig. 2a.)",
    alt="Three plots against network size on logarithmic axes. Both energies rise "
    "steeply when everything is plastic, much less with a synapse mask or a neuron "
    "mask, and hardly with a subnet. The learning time falls with size only when "
    "everything is plastic.",
    notebook=NAME,
)
subnet_means = analysis.means(subnets, "hidden", LABELS).dropna()
largest = max(plain_means.dropna().index.intersection(subnet_means.index))
saved = plain_means.loc[largest] / subnet_means.loc[largest]
laws = []
for name, label in (("energy_m0", "M_0"), ("energy_m1", "M_1")):
    good = subnets.dropna(subset=name)
    laws.append(analysis.power_law(good["hidden"], good[name]).spelled(label))
Markdown(
    f"At H = {largest:,} learning with everything plastic costs "
    f"{saved['energy_m0']:.2g} times the $M_0$ and {saved['energy_m1']:.2g} times the "
    f"$M_1$ of the subnet, in {saved['samples']:.2g} times the samples. All seeds "
    f"together, the subnet's energy goes as {' and '.join(laws)}. With an exponent of "
    "0 the fixed neurons around it are neither help nor burden."
)

# %% [markdown]
# The count of paths says how many synapses should be plastic. That energy goes with their number
# holds for each sample, so how $M_0$ grows depends on how many samples it takes as well.

# %% tags=["hide-input"]
past_kink = (
    analysis.means(optimal, "hidden", LABELS)["samples"]
    .loc[round(masks.kink) :]
    .dropna()
)
Markdown(
    "Samples to the goal with the best synapse masks, from the kink on: "
    + ", ".join(f"{count:,.0f} at H = {size:,}" for size, count in past_kink.items())
    + ". Where they fall, $M_0$ grows more slowly than the square root of the size."
    if len(past_kink) > 1
    else "This profile has no networks beyond the kink."
)

# %% [markdown]
# How many neurons are best, and what masks do that are drawn anew, is on {doc}`a page of its own
# <fig2_neurons>`.
#
# ## The claims
#
# Each claim of the paper about this figure, and what was measured here. Ratios are of runs of the
# same size and seed. Exponents are fitted for each seed, to all sizes from the kink on, or to all
# subnets. A cost that was never reached, as the goal was missed, counts as infinite.

# %% tags=["hide-input"]
found = notebook.Findings(settings, NAME, "CP5", "CP7")
saving = analysis.compared(optimal, plain, "energy_m0")
large = saving.index.get_level_values("hidden") >= min(1000, max(scale.hidden))
measure = "M0 with a synapse mask / of plain learning"
found.each("CP5", measure, "H = {}", saving[large])
from_kink = optimal[optimal["hidden"] >= round(masks.kink)]
measure, condition = "exponent of M0 beyond the kink", f"H ≥ {round(masks.kink)}"
if from_kink["hidden"].nunique() > 2:
    exponents = analysis.exponents(from_kink, "energy_m0")
    found.each("CP5", measure, condition, exponents)
else:
    why = "such large networks are in the paper profile only"
    found.lacks("CP5", measure, condition, why)
at = f"H = {subnets['hidden'].min()} to {subnets['hidden'].max()}"
for name, label in (("energy_m0", "M0"), ("energy_m1", "M1")):
    exponents = analysis.exponents(subnets, name)
    found.each("CP7", f"exponent of {label} with a subnet", at, exponents)
sweeps = [plain_sweep, masked_sweep]
found.verdicts(sweeps)

# %% tags=["hide-cell"]
# NBVAL_CHECK_OUTPUT
print(f"N_c = {needed}")
found.print_outcomes(sweeps)

# %% tags=["hide-input"]
notebook.provenance(settings, sweeps)
