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
# # How firm are the exponents?
#
# The {doc}`cost of learning <fig1_cost_of_learning>` grows as a power of the network's size. An
# exponent is a summary. It may depend on which sizes it is fitted to, on the learning rate, and on
# the first weights. And no power goes on for ever: beyond some size a network does not learn at all
# at a given rate.
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: the {doc}`cost of learning <fig1_cost_of_learning>`, for the two energies.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
hidden = None
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
import math
from dataclasses import replace

import numpy as np
import pandas as pd
from IPython.display import Markdown

from lazybook import datasets, networks
from lazybook.book import analysis, notebook, plotting
from lazybook.experiment import grid, preset
from lazybook.restrictions import NeuronMask, Subnet

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=(
        [30, 60, 100],
        [100, 300, 1000],
        [100, 300, 1000, 3000, 10_000, 30_000],
    ),
    larger=([3000], [10_000], [100_000]),  # to find where learning diverges
    deviations=([0.01, 0.1], [0.01, 0.1], [0.01, 0.02, 0.03]),
    seeds=([0], [0], [*range(15)]),
    other_seeds=(1, 1, 3),  # so many of these with other first weights
    slow_seeds=(1, 1, 8),  # and at the lower rate
    goal=(0.8, 0.95, 0.95),
    # sizes for PyTorch's first weights, and for a learning rate that leaves room
    moderate=([30, 60, 100], [100, 300, 1000], [100, 300, 1000, 3000]),
    # in the largest network, only this many hidden units learn
    units=(20, 100, 100),
    slow=([30, 60, 100], [], [1000, 3000, 10_000, 30_000, 100_000]),
)
NAME = "competitive_plasticity/fig1_exponents"
RATE, SLOWER = 0.01, 0.0025

# %% [markdown]
# ## The runs
#
# All is as on the page before: MNIST with the mean subtracted, 95 % of the test images as the goal.
# The first weights are Gaussian. Their standard deviation is 0.01 in the figures of this book; the
# authors' program has values up to 0.03. A run at a quarter of the rate is measured a quarter as
# often.

# %% tags=["hide-input", "remove-stderr"] mystnb={"code_prompt_show": "Code: the runs"}
base = preset("competitive", until=scale.goal)
slower = replace(
    base,
    learning_rate=SLOWER,
    epochs=math.ceil(base.epochs * RATE / SLOWER),
    measure_every=round(base.measure_every * RATE / SLOWER),
)
initial = [f"gaussian:{deviation:g}" for deviation in scale.deviations]
other_seeds = scale.seeds[: scale.other_seeds]
result = settings.sweep(
    grid(base, hidden=scale.hidden, initial=initial[:1], seed=scale.seeds)
    + grid(base, hidden=scale.hidden, initial=initial[1:], seed=other_seeds)
    + grid(base, hidden=scale.larger, initial=initial, seed=other_seeds)
    + grid(base, hidden=scale.moderate, initial=["pytorch"], seed=other_seeds)
    + grid(slower, hidden=scale.slow, seed=scale.seeds[: scale.slow_seeds])
)
in_part = [NeuronMask(scale.units), Subnet(scale.units)]
part_result = settings.sweep(
    grid(base, hidden=scale.larger, restriction=in_part, seed=other_seeds)
)
COLUMNS = {
    "samples": "learning time",
    "energy_m0": "$M_0$",
    "energy_m1": "$M_1$",
    "energy_min": r"$M_\min$",
}
table = analysis.reached(result.ends(), COLUMNS)
learned = table[table["reached"]]
groups = {
    f"Gaussian, s.d. {deviation:g}": learned[
        (learned["initial"] == f"gaussian:{deviation:g}")
        & (learned["learning_rate"] == RATE)
    ]
    for deviation in scale.deviations
} | {
    "PyTorch's default": learned[learned["initial"] == "pytorch"],
    f"Gaussian, s.d. 0.01, at a rate of {SLOWER:g}": learned[
        learned["learning_rate"] == SLOWER
    ],
}
groups = {name: some for name, some in groups.items() if some["hidden"].nunique() > 2}

# %% [markdown]
# ## How large may a network be?
#
# One step changes the output for the very image that is learned. The output synapses alone change
# it by $-\eta \lVert h \rVert^2$ times its error, where $\eta$ is the learning rate and $h$ the
# activities of the hidden units. If $\eta \lVert h \rVert^2$ is above 2, each step leaves a larger
# error than it found, and learning diverges. Hidden units with first weights of standard deviation
# $\sigma$, and a slope of $a$ below 0, have
#
# ```{math}
# \lVert h \rVert^2 \approx \tfrac{1}{2} (1 + a^2)\, H \sigma^2 \lVert x \rVert^2, \quad
# \text{so that } H < \frac{4}{(1 + a^2)\, \eta\, \sigma^2 \lVert x \rVert^2} .
# ```
#
# An image $x$ here is one less the mean, with the bias as a further input.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
split = datasets.load(base.dataset).zero_mean().train
norm = 1 + np.mean(np.sum(split.inputs(slice(5000)).astype(float) ** 2, axis=1))
slope = networks.leak(base.activation)


def limit(deviation, rate):
    """Return the number of hidden units beyond which learning diverges."""
    return 4 / ((1 + slope**2) * rate * deviation**2 * norm)


settings_tried = [(float(d), RATE) for d in scale.deviations]
if scale.slow:
    settings_tried.append((0.01, SLOWER))
bounds = []
for deviation, rate in settings_tried:
    runs = [
        run
        for run in result.runs
        if run.experiment.learning_rate == rate
        and run.experiment.initial == f"gaussian:{deviation:g}"
    ]
    lost = {run.experiment.hidden for run in runs if run.diverged}
    kept = {run.experiment.hidden for run in runs} - lost
    bounds.append((deviation, rate, limit(deviation, rate), kept, lost))

left_figure, left = plotting.subplots(figsize=(3.95, 4.2))
LINES = ["-", "--", ":", "-.", (0, (1, 1))]
for (name, some), line in zip(groups.items(), LINES, strict=False):
    look = {"color": plotting.RULES["all"], "ls": line, "label": name}
    plotting.over_seeds(left, some, "hidden", "energy_m1", "all", **look)
left.set(xlabel="hidden units $H$", ylabel=f"{COLUMNS['energy_m1']} to the goal")
plotting.logarithmic(left.xaxis, text="{x:,g}")
plotting.logarithmic(left.yaxis, [1, 2, 5])
left_figure.legend(loc="outside upper right", fontsize="small", handlelength=4)
right_figure, right = plotting.subplots(figsize=(3.95, 4.2))
d = np.geomspace(min(scale.deviations) / 1.3, max(scale.deviations) * 1.3, 50)
right.plot(d, limit(d, RATE), color=plotting.INK, lw=1, label="limit")
for deviation, rate, _, kept, lost in bounds:
    if rate == RATE:
        ok, bad = ({"color": plotting.RULES["all"], "ls": "none"} for _ in "ab")
        right.plot([deviation] * len(kept), sorted(kept), "o", ms=5, **ok)
        right.plot([deviation] * len(lost), sorted(lost), "x", ms=7, **bad)
right.plot([], [], "o", color=plotting.RULES["all"], label="learned")
right.plot([], [], "x", color=plotting.RULES["all"], label="a seed diverged")
right.set(xlabel="standard deviation of the first weights", ylabel="hidden units $H$")
plotting.logarithmic(right.xaxis, [1, 2, 3, 5], "{x:g}")
plotting.logarithmic(right.yaxis, text="{x:,g}")
right_figure.legend(loc="outside upper right", fontsize="small", ncols=3)
plotting.show(
    left_figure,
    right_figure,
    name="fig-exponents",
    caption="(a) Energy <i>M</i><sub>1</sub> to the goal against the size of the "
    "network, for other first weights and another learning rate. Lines are means over "
    "seeds, whose number is in the table below, and bands go from the lowest to the "
    f"highest. (b) Which networks learn at a rate of {RATE:g}: line, the limit above. "
    "(Not in the paper.)",
    alt="Two plots on logarithmic axes. a, energy grows with size along lines of much "
    "the same slope. b, sizes that learned lie below a falling line, those that "
    "diverged above it.",
    notebook=NAME,
    lead=True,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table of limits"}
lines = [
    "| first weights, s.d. | learning rate | limit | largest that learned | "
    "smallest that diverged |",
    "| --- | --- | --- | --- | --- |",
]
for deviation, rate, most, kept, lost in bounds:
    smallest = f"{min(lost):,}" if lost else "none tried"
    largest = f"{max(kept):,}" if kept else "none"
    lines.append(f"| {deviation:g} | {rate:g} | {most:,.0f} | {largest} | {smallest} |")
Markdown("\n".join(lines))

# %% [markdown]
# So a network ten times as large asks for a learning rate that is a tenth, or for first weights
# that shrink as the inverse square root of its size. "Fixed" choices of both hold for a range of
# sizes only.
#
# (large-networks-in-part)=
# ## A part learns where the whole diverges
#
# Only plastic synapses change the output. So it is the activities of hidden units with plastic
# outputs that count in $\lVert h \rVert^2$, and a part of a large network should learn where the
# whole diverges: if few *outputs* are plastic, that is. A {doc}`neuron mask <fig2_masks>` chooses
# hidden units whose inputs are plastic, and leaves all outputs so. A subnet leaves plastic only the
# outputs of the units that it chooses.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: parts of a large network"}
size, n = max(scale.larger), scale.units
parts = pd.concat([table, analysis.reached(part_result.ends(), COLUMNS)])
parts = parts[(parts["hidden"] == size) & (parts["learning_rate"] == RATE)]
parts = parts[parts["initial"] == initial[0]]
outputs = {"all": size, f"neuron-mask:{n}": size, f"subnet:{n}": n}
lines = [
    f"| H = {size:,}: what learns | plastic outputs / limit | runs that diverged | "
    "images to the goal |",
    "| --- | --- | --- | --- |",
]
for name, plastic in outputs.items():
    runs = parts[parts["restriction"] == name]
    lost = f"{runs['diverged'].sum()} of {len(runs)}"
    images = notebook.span(runs["samples"], ",.0f") if runs["reached"].any() else "–"
    share = plastic / limit(scale.deviations[0], RATE)
    label = plotting.NAMES[name.split(":")[0]]
    lines.append(f"| {label} | {share:.2g} | {lost} | {images} |")
Markdown("\n".join(lines))

# %% [markdown]
# ## The same exponents for other choices

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table of exponents"}
plain = groups[f"Gaussian, s.d. {scale.deviations[0]:g}"]
above = sorted(plain["hidden"].unique())[-3:]
groups = {"the three largest of these": plain[plain["hidden"].isin(above)], **groups}
order = sorted(groups, key=lambda name: name == "the three largest of these")
order.insert(1, order.pop())
lines = [
    "| first weights | $H$ | seeds | learning time | $M_0$ | $M_1$ | $M_\\min$ |",
    "| --- | --- | --- | --- | --- | --- | --- |",
]
exponents = {}
for name in order:
    seeds_of = groups[name].groupby("hidden")["seed"].nunique()
    cells = [name, notebook.span(groups[name]["hidden"], ",")]
    cells.append(notebook.span(seeds_of, "d"))
    for column in COLUMNS:
        law = analysis.growth(groups[name], column)
        about = law.range.removeprefix("95 % interval ").replace(" ", "\N{NBSP}")
        cells.append(f"{law.exponent:.2f}<br>{about}".replace("-", "\N{MINUS SIGN}"))
        exponents[name, column] = law.exponent
    lines.append(f"| {' | '.join(cells)} |")
Markdown("\n".join(lines))

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
m0, m1 = (
    [value for (_, name), value in exponents.items() if name == column]
    for column in ("energy_m0", "energy_m1")
)
alone = parts[parts["restriction"] == f"subnet:{n}"]["reached"].all()
whole = parts[parts["restriction"] == "all"]["diverged"].all()
exempt = f", but a subnet of {n} units learns in one of {size:,} too"
exempt = exempt if alone and whole else ""
limits = [round(most, -2) for _, rate, most, *_ in bounds if rate == RATE]
notebook.answer(
    f"The exponent of $M_0$ is **{notebook.span(m0, '.2f')}** and that of $M_1$ "
    f"**{notebook.span(m1, '.2f')}**, depending on the sizes, first weights and rate; "
    f"a square root would be 0.50. At a rate of {RATE:g} learning diverges "
    f"beyond a size of about {notebook.span(limits, ',.0f')} units, the fewer the "
    f"larger the first weights are{exempt}."
)

# %% [markdown]
# ## Your turn
#
# **1.** Up to which learning rate do networks of a hundred, ten thousand and a million units learn,
# with first weights of standard deviation 0.01?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: the largest rates"}
# NBVAL_CHECK_OUTPUT
for size in (100, 10_000, 1_000_000):
    print(f"H = {size:,}: {limit(0.01, RATE) / size * RATE:.2g}")

# %% [markdown]
# **2.** Every image changes every synapse. What does that say about the exponents of $M_0$ and of
# the learning time? Find the law by hand, and then hold it against the table.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: M0 and time"}
# NBVAL_CHECK_OUTPUT
for name in groups:
    excess = exponents[name, "energy_m0"] - exponents[name, "samples"]
    print(f"{name}: {excess:.2f} more, where the number of synapses goes as H")

# %% [markdown]
# Next: {doc}`Must all synapses learn? <fig2_masks>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes"}
# NBVAL_CHECK_OUTPUT
for run in result.runs + part_result.runs:
    e, end = run.experiment, "diverged" if run.diverged else run.final["samples"]
    if e.seed == scale.seeds[0]:
        what = f"{e.restriction}, {e.initial}, rate {e.learning_rate:g}, H = {e.hidden}"
        print(f"{what}: {end}")

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how the results came about"}
notebook.provenance(settings, [result, part_result])
