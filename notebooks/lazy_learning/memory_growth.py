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
# # How the memory grows
#
# The paper finds that from four times as many images lazy learning memorizes twice as many, and
# asks for the general relation {cite}`pache2023lazy`. How many images of a training set end in the
# {doc}`memory <memory>`, the larger the set is?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`what is memorized <memory>`, and {doc}`four times as many digits
# <fig3_emnist>`, which compares two sets.

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
from IPython.display import Markdown

from lazybook.book import analysis, notebook, plotting
from lazybook.book.notebook import span
from lazybook.experiment import grid, preset
from lazybook.gates import MemorizedMistakes

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=([30, 100], [100, 200, 500, 1000], [100, 200, 500, 1000]),
    epochs=(2, 3, 50),
    seeds=([0], [0], [0, 1, 2, 3, 4]),
    numbers=(
        [300, 600, 1200],
        [3_000, 7_500, 15_000, 30_000, 60_000],
        [3_000, 7_500, 15_000, 30_000, 60_000, 120_000, 240_000],
    ),
)
scale.hidden.sort()
NAME = "lazy_learning/memory_growth"
extremes = sorted({scale.hidden[0], scale.hidden[-1]})
LAZY = "memorized-mistakes"

# %% [markdown]
# ## The runs
#
# It is measured on digits of MNIST that were deformed at random: each image of MNIST at most once,
# and in sets of more than 60,000 again, deformed differently. All networks learn for the same
# number of epochs.
#
# If the number of memorized images is a power of the number of images, $N^a$, it is a straight line
# in the figure; twice as many from four times as many is $a = 1/2$.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
growing = preset(
    "lazy",
    gate=MemorizedMistakes(),
    epochs=scale.epochs,
    measure_every=60_000,
    measure_training=False,
)
scaling = settings.sweep(
    grid(
        growing,
        dataset=[f"deformed-mnist:{number}" for number in scale.numbers],
        hidden=extremes,
        seed=scale.seeds[:3],
    )
)

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
grown = scaling.ends()
grown["number"] = [len(run.arrays["memory"]) for run in scaling.runs]
grown["error"] = 100 * (1 - grown["test_accuracy"])
counted, left = plotting.subplots(figsize=(3.95, 3.6))
errors, right = plotting.subplots(figsize=(3.95, 3.6))
laws = {}
for size, group in grown.groupby("hidden"):
    look = {"color": plotting.shade(LAZY, size, scale.hidden), "marker": "o"}
    laws[size] = analysis.power_law(group["number"], group["memorized"])
    name = f"H = {size}, $a$ = {laws[size].exponent:.2f}"
    plotting.over_seeds(
        left, group, "number", "memorized", LAZY, **look, ls="none", label=name
    )
    left.plot(scale.numbers, laws[size](np.array(scale.numbers)), color=look["color"])
    plotting.over_seeds(
        right, group, "number", "error", LAZY, **look, label=f"H = {size}"
    )
left.plot(
    scale.numbers, scale.numbers, color=plotting.INK, lw=1, ls=":", label="all of them"
)
left.set(ylabel="images memorized")
right.set(ylabel="test error (%)")
for axes in (left, right):
    axes.set(xscale="log", yscale="log", xlabel="images in the training set, $N$")
    axes.set_xticks(
        scale.numbers[::2], [f"{number:,}" for number in scale.numbers[::2]]
    )
    axes.set_xticks([], minor=True)
    axes.yaxis.set_minor_formatter("")
    axes.legend(fontsize="small")
plotting.logarithmic(right.yaxis, [1, 2, 5], "{x:g}")
plotting.show(
    counted,
    errors,
    name="fig-memory-growth",
    caption=f"(a) Images memorized after {growing.epochs} epochs, from training "
    "sets of different sizes: dots are means over seeds, straight lines fitted power "
    "laws; on the dotted line all would be. (b) The error on the test set: lines "
    "are means over seeds. Bands go from the lowest to the highest seed; "
    f"{notebook.seeds(grown)}. Deformed MNIST. (Paper: text to Fig. 3c.)",
    alt="a, memorized images against the size of the training set, both axes "
    "logarithmic, with fitted straight lines that are less steep than the diagonal. b, "
    "the test error, which falls.",
    notebook=NAME,
    lead=True,
)


# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the numbers"}


def local(size):
    """Return the exponents between each number of images and the next."""
    mean = grown[grown["hidden"] == size].groupby("number")["memorized"].mean()
    return np.diff(np.log(mean)) / np.diff(np.log(mean.index))


def still(number):
    """Return which part of the memory came in the last epoch, in percent."""
    chosen = [run for run in scaling.runs if len(run.arrays["memory"]) == number]
    memorized = [run.table.set_index("epoch")["memorized"] for run in chosen]
    return 100 * np.mean(
        [1 - m[growing.epochs - 1] / m[growing.epochs] for m in memorized]
    )


times = span([4**law.exponent for law in laws.values()], ".1f")
laws_said = "; ".join(
    f"for H = {size} $a$ = {law.exponent:.2f}, 95 % interval {law.interval[0]:.2f} to"
    f" {law.interval[1]:.2f} (between one size and the next {span(local(size), '.2f')})"
    for size, law in laws.items()
)
Markdown(
    f"The exponents: {laws_said}. Four times as many images then lead to "
    f"{times} times as many in memory. Of the memory of {scale.numbers[0]:,} images "
    f"{still(scale.numbers[0]):.1f} % came in the last epoch, of that of "
    f"{scale.numbers[-1]:,} images {still(scale.numbers[-1]):.1f} %."
)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
exponents = span([law.exponent for law in laws.values()], ".2f")
notebook.answer(
    f"About as the number of images to the power of **{exponents}**: four times as "
    f"many images put **{times} times** as many in memory; the paper found twice as "
    f"many. (On deformed MNIST, after {growing.epochs} epochs; no claim is judged by "
    "it.)"
)

# %% [markdown]
# ## Your turn
#
# **1.** By the laws of this page, how many times as many images would a training set need, for
# twice the memory?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: twice the memory"}
# NBVAL_CHECK_OUTPUT
for size, law in laws.items():
    print(f"H = {size}: 2 ** (1 / a) = {2 ** (1 / law.exponent):.1f} times as many")

# %% [markdown]
# **2.** A law that holds from the smallest set on should not care if the smallest set is left out.
# Is the exponent still within its interval?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: without the smallest set"}
# NBVAL_CHECK_OUTPUT
larger = grown[grown["number"] > min(scale.numbers)]
for size, group in larger.groupby("hidden"):
    whole, without = laws[size], analysis.power_law(group["number"], group["memorized"])
    print(f"H = {size}: {whole.exponent:.2f} ({whole.range}), {without.exponent:.2f}")

# %% [markdown]
# Next: {doc}`So far the question was which samples are learned; now it is which synapses.
# <../competitive_plasticity/fig1_cost_of_learning>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
for size, number, seed, memorized in grown[
    ["hidden", "number", "seed", "memorized"]
].values:
    print(f"H = {size}, {number} images, seed {seed}: {memorized} memorized")

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, [scaling])
