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
# # Pure lazy learning and what it misses (Figure 5)
#
# Pure lazy learning is the thriftiest rule of all ({doc}`fig4_pure_lazy`), and yet it is not the
# one that its authors recommend {cite}`pache2023lazy`. It leaves an image alone as soon as its
# digit has the largest output, by however little. What becomes of the loss then, and of the images
# that it has never seen?

# %% tags=["parameters", "hide-input"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
hidden = None
epochs = None
seeds = None

# %% tags=["hide-input"]
import math
from dataclasses import replace

from IPython.display import Markdown

from lazybook.book import analysis, notebook, plotting
from lazybook.book.notebook import span
from lazybook.experiment import grid, preset
from lazybook.gates import Mistakes
from lazybook.sweep import sweep

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=([30, 100], [100, 200, 500, 1000], list(range(100, 1001, 100))),
    epochs=(2, 10, 50),
    seeds=([0], [0], [0, 1, 2, 3, 4]),
)
NAME = "lazy_learning/fig5_loss_and_accuracy"
GOAL = 0.975  # of the test set right: then a run stops
RULES = BACKPROP, PURE = "every-sample", "mistakes"

# %% [markdown]
# ## The runs
#
# They are those of {doc}`fig4_pure_lazy`: a run stops when it gets 97.5 % of the test set right, or
# else after the last epoch. The runs of backprop that went on are cut where they first got so far.

# %%
base = preset(
    "lazy", epochs=scale.epochs, engine=settings.engine, device=settings.device
)
SHARED = (30, 100, 200, 500, 1000)
backprop = [
    experiment if experiment.hidden in SHARED else replace(experiment, until=GOAL)
    for experiment in grid(base, hidden=scale.hidden, seed=scale.seeds)
]
pure = grid(
    replace(base, gate=Mistakes(), until=GOAL), hidden=scale.hidden, seed=scale.seeds
)
whole = sweep(backprop + pure, jobs=settings.jobs, fresh=settings.fresh)

# %% tags=["hide-input"]
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


def panel(title, column, factor=1):
    """Return a figure of ``column`` against the epoch, and its axes."""
    figure, axes = plotting.subplots(figsize=(3.95, 3.9))
    for rule in RULES:
        for size in scale.hidden:
            band = factor * analysis.band(runs_of(rule, size), column).iloc[1:]
            plotting.draw_band(axes, band, rule, size, scale.hidden)
    axes.set(title=title, xlabel="epoch", xscale="log")
    axes.xaxis.set_major_formatter("{x:g}")
    return figure, axes


LINES = (
    "Blue is backprop, green pure lazy learning; the darker and thicker a line, the "
    f"larger the network, of {span(scale.hidden, 'd')} hidden units. A line ends where "
    "the first of its runs stopped."
)

# %% [markdown]
# ## The loss
#
# The loss is the squared difference of outputs and targets, averaged over the ten outputs. A
# network that answers 0.1 ten times, whatever it is shown, knows nothing and has a loss of 0.09.

# %% tags=["hide-input"]
panels = []
for title, column in (("test set", "test_loss"), ("training set", "train_loss")):
    figure, axes = panel(title, column)
    axes.set(ylabel="loss", ylim=(0, 0.07))
    panels.append(figure)
axes.legend(
    handles=plotting.key(RULES, scale.hidden),
    ncols=2,
    loc="center right",
    fontsize="small",
)
plotting.show(
    *panels,
    name="fig-pure-lazy-loss",
    caption="Loss on the test set, measured every 5,000 images, and on the training "
    f"set, measured after each epoch. {LINES} (Paper: Fig. 5, top.)",
    alt="Two panels of curves that fall with the epochs. The loss of pure lazy "
    "learning stays far above that of backprop.",
    notebook=NAME,
)
ratio = pure["test_loss"] / backprop["test_loss"]
last = whole.ends().set_index(["hidden", "seed"])
last = last[(last["gate"] == BACKPROP) & (last["epoch"] == scale.epochs)]
Markdown(
    "Where the runs stopped, pure lazy learning got "
    f"{span(100 * pure['test_accuracy'], '.1f')} % of the test set right with a loss of"
    f" {span(pure['test_loss'], '.3f')}, and backprop "
    f"{span(100 * backprop['test_accuracy'], '.1f')} % with "
    f"{span(backprop['test_loss'], '.3f')}. Pure lazy learning's loss is "
    f"{span(ratio, '.2g')} times that of backprop at the same size, and "
    f"{span(pure['test_loss'] / last['test_loss'], '.2g')} times where backprop goes "
    f"on to epoch {scale.epochs}."
)

# %% [markdown]
# So most answers are right, but they are not sure. Nothing else can be expected of a rule that
# learns no more from an image than which of the outputs has to be the largest.
#
# How many times its loss is backprop's depends on when backprop stops, for backprop's loss goes on
# falling long after its accuracy is good. The paper says about ten times; it does not say when.
#
# ## The accuracy
#
# On which side of a boundary an image lies is all that pure lazy learning attends to, not how far
# from it. That is enough for the images that it learns from. New ones that look a little different
# may lie on the other side.

# %% tags=["hide-input"]
panels = []
for title, column in (
    ("test set", "test_accuracy"),
    ("training set", "train_accuracy"),
):
    figure, axes = panel(title, column, 100)
    plotting.stretch(
        axes, "y", [90, 95, 97, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.98, 99.99]
    )
    axes.axhline(100 * GOAL, color=plotting.INK, lw=0.8, ls=":")
    axes.set(ylabel="accuracy (%)")
    axes.set_ylim(85, None)
    panels.append(figure)
axes.legend(
    handles=plotting.key(RULES, scale.hidden),
    ncols=2,
    loc="lower right",
    fontsize="small",
)
plotting.show(
    *panels,
    name="fig-pure-lazy-accuracy",
    caption=f"Accuracy on the test set and on the training set. {LINES} Dotted: "
    f"{100 * GOAL:g} %, where the runs stop if they get there on the test set. The "
    "axes are stretched towards 100 %, by the share of errors. (Paper: Fig. 5, "
    "bottom.)",
    alt="Two panels of curves that rise with the epochs. On the test set those of pure "
    "lazy learning stay below those of backprop.",
    notebook=NAME,
)
gap = 100 * (ends["train_accuracy"] - ends["test_accuracy"])
Markdown(
    "At the end the accuracy on the training set is above the one on the test set by"
    f" {span(gap[ends['gate'] == PURE], '.1f')} points for pure lazy learning, and by"
    f" {span(gap[ends['gate'] == BACKPROP], '.1f')} for backprop."
)

# %% [markdown]
# ## How long is backprop's way?
#
# That depends on what is meant by the squared error. Here it is averaged over the ten outputs, as
# it is in PyTorch, which the paper used. Half the sum over the outputs, as many textbooks have it,
# has a gradient five times as large; to minimise it is to learn at five times the rate. What the
# paper says of the epochs that backprop takes may hold for the one and not for the other.
# {doc}`variations` has a table of both.

# %% tags=["hide-input"]
needed = backprop["epoch"].where(backprop["test_accuracy"] >= GOAL, math.inf)
soon = needed[needed <= 10]
Markdown(
    f"With the average, {len(soon)} of {len(needed)} runs of backprop got "
    f"{100 * GOAL:g} % of the test set right within 10 epochs"
    + (
        f", those of {', '.join(map(str, soon.index.unique('hidden')))} hidden units"
        * bool(len(soon))
    )
    + "."
)

# %% [markdown]
# ## The claims
#
# The end of a run is where it stopped. Pure lazy learning's training accuracy and test accuracy
# late in learning are compared at the ends of epochs 20 and 50.

# %% tags=["hide-input"]
found = notebook.Findings(settings, NAME, "LL13", "LL14")
REACHED = "epochs until backprop gets 97.5 % right"
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

# %% tags=["hide-cell"]
# NBVAL_CHECK_OUTPUT
found.print_outcomes([whole])

# %% tags=["hide-input"]
notebook.provenance(settings, [whole])
