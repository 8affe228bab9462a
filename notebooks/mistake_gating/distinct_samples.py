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
# # How many different samples are learned · mistake gating
#
# From twice as many images one does not learn twice as much: most of the new ones are like some
# that are known. A rule that learns from mistakes alone should notice. To classify a training set
# to the same accuracy, how many different images of it have to be learned
# {cite}`pache2026mistake`, the larger it is?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`how the memory grows <../lazy_learning/memory_growth>`, after equal numbers of
# epochs.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
hidden = None
epochs = None
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
import numpy as np
import pandas as pd
from IPython.display import Markdown

from lazybook.book import analysis, notebook, plotting
from lazybook.book.notebook import span
from lazybook.experiment import preset
from lazybook.gates import MemorizedMistakes

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=([100], [100], [100]),
    numbers=(
        [300, 600, 1200],
        [3_000, 7_500, 15_000, 30_000, 60_000],
        [3_000, 7_500, 15_000, 30_000, 60_000, 120_000, 240_000],
    ),
    presented=(10_000, 250_000, 600_000),  # at least so many images
    epochs=(3, 5, 10),  # and so many epochs
    goal=(0.8, 0.96, 0.97),
    seeds=([0], [0], [0, 1, 2]),
)
[size] = scale.hidden
NAME = "mistake_gating/distinct_samples"
LAZY = "memorized-mistakes"

# %% [markdown]
# ## The runs
#
# Lazy learning remembers an image from the first time that it misclassifies it, and learns it each
# time from then on; so the images in its memory are the different images that it has learned. The
# training sets are deformed MNIST of several sizes. They are measured at the ends of epochs, and
# what counts is the memory when the accuracy on the *training* set first reached the goal:
# {doc}`../lazy_learning/memory_growth` compares equal numbers of epochs instead, after which
# large sets are classified far better than small ones.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
experiments = [
    preset(
        "lazy", dataset=f"deformed-mnist:{number}", hidden=size, seed=seed,
        gate=MemorizedMistakes(), epochs=max(scale.epochs, scale.presented // number),
        measure_every=10**9
    )
    for number in scale.numbers
    for seed in scale.seeds
]  # fmt: skip
result = settings.sweep(experiments)

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
GOALS = [scale.goal - 0.02, scale.goal - 0.01, scale.goal]


def when(run, goal):
    """Return a run's row at the first epoch that reached a training accuracy."""
    table = run.table[run.table["train_accuracy"] >= goal]
    return table.iloc[0] if len(table) else pd.Series(np.nan, run.table.columns)


learned = pd.DataFrame(
    [
        {
            "number": len(run.arrays["memory"]), "seed": run.experiment.seed,
            "goal": goal, "different": row["memorized"], "updates": row["updates"],
            "presented": row["samples"], "test": row["test_accuracy"],
        }
        for run in result.runs
        for goal in GOALS
        for row in [when(run, goal)]
    ]
)  # fmt: skip
main = learned[learned["goal"] == scale.goal]
reached = main.dropna()
laws = {
    goal: analysis.power_law(group["number"], group["different"])
    for goal, group in learned.dropna().groupby("goal")
}
counted, left = plotting.subplots(figsize=(3.95, 3.6))
for style, (goal, law) in zip((":", "--", "-"), laws.items(), strict=True):
    name = f"{100 * goal:g} %, $a$ = {law.exponent:.2f}"
    look = {"color": plotting.RULES[LAZY], "ls": style}
    left.plot(scale.numbers, law(np.array(scale.numbers)), **look, label=name)
look = {"color": plotting.RULES[LAZY], "marker": "o", "ls": "none", "label": None}
plotting.over_seeds(left, reached, "number", "different", LAZY, **look)
left.plot(scale.numbers, scale.numbers, color=plotting.INK, lw=1, ls="-.", label="all")
left.set(ylabel="different images learned")
shares, right = plotting.subplots(figsize=(3.95, 3.6))
percent = reached.assign(share=100 * reached["different"] / reached["number"])
look = {"color": plotting.RULES[LAZY], "marker": "o", "label": "share of the set"}
plotting.over_seeds(right, percent, "number", "share", LAZY, **look)
right.set(ylabel="of the training set (%)")
right.set_ylim(0, None)
for axes in (left, right):
    axes.set(xscale="log", xlabel="images in the training set, $N$")
    ticks = scale.numbers[::2]
    axes.set_xticks(ticks, [f"{number:,}" for number in ticks])
    axes.set_xticks([], minor=True)
left.set_yscale("log")
left.legend(title="training accuracy", fontsize="small", title_fontsize="small")
N_SEEDS = f"n&nbsp;=&nbsp;{len(scale.seeds)}"
plotting.show(
    counted,
    shares,
    name="fig-distinct-samples",
    caption="Different images that had been learned when the training accuracy first "
    f"reached {100 * scale.goal:g}&nbsp;% (a) (dots; lines are fitted power "
    "laws, "
    f"for two lower goals too), and their share of the set (b). {N_SEEDS}, "
    f"H&nbsp;=&nbsp;{size}, deformed MNIST. (Paper: a summary by third parties.)",
    alt="a, dots of images learned against the size of the training set, both axes "
    "logarithmic, and lines less steep than the diagonal. b, the share of the set that "
    "is learned, which falls.",
    notebook=NAME,
    lead=True,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table"}
mean = reached.groupby("number").mean()
table = pd.DataFrame(
    {
        "images": [f"{number:,}" for number in mean.index],
        "different images learned": [f"{value:,.0f}" for value in mean["different"]],
        "updates": [f"{value:,.0f}" for value in mean["updates"]],
        "presented": [f"{value:,.0f}" for value in mean["presented"]],
        "test accuracy (%)": [f"{100 * value:.2f}" for value in mean["test"]],
    }
)
notebook.html_table(table, "what it took to reach the training accuracy")


# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the numbers"}
def exponent(goal):
    """Return the exponent for each seed, nan if a size did not reach the goal."""
    found = {}
    for seed, group in learned[learned["goal"] == goal].groupby("seed"):
        whole = group["different"].notna().all()
        law = analysis.power_law(group["number"], group["different"]) if whole else None
        found[seed] = law.exponent if law else np.nan
    return found


by_goal = "; ".join(
    f"{100 * goal:g} %: {span(exponent(goal).values(), '.2f')}" for goal in GOALS
)
Markdown(
    "The table has means over seeds, at the first end of an epoch that reached the "
    f"training accuracy of {100 * scale.goal:g} %. The exponents, by the training "
    f"accuracy that is asked for, the range over seeds: {by_goal}."
)

# %% [markdown]
# Large sets need few epochs, and their accuracy is measured only at the ends of these; so the
# largest overshoot the goal, which makes the exponent seem a little larger than it is. What is
# learned grows more slowly than the set because an image that resembles one already learned is
# classified correctly when it comes for the first time. It still grows: hard images keep coming,
# and each is new.
#
# ## The claims

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
found = notebook.Findings(settings, NAME, "MG4")
measure = "exponent of the number of different samples learned"
where = f"training accuracy {100 * scale.goal:g} %, H = {size}"
found.each("MG4", measure, where, exponent(scale.goal))
found.verdicts([result])

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
times = 4 ** np.mean([*exponent(scale.goal).values()])
ends = percent.groupby("number")["share"].mean()
found.answer(
    f"As the size of the set to the power of **{laws[scale.goal].exponent:.2f}**: four "
    f"times as many images put {times:.1f} times as many to learn. Of "
    f"{scale.numbers[0]:,} images {ends.iloc[0]:.0f} % are learned until "
    f"{100 * scale.goal:g} % of them are classified correctly, of "
    f"{scale.numbers[-1]:,} "
    f"only {ends.iloc[-1]:.1f} %."
)

# %% [markdown]
# ## Your turn
#
# **1.** An image that is learned is learned again in each epoch. How many times on average, until
# the goal, and does that rise or fall with the size of the set?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: how often each"}
# NBVAL_CHECK_OUTPUT
for number, row in mean.iterrows():
    print(f"{number:,} images: {row['updates'] / row['different']:.1f} times each")

# %% [markdown]
# **2.** If the work is to be counted, not the different images: with which power of the size do the
# updates grow until the goal is reached, and with which the presentations?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: the work"}
# NBVAL_CHECK_OUTPUT
for column in ("different", "updates", "presented"):
    law = analysis.power_law(reached["number"], reached[column])
    print(f"{column}: power {law.exponent:.2f}")

# %% [markdown]
# Next: {doc}`What is left of it for those who train in batches? <batches>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([result])

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, [result])
