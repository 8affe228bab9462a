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
# # How little plasticity is enough?
#
# Each paper has its own way to spare synaptic changes: learn only mistakes {cite}`pache2023lazy`,
# change only some synapses {cite}`vanrossum2024competitive`, make only some changes permanent
# {cite}`li2020energy`. What is the least that handwritten digits can be learned with, if everything
# may be combined?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`what each rule costs and saves </rules>`, and {doc}`lazy learning on top of
# competitive plasticity <../competitive_plasticity/lazy_on_top>`.

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

from lazybook.book import analysis, notebook, plotting
from lazybook.book.notebook import interval, two_digits
from lazybook.caching import SynapticCaching
from lazybook.experiment import Experiment, grid, preset
from lazybook.gates import EverySample, Mistakes
from lazybook.restrictions import (
    AllSynapses,
    LargestToOutputs,
    LargestUpdates,
    Subnet,
    SynapseMask,
)

settings = notebook.start(globals())
CACHED = {"at 0.1": 0.1, "at the end": 1e6}  # no changes add up to the latter
scale = settings.scale(
    # smoke, quick, paper
    seeds=([0], [0], [0, 1, 2, 3, 4]),
    size=(1000, 1000, 12_000),
    goal=(0.85, 0.9, 0.95),
    high_goals=([0.87, 0.88], [0.92, 0.93], [0.975, 0.98]),
    goals=([0.8, 0.85], [0.85, 0.9], [0.9, 0.92, 0.93, 0.94, 0.95, 0.96, 0.97]),
    cached_goal=(0.85, 0.9, 0.93),
    epochs=(1, 1, 2),
    every=(500, 1000, 2000),
    plastic_size=(300, 1000, 2000),
    longer=(1, 1, 6),
    sizes=(
        [100, 1000],
        [100, 300, 1000],
        [100, 300, 1000, 3000, 12_000, 30_000, 100_000],
    ),
    paper_size=(200, 300, 1000),
    paper_seeds=([0], [0], [0, 1, 2, 3, 4]),
    paper_goal=(0.8, 0.95, 0.95),
)
NAME = "frontier/front"

# %% [markdown]
# ## A network that needs few changes
#
# Its hidden units are many, and drawn at random. Each has a **threshold**, so that few are active
# at a time. The first layer is **fixed**: it stays as it was drawn. Learning is **pure lazy**: only
# misclassified images are learned. And of the synapses to the outputs only those change on an image
# that would change **most**. There is no training before, and every change of every synapse is
# counted.
#
# ## The runs
#
# Such a network learns with fresh seeds. Its setting was found by hand, with a seed that is used
# for nothing else. {doc}`The next page <search>` tells what a program found that looked for
# something better, in networks of up to 3,000 units. For 97 and 98 % a smaller network learns with
# a **plastic** first layer: an image that it learns changes the largest updates of that layer, or
# all of it. One more network is the same as the first but for the thresholds, which are 0, and the
# rate, which is less as its units are more active. The papers' own methods are those of {doc}`the
# page on lazy learning on top </executed/competitive_plasticity/lazy_on_top>`.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
RATE = 0.6  # of a network of 12,000 hidden units
CHANGES = 96
base = Experiment(
    zero_mean=True,
    activation="relu",
    initial="gaussian:0.02,-0.24",
    loss="cross-entropy",
    gate=Mistakes(),
    epochs=scale.epochs,
    until=scale.goal,
    measure_every=scale.every,
    measure_training=False,
)


def few(size, changes=CHANGES, rate=RATE, **more):
    """Return ``base`` with so many hidden units, and changes on a sample.

    The ``rate`` is that of 12,000 units; with fewer units the step is the same.
    """
    fraction = float(f"{changes / (10 * (size + 1)):.2g}")
    restriction = SynapseMask(0, 1) & LargestToOutputs(min(fraction, 1))
    rate = float(f"{rate * 12_000 / size:.2g}")
    return replace(
        base, hidden=size, restriction=restriction, learning_rate=rate, **more
    )


learning_layer = replace(
    base,
    hidden=scale.plastic_size,
    initial="gaussian:0.02",
    epochs=scale.longer,
    measure_every=5000,
)
SETTINGS = {
    "fixed, few synapses": few(scale.size),
    "plastic, largest updates": replace(
        learning_layer,
        restriction=LargestUpdates(0.02),
        learning_rate=0.03,
        until=scale.high_goals[0],
    ),
    "plastic, all synapses": replace(
        learning_layer, learning_rate=0.02, until=scale.high_goals[1]
    ),
}
runs = {
    name: settings.sweep(grid(setting, seed=scale.seeds))
    for name, setting in SETTINGS.items()
}
chosen, fresh_seeds = SETTINGS["fixed, few synapses"], runs["fixed, few synapses"]
# Without thresholds the activities' squares add up to 15 times as much.
open_units = replace(
    chosen,
    initial="gaussian:0.02",
    learning_rate=0.04,
    seed=scale.seeds[0],
)
without = settings.sweep([open_units])
competitive = preset("competitive", hidden=scale.paper_size, until=scale.paper_goal)
PAPERS = {
    "backprop": (EverySample(), AllSynapses()),
    "largest updates in a subnet": (EverySample(), Subnet(100) & LargestUpdates(0.02)),
    "with pure lazy learning": (Mistakes(), Subnet(100) & LargestUpdates(0.02)),
}
of_papers = settings.sweep(
    [
        replace(competitive, gate=gate, restriction=restriction, seed=seed)
        for gate, restriction in PAPERS.values()
        for seed in scale.paper_seeds
    ],
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what they spent"}
ENERGIES = {
    "energy_m0": "changes $M_0$",
    "energy_m1": "sum of changes $M_1$",
}


def to_goals(runs, goals):
    """Return what each run had spent when it first got to each goal, or nan."""
    rows = []
    for run in runs:
        for goal in (goal for goal in goals if goal <= run.experiment.until):
            costs = analysis.spent(run, goal)[[*ENERGIES, "updates", "samples"]]
            rows.append({"goal": 100 * goal, "seed": run.experiment.seed, **costs})
    return pd.DataFrame(rows)


goals = [*scale.goals, *scale.high_goals]
reached = {name: to_goals(sweep.runs, goals) for name, sweep in runs.items()}
papers = analysis.reached(of_papers.ends(), [*ENERGIES])
papers["method"] = [name for name in PAPERS for _ in scale.paper_seeds]
ends = analysis.reached(fresh_seeds.ends(), [*ENERGIES, "updates", "samples"])

# %% [markdown]
# ## The front
#
# The figure is the one that this page begins with. Higher goals cost more: the last percents are
# the images that are unlike all others.


# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
FOUND = (
    {"marker": "s", "color": "#df4600"},
    {"marker": "^", "color": plotting.RULES["largest-per-layer"]},
    {"marker": "v", "color": plotting.RULES["mistakes"]},
)
LOOKS = {
    "backprop": ("every-sample", "o"),
    "largest updates in a subnet": ("subnet & largest-per-layer", "h"),
    "with pure lazy learning": ("mistakes", "D"),
}
panels = []
for column, label in ENERGIES.items():
    figure, axes = plotting.subplots(figsize=(3.95, 4.2))
    for (name, table), look in zip(reached.items(), FOUND, strict=True):
        plotting.over_seeds(axes, table, "goal", column, "mistakes", label=name, **look)
    for name, rows in papers.groupby("method", sort=False):
        rule, marker = LOOKS[name]
        at = 100 * scale.paper_goal
        axes.plot(
            at, rows[column].mean(), marker, color=plotting.RULES[rule], label=name
        )
    axes.set(xlabel="test images classified correctly (%)", ylabel=label)
    axes.set_yscale("log")
    plotting.logarithmic(axes.yaxis)
    panels.append(figure)
panels[0].legend(
    *axes.get_legend_handles_labels(), loc="outside upper right", ncols=2, fontsize=7
)
plotting.show(
    *panels,
    name="fig-front",
    caption="<i>M</i><sub>0</sub> (a) and <i>M</i><sub>1</sub> (b) until so many of "
    "the test images are classified correctly. Squares: the setting with a fixed first "
    f"layer, H = {scale.size:,}; triangles: those with a plastic one, H = "
    f"{scale.plastic_size:,}; means of {len(scale.seeds)} "
    "fresh seeds, in a band from the lowest to the highest. Where a line ends, a seed "
    "did not get to the next goal in time. Other symbols: the papers' methods, H = "
    f"{scale.paper_size:,}, until {100 * scale.paper_goal:g} %, means over seeds.",
    alt="Two plots of energy on a logarithmic axis against accuracy. The lines of the "
    "settings that were found lie far below the symbols of the papers' methods.",
    notebook=NAME,
    lead=True,
)


# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the goals"}
rows = []
for name, table in reached.items():
    aims = {100 * scale.goal, 100 * SETTINGS[name].until}
    for goal in sorted(aims & {*table["goal"]}):
        at_goal = table[table["goal"] == goal]
        rows.append(
            {
                "test images (%)": f"{goal:g}",
                "first layer": name,
                "changes M₀": interval(at_goal["energy_m0"]),
                "sum of changes M₁": interval(at_goal["energy_m1"]),
                "samples learned": interval(at_goal["updates"]),
                "samples presented": interval(at_goal["samples"]),
            }
        )
notebook.html_table(pd.DataFrame(rows), "costs of each goal")

# %% [markdown]
# Means over fresh seeds, and 95 % intervals. Each setting is one line, here with the seed 0:

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the commands"}
Markdown("\n\n".join(map(notebook.command, SETTINGS.values())))

# %% [markdown]
# ## How far from the least?
#
# $M_1$ is at least the {term}`minimal energy` $M_{\min}$ of the straight path from the initial
# weights to the final ones. $M_0$ would be least if each synapse that is to change did so once.


# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the bounds"}
last = without.ends().iloc[0]
best = without.runs[0].table["test_accuracy"].max()
plastic = 10 * (chosen.hidden + 1)
m0, m1 = (ends[column].mean(skipna=False) for column in ENERGIES)
least = ends["energy_min"].mean()
lowest = papers.groupby("method", sort=False)["energy_m0"].agg(
    lambda values: values.mean(skipna=False)
)
all_synapses = 785 * chosen.hidden + plastic
Markdown(
    "| | of the chosen setting | once a synapse, or straight | times as much |\n"
    "| --- | --- | --- | --- |\n"
    f"| $M_0$ | {m0:,.0f} | at most {plastic:,} | {two_digits(m0 / plastic)} |\n"
    f"| $M_1$ | {m1:,.0f} | $M_{{\\min}}$ = {least:,.0f} | "
    f"{two_digits(m1 / least)} |\n\n"
    f"Of {all_synapses:,} synapses {plastic:,} are plastic, and change "
    f"{two_digits(m0 / plastic)} times on average. The chosen setting learned "
    f"{ends['updates'].mean():,.0f} of {ends['samples'].mean():,.0f} samples that were "
    "presented. The same network without thresholds got to "
    f"{100 * best:.1f} % in {last['samples']:,.0f} samples, by "
    f"{last['energy_m0']:,.0f} changes."
)

# %% [markdown]
# ## Transient changes first
#
# With {term}`synaptic caching` changes are {term}`transient`, and are made permanent when those of
# a synapse have added up to a threshold, or when learning ends. Where nothing decays that is the
# same learning, so the changes of any kind stay as many. The higher the threshold, the fewer of
# them are permanent: in the end at most one a synapse. What a transient change costs is for the
# reader to say; here it is a tenth of a permanent one.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: with caching"}
TRANSIENT = 0.1  # of the cost of a permanent change
example = fresh_seeds.runs[len(fresh_seeds.runs) // 2]
shorter = replace(example.experiment, until=scale.cached_goal)
cached = settings.sweep(
    grid(shorter, caching=[SynapticCaching(at) for at in CACHED.values()])
)
changed = analysis.spent(example, scale.cached_goal)["energy_m0"]
permanent = {"at once": changed} | {
    name: run.final["energy_m0"] + run.final["pending_m0"]
    for name, run in zip(CACHED, cached.runs, strict=True)
}
cached_rows = [
    {
        "made permanent": name,
        "permanent changes": f"{value:,.0f}",
        "with transient ones at a tenth": two_digits(value + TRANSIENT * changed)
        if name != "at once"
        else f"{value:,.0f}",
    }
    for name, value in permanent.items()
]
notebook.html_table(pd.DataFrame(cached_rows), "permanent and transient changes")

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what that is of"}
Markdown(
    f"Changes until {100 * scale.cached_goal:g} % of the test images are classified "
    f"correctly, of the seed {example.experiment.seed}."
)

# %% [markdown]
# ## In other sizes
#
# The same setting with fewer or more units: the threshold and the number of synapses that change
# on a sample stay what they are, and the rate goes as $1/H$, so that a sample changes the outputs
# by as much. Small networks miss the goal: this way of learning needs a wide layer. One seed:

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: other sizes"}
of_sizes = settings.sweep(
    [few(size, seed=scale.seeds[0]) for size in scale.sizes if size != scale.size]
)
by_size = [
    {
        "hidden units": f"{run.experiment.hidden:,}",
        "best on the test images (%)": f"{100 * run.table['test_accuracy'].max():.1f}",
        "goal reached": "yes" if run.final["test_accuracy"] >= scale.goal else "no",
        "changes M₀": two_digits(run.final["energy_m0"]),
        "samples presented": f"{run.final['samples']:,}",
        "samples learned": f"{run.final['updates']:,}",
    }
    for run in sorted(
        [*of_sizes.runs, fresh_seeds.runs[0]], key=lambda run: run.experiment.hidden
    )
]
notebook.html_table(pd.DataFrame(by_size), "what networks of each size reached")

# %% [markdown]
# ## Few changes, not small ones
#
# $M_1$ is another matter: the changes are few, and large. But it depends on the units in which
# weights are measured. If all weights into the hidden units were ten times as large, these would be
# ten times as active, and the same outputs, so the same learning, would need changes a tenth as
# large of the synapses to the outputs. $M_0$ does not depend on that.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the sums of changes"}
of_method = papers.groupby("method", sort=False)["energy_m1"].mean()
Markdown(
    f"$M_1$ of the chosen setting is {two_digits(m1)}. Of the papers' methods it is "
    + ", ".join(f"{two_digits(value)} ({name})" for name, value in of_method.items())
    + "."
)

# %% [markdown]
# ## The claim
#
# Changes of all layers are counted, whether they would be transient or permanent.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what the claim is judged by"}
found = notebook.Findings(settings, NAME, "FR1")
found.each(
    "FR1",
    "M0 to 95 %",
    f"MNIST, H = {chosen.hidden:,}"
    + (f", to {100 * scale.goal:g} %" if scale.goal != 0.95 else ""),
    ends.set_index("seed")["energy_m0"].fillna(np.inf),
)
found.verdicts([fresh_seeds])

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
further = reached["plastic, largest updates"].query("goal == goal.max()")
found.answer(
    "What none of the papers says: **if the units of a wide random layer have "
    "thresholds, so that few are active at a time, learning from mistakes needs to "
    "change only the few synapses of the most active ones, and the layer itself not at "
    "all.** "
    f"{100 * scale.goal:g} % of MNIST's test images are learned by {two_digits(m0)} "
    f"changes of any kind, in {plastic:,} plastic synapses. The papers' methods "
    f"need {two_digits(lowest['largest updates in a subnet'])} changes to "
    f"{100 * scale.paper_goal:g} %, and "
    f"{two_digits(lowest['with pure lazy learning'])} if they learn mistakes only. "
    f"{further['goal'].iloc[0]:g} % take a first layer that learns, and "
    f"{two_digits(further['energy_m0'].mean(skipna=False))} changes."
)

# %% [markdown]
# ## Your turn
#
# **1.** If each plastic synapse changed just once, how many samples could be learned, each with its
# share of the changes?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: once a synapse"}
# NBVAL_CHECK_OUTPUT
print(f"{plastic / CHANGES:,.0f} samples, {CHANGES} changes each")

# %% [markdown]
# **2.** What if a transient change cost as much as a permanent one? Would caching still save
# anything? Find the price from which on it does not save, if all is made permanent at the end.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: the price"}
# NBVAL_CHECK_OUTPUT
print(f"from {1 - permanent['at the end'] / changed:.1f} of a permanent one on")

# %% [markdown]
# Next: {doc}`Which combination? A search <search>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([fresh_seeds])

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how the results came about"}
notebook.provenance(settings, [*runs.values(), without, cached, of_sizes, of_papers])
