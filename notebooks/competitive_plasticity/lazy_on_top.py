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
# # Lazy learning on top
#
# Competitive plasticity chooses *which synapses* change {cite}`vanrossum2024competitive`, lazy
# learning *which samples* are learned {cite}`pache2023lazy`, and synaptic caching *when* a change
# is made permanent {cite}`li2020energy`. The papers suggest combining them, and do not show it.
# Does the energy that they save multiply?

# %% tags=["parameters", "hide-input"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
seeds = None

# %% tags=["hide-input"]
from dataclasses import replace

import numpy as np
from IPython.display import Markdown

from lazybook.book import analysis, notebook, plotting
from lazybook.caching import SynapticCaching
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes, Mistakes
from lazybook.restrictions import AllSynapses, LargestUpdates, Subnet
from lazybook.sweep import sweep

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
# a subnet of 100 hidden units, the 5 % with the largest updates, or both: the largest updates in
# the subnet, the paper's most economical choice.
#
# Lazy learning learns an image if it gets it wrong now or ever did, pure lazy learning only if it
# gets it wrong now. Both are tried with each choice of synapses. There is one more step, *caching*:
# a change is transient at first, which costs nothing, and becomes permanent once the changes of a
# synapse have added up to a threshold. What is still transient at the end is counted as if it were
# made permanent then.

# %%
GATES = [EverySample(), MemorizedMistakes(), Mistakes()]
CACHING = SynapticCaching(threshold=0.003)
SUBNET, LARGEST = Subnet(100), LargestUpdates(0.05)
base = preset(
    "competitive",
    hidden=scale.size,
    until=scale.goal,
    engine=settings.engine,
    device=settings.device,
)
result = sweep(
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
    ),
    jobs=settings.jobs,
    fresh=settings.fresh,
)

# %% tags=["hide-input"]
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
# A network that learns only its mistakes has to look at more images, as most teach
# it nothing; but looking costs no plasticity.

# %% tags=["hide-input"]
QUANTITIES = {
    "m0": "energy $M_0$ (changes)",
    "m1": "energy $M_1$ (sum of changes)",
    "samples": "samples presented",
    "updates": "samples learned",
}
panels = [
    plotting.dots(gated, column, "method", "gate", NAMES, xlabel=label, xscale="log")
    for column, label in QUANTITIES.items()
]
plotting.show(
    *panels,
    name="fig-lazy-on-top-energy",
    caption=f"Energy, samples presented and samples learned until {100 * scale.goal:g} "
    "% of the test images are right, for each choice of synapses (rows) and of samples "
    f"(colours). {plotting.INTERVALS} (Paper: Discussion, without a figure.)",
    alt="Four panels of dots on logarithmic axes, with a row for each restriction and "
    "colours for backprop, lazy and pure lazy learning: the two energies, the samples "
    "presented and the samples learned.",
    notebook=NAME,
)
spent = {name: mean(gated, name) for name in ("m0", "m1", "samples")}


def times(column, one, other):
    """Return how many times ``one`` (method, gate) is ``other``, by the means."""
    return f"{float(f'{spent[column][one] / spent[column][other]:.2g}'):,g}"


backprop, lazily, purely = map(str, GATES)
steps = [(BOTH, lazily), (BOTH, backprop)]
ends_of_way = [("all", backprop), (CACHED, purely)]
Markdown(
    f"Of the largest updates in a subnet, lazy learning needs {times('m0', *steps)} "
    f"times the $M_0$ and {times('m1', *steps)} times the $M_1$ that learning every "
    f"sample needs, and {times('samples', *steps)} times the presentations. From plain "
    "backprop to all that there is here, pure lazy learning of the largest updates in "
    f"a subnet with caching, $M_0$ falls by a factor of {times('m0', *ends_of_way)} "
    f"and $M_1$ by one of {times('m1', *ends_of_way)}; the presentations are "
    f"{times('samples', *ends_of_way[::-1])} times as many."
)

# %% [markdown]
# ## Do the savings multiply?
#
# If the two choices had nothing to do with each other, a network that makes both would save the
# product of what each saves alone. At 1 in the figure it does; left of that it saves less than
# the product, right of it more.

# %% tags=["hide-input"]
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
    f"(colours), by the product of what each saves alone. {plotting.INTERVALS} (Not in "
    "the paper.)",
    alt="Two panels of dots around a line at 1, with a row for each restriction and "
    "colours for lazy and pure lazy learning.",
    notebook=NAME,
)
ranges = {}
for measure in ("m0", "m1"):
    for cached in (False, True):
        found = mean(combined, f"saving of {measure} / product")
        found = found[[(name == CACHED) == cached for name, _ in found.index]]
        ranges[measure, cached] = f"{found.min():.2g} to {found.max():.2g}"
Markdown(
    f"Without caching the saving is {ranges['m0', False]} times the product for $M_0$ "
    f"and {ranges['m1', False]} times for $M_1$, depending on the restriction and the "
    f"rule. With caching it is {ranges['m0', True]} and {ranges['m1', True]} times. "
    "Lazy learning saves samples, and without caching the number of changes on a "
    "sample is set by the restriction alone. Caching is another matter: it already "
    "spares the changes that later ones undo, so it depends on the samples left out "
    "how many consolidations they would have cost."
)

# %% [markdown]
# ## The claims
#
# The ratio is of runs with the same seed, for the largest updates in a subnet.

# %% tags=["hide-input"]
found = notebook.Findings(settings, NAME, "CP19")
lazy = gated[(gated["method"] == BOTH) & (gated["gate"] == lazily)].set_index("seed")
measure, at = "M0 with lazy learning / without", f"H = {scale.size}"
found.each("CP19", measure, at, lazy["m0 with gate / without"])
found.verdicts([result])

# %% tags=["hide-cell"]
# NBVAL_CHECK_OUTPUT
found.print_outcomes([result])

# %% tags=["hide-input"]
notebook.provenance(settings, [result])
