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
# # Lazy learning of MNIST · lazy learning, Fig. 2
#
# A network that learns by backpropagation changes its synapses for every image, even for those that
# it classifies correctly already. *Lazy learning* skips those: it learns an image only if it
# misclassifies it now, or ever did before {cite}`pache2023lazy`. How much energy does that save,
# and what does it cost in accuracy and time?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`two clouds <fig1_two_clouds>`, for why the rules differ, and {doc}`the method
# </method>`, for what the energy is.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
hidden = None
epochs = None
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
from dataclasses import replace

import numpy as np
import pandas as pd
from IPython.display import Markdown
from myst_nb import glue

from lazybook import datasets
from lazybook.benchmarks import cost, real_runs
from lazybook.book import analysis, notebook, plotting
from lazybook.book.notebook import span
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=([30, 100], [100, 200, 500, 1000], [100, 200, 500, 1000]),
    epochs=(2, 10, 50),
    seeds=([0], [0], [0, 1, 2, 3, 4]),
)
NAME = "lazy_learning/fig2_mnist"
LAZY = "memorized-mistakes"

# %% [markdown]
# ## The runs
#
# Networks of several sizes $H$ of the hidden layer; leaky rectified hidden units, ten linear
# outputs, mean squared error to a one-hot target, learning rate 0.01, no batches. The two rules
# start from the same weights and see the images in the same order. The test set is measured every
# 5,000 images, as in the paper, and the training set once an epoch; measuring is not counted as
# training time.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
base = preset("lazy", epochs=scale.epochs)
gates = [EverySample(), MemorizedMistakes()]
experiments = grid(base, hidden=scale.hidden, seed=scale.seeds, gate=gates)
result = settings.sweep(experiments)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what is compared"}
costs = cost.costs(scale.hidden, settings.profile)
runs = []
for run in result.runs:
    seconds = costs[run.experiment.hidden].seconds(run.table)
    runs.append(replace(run, table=run.table.assign(pytorch_seconds=seconds)))
keys = [(size, seed) for size in scale.hidden for seed in scale.seeds]
ends = result.ends()
pairs = dict(zip(keys, zip(runs[::2], runs[1::2], strict=True), strict=True))


def ratios(column):
    """Return lazy / backprop of ``column`` at each accuracy, for each size and seed."""
    return {
        key: analysis.ratio(lazy, backprop, column)
        for key, (backprop, lazy) in pairs.items()
    }


def at_best(column):
    """Return the range of backprop / lazy at the best common accuracy, over sizes."""
    found = {key: analysis.at_best_common(*pair, column) for key, pair in pairs.items()}
    return span(analysis.over_seeds(found), ".2g")


def relative(column, accuracy):
    """Return lazy / backprop when each first reached an accuracy, for each pair."""
    reached = {
        key: [analysis.when_reached(run, [accuracy], column).item() for run in pair]
        for key, pair in pairs.items()
    }
    return {key: lazy / backprop for key, (backprop, lazy) in reached.items()}


def at(column, accuracy):
    """Return the range of backprop / lazy when each first reached an accuracy."""
    return span(1 / analysis.over_seeds(relative(column, accuracy)), ".2g")


# %% [markdown]
# ## Energy
#
# The energy $M = \sum_t \sum_i |\Delta w_i(t)|$ is the total distance that the weights travelled.
# Read the figure above upwards, at one accuracy: lazy learning gets there for less. Then read it to
# the right: the last percent costs most, for both rules.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the energy figure"}
ALT = (
    "Curves of energy, on a logarithmic axis, rising with accuracy. For each network "
    "size the curve of lazy learning lies below that of backprop."
)
energies, axes = plotting.subplots(figsize=(5.4, 4.2))
plotting.against_accuracy(axes, runs, "energy_m1")
axes.set(ylabel="energy $M$ (sum of weight changes)")
STRETCHED = "The axis is stretched towards 100 %, by the share of errors."
plotting.show(
    energies,
    name="fig-mnist-energy",
    caption="Energy spent until a test accuracy was first reached, for networks of "
    "<i>H</i> hidden units. Blue is backprop, orange lazy learning. Lines are means "
    f"over seeds, bands go from the lowest to the highest; {notebook.seeds(ends)}. "
    f"{STRETCHED} (Paper: Fig. 2a.)",
    alt=ALT,
    notebook=NAME,
    lead=True,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the numbers"}
Markdown(
    f"Backprop spent {at('energy_m1', 0.95)} times the energy of lazy learning to get "
    f"to 95 %, {at('energy_m1', 0.97)} times to get to 97 % (where all runs got there),"
    f" and {at_best('energy_m1')} times to the best accuracy that both reached, in the "
    "means over seeds of each size. As they are compared at equal accuracy, all along "
    "the curves, the gain is not one of stopping early."
)

# %% [markdown]
# ## Accuracy
#
# Does learning less cost accuracy? The best accuracy that each rule reached on the test set:

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the accuracy figure"}
best = pd.DataFrame(
    {
        "hidden": run.experiment.hidden,
        "seed": run.experiment.seed,
        "gate": str(run.experiment.gate),
        "best": 100 * run.table["test_accuracy"].max(),
    }
    for run in runs
)
figure, axes = plotting.subplots(figsize=(5.4, 3.2))
for rule, table in best.groupby("gate", sort=False):
    plotting.over_seeds(axes, table, "hidden", "best", rule, marker="o")
axes.set(xscale="log", xlabel="hidden units $H$", ylabel="test accuracy (%)")
axes.set_xticks(scale.hidden, scale.hidden)
axes.minorticks_off()
axes.legend(fontsize="small")
plotting.show(
    figure,
    name="fig-mnist-accuracy",
    caption="The best accuracy on the test set within the run, against the number of "
    "hidden units. Lines are means over seeds, bands go from the lowest to the "
    f"highest; {notebook.seeds(ends)}. (Not in the paper.)",
    alt="Two rising lines, of backprop and lazy learning, close to each other.",
    notebook=NAME,
)
of_rule = best.set_index(["hidden", "seed"]).groupby("gate")["best"]
gains = of_rule.get_group(LAZY) - of_rule.get_group("every-sample")
late = pd.Series(
    100 * (lazy.final["test_accuracy"] - backprop.final["test_accuracy"])
    for backprop, lazy in pairs.values()
)
Markdown(
    f"Lazy learning's best accuracy differs from backprop's by {span(gains, '+.2f')} "
    "points, depending on size and seed "
    f"({span(gains.groupby('hidden').mean(), '+.2f')} in the means over seeds of each "
    f"size). At the end of epoch {scale.epochs} its accuracy differs by "
    f"{span(late, '+.2f')} points."
)

# %% [markdown]
# ## Time
#
# For most images lazy learning needs only the forward pass: it classifies the image, finds nothing
# to learn and goes on. How much time that saves depends on what an update costs compared with a
# forward pass. In PyTorch, which the paper used, it costs several times as much. The engine of this
# book was built to make updates cheap ({doc}`../how_fast`), so there is less to be saved by making
# fewer of them. Both are shown: the time that the runs took here, and the time that they take in an
# ordinary PyTorch loop: *modelled*, as the number of their forward passes and updates times what
# each was measured to cost.
#
# At low accuracy lazy learning may save no time at all: a network that learns only mistakes has to
# see more images to learn as much. The higher the accuracy, the more images a network classifies
# correctly at once, and the larger the gain.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the time figure"}
panels = []
for title, column in (
    ("PyTorch loop (modelled)", "pytorch_seconds"),
    ("this book's engine", "seconds"),
):
    figure, axes = plotting.subplots(figsize=(3.95, 3.9))
    plotting.against_accuracy(axes, runs, column)
    axes.set(title=title, ylabel="training time (s)")
    panels.append(figure)
panels[1].axes[0].get_legend().remove()  # the colours are those of the other panel
plotting.show(
    *panels,
    name="fig-mnist-time",
    caption="Training time on one core until a test accuracy was first reached: in an "
    "ordinary PyTorch loop, modelled by its costs (a), and in the engine that "
    "made the runs (b). Blue is backprop, orange lazy learning. Lines are means "
    f"over seeds, bands go from the lowest to the highest; {notebook.seeds(ends)}. "
    f"{STRETCHED} (Paper: Fig. 2b, there in PyTorch on a GPU.)",
    alt="Two panels of curves of training time, on logarithmic axes, rising with "
    "accuracy, for both rules and all network sizes.",
    notebook=NAME,
)
learning = [1 + each.update / each.forward for each in costs.values()]
Markdown(
    f"In PyTorch it takes {span(learning, '.2g')} times as long to learn an image as "
    f"to classify it ({costs.source}). At the best accuracy that both reached, lazy "
    f"learning was {at_best('pytorch_seconds')} times as fast as backprop in the "
    f"PyTorch loop (modelled), and {at_best('seconds')} times in this engine."
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the model is checked"}
checks = real_runs.published()
backprop, lazy, gain = (
    span([getattr(check, name).median for check in checks.values()], ".2f")
    for name in ("backprop", "lazy", "gain")
)
Markdown(
    f"Is the model right? Runs of {real_runs.EPOCHS * real_runs.SAMPLES:,} images were "
    f"made in PyTorch ({checks.source}). Their costs were measured in the same rounds, "
    f"and only ratios of times of one round are used. In the medians for "
    f"{span(checks, 'd')} hidden units backprop took {backprop} times the modelled "
    f"time, and lazy learning {lazy} times. So the time of lazy learning relative to "
    f"backprop, which is what counts here, is {gain} times what the model says."
)

# %% [markdown]
# ## Updates and memory
#
# The number of samples learned says what a computer has to do, whatever its speed. Backprop learns
# every image in every epoch. Lazy learning learns its mistakes, old and new. Most of them are made
# in the first epoch; later only a few new ones come in, and what it learns is nearly all memory. A
# larger network makes fewer mistakes as it learns, and so has less to remember.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the updates figure"}
images = datasets.load("mnist").train
learned, left = plotting.subplots(figsize=(3.95, 3.9))
plotting.against_accuracy(left, runs, "updates")
left.set(ylabel="samples learned")
left.get_legend().remove()  # the colours are those of the other panel

memorized, right = plotting.subplots(figsize=(3.95, 3.9))
for size in scale.hidden:
    band = analysis.band([pairs[size, seed][1] for seed in scale.seeds], "memorized")
    plotting.draw_band(right, 100 * band / len(images), LAZY, size, scale.hidden)
right.set(xlabel="epoch", ylabel="memorized (% of the training set)", ylim=(0, None))
right.locator_params(axis="x", integer=True)
right.legend(
    handles=plotting.key([LAZY], scale.hidden), loc="lower right", fontsize="small"
)
plotting.show(
    learned,
    memorized,
    name="fig-mnist-updates",
    caption="(a) Samples learned until a test accuracy was first reached, by "
    "backprop (blue) and lazy learning (orange). (b) The share of the training "
    "set that lazy learning has misclassified at least once. Lines are means over "
    f"seeds, bands go from the lowest to the highest; {notebook.seeds(ends)}. (Paper: "
    "text to Fig. 2; Fig. 3c.)",
    alt="a, samples learned rise with accuracy, for lazy learning several times "
    "fewer than for backprop. b, the memorized share rises quickly in the first "
    "epochs and then levels off; the larger the network, the smaller it is.",
    notebook=NAME,
)
share = [100 * lazy.final["memorized"] / len(images) for _, lazy in pairs.values()]
count = [
    lazy.final["updates"] / backprop.final["updates"]
    for backprop, lazy in pairs.values()
]
Markdown(
    f"At the end lazy learning remembers {span(share, '.1f')} % of the images, and has"
    f" made {span([100 * each for each in count], '.0f')} % of backprop's updates."
)

# %% [markdown]
# ## A mislabelled image
#
# Training image 59,915 is one that no network should learn: it looks like a 7 and is labelled 4. A
# rule that learns from mistakes keeps coming back to it.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the mislabelled image"}
INDEX = 59_915
sevens, fours = (np.flatnonzero(images.labels == digit)[:3] for digit in (7, 4))
shown = [*sevens, INDEX, *fours]
figure, axes = plotting.subplots(figsize=(5.4, 1.2))
plotting.digits(axes, images.values[[shown]], framed=(0, shown.index(INDEX)))
axes.set(yticks=[])
axes.set_xticks(range(len(shown)), [f"{i:,}\nlabel {images.labels[i]}" for i in shown])
plotting.show(
    figure,
    name="fig-mnist-mislabelled",
    caption="Training image 59,915 (framed) between the first three 7s and the first "
    "three 4s of the training set. (Paper: Appendix.)",
    alt="Seven handwritten digits: three sevens, an image that looks like a seven and "
    "is labelled four, and three fours.",
    notebook=NAME,
)

# %% [markdown]
# ## The claims
#
# Each claim of the paper about this figure, and what was measured here. Ratios at equal accuracy
# compare when each run first reached an accuracy, at every tenth of a percent from 90 % up to the
# best that both reached; the largest of these ratios counts. Times are those in PyTorch, and are
# compared at 95, 96 and 97 %, where both got so far.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
found = notebook.Findings(
    settings, NAME, "LL5", "LL6", "LL7", "LL16", "LL21", "LL22", "LL24"
)
found.add("LL16", "label of image 59915", "MNIST", images.labels[INDEX])
for claim, column, measure in (
    ("LL5", "energy_m1", "largest M(lazy) / M(backprop) above 90 %"),
    ("LL6", "updates", "largest updates(lazy) / updates(backprop) above 90 %"),
):
    largest = {key: ratio.max() for key, ratio in ratios(column).items()}
    found.each(claim, measure, "H = {}", largest)
counts = {
    key: lazy.final["updates"] / backprop.final["updates"]
    for key, (backprop, lazy) in pairs.items()
}
found.each("LL6", "updates(lazy) / updates(backprop) at the end", "H = {}", counts)
remembered = {key: lazy.arrays["memory"][INDEX] for key, (_, lazy) in pairs.items()}
found.each("LL16", "memorized by lazy learning", "H = {}", remembered)
for accuracy in (0.95, 0.96, 0.97):
    where = f"{100 * accuracy:g} %"
    sooner = relative("pytorch_seconds", accuracy)
    measure = "modelled PyTorch time of lazy / of backprop"
    found.each("LL7", measure, f"{where}, H = {{}}", sooner)
    measure = "images presented to lazy / to backprop"
    presented = relative("samples", accuracy)
    found.each("LL24", measure, f"{where}, H = {{}}", presented)
    falls = {
        seed: sooner[min(scale.hidden), seed] / sooner[max(scale.hidden), seed]
        for seed in scale.seeds
    }
    found.each("LL7", "that ratio at the smallest H / at the largest", where, falls)
measure = "best accuracy of lazy - of backprop on MNIST (points)"
found.each("LL21", measure, "H = {}", gains)
# Had each image that is memorized been learned once an epoch, and no other one.
expected = {}
for (size, seed), (backprop, lazy) in pairs.items():
    memorized = lazy.final["memorized"] / len(images.labels)
    forward, update = costs[size].forward, costs[size].update
    took = [run.table["pytorch_seconds"].iloc[-1] for run in (lazy, backprop)]
    gain = (forward + memorized * update) / (forward + update)
    expected[size, seed] = took[0] / took[1] / gain
measure = "modelled PyTorch time of lazy / of backprop by the share memorized"
found.each("LL22", measure, "H = {}", expected)
found.verdicts([result])

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
found.answer(
    f"Lazy learning reaches the same accuracy with **{at_best('energy_m1')} times less "
    "energy** than backprop, from "
    f"{span([100 * ratio for ratio in counts.values()], '.0f')}&nbsp;% of its updates. "
    "Its best accuracy differs by "
    f"{span(gains.groupby('hidden').mean(), '+.2f')} points, in the means over seeds."
)
# The book's first page says this too.
glue("saving", at_best("energy_m1"), display=False)

# %% [markdown]
# ## Your turn
#
# **1.** Lazy learning makes fewer updates. Are they smaller than those of backprop, as large, or
# larger? Guess, and compare the energy of an update, the mean over a whole run.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: the size of an update"}
# NBVAL_CHECK_OUTPUT
for hidden in scale.hidden:
    finals = [run.final for run in pairs[hidden, scale.seeds[0]]]
    plain, lazy = (final["energy_m1"] / final["updates"] for final in finals)
    print(
        f"H = {hidden}: backprop {plain:.3f}, lazy {lazy:.3f}: {lazy / plain:.1f} times"
    )

# %% [markdown]
# **2.** Of what lazy learning learns in its last epoch, which part is new: misclassified there for
# the first time? And in the first epoch?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: new mistakes"}
# NBVAL_CHECK_OUTPUT
for hidden in scale.hidden:
    table = pairs[hidden, scale.seeds[0]][1].table.set_index("epoch")
    new = table["memorized"].loc[range(scale.epochs + 1)].diff()
    parts = 100 * new / table["updates"].loc[range(scale.epochs + 1)].diff()
    first, final = parts[1], parts[scale.epochs]
    print(f"H = {hidden}: {first:.0f} % of the first epoch, {final:.2f} % of the last")

# %% [markdown]
# Next: {doc}`Is more saved where there is more to learn from? <fig3_emnist>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([result], timed=["LL7", "LL22"])

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, [result])
