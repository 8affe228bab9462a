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
# # Lazy learning on top · competitive plasticity, Discussion
#
# Competitive plasticity chooses *which synapses* change {cite}`vanrossum2024competitive`, lazy
# learning *which samples* are learned {cite}`pache2023lazy`, and synaptic caching *when* a change
# is made permanent {cite}`li2020energy`. The papers suggest combining them, and do not show it.
# Do their savings of energy multiply?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`lazy learning of MNIST <../lazy_learning/fig2_mnist>`, {doc}`only the largest
# updates <fig3_largest_updates>` and {doc}`synaptic caching <fig4_synaptic_caching>`: one page for
# each of the rules combined here.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
from dataclasses import replace

import numpy as np
from IPython.display import Markdown

from lazybook.book import analysis, notebook, plotting
from lazybook.caching import SynapticCaching
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes, Mistakes
from lazybook.restrictions import AllSynapses, LargestUpdates, Subnet

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    seeds=([0], [0], [0, 1, 2, 3, 4]),
    size=(200, 300, 1000),
    goal=(0.8, 0.95, 0.95),
)
NAME = "competitive_plasticity/lazy_on_top"
BOTH, CACHED = "subnet & largest-per-layer", "subnet & largest-per-layer & caching"
NAMES = {CACHED: "largest updates in a subnet, cached"}

# %% [markdown]
# ## The runs
#
# The setting is that of {doc}`fig6_variations`. The synapses that change are all of them, those of
# a subnet of 100 hidden units, the 2 % with the largest updates, or both: the largest updates in
# the subnet.
#
# Lazy learning learns an image if it misclassifies it now or ever did, pure lazy learning only if
# it does now. Both are tried with each choice of synapses. There is one more step, *caching*: a
# change is transient at first, which costs nothing, and becomes permanent once the changes of a
# synapse have added up to a threshold. What is still transient at the end is counted as if it were
# made permanent then.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
GATES = [EverySample(), MemorizedMistakes(), Mistakes()]
CACHING = SynapticCaching(threshold=0.003)
SUBNET, LARGEST = Subnet(100), LargestUpdates(0.02)  # the most economical ones
base = preset("competitive", hidden=scale.size, until=scale.goal)
result = settings.sweep(
    grid(
        base,
        gate=GATES,
        restriction=[AllSynapses(), SUBNET, LARGEST, SUBNET & LARGEST],
        seed=scale.seeds,
    )
    + grid(
        replace(base, restriction=SUBNET & LARGEST, caching=CACHING),
        gate=GATES,
        seed=scale.seeds,
    )
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what they saved"}
gated = result.ends()
method = gated["restriction"].str.replace(r":\S*", "", regex=True)
gated["method"] = method.where(gated["caching"] == "immediate", CACHED)
for measure in ("m0", "m1"):
    gated[measure] = gated[f"energy_{measure}"] + gated[f"pending_{measure}"]
# A goal missed is never reached.
for column in ("m0", "m1", "samples", "updates"):
    gated[column] = gated[column].where(gated["reached"], np.inf)


def first(column, *alike):
    """Return for each run ``column`` of the first run alike in these columns."""
    return gated.groupby([*alike, "seed"])[column].transform("first")


# Backprop with all synapses plastic comes first; of each gate all synapses plastic do,
# of each choice of synapses backprop does.
for measure in ("m0", "m1"):
    column = f"saving of {measure}"
    gated[column] = first(measure) / gated[measure]
    alone = first(column, "gate") * first(column, "method")
    gated[f"{column} / product"] = gated[column] / alone
gated["m0 with gate / without"] = gated["m0"] / first("m0", "method")


def mean(table, column):
    """Return the mean of ``column`` over seeds, nan where a seed missed the goal."""
    finite = table.assign(**{column: analysis.finite(table, column)})
    return analysis.means(finite, ["method", "gate"], [column])[column]


# %% [markdown]
# ## The energy
#
# The figure is the one that this page begins with. Energy falls with each choice of synapses, and
# with each gate.


# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the energy figure"}
def show(columns, **about):
    """Show a panel for each of ``columns``, a dict from names to labels."""
    look = {"xscale": "log"}
    panels = [
        plotting.dots(gated, column, "method", "gate", NAMES, xlabel=label, **look)
        for column, label in columns.items()
    ]
    plotting.show(*panels, notebook=NAME, **about)


GOAL = f"until {100 * scale.goal:g} % of the test images are classified correctly, "
ROWS = (
    f"for each choice of synapses (rows) and of samples (colours). "
    f"{plotting.INTERVALS} {notebook.seeds(gated)}. (Paper: Discussion, no figure.)"
)
show(
    {"m0": "energy $M_0$ (changes)", "m1": "energy $M_1$ (sum of changes)"},
    name="fig-lazy-on-top-energy",
    caption=f"<i>M</i><sub>0</sub> (a) and <i>M</i><sub>1</sub> (b) {GOAL}{ROWS}",
    alt="Two panels of dots on logarithmic axes, with a row for each restriction and "
    "colours for backprop, lazy and pure lazy learning.",
    lead=True,
)

# %% [markdown]
# A network that learns only its mistakes has to be shown more images, as most teach it nothing; but
# being shown them costs no plasticity.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of samples"}
show(
    {"samples": "samples presented", "updates": "samples learned"},
    name="fig-lazy-on-top-samples",
    caption=f"Samples presented (a) and learned (b) {GOAL}{ROWS}",
    alt="Two panels of dots on logarithmic axes, with a row for each restriction and "
    "colours for backprop, lazy and pure lazy learning.",
)
spent = {name: mean(gated, name) for name in ("m0", "m1", "samples")}


def times(column, one, other):
    """Return how many times ``one`` (method, gate) is ``other``, by the means."""
    return f"{float(f'{spent[column][one] / spent[column][other]:.2g}'):,g}"


backprop, lazily, purely = map(str, GATES)
steps = [(BOTH, lazily), (BOTH, backprop)]
ends_of_path = [("all", backprop), (CACHED, purely)]
Markdown(
    f"Of the largest updates in a subnet, lazy learning needs {times('m0', *steps)} "
    f"times the $M_0$ and {times('m1', *steps)} times the $M_1$ that learning every "
    f"sample needs, and {times('samples', *steps)} times the presentations. From plain "
    "backprop to all that there is here, pure lazy learning of the largest updates in "
    f"a subnet with caching, $M_0$ falls by a factor of {times('m0', *ends_of_path)} "
    f"and $M_1$ by one of {times('m1', *ends_of_path)}; the presentations are "
    f"{times('samples', *ends_of_path[::-1])} times as many."
)

# %% [markdown]
# ## Do the savings multiply?
#
# If the two choices had nothing to do with each other, a network that makes both would save the
# product of what each saves alone. At 1 in the figure it does; left of that it saves less than
# the product, right of it more.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of the product"}
combined = gated[(gated["method"] != "all") & (gated["gate"] != backprop)]
panels = [
    plotting.dots(
        combined,
        f"saving of {measure} / product",
        "method",
        "gate",
        NAMES,
        xlabel=f"saving of {symbol} / product of the savings",
    )
    for measure, symbol in (("m0", "$M_0$"), ("m1", "$M_1$"))
]
plotting.show(
    *panels,
    name="fig-lazy-on-top-product",
    caption="The energy saved by restricting the synapses (rows) and learning lazily "
    f"(colours), relative to the product of what each saves alone: "
    f"<i>M</i><sub>0</sub> (a) and <i>M</i><sub>1</sub> (b). "
    f"{plotting.INTERVALS} {notebook.seeds(gated)}. (Not in the paper.)",
    alt="Two panels of dots around a line at 1, with a row for each restriction and "
    "colours for lazy and pure lazy learning.",
    notebook=NAME,
)
ranges = {}
for measure in ("m0", "m1"):
    for cached in (False, True):
        found = mean(combined, f"saving of {measure} / product")
        found = found[[(name == CACHED) == cached for name, _ in found.index]]
        ranges[measure, cached] = notebook.span(found, ".2f")
Markdown(
    f"Without caching the saving is {ranges['m0', False]} times the product for $M_0$ "
    f"and {ranges['m1', False]} times for $M_1$, depending on the restriction and the "
    f"rule. With caching it is {ranges['m0', True]} and {ranges['m1', True]} times. "
    "Lazy learning saves samples, and without caching the number of changes on a "
    "sample is set by the restriction alone. Caching is another matter: it already "
    "spares the changes that later ones undo, so the saving depends on how many "
    "consolidations the skipped samples would have caused."
)

# %% [markdown]
# ## The claims
#
# The ratio is of runs with the same seed, for the largest updates in a subnet.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what the claims are judged by"}
found = notebook.Findings(settings, NAME, "CP19")
lazy = gated[(gated["method"] == BOTH) & (gated["gate"] == lazily)].set_index("seed")
measure, at = "M0 with lazy learning / without", f"H = {scale.size}"
found.each("CP19", measure, at, lazy["m0 with gate / without"])
found.verdicts([result])

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
found.answer(
    "Lazy learning of the largest updates in a subnet takes "
    f"**{times('m0', *steps)} times the $M_0$** of learning every sample, and "
    f"{times('m1', *steps)} times the $M_1$. Without caching both together "
    f"save {ranges['m0', False]} times the product of their savings for $M_0$ and "
    f"{ranges['m1', False]} times for $M_1$. From plain backprop to all methods "
    f"together $M_0$ falls {times('m0', *ends_of_path)} times."
)

# %% [markdown]
# ## Your turn
#
# **1.** Divide $M_0$ by the samples learned. Without caching, should that depend on the gate? With
# caching?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: changes for each sample learned"}
# NBVAL_CHECK_OUTPUT
each = gated.assign(each=gated["m0"] / gated["updates"])
for method, rows in mean(each, "each").unstack().iterrows():
    counted = ", ".join(f"{rows[gate]:,.0f}" for gate in (backprop, lazily, purely))
    print(f"{method}: {counted}")

# %% [markdown]
# **2.** Suppose that being shown an image has a price, too, as many changes of synapses as it may.
# From which price on does lazy learning of the largest updates in a subnet save nothing?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: the price of a look"}
# NBVAL_CHECK_OUTPUT
saved, more = (
    spent[column][one] - spent[column][other]
    for column, one, other in (("m0", *steps[::-1]), ("samples", *steps))
)
if more > 0:
    print(f"from {saved / more:,.0f} changes of synapses for each image")
else:
    print("from none: it was shown no more images")

# %% [markdown]
# Next: {doc}`A later paper takes lazy learning further, to tasks that change.
# <../mistake_gating/updates>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([result])

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how the results came about"}
notebook.provenance(settings, [result])
