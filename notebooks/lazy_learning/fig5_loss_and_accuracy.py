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
# # Pure lazy learning and what it misses · lazy learning, Fig. 5
#
# Pure lazy learning is the thriftiest rule of all ({doc}`fig4_pure_lazy`), and yet it is not the
# one that its authors recommend {cite}`pache2023lazy`. It leaves an image alone as soon as its
# digit has the largest output, by however small a margin. What becomes of the loss then, and of the
# images that it has never seen?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`pure lazy learning and its energy <fig4_pure_lazy>`, which has the runs.

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
from collections import Counter
from dataclasses import replace

from IPython.display import Markdown

from lazybook.book import analysis, notebook, plotting
from lazybook.book.notebook import span
from lazybook.experiment import grid, preset
from lazybook.gates import Mistakes

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=([30, 100], [100, 200, 500, 1000], list(range(100, 1001, 100))),
    epochs=(2, 10, 50),
    seeds=([0], [0], [0, 1, 2, 3, 4]),
)
NAME = "lazy_learning/fig5_loss_and_accuracy"
GOAL = 0.975  # of the test set classified correctly: then a run stops
RULES = BACKPROP, PURE = "every-sample", "mistakes"

# %% [markdown]
# ## The runs
#
# They are those of {doc}`fig4_pure_lazy`: a run stops when it classifies 97.5 % of the test set
# correctly, or else after the last epoch. The runs of backprop that went on are cut where they
# first got so far.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
base = preset("lazy", epochs=scale.epochs)
SHARED = (30, 100, 200, 500, 1000)
backprop = [
    experiment if experiment.hidden in SHARED else replace(experiment, until=GOAL)
    for experiment in grid(base, hidden=scale.hidden, seed=scale.seeds)
]
pure = grid(
    replace(base, gate=Mistakes(), until=GOAL), hidden=scale.hidden, seed=scale.seeds
)
whole = settings.sweep(backprop + pure)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the panels"}
result = replace(whole, runs=[analysis.cut(run, GOAL) for run in whole.runs])
ends = result.ends().set_index(["hidden", "seed"])
backprop, pure = (ends[ends["gate"] == rule] for rule in RULES)


def runs_of(rule, size):
    """Return the runs of a rule at one size."""
    return [
        run
        for run in result.runs
        if (str(run.experiment.gate), run.experiment.hidden) == (rule, size)
    ]


def panel(column, label, factor=1):
    """Return a figure of ``column`` against the epoch, and its axes."""
    figure, axes = plotting.subplots(figsize=(3.95, 3.9))
    for rule in RULES:
        for size in scale.hidden:
            runs = runs_of(rule, size)
            band = factor * analysis.band(runs, column).iloc[1:]
            look = {"color": plotting.shade(rule, size, scale.hidden)}
            line = {"lw": plotting.width(size, scale.hidden)}
            axes.plot(band.index, band["mean"], **look, **line)
            if size in (min(scale.hidden), max(scale.hidden)):
                plotting.draw_band(axes, band, rule, size, scale.hidden)
            for run in runs if rule == BACKPROP else []:
                end = run.table.iloc[-1]
                axes.plot(end["epoch"], factor * end[column], ".", **look, ms=4)
    axes.set(xlabel="epoch", xscale="log", ylabel=label)
    axes.xaxis.set_major_formatter("{x:g}")
    return figure, axes


def accuracy(column, label, ticks):
    """Return a panel of an accuracy, stretched towards 100 %, with the goal."""
    figure, axes = panel(column, label, 100)
    plotting.stretch(axes, "y", ticks)
    axes.axhline(100 * GOAL, color=plotting.INK, lw=0.8, ls=":")
    low, high = axes.dataLim.intervaly
    axes.set_ylim(100 - 1.1 * (100 - low), 100 - 0.85 * (100 - high))
    return figure


LINES = (
    "Blue is backprop, green pure lazy learning; the darker and thicker a line, the "
    f"larger the network, of {span(scale.hidden, 'd')} hidden units. Lines are means "
    "over seeds; for the smallest and the largest network bands go from the lowest to "
    f"the highest; {notebook.seeds(result.ends())}. A line ends where the first of its "
    "runs stopped; dots are the ends of all runs of backprop. Dotted: "
    f"{100 * GOAL:g}&nbsp;%, where the runs stop if they get there on the test set. "
    "The axis of the accuracy is stretched towards 100&nbsp;%, by the share of errors."
)

# %% [markdown]
# ## The loss
#
# The loss is the squared difference of outputs and targets, averaged over the ten outputs. A
# network that answers 0.1 ten times, whatever it is shown, knows nothing and has a loss of 0.09.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the test set"}
losses, loss = panel("test_loss", "loss on the test set")
loss.set_ylim(0, 0.07)
key = {"handles": plotting.key(RULES, scale.hidden), "ncols": 2, "fontsize": "small"}
loss.legend(**key, loc="center right", bbox_to_anchor=(1, 0.42))
ticks = [60, 70, 80, 85, 88, 90, 92, 93, 94, 95, 96, 96.5, 97, 97.5]
accuracies = accuracy("test_accuracy", "accuracy on the test set (%)", ticks)
plotting.show(
    losses,
    accuracies,
    name="fig-pure-lazy-test",
    caption="(a) Loss and (b) accuracy on the test set, measured every 5,000 "
    f"images. {LINES} (Paper: Fig. 5, test set.)",
    alt="Two panels of curves against epochs. In a, the loss of pure lazy learning "
    "stays far above that of backprop. In b, its accuracy stays below it.",
    notebook=NAME,
    lead=True,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the numbers"}
ratio = pure["test_loss"] / backprop["test_loss"]
last = whole.ends().set_index(["hidden", "seed"])
last = last[(last["gate"] == BACKPROP) & (last["epoch"] == scale.epochs)]
longer = (pure["test_loss"] / last["test_loss"]).dropna()  # where it went on
Markdown(
    "Where the runs stopped, pure lazy learning classified "
    f"{span(100 * pure['test_accuracy'], '.1f')} % of the test set correctly with a "
    f"loss of {span(pure['test_loss'], '.3f')}, and backprop "
    f"{span(100 * backprop['test_accuracy'], '.1f')} % with "
    f"{span(backprop['test_loss'], '.3f')}. Pure lazy learning's loss is "
    f"{span(analysis.over_seeds(ratio), '.2g')} times that of backprop at the same size"
    f" (means over seeds), and {span(analysis.over_seeds(longer), '.2g')} times where "
    f"backprop goes on to epoch {scale.epochs}."
)

# %% [markdown]
# So most answers are correct, but they are not sure. Nothing else can be expected of a rule that
# learns no more from an image than which of the outputs has to be the largest.
#
# The ratio of the two losses depends on when backprop stops, for backprop's loss goes on falling
# long after its accuracy is good. The paper says about ten times; it does not say when.
#
# ## The accuracy
#
# On which side of a boundary an image lies is all that pure lazy learning attends to, not how far
# from it (panel b of the figure at the top). That is enough for the images that it learns from. New
# ones that look a little different may lie on the other side.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the training set"}
losses, loss = panel("train_loss", "loss on the training set")
loss.set_ylim(0, 0.07)
loss.legend(**key, loc="center right", bbox_to_anchor=(1, 0.42))
ticks = [80, 90, 95, 97.5, 99, 99.5, 99.8, 99.9, 99.95, 99.98, 99.99]
accuracies = accuracy("train_accuracy", "accuracy on the training set (%)", ticks)
plotting.show(
    losses,
    accuracies,
    name="fig-pure-lazy-training",
    caption="(a) Loss and (b) accuracy on the training set, measured after "
    "each epoch; otherwise as in the figure at the top. (Paper: Fig. 5, training set.)",
    alt="Two panels of curves against epochs. On the training set too the loss of pure "
    "lazy learning stays above that of backprop; its accuracy comes close to 100 %.",
    notebook=NAME,
)
gap = 100 * (ends["train_accuracy"] - ends["test_accuracy"])
Markdown(
    "At the end the accuracy on the training set is above the one on the test set by"
    f" {span(gap[ends['gate'] == PURE], '.1f')} points for pure lazy learning, and by"
    f" {span(gap[ends['gate'] == BACKPROP], '.1f')} for backprop."
)

# %% [markdown]
# ## How long does backprop take?
#
# That depends on what is meant by the squared error. Here it is averaged over the ten outputs, as
# it is in PyTorch, which the paper used. Half the sum over the outputs, as many textbooks have it,
# has a gradient five times as large; to minimise it is to learn at five times the rate. What the
# paper says of the epochs that backprop takes may hold for the one and not for the other.
# {doc}`losses` has a table of both.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the numbers"}
needed = backprop["epoch"].where(backprop["test_accuracy"] >= GOAL, math.inf)
soon = needed[needed <= 10]
of_size = Counter(soon.index.get_level_values("hidden"))
all_of = [size for size in scale.hidden if of_size[size] == len(scale.seeds)]
told = [
    f"{of_size[size] or 'none'} of {len(scale.seeds)} with H = {size}"
    for size in scale.hidden
    if size not in all_of
]
told += ["all of the other sizes"] * bool(all_of)
by_size = ", ".join(told)
Markdown(
    f"With the average, {len(soon)} of {len(needed)} runs of backprop classified "
    f"{100 * GOAL:g} % of the test set correctly within 10 epochs: {by_size}."
)

# %% [markdown]
# ## The claims
#
# The end of a run is where it stopped. Pure lazy learning's training accuracy and test accuracy
# late in learning are compared at the ends of epochs 20 and 50.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
found = notebook.Findings(settings, NAME, "LL13", "LL14")
REACHED = "epochs until backprop classifies 97.5 % correctly"
LATE = {
    "train_accuracy": "training accuracy after 50 epochs - after 20 (points)",
    "test_accuracy": "change of test accuracy from epoch 20 to 50 (points)",
}
for run in [run for size in scale.hidden for run in runs_of(PURE, size)]:
    at, seed = f"H = {run.experiment.hidden}", run.experiment.seed
    best = 100 * run.table["test_accuracy"].max()
    found.add("LL13", "best test accuracy of pure lazy (%)", at, best, seed)
    loss = analysis.when_reached(run, [0.95], "test_loss").item()
    found.add("LL14", "test loss of pure lazy at 95 %", at, loss, seed)
    if scale.epochs >= 50:
        table = run.table.set_index("epoch")
        for column, measure in LATE.items():
            change = 100 * table[column].reindex([20, 50]).diff().loc[50]
            found.add("LL14", measure, at, change, seed)
measure = "test loss of pure lazy at the end / of backprop at 97.5 %"
found.each("LL14", measure, "H = {}", ratio)
if scale.epochs >= 10:
    found.each("LL13", REACHED, "H = {}", needed)
else:
    found.lacks("LL13", REACHED, "backprop", "needs 10 epochs")
if scale.epochs < 50:
    found.lacks("LL14", LATE["train_accuracy"], "epoch 20 to 50", "needs 50 epochs")
found.verdicts([whole])

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
found.answer(
    "Its answers are mostly correct but not sure: at the end its loss is "
    f"**{span(analysis.over_seeds(ratio), '.2g')} times that of backprop** at "
    f"{100 * GOAL:g} %. On images that it has never seen it ends at "
    f"{span(100 * pure['test_accuracy'], '.1f')} % correct, "
    f"{span(gap[ends['gate'] == PURE], '.1f')} points below the training set."
)

# %% [markdown]
# ## Your turn
#
# **1.** The loss is the mean square by which outputs miss their targets. By how much does a single
# output miss its target at the end, typically? Below which error, in all ten outputs, can no image
# be misclassified?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: a single output"}
# NBVAL_CHECK_OUTPUT
for rule, table in (("backprop", backprop), ("pure lazy learning", pure)):
    print(f"{rule}: {span(table['test_loss'] ** 0.5, '.2f')}")
print("Below 0.5: the right output is then above 0.5, and all others are below it.")

# %% [markdown]
# **2.** Pure lazy learning learns from nothing but the training images that it misclassifies. How
# many of the 60,000 are left to it at the end, and how many does backprop misclassify?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: what is left to learn"}
# NBVAL_CHECK_OUTPUT
for rule, table in (("backprop", backprop), ("pure lazy learning", pure)):
    left = 60_000 * (1 - table["train_accuracy"]).groupby("hidden").mean()
    print(f"{rule}:", ", ".join(f"{n:,.0f} (H = {size})" for size, n in left.items()))

# %% [markdown]
# Next: {doc}`Back to lazy learning, with its changes counted one by one. <fig6_updates>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([whole])

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, [whole])
