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
# # Lazy learning of MNIST (Figure 2)
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

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, Markdown

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
# Networks of several sizes $H$ of the hidden layer; leaky rectified hidden units, ten linear
# outputs, mean squared error to a one-hot target, learning rate 0.01, no batches. The two rules
# start from the same weights and see the images in the same order. The test set is measured every
# 5,000 images, as in the paper, and the training set once an epoch; measuring is not counted as
# training time.

# %%
base = preset("lazy", epochs=epochs, engine=settings.engine, device=settings.device)
gates = [EverySample(), MemorizedMistakes()]
experiments = grid(base, hidden=hidden, seed=seeds, gate=gates)
result = sweep(experiments, jobs=settings.jobs, fresh=settings.fresh)

# %% tags=["hide-input"]
keys = [(size, seed, rule) for size in hidden for seed in seeds for rule in (BACKPROP, LAZY)]
runs = dict(zip(keys, result.runs, strict=True))
pairs = {
    (size, seed): (runs[size, seed, BACKPROP], runs[size, seed, LAZY])
    for size in hidden
    for seed in seeds
}


def ratios(column):
    """Return lazy / backprop of ``column`` at each accuracy both reached, for each size, seed."""
    found = {}
    for key, (backprop, lazy) in pairs.items():
        accuracies = analysis.common_accuracies([backprop, lazy], least=0.9)
        spent = [analysis.when_reached(run, accuracies, column) for run in (lazy, backprop)]
        found[key] = spent[0] / spent[1]
    return found


def at_best(column):
    """Return the range over sizes and seeds of lazy / backprop at the best common accuracy."""
    last = [ratio[-1] for ratio in ratios(column).values() if len(ratio)]
    return f"{min(last):.2g} to {max(last):.2g}" if last else "not measured"


# %% [markdown]
# ## Energy
#
# The energy $M = \sum_t \sum_i |\Delta w_i(t)|$ is the length of the way that the synapses went.
# Read the figure upwards, at one accuracy: lazy learning gets there for less. Then read it to the
# right: the last percent is the dearest, for both rules.

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(5.4, 4.2))
plotting.against_accuracy(axes, result.runs, "energy_m1")
axes.set(ylabel="energy $M$ (sum of weight changes)")
STRETCHED = "The axis is stretched towards 100 %, by the share of errors."
plotting.show(
    figure,
    name="fig-mnist-energy",
    caption="Energy spent until a test accuracy was first reached, for networks of <i>H</i> "
    f"hidden units. Blue is backprop, orange lazy learning. {STRETCHED} (Paper: Fig. 2a.)",
    alt="Curves of energy, on a logarithmic axis, rising with accuracy. For each network size the "
    "curve of lazy learning lies below that of backprop.",
    notebook=NAME,
)
Markdown(
    "At the best accuracy that both rules reached, lazy learning spent "
    f"{at_best('energy_m1')} times the energy of backprop, depending on the network's size."
)

# %% [markdown]
# ## Time
#
# For most images lazy learning needs only the forward pass: it classifies the image, finds nothing
# to learn and goes on. How much time that saves depends on what a forward pass costs next to an
# update. At low accuracy it may save none, above all in small networks: a network that learns only
# mistakes has to look at more images to learn as much. The higher the accuracy, the more a network
# gets right at once, and the larger the gain.

# %% tags=["hide-input"]
figure, axes = plt.subplots(figsize=(5.4, 4.2))
plotting.against_accuracy(axes, result.runs, "seconds")
axes.set(ylabel="training time (s)")
plotting.show(
    figure,
    name="fig-mnist-time",
    caption="Training time until a test accuracy was first reached, as measured on the machine "
    f"that made this page. {STRETCHED} (Paper: Fig. 2b, there in PyTorch on a GPU.)",
    alt="Curves of training time, on a logarithmic axis, rising with accuracy, for both rules and "
    "all network sizes.",
    notebook=NAME,
)
cost = [lazy.final["seconds"] / backprop.final["seconds"] for backprop, lazy in pairs.values()]
Markdown(
    f"At the best common accuracy lazy learning took {at_best('seconds')} times as long as"
    f" backprop; for all {epochs} epochs, whatever they led to, {min(cost):.2g} to {max(cost):.2g}"
    " times."
)

# %% [markdown]
# ## Updates and memory
#
# The number of samples learned says what a computer has to do, whatever its speed. Backprop learns
# every image in every epoch. Lazy learning learns its mistakes, old and new. Most of them are made
# in the first epoch; later only a few new ones come in, and what it learns is nearly all memory. A
# larger network makes fewer mistakes on its way, and so has less to remember.

# %% tags=["hide-input"]
images = datasets.load("mnist").train
learned, left = plt.subplots(figsize=(3.95, 3.9))
plotting.against_accuracy(left, result.runs, "updates")
left.set(ylabel="samples learned")
left.get_legend().remove()  # the colours are those of the other panel and of the caption

memorized, right = plt.subplots(figsize=(3.95, 3.9))
for size in hidden:
    share = 100 * analysis.band([runs[size, seed, LAZY] for seed in seeds], "memorized")
    share /= len(images)
    look = {"color": plotting.shade(LAZY, size, hidden)}
    width = plotting.width(size, hidden)
    right.plot(share.index, share["mean"], **look, lw=width, label=f"H = {size}")
    right.fill_between(share.index, share["low"], share["high"], **look, alpha=0.25, lw=0)
right.set(xlabel="epoch", ylabel="memorized (% of the training set)", ylim=(0, None))
right.locator_params(axis="x", integer=True)
right.legend(loc="lower right")
plotting.show(
    learned,
    memorized,
    name="fig-mnist-updates",
    caption="Left: samples learned until a test accuracy was first reached, by backprop (blue) and "
    "lazy learning (orange). Right: the share of the training set that lazy learning has got wrong "
    "at least once. (Paper: text to Fig. 2; Fig. 3c.)",
    alt="Left, samples learned rise with accuracy, for lazy learning several times fewer than for "
    "backprop. Right, the memorized share rises quickly in the first epochs and then levels off; "
    "the larger the network, the smaller it is.",
    notebook=NAME,
)
share = [lazy.final["memorized"] / len(images) for _, lazy in pairs.values()]
count = [lazy.final["updates"] / backprop.final["updates"] for backprop, lazy in pairs.values()]
Markdown(
    f"At the end lazy learning remembers {100 * min(share):.1f} to {100 * max(share):.1f} % of the"
    f" images, and has learned {min(count):.2g} to {max(count):.2g} times as often as backprop."
)

# %% [markdown]
# ## A mislabelled image
#
# Training image 59,915 is one that no network should learn: it looks like a 7 and is labelled 4. A
# rule that learns from mistakes keeps coming back to it.

# %% tags=["hide-input"]
INDEX = 59_915
sevens, fours = (np.flatnonzero(images.labels == digit)[:3] for digit in (7, 4))
panels = []
for index in [*sevens, INDEX, *fours]:
    figure, axes = plt.subplots(figsize=(1.05, 1.45))
    axes.imshow(images.values[index].reshape(28, 28), cmap="gray")
    axes.set_title(f"{index:,}\nlabel {images.labels[index]}", fontsize=9, loc="center")
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[:].set(visible=index == INDEX, color=plotting.RULES[LAZY], linewidth=3)
    panels.append(figure)
plotting.show(
    *panels,
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
for key, column, measure in (
    ("LL5", "energy_m1", "largest M(lazy) / M(backprop) above 90 %"),
    ("LL6", "updates", "largest updates(lazy) / updates(backprop) above 90 %"),
):
    for (size, seed), ratio in ratios(column).items():
        largest = float(ratio.max(initial=-np.inf))
        found[key].append(Finding(measure, f"H = {size}", largest, seed))
for (size, seed), (backprop, lazy) in pairs.items():
    condition = f"H = {size}"
    count = lazy.final["updates"] / backprop.final["updates"]
    measure = "updates(lazy) / updates(backprop) at the end"
    found["LL6"].append(Finding(measure, condition, count, seed))
    share = lazy.final["memorized"] / len(images)
    found["LL10"].append(Finding("share of MNIST memorized", condition, share, seed))
    remembered = float(lazy.arrays["memory"][INDEX])
    found["LL16"].append(Finding("memorized by lazy learning", condition, remembered, seed))
claims.record(settings.profile, NAME, found)
HTML(claims.table([v for v in claims.verdicts(settings.profile) if v.claim.id in found], "../"))

# %% tags=["hide-cell"]
# NBVAL_CHECK_OUTPUT
for verdict in claims.verdicts(settings.profile):
    if verdict.claim.id in found:
        print(verdict.claim.id, verdict.word)
for (size, seed, rule), run in runs.items():
    final = run.final
    print(
        f"H = {size}, {rule}, seed {seed}: {final['updates']} updates,"
        f" {final['memorized']} memorized, accuracy {final['test_accuracy']}"
    )

# %% tags=["hide-input"]
notebook.provenance(settings, [result])
