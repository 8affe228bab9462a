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
# # How many neurons, and masks drawn anew (Figure 2, continued)
#
# {doc}`Masks and subnets <fig2_masks>` leave only some synapses plastic. How many hidden units
# should that be, for the least energy? And what if the mask is drawn anew for each sample, or is
# another one for each class {cite}`vanrossum2024competitive`?

# %% tags=["parameters", "hide-input"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
hidden = None
seeds = None

# %% tags=["hide-input"]
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from IPython.display import Markdown

from lazybook.book import analysis, notebook, plotting
from lazybook.errors import InvalidValue
from lazybook.experiment import grid, preset
from lazybook.restrictions import NeuronMask, Subnet, SynapseMask
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

# %%
base = preset(
    "competitive",
    until=scale.goal,
    epochs=scale.epochs,
    engine=settings.engine,
    device=settings.device,
)
sizes = sorted({*scale.small, *scale.hidden, *scale.redrawn_at.values()})
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
    f"Here $N_c$ = {needed}. Every run goes on until {100 * scale.goal:g} % of the "
    f"test images are right, and gives up after {scale.epochs} epochs; a run that "
    "gives up leaves a gap in the figures."
)


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


experiments = []
for size in scale.hidden:
    tried = map(NeuronMask, scale.numbers if size <= 1000 else scale.in_large)
    experiments += runs(size, *tried, most=2 if size >= 10_000 else 3)
for size in scale.subnets_in:
    experiments += runs(size, *map(Subnet, scale.numbers))
for draw in ("once", "sample", "class"):
    at = scale.redrawn_at["synapse-mask"]
    experiments += runs(at, best_mask(at, draw))
    for name, mask in (("neuron-mask", NeuronMask), ("subnet", Subnet)):
        experiments += runs(scale.redrawn_at[name], mask(scale.subnet, draw))
first = replace(base, restriction=SynapseMask(0, 1), measure_every=5000)
only_outputs = grid(
    replace(first, seed=scale.seeds[0]),
    hidden=scale.outputs_in,
    initial=[f"gaussian:{deviation}" for deviation in scale.deviations],
)
distinct = [*dict.fromkeys(experiments + only_outputs)]
masked_sweep = sweep(distinct, jobs=settings.jobs, fresh=settings.fresh)

# %% tags=["hide-input"]
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
for name, of in (
    ("neuron-mask", "plastic neurons $n$"),
    ("subnet", "size of the subnet $n$"),
):
    within = sorted(best[name]["hidden"].unique())
    for column in ("energy_m0", "energy_m1"):
        figure, axes = plotting.subplots(figsize=(2.65, 3.2))
        for size in within:
            look = {"color": plotting.shade(name, size, within), "label": f"H = {size}"}
            tried = fixed[name][fixed[name]["hidden"] == size]
            lw = plotting.width(size, within)
            plotting.over_seeds(axes, tried, "n", column, name, lw=lw, **look)
            if (name, column) == ("neuron-mask", "energy_m1"):
                dotted = look | {"ls": ":", "marker": None, "label": None}
                plotting.over_seeds(
                    axes, tried, "n", "energy_m1_hidden", name, lw=lw, **dotted
                )
        axes.set(xlabel=of, title=LABELS[column])
        plotting.logarithmic(axes.xaxis, [1, 2, 5], "{x:g}")
        plotting.logarithmic(axes.yaxis, [1, 2, 3, 5, 7])
        panels.append(figure)
    axes.legend(fontsize="x-small")
    figure, axes = plotting.subplots(figsize=(2.65, 3.2))
    plotting.over_seeds(
        axes, best[name], "hidden", "energy_m0", name, label="for $M_0$"
    )
    look = {"ls": "--", "mfc": "none", "label": "for $M_1$"}
    plotting.over_seeds(axes, best[name], "hidden", "energy_m1", name, **look)
    axes.set(xlabel="hidden units $H$", title="best number")
    plotting.logarithmic(axes.xaxis, [1], "{x:,g}")
    plotting.logarithmic(axes.yaxis, [1, 2, 3, 5, 7], "{x:g}")
    axes.legend(fontsize="x-small")
    panels.append(figure)
plotting.show(
    *panels,
    name="fig-neurons-best",
    caption="Energies against the number of plastic neurons, and the number that costs "
    "least against network size: with a neuron mask (above) and in a subnet (below). "
    "The best number is the vertex of a parabola, for each seed its own. Dotted: what "
    "the input layer has of <i>M</i><sub>1</sub> under a neuron mask. (Paper: Fig. 2c; "
    "for subnets, text.)",
    alt="Six plots. Both energies fall with the number of plastic neurons and then "
    "rise again. The curves for subnets in networks of different sizes lie on one "
    "another.",
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
    f"{average['subnet']['energy_m0']:.0f} and {average['subnet']['energy_m1']:.0f}. "
    f"Where does $M_1$ go? Under the neuron mask at H = {largest['hidden'].max():,} "
    f"the output layer has {share.iloc[0]:.0f} % of it if {share.index[0]:.0f} neurons "
    f"are plastic, and {share.iloc[-1]:.0f} % if {share.index[-1]:.0f} are."
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


def drawn(table, name, suffix):
    """Return the runs with one kind of mask, drawn in one way."""
    rows = table[table["rule"] == name + suffix]
    rows = rows[rows["hidden"] == scale.redrawn_at[name]]
    if name == "synapse-mask":
        return rows[rows["p_in"] == masks.fractions(rows["hidden"])[0]]
    return rows[rows["n"] == scale.subnet]


panels = []
for column in ("energy_m0", "energy_m1"):
    figure, axes = plotting.subplots(figsize=(3.95, 3.4))
    for block, (name, size) in enumerate(scale.redrawn_at.items()):
        middle, top = 4 * block + 1, axes.get_xaxis_transform()
        axes.text(
            middle,
            1.02,
            plotting.NAMES[name],
            ha="center",
            fontsize="small",
            transform=top,
        )
        for place, suffix in enumerate(WHEN, start=4 * block):
            chosen = drawn(spent, name, suffix)
            look = {
                "ec": plotting.RULES[name],
                "s": 30,
                "marker": plotting.MARKERS[name],
            }
            ended = chosen[~chosen["diverged"]]
            for got, fill in ((True, plotting.RULES[name]), (False, "none")):
                some = ended.loc[ended["reached"] == got, column]
                some = some / plain_means[column][size]
                axes.scatter(np.full(len(some), place), some, fc=fill, **look)
            if chosen["diverged"].any():
                axes.text(place, 0.98, "diverged", ha="center", va="top", rotation=90,
                          fontsize="small", transform=top)  # fmt: skip
    axes.axhline(1, color=plotting.RULES["all"], lw=1)
    places = [4 * block + place for block in range(3) for place in range(3)]
    axes.set_xticks(places, [*WHEN.values()] * 3, rotation=60, fontsize="small")
    axes.set(
        ylabel=f"{LABELS[column]} / with all plastic", xlim=(-0.8, places[-1] + 0.8)
    )
    plotting.logarithmic(axes.yaxis, [1, 2, 5], "{x:g}")
    panels.append(figure)
plotting.show(
    *panels,
    name="fig-neurons-redrawn",
    caption="Energy by that of a network of the same size in which all synapses are "
    "plastic (line), with masks drawn once, anew for each sample, or one for each "
    f"class. Synapse masks: H = {scale.redrawn_at['synapse-mask']}; neuron masks and "
    f"subnets: {scale.subnet} neurons of {scale.redrawn_at['subnet']}. One marker a "
    "seed. Open markers: the goal was missed, and the energy is what was spent in vain "
    f"in {scale.epochs} epochs. (Paper: text to Fig. 2.)",
    alt="Two plots with three groups of markers each, for synapse masks, neuron masks "
    "and subnets. In each group markers for masks drawn once, for each sample and for "
    "each class.",
    notebook=NAME,
)
slowed = []
for name, size in scale.redrawn_at.items():
    factor = (
        drawn(masked, name, "-per-sample")["samples"].mean(skipna=False)
        / plain_means["samples"][size]
    )
    share = masks.fractions(size)[0] if name == "synapse-mask" else scale.subnet / size
    factor = "without end" if np.isnan(factor) else f"{factor:.2g} times"
    slowed.append(f"{factor} with {plotting.NAMES[name]}s (1/*p* = {1 / share:.2g})")
Markdown(
    "With a new mask for each sample, learning took longer than with all synapses "
    f"plastic: {', '.join(slowed)}."
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
cheapest = masked.loc[masked["p_in"] != 0, "energy_m0"].min()
lines = [
    "| $H$ | initial s.d. | test accuracy | samples | $M_0$ | $M_0$ / of the cheapest "
    "mask |",
    "| --- | --- | --- | --- | --- | --- |",
]
for run in spent[spent["p_in"] == 0].itertuples():
    end = f"{100 * run.test_accuracy:.1f} % | {run.samples:,}"
    if not run.reached:
        end = f"{end}, goal missed"
    cost = f"{run.energy_m0:.2g} | {run.energy_m0 / cheapest:.2g}"
    if run.diverged:
        end, cost = "diverged |", "|"
    lines.append(f"| {run.hidden:,} | {run.initial.split(':')[1]} | {end} | {cost} |")
Markdown("\n".join(lines))

# %% [markdown]
# ## The claims
#
# Each claim of the paper about this figure, and what was measured here. Ratios are of runs of the
# same size and seed. A cost that was never reached, as the goal was missed, counts as infinite.

# %% tags=["hide-input"]
found = notebook.Findings(settings, NAME, "CP6", "CP8", "CP9")
numbers = best["neuron-mask"].set_index(["hidden", "seed"])
least = min(300, max(scale.hidden))
numbers = numbers[numbers.index.get_level_values("hidden") >= least]
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
        for other, table in (
            ("of plain learning", plain),
            ("with one fixed mask", drawn(masked, rule, "")),
        ):
            ratio = analysis.compared(redrawn, table, name).droplevel("hidden")
            found.each("CP9", f"{label} / {other}", at, ratio)
sweeps = [plain_sweep, masked_sweep]
found.verdicts(sweeps)

# %% tags=["hide-cell"]
# NBVAL_CHECK_OUTPUT
print(f"N_c = {needed}")
found.print_outcomes(sweeps)

# %% tags=["hide-input"]
notebook.provenance(settings, sweeps)
