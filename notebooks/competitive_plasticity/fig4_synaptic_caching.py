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
# # Synaptic caching · competitive plasticity, Fig. 4
#
# A weight seldom goes straight to where it ends up: much of what one sample changes, another one
# undoes. Why pay for both? The brain has changes of two kinds, *transient* ones, which are cheap
# and fade, and *permanent* ones, which are expensive. *Synaptic caching* {cite}`li2020energy`
# writes an update to the transient part of a synapse first. Only where such changes have added up
# to a threshold are they consolidated, that is made permanent. What does that save, and does it go
# together with [restricting plasticity](fig2_masks) {cite}`vanrossum2024competitive`?
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
# <fig2_masks>`.

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
from IPython.display import Markdown

from lazybook.book import analysis, notebook, plotting
from lazybook.caching import SynapticCaching
from lazybook.experiment import grid, preset
from lazybook.restrictions import Subnet

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=([30, 60, 100], [100, 300, 1000], [100, 300, 1000, 3000]),
    seeds=([0], [0], [0, 1, 2, 3, 4]),
    goal=(0.8, 0.95, 0.95),
    epochs=(1, 5, 5),
    at=(60, 100, 300),
    subnet=(20, 100, 100),
    thresholds=(
        {0.0: [1e-4, 0.01, 1.0], 0.01: [1e-4, 1e-3, 1.0]},
        {0.0: [1e-4, 1e-3, 0.01, 0.1], 1e-4: [1e-4, 1e-3, 0.01, 0.1]},
        {
            0.0: [1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 1.0],
            1e-4: [1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1],
            1e-3: [1e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03],
        },
    ),
)
NAME = "competitive_plasticity/fig4_synaptic_caching"

# %% [markdown]
# ## What counts
#
# A weight is the sum of its permanent and its transient part. Updates go to the transient part,
# which fades by a factor $e^{-d}$ a sample, with $d$ the decay. Where its size reaches the
# threshold, it is added to the permanent part and starts from 0 again. Each such consolidation
# counts 1 in $M_0$ and its size in $M_1$. The network works with the sum of both parts, so when it
# reaches the goal some of what it knows is *pending*: it is transient still, and would fade. It has
# learned for good only when that is made permanent too. So the energies here are those of all
# consolidations until the goal, and of a last one then of all that is pending. The figures show
# what is spent without that last one as well, dashed.
#
# ## The runs
#
# The setting is that of the [cost of learning](fig1_cost_of_learning). In one size of network the
# threshold is varied, for several decays, each up to thresholds that are too high for it, if there
# are any.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
COST = 1e-3  # of a transient part of size 1, per sample
base = preset("competitive", until=scale.goal, epochs=scale.epochs)
plain_sweep = settings.sweep(
    grid(base, hidden=sorted({scale.at, *scale.hidden}), seed=scale.seeds)
)
ways = [
    SynapticCaching(t, decay, COST)
    for decay, some in scale.thresholds.items()
    for t in some
]
threshold_sweep = settings.sweep(
    grid(replace(base, hidden=scale.at), caching=ways, seed=scale.seeds)
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what they spent"}
LABELS = {
    "m0": "energy $M_0$",
    "m1": "energy $M_1$",
    "samples": "samples to the goal",
}
CACHING, BOTH = "synaptic-caching", "subnet & synaptic-caching"
MARKS = "osv"  # of the decays


def ends(result):
    """Return the ends of runs, without values for those that missed the goal.

    ``m0`` and ``m1`` are the energies with what is pending.
    """
    table = result.ends()
    for name in ("m0", "m1"):
        table[name] = table[f"energy_{name}"] + table[f"pending_{name}"]
    names = [*LABELS, "energy_m0", "energy_m1", "transient_energy"]
    table = analysis.reached(table, names)
    ways = [run.experiment.caching for run in result.runs]
    return table.assign(
        threshold=[getattr(way, "threshold", 0.0) for way in ways],
        decay=[getattr(way, "decay", 0.0) for way in ways],
    )


def means(decay, column):
    """Return the mean of ``column`` over seeds for each threshold."""
    rows = cached[cached["decay"] == decay]
    return analysis.means(rows, "threshold", [column])[column]


plain, cached = ends(plain_sweep), ends(threshold_sweep)
decays = [*scale.thresholds]
best = {decay: means(decay, "m0").idxmin() for decay in decays}
DECAY = decays[1]  # for all sizes of networks
times = (
    means(DECAY, "samples") / plain.loc[plain["hidden"] == scale.at, "samples"].mean()
)
THRESHOLD = times[times <= 2].index.max()
Markdown(
    f"Goal: {100 * scale.goal:g} % of the test images classified correctly, measured "
    f"every {base.measure_every:,} images; a run gives up after "
    f"{60_000 * scale.epochs:,}. The other sizes of networks, and the subnets of "
    f"{scale.subnet} units, learn with "
    f"a decay of {DECAY:g} and a threshold of {THRESHOLD:g}: the highest of those with "
    f"which it takes at most twice as many images as plain learning at H = {scale.at}. "
    f"(With {best[DECAY]:g}, which costs least $M_0$ there, it takes "
    f"{times[best[DECAY]]:.2g} times as many.)"
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs in all sizes"}
caching = SynapticCaching(THRESHOLD, DECAY, COST)
inside = [
    size
    for size in sorted({2 * scale.subnet, *scale.hidden})
    if size > scale.subnet + 1
]  # one is the bias


def runs(sizes, **changes):
    """Return experiments with several sizes; the largest get 3 seeds."""
    return [e for e in grid(replace(base, **changes), hidden=sizes, seed=scale.seeds)
            if e.hidden <= 1000 or e.seed in scale.seeds[:3]]  # fmt: skip


experiments = runs(scale.hidden, caching=caching)
experiments += runs(inside, restriction=Subnet(scale.subnet))
experiments += runs(inside, restriction=Subnet(scale.subnet), caching=caching)
size_sweep = settings.sweep(experiments)

# %% [markdown]
# ## The threshold
#
# With a threshold near 0 every update is made permanent at once, as in plain learning. The higher
# the threshold, the more of the to and fro takes place in the transient part, where it costs
# nothing. If transient changes did not fade, nothing would stand against a threshold so high that
# it is never reached: the network learns the same in any case, and all is made permanent at the
# end, once. If they fade, what has not reached the threshold in time is forgotten. The figure is
# the one that this page begins with.


# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the energy figure"}
def draw_decays(axes, column, **look):
    """Draw ``column`` against the threshold, with crosses where learning failed."""
    for place, decay in enumerate(decays):
        table = cached[cached["decay"] == decay]
        look |= {
            "color": plotting.shade(CACHING, decay, decays),
            "marker": MARKS[place],
        }
        lw = plotting.width(decay, decays)
        label = f"decay {decay:g}"
        plotting.over_seeds(
            axes, table, "threshold", column, CACHING, label=label, lw=lw, **look
        )
        missed = table.loc[~table["reached"], "threshold"].unique()
        height = np.full(len(missed), 1.03 + 0.04 * place)
        at_top = {"transform": axes.get_xaxis_transform(), "clip_on": False}
        axes.plot(missed, height, "x", color=look["color"], ms=5, **at_top)
    axes.text(0, 1.03, "fails:", transform=axes.transAxes, fontsize="small")


panels = []
for name in ("m0", "m1"):
    figure, axes = plotting.subplots(figsize=(3.95, 3.6))
    level = plain.loc[plain["hidden"] == scale.at, f"energy_{name}"].mean()
    axes.axhline(level, color=plotting.RULES["all"], label="plain learning")
    draw_decays(axes, name)
    for decay in decays:
        alone = means(decay, f"energy_{name}")
        color = plotting.shade(CACHING, decay, decays)
        axes.plot(alone.index, alone.where(alone > 0), "--", color=color, lw=1)
    plotting.logarithmic(axes.xaxis)
    plotting.logarithmic(axes.yaxis)
    axes.set(xlabel="threshold", ylabel=LABELS[name])
    axes.set_ylim(cached[name].min() / 5, 20 * level)
    panels.append(figure)
axes.legend(fontsize="small")
plotting.show(
    *panels,
    name="fig-caching-threshold",
    caption="<i>M</i><sub>0</sub> (a) and <i>M</i><sub>1</sub> (b) until "
    f"{100 * scale.goal:g} % of the test images are classified correctly, against the "
    f"threshold, H = {scale.at}; what is pending then is made permanent "
    "and counts. Dashed: without what is pending. Crosses above the frame: thresholds "
    "with which not every seed got to the goal, a row for each decay. Lines are means "
    f"over seeds, bands go from the lowest to the highest; n = {len(scale.seeds)}. "
    "(Paper: Fig. 4a.)",
    alt="Two plots of energy against the threshold, on logarithmic axes, with a level "
    "line for plain learning. The curves for several decays fall steeply as the "
    "threshold rises.",
    notebook=NAME,
    lead=True,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what is saved"}
told = []
for decay in decays:
    rows = cached[(cached["decay"] == decay) & (cached["threshold"] == best[decay])]
    level = plain[plain["hidden"] == scale.at].mean(numeric_only=True)
    costs = [level[f"energy_{name}"] / rows[name].mean() for name in ("m0", "m1")]
    if decay == DECAY:
        saved = [f"{float(f'{cost:.2g}'):,.0f}" for cost in costs]  # two digits of it
    pending = 100 * (rows["pending_m0"] / rows["m0"]).mean()
    told.append(
        f"| {decay:g} | {best[decay]:g} | {costs[0]:,.0f} | {costs[1]:,.0f} | "
        f"{pending:.0f} % | {rows['samples'].mean():,.0f} |"
    )
Markdown(
    "With the threshold that costs least $M_0$:\n\n"
    "| decay | threshold | $M_0$ of plain learning / with caching | $M_1$ likewise "
    "| of $M_0$ was pending | samples |\n| --- | --- | --- | --- | --- | --- |\n"
    + "\n".join(told)
    + "\n\nIf nothing is consolidated before the end, the ratio for $M_0$ is the "
    "number of samples: plain learning changes each synapse on every one, and caching "
    "each synapse once. No $M_0$ can be less than one change of each of the "
    f"{cached['pending_m0'].max():,.0f} synapses, unless some are never touched."
)

# %% [markdown]
# ## Fading, and a price of transient changes
#
# Fading makes a high threshold cost time. And transient changes may not come for free after all. A
# price of $c$ for each sample and each unit of transient weight, $c \sum_i |s_i|$, does not change
# what is learned. So it is computed for several $c$ from the same runs: it is proportional to $c$.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of time and price"}
time_figure, left = plotting.subplots(figsize=(3.95, 3.6))
draw_decays(left, "samples")
plotting.logarithmic(left.xaxis)
plotting.logarithmic(left.yaxis, [1, 3])
left.set(xlabel="threshold", ylabel=LABELS["samples"])
left.margins(y=0.2)
left.legend(fontsize="small", loc="upper left")
cost_figure, right = plotting.subplots(figsize=(3.95, 3.6))
level = plain.loc[plain["hidden"] == scale.at, "energy_m1"].mean()
right.axhline(level, color=plotting.RULES["all"], label="plain learning")
prices = {0.0: "-", 1e-3: "--", 1e-2: ":"}
priced = cached[cached["decay"] == DECAY]
for price, line in prices.items():
    priced = priced.assign(
        total=priced["m1"] + price / COST * priced["transient_energy"]
    )
    look = {"ls": line, "label": f"c = {price:g}"}
    plotting.over_seeds(right, priced, "threshold", "total", CACHING, **look)
plotting.logarithmic(right.xaxis)
plotting.logarithmic(right.yaxis, [1, 3])
right.set(xlabel="threshold", ylabel="$M_1$ and cost of what was transient")
right.legend(fontsize="small")
plotting.show(
    time_figure,
    cost_figure,
    name="fig-caching-decay",
    caption=f"(a) Samples until {100 * scale.goal:g} % of the test images are "
    f"classified correctly, against the threshold; H = {scale.at}. Crosses above the "
    "frame: not every seed got there. (b) <i>M</i><sub>1</sub> and the price of what "
    f"was transient, for several prices <i>c</i> and a decay of {DECAY:g}. Lines are "
    "means over seeds, bands go from the lowest to the highest; "
    f"n = {len(scale.seeds)}. (Paper: text to Fig. 4.)",
    alt="a, the number of samples against the threshold, for several decays. b, the "
    "total cost against the threshold, for several prices; the higher the price, "
    "the higher the curve.",
    notebook=NAME,
)

# %% [markdown]
# ## Large networks
#
# Does caching also help against the growth of the cost with the size of the network? One threshold
# serves for all sizes here. In a subnet, caching takes place in the subnet, and all else is fixed.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of sizes"}
sizes = ends(size_sweep)
in_subnet = sizes["restriction"] != "all"
with_caching = sizes["caching"] != "immediate"
tables = {
    "all": plain,
    "subnet": sizes[in_subnet & ~with_caching],
    CACHING: sizes[~in_subnet],
    BOTH: sizes[in_subnet & with_caching],
}
panels = []
for name, label in LABELS.items():
    figure, axes = plotting.subplots(figsize=(2.61, 3.6))
    for rule, table in tables.items():
        plotting.over_seeds(axes, table, "hidden", name, rule)
        if rule in (CACHING, BOTH) and name != "samples":
            look = {"ls": "--", "lw": 1, "marker": "", "label": None}
            plotting.over_seeds(axes, table, "hidden", f"energy_{name}", rule, **look)
            if name == "m1":
                paid = table.assign(paid=table["m1"] + table["transient_energy"])
                look |= {"ls": ":", "lw": 1.5}
                plotting.over_seeds(axes, paid, "hidden", "paid", rule, **look)
    plotting.logarithmic(axes.xaxis, text="{x:,g}")
    plotting.logarithmic(axes.yaxis, [1] if name == "m0" else [1, 3])
    axes.set(xlabel="hidden units $H$", title=label)
    panels.append(figure)
panels[0].axes[0].legend(fontsize="x-small", loc="center")
plotting.show(
    *panels,
    name="fig-caching-size",
    caption="Energies (a, b) and learning time (c) until "
    f"{100 * scale.goal:g} % of the test images are classified correctly, against "
    "network size. What is pending then is made permanent and counts; dashed: without "
    f"it; dotted (b): with the price of what was transient, <i>c</i> = {COST:g}. "
    f"Threshold {THRESHOLD:g}, decay {DECAY:g}; subnets have {scale.subnet} units. "
    "Lines are means over seeds, bands go from the lowest to the highest; "
    f"{notebook.seeds(sizes)}. A size at which a seed missed the goal is left out. "
    "(Paper: Fig. 4b.)",
    alt="Three plots against network size on logarithmic axes, with a curve each for "
    "plain learning, a subnet, caching, and caching in a subnet. Both energies are far "
    "less with caching than without.",
    notebook=NAME,
)


lines = [
    "| | $M_0$ | $M_1$ | $M_0$ without what is pending | $M_1$ likewise |",
    "| --- | --- | --- | --- | --- |",
]
grows = {}
for rule, table in tables.items():
    cells = []
    for name in ("m0", "m1", "energy_m0", "energy_m1"):
        law = analysis.growth(table, name)
        if np.isnan(law.exponent):
            cells.append("–")
            continue
        grows[rule, name] = f"$H^{{{law.exponent:z.2f}}}$"
        about = law.range.removeprefix("95 % interval ").replace(" ", "\N{NBSP}")
        cells.append(f"{law.exponent:z.2f}<br>{about}".replace("-", "\N{MINUS SIGN}"))
    lines.append(f"| {plotting.NAMES[rule]} | {' | '.join(cells)} |")
share = tables[CACHING].eval("100 * pending_m0 / m0")
pending = share.groupby(tables[CACHING]["hidden"]).mean()
Markdown(
    "Exponents of the power laws, means over seeds with their 95 % intervals:\n\n"
    + "\n".join(lines)
    + "\n\nWith caching in the whole network, what is pending is "
    f"{pending.iloc[0]:.0f} % of $M_0$ at H = {pending.index[0]:,} and "
    f"{pending.iloc[-1]:.0f} % at H = {pending.index[-1]:,}. It is nearly all synapses "
    "of the network, one change each, however small: so this part of $M_0$ grows as "
    "the network does."
)

# %% [markdown]
# ## The claims
#
# Each claim of the paper about this figure, and what was measured here. The energies are with what
# is pending; the paper does not say whether it counts that, so exponents are given for both ways to
# count. They are fitted for each seed. The paper does have a decay: without one, no threshold makes
# learning fail, and that part of the claim cannot hold.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what the claims are judged by"}
found = notebook.Findings(settings, NAME, "CP14", "CP15")
for (decay, seed), rows in cached.groupby(["decay", "seed"], sort=False):
    m0 = rows.set_index("threshold")["m0"]
    at = f"decay {decay:g}, H = {scale.at}" if decay else f"no decay, H = {scale.at}"
    fall = m0.iloc[0] / m0[best[decay]]
    found.add("CP14", "M0 at the smallest threshold / least M0", at, fall, seed)
    failed = int(m0[m0.index > best[decay]].isna().sum())
    measure = "number of larger thresholds with which learning fails"
    found.add("CP14", measure, at, failed, seed)
for measure, rule, name in (
    ("exponent of M1 with caching", CACHING, "m1"),
    ("exponent of M0 with caching", CACHING, "m0"),
    ("exponent of M0 with caching in a subnet", BOTH, "m0"),
):
    for column, at in ((name, "with"), (f"energy_{name}", "without")):
        exponents = analysis.exponents(tables[rule], column)
        found.each("CP15", measure, f"{at} what is pending", exponents)
for rule, place in ((CACHING, "with caching"), (BOTH, "with caching in a subnet")):
    measure = f"exponent of M1 {place}, what is transient paid"
    for column, at in (("m1", "with"), ("energy_m1", "without")):
        paid = tables[rule].assign(
            paid=tables[rule][column] + tables[rule]["transient_energy"]
        )
        exponents = analysis.exponents(paid, "paid")
        found.each("CP15", measure, f"{at} what is pending", exponents)
sweeps = [plain_sweep, threshold_sweep, size_sweep]
found.verdicts(sweeps)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
found.answer(
    f"With a decay of {DECAY:g} and the best threshold, learning at H = {scale.at} "
    f"makes **{saved[0]} times fewer permanent changes** than plain learning, "
    f"with a sum that is {saved[1]} times less. Their number, $M_0$, goes as "
    f"{grows.get((CACHING, 'energy_m0'), '?')} with the size of the network, or as "
    f"{grows.get((CACHING, 'm0'), '?')} if what is pending at the goal counts; in a "
    f"subnet as {grows.get((BOTH, 'energy_m0'), '?')} or "
    f"{grows.get((BOTH, 'm0'), '?')}."
)

# %% [markdown]
# ## Your turn
#
# **1.** A transient change fades by a factor $e^{-d}$ an image. After how many images is half of it
# gone, with the decay that all sizes learn with? And how much is left after all images that plain
# learning takes?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: half of a change"}
# NBVAL_CHECK_OUTPUT
images = plain.loc[plain["hidden"] == scale.at, "samples"].mean()
print(f"half after ln 2 / d = {np.log(2) / DECAY:,.0f} images")
print(f"after {images:,.0f} images {100 * np.exp(-DECAY * images):.2g} % is left")

# %% [markdown]
# **2.** At which price c of transient changes is nothing saved of $M_1$ any more, with the
# threshold and the decay that all sizes learn with?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: a price too high"}
# NBVAL_CHECK_OUTPUT
rows = cached[(cached["decay"] == DECAY) & (cached["threshold"] == THRESHOLD)]
without = plain.loc[plain["hidden"] == scale.at, "energy_m1"].mean()
kept = rows["transient_energy"].mean() / COST  # the sum of all transient sizes
print(f"c = (M1 without - M1 with) / kept = {(without - rows['m1'].mean()) / kept:.2g}")

# %% [markdown]
# Next: {doc}`What would all this save in a network as large as a brain area? <fig5_extrapolation>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes(sweeps)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how the results came about"}
notebook.provenance(settings, sweeps)
