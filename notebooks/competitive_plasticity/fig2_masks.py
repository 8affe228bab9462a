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
profile = "quick"  # smoke, quick or paper
device = "cpu"  # cpu or cuda
jobs = None  # experiments at a time; None: one a core
fresh = False  # True: compute again what the run store already has
hidden = None  # sizes of the hidden layer, such as [300, 1000]; None: as the profile says
seeds = None  # one run each, such as [0, 1, 2]; None: as the profile says

# %% tags=["hide-input"]
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown

from lazybook.book import analysis, claims, notebook, plotting
from lazybook.book.claims import Finding
from lazybook.errors import InvalidValue
from lazybook.experiment import grid, preset
from lazybook.networks import Shape
from lazybook.restrictions import AllSynapses, NeuronMask, Plan, Subnet, SynapseMask
from lazybook.sweep import sweep
from lazybook.theory import RandomMasks

settings = notebook.start(globals())
NAME = "competitive_plasticity/fig2_masks"
hidden = settings.hidden or settings.choose(
    smoke=[30, 60, 100], quick=[100, 300, 1000, 3000], paper=[100, 300, 1000, 3000, 10_000]
)
seeds = settings.seeds or settings.choose(smoke=[0], quick=[0], paper=[0, 1, 2, 3, 4])
numbers = settings.choose(
    smoke=[10, 20, 40],
    quick=[40, 70, 100, 200],
    paper=[20, 30, 50, 70, 100, 150, 200, 300],
)
if max(hidden) < numbers[2] + 2:
    raise InvalidValue(
        f"hidden is {hidden}; to find the best number of plastic neurons, of {numbers}, this page "
        f"needs at least one size from {numbers[2] + 2} on"
    )

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
    layers = [mask[0] for mask in plan.masks or [np.ones((1, *layer)) for layer in SMALL.layers]]
    if plan.units is not None:
        others = np.setdiff1d(np.arange(SMALL.hidden), plan.units)
        layers[0][:, others] = 0
        if plan.outputs_of_units:
            layers[1][others] = 0
    rule = str(restriction).split(":")[0]
    figure, axes = plt.subplots(figsize=(1.95, 2.3))
    units = [np.linspace(-1, 1, n + 2)[1:-1] for n in (SMALL.inputs, SMALL.hidden, SMALL.outputs)]
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
    caption="Which synapses may change, in a small network: plastic ones in colour, fixed ones "
    "grey. These are masks as the program draws them. (Paper: diagram in Fig. 2a.)",
    alt="Four drawings of a network with six inputs, seven hidden units and three outputs. All "
    "synapses are coloured; then coloured ones are scattered at random; then all inputs of three "
    "hidden units and all outputs; then only the inputs and the outputs of the same three units.",
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
GOAL = settings.choose(smoke=0.8, quick=0.95, paper=0.95)
EPOCHS = settings.choose(smoke=1, quick=5, paper=5)
SUBNET = settings.choose(smoke=20, quick=100, paper=100)
REDRAWN_AT = settings.choose(  # smaller for synapses, whose masks take long to draw
    smoke={"synapse-mask": 60, "neuron-mask": 60, "subnet": 60},
    quick={"synapse-mask": 100, "neuron-mask": 300, "subnet": 300},
    paper={"synapse-mask": 300, "neuron-mask": 1000, "subnet": 1000},
)
small = settings.choose(
    smoke=[10, 40], quick=[30, 50, 70, 200], paper=[20, 30, 40, 50, 70, 100, 150, 200]
)
base = preset(
    "competitive", until=GOAL, epochs=EPOCHS, engine=settings.engine, device=settings.device
)
sizes = sorted({*small, *hidden, *REDRAWN_AT.values()})
plain_sweep = sweep(grid(base, hidden=sizes, seed=seeds), jobs=settings.jobs, fresh=settings.fresh)

# %% tags=["hide-input"]
LABELS = {
    "energy_m0": "energy $M_0$",
    "energy_m1": "energy $M_1$",
    "samples": "samples to the goal",
}


def reached(table):
    """Return the ends of runs, without energy and time for those that missed the goal."""
    names = [*LABELS, "energy_m1_hidden", "energy_m1_output"]
    return table.assign(**{name: table[name].where(table["reached"]) for name in names})


def means(table, by):
    """Return the means over seeds, where all seeds reached the goal."""
    return table.groupby(by)[[*LABELS]].agg(lambda values: values.mean(skipna=False))


plain = reached(plain_sweep.ends())
plain_means = means(plain, "hidden")
needed = int(plain_means["energy_m0"].idxmin())
masks = RandomMasks(needed)
Markdown(
    f"Here $N_c$ = {needed}, of {', '.join(map(str, sizes))}. Every run, here and below, goes on "
    f"until {100 * GOAL:g} % of the test images are right, which is looked at every "
    f"{base.measure_every:,} images, and gives up after {EPOCHS} epochs. A run that gives up "
    "leaves a gap in the figures. The setting is that of the whole paper: MNIST with zero mean, "
    "leaky rectified hidden units, ten linear outputs, half the summed squared error, learning "
    f"rate {base.learning_rate:g}, one image at a time."
)

# %% [markdown]
# Now the masks. The larger the network, the more a run costs, so large ones get fewer seeds.

# %%
in_large = settings.choose(  # where fewer neurons are enough, but every run is dear
    smoke=[], quick=[50, 100, 200], paper=[10, 20, 30, 50, 100, 200, 500]
)
subnets_in = settings.choose(smoke=[60, 100], quick=[300, 1000], paper=[300, 1000])
fractions_in = settings.choose(smoke=[60], quick=[300], paper=[300, 1000])
factors = settings.choose(
    smoke=[0.25, 0.5, 1, 2], quick=[0.25, 0.5, 1, 2], paper=[0.125, 0.25, 0.5, 1, 2, 4]
)
beyond = settings.choose(smoke=[], quick=[], paper=[round(n * masks.kink) for n in (1, 4)])
outputs_in = settings.choose(smoke=[60], quick=[300], paper=[1000, 3000])
deviations = settings.choose(smoke=[0.01, 0.1], quick=[0.01, 0.05], paper=[0.01, 0.02, 0.03, 0.05])


def runs(size, *restrictions, most=3):
    """Return experiments with these restrictions, of which masks of units must leave some fixed.

    At most ``most`` seeds for networks from 1,000 units on.
    """
    kept = [r for r in restrictions if getattr(r, "n", 0) < size - 1]  # one unit is the bias
    few = seeds if size < 1000 else seeds[:most]
    return grid(replace(base, hidden=size), restriction=kept, seed=few)


def best_mask(size, draw="once"):
    """Return the synapse mask that is best by the count of paths below."""
    return SynapseMask(*map(float, masks.fractions(size)), draw)


experiments = runs(2 * SUBNET, Subnet(SUBNET))
for size in [*hidden, *beyond]:
    if size > needed:
        experiments += runs(size, best_mask(size))
for size in hidden:
    experiments += runs(size, Subnet(SUBNET))
    tried = map(NeuronMask, numbers if size <= 1000 else in_large)
    experiments += runs(size, *tried, most=2 if size >= 10_000 else 3)
for size in subnets_in:
    experiments += runs(size, *map(Subnet, numbers))
for size in fractions_in:
    p_in = [factor * needed / size for factor in factors]
    experiments += runs(size, *(SynapseMask(p, 1.0) for p in p_in if p <= 1))
for draw in ("once", "sample", "class"):
    experiments += runs(REDRAWN_AT["synapse-mask"], best_mask(REDRAWN_AT["synapse-mask"], draw))
    for name, mask in (("neuron-mask", NeuronMask), ("subnet", Subnet)):
        experiments += runs(REDRAWN_AT[name], mask(SUBNET, draw))
only_outputs = grid(
    replace(base, restriction=SynapseMask(0, 1), measure_every=5000, seed=seeds[0]),
    hidden=outputs_in,
    initial=[f"gaussian:{deviation}" for deviation in deviations],
)
distinct = [*dict.fromkeys(experiments + only_outputs)]
masked_sweep = sweep(distinct, jobs=settings.jobs, fresh=settings.fresh)

# %% tags=["hide-input"]
spent = masked_sweep.ends()  # also by runs that missed the goal
diverged = ~np.isfinite(spent["energy_m1"])
spent["energy_m0"] = spent["energy_m0"].where(~diverged)  # it counts nothing once all is nan
rules = [experiment.restriction for experiment in distinct]
spent["mask"] = [str(rule).split(":")[0] for rule in rules]
spent["n"] = [getattr(rule, "n", 0) for rule in rules]
spent["p_in"] = [getattr(rule, "p_in", 1.0) for rule in rules]
masked = reached(spent)
fixed = {name: masked[masked["mask"] == name] for name in REDRAWN_AT}
synapses = fixed["synapse-mask"]
optimal = synapses[synapses["p_in"] == masks.fractions(synapses["hidden"])[0]]
subnets = fixed["subnet"][fixed["subnet"]["n"] == SUBNET]


def best_numbers(name):
    """Return the best number of plastic neurons for M0 and M1, for each size and seed."""
    rows = []
    for (size, seed), tried in fixed[name].groupby(["hidden", "seed"]):
        if len(tried) > 2:
            found = {c: analysis.lowest(tried["n"], tried[c]) for c in ("energy_m0", "energy_m1")}
            rows.append({"hidden": size, "seed": seed} | found)
    return pd.DataFrame(rows)


best = {name: best_numbers(name) for name in ("neuron-mask", "subnet")}


def ratio(table, other, column):
    """Return ``table / other`` for each size and seed, inf where the first missed the goal."""
    both = table.merge(other, on=["hidden", "seed"], suffixes=("", "_other"))
    return both.assign(ratio=both[column].fillna(np.inf) / both[f"{column}_other"])


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
for (size, seed), tried in synapses[synapses["p_in"] > 0].groupby(["hidden", "seed"]):
    if size in fractions_in:
        lowest = {c: analysis.lowest(tried["p_in"], tried[c]) for c in ("energy_m0", "energy_m1")}
        tuned.append({"hidden": size, "seed": seed} | lowest)
tuned = pd.DataFrame(tuned)

left_figure, left = plt.subplots(figsize=(3.95, 3.6))
left.plot(MANY, p_in, **MASK, label="inputs, $p_1$")
left.plot(MANY, p_out, **MASK, ls="--", label="outputs, $p_2$")
for column, label, fill in (("energy_m0", "M_0", None), ("energy_m1", "M_1", "none")):
    look = {"mfc": fill, "ls": "none", "marker": plotting.MARKERS["synapse-mask"]}
    plotting.over_seeds(
        left, tuned, "hidden", column, "synapse-mask", label=f"best $p_1$ found, ${label}$", **look
    )
left.set(ylabel="plastic fraction")
into, out = masks.plastic(MANY)
right_figure, right = plt.subplots(figsize=(3.95, 3.6))
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
    caption="Left: the best fractions of plastic synapses by the count of paths, and the best "
    "fraction of plastic input synapses found by trying, for each energy. Right: how many synapses "
    "are plastic then. The dotted line is the kink. (Paper: Fig. 2b.)",
    alt="Two plots against network size on logarithmic axes. The plastic fraction of the inputs "
    "falls from 1 as the inverse of the size, and beyond the kink, where that of the outputs "
    "begins to fall too, as the inverse square root. The number of plastic synapses is level up to "
    "the kink and then rises as the square root of the size.",
    notebook=NAME,
)
by_trying = tuned["energy_m0"] / masks.fractions(tuned["hidden"])[0]
at_end = "; the least tried" if by_trying.min() < 1.01 * min(factors) else ""
Markdown(
    f"The kink is at H = {masks.kink:,.0f}. By trying, the best $p_1$ for $M_0$ was"
    f" {notebook.span(by_trying, '.2g')} times that of the count (depending on size and"
    f" seed{at_end}). Here and below, what is best is where a parabola has its vertex that is"
    " fitted, in logarithms, to the least energy found and its neighbours."
)

# %% [markdown]
# ## Energy and size
#
# Each mask at its best: the synapse mask as the count of paths has it, the neuron mask with the
# number of neurons that costs least, chosen for each size and each energy, and a subnet of one and
# the same size in every network.


# %% tags=["hide-input"]
def at_best_number(column):
    """Return the runs with the neuron mask that has the least mean of ``column``, by size."""
    table = fixed["neuron-mask"]
    pairs = means(table, ["hidden", "n"])[column].dropna().groupby("hidden").idxmin()
    return table[[pair in set(pairs) for pair in zip(table["hidden"], table["n"], strict=True)]]


panels = []
for column, label in LABELS.items():
    figure, axes = plt.subplots(figsize=(2.65, 3.6))
    neurons = at_best_number("energy_m0" if column == "samples" else column)
    for table, rule in (
        (plain, "all"), (optimal, "synapse-mask"), (neurons, "neuron-mask"), (subnets, "subnet")
    ):  # fmt: skip
        plotting.over_seeds(axes, table, "hidden", column, rule)
    if column != "samples":
        reach = np.geomspace(needed, max(table["hidden"].max() for table in (plain, optimal)), 100)
        into, out = masks.plastic(reach)
        count = plain_means[column][needed] * (into + out) / (into + out)[0]
        axes.plot(reach, count, **MASK, ls="--", lw=1.2, label="count of paths")
    axes.set(xlabel="hidden units $H$", title=label)
    plotting.logarithmic(axes.xaxis, [1], "{x:,g}")
    plotting.logarithmic(axes.yaxis, [1, 2, 3, 5, 7] if column == "energy_m1" else [1, 2, 5])
    panels.append(figure)
    if column == "energy_m0":
        axes.legend(fontsize="x-small")
plotting.show(
    *panels,
    name="fig-masks-energy",
    caption=f"Energies and learning time until {100 * GOAL:g} % of the test images are right, "
    f"against network size: everything plastic, and each mask at its best. The subnet has {SUBNET} "
    "units. Dashed: the count of paths, set to what the network of <i>N<sub>c</sub></i> units "
    "costs. The neuron mask's time is that at its best for <i>M</i><sub>0</sub>. Lines are means "
    "over seeds, bands go from the least to the largest. (Paper: Fig. 2a.)",
    alt="Three plots against network size on logarithmic axes. Both energies rise steeply when "
    "everything is plastic, much less with a synapse mask or a neuron mask, and hardly with a "
    "subnet. The learning time falls with size only when everything is plastic.",
    notebook=NAME,
)
subnet_means = means(subnets, "hidden").dropna()
largest = max(plain_means.dropna().index.intersection(subnet_means.index))
saved = plain_means.loc[largest] / subnet_means.loc[largest]
laws = []
for name, label in (("energy_m0", "M_0"), ("energy_m1", "M_1")):
    good = subnets.dropna(subset=name)
    law = analysis.power_law(good["hidden"], good[name])
    low, high = law.interval
    interval = f"95 % interval {low:z.2f} to {high:z.2f}"
    laws.append(f"${label} \\sim H^{{{law.exponent:z.2f}}}$ ({interval})")
Markdown(
    f"At H = {largest:,} learning with everything plastic costs {saved['energy_m0']:.2g} times the "
    f"$M_0$ and {saved['energy_m1']:.2g} times the $M_1$ of the subnet, in {saved['samples']:.2g} "
    f"times the samples. All seeds together, the subnet's energy goes as {' and '.join(laws)}. "
    "With an exponent of 0 the fixed neurons around it are neither help nor burden."
)

# %% [markdown]
# The count of paths says how many synapses should be plastic. That energy goes with their number
# holds for each sample, so how $M_0$ grows depends on how many samples it takes as well.

# %% tags=["hide-input"]
past_kink = means(optimal, "hidden")["samples"].loc[round(masks.kink) :].dropna()
Markdown(
    "Samples to the goal with the best synapse masks, from the kink on: "
    + ", ".join(f"{count:,.0f} at H = {size:,}" for size, count in past_kink.items())
    + ". Where they fall, $M_0$ grows more slowly than the square root of the size."
    if len(past_kink) > 1
    else "This profile has no networks beyond the kink."
)

# %% [markdown]
# ## How many neurons?
#
# With few plastic neurons a sample costs little, but learning takes many samples; with many neurons
# it is the other way round. In between lies the best number, which need not be the same for both
# energies. $M_0$ charges a small change as much as a large one, so it should be best served by few
# neurons whose synapses change much. To $M_1$ it makes no difference if a change is split between
# several synapses.
#
# With a neuron mask there is a second bill. All outputs stay plastic, and every sample pays
# for them: the larger the network, the more, and the fewer neurons learn, the longer. On the other
# hand, in a network of thousands of units the outputs nearly learn the task by themselves, as will
# be seen [below](only-the-output-layer), so that few neurons are enough for the least $M_0$.

# %% tags=["hide-input"]
panels = []
for name, of in (("neuron-mask", "plastic neurons $n$"), ("subnet", "size of the subnet $n$")):
    within = sorted(best[name]["hidden"].unique())
    for column in ("energy_m0", "energy_m1"):
        figure, axes = plt.subplots(figsize=(2.65, 3.2))
        for size in within:
            look = {"color": plotting.shade(name, size, within), "label": f"H = {size}"}
            tried = fixed[name][fixed[name]["hidden"] == size]
            lw = plotting.width(size, within)
            plotting.over_seeds(axes, tried, "n", column, name, lw=lw, **look)
            if (name, column) == ("neuron-mask", "energy_m1"):
                dotted = look | {"ls": ":", "marker": None, "label": None}
                plotting.over_seeds(axes, tried, "n", "energy_m1_hidden", name, lw=lw, **dotted)
        axes.set(xlabel=of, title=LABELS[column])
        plotting.logarithmic(axes.xaxis, [1, 2, 5], "{x:g}")
        plotting.logarithmic(axes.yaxis, [1, 2, 3, 5, 7])
        panels.append(figure)
    axes.legend(fontsize="x-small")
    figure, axes = plt.subplots(figsize=(2.65, 3.2))
    plotting.over_seeds(axes, best[name], "hidden", "energy_m0", name, label="for $M_0$")
    look = {"ls": "--", "mfc": "none", "label": "for $M_1$"}
    plotting.over_seeds(axes, best[name], "hidden", "energy_m1", name, **look)
    axes.set(xlabel="hidden units $H$", title="best number")
    plotting.logarithmic(axes.xaxis, [1], "{x:,g}")
    plotting.logarithmic(axes.yaxis, [1, 2, 3, 5, 7], "{x:g}")
    axes.legend(fontsize="x-small")
    panels.append(figure)
plotting.show(
    *panels,
    name="fig-masks-best-neurons",
    caption="Energies against the number of plastic neurons, and the number that costs least "
    "against network size: with a neuron mask (above) and in a subnet (below). The best number is "
    "the vertex of a parabola, for each seed its own. Dotted: what the input layer has of <i>M</i>"
    "<sub>1</sub> under a neuron mask. (Paper: Fig. 2c; for subnets, text.)",
    alt="Six plots. Both energies fall with the number of plastic neurons and then rise again. The "
    "curves for subnets in networks of different sizes lie on one another.",
    notebook=NAME,
)
largest = fixed["neuron-mask"].dropna(subset="energy_m1")
largest = largest[largest["hidden"] == largest["hidden"].max()]
spent_on = largest.groupby("n")[["energy_m1", "energy_m1_output"]].mean()
share = 100 * spent_on["energy_m1_output"] / spent_on["energy_m1"]
average = {name: numbers_of.mean() for name, numbers_of in best.items()}
Markdown(
    "On average over sizes and seeds, a neuron mask is best with "
    f"{average['neuron-mask']['energy_m0']:.0f} plastic neurons for $M_0$ and with "
    f"{average['neuron-mask']['energy_m1']:.0f} for $M_1$, a subnet with "
    f"{average['subnet']['energy_m0']:.0f} and {average['subnet']['energy_m1']:.0f}. Where "
    f"does $M_1$ go? Under the neuron mask at H = {largest['hidden'].max():,} the output layer has "
    f"{share.iloc[0]:.0f} % of it if {share.index[0]:.0f} neurons are plastic, and "
    f"{share.iloc[-1]:.0f} % if {share.index[-1]:.0f} are."
)

# %% [markdown]
# ## Masks drawn anew
#
# A fixed mask keeps most synapses from ever learning. Would it not be fairer to let all of them
# have their turn, with a new mask for each sample, or to keep the classes out of each other's way,
# with a mask for each class? The masks here leave as many synapses plastic at a time as the fixed
# ones do.
#
# If they leave a share $p$ of the input synapses plastic, then with a new mask for each sample a
# synapse learns from a share $p$ of the samples. Should learning take $1/p$ times as long for that,
# nothing is saved. Outputs that stay plastic throughout can make up for a part of the delay. With a
# mask for each class, what is learned for one class cannot be corrected by the others.

# %% tags=["hide-input"]
WHEN = {"": "once", "-per-sample": "sample", "-per-class": "class"}
panels = []
for column in ("energy_m0", "energy_m1"):
    figure, axes = plt.subplots(figsize=(3.95, 3.4))
    for block, (name, size) in enumerate(REDRAWN_AT.items()):
        middle, top = 4 * block + 1, axes.get_xaxis_transform()
        axes.text(middle, 1.02, plotting.NAMES[name], ha="center", fontsize="small", transform=top)
        for place, suffix in enumerate(WHEN, start=4 * block):
            chosen = spent[(spent["mask"] == name + suffix) & (spent["hidden"] == size)]
            if name == "synapse-mask":
                chosen = chosen[chosen["p_in"] == masks.fractions(size)[0]]
            else:
                chosen = chosen[chosen["n"] == SUBNET]
            look = {"ec": plotting.RULES[name], "s": 30, "marker": plotting.MARKERS[name]}
            for got, fill in ((True, plotting.RULES[name]), (False, "none")):
                some = chosen.loc[chosen["reached"] == got, column] / plain_means[column][size]
                axes.scatter(np.full(len(some), place), some, fc=fill, **look)
            if chosen[column].isna().any():
                axes.text(place, 0.98, "diverged", ha="center", va="top", rotation=90,
                          fontsize="small", transform=top)  # fmt: skip
    axes.axhline(1, color=plotting.RULES["all"], lw=1)
    places = [4 * block + place for block in range(3) for place in range(3)]
    axes.set_xticks(places, [*WHEN.values()] * 3, rotation=60, fontsize="small")
    axes.set(ylabel=f"{LABELS[column]} / with all plastic", xlim=(-0.8, places[-1] + 0.8))
    plotting.logarithmic(axes.yaxis, [1, 2, 5], "{x:g}")
    panels.append(figure)
plotting.show(
    *panels,
    name="fig-masks-redrawn",
    caption="Energy by that of a network of the same size in which all synapses are plastic "
    f"(line), with masks drawn once, anew for each sample, or one for each class. Synapse masks: "
    f"H = {REDRAWN_AT['synapse-mask']}; neuron masks and subnets: {SUBNET} neurons of "
    f"{REDRAWN_AT['subnet']}. One marker a seed. Open markers: the goal was missed, and the energy "
    f"is what was spent in vain in {EPOCHS} epochs. (Paper: text to Fig. 2.)",
    alt="Two plots with three groups of markers each, for synapse masks, neuron masks and subnets. "
    "In each group markers for masks drawn once, for each sample and for each class.",
    notebook=NAME,
)
slowed = []
for name, size in REDRAWN_AT.items():
    redrawn = masked[(masked["mask"] == f"{name}-per-sample") & (masked["hidden"] == size)]
    factor = redrawn["samples"].mean(skipna=False) / plain_means["samples"][size]
    share = masks.fractions(size)[0] if name == "synapse-mask" else SUBNET / size
    factor = "without end" if np.isnan(factor) else f"{factor:.2g} times"
    slowed.append(f"{factor} with {plotting.NAMES[name]}s (1/*p* = {1 / share:.2g})")
Markdown(
    "With a new mask for each sample, learning took longer than with all synapses plastic: "
    f"{', '.join(slowed)}."
)

# %% [markdown]
# (only-the-output-layer)=
# ## Only the output layer
#
# The cheapest synapses are those of the output layer: there are ten for each hidden unit, not 784.
# Why not leave the input layer as it was drawn, and learn the outputs alone? In a large enough
# network that can work, if the inputs are drawn with weights of the right size: too small, and
# learning is slow; too large, and it overshoots and diverges.

# %% tags=["hide-input"]
cheapest = masked.loc[masked["p_in"] > 0, "energy_m0"].min()
lines = [
    "| $H$ | initial s.d. | test accuracy | samples | $M_0$ | $M_0$ / of the cheapest mask |",
    "| --- | --- | --- | --- | --- | --- |",
]
for run in spent[spent["p_in"] == 0].itertuples():
    end = f"{100 * run.test_accuracy:.1f} % | {run.samples:,}"
    if not run.reached:
        end = f"{end}, goal missed"
    cost = f"{run.energy_m0:.2g} | {run.energy_m0 / cheapest:.2g}"
    if np.isnan(run.energy_m0):
        end, cost = "diverged |", "|"
    lines.append(f"| {run.hidden:,} | {run.initial.split(':')[1]} | {end} | {cost} |")
Markdown("\n".join(lines))

# %% [markdown]
# ## The claims
#
# Each claim of the paper about this figure, and what was measured here. Ratios are of runs of the
# same size and seed. Exponents are fitted for each seed, to all sizes from the kink on, or to all
# subnets. A cost that was never reached, as the goal was missed, counts as infinite.

# %% tags=["hide-input"]
found = {"CP5": [], "CP6": [], "CP7": [], "CP8": [], "CP9": []}
compared = ratio(optimal, plain, "energy_m0")
for row in compared[compared["hidden"] >= min(1000, max(hidden))].itertuples():
    measure = "M0 with a synapse mask / of plain learning"
    found["CP5"].append(Finding(measure, f"H = {row.hidden}", row.ratio, row.seed))
from_kink = optimal[optimal["hidden"] >= round(masks.kink)]
measure, condition = "exponent of M0 beyond the kink", f"H ≥ {round(masks.kink)}"
if from_kink["hidden"].nunique() > 2:
    for seed, exponent in analysis.exponents(from_kink, "energy_m0").items():
        found["CP5"].append(Finding(measure, condition, exponent, seed))
else:
    why = "such large networks are in the paper profile only"
    found["CP5"].append(Finding(measure, condition, np.nan, missing=why))
for row in best["neuron-mask"].itertuples():
    if row.hidden >= min(300, max(hidden)):
        number, other = "best number of plastic neurons for M0", "best number for M1 / for M0"
        at = f"H = {row.hidden}"
        found["CP6"].append(Finding(number, at, row.energy_m0, row.seed))
        found["CP6"].append(Finding(other, at, row.energy_m1 / row.energy_m0, row.seed))
for name, label in (("energy_m0", "M0"), ("energy_m1", "M1")):
    at = f"H = {subnets['hidden'].min()} to {subnets['hidden'].max()}"
    for seed, exponent in analysis.exponents(subnets, name).items():
        found["CP7"].append(Finding(f"exponent of {label} with a subnet", at, exponent, seed))
    for row in best["subnet"].itertuples():
        at, value = f"{label}, H = {row.hidden}", getattr(row, name)
        found["CP8"].append(Finding("best size of the subnet", at, value, row.seed))
    for rule in REDRAWN_AT:
        for suffix, when in [*WHEN.items()][1:]:
            redrawn = masked[masked["mask"] == rule + suffix]
            once = optimal if rule == "synapse-mask" else fixed[rule][fixed[rule]["n"] == SUBNET]
            for row in ratio(redrawn, once, name).itertuples():
                at = f"{plotting.NAMES[rule]} for each {when}"
                measure = f"{label} / with one fixed mask"
                found["CP9"].append(Finding(measure, at, row.ratio, row.seed))
verdicts = notebook.verdicts(settings, NAME, found)
HTML(claims.table(verdicts, "../"))

# %% tags=["hide-cell"]
# NBVAL_CHECK_OUTPUT
print(*verdicts, sep="\n")
print(f"N_c = {needed}")
for run in masked_sweep.runs:
    if run.experiment.seed == seeds[0]:
        print(f"H = {run.experiment.hidden}, {run.experiment.restriction}: {run.final['updates']}")

# %% tags=["hide-input"]
notebook.provenance(settings, [plain_sweep, masked_sweep])
