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
# # Figure 2: lazy learning of MNIST
#
# A network that learns by backpropagation changes its synapses for every image that it is shown,
# also for those that it already gets right. *Lazy learning* leaves those alone: it learns an image
# if it gets it wrong now, or ever got it wrong before {cite}`pache2023lazy`. How much energy does
# that save, and what does it cost in accuracy and time?
#
# Here are networks with one hidden layer that learn the 60,000 handwritten digits of MNIST, one
# image at a time, once with each rule.

# %% tags=["parameters", "hide-input"]
profile = "quick"  # smoke, quick or paper
device = "cpu"  # cpu or cuda
jobs = None  # experiments at a time; None: one a core
fresh = False  # True: compute again what the run store already has
hidden = None  # sizes of the hidden layer, such as [100, 1000]; None: as the profile says
epochs = None  # length of a run; None: as the profile says
seeds = None  # one run each, such as [0, 1, 2]; None: as the profile says

# %%
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML

from lazybook import analysis, claims, datasets, notebook, plotting
from lazybook.claims import Finding
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes
from lazybook.sweep import sweep

settings = notebook.start(globals())
NAME = "lazy_learning/fig2_mnist"
hidden = settings.hidden or settings.choose(
    smoke=[30, 100], quick=[100, 200, 500, 1000], paper=[100, 200, 500, 1000]
)
epochs = settings.epochs or settings.choose(smoke=2, quick=15, paper=50)
seeds = settings.seeds or settings.choose(smoke=[0], quick=[0], paper=[0, 1, 2, 3, 4])
BACKPROP, LAZY = "every-sample", "memorized-mistakes"

# %% [markdown]
# ## The runs
#
# Leaky rectified hidden units, ten linear outputs, mean squared error to a one-hot target, learning
# rate 0.01, no batches. The test set is measured every 5,000 images, as in the paper, and the
# training set once an epoch; the training times below count training alone.

# %%
base = preset("lazy", epochs=epochs, engine=settings.engine, device=settings.device)
experiments = grid(base, hidden=hidden, seed=seeds, gate=[EverySample(), MemorizedMistakes()])
result = sweep(experiments, jobs=settings.jobs, fresh=settings.fresh)
runs = {
    (run.experiment.hidden, str(run.experiment.gate), run.experiment.seed): run
    for run in result.runs
}

# %% [markdown]
# ## Energy
#
# The energy $M$ is the length of the way that the synapses went:
# $M = \sum_t \sum_i |\Delta w_i(t)|$. Read the figure along a vertical line: to come to the same accuracy, lazy learning spends less, in
# every size. Reaching a higher accuracy costs more, and it gets steeper: the last percent is the
# dearest.


# %%
def draw(axes, column, against="test_accuracy"):
    """Draw a line a size and rule; the seeds' curves lie on each other."""
    for size in hidden:
        for rule in (BACKPROP, LAZY):
            for seed in seeds:
                table = runs[size, rule, seed].table.iloc[1:]
                axes.plot(
                    100 * table[against] if against == "test_accuracy" else table[against],
                    table[column],
                    color=plotting.shade(rule, size, hidden),
                    linewidth=1.2,
                    label=f"{plotting.NAMES[rule]}, H = {size}" if seed == seeds[0] else None,
                )


figure, axes = plt.subplots(figsize=(7, 4.4))
draw(axes, "energy_m1")
axes.set(xlabel="test accuracy (%)", ylabel="energy $M$ (sum of weight changes)", yscale="log")
axes.set_xlim(left=80)
axes.legend(ncols=2, fontsize=8)
plotting.show(
    figure,
    name="fig-mnist-energy",
    caption="Energy spent against the test accuracy reached, as learning goes on. Blue: backprop, "
    "orange: lazy learning; the deeper the colour, the larger the network. "
    "(Paper: Fig. 2a.)",
    alt="Curves of energy, on a logarithmic axis, rising with accuracy. For each network size the "
    "curve of lazy learning lies below that of backprop.",
    notebook=NAME,
)

# %% [markdown]
# ## Time
#
# For most images lazy learning needs only the forward pass. In the paper's PyTorch loop the
# updates took nearly all the time, here a forward pass costs about a third of a learned sample, so
# the gain in time is smaller than that in updates; see the next figure for the updates themselves.

# %%
figure, axes = plt.subplots(figsize=(7, 4.4))
draw(axes, "seconds")
axes.set(xlabel="test accuracy (%)", ylabel="training time (s)", yscale="log")
axes.set_xlim(left=80)
axes.legend(ncols=2, fontsize=8)
plotting.show(
    figure,
    name="fig-mnist-time",
    caption="Time spent on training, measured here, against the test accuracy reached. "
    "(Paper: Fig. 2b, there in PyTorch on a GPU.)",
    alt="Curves of training time, on a logarithmic axis, rising with accuracy, for both rules and "
    "all network sizes.",
    notebook=NAME,
)

# %% [markdown]
# ## Updates and memory
#
# The number of samples learned says what a computer has to do. Backprop learns 60,000 an epoch.
# Lazy learning starts with most of them, as it gets nearly all wrong, but soon only a few new
# mistakes come in; what it goes on learning is its memory of mistakes.

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8))
draw(left, "updates")
left.set(xlabel="test accuracy (%)", ylabel="samples learned", yscale="log", xlim=(80, None))
for size in hidden:
    lazy = [runs[size, LAZY, seed] for seed in seeds]
    share = 100 * analysis.band(lazy, "memorized") / 60_000
    colour = plotting.shade(LAZY, size, hidden)
    right.plot(share.index, share["mean"], color=colour, label=f"H = {size}")
    right.fill_between(share.index, share["low"], share["high"], color=colour, alpha=0.3, lw=0)
right.set(xlabel="epoch", ylabel="memorized (% of training set)", ylim=(0, None))
right.legend(fontsize=8)
plotting.show(
    figure,
    name="fig-mnist-updates",
    caption="Left: samples learned against the test accuracy reached. Right: the share of the "
    "training set that lazy learning has got wrong at least once. "
    "(Paper: text to Fig. 2; Fig. 3c.)",
    alt="Left, samples learned rise with accuracy, for lazy learning several times fewer than for "
    "backprop. Right, the memorized share rises quickly in the first epochs and then levels off.",
    notebook=NAME,
)

# %% [markdown]
# ## A mislabelled image
#
# Training image 59,915 is one that no network should learn: it looks like a 7 and is labelled 4.
# A rule that learns mistakes keeps coming back to it.

# %%
images = datasets.load("mnist").train
INDEX = 59_915
sevens, fours = (np.flatnonzero(images.labels == digit)[:3] for digit in (7, 4))
figure, row = plt.subplots(1, 7, figsize=(9, 1.7))
for axes, index in zip(row, [*sevens, INDEX, *fours], strict=True):
    axes.imshow(images.values[index].reshape(28, 28), cmap="gray")
    axes.set_title(f"{index:,}\nlabel {images.labels[index]}", fontsize=8, loc="center")
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[:].set_visible(index == INDEX)
    axes.spines[:].set(color=plotting.RULES[LAZY], linewidth=3)
plotting.show(
    figure,
    name="fig-mnist-mislabelled",
    caption="Training image 59,915 (framed) between the first three 7s and the first three 4s of "
    "the training set. (Paper: Appendix.)",
    alt="Seven handwritten digits: three sevens, an image that looks like a seven and is labelled "
    "four, and three fours.",
    notebook=NAME,
)

# %% [markdown]
# ## The claims
#
# Each claim of the paper about this figure, and what was measured here. Ratios at equal accuracy
# compare when each run first reached an accuracy, at every tenth of a percent from 90 % up to the
# best that both reached; the largest of these ratios counts.

# %% tags=["hide-input"]
found = {"LL5": [], "LL6": [], "LL10": [], "LL16": []}
found["LL16"].append(Finding("label of image 59915", "MNIST", float(images.labels[INDEX])))
for size in hidden:
    for seed in seeds:
        pair = backprop, lazy = runs[size, BACKPROP, seed], runs[size, LAZY, seed]
        condition = f"H = {size}"
        accuracies = analysis.common_accuracies(pair, least=0.9)
        for key, column, measure in (
            ("LL5", "energy_m1", "largest M(lazy) / M(backprop) above 90 %"),
            ("LL6", "updates", "largest updates(lazy) / updates(backprop) above 90 %"),
        ):
            spent = [analysis.when_reached(run, accuracies, column) for run in (lazy, backprop)]
            ratio = (spent[0] / spent[1]).max(initial=-np.inf)
            found[key].append(Finding(measure, condition, float(ratio), seed))
        ratio = lazy.final["updates"] / backprop.final["updates"]
        measure = "updates(lazy) / updates(backprop) at the end"
        found["LL6"].append(Finding(measure, condition, ratio, seed))
        share = lazy.final["memorized"] / len(images)
        found["LL10"].append(Finding("share of MNIST memorized", condition, share, seed))
        remembered = float(lazy.arrays["memory"][INDEX])
        found["LL16"].append(Finding("memorized by lazy learning", condition, remembered, seed))
claims.record(settings.profile, NAME, found)
HTML(claims.table([v for v in claims.verdicts(settings.profile) if v.claim.id in found], "../"))

# %% tags=["hide-input"]
# NBVAL_CHECK_OUTPUT
for verdict in claims.verdicts(settings.profile):
    if verdict.claim.id in found:
        print(verdict.claim.id, verdict.word)
for (size, rule, seed), run in runs.items():
    final = run.final
    print(
        f"H = {size}, {rule}, seed {seed}: {final['updates']} updates,"
        f" {final['memorized']} memorized, accuracy {final['test_accuracy']}"
    )

# %% tags=["hide-input"]
notebook.provenance(settings, [result])
