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
# # Lazy learning with caching
#
# [Lazy learning](../lazy_learning/fig2_mnist) skips samples that need no learning
# {cite}`pache2023lazy`; [synaptic caching](fig5_network) makes only those changes permanent that
# add up {cite}`li2020energy`. One answers *which samples*, the other *when*. Both leave out changes
# that later ones would have undone. Is there anything left to save for the one, where the other is
# at work?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`a network that caches <fig5_network>` and {doc}`lazy learning of MNIST
# <../lazy_learning/fig2_mnist>`.

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
import pandas as pd
from IPython.display import Markdown

from lazybook.book import analysis, notebook, plotting
from lazybook.caching import SynapticCaching
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes, Mistakes

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=([30], [100], [100]),
    seeds=([0], [0], [0, 1, 2]),
    goal=(0.88, 0.95, 0.95),
    epochs=(1, 5, 5),
    every=(3000, 3000, 1000),
    accuracies=((0.75,), (0.8, 0.9), (0.8, 0.84, 0.9, 0.93)),
)
NAME = "synaptic_caching/lazy_with_caching"

# %% [markdown]
# ## The runs
#
# The network, its rate and its caching are those of the [network that caches](fig5_network): any
# unit with a transient part above θ = 0.04 consolidates all that enters it, transient parts decay
# with τ = 1,000 images and cost c = 0.001 for each image and each unit of size. The three rules of
# lazy learning decide beforehand whether an image is learned at all: every one (backprop), those
# that are misclassified (pure lazy), or those that were misclassified once (lazy). None of the
# papers combines the two.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
caching = SynapticCaching(0.04, 1e-3, 1e-3, "unit")
base = preset(
    "caching-network",
    hidden=scale.hidden[0],
    until=scale.goal,
    epochs=scale.epochs,
    measure_every=scale.every,
)
result = settings.sweep(
    grid(
        base,
        gate=[EverySample(), Mistakes(), MemorizedMistakes()],
        caching=[base.caching, caching],
        seed=scale.seeds,
    )
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what they spent"}
PARTS = ("energy_m1", "pending_m1", "transient_energy")
groups = {}
for run in result.runs:
    run = replace(run, table=run.table.assign(total=run.table[[*PARTS]].sum(axis=1)))
    cached = run.experiment.caching == caching
    groups.setdefault((str(run.experiment.gate), cached), []).append(run)
tops = {
    key: min(run.table["test_accuracy"].max() for run in runs)
    for key, runs in groups.items()
}
SEEDS = f"n = {len(scale.seeds)} seeds"
rules = list(dict.fromkeys(rule for rule, _ in groups))
Markdown(
    f"H = {base.hidden}; a run ends at {100 * scale.goal:g} % or after {scale.epochs} "
    "epochs. The best accuracies that all seeds reached, without and with caching: "
    + "; ".join(
        f"{plotting.NAMES[rule]} {100 * tops[rule, False]:.1f} and "
        f"{100 * tops[rule, True]:.1f} %"
        for rule in rules
    )
    + "."
)

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the energy figure"}
START = 0.6 if profile == "smoke" else 0.8
energies, left = plotting.subplots(figsize=(3.95, 3.8))
learned, right = plotting.subplots(figsize=(3.95, 3.8))
for (rule, cached), runs in groups.items():
    some = np.linspace(START, max(START, tops[rule, cached]), 200)
    look = {"color": plotting.RULES[rule], "ls": "--" if cached else "-"}
    name = plotting.NAMES[rule] + ", caching" * cached
    for axes, column in ((left, "total"), (right, "updates")):
        values = [analysis.when_reached(run, some, column) for run in runs]
        axes.plot(100 * some, np.mean(values, axis=0), label=name, **look)
        ends = np.min(values, axis=0), np.max(values, axis=0)
        axes.fill_between(100 * some, *ends, color=look["color"], alpha=0.2, lw=0)
left.set(ylabel="energy")
right.set(ylabel="updates")
for axes in (left, right):
    plotting.logarithmic(axes.yaxis)
    axes.set(xlabel="test accuracy reached (%)")
left.legend(fontsize="small")
plotting.show(
    energies,
    learned,
    name="fig-lazy-caching-energy",
    caption="(a) Energy when a test accuracy was first reached, with what is "
    "transient and what is pending, and (b) samples learned until then. Dashed: with "
    f"synaptic caching. H = {base.hidden}; lines are means over {SEEDS}, bands go "
    "from the lowest to the highest. (Beyond the papers.)",
    alt="a, six curves of energy against accuracy on a logarithmic axis: the three "
    "with caching lie below those without. b, samples learned: lazy rules learn fewer.",
    notebook=NAME,
    lead=True,
)

# %% [markdown]
# ## Do the savings multiply?
#
# If lazy learning left out samples whatever they are worth to caching, the saving of both together
# would be the product of the two. But what is transient fades unless it is renewed, and samples
# that are right renew nothing if they are not learned: they may be forgotten, misclassified, and
# learned again. A dash: not all seeds got there.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the savings"}
rows = []
for accuracy in scale.accuracies:
    spent = {
        key: np.array([analysis.when_reached(run, accuracy, "total") for run in runs])
        for key, runs in groups.items()
    }
    plain = spent["every-sample", False]
    for rule in rules[1:]:
        lazy, cached, both = (
            (plain / spent[key]).mean()
            for key in ((rule, False), ("every-sample", True), (rule, True))
        )
        rows.append(
            {
                "accuracy": f"{100 * accuracy:g} %",
                "rule": plotting.NAMES[rule],
                "lazy alone": lazy,
                "caching alone": cached,
                "both": both,
                "product": lazy * cached,
            }
        )
savings = pd.DataFrame(rows)
notebook.html_table(
    savings.map(
        lambda value: f"{value:.2f}" if isinstance(value, float) else value
    ).replace("nan", None),
    "energy of backprop without caching, divided by that of the rules",
)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
at = savings["accuracy"].iloc[0]
first = savings[savings["accuracy"] == at].set_index("rule")
pure, lazy = first.loc["pure lazy"], first.loc["lazy"]
top = {rule: f"{100 * tops[rule, True]:.1f} %" for rule in rules}
notebook.answer(
    f"{'No' if max(pure['both'], lazy['both']) < lazy['caching alone'] else 'Yes'}: to "
    f"{at} caching alone saves **{pure['caching alone']:.2g} times** the energy of "
    f"backprop, and lazy learning alone {lazy['lazy alone']:.2g} times; pure lazy "
    f"learning with caching saves {pure['both']:.2g} and lazy learning with caching "
    f"**{lazy['both']:.2g} times**. And accuracy suffers: with caching every-sample "
    f"learning gets to {top['every-sample']}, lazy learning to "
    f"{top['memorized-mistakes']} and pure lazy learning to {top['mistakes']}. (None "
    "of the papers tried it; no claim is judged by it.)"
)

# %% [markdown]
# ## Your turn
#
# **1.** What is transient fades by half in τ ln 2 images. How many images apart are two that are
# learned, towards the end, under each rule? How many of them come while a change fades by half?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: while it fades"}
# NBVAL_CHECK_OUTPUT
fades = np.log(2) / caching.decay
print(f"by half in {fades:.0f} images")
for rule in rules:
    late = groups[rule, True][0].table.iloc[-2:]
    apart = np.ptp(late["samples"]) / np.ptp(late["updates"])
    print(f"{plotting.NAMES[rule]}: {apart:.1f} apart, {fades / apart:.0f} meanwhile")

# %% [markdown]
# **2.** With caching, which part of the energy is the price of keeping changes transient, to the
# first accuracy? Under which rule is it largest?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: the price of keeping"}
# NBVAL_CHECK_OUTPUT
for rule in rules:
    run = groups[rule, True][0]
    kept, all_of = (
        analysis.when_reached(run, scale.accuracies[:1], column).item()
        for column in ("transient_energy", "total")
    )
    print(f"{plotting.NAMES[rule]}: {100 * kept / all_of:.0f} %")

# %% [markdown]
# Next: {doc}`All energies so far are lengths of paths. What are they in joules?
# <../energy_per_bit/estimate>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
for run in result.runs:
    if run.experiment.seed == scale.seeds[0]:
        final = run.final
        print(f"{run.experiment.gate}, {run.experiment.caching}: {final['updates']} "
              f"updates, accuracy {final['test_accuracy']:.4f}")  # fmt: skip

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, [result])
