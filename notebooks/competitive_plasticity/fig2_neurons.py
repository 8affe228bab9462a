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
# # How many neurons, and masks drawn anew · competitive plasticity, Fig. 2
#
# {doc}`Masks and subnets <fig2_masks>` leave only some synapses plastic. How many hidden units
# should that be, for the least energy? And what if the mask is drawn anew for each sample, or is
# another one for each class {cite}`vanrossum2024competitive`?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`masks and subnets <fig2_masks>`.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
hidden = None
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from IPython.display import Markdown

from lazybook.book import analysis, notebook, plotting
from lazybook.errors import InvalidValue
from lazybook.experiment import grid, preset
from lazybook.restrictions import NeuronMask, Subnet, SynapseMask
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
    subnets_in=([60, 100], [300, 1000], [300, 1000]),
    # sizes in which masks are drawn anew; those of synapses take long to draw
    redrawn_at=(
        {"synapse-mask": 60, "neuron-mask": 60, "subnet": 60},
        {"synapse-mask": 100, "neuron-mask": 300, "subnet": 300},
        {"synapse-mask": 300, "neuron-mask": 1000, "subnet": 1000},
    ),
    # sizes and standard deviations of first weights with which the outputs learn alone
    outputs_in=([60], [300], [1000, 3000]),
    deviations=([0.01, 0.1], [0.01, 0.05], [0.01, 0.02, 0.03, 0.05]),
)
NAME = "competitive_plasticity/fig2_neurons"
if max(scale.hidden) < scale.numbers[2] + 2:
    raise InvalidValue(
        f"hidden is {scale.hidden}; to find the best number of plastic neurons, of "
        f"{scale.numbers}, this page needs at least one size from "
        f"{scale.numbers[2] + 2} on"
    )

# %% [markdown]
# ## The runs
#
# The setting, the masks and the goal are those of {doc}`fig2_masks`; so are the runs in which
# everything is plastic, and $N_c$, the number of hidden units that then gets to the goal with the
# fewest changes.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs with every synapse plastic"}
base = preset("competitive", until=scale.goal, epochs=scale.epochs)
sizes = sorted({*scale.small, *scale.hidden, *scale.redrawn_at.values()})
plain_sweep = settings.sweep(grid(base, hidden=sizes, seed=scale.seeds))
LABELS = {
    "energy_m0": "energy $M_0$",
    "energy_m1": "energy $M_1$",
    "samples": "samples to the goal",
}
ENERGIES = ["energy_m0", "energy_m1"]


def ends(result):
    """Return the ends of runs, without values for those that missed the goal."""
    return analysis.reached(analysis.ends(result), [*LABELS, "energy_m1_hidden"])


plain = ends(plain_sweep)
plain_means = analysis.means(plain, "hidden", LABELS)
needed = int(plain_means["energy_m0"].idxmin())
masks = RandomMasks(needed)
Markdown(
    f"Here $N_c$ = {needed}. Every run goes on until {100 * scale.goal:g} % of the "
    f"test images are classified correctly, or gives up after {scale.epochs} epochs."
)


# %% tags=["hide-input", "remove-stderr"] mystnb={"code_prompt_show": "Code: the runs with masks"}
def runs(size, *restrictions, most=3):
    """Return experiments with these restrictions, for masks that leave a unit fixed.

    At most ``most`` seeds for networks from 1,000 units on.
    """
    kept = [r for r in restrictions if getattr(r, "n", 0) < size - 1]  # one is the bias
    few = scale.seeds if size < 1000 else scale.seeds[:most]
    return grid(replace(base, hidden=size), restriction=kept, seed=few)


experiments = []
for size in scale.hidden:
    tried = map(NeuronMask, scale.numbers if size <= 1000 else scale.in_large)
    experiments += runs(size, *tried, most=2 if size >= 10_000 else 3)
for size in scale.subnets_in:
    experiments += runs(size, *map(Subnet, scale.numbers))
for draw in ("once", "sample", "class"):
    at = scale.redrawn_at["synapse-mask"]
    by_count = map(float, masks.fractions(at))  # the best mask, by the count of paths
    experiments += runs(at, SynapseMask(*by_count, draw))
    for name, mask in (("neuron-mask", NeuronMask), ("subnet", Subnet)):
        experiments += runs(scale.redrawn_at[name], mask(scale.subnet, draw))
first = replace(base, restriction=SynapseMask(0, 1), measure_every=5000)
first = replace(first, seed=scale.seeds[0])
initial = [f"gaussian:{deviation}" for deviation in scale.deviations]
experiments += grid(first, hidden=scale.outputs_in, initial=initial)
for size in scale.outputs_in:
    experiments += runs(size, Subnet(scale.subnet))
experiments = [*dict.fromkeys(experiments)]
masked_sweep = settings.sweep(experiments)
spent = analysis.ends(masked_sweep)  # also by runs that missed the goal
masked = ends(masked_sweep)
fixed = {name: masked[masked["rule"] == name] for name in scale.redrawn_at}


def best_numbers(name):
    """Return the best number of neurons for M0 and M1, for each size and seed."""
    rows = {}
    for key, tried in fixed[name].groupby(["hidden", "seed"]):
        if len(tried) > 2:
            rows[key] = {c: analysis.lowest(tried["n"], tried[c]) for c in LABELS}
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table.rename_axis(["hidden", "seed"]).reset_index()


best = {name: best_numbers(name) for name in ("neuron-mask", "subnet")}


def edges(name, column):
    """Return the least number tried, for sizes at which a seed's best run had it."""
    tried = fixed[name].dropna(subset=column)
    cheapest = tried.loc[tried.groupby(["hidden", "seed"])[column].idxmin()]
    cheapest = cheapest[cheapest["hidden"].isin(best[name]["hidden"])]
    least = cheapest["hidden"].map(fixed[name].groupby("hidden")["n"].min())
    cheapest = cheapest[cheapest["n"] == least]
    return dict(zip(cheapest["hidden"], cheapest["n"], strict=True))


# %% [markdown]
# ## How many neurons?
#
# With few plastic neurons a sample costs little, but learning takes many samples; with many neurons
# it is the other way round. $M_0$ charges a small change as much as a large one, so it should be
# best served by few neurons whose synapses change much. To $M_1$ it makes no difference if a change
# is split between several synapses.
#
# With a neuron mask there is a second bill. All outputs stay plastic, and every sample pays
# for them: the larger the network, the more. But in a network of thousands of units the outputs
# nearly learn the task by themselves, see [below](only-the-output-layer), so that few neurons are
# enough for the least $M_0$.
#
# The best number is the vertex of a parabola fitted, on logarithmic axes, to the lowest energy and
# its neighbours. Where the lowest energy is that of the smallest number tried, no vertex is fitted:
# the best number is at most that. The figure of the neuron mask is the one that this page begins
# with. Still larger networks are left out: the best number for $M_0$ would only be less than all
# that were tried again, and a network that is too large to learn as a whole is so {ref}`with a
# neuron mask too <large-networks-in-part>`, as all its outputs are plastic.


# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the neuron mask"}
def panels_of(name):
    """Return panels of both energies and of the best number of plastic neurons."""
    within, panels = sorted(best[name]["hidden"].unique()), []
    for column in ENERGIES:
        figure, axes = plotting.subplots(figsize=(2.61, 3.2))
        for size, marker in zip(within, "osD^v"[: len(within)], strict=True):
            tried = fixed[name][fixed[name]["hidden"] == size]
            look = {"color": plotting.shade(name, size, within), "marker": marker}
            look |= {"lw": plotting.width(size, within), "label": f"H = {size:,}"}
            if size not in (within[0], within[-1]):  # bands would lie on one another
                columns = [*ENERGIES, "energy_m1_hidden"]
                tried = analysis.means(tried, "n", columns).reset_index()
            plotting.over_seeds(axes, tried, "n", column, name, **look)
            if (name, column) == ("neuron-mask", "energy_m1"):
                means = tried.groupby("n")["energy_m1_hidden"].mean()
                axes.plot(means.index, means, ":", color=look["color"], lw=look["lw"])
        axes.set(xlabel="plastic neurons $n$", title=LABELS[column])
        plotting.logarithmic(axes.xaxis, [1, 2, 5], "{x:g}")
        plotting.logarithmic(axes.yaxis, [1, 2, 3, 5, 7])
        panels.append(figure)
    panels[name == "subnet"].axes[0].legend(fontsize="x-small")
    figure, axes = plotting.subplots(figsize=(2.61, 3.2))
    for column, ls, label in zip(
        ENERGIES, ("-", "--"), ("$M_0$", "$M_1$"), strict=True
    ):
        at_edge = edges(name, column)
        inside = best[name][~best[name]["hidden"].isin(at_edge)]
        look = {"ls": ls, "label": f"for {label}", "marker": "o" if ls == "-" else "s"}
        plotting.over_seeds(axes, inside, "hidden", column, name, **look)
        for size, number in at_edge.items():
            color = plotting.RULES[name]
            axes.plot(size, number, look["marker"], mfc="none", color=color, ms=5)
            axes.annotate(f"≤ {number:g}   ", (size, number), ha="right", va="center")
    axes.set(xlabel="hidden units $H$", title="best number $n$")
    plotting.logarithmic(axes.xaxis, [1], "{x:,g}")
    plotting.logarithmic(axes.yaxis, [1, 2, 3, 5, 7], "{x:g}")
    axes.margins(x=0.1)
    axes.legend(fontsize="x-small")
    return [*panels, figure]


ALT = (
    "Three plots. Both energies fall with the number of plastic neurons and then rise "
    "again; the third plot has the best number against network size."
)
MEANS = (
    "Lines are means over seeds; bands, in a and b for the smallest and the largest "
    "network, go from the lowest to the highest"
)
plotting.show(
    *panels_of("neuron-mask"),
    name="fig-neurons-best",
    caption="Energies against the number of plastic neurons under a neuron mask (a, "
    "b), and the number that costs least against network size (c). Dotted in b: the "
    f"input layer's part of <i>M</i><sub>1</sub>. {MEANS}; "
    f"{notebook.seeds(fixed['neuron-mask'])}. Open markers: a seed's best number is "
    "the least that was tried. (Paper: Fig. 2c.)",
    alt=ALT,
    notebook=NAME,
    lead=True,
)

# %% [markdown]
# In a subnet the outputs are masked with their neurons, and the second bill is gone.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the subnet"}
plotting.show(
    *panels_of("subnet"),
    name="fig-neurons-subnets",
    caption="The same for a subnet of <i>n</i> neurons: energies (a, b), and the size "
    f"that costs least (c). {MEANS}; {notebook.seeds(fixed['subnet'])}. (Paper: text "
    "to Fig. 2.)",
    alt=ALT,
    notebook=NAME,
)

# %% [markdown]
# ## Masks drawn anew
#
# A fixed mask keeps most synapses from ever learning. Masks can also be drawn anew for each sample,
# or one for each class; here they leave as many synapses plastic at a time as the fixed ones do.
#
# If they leave a share $p$ of the input synapses plastic, then with a new mask for each sample a
# synapse learns from a share $p$ of the samples. If learning then takes $1/p$ times as long,
# nothing is saved. Outputs that stay plastic throughout can make up for a part of the delay. With a
# mask for each class, what is learned for one class cannot be corrected by the others.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of masks drawn anew"}
WHEN = {"": "once", "-per-sample": "sample", "-per-class": "class"}


def drawn(table, name, suffix):
    """Return the runs with one kind of mask, drawn in one way."""
    rows = table[table["rule"] == name + suffix]
    rows = rows[rows["hidden"] == scale.redrawn_at[name]]
    if name == "synapse-mask":
        return rows[rows["p_in"] == masks.fractions(rows["hidden"])[0]]
    return rows[rows["n"] == scale.subnet]


panels = []
for column in ENERGIES:
    figure, axes = plotting.subplots(figsize=(3.95, 3.4))
    top = axes.get_xaxis_transform()
    for block, (name, size) in enumerate(scale.redrawn_at.items()):
        title = {"ha": "center", "fontsize": "small", "transform": top}
        axes.text(4 * block + 1, 1.02, plotting.NAMES[name], **title)
        look = {"color": plotting.RULES[name], "ls": "none", "ms": 5.5}
        for place, suffix in enumerate(WHEN, start=4 * block):
            chosen = drawn(spent, name, suffix)
            ended = chosen[~chosen["diverged"]]
            cost = ended[column] / plain_means[column][size]
            for some, fill in ((ended["reached"], None), (~ended["reached"], "none")):
                at = np.full(some.sum(), place)
                axes.plot(at, cost[some], plotting.MARKERS[name], mfc=fill, **look)
            if chosen["diverged"].any():
                axes.text(place, 0.98, "diverged", va="top", rotation=90, **title)
    axes.axhline(1, color=plotting.RULES["all"], lw=1)
    places = [4 * block + place for block in range(3) for place in range(3)]
    axes.set_xticks(places, [*WHEN.values()] * 3, rotation=60, fontsize="small")
    axes.set(ylabel=f"{LABELS[column]} relative to all plastic", xlim=(-0.8, 10.8))
    plotting.logarithmic(axes.yaxis, [1, 2, 5], "{x:g}")
    panels.append(figure)
plotting.show(
    *panels,
    name="fig-neurons-redrawn",
    caption="<i>M</i><sub>0</sub> (a) and <i>M</i><sub>1</sub> (b) relative to a "
    "network of the same size in which all synapses are plastic (line), with masks "
    "drawn once, anew for each sample, or one for each class. Synapse masks: "
    f"H = {scale.redrawn_at['synapse-mask']:,}; neuron masks and subnets: "
    f"{scale.subnet} neurons of {scale.redrawn_at['subnet']:,}. One marker a seed. "
    "Open markers: the goal was missed, and the energy is what was spent in vain "
    f"in {scale.epochs} epochs. (Paper: text to Fig. 2.)",
    alt="Two plots with three groups of markers each, for synapse masks, neuron masks "
    "and subnets. In each group markers for masks drawn once, for each sample and for "
    "each class.",
    notebook=NAME,
)
cost, slowed = {column: [] for column in LABELS}, []
for name, size in scale.redrawn_at.items():
    for column in LABELS:
        redrawn = drawn(masked, name, "-per-sample")
        ratio = analysis.compared(redrawn, plain, column)
        cost[column].append(np.exp(np.log(ratio).mean()))
    share = masks.fractions(size)[0] if name == "synapse-mask" else scale.subnet / size
    slowed.append(f"{plotting.NAMES[name]}s (1/*p* = {1 / share:.2g})")
listed = {c: ", ".join(f"{value:.2f}" for value in cost[c]) for c in LABELS}
Markdown(
    f"With a new mask for each sample, {', '.join(slowed)} took {listed['samples']} "
    f"times the samples, {listed['energy_m0']} times the $M_0$ and "
    f"{listed['energy_m1']} times the $M_1$ of learning with all synapses. The paper "
    "says that such masks save no energy: a number above 1 agrees with that, one below "
    "does not."
)

# %% [markdown]
# (only-the-output-layer)=
# ## Only the output layer
#
# The output layer has ten synapses for each hidden unit, not 784. Why not leave the inputs as they
# were drawn, and learn the outputs alone? In a large network that can work, if the first weights
# have the right size: too small, and learning is slow; too large, and it overshoots and diverges.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of output layers"}
subnet = fixed["subnet"][fixed["subnet"]["n"] == scale.subnet]
alone = spent[spent["p_in"] == 0]
alone = alone.assign(deviation=alone["initial"].str.split(":").str[1].astype(float))
figure, axes = plotting.subplots(figsize=(5.4, 3.2))
for size, marker in zip(scale.outputs_in, "os", strict=False):
    rows = alone[(alone["hidden"] == size) & ~alone["diverged"]]
    relative = (
        rows["energy_m0"] / subnet.loc[subnet["hidden"] == size, "energy_m0"].mean()
    )
    look = {"color": plotting.shade("synapse-mask", size, scale.outputs_in), "ms": 6}
    for some, fill in ((rows["reached"], None), (~rows["reached"], "none")):
        label = None if fill else f"H = {size:,}"
        at = rows["deviation"][some]
        axes.plot(at, relative[some], marker, mfc=fill, label=label, **look)
axes.axhline(1, color=plotting.RULES["subnet"], label=plotting.NAMES["subnet"])
axes.set(xlabel="s.d. of first weights", ylabel="$M_0$ relative to a subnet")
plotting.logarithmic(axes.xaxis, [1, 2, 3, 5], "{x:g}")
axes.set_ylim(bottom=0)
axes.legend(fontsize="small")
plotting.show(
    figure,
    name="fig-neurons-outputs",
    caption="<i>M</i><sub>0</sub> of learning with the output layer alone, relative to "
    f"a subnet of {scale.subnet} neurons in a network of the same size. One run each. "
    "Open markers: the goal was missed, and the energy is what was spent in vain. Runs "
    f"that diverged, not shown: {alone['diverged'].sum()}. (Paper: text to Fig. 2.)",
    alt="A plot of energy against the size of the first weights, with a level line for "
    "a subnet.",
    notebook=NAME,
)
least = masked[masked["p_in"] == 0].groupby(["hidden", "seed"])["energy_m0"].min()
by_outputs = analysis.compared(least.reset_index(), subnet, "energy_m0")

# %% [markdown]
# ## The claims
#
# Ratios are of runs of the same size and seed. A goal missed counts as an infinite cost.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what the claims are judged by"}
found = notebook.Findings(settings, NAME, "CP6", "CP8", "CP9", "CP22")
least = min(300, max(scale.hidden))
measure = "least M0 of the output layer alone / of a subnet"
found.each("CP22", measure, "H = {}", by_outputs)
numbers = best["neuron-mask"].query("hidden >= @least").set_index(["hidden", "seed"])
for name, label in (("energy_m0", "M0"), ("energy_m1", "M1")):
    measure = f"best number of plastic neurons for {label}"
    found.each("CP6", measure, "H = {}", numbers[name])
ratio = numbers["energy_m0"] / numbers["energy_m1"]
found.each("CP6", "best number for M0 / for M1", "H = {}", ratio)
found.each("CP6", "best number for M1 / for M0", "H = {}", 1 / ratio)
sizes = best["subnet"].set_index(["hidden", "seed"])
ratio = sizes["energy_m0"] / sizes["energy_m1"]
found.each("CP8", "best size for M0 / for M1", "H = {}", ratio)
for name, label in (("energy_m0", "M0"), ("energy_m1", "M1")):
    found.each("CP8", "best size of the subnet", f"{label}, H = {{}}", sizes[name])
    for rule, suffix in product(scale.redrawn_at, ("-per-sample", "-per-class")):
        at = f"{plotting.NAMES[rule]} for each {WHEN[suffix]}"
        redrawn = drawn(masked, rule, suffix)
        once = drawn(masked, rule, "")
        others = {"of plain learning": plain, "with one fixed mask": once}
        for other, table in others.items():
            ratio = analysis.compared(redrawn, table, name).droplevel("hidden")
            found.each("CP9", f"{label} / {other}", at, ratio)
sweeps = [plain_sweep, masked_sweep]
found.verdicts(sweeps)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
told = []
for name, column in product(best, ENERGIES):
    means, at_edge = best[name].groupby("hidden")[column].mean(), edges(name, column)
    inside = notebook.span(means.drop(list(at_edge)), ".0f")
    edge = [f"≤ {number:g} at H = {size:,}" for size, number in at_edge.items()]
    told.append(f"{' and '.join([inside, *edge])} for ${LABELS[column].split('$')[1]}$")
found.answer(
    f"Depending on the size of the network, a neuron mask costs least with {told[0]}, "
    f"{told[1]}; a subnet with {told[2]}, {told[3]}. Masks drawn anew for each "
    f"sample cost {notebook.span(cost['energy_m0'], '.2f')} times the $M_0$ and "
    f"{notebook.span(cost['energy_m1'], '.2f')} times the $M_1$ of learning with all "
    "synapses."
)

# %% [markdown]
# ## Your turn
#
# **1.** How many synapses does a subnet of n units change for each image? And a neuron mask of n
# units in a network of H? Work it out, and compare with the changes that were counted.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: changes for each image"}
# NBVAL_CHECK_OUTPUT
n = scale.subnet
for name in ("subnet", "neuron-mask"):
    size = scale.redrawn_at[name]
    outputs = n if name == "subnet" else size
    once = drawn(masked, name, "")
    counted = (once["energy_m0"] / once["samples"]).mean()
    estimate = f"785 × {n} + 10 × {outputs:,} = {785 * n + 10 * outputs:,}"
    print(f"{name}, H = {size:,}: {estimate}, counted {counted:,.0f}")

# %% [markdown]
# **2.** And if it is time that matters, not energy? Predict whether the best number of plastic
# neurons is then smaller or larger than for $M_0$ and $M_1$.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: the best number for time"}
# NBVAL_CHECK_OUTPUT
for name, table in best.items():
    for size, numbers in table.groupby("hidden")[[*LABELS]].mean().iterrows():
        m0, m1, time = numbers.round()
        print(f"{name}, H = {size:,}: {m0:g} for M0, {m1:g} for M1, {time:g} for time")

# %% [markdown]
# Next: {doc}`What if synapses are chosen anew by what they would learn, not by chance?
# <fig3_largest_updates>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes"}
# NBVAL_CHECK_OUTPUT
print(f"N_c = {needed}")
found.print_outcomes(sweeps)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how the results came about"}
notebook.provenance(settings, sweeps)
