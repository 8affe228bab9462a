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
# # What would these networks cost a fly? · beyond the papers
#
# This book counts {term}`energy` in changes of synapses and in sums of their sizes. A fly pays in
# joules ({doc}`the estimate <estimate>`). None of the papers puts the two side by side. What would
# learning MNIST cost, with each of the rules, if a change of a synapse had its price in ATP?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`the estimate <estimate>`, for the price of a bit, and {doc}`the method
# </method>`, for what is counted in a network.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
from dataclasses import replace

import numpy as np
import pandas as pd
from IPython.display import Markdown
from matplotlib.ticker import LogLocator

from lazybook import energy_per_bit
from lazybook.book import analysis, notebook, plotting
from lazybook.caching import SynapticCaching
from lazybook.energy_per_bit import between, interval, spelled
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes, Mistakes
from lazybook.restrictions import AllSynapses, LargestUpdates, Subnet

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    seeds=([0], [0], [0, 1, 2, 3, 4]),
    size=(200, 300, 1000),
    goal=(0.8, 0.95, 0.95),
    draws=(100_000, 100_000, 1_000_000),
)
NAME = "energy_per_bit/bridge"
SEED = 0
BOTH, CACHED = "subnet & largest-per-layer", "subnet & largest-per-layer & caching"
NAMES = plotting.NAMES | {CACHED: "largest updates in a subnet, cached"}

# %% [markdown]
# ## The runs
#
# They are those of the page {doc}`../competitive_plasticity/lazy_on_top`, which all learn until
# they classify 95 % of the test images correctly (80 % in the smoke profile): three answers to the
# question which samples are learned, and five to which synapses may change and when for good.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
GATES = [EverySample(), MemorizedMistakes(), Mistakes()]
SUBNET, LARGEST = Subnet(100), LargestUpdates(0.05)
base = preset("competitive", hidden=scale.size, until=scale.goal)
plain = grid(
    base,
    gate=GATES,
    restriction=[AllSynapses(), SUBNET, LARGEST, SUBNET & LARGEST],
    seed=scale.seeds,
)
cached = replace(base, restriction=SUBNET & LARGEST, caching=SynapticCaching(0.003))
result = settings.sweep(plain + grid(cached, gate=GATES, seed=scale.seeds))
ends = result.ends()
method = ends["restriction"].str.replace(r":\S*", "", regex=True)
ends["method"] = method.where(ends["caching"] == "immediate", CACHED)
for measure in ("m0", "m1"):
    ends[measure] = ends[f"energy_{measure}"] + ends[f"pending_{measure}"]
ends = analysis.reached(ends, ["m0", "m1"])
spent = analysis.means(ends, ["method", "gate"], ["m0", "m1"])

# %% [markdown]
# ## Four prices of a change
#
# Nobody knows what a change of a synapse costs. Here are four ways to put a price on it, each with
# all that it assumes. The first two begin with molecules, the other two with the fly.
#
# *By transmission*
# : In the rat's brain plasticity takes some 4 to 11 % of what transmission takes
#   {cite}`karbowski2019metabolic`. Suppose that a synapse that learns by backprop changes each time
#   that it transmits a signal, and that a signal costs what a bit does
#   {cite}`laughlin1998metabolic,harris2012synaptic`. A change then costs that share of it.
#
# *By receptors*
# : Suppose that at each change all receptors of the synapse are made anew
#   {cite}`harris2012synaptic`, amino acid by amino acid.
#
# *By the fly's synapses*
# : Suppose that all that an association costs a fly goes into the synapses from the Kenyon cells
#   that the odour excites to some or all of the 35 output neurons {cite}`hige2015plasticity`, a
#   change each.
#
# *By the fly's weights*
# : In a model of the group a weight that changes by 1 costs 0.27 of a fly's reserve of energy, with
#   which it fits the lives of flies {cite}`jiang2024reinforcement`. Suppose that a weight of 1
#   there is a weight of 1 here. That is a price for the size of changes, so it is multiplied by
#   {term}`M1`, and the other three by {term}`M0`.
#
# With {term}`caching <synaptic caching>` only changes that become permanent are charged; what is
# {term}`transient` is free.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table of assumptions"}
assumed = energy_per_bit.known("prices")
notebook.html_table(energy_per_bit.table(assumed.values()), "Assumptions about prices")

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the prices"}
of_fly = {k: v for k, v in energy_per_bit.known("fly").items() if k != "bits"}
drawn = energy_per_bit.draw(of_fly | assumed, SEED, scale.draws)
burned = energy_per_bit.power(drawn["oxygen"], drawn["heat"], drawn["mass"])
association = (burned * drawn["life_lost"]).to("joule")
SIGNAL, RECEPTORS = "by transmission", "by receptors"
SYNAPSES, WEIGHTS = "by the fly's synapses", "by the fly's weights"
USED = {  # by each price
    SIGNAL: ["plasticity", "transmission"],
    RECEPTORS: ["receptors", "amino_acids", "synthesis"],
    SYNAPSES: [*of_fly, "active", "outputs"],
    WEIGHTS: ["oxygen", "heat", "mass", "life", "reserve"],
}
prices = {
    SIGNAL: drawn["plasticity"] * drawn["transmission"],
    RECEPTORS: drawn["receptors"] * drawn["amino_acids"] * drawn["synthesis"],
    SYNAPSES: association / (drawn["active"] * drawn["outputs"]),
    WEIGHTS: drawn["reserve"] * burned * drawn["life"],
}
prices = {name: price.to("joule") for name, price in prices.items()}
charged = dict.fromkeys(prices, "m0") | {WEIGHTS: "m1"}


def bill(name, method, gate):
    """Return the 90 % interval and the median of what runs cost at a price, in J."""
    cost = prices[name] * spent.loc[(method, gate), charged[name]]
    return [*interval(cost).magnitude, np.median(cost.magnitude)]


# %% [markdown]
# ## The bill

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
SHOWN = {
    "backprop, all synapses": ("all", "every-sample", "every-sample"),
    "lazy, all synapses": ("all", "memorized-mistakes", "memorized-mistakes"),
    "lazy, largest updates in a subnet": (BOTH, "memorized-mistakes", BOTH),
    "the same, cached": (CACHED, "memorized-mistakes", "synaptic-caching"),
}
figure, axes = plotting.subplots(figsize=(5.4, 4.3))
for row, name in enumerate(prices):
    for shift, (label, (method, gate, rule)) in enumerate(SHOWN.items()):
        low, high, middle = bill(name, method, gate)
        look = {"color": plotting.RULES[rule], "label": label if row == 0 else None}
        place = row + 0.2 * (shift - 1.5)
        axes.errorbar(
            middle, place, xerr=[[middle - low], [high - middle]], **look, fmt="o"
        )
axes.axvspan(*interval(association).magnitude, color=plotting.INK, alpha=0.3, lw=0)
axes.text(
    interval(association)[1].magnitude, 1.02, "an association, fly", ha="center",
    transform=axes.get_xaxis_transform(),
)  # fmt: skip
axes.set_yticks(range(len(prices)), prices)
axes.set(xlabel="energy to learn MNIST (J)", ylim=(len(prices) - 0.5, -0.5))
plotting.logarithmic(axes.xaxis)
axes.xaxis.set_major_locator(LogLocator(1000, numticks=20))
axes.grid(axis="y", visible=False)
figure.legend(loc="outside lower center", ncols=2, fontsize="small")
n_seeds = f"n = {len(scale.seeds)}".replace(" ", "\N{NBSP}")
goal = f"{100 * scale.goal:.0f} %"
plotting.show(
    figure,
    name="fig-bridge-bill",
    caption=f"What it would cost to learn MNIST to {goal} on the test set with "
    f"{scale.size:,} hidden units, at four prices of a change. Dots are medians and "
    "lines 90&nbsp;% intervals of the price, for the mean energy over seeds "
    f"({n_seeds}). The band is what one association costs a fly.",
    alt="A row for each price, with a dot for each of four rules. By transmission and "
    "by receptors all lie left of the band of a fly's association, by the fly's "
    "synapses and by its weights most or all lie right of it, many orders of magnitude "
    "away. Within a row backprop costs most and cached lazy learning least.",
    notebook=NAME,
    lead=True,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table of bills"}
gates = [str(gate) for gate in GATES]
rows = []
for method in ends["method"].unique():
    for gate in gates:
        m0, m1 = spent.loc[(method, gate)]
        row = {"synapses": NAMES[method], "samples": NAMES[gate]}
        row |= {"M<sub>0</sub>": spelled(m0), "M<sub>1</sub>": spelled(m1)}
        row |= {
            f"{name} (J)": spelled(bill(name, method, gate)[2], 1) for name in prices
        }
        rows.append(row)
notebook.html_table(pd.DataFrame(rows), "What each rule would cost at each price")

# %% [markdown]
# ## What does it hang on?
#
# Within a row of the figure the rules keep their distances, since they are charged alike: what a
# rule saves does not depend on the price, as long as it is one for changes or one for their sizes.
# From row to row all moves. The intervals say how certain each price is if its assumptions hold,
# and the rows together, how little that means.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of what it hangs on"}
panels = []
for name, price in prices.items():
    shares = energy_per_bit.shares(price, {key: drawn[key] for key in USED[name]})
    order = sorted(shares, key=shares.get)
    panel, axes = plotting.subplots(figsize=(3.95, 2.4))
    axes.barh(order, [100 * shares[key] for key in order], color=plotting.INK)
    axes.set_yticks(range(len(order)), [key.replace("_", " ") for key in order])
    axes.set(xlabel="share of the variance (%)", xlim=(0, 100), title=name)
    axes.grid(axis="y", visible=False)
    panels.append(panel)
plotting.show(
    *panels,
    name="fig-bridge-shares",
    caption="What makes each price uncertain: the shares of its assumptions in the "
    "variance of its logarithm.",
    alt="Four bar charts. By transmission plasticity's share has most of the variance, "
    "by receptors their number, by the fly's synapses the number of output neurons, by "
    "the fly's weights the oxygen.",
    notebook=NAME,
)
backprop = {name: bill(name, "all", "every-sample")[2] for name in prices}
needed = association / spent.loc[("all", "every-sample"), "m0"]
atp = interval(needed).to("ATP")


def in_atp(name):
    """Return the median of a price in ATP, for a sentence."""
    return spelled(np.median(prices[name].m_as("ATP")), 1)


reserve = np.median((burned * drawn["life"]).m_as("joule"))
thriftiest = np.nanmin(
    [bill(name, *run)[2] for name in (SYNAPSES, WEIGHTS) for run in spent.index]
)
parts = [
    backprop[name] / np.median(association.magnitude) for name in (SIGNAL, RECEPTORS)
]
Markdown(
    "By transmission backprop with all synapses would cost "
    f"{spelled(parts[0], 1)} times as much as one association costs a fly, by "
    f"receptors {spelled(parts[1], 1)} times. At the fly's own prices even the rule "
    f"that is cheapest then would cost {spelled(thriftiest / reserve, 1)} times its "
    f"reserve of {reserve:.1f} J. Turned around: for backprop to cost as much as one "
    f"association, a change would have to cost {between(atp, 1)} ATP. By transmission "
    f"it is {in_atp(SIGNAL)}, by receptors {in_atp(RECEPTORS)}, and by the fly's "
    f"synapses {in_atp(SYNAPSES)}."
)

# %% [markdown]
# So the puzzle of the {doc}`ladder <ladder>` comes back in other units. If changes cost what
# molecules suggest, synapses do not explain what a fly pays for an association. If the synapses are
# what it pays for, it learns with far fewer changes than these networks, or with far more in an
# association than are counted here.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
extremes = sorted(backprop.values())
notebook.answer(
    f"Between **{spelled(extremes[0], 1)} and {spelled(extremes[-1], 1)} J** for "
    "backprop, as one prices a change. One association costs a fly "
    f"{between(interval(association))} J, and its whole reserve is {reserve:.1f} J. "
    "What a rule saves stays the same at each price of a change. (Our own comparison; "
    "no claim is judged by it.)"
)

# %% [markdown]
# ## Your turn
#
# **1.** A fly burns some 35 µW all day. At the price by receptors, how long could it pay from that
# for learning MNIST by backprop, and how long with cached lazy learning?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: seconds of a fly"}
# NBVAL_CHECK_OUTPUT
for method, gate in (("all", "every-sample"), (CACHED, "memorized-mistakes")):
    changes = spent.loc[(method, gate), "m0"]
    seconds = np.median((changes * prices[RECEPTORS] / burned).m_as("second"))
    print(f"{NAMES[gate]}, {NAMES[method]}: {spelled(seconds, 1)} seconds")

# %% [markdown]
# **2.** Suppose that both count: each change has the price by transmission, and its size that by
# the fly's weights. Which of the two decides what backprop costs?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: both prices"}
# NBVAL_CHECK_OUTPUT
m0, m1 = spent.loc[("all", "every-sample")]
by_number = np.median((m0 * prices[SIGNAL]).magnitude)
by_size = np.median((m1 * prices[WEIGHTS]).magnitude)
ratio = spelled(by_size / by_number, 1)
print(f"for their sizes {ratio} times as much as for their number")

# %% [markdown]
# Next: {doc}`What became of all the claims? <../scorecard>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
for name, price in prices.items():
    low, high = interval(price).magnitude
    print(f"{name}: {low:.3e} to {high:.3e} J, backprop {backprop[name]:.2e} J")

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how the results came about"}
notebook.provenance(settings, [result])
