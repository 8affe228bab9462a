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
# # Lazy learning of four times as many digits · lazy learning, Fig. 3
#
# Lazy learning learns from the images that the network misclassified {cite}`pache2023lazy`. In a
# larger data set there are more of these. Are there proportionally as many, or does the network
# come to know its task, and find less and less that is new? What is saved then?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`lazy learning of MNIST <fig2_mnist>`, whose runs these are, on other images.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
hidden = None
epochs = None
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
import math
from dataclasses import replace

import numpy as np
from IPython.display import Markdown

from lazybook import datasets
from lazybook.benchmarks import cost
from lazybook.book import analysis, notebook, plotting
from lazybook.book.notebook import span
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=([30, 100], [100, 200, 500, 1000], [100, 200, 500, 1000]),
    epochs=(2, 4, 50),
    mnist_epochs=(2, 10, 50),
    measure_every=(1500, 60_000, 60_000),
    stand_in=("deformed-mnist:6000", "deformed-mnist:240000", "deformed-mnist:240000"),
    seeds=([0], [0], [0, 1, 2]),
    mnist_seeds=([0], [0], [0, 1, 2, 3, 4]),
)
mnist_epochs = settings.epochs or scale.mnist_epochs
mnist_seeds = settings.seeds or scale.mnist_seeds
NAME = "lazy_learning/fig3_emnist"
LAZY = "memorized-mistakes"

# %% [markdown]
# ## The images
#
# The paper asks this of the digits of EMNIST {cite}`cohen2017emnist`: 240,000 images to train and
# 40,000 to test, four times as many as MNIST has, by more writers, in the same format.
#
# EMNIST takes a download of more than half a gigabyte, so it does not come with this book. Where
# its files are not found, *deformed MNIST* stands in for it: images of MNIST, each several times,
# each time a little turned, scaled, sheared, shifted and bent at random {cite}`loosli2007training`.
# Its test images are deformations of MNIST's test images. That makes as many different images, but
# they are by no more writers than MNIST's. So it can show what more data do to lazy learning; the
# paper's numbers are for EMNIST, and are not judged by it.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the images"}
files = {entry.name: entry for entry in datasets.available()}["emnist-digits"]
is_emnist = settings.profile != "smoke" and files.folder is not None
digits = "EMNIST" if is_emnist else "deformed MNIST"
name = "emnist-digits" if is_emnist else scale.stand_in
images = datasets.load(name)
figure, axes = plotting.subplots(figsize=(5.4, 1.4))
plotting.digits(axes, images.train.values[:16].reshape(2, 8, -1))
axes.set(xticks=[], yticks=[])
plotting.show(
    figure,
    name="fig-emnist-images",
    caption=f"The first training images of {digits}.",
    alt="Two rows of eight handwritten digits.",
    notebook=NAME,
)
Markdown(
    f"What is learned on this page is **{digits}** (`{name}`): {len(images.train):,} "
    f"images to train and {len(images.test):,} to test."
    + (
        ""
        if is_emnist
        else " To have EMNIST instead, say `lazybook data fetch emnist-digits`, and "
        "make the page again, with the profile `quick` or `paper`."
    )
)

# %% [markdown]
# ## The runs
#
# They are those of {doc}`fig2_mnist`, with the other images: the same networks, the same two rules,
# one image at a time. The test set is measured four times an epoch, which in EMNIST is every 60,000
# images, as in the paper. For comparison there are the runs on MNIST from that page.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
base = preset("lazy")
more = replace(
    base,
    dataset=name,
    epochs=scale.epochs,
    measure_every=scale.measure_every,
    measure_training=False,
)
gates = [EverySample(), MemorizedMistakes()]
result = settings.sweep(grid(more, hidden=scale.hidden, seed=scale.seeds, gate=gates))

mnist = replace(base, epochs=mnist_epochs)
mnist_result = settings.sweep(
    grid(mnist, hidden=scale.hidden, seed=mnist_seeds, gate=gates)
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what is compared"}
costs = cost.costs(scale.hidden, settings.profile)
runs = []
for run in result.runs:
    seconds = costs[run.experiment.hidden].seconds(run.table)
    runs.append(replace(run, table=run.table.assign(pytorch_seconds=seconds)))
keys = [(size, seed) for size in scale.hidden for seed in scale.seeds]
pairs = dict(zip(keys, zip(runs[::2], runs[1::2], strict=True), strict=True))
mnist_keys = [(size, seed) for size in scale.hidden for seed in mnist_seeds]
mnist_runs = dict(zip(mnist_keys, mnist_result.runs[1::2], strict=True))
mnist_pairs = zip(mnist_result.runs[::2], mnist_result.runs[1::2], strict=True)
mnist_pairs = dict(zip(mnist_keys, mnist_pairs, strict=True))
N_SEEDS = notebook.seeds(result.ends())
ON_MNIST = f"n = {len(mnist_seeds)} on MNIST".replace(" ", "\N{NBSP}")
best = {
    key: [run.table["test_accuracy"].max() for run in pair]
    for key, pair in pairs.items()
}
points = {key: 100 * (lazy - backprop) for key, (backprop, lazy) in best.items()}


def at_best(column, pairs=pairs):
    """Return backprop / lazy at the best common accuracy, for each size and seed."""
    return {key: analysis.at_best_common(*pair, column) for key, pair in pairs.items()}


def spelled(ratios):
    """Return the range of ratios over sizes, in the means over seeds."""
    return span(analysis.over_seeds(ratios), ".2g")


# %% [markdown]
# ## Time and accuracy
#
# A curve ends at the best accuracy that was reached; its height there is the time it took: in an
# ordinary PyTorch loop, where an update costs several times as much as a forward pass, and in the
# engine of this book, where it does not ({doc}`../how_fast`).

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the time figure"}
STRETCHED = "The axis is stretched towards 100&nbsp;%, by the share of errors."
panels = []
for title, column in (
    ("PyTorch loop (modelled)", "pytorch_seconds"),
    ("this book's engine", "seconds"),
):
    figure, axes = plotting.subplots(figsize=(3.95, 3.9))
    plotting.against_accuracy(axes, runs, column)
    axes.set(title=title, ylabel="training time (s)")
    axes.get_legend().set_loc("lower right")
    panels.append(figure)
panels[1].axes[0].get_legend().remove()  # the colours are those of the other panel
plotting.show(
    *panels,
    name="fig-emnist-time",
    caption="Training time on one core until a test accuracy was first reached, on "
    f"{digits}. (a) In an ordinary PyTorch loop, modelled: the number of forward "
    f"passes and updates times what each costs ({costs.source}). (b) In the "
    "engine that made the runs. Blue is backprop, orange lazy learning. Lines are "
    f"means over seeds, bands go from the lowest to the highest; {N_SEEDS}. "
    f"{STRETCHED} (Paper: Fig. 3a, there in PyTorch on a GPU.)",
    alt="Two panels of curves of training time, on logarithmic axes, rising with "
    "accuracy, for both rules and all network sizes.",
    notebook=NAME,
)
gained = {size: [points[size, seed] for seed in scale.seeds] for size in scale.hidden}
Markdown(
    "The best accuracy of lazy learning, less that of backprop, is in the mean over "
    "seeds "
    + ", ".join(
        f"{span([np.mean(gain)], '+.2f')} (H = {size}; single seeds "
        f"{span(gain, '+.2f')})"
        for size, gain in gained.items()
    )
    + " percentage points. At the best accuracy that both reached, lazy learning was"
    f" {spelled(at_best('pytorch_seconds'))} times as fast as backprop in the PyTorch"
    f" loop (modelled), and {spelled(at_best('seconds'))} times in this engine."
)

# %% [markdown]
# ## Energy
#
# Backprop changes its synapses for every image, also where there is little left to learn, and every
# change costs, whether or not a later one undoes it. The paper found that lazy learning saves more
# of that energy here than on MNIST ({doc}`fig2_mnist`).

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the energy figure"}
panels = []
for title, drawn in (("MNIST", mnist_result.runs), (digits, runs)):
    figure, axes = plotting.subplots(figsize=(3.95, 3.9))
    plotting.against_accuracy(axes, drawn, "energy_m1")
    axes.set(title=title, ylabel="energy $M$ (sum of weight changes)")
    panels.append(figure)
low, high = zip(*[figure.axes[0].get_ylim() for figure in panels], strict=True)
for figure in panels:
    figure.axes[0].set_ylim(min(low), max(high))
panels[1].axes[0].get_legend().remove()  # the colours are those of the other panel
plotting.show(
    *panels,
    name="fig-emnist-energy",
    caption="Energy spent until a test accuracy was first reached, on (a) MNIST "
    f"and (b) {digits}, for networks of <i>H</i> hidden units. Blue is backprop, "
    "orange lazy learning. Lines are means over seeds, bands go from the lowest to the "
    f"highest; {N_SEEDS}, {ON_MNIST}. {STRETCHED} (Paper: Fig. 3b.)",
    alt="Two panels of curves of energy, on a logarithmic axis, rising with accuracy, "
    "for both rules and all network sizes.",
    notebook=NAME,
)
saved = at_best("energy_m1")
saved_on_mnist = at_best("energy_m1", mnist_pairs)
Markdown(
    f"At the best accuracy that both reached, backprop spent {spelled(saved)} times "
    f"the energy of lazy learning on {digits}, and {spelled(saved_on_mnist)} times on "
    "MNIST, in the means over seeds of each size."
)

# %% [markdown]
# ## What is remembered
#
# An image misclassified once is learned each time it is presented again. So the share of images
# that are remembered is, more or less, the share of updates that lazy learning cannot save. If it
# is smaller in the larger set, lazy learning gains by having more data.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the memory figure"}
panels, tops = [], []
for title, total, found_in, which in (
    ("MNIST", len(datasets.load("mnist").train), mnist_runs, mnist_seeds),
    (
        digits,
        len(images.train),
        {key: lazy for key, (_, lazy) in pairs.items()},
        scale.seeds,
    ),
):
    figure, axes = plotting.subplots(figsize=(3.95, 3.7))
    for size in scale.hidden:
        band = analysis.band([found_in[size, seed] for seed in which], "memorized")
        plotting.draw_band(axes, 100 * band / total, LAZY, size, scale.hidden)
    axes.set(title=title, xlabel="epoch", ylabel="memorized (% of the training set)")
    axes.locator_params(axis="x", integer=True)
    tops.append(axes.get_ylim()[1])
    panels.append(figure)
for figure in panels:
    figure.axes[0].set_ylim(0, max(tops))
panels[0].axes[0].legend(
    handles=plotting.key([LAZY], scale.hidden), loc="lower right", fontsize="small"
)
plotting.show(
    *panels,
    name="fig-emnist-memorized",
    caption="The share of the training set that lazy learning has misclassified at "
    f"least once, of the {len(datasets.load('mnist').train):,} images of MNIST "
    f"(a) and the {len(images.train):,} of {digits} (b). Lines are means "
    f"over seeds, bands go from the lowest to the highest; {N_SEEDS}, {ON_MNIST}. "
    "(Paper: Fig. 3c.)",
    alt="Two panels of curves that rise quickly in the first epochs and then level "
    "off; the larger the network, the lower.",
    notebook=NAME,
    lead=True,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the numbers"}
share = {
    key: lazy.final["memorized"] / len(images.train) for key, (_, lazy) in pairs.items()
}
mnist_share = {
    key: run.final["memorized"] / len(datasets.load("mnist").train)
    for key, run in mnist_runs.items()
}
times = {
    key: pairs[key][1].final["memorized"] / mnist_runs[key].final["memorized"]
    for key in pairs
}
larger = len(images.train) / len(datasets.load("mnist").train)
exponents = np.log(analysis.over_seeds(times)) / math.log(larger)
STAND_IN = (
    " How much of the difference is the stand-in's cannot be told here: deformations "
    "at random make an image new that another writer's need not be."
)
Markdown(
    f"Lazy learning remembers {span([100 * s for s in share.values()], '.1f')} % of "
    f"{digits} after {scale.epochs} epochs, against "
    f"{span([100 * s for s in mnist_share.values()], '.1f')} % of MNIST after "
    f"{mnist_epochs}: from {larger:.2g} times as many images it keeps "
    f"{spelled(times)} times as many. That is the number of images to the "
    f"power of {span(exponents, '.2g')}; the paper's twice as many of four times as "
    "many would be a power of 0.5." + ("" if is_emnist else STAND_IN)
)

# %% [markdown]
# ## The claims
#
# The time that counts is the one modelled for PyTorch, until the test accuracy that was backprop's
# best was first reached; the ratio is 0 if lazy learning never reached it. The saving of energy is
# that of backprop divided by that of lazy learning, at the best accuracy that both reached. What
# was measured on deformed MNIST is shown and not judged.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
stand_in = "" if is_emnist else digits
found = notebook.Findings(settings, NAME, "LL8", "LL9", "LL10", "LL23")
measure = "best accuracy of lazy - of backprop (points)"
found.each("LL8", measure, "H = {}", points, stand_in)
measure = "that difference at the smallest H - at the largest"
fall = {
    seed: points[min(scale.hidden), seed] - points[max(scale.hidden), seed]
    for seed in scale.seeds
}
found.each("LL8", measure, "all sizes", fall, stand_in)
more = {key: saved[key] / saved_on_mnist[key] for key in pairs}
found.each("LL23", "saving of energy on EMNIST / on MNIST", "H = {}", more, stand_in)
found.each("LL10", "share of EMNIST memorized", "H = {}", share, stand_in)
found.each("LL10", "memorized of EMNIST / of MNIST", "H = {}", times, stand_in)
found.each("LL10", "share of MNIST memorized", "H = {}", mnist_share)
for seed in scale.seeds if 1000 in scale.hidden else []:
    backprop, lazy = best[1000, seed]
    reached = [
        analysis.when_reached(run, [backprop], "pytorch_seconds").item()
        for run in pairs[1000, seed]
    ]
    # 0 if lazy learning never gets there
    sooner = reached[0] / reached[1] if lazy >= backprop else 0.0
    for measure, value in (
        ("best accuracy of backprop (%)", 100 * backprop),
        ("modelled PyTorch time of backprop / of lazy to that accuracy", sooner),
        ("best accuracy of lazy (%)", 100 * lazy),
    ):
        found.add("LL9", measure, "H = 1000", value, seed, stand_in)
if not is_emnist:
    missing = "EMNIST is not here; lazybook data fetch emnist-digits gets it"
    if settings.profile == "smoke":
        missing = "EMNIST is not in this profile"
    for claim, measure in (
        ("LL8", "best accuracy of lazy - of backprop (points)"),
        ("LL9", "best accuracy of backprop (%)"),
        ("LL10", "share of EMNIST memorized"),
        ("LL23", "saving of energy on EMNIST / on MNIST"),
    ):
        found.lacks(claim, measure, "all sizes", missing)
found.verdicts([result, mnist_result])

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
on = digits if is_emnist else f"{digits}, which stands in for EMNIST here"
found.answer(
    f"From {larger:.2g} times as many images lazy learning memorizes "
    f"**{spelled(times)} times as many** (on {on}). Backprop spends {spelled(saved)} "
    f"times its energy there and {spelled(saved_on_mnist)} times on MNIST; the best "
    f"accuracies differ by {span(map(np.mean, gained.values()), '+.2f')} points."
)

# %% [markdown]
# ## Your turn
#
# **1.** Suppose that the power law of this page went on. Of a set that has sixteen times as many
# images as MNIST, how many times as many would be memorized, and which share of the set?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: sixteen times as many"}
# NBVAL_CHECK_OUTPUT
on_mnist = {key: mnist_share[key] for key in times}
for hidden, exponent in exponents.items():
    more = 16**exponent
    part = more / 16 * analysis.over_seeds(on_mnist)[hidden]
    print(f"H = {hidden}: {more:.1f} times as many, {100 * part:.1f} % of the set")

# %% [markdown]
# **2.** In which of the two sets does more of the memory come from the first epoch?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: the first epoch"}
# NBVAL_CHECK_OUTPUT
for hidden in scale.hidden:
    lazy_runs = {"MNIST": mnist_runs[hidden, mnist_seeds[0]]}
    lazy_runs[digits] = pairs[hidden, scale.seeds[0]][1]
    early = {
        task: 100
        * run.table.set_index("epoch")["memorized"][1]
        / run.final["memorized"]
        for task, run in lazy_runs.items()
    }
    print(
        f"H = {hidden}:", ", ".join(f"{n:.0f} % of {task}" for task, n in early.items())
    )

# %% [markdown]
# Next: {doc}`What if nothing is remembered at all? <fig4_pure_lazy>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([result, mnist_result])

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, [result, mnist_result])
