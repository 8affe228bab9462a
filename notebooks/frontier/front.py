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
import shlex
from dataclasses import replace

import numpy as np
import pandas as pd
from IPython.display import Markdown

from lazybook.book import analysis, notebook, plotting
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
scale = settings.scale(
    # smoke, quick, paper
    seeds=([0], [0], [0, 1, 2, 3, 4]),
    sizes=([300, 1000], [300, 1000], [1000, 3000, 12_000]),
    changes=([30, 100], [30, 100], [48, 96, 192]),
    chosen=(100, 100, 96),
    goal=(0.85, 0.9, 0.95),
    goals=([0.8, 0.85], [0.85, 0.9], [0.9, 0.92, 0.93, 0.94, 0.95]),
    epochs=(1, 1, 2),
    every=(500, 1000, 2000),
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
# How large should the network be, and how many synapses should change at a time? That was searched
# with a seed that is used for nothing else; with the same seed the loss, the rate of learning and
# the height of the threshold had been found by hand. What was found is run again with fresh seeds.
# One more network is the same but for the thresholds, which are 0, and the rate, which is less as
# its units are more active. The papers' own methods are those of {doc}`the page on lazy learning on
# top </executed/competitive_plasticity/lazy_on_top>`.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
SEARCH_SEED = 100
base = Experiment(
    zero_mean=True,
    activation="relu",
    initial="gaussian:0.02,-0.24",
    loss="cross-entropy",
    learning_rate=0.6,
    gate=Mistakes(),
    epochs=scale.epochs,
    measure_every=scale.every,
    measure_training=False,
)


def few(size, changes):
    """Return ``base`` with so many hidden units, and changes on a sample."""
    fraction = float(f"{changes / (10 * (size + 1)):.2g}")
    restriction = SynapseMask(0, 1) & LargestToOutputs(fraction)
    return replace(base, hidden=size, restriction=restriction)


search = settings.sweep(
    [
        replace(few(size, changes), until=scale.goals[-1], seed=SEARCH_SEED)
        for size in scale.sizes
        for changes in scale.changes
    ],
)
chosen = replace(few(scale.sizes[-1], scale.chosen), until=scale.goal)
fresh_seeds = settings.sweep(grid(chosen, seed=scale.seeds))
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


def to_goals(runs):
    """Return what each run had spent when it first got to each goal that it reached."""
    rows = []
    for run in runs:
        for goal in scale.goals:
            spent = analysis.cut(run, goal).table.iloc[-1]
            if spent["test_accuracy"] >= goal:
                rule = run.experiment.restriction.parts[-1]
                rows.append(
                    {
                        "goal": 100 * goal,
                        "hidden": run.experiment.hidden,
                        "seed": run.experiment.seed,
                        "fraction": rule.fraction,
                        **spent[[*ENERGIES, "updates", "samples"]],
                    }
                )
    return pd.DataFrame(rows)


tried, confirmed = to_goals(search.runs), to_goals(fresh_seeds.runs)
front = tried.groupby("goal")[[*ENERGIES]].min()
papers = analysis.reached(of_papers.ends(), [*ENERGIES])
papers["method"] = [name for name in PAPERS for _ in scale.paper_seeds]
ends = analysis.reached(fresh_seeds.ends(), [*ENERGIES, "updates", "samples"])

# %% [markdown]
# ## The front
#
# The figure is the one that this page begins with. Higher goals cost more, and the more the smaller
# the network is: a wide network has a unit for every occasion. Where a line ends, the network did
# not get to the next goal in time.


# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
LOOKS = {
    "backprop": ("every-sample", "o"),
    "largest updates in a subnet": ("subnet & largest-per-layer", "h"),
    "with pure lazy learning": ("mistakes", "D"),
}
panels = []
for column, label in ENERGIES.items():
    figure, axes = plotting.subplots(figsize=(3.95, 4.2))
    for (size, fraction), rows in tried.groupby(["hidden", "fraction"]):
        color = plotting.shade("mistakes", size, scale.sizes)
        many = f"H = {size:,}, {fraction:.2%}"
        axes.plot(rows["goal"], rows[column], "-", color=color, lw=1, label=many)
    best = front[column].sort_index()
    axes.plot(best.index, best, color=plotting.INK, lw=2, label="the front")
    look = {"marker": "s", "color": "#df4600", "label": "fresh seeds"}
    plotting.over_seeds(axes, confirmed, "goal", column, "mistakes", **look)
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
    "the test images are classified correctly. Thin lines: one seed each, for several "
    "numbers of hidden units and shares of synapses to the outputs that change on an "
    "image; the black line is the least of them. Squares: the chosen setting, H = "
    f"{scale.sizes[-1]:,}, means of {len(scale.seeds)} fresh seeds, in a band from the "
    "lowest to the highest. Other symbols: the papers' methods, H = "
    f"{scale.paper_size:,}, until {100 * scale.paper_goal:g} %, means over seeds.",
    alt="Two plots of energy on a logarithmic axis against accuracy. The lines of the "
    "combination lie far below the symbols of the papers' methods.",
    notebook=NAME,
    lead=True,
)

# %% [markdown]
# ## How far from the least?
#
# $M_1$ is at least the energy $M_{\min}$ of the straight path from the initial weights to the final
# ones. $M_0$ would be least if each synapse that is to change did so once: with *synaptic caching*
# that makes all changes permanent at the end, no more become permanent than there are plastic
# synapses. All others are transient then.


# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the bounds"}
def two_digits(value):
    """Spell a number with two digits, ``?`` if there is none."""
    digits = 1 if value < 10 else 0
    return f"{float(f'{value:.2g}'):,.{digits}f}" if np.isfinite(value) else "?"


last = without.ends().iloc[0]
reached = 100 * without.runs[0].table["test_accuracy"].max()
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
    f"{reached:.1f} % in {last['samples']:,.0f} samples, by "
    f"{last['energy_m0']:,.0f} changes."
)

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

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the command"}
usual = Experiment().to_dict()
options = [
    f"--{name.replace('_', '-')} {shlex.quote(str(value))}"
    if not isinstance(value, bool)
    else f"--{'' if value else 'no-'}{name.replace('_', '-')}"
    for name, value in chosen.to_dict().items()
    if value != usual[name]
]
Markdown(
    "The chosen setting is one line of the command, here with the seed 0:\n\n"
    "```bash\nlazybook train " + " \\\n  ".join(options) + "\n```"
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
found.answer(
    "What none of the papers says: **if the units of a wide random layer have "
    "thresholds, so that few are active at a time, learning from mistakes needs to "
    "change only the few synapses of the most active ones, and the layer itself not at "
    "all.** "
    f"{100 * scale.goal:g} % of MNIST's test images are learned by {two_digits(m0)} "
    f"changes of any kind, in {plastic:,} plastic synapses. The papers' methods "
    f"need {two_digits(lowest['largest updates in a subnet'])} changes to "
    f"{100 * scale.paper_goal:g} %, and "
    f"{two_digits(lowest['with pure lazy learning'])} if they learn mistakes only."
)

# %% [markdown]
# Next: {doc}`Whose is the saving, and which rules hinder each other? <shares>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([fresh_seeds])

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how the results came about"}
notebook.provenance(settings, [search, fresh_seeds, without, of_papers])
