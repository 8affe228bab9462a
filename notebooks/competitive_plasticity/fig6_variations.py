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
# # Variations, and lazy learning on top (Figure 6)
#
# A result about energy could hang on choices that have little to do with it: how the images are
# prepared, which units the network has, what it minimises, which changes are paid for. Here these
# choices are changed one at a time, to see whether the savings of competitive plasticity stay
# {cite}`vanrossum2024competitive`.
#
# Then comes a combination that the papers suggest and do not show. Competitive plasticity chooses
# *which synapses* change, lazy learning *which samples* are learned {cite}`pache2023lazy`, and
# synaptic caching *when* a change is made permanent {cite}`li2020energy`. Does the energy that they
# save multiply?

# %% tags=["parameters", "hide-input"]
profile = "quick"  # smoke, quick or paper
device = "cpu"  # cpu or cuda
jobs = None  # experiments at a time; None: one a core
fresh = False  # True: compute again what the run store already has
seeds = None  # one run each, such as [0, 1, 2]; None: as the profile says

# %% tags=["hide-input"]
import textwrap
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, Markdown
from scipy import stats

from lazybook import datasets, networks
from lazybook.book import claims, notebook, plotting
from lazybook.book.claims import Finding
from lazybook.caching import SynapticCaching
from lazybook.datasets import Split
from lazybook.errors import DataError
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes, Mistakes
from lazybook.restrictions import AllSynapses, LargestUpdates, Subnet
from lazybook.sweep import sweep

settings = notebook.start(globals())
NAME = "competitive_plasticity/fig6_variations"
seeds = settings.seeds or settings.choose(smoke=[0], quick=[0], paper=[0, 1, 2, 3, 4])

# %% [markdown]
# ## The settings
#
# Every network learns until it gets a given share of the test images right, and the energy spent
# until then counts: $M_0$, the number of changes of synapses, and $M_1$, the sum of their sizes.
# It learns with all synapses plastic, and with the paper's most economical choice of synapses: of
# a subnet of 100 hidden units only the 5 % of synapses with the largest updates change.
#
# Five variations, one change each:
#
# - *No zero mean.* The mean over all pixels is not subtracted from the images. Then four fifths of
#   the pixels are 0, and no synapse that leads from such a pixel changes.
# - *ReLU.* A hidden unit with negative input is silent, where a leaky one still lets a tenth
#   through. A silent unit changes neither its inputs nor its outputs.
# - *Cross-entropy* of a softmax takes the place of the squared error.
# - *Potentiation only.* Only changes that raise a weight cost energy.
# - *Fashion-MNIST.* Pictures of clothes, which are harder to tell apart than digits; so the goal
#   is lower there.

# %%
size = settings.choose(smoke=200, quick=300, paper=1000)
goal, fashion_goal = settings.choose(smoke=(0.8, 0.7), quick=(0.95, 0.85), paper=(0.95, 0.85))
PLAIN, SUBNET, LARGEST = AllSynapses(), Subnet(100), LargestUpdates(0.05)
COMPETITIVE = SUBNET & LARGEST
base = preset(
    "competitive", hidden=size, until=goal, engine=settings.engine, device=settings.device
)
VARIATIONS = {
    "no zero mean": {"zero_mean": False},
    "ReLU": {"activation": "relu"},
    "cross-entropy": {"loss": "cross-entropy"},
    "potentiation only": {"record": ("potentiation",)},
    "Fashion-MNIST": {"dataset": "fashion-mnist", "until": fashion_goal},
}

# %% tags=["hide-input"]
try:
    datasets.load("fashion-mnist")
    fashion_is_here = True
except DataError:
    fashion_is_here = False
    del VARIATIONS["Fashion-MNIST"]
Markdown(
    f"The networks have {size} hidden units. The goal is {100 * goal:g} % of MNIST right"
    + (
        f", and {100 * fashion_goal:g} % of Fashion-MNIST."
        if fashion_is_here
        else ". Fashion-MNIST is left out: its files are not here. To get them:"
        " `lazybook data fetch fashion-mnist`."
    )
)

# %% [markdown]
# Lazy learning learns an image if it gets it wrong now or ever did, pure lazy learning only if it
# gets it wrong now. Both are tried with all synapses plastic, with the subnet alone, with the
# largest updates alone, and with both. There is one more step, *caching*: a change is transient at
# first, which costs nothing, and becomes permanent once the changes of a synapse have added up to a
# threshold. What is still transient at the end is counted as if it were made permanent then.

# %%
GATES = [EverySample(), MemorizedMistakes(), Mistakes()]
CACHING = SynapticCaching(threshold=0.003)
lazy = grid(base, gate=GATES, restriction=[PLAIN, SUBNET, LARGEST, COMPETITIVE], seed=seeds)
lazy += grid(replace(base, restriction=COMPETITIVE, caching=CACHING), gate=GATES, seed=seeds)

# %% [markdown]
# Last, the details in which the paper's text and its authors' program differ, or that the text
# leaves open. The program measures the accuracy every 2,000 samples, the text says every 1,000. The
# order of the images may be drawn with replacement, as in the program, or be a new permutation in
# each epoch. The initial weights are small; in the program they have a standard deviation of 0.01
# to 0.03. And many updates are equally large, as most pixels of an image are alike, so there has to
# be a way to choose among them: the program adds a little noise to the images (standard deviation
# 0.001) so that none are alike; here instead a random choice is made among the synapses that tie,
# which favours none.

# %%
mnist = datasets.load("mnist")
pixels = mnist.train.inputs()
generator = np.random.Generator(np.random.PCG64(0))
pixels += 0.001 * generator.standard_normal(pixels.shape, np.float32)
noisy = datasets.derived("noisy-mnist", Split(pixels, mnist.train.labels, 1.0), mnist.test)
DETAILS = {
    "measured every 2,000": {"measure_every": 2000},
    "order by permutation": {"order": "permutation"},
    "noise on the images": {"dataset": noisy},
    "initial s.d. 0.02": {"initial": "gaussian:0.02"},
    "initial s.d. 0.03": {"initial": "gaussian:0.03"},
    "PyTorch's initial weights": {"initial": "pytorch"},
}

# %%
studies = {}
for name, change in ({"default": {}} | VARIATIONS | DETAILS).items():
    few = seeds[:3] if "record" in change else seeds  # recording every change is slow
    studies[name] = grid(replace(base, **change), restriction=[PLAIN, COMPETITIVE], seed=few)
studies["lazy"] = lazy
everything = [experiment for study in studies.values() for experiment in study]
result = sweep(everything, jobs=settings.jobs, fresh=settings.fresh)

# %% tags=["hide-input"]
BOTH, CACHED = "subnet & largest-per-layer", "subnet & largest-per-layer & caching"
NAMES = plotting.NAMES | {CACHED: "largest updates in a subnet, cached"}

ends = result.ends()
ends["study"] = [name for name, study in studies.items() for _ in study]
method = ends["restriction"].str.replace(r":\S*", "", regex=True)
ends["method"] = method.where(ends["caching"] == "immediate", CACHED)
for measure in ("m0", "m1"):
    spent = ends[f"energy_{measure}_potentiation"].fillna(ends[f"energy_{measure}"])
    ends[measure] = spent + ends[f"pending_{measure}"]
for column in ("m0", "m1", "samples", "updates"):
    ends[column] = ends[column].where(ends["reached"], np.inf)  # a goal missed is never reached


def first(column, *alike):
    """Return for each run ``column`` of the first run that is alike in these columns."""
    return ends.groupby([*alike, "seed"])[column].transform("first")


for measure in ("m0", "m1"):
    saving = first(measure, "study") / ends[measure]  # all synapses plastic come first
    ends[f"saving of {measure}"] = saving
    ends[f"relative saving of {measure}"] = saving / first(f"saving of {measure}", "method")
    alone = first(f"saving of {measure}", "study", "gate")
    alone *= first(f"saving of {measure}", "study", "method")  # without lazy learning
    ends[f"saving of {measure} / product"] = saving / alone
for column in ("m0", "m1", "samples"):
    ends[f"relative {column}"] = ends[column] / first(column, "method")  # the default comes first
ends["m0 with gate / without"] = ends["m0"] / first("m0", "study", "method")
varied = ends[ends["study"].isin(["default", *VARIATIONS])]
detailed = ends[ends["study"].isin(DETAILS)]
gated = ends[ends["study"] == "lazy"]


def mean(table, column, *by):
    """Return the mean of ``column`` over seeds, nan where a seed missed the goal, by ``by``."""
    there = table[column].where(np.isfinite(table[column]) & (table[column] > 0))
    groups = there.groupby([table[name] for name in by], sort=False)
    return groups.agg(lambda found: found.mean(skipna=False))


def dots(column, table, rows, colours, **look):
    """Return a panel that shows the means of ``column``, with their 95 % intervals over seeds.

    There is a row for each value of the column ``rows``, and in it a dot for each of ``colours``.
    """
    figure, axes = plt.subplots(figsize=(3.95, 3.9))
    order, rules = (list(dict.fromkeys(table[name])) for name in (rows, colours))
    for place, rule in enumerate(rules):
        means = mean(table, column, colours, rows)[rule]
        groups = table[table[colours] == rule].groupby(rows, sort=False)[column]
        half = stats.t.ppf(0.975, groups.count() - 1) * groups.sem()  # nan for a single seed
        places = [order.index(row) + 0.2 * (place - (len(rules) - 1) / 2) for row in means.index]
        dot = {"fmt": plotting.MARKERS.get(rule, "o"), "color": plotting.RULES[rule], "ms": 5}
        axes.errorbar(means, places, xerr=half[means.index], label=NAMES[rule], **dot)
    names = [textwrap.fill(NAMES.get(row, row), 17) for row in order]
    axes.set_yticks(range(len(order)), names, fontsize="small")
    axes.set_ylim(len(order) - 0.5, -0.5)
    axes.set(**look)
    low, high = axes.get_xlim()
    if axes.get_xscale() == "linear":
        axes.axvline(1, color="#808080", lw=1)
    elif high < 100 * low:
        plotting.logarithmic(axes.xaxis, [1, 2, 5] if high < 30 * low else [1, 3], "{x:,g}")
    look = {"ncols": len(rules), "columnspacing": 1, "fontsize": "small"}
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", **look)
    return figure


# %% [markdown]
# ## Do the savings stay?
#
# The saving is the energy of learning with all synapses plastic divided by that of the restricted
# network, in the same variation and with the same random seed. The band reaches from half the
# default's saving to twice that: a dot within it is "about the same".

# %% tags=["hide-input"]
restricted = varied[varied["method"] != "all"]
panels = []
for measure, symbol in (("m0", "$M_0$"), ("m1", "$M_1$")):
    column = f"saving of {measure}"
    look = {"xlabel": f"saving of {symbol} (times)", "xscale": "log"}
    figure = dots(column, restricted, "study", "method", **look)
    [axes] = figure.axes
    default = mean(varied, column, "study", "method")["default", BOTH]
    axes.axvspan(default / 2, 2 * default, color=plotting.RULES[BOTH], alpha=0.12, lw=0)
    panels.append(figure)
INTERVALS = "Dots are means over seeds, lines their 95 % intervals, where there are several seeds."
plotting.show(
    *panels,
    name="fig-variations-saving",
    caption="How many times less energy the restricted networks need, in the default setting and in"
    " each variation. Left, the number of changes; right, the sum of their sizes. The band is"
    " within a factor of two of the default's saving."
    f" {INTERVALS} Where a seed does not reach the goal there is a gap. (Paper: Fig. 6.)",
    alt="Two panels of dots on logarithmic axes, a row for each variation, with a band around the"
    " default's saving.",
    notebook=NAME,
)

# %% [markdown]
# Why the saving of $M_0$ may differ is seen in what plain learning costs. $M_0$ counts changes. In
# the default setting plain learning changes every synapse on every sample, on purpose: nothing is
# saved by accident. Where pixels or hidden units are silent, plain learning skips their synapses,
# so that there is less for a restriction to save. The largest updates are never among those
# skipped. Cross-entropy is another matter: it always leaves something to learn, even from an image
# that is right by far; see what that does to $M_1$.

# %% tags=["hide-input"]
shape = networks.shape(size, base.bias, inputs=784, classes=10)
synapses = sum(before * after for before, after in shape.layers)
spent = varied.assign(share=100 * varied["m0"] / (varied["updates"] * synapses))
by_method = {name: mean(spent, name, "study", "method") for name in ("share", "m0", "m1")}
lines = [
    "| setting | changed per sample | $M_0$ plain | $M_0$ restricted | $M_1$ plain"
    " | $M_1$ restricted |",
    "| --- | --: | --: | --: | --: | --: |",
]
for study in ["default", *VARIATIONS]:
    share, m0, m1 = (by_method[name][study] for name in ("share", "m0", "m1"))
    lines.append(
        f"| {study} | {share['all']:.0f} % | {m0['all'] / 1e6:,.0f} | {m0[BOTH] / 1e6:,.0f}"
        f" | {m1['all'] / 1e3:,.1f} | {m1[BOTH] / 1e3:,.1f} |"
    )
table = "\n".join(lines)
relative = mean(varied, "relative saving of m0", "study", "method")
as_if = {
    study: relative[study, BOTH] / (by_method["share"][study, "all"] / 100)
    for study in ("no zero mean", "ReLU")
}
Markdown(
    f"{table}\n\nShare of all synapses that plain learning changes on a sample (with potentiation"
    " only: raises), and energies until the goal, $M_0$ in millions and $M_1$ in thousands, plain"
    " and with the largest updates in a subnet. Means over seeds.\n\nIf plain learning had changed"
    " all synapses on each of its samples there too, the saving of $M_0$ would be"
    f" {as_if['no zero mean']:.2g} times the default's without zero mean, and"
    f" {as_if['ReLU']:.2g} times with ReLU."
)

# %% [markdown]
# ## Lazy learning on top
#
# Now the samples are chosen too. Every network of the default setting learns again, lazily and
# purely lazily. A network that learns only its mistakes has to look at more images, as most teach
# it nothing; but looking costs no plasticity.

# %% tags=["hide-input"]
QUANTITIES = {
    "m0": "energy $M_0$ (changes)",
    "m1": "energy $M_1$ (sum of changes)",
    "samples": "samples presented",
    "updates": "samples learned",
}
panels = [
    dots(column, gated, "method", "gate", xlabel=label, xscale="log")
    for column, label in QUANTITIES.items()
]
plotting.show(
    *panels,
    name="fig-variations-lazy",
    caption=f"Energy, samples presented and samples learned until {100 * goal:g} % of the test"
    " images are right, for each choice of synapses (rows) and of samples (colours). "
    f"{INTERVALS} (Paper: Discussion, without a figure.)",
    alt="Four panels of dots on logarithmic axes, with a row for each restriction and colours for"
    " backprop, lazy and pure lazy learning: the two energies, the samples presented and the"
    " samples learned.",
    notebook=NAME,
)
spent = {name: mean(gated, name, "method", "gate") for name in ("m0", "m1", "samples")}


def times(column, one, other):
    """Return how many times ``one`` (method, gate) is ``other``, by the means over seeds."""
    return f"{float(f'{spent[column][one] / spent[column][other]:.2g}'):,g}"


backprop, lazily, purely = map(str, GATES)
steps = [(BOTH, lazily), (BOTH, backprop)]
ends_of_way = [("all", backprop), (CACHED, purely)]
Markdown(
    f"Of the largest updates in a subnet, lazy learning needs {times('m0', *steps)} times the $M_0$"
    f" and {times('m1', *steps)} times the $M_1$ that learning every sample needs, and"
    f" {times('samples', *steps)} times the presentations. From plain backprop to all that there is"
    " here, pure lazy learning of the largest updates in a subnet with caching, $M_0$ falls by a"
    f" factor of {times('m0', *ends_of_way)} and $M_1$ by one of {times('m1', *ends_of_way)}; the"
    f" presentations are {times('samples', *ends_of_way[::-1])} times as many."
)

# %% [markdown]
# ### Do the savings multiply?
#
# If the two choices had nothing to do with each other, a network that makes both would save the
# product of what each saves alone. At 1 in the figure it does; left of that it saves less than
# the product, right of it more.

# %% tags=["hide-input"]
combined = gated[(gated["method"] != "all") & (gated["gate"] != backprop)]
panels = [
    dots(
        f"saving of {measure} / product",
        combined,
        "method",
        "gate",
        xlabel=f"saving of {symbol} / product of the savings",
    )
    for measure, symbol in (("m0", "$M_0$"), ("m1", "$M_1$"))
]
plotting.show(
    *panels,
    name="fig-variations-product",
    caption="The energy saved by restricting the synapses (rows) and learning lazily (colours), by"
    f" the product of what each saves alone. {INTERVALS} (Not in the paper.)",
    alt="Two panels of dots around a line at 1, with a row for each restriction and colours for"
    " lazy and pure lazy learning.",
    notebook=NAME,
)
ranges = {}
for measure in ("m0", "m1"):
    for cached in (False, True):
        found = mean(combined, f"saving of {measure} / product", "method", "gate")
        found = found[[(name == CACHED) == cached for name, _ in found.index]]
        ranges[measure, cached] = f"{found.min():.2g} to {found.max():.2g}"
Markdown(
    f"Without caching the saving is {ranges['m0', False]} times the product for $M_0$ and"
    f" {ranges['m1', False]} times for $M_1$, depending on the restriction and the rule. With"
    f" caching it is {ranges['m0', True]} and {ranges['m1', True]} times. Lazy learning saves"
    " samples, and without caching the number of changes on a sample is set by the restriction"
    " alone. Caching is another matter: it already spares the changes that later ones undo, so it"
    " depends on the samples left out how many consolidations they would have cost."
)

# %% [markdown]
# ## Text and program
#
# Does it matter where the paper's text and its authors' program differ? Each detail is changed
# alone. The figure shows the time and $M_1$ relative to the default. $M_0$ is not shown: with the
# same number of synapses changed on every sample, it is the learning time in other units.

# %% tags=["hide-input"]
panels = [
    dots(f"relative {column}", detailed, "study", "method", xlabel=f"{label} / default's")
    for column, label in (("samples", "learning time"), ("m1", "$M_1$"))
]
plotting.show(
    *panels,
    name="fig-variations-fidelity",
    caption="Learning time (samples until the goal) and energy when one detail is changed, relative"
    f" to the default with the same seed. {INTERVALS} (Not in the paper.)",
    alt="Two panels of dots around a line at 1, with a row for each detail and colours for all"
    " synapses and the largest updates in a subnet.",
    notebook=NAME,
)
changes = {
    measure: mean(detailed[detailed["method"] == BOTH], f"relative saving of {measure}", "study")
    for measure in ("m0", "m1")
}
Markdown(
    "The saving by the largest updates in a subnet is"
    f" {changes['m0'].min():.2g} to {changes['m0'].max():.2g} times the default's for $M_0$ and"
    f" {changes['m1'].min():.2g} to {changes['m1'].max():.2g} times for $M_1$, depending on the"
    " detail. A run ends at the first measurement that reaches the goal, so its length is known to"
    " the thousand (or two thousand) samples between two measurements at best."
)

# %% [markdown]
# ## The claims

# %% tags=["hide-input"]
found = {"CP18": [], "CP19": []}
for _, run in varied[(varied["method"] == BOTH) & (varied["study"] != "default")].iterrows():
    for measure in ("m0", "m1"):
        name = f"saving of {measure.upper()} / the default's saving"
        ratio = run[f"relative saving of {measure}"]
        found["CP18"].append(Finding(name, run["study"], ratio, run["seed"]))
if not fashion_is_here:
    missing = "Fashion-MNIST is not here; lazybook data fetch fashion-mnist gets it"
    name = "saving of M0 / the default's saving"
    found["CP18"].append(Finding(name, "Fashion-MNIST", np.nan, missing=missing))
for _, run in gated[(gated["method"] == BOTH) & (gated["gate"] == lazily)].iterrows():
    ratio = run["m0 with gate / without"]
    found["CP19"].append(
        Finding("M0 with lazy learning / without", f"H = {size}", ratio, run["seed"])
    )
verdicts = notebook.verdicts(settings, NAME, found)
HTML(claims.table(verdicts, "../"))

# %% tags=["hide-cell"]
# NBVAL_CHECK_OUTPUT
print(*verdicts, sep="\n")
for _, run in ends[ends["study"] != "Fashion-MNIST"].iterrows():  # which may not be here
    print(
        f"{run['study']}, {run['gate']}, {run['method']}, seed {run['seed']}:"
        f" {run['samples']:g} samples, {run['updates']:g} learned"
    )

# %% tags=["hide-input"]
notebook.provenance(settings, [result])
