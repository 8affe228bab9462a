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
# # Variations: optimizers, batches, data
#
# The networks of the other pages learn one image at a time, by plain gradient descent, because that
# is what a brain might do. Most networks on computers learn otherwise. The paper says that
# momentum, optimizers, batches, normalisation and augmentation do not undo the benefit of being
# lazy, and shows no figure {cite}`pache2023lazy`. Do they undo it? (Other losses have {doc}`a page
# of their own <losses>`.)
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`lazy learning of MNIST <fig2_mnist>`, which is varied here, and {doc}`the
# losses <losses>`.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
import math
from dataclasses import replace

import numpy as np
import pandas as pd
from IPython.display import Markdown

from lazybook import datasets
from lazybook.benchmarks import cost
from lazybook.book import analysis, claims, notebook, plotting
from lazybook.book.notebook import span
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    size=(30, 200, 200),
    seeds=([0], [0], [0, 1, 2]),
    goal=(0.8, 0.97, 0.97),
    one_by_one=(False, False, True),  # momentum, Adam and shifts without batches
)
NAME = "lazy_learning/variations"
BACKPROP, LAZY = "every-sample", "memorized-mistakes"

# %% [markdown]
# ## The runs
#
# One change at a time to how a network learns, each with backprop and with lazy learning. The plain
# setting here is half the sum of squares at a learning rate of 0.01, which gets to 97 % in a few
# epochs.
#
# * With *momentum* 0.9 each gradient acts ten times over in the end, so the learning rate is a
#   tenth.
# * *Adam* {cite}`kingma2015adam` scales the step of each synapse by the size of its gradients.
# * *Normalised* inputs have mean 0 and variance 1, over all pixels of all training images.
# * *Shifted* images are moved at random by up to two pixels along both axes, anew each time; the
#   test images stay where they are.
# * *Batches* are of 32 images, and are combined with the others, as one would.
#
# For Adam, batches and normalised inputs a few learning rates were tried, and one was taken with
# which *backprop* gets to 97 % soon. Lazy learning uses the same rate; with one of its own it might
# do better. Momentum, Adam and shifts one image at a time take long, and are left to the profile
# `paper`.
#
# Two things about the rule. In a batch each image's loss is gated: of those not learned it counts
# as 0, and the mean is taken over the whole batch. And if nothing is learned there is no step, so
# what momentum and Adam have gathered waits as well.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
images = datasets.load("mnist")
pixels = images.train.values
mean = int(pixels.sum(dtype=np.int64)) / pixels.size
squared = int(np.square(pixels, dtype=np.uint16).sum(dtype=np.int64)) / pixels.size
deviation = math.sqrt(squared - mean**2)
preparation = {"scale": 1 / deviation, "offset": mean / deviation}
train, test = (replace(split, **preparation) for split in (images.train, images.test))
normalised = datasets.derived("mnist-normalised", train, test)

eager = preset(
    "lazy",
    loss="half-mse",
    hidden=scale.size,
    epochs=30,
    until=scale.goal,
    measure_training=False,
    engine="autograd",
)
plain = replace(eager, engine="numba")
batches = replace(eager, batch=32, learning_rate=0.2)
alone = {
    "momentum 0.9": replace(eager, optimizer="momentum:0.9", learning_rate=0.001),
    "Adam": replace(eager, optimizer="adam", learning_rate=0.0001),
    "shifted": replace(eager, shifts=2),
}
VARIATIONS = {
    "plain": plain,
    "normalised": replace(plain, dataset=normalised, learning_rate=0.005),
    **(alone if scale.one_by_one else {}),
    "batches": batches,
    "batches, momentum 0.9": replace(
        batches, optimizer="momentum:0.9", learning_rate=0.02
    ),
    "batches, Adam": replace(batches, optimizer="adam", learning_rate=0.0005),
    "batches, shifted": replace(batches, shifts=2),
}
experiments = [
    e
    for each in VARIATIONS.values()
    for e in grid(each, seed=scale.seeds, gate=[EverySample(), MemorizedMistakes()])
]
variations = settings.sweep(experiments)

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
COLUMNS = ["updates", "samples", "energy_m1", "pytorch_seconds"]
[price] = cost.costs([scale.size], settings.profile).values()
runs = [
    # PyTorch's own time where PyTorch ran, modelled by its costs where it did not
    replace(run, table=run.table.assign(pytorch_seconds=run.table["seconds"]))
    if run.experiment.engine == "autograd"
    else replace(run, table=run.table.assign(pytorch_seconds=price.seconds(run.table)))
    for run in variations.runs
]
spent = pd.DataFrame(
    [[analysis.when_reached(run, [scale.goal], column).item() for column in COLUMNS]
     for run in runs],
    index=pd.MultiIndex.from_product([VARIATIONS, scale.seeds, [BACKPROP, LAZY]]),
    columns=COLUMNS,
)  # fmt: skip
backprop, lazy = (spent.xs(rule, level=2) for rule in (BACKPROP, LAZY))
ratio = lazy.fillna(math.inf) / backprop  # no value where backprop did not get there
found = notebook.Findings(settings, NAME, "LL18")
measure = "samples learned by lazy / by backprop until 97 %"
found.each("LL18", measure, "{}", ratio["updates"])
judged = claims.judge(claims.claims()["LL18"], found.found["LL18"]).judged
judged = {j.condition: j for j in judged}
found.each("LL18", "M of lazy / of backprop until 97 %", "{}", ratio["energy_m1"])
measure = "PyTorch time of lazy / of backprop until 97 %"
measure += ", modelled for plain and normalised"
found.each("LL18", measure, "{}", ratio["pytorch_seconds"])

look = {"marker": "o", "ms": 6, "ls": "none"}
size = (6.2, 1.3 + 0.34 * len(VARIATIONS))
figure, (left, right) = plotting.subplots(1, 2, sharey=True, figsize=size)
for place, name in enumerate(VARIATIONS):
    for rule, values in ((BACKPROP, backprop), (LAZY, lazy)):
        updates = values.loc[name, "updates"]
        left.plot(updates, [place] * len(updates), color=plotting.RULES[rule], **look)
    if name in judged:
        right.plot(judged[name].mean, place, color=plotting.RULES[LAZY], **look)
        interval = judged[name].interval or ()
        right.plot(
            interval,
            [place] * len(interval),
            color=plotting.RULES[LAZY],
            lw=2,
            alpha=0.5,
        )
right.axvline(1, color=plotting.INK, lw=1)
left.set_yticks(range(len(VARIATIONS)), VARIATIONS)
left.invert_yaxis()
left.set_title("a", weight="bold")
right.set_title("b", weight="bold")
plotting.logarithmic(left.xaxis, [1, 3], "{x:,.0f}")
left.set(xlabel=f"samples learned until {100 * scale.goal:g} %")
right.set(xlim=(0, None), xlabel="lazy / backprop")
plotting.show(
    figure,
    name="fig-variations-optimizers",
    caption=f"Samples learned until {100 * scale.goal:g}&nbsp;% of the test set are "
    f"classified correctly, by networks of {plain.hidden} hidden units. (a) By "
    "backprop (blue) and lazy learning (orange), a dot for each seed. (b) Lazy "
    "learning relative to backprop: dots are means over seeds, whiskers their "
    f"95&nbsp;% intervals, where there are several; n&nbsp;=&nbsp;{len(scale.seeds)}. "
    "The line is at 1, where being lazy would save nothing. (Paper: text of the "
    "results.)",
    alt="A row for each variation. a, orange and blue dots on a logarithmic axis of "
    "samples learned. b, a dot for their ratio and a line at 1.",
    notebook=NAME,
    lead=True,
)


# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table"}
def spelled(column):
    """Return the mean of ``column`` over seeds for each variation, as text."""
    return column.groupby(level=0, sort=False).mean().map("{:,.0f}".format)


means = ratio.apply(analysis.over_seeds)
rates = {name: f"{variation.learning_rate:g}" for name, variation in VARIATIONS.items()}
columns = {
    "variation": pd.Series({name: f"<b>{name}</b>" for name in VARIATIONS}),
    "learning rate": pd.Series(rates),
    "learned by backprop": spelled(backprop["updates"]),
    "learned by lazy": spelled(lazy["updates"]),
    "learned, lazy / backprop": means["updates"].map("{:.2g}".format),
    "presented, lazy / backprop": means["samples"].map("{:.2g}".format),
    "<i>M</i>, lazy / backprop": means["energy_m1"].map("{:.2g}".format),
    "time, lazy / backprop": means["pytorch_seconds"].map("{:.2g}".format),
}
notebook.html_table(pd.DataFrame(columns), "What each variation takes")

# %% [markdown]
# *Presented* are all images that were shown until then, learned or not. Learning less at a time,
# lazy learning may have to be shown more of them. In a batch classifying is nearly all of the work,
# as a computer finds the gradients of all images at once; there lazy learning saves changes of
# synapses rather than time. *Time* is PyTorch's; that of the plain and the normalised runs is
# modelled: {doc}`fig2_mnist` says how.
#
# Fewer samples learned need not be less energy. Momentum by itself saves some: it averages over the
# last gradients, and what goes back and forth among them never gets to the synapses. Adam makes
# every step about as large, however small the gradient. In batches there is nearly always something
# to learn, so it makes as many steps as ever; leaving samples out of them does not make them
# smaller.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the numbers"}
energies = pd.DataFrame({"backprop": backprop["energy_m1"], "lazy": lazy["energy_m1"]})
times = energies.div(energies["backprop"]["batches"], axis=0, level=1)
times = times.apply(analysis.over_seeds)
momentum, adam = (times.loc[f"batches, {name}"] for name in ("momentum 0.9", "Adam"))
Markdown(
    "With the energy $M$ of backprop in batches as 1, lazy learning in batches spent "
    f"{times['lazy']['batches']:.2g}. With momentum backprop spent "
    f"{momentum['backprop']:.2g} and lazy learning {momentum['lazy']:.2g}; with Adam "
    f"backprop spent {adam['backprop']:.2g} and lazy learning {adam['lazy']:.2g}."
)

# %% [markdown]
# ### Whole batches
#
# What would be left if a gate could only let a whole batch through or hold all of it back?

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the numbers"}
shares = [
    run.table["updates"].diff().iloc[-1] / run.table["samples"].diff().iloc[-1]
    for run in variations.runs
    if run.experiment
    == replace(batches, seed=run.experiment.seed, gate=MemorizedMistakes())
]
idle = [100 * (1 - share) ** batches.batch for share in shares]
Markdown(
    f"At the end of its runs in batches of {batches.batch}, lazy learning still learned"
    f" {span([100 * share for share in shares], '.2g')} % of the images that it was "
    f"shown. As a batch is drawn at random, about {span(idle, '.2g')} % of all batches "
    "then have nothing to learn in them. To skip these, and to learn the others as a "
    "whole, could save no more than that; and the larger the batches, the fewer are "
    "skipped. Batches dilute the benefit unless each image's loss is gated."
)

# %% [markdown]
# ## The claims
#
# A sample is learned if the gate lets it through, in a batch as well. Time is that of the runs
# where PyTorch made them; the plain and the normalised ones were made by the engine of this book,
# and get the time that is modelled for an ordinary PyTorch loop.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
found.verdicts([variations])

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
batched = [name for name in VARIATIONS if "batches" in name]
in_batches, one_by_one = means.loc[batched], means.drop(index=batched)
found.answer(
    f"{'No' if (means['updates'] < 1).all() else 'In part'}: to "
    f"{100 * scale.goal:g}&nbsp;% lazy learning learns "
    f"**{span(1 / means['updates'], '.2g')} times fewer samples** than backprop. But "
    f"in batches it spends {span(in_batches['energy_m1'], '.2g')} times the energy and "
    f"{span(in_batches['pytorch_seconds'], '.2g')} times the time, against "
    f"{span(one_by_one['energy_m1'], '.2g')} and "
    f"{span(one_by_one['pytorch_seconds'], '.2g')} times one image at a time."
)

# %% [markdown]
# ## Your turn
#
# **1.** From the share that is still learned at the end in batches of 32: at which size of a batch
# would half of all batches have nothing to learn in them?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: half of the batches"}
# NBVAL_CHECK_OUTPUT
halves = [math.log(0.5) / math.log(1 - share) for share in shares]
print(f"(1 - share) ** size = 1/2: at {span(halves, '.1f')} images")

# %% [markdown]
# **2.** Lazy learning leaves out samples, not synapses. Which variation has the largest change of
# weights for a sample that is learned, and does being lazy make it larger or smaller?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: the change for a sample"}
# NBVAL_CHECK_OUTPUT
sizes = (spent["energy_m1"] / spent["updates"]).groupby(level=[0, 2], sort=False).mean()
for name, of_rule in sizes.unstack().sort_values(BACKPROP, ascending=False).iterrows():
    print(f"{name}: backprop {of_rule[BACKPROP]:.3f}, lazy {of_rule[LAZY]:.3f}")

# %% [markdown]
# Next: {doc}`What is it that lazy learning remembers? <memory>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([variations], timed=["LL18"])

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, [variations])
