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
# # From a small network to a brain · competitive plasticity, Fig. 5
#
# The larger a network, the more it spends on learning one and the same task, if all of its synapses
# take part: see the [cost of learning](fig1_cost_of_learning). A network of the size of a brain
# area would then spend very much more than the task needs. How much more
# {cite}`vanrossum2024competitive`? And how little can one get away with, by all the means of these
# pages?
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
# <fig2_masks>`; for the last section {doc}`the largest updates <fig3_largest_updates>` and
# {doc}`caching <fig4_synaptic_caching>` too.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
hidden = None
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
import textwrap
from dataclasses import replace

import numpy as np
import pandas as pd
from IPython.display import Markdown
from matplotlib.ticker import LogLocator

from lazybook import networks
from lazybook.book import analysis, notebook, plotting
from lazybook.caching import SynapticCaching
from lazybook.errors import InvalidValue
from lazybook.experiment import grid, preset
from lazybook.gates import MemorizedMistakes, Mistakes
from lazybook.restrictions import LargestUpdates, NeuronMask, Subnet, SynapseMask
from lazybook.support.statistics import mean_interval

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=(
        [30, 60, 100],
        [30, 100, 300, 1000, 3000],
        [30, 100, 300, 1000, 3000, 10_000, 30_000],
    ),
    seeds=([0], [0], [*range(15)]),
    method_seeds=(1, 1, 5),  # so many of these to compare the methods
    large=(30, 100, 100),  # power laws are fitted from here on
    goal=(0.8, 0.95, 0.95),
    subnet=(20, 100, 100),
    at=(60, 1000, 1000),
    subnets_in=([60, 100], [300, 1000, 3000], [300, 1000, 3000]),
    fractions=([0.05, 0.1], [0.02, 0.05], [0.01, 0.02, 0.05, 0.1]),
    economical=(0.05, 0.02, 0.02),  # the fraction in a subnet that costs least
)
NAME = "competitive_plasticity/fig5_extrapolation"
BOTH = "subnet & largest-per-layer"
if sum(size >= scale.large for size in scale.hidden) < 3:
    raise InvalidValue(
        f"hidden is {scale.hidden}; power laws need at least 3 sizes from "
        f"{scale.large} up"
    )

# %% [markdown]
# ## The runs
#
# First, networks of many sizes in which all synapses learn, and a few in which only a small
# *subnet* does. What a subnet costs does not depend on the network [around it](fig2_masks), so it
# tells what the task needs. Then, in networks of one size, all methods of the paper, some of them
# with several settings, and lazy learning on top of the largest updates in a subnet. Every run goes
# on until 95 % of the test images are classified correctly (80 % in the smoke profile).

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
base = preset("competitive", until=scale.goal)
in_layer = [LargestUpdates(f) for f in scale.fractions]
in_neuron = [LargestUpdates(f, per="neuron") for f in scale.fractions]
at = replace(base, hidden=scale.at)
methods = {
    "all": [at],
    "synapse-mask": grid(at, restriction=[SynapseMask(0.1, 1.0)]),
    "neuron-mask": grid(at, restriction=[NeuronMask(scale.subnet)]),
    "subnet": grid(at, restriction=[Subnet(scale.subnet)]),
    "largest-per-neuron": grid(at, restriction=in_neuron),
    "largest-per-layer": grid(at, restriction=in_layer),
    "subnet & largest-per-layer": grid(
        at, restriction=[Subnet(scale.subnet) & r for r in in_layer]
    ),
    "synaptic-caching": grid(at, caching=[SynapticCaching(0.003)]),
}


method_seeds = scale.seeds[: scale.method_seeds]


def run(experiments):
    """Run experiments with each of the seeds that methods are compared with."""
    seeded = [e for one in experiments for e in grid(one, seed=method_seeds)]
    return settings.sweep(seeded)


plain_sweep = settings.sweep(grid(base, hidden=scale.hidden, seed=scale.seeds))
in_subnets = replace(base, restriction=Subnet(scale.subnet))
subnet_sweep = settings.sweep(
    grid(in_subnets, hidden=scale.subnets_in, seed=scale.seeds)
)
method_sweep = run([one for some in methods.values() for one in some])
lazily = Subnet(scale.subnet) & LargestUpdates(scale.economical)
lazy_sweep = run(
    grid(replace(at, restriction=lazily), gate=[MemorizedMistakes(), Mistakes()])
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what they spent"}
LABELS = {
    "energy_m0": "$M_0$ (changes of synapses)",
    "energy_m1": "$M_1$ (sum of their sizes)",
}


def ends(result):
    """Return the ends of runs with their costs, nan for those that missed the goal.

    What is still transient at the end was needed too, and would have to be made
    permanent.
    """
    table = result.ends()
    for name in LABELS:
        table[name] += table[name.replace("energy", "pending")]
    table = analysis.reached(table, LABELS)
    shapes = [
        networks.shape(size, base.bias, 784, 10).layers for size in table["hidden"]
    ]
    table["synapses"] = [
        sum(rows * columns for rows, columns in layers) for layers in shapes
    ]
    return table


plain, subnets, tried = map(ends, (plain_sweep, subnet_sweep, method_sweep))
needed = subnets.groupby("seed")[[*LABELS]].mean()

# %% [markdown]
# ## What V1 would pay
#
# The primary visual cortex of the macaque has about 150 million neurons and 300 billion synapses
# {cite}`vanni2020anatomy`. Suppose that it learned the digits as the networks here do, by changing
# all its synapses for every image, and that the power laws of the energies held as far as that.
# What would it spend, and what the subnet in its place? The figure is the one that this page begins
# with.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the energy figure"}
V1 = 3e11
fitted = plain[(plain["hidden"] >= scale.large) & plain["reached"]]
largest = fitted[fitted["hidden"].isin(sorted(scale.hidden)[-3:])]


def times_needed(table, name):
    """Return how many times what is needed V1 would cost, by the law of each seed."""
    laws = analysis.laws(table, name, "synapses")
    return {seed: law(V1) / needed.loc[seed, name] for seed, law in laws.items()}


panels = []
for name in LABELS:
    figure, axes = plotting.subplots(figsize=(3.95, 3.6))
    x = np.geomspace(fitted["synapses"].min(), V1, 100)
    law = analysis.growth(fitted, name, "synapses")
    low, high = analysis.prediction(fitted["synapses"], fitted[name], x)
    axes.plot(x, law(x), color=plotting.RULES["all"], lw=1)
    axes.fill_between(x, low, high, color=plotting.RULES["all"], alpha=0.2, lw=0)
    plotting.over_seeds(axes, plain, "synapses", name, "all", ls="none")
    axes.plot(
        x[[0, -1]], 2 * [needed[name].mean()], color=plotting.RULES["subnet"], lw=1
    )
    plotting.over_seeds(axes, subnets, "synapses", name, "subnet", ls="none")
    axes.axvline(V1, color="#808080", lw=1, ls=":")
    axes.text(V1, 1, "V1 ", ha="right", va="top", transform=axes.get_xaxis_transform())
    plotting.logarithmic(axes.xaxis)
    axes.xaxis.set_major_locator(LogLocator(100))
    plotting.logarithmic(axes.yaxis)
    axes.set(xlabel="synapses", ylabel=LABELS[name])
    axes.legend(loc="upper left")
    panels.append(figure)
plotting.show(
    *panels,
    name="fig-extrapolation-v1",
    caption="<i>M</i><sub>0</sub> (a) and <i>M</i><sub>1</sub> (b) against the number "
    "of synapses: as measured (markers, means over seeds; "
    f"{notebook.seeds(plain)}), and carried to the size of V1 by power laws (lines). "
    "Lines are the mean of the seeds' laws, and the shaded band is the 95 % interval "
    "of a further network by the scatter around them. The subnet has "
    f"{scale.subnet} hidden units in networks of any size. (Paper: Fig. 5.)",
    alt="Two plots, all axes logarithmic. At small sizes a few measured points; the "
    "line through those of plain learning rises over many orders of magnitude to the "
    "size of V1, in a widening band. The line through those of subnets is level.",
    notebook=NAME,
    lead=True,
)


# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the size of V1"}
def spelled(number):
    """Return a number with two digits, for a sentence."""
    rounded = float(f"{number:.2g}")
    if 0.01 <= rounded < 1_000_000:
        return f"{rounded:,g}"
    digits, power = f"{rounded:.1e}".split("e")
    return rf"${digits} \times 10^{{{int(power)}}}$"


def told(values):
    """Return the mean of ``values`` with its 95 % interval, for a sentence."""
    mean, interval = mean_interval(values, log=True)
    about = " to ".join(map(spelled, interval)) if interval else "one seed"
    return f"{spelled(mean)} times", about


ratios = {name: times_needed(fitted, name) for name in LABELS}
v1 = {name: told(of.values()) for name, of in ratios.items()}
Markdown(
    f"Plain learning in V1 would cost {v1['energy_m0'][0]} the $M_0$ of the subnet "
    f"({v1['energy_m0'][1]}) and {v1['energy_m1'][0]} its $M_1$ "
    f"({v1['energy_m1'][1]}): "
    "laws are fitted to each seed, carried to V1, and the mean over seeds has the 95 % "
    "interval. The paper has some 700 times for $M_1$."
)

# %% [markdown]
# ## How bold is that?
#
# Very bold. The interval takes the power law for granted, and allows only for what differs between
# seeds. Whether the law holds that far, no fit can tell. Nor is V1 a single hidden layer
# that learns ten digits by backpropagation. What can be said is how much the answer hangs on the
# exponent.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how bold it is"}
top = fitted["synapses"].max()
orders = np.log10(V1 / top)
measured = np.log10(top / fitted["synapses"].min())
three, _ = told(times_needed(largest, "energy_m1").values())
spent = fitted.loc[fitted["synapses"] == top, "energy_m1"].mean()
claimed = np.log(700 * needed["energy_m1"].mean() / spent) / np.log(V1 / top)
Markdown(
    f"The networks that the laws are fitted to span {measured:.1f} orders of "
    f"magnitude; from the largest of them to V1 it is another {orders:.1f}. Over that "
    f"range, an exponent that is larger by 0.1 makes the cost "
    f"{10 ** (0.1 * orders):.1f} times as large. Fitted to the three largest networks "
    f"alone, the law for $M_1$ leads to {three} what is needed, instead of "
    f"{v1['energy_m1'][0]}. To get to 700 times, $M_1$ would have to grow "
    f"with the power {claimed:.2f} of the number of synapses from the largest network "
    "on."
)

# %% [markdown]
# What does not hang on how far the lines are drawn is where they lead. As long as an exponent is
# above 0, learning with all synapses costs more and more as the network grows, and what the task
# needs stays the same.
#
# ## The least it takes
#
# Back to networks that can be had. Which of the paper's methods gets there with the fewest changes?
# Each has settings that could be chosen still better, as the other pages do; here it is the order
# of magnitude that counts.
#
# Synaptic caching needs a word. Its $M_0$ counts the changes that were made permanent. In between
# all synapses go on changing for every image, and that is free. So it is shown, but told apart from
# the others, whose $M_0$ counts every change. Lazy learning is no method of this paper either: it
# learns only images that it misclassifies, or ever did ({doc}`lazy_on_top`).

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of the least energy"}
SETTING = ["method", "restriction", "caching"]
LAZY = {"memorized-mistakes": "lazy", "mistakes": "pure lazy"}
lazy = ends(lazy_sweep)
lazy["method"] = lazy["gate"]
NAMES = plotting.NAMES | {
    gate: f"{plotting.NAMES[BOTH]}, {name}" for gate, name in LAZY.items()
}
tried["method"] = np.repeat(
    list(methods), [len(method_seeds) * len(some) for some in methods.values()]
)


def costs(runs):
    """Return the mean costs of each setting, where all seeds reached the goal."""
    return analysis.means(runs, SETTING, LABELS)


def cheapest(runs):
    """Return the runs with the setting of the least mean M0."""
    return runs[(runs[SETTING] == list(costs(runs)["energy_m0"].idxmin())).all(axis=1)]


shown = pd.concat([tried, lazy])
order = [*reversed(shown["method"].unique())]
panels = []
for name in LABELS:
    figure, axes = plotting.subplots(figsize=(3.95, 3.6))
    for place, method in enumerate(order):
        marker = plotting.MARKERS.get(method, plotting.MARKERS[BOTH])
        look = {"color": plotting.RULES[method], "marker": marker, "ls": "none"}
        runs = shown[shown["method"] == method]
        means = costs(runs)[name]
        axes.plot(means, np.full(len(means), place), mfc="none", ms=5, **look)
        best = costs(runs)[name].idxmin()
        seeds = runs.loc[(runs[SETTING] == list(best)).all(axis=1), name]
        axes.plot([seeds.min(), seeds.max()], 2 * [place], color=look["color"], lw=1.2)
        axes.plot(means.min(), place, ms=8, **look)
    labels = [textwrap.fill(NAMES[method], 20) for method in order]
    axes.set_yticks(range(len(order)), labels, fontsize="small")
    axes.set(xlabel=LABELS[name], ylim=(-0.6, len(order) - 0.4))
    plotting.logarithmic(axes.xaxis)
    axes.margins(x=0.1)
    panels.append(figure)
plotting.show(
    *panels,
    name="fig-extrapolation-least",
    caption="<i>M</i><sub>0</sub> (a) and <i>M</i><sub>1</sub> (b) until the goal was "
    f"reached in networks of {scale.at:,} hidden units: means over seeds, "
    f"n = {len(method_seeds)}. Large markers: the setting of each method that cost "
    "least, with a line from the lowest to the highest seed; open markers: the others. "
    "Settings that missed the goal are left out. (Paper: abstract.)",
    alt="Two charts with a row for each method and a logarithmic axis of energy. The "
    "number of changes is largest with all synapses, much smaller with largest updates "
    "in a subnet, still smaller with lazy learning of these, and smallest with "
    "synaptic caching.",
    notebook=NAME,
)
cached = tried["caching"] != "immediate"
least = {
    "every change counted": cheapest(tried[~cached]),
    "permanent changes only": cheapest(tried[cached]),
}
counted, permanent = least.values()
images, changes = counted["samples"].mean(), counted["energy_m0"].mean()
of_all = tried.loc[tried["method"] == "all", "energy_m0"].mean()
of_lazy = costs(lazy)["energy_m0"].droplevel(["restriction", "caching"])
Markdown(
    f"Where every change is counted, {NAMES[counted['method'].iloc[0]]} made the "
    f"fewest: {spelled(changes)}, which is {spelled(changes / images)} for each of "
    f"{spelled(images)} images. With all synapses it took {spelled(of_all / changes)} "
    "times as many. The largest updates in a subnet learned lazily took "
    + " and ".join(f"{spelled(of_lazy[gate])} ({LAZY[gate]})" for gate in of_lazy.index)
    + f". Caching made {spelled(permanent['energy_m0'].mean())} changes permanent."
)

# %% [markdown]
# ## The claims
#
# Each claim of the paper about these figures, and what was measured here. The laws are fitted to
# each seed by itself and carried to V1; what is needed is the mean cost of the seed's subnets. The
# least $M_0$ is that of the method and setting with the least mean over seeds, so that no lucky
# seed decides.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what the claims are judged by"}
found = notebook.Findings(settings, NAME, "CP16", "CP17")
for kind, runs in least.items():
    spent = runs.set_index("seed")["energy_m0"]
    found.each("CP16", "least M0 of all methods", kind, spent)
least_gate = analysis.means(lazy, "gate", LABELS)["energy_m0"].idxmin()
spent = lazy[lazy["gate"] == least_gate].set_index("seed")["energy_m0"]
found.each("CP16", "least M0 of all methods", "with lazy learning", spent)
at_v1, times_m1 = f"{V1:.0e} synapses", ratios["energy_m1"]
measure = "M1 of plain learning at the size of V1 / M1 needed"
found.each("CP17", measure, at_v1, times_m1)
by_m1 = {seed: m0 / times_m1[seed] for seed, m0 in ratios["energy_m0"].items()}
found.each("CP17", "ratio for M0 / ratio for M1", at_v1, by_m1)
sweeps = [plain_sweep, subnet_sweep, method_sweep, lazy_sweep]
found.verdicts(sweeps)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the number of seeds"}
Markdown(found.raised("CP17", measure, at_v1, first=5))

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
found.answer(
    "Carried on to the size of V1, learning with all synapses costs "
    f"**{v1['energy_m1'][0]} the $M_1$** that the task needs "
    f"({v1['energy_m1'][1]}; the paper has some 700), and "
    f"{v1['energy_m0'][0]} the $M_0$. With every change counted, the "
    f"least $M_0$ at H = {scale.at:,} was {spelled(changes)}, with "
    f"{NAMES[counted['method'].iloc[0]]}, and {spelled(of_lazy.min())} with lazy "
    "learning on top."
)

# %% [markdown]
# ## Your turn
#
# **1.** How many synapses may a network have, by the law for $M_1$, if learning with all of them is
# to cost no more than ten times what the task needs?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: ten times"}
# NBVAL_CHECK_OUTPUT
law = analysis.growth(fitted, "energy_m1", "synapses")
if law.exponent > 0:
    most = (10 * needed["energy_m1"].mean() / law.factor) ** (1 / law.exponent)
    answer = f"{spelled(most)} synapses, {spelled(most / V1)} times those of V1."
else:
    answer = "Any number: in this profile the cost does not grow."
Markdown(answer)

# %% [markdown]
# **2.** $M_0$ is the number of images times that of synapses. By its law, how many images would V1
# need? Can that be?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: images for V1"}
# NBVAL_CHECK_OUTPUT
images_of_v1 = analysis.growth(fitted, "energy_m0", "synapses")(V1) / V1
Markdown(f"{spelled(images_of_v1)} images, for ten classes.")

# %% [markdown]
# Next: {doc}`Do the savings hang on how the task was set up? <fig6_variations>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes(sweeps)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how the results came about"}
notebook.provenance(settings, sweeps)
