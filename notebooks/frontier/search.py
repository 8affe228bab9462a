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
# # Which combination? A search
#
# Every rule of this book has a number to set, and every network its size, rate and first weights.
# Which of all these combinations learns handwritten digits with the fewest changes of synapses, and
# which with the fewest images? A program looked for them, and learned from each trial what to try
# next.
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`the front <front>`, for the network, and for what was found by hand.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
import math
from dataclasses import replace

import numpy as np
import pandas as pd
from IPython.display import Markdown

from lazybook import gates
from lazybook.book import analysis, notebook, plotting, tables
from lazybook.book.notebook import interval, two_digits
from lazybook.experiment import Experiment
from lazybook.restrictions import (
    LargestToOutputs,
    LargestUpdates,
    Subnet,
    SynapseMask,
)
from lazybook.search import Range, front

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    seeds=([0], [0], [0, 1, 2, 3, 4]),
    trials=(8, 16, 80),
    largest=(500, 1000, 3000),
    goal=(0.8, 0.9, 0.93),
    epochs=(1, 1, 2),
    large=(1000, 1000, 12_000),
    large_goal=(0.85, 0.92, 0.95),
    large_seeds=([0], [0], [0]),
    confirmed=(2, 3, 5),
)
NAME = "frontier/search"

# %% [markdown]
# ## What was tried
#
# A trial answers ten questions. Which images are learned ({term}`gate`)? Does the first layer stay
# as it was drawn, or do all of its synapses change, or those with the {term}`largest updates`, or
# these in a {term}`subnet`? How many change on an image, to the hidden units and to the outputs?
# Which loss, which size, which first weights, which threshold?
#
# The learning rate is searched as a **step**: what learning an image would change the outputs by,
# as a multiple of their error, if all synapses to the outputs changed. The same step is right for
# networks of different sizes. The rate is the step divided by the sum of the squares of the hidden
# activities.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the space"}
SEARCH_SEED = 100  # of what is tried, and used for nothing else
IMAGE = 8.6  # length of an image, as a vector of pixels less their mean
SPACE = {
    "gate": ["mistakes", "memorized-mistakes", "every-sample"],
    "layer": ["fixed", "largest", "subnet", "all"],
    "loss": ["cross-entropy", "half-mse", "perceptron"],
    "hidden": Range(100, scale.largest),
    "step": Range(0.01, 50.0),
    "deviation": Range(0.005, 0.05),
    "threshold": Range(0.0, 20.0, log=False),
    "to_outputs": Range(8, 3000),
    "to_hidden": Range(8, 30_000),
    "units": Range(0.02, 0.5),
}
MEANINGS = {
    "gate": "which images are learned",
    "layer": "which synapses into the hidden units change",
    "loss": "what is descended",
    "hidden": "hidden units $H$",
    "step": "learning rate, as a step",
    "deviation": "standard deviation of the first weights",
    "threshold": "threshold of the hidden units, in these deviations",
    "to_outputs": "synapses to the outputs that change on an image, at most",
    "to_hidden": "synapses to the hidden units that do, where these are the largest",
    "units": "share of the hidden units in the subnet",
}
base = Experiment(
    zero_mean=True,
    activation="relu",
    until=scale.goal,
    measure_every=2500,
    measure_training=False,
    seed=SEARCH_SEED,
)


def squares(hidden, deviation, threshold):
    """Return what the squares of the hidden activities add up to on an image."""
    z = threshold / IMAGE
    above = math.erfc(z / math.sqrt(2)) / 2
    density = math.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return hidden * (deviation * IMAGE) ** 2 * ((1 + z**2) * above - z * density)


def share(number, synapses):
    """Return a number of synapses as a share of all."""
    return min(1.0, float(f"{number / synapses:.2g}"))


def build(
    gate, layer, loss, hidden, step, deviation, threshold, to_outputs, to_hidden, units
):
    """Return the experiment with these answers."""
    restriction = LargestToOutputs(share(to_outputs, 10 * (hidden + 1)))
    if layer == "fixed":
        restriction &= SynapseMask(0, 1)
    if layer == "subnet":
        restriction &= Subnet(max(1, round(units * hidden)))
    if layer in ("largest", "subnet"):
        restriction &= LargestUpdates(share(to_hidden, 785 * hidden))
    rate = step / squares(hidden, deviation, threshold)
    return replace(
        base,
        gate=gates.parse(gate),
        restriction=restriction,
        loss=loss,
        hidden=hidden,
        learning_rate=float(f"{rate:.2g}"),
        initial=f"gaussian:{deviation},{-threshold * deviation:.2g}",
        epochs=1 if gate == "every-sample" else scale.epochs,
    )


def asked(choices):
    """Spell what was tried of one question."""
    if isinstance(choices, Range):
        said = f"{choices.least:,} to {choices.most:,}"
        return said + (", logarithmic" if choices.log else "")
    return ", ".join(choices)


Markdown(
    "| | tried |\n| --- | --- |\n"
    + "\n".join(f"| {MEANINGS[name]} | {asked(SPACE[name])} |" for name in SPACE)
    + "\n\nCaching is not among them. Without decay it changes nothing of what is "
    "learned, only when a change becomes permanent; {doc}`the front <front>` has it."
)

# %% [markdown]
# ## The search
#
# The costs of a trial are $M_0$ and the number of images that were presented, both until the goal.
# A trial that misses the goal is told by how much. *Multi-objective tree-structured Parzen
# estimators* {cite}`ozaki2022multiobjective` of Optuna {cite}`akiba2019optuna` suggest what to try:
# they model which answers the good trials gave, and which the others. The first three trials are
# what had been found by hand, without and with a plastic first layer; 13 more are drawn at random.
# A trial may take two epochs, but one where every image is learned: in two it would make more
# changes than the others need in all.
#
# $M_1$ is not searched for, because it depends on the units of the weights, as {doc}`the page
# before <front>` says. The search is kept as the runs that it made: asked for again, it finds them.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the search"}
BY_HAND = {
    "gate": "mistakes",
    "layer": "fixed",
    "loss": "cross-entropy",
    "hidden": scale.largest,
    "step": 6.3,
    "deviation": 0.02,
    "threshold": 12.0,
    "to_outputs": 96,
    "to_hidden": 8000,
    "units": 0.5,
}
PLASTIC = BY_HAND | {"layer": "all", "step": 0.03}
LARGEST = PLASTIC | {"layer": "largest", "gate": "every-sample"}
COSTS = {
    "energy_m0": "changes M₀",
    "samples": "images presented",
    "updates": "images learned",
    "energy_m1": "sum of changes M₁",
}
found = tables.searched(
    "frontier-search",
    build,
    SPACE,
    scale.trials,
    costs=[*COSTS],
    goals=[scale.goal],
    minimize=["energy_m0", "samples"],
    begin=[BY_HAND, PLASTIC, LARGEST],
    seed=SEARCH_SEED,
    jobs=settings.jobs,
    fresh=settings.fresh,
)
tried = found.rows
reached = tried.dropna(subset=["energy_m0"])
best = front(reached, ["energy_m0", "samples"])

# %% [markdown]
# ## What was found
#
# The figure is the one that this page begins with. A network that may look at many images needs few
# changes, and one that may change many synapses needs few images. The front runs between the two.
#
# The trials on the front were chosen for their costs, so also for their luck. What they are worth,
# runs with fresh seeds say: of the trials of the front, some from its one end to the other.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: fresh seeds"}
places = np.linspace(0, len(best) - 1, min(len(best), scale.confirmed)).round()
chosen = best.iloc[sorted({int(place) for place in places})]
fresh_runs = settings.sweep(
    [
        replace(experiment, seed=seed, epochs=2 * experiment.epochs)
        for experiment in chosen["experiment"]
        for seed in scale.seeds
    ]
)
ends = analysis.reached(fresh_runs.ends(), [*COSTS])
ends["trial"] = [trial for trial in chosen["trial"] for _ in scale.seeds]


# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
LAYERS = {
    "fixed": ("mistakes", "o"),
    "largest": ("largest-per-layer", "p"),
    "subnet": ("subnet", "^"),
    "all": ("every-sample", "s"),
}
left, axes = plotting.subplots(figsize=(3.95, 4.2))
for layer, rows in reached.groupby("layer", sort=False):
    rule, marker = LAYERS[layer]
    axes.plot(
        rows["samples"],
        rows["energy_m0"],
        marker,
        ms=4,
        alpha=0.6,
        color=plotting.RULES[rule],
        label=f"first layer: {layer}",
    )
axes.plot(
    best["samples"], best["energy_m0"], "-", color=plotting.INK, label="the front"
)
for trial, rows in ends.groupby("trial", sort=False):
    low, middle, high = rows["energy_m0"].agg(["min", "mean", "max"])
    across = rows["samples"].agg(["min", "mean", "max"])
    if rows["energy_m0"].notna().all():
        axes.errorbar(
            across["mean"],
            middle,
            xerr=[[across["mean"] - across["min"]], [across["max"] - across["mean"]]],
            yerr=[[middle - low], [high - middle]],
            fmt="D",
            ms=6,
            color="#df4600",
            label="fresh seeds" if trial == chosen["trial"].iloc[0] else None,
        )
axes.set(xlabel="images presented", ylabel="changes $M_0$")
plotting.logarithmic(axes.xaxis, [1, 2, 5], "{x:,g}")
plotting.logarithmic(axes.yaxis)
left.legend(
    *axes.get_legend_handles_labels(), loc="outside upper right", ncols=2, fontsize=7
)
right, axes = plotting.subplots(figsize=(3.95, 4.2))
so_far = tried["energy_m0"].cummin()
axes.plot(tried["trial"], tried["energy_m0"], "o", ms=3, label="a trial")
axes.plot(
    tried["trial"], so_far.ffill(), "-", color=plotting.INK, label="the least so far"
)
missed = tried[tried["energy_m0"].isna()]
top = 1.5 * reached["energy_m0"].max()
look = {"ms": 3, "color": "#808080", "label": "missed the goal"}
axes.plot(missed["trial"], np.full(len(missed), top), "x", **look)
axes.set(xlabel="trial", ylabel="changes $M_0$")
plotting.logarithmic(axes.yaxis)
right.legend(
    *axes.get_legend_handles_labels(), loc="outside upper right", ncols=2, fontsize=7
)
plotting.show(
    left,
    right,
    name="fig-search",
    caption="(a) <i>M</i><sub>0</sub> and the images that were presented until "
    f"{100 * scale.goal:g} % of the test images of MNIST are classified correctly: "
    f"each of the {len(reached)} trials that got there, of {len(tried)}, and the "
    "front, whose trials no other one beats in both. Diamonds: some of the front with "
    f"{len(scale.seeds)} fresh seeds, means, and lines from the least to the largest. "
    "(b) The same trials in the order in which they were made. "
    f"H up to {scale.largest:,}. (Not in the papers.)",
    alt="A cloud of trials on logarithmic axes with a front at its lower left, and the "
    "trials in time, which need fewer and fewer changes.",
    notebook=NAME,
    lead=True,
)

# %% [markdown]
# The front, from the fewest changes to the fewest images. Where a setting was run with fresh seeds,
# means and 95 % intervals are given; a dash stands for those that were not.


# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table"}
def of_seeds(trial, column):
    """Spell what a setting spent with fresh seeds."""
    rows = ends[ends["trial"] == trial]
    return interval(rows[column]) if len(rows) else "–"


listed = pd.DataFrame(
    [
        {
            "gate": row["gate"],
            "first layer": row["layer"],
            "loss": row["loss"],
            "H": f"{row['hidden']:,}",
            "step": row["step"],
            "threshold": row["threshold"],
            "to outputs": row["to_outputs"],
            "to hidden": row["to_hidden"]
            if row["layer"] in ("largest", "subnet")
            else "–",
            "M₀": two_digits(row["energy_m0"]),
            "presented": f"{row['samples']:,.0f}",
            "learned": f"{row['updates']:,.0f}",
            "M₀, fresh seeds": of_seeds(row["trial"], "energy_m0"),
            "presented, fresh seeds": of_seeds(row["trial"], "samples"),
        }
        for _, row in best.iterrows()
    ]
)
notebook.html_table(listed, "the trials of the front", "sortable")

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the commands"}
Markdown(
    "The ends of the front are these lines, here with the seed of the search:\n\n"
    + "\n\n".join(
        map(notebook.command, dict.fromkeys(best["experiment"].iloc[[0, -1]]))
    )
)

# %% [markdown]
# ## What mattered?
#
# For each answer: how many trials gave it, how many of these reached the goal, and the least that
# any of them spent. The search looks most where it expects least, so the answers that were tried
# often are those that it had come to like.


# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what mattered"}
answers = [
    {
        "question": question,
        "answer": answer,
        "trials": len(rows),
        "reached": int(rows["energy_m0"].notna().sum()),
        **{name: two_digits(rows[cost].min()) for cost, name in COSTS.items()},
    }
    for question in ("gate", "layer", "loss")
    for answer, rows in tried.groupby(question, sort=False)
]
notebook.html_table(pd.DataFrame(answers), "what each answer came to")

# %% [markdown]
# ## In a larger network, to a higher goal
#
# The setting of the search with the fewest changes, and the one that was found by hand in larger
# networks, both in the network of {doc}`the front <front>`, with the first of the fresh
# seeds. What is best in small networks need not be best there.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: a larger network"}
GOALS = (scale.goal, scale.large_goal)
WHO = {"the search": best.iloc[0][[*SPACE]].to_dict(), "hand": BY_HAND}
larger = {}
for who, values in WHO.items():
    one = build(**values | {"hidden": scale.large})
    one = replace(one, until=scale.large_goal, measure_every=2000)
    larger[who] = settings.sweep(
        [replace(one, seed=seed) for seed in scale.large_seeds]
    )

compared = {
    f"M₀ to {100 * goal:g} %": [
        interval(
            pd.Series([analysis.spent(run, goal)["energy_m0"] for run in sweep.runs])
        )
        for sweep in larger.values()
    ]
    for goal in GOALS
}
notebook.html_table(
    pd.DataFrame({"found by": [*WHO]} | compared), "both settings in a larger network"
)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
fewest = ends[ends["trial"] == best["trial"].iloc[0]]
quickest = ends[ends["trial"] == best["trial"].iloc[-1]]
alike = {
    name: best[name].iloc[0] for name in ("gate", "layer") if best[name].nunique() == 1
}
notebook.answer(
    f"Of {len(tried)} combinations {len(reached)} learned {100 * scale.goal:g} % of "
    f"MNIST's test images, in networks of up to {scale.largest:,} hidden units. "
    + (
        "**Those that no other one beats all learn only mistakes, and leave the first "
        "layer as it was drawn.** "
        if alike == {"gate": "mistakes", "layer": "fixed"}
        else ""
    )
    + f"With the fewest changes it takes {interval(fewest['energy_m0'])} changes and "
    f"{interval(fewest['samples'])} images; with the fewest images "
    f"{interval(quickest['samples'])} of these, and {interval(quickest['energy_m0'])} "
    "changes (means over fresh seeds, with their 95 % intervals)."
)

# %% [markdown]
# ## Your turn
#
# **1.** A step of 1 with all synapses to the outputs would give an image just the outputs that are
# asked for, by mean squared error. What learning rate is that in a network of a hundred, a thousand
# and ten thousand units, with weights of deviation 0.02 and a threshold of 12 deviations?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: rates"}
# NBVAL_CHECK_OUTPUT
for size in (100, 1000, 10_000):
    print(f"H = {size:,}: rate {1 / squares(size, 0.02, 12):.2g}")

# %% [markdown]
# **2.** With that threshold, which share of the hidden units is active on an image? Each gets the
# sum of many small numbers, so take it as normal.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: active units"}
# NBVAL_CHECK_OUTPUT
print(f"{math.erfc(12 / IMAGE / math.sqrt(2)) / 2:.1%}")

# %% [markdown]
# Next: {doc}`Whose is the saving, and which rules hinder each other? <shares>`

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how the results came about"}
notebook.provenance(settings, [fresh_runs, *larger.values()], searches=[found])
