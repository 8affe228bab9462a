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
# # Batches · mistake gating
#
# The rule asks of one image whether it is to be learned. Whoever trains in batches can ask of each
# image in the batch, and leave the others out of the mean; or ask of the batch as a whole, and
# learn all of it if any image is to be learned. The second is what a chip that cannot stop single
# images would do. Large batches are nearly never without a mistake. What is left of the saving
# {cite}`pache2026mistake`?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`fewer updates <updates>`, for what is saved one image at a time.

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
from itertools import pairwise

import numpy as np
import pandas as pd
from IPython.display import Markdown

from lazybook.book import analysis, notebook, plotting
from lazybook.book.notebook import span
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=([100], [100], [100]),
    whole_epochs=(2, 10, 50),
    epochs=(1, 3, 5),
    batches=([128], [32, 128], [8, 32, 128]),
    goals=([0.8], [0.94], [0.95]),
    images=("mnist/samples:0-9999", "mnist", "mnist"),
    seeds=([0], [0], [0, 1, 2]),
)
[size] = scale.hidden
NAME = "mistake_gating/batches"
BACKPROP, LAZY = "every-sample", "memorized-mistakes"
GATES = [EverySample(), MemorizedMistakes()]

# %% [markdown]
# ## The runs
#
# MNIST, with the network of {doc}`../lazy_learning/fig2_mnist`, whose runs are those without
# batches. The learning rate grows with the batch, 0.01 for each image in it, so that an epoch moves
# the weights about as far. Runs in batches stop once they reach the goal; PyTorch takes long over
# them, so there are three seeds. An update is an image that is learned: a batch learned as a whole
# counts all its images. An image is remembered if it was misclassified itself, in both cases.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
base = preset("lazy", dataset=scale.images, hidden=size)
alone = replace(base, epochs=scale.whole_epochs)
in_batches = replace(
    base, epochs=scale.epochs, until=scale.goals[-1], measure_training=False,
    engine="autograd",
)  # fmt: skip
experiments, kinds = [], []
for batch in [1, *scale.batches]:
    plain = in_batches
    if batch > 1:
        plain = replace(in_batches, batch=batch, learning_rate=0.01 * batch)
    each = grid(plain if batch > 1 else alone, gate=GATES, seed=scale.seeds)
    by_batch = grid(replace(plain, gated="batch"), gate=GATES[1:], seed=scale.seeds)
    more = by_batch if batch > 1 else []
    experiments += each + more
    kinds += [(batch, "sample", str(e.gate), e.seed) for e in each]
    kinds += [(batch, "batch", str(e.gate), e.seed) for e in more]
result = settings.sweep(experiments)
runs = dict(zip(kinds, result.runs, strict=True))

# %% [markdown]
# ## By sample or as a whole
#
# Without batches the two are the same.


# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
def saving(batch, gated, seed, goal, column="updates"):
    """Return by how many percent less is spent than by backprop in such batches."""
    gated = "sample" if batch == 1 else gated
    spent = [
        analysis.when_reached(runs[batch, *key, seed], [goal], column).item()
        for key in ((gated, LAZY), ("sample", BACKPROP))
    ]
    return 100 * (1 - spent[0] / spent[1])


BATCHES = [1, *scale.batches]
goal = scale.goals[-1]
rows = [
    {
        "batch": batch, "gated": gated, "seed": seed, "goal": goal,
        **{
            column: saving(batch, gated, seed, goal, column)
            for column in ("updates", "energy_m1", "energy_m0")
        },
    }
    for batch in BATCHES
    for gated in ("sample", "batch")
    for seed in scale.seeds
    for goal in scale.goals
]  # fmt: skip
table = pd.DataFrame(rows)
STYLES = {"sample": "-", "batch": "--"}
TITLES = {"updates": "updates", "energy_m1": "energy M1"}
panels = []
for column, title in TITLES.items():
    figure, axes = plotting.subplots(figsize=(3.95, 3.4))
    for gated, style in STYLES.items():
        chosen = table[(table["gated"] == gated) & (table["goal"] == goal)]
        look = {"ls": style, "marker": "o", "label": f"gated by {gated}"}
        plotting.over_seeds(axes, chosen, "batch", column, LAZY, **look)
    axes.axhline(0, color=plotting.INK, lw=1)
    axes.set(xscale="log", xlabel="images in a batch", ylabel=f"saving of {title} (%)")
    axes.set_xticks(BATCHES, BATCHES)
    axes.set_xticks([], minor=True)
    axes.legend(fontsize="small", loc="center right")
    panels.append(figure)
N_SEEDS = f"n&nbsp;=&nbsp;{len(scale.seeds)}"
plotting.show(
    *panels,
    name="fig-batches",
    caption="What lazy learning saves compared with backprop in batches of the same "
    f"size, until {100 * goal:g}&nbsp;% of the test set are classified correctly: "
    "(a) images learned, (b) energy $M_1$. Lines are means over seeds, bands "
    f"go from the lowest to the highest; {N_SEEDS}, H&nbsp;=&nbsp;{size}. (Paper: a "
    "summary by third parties.)".replace("$M_1$", "M<sub>1</sub>"),
    alt="Two panels of savings against batch size. Gated by sample the saving of "
    "updates stays; gated as a whole it falls to zero.",
    notebook=NAME,
    lead=True,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table"}
mean = table[table["goal"] == goal].groupby(["batch", "gated"], sort=False).mean()
shown = pd.DataFrame(
    {
        "batch": [batch for batch, _ in mean.index],
        "gated by": [gated if batch > 1 else "–" for batch, gated in mean.index],
        "updates saved (%)": [f"{value:.1f}" for value in mean["updates"]],
        "energy M1 saved (%)": [f"{value:.1f}" for value in mean["energy_m1"]],
        "energy M0 saved (%)": [f"{value:.1f}" for value in mean["energy_m0"]],
    }
)
notebook.html_table(shown.drop_duplicates(), "savings by batch size")

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the numbers"}
largest = scale.batches[-1]
skipped = [
    100
    * (1 - run.final["updates"] / run.final["samples"])
    for key, run in runs.items()
    if key[:3] == (largest, "batch", LAZY)
]  # fmt: skip
Markdown(
    f"Until {100 * goal:g} %, means over {len(scale.seeds)} seeds. Until then "
    f"{span(skipped, '.1f')} % of the images came in batches of {largest} that had "
    "none "
    "to be learned, and were left out."
)

# %% [markdown]
# Asking of each image keeps the saving of updates, whatever the batch. But the energy counts the
# changes of synapses, and a batch with a single mistake changes nearly all of them once: of the
# number of changes, $M_0$, nothing is saved in large batches, neither way. For hardware that writes
# once a batch it is the batches without any mistake that count.
#
# ## The claims
#
# Gated as a whole, batches of 32 have lost all of the saving already. There is nothing left that
# larger ones could dilute, which leaves that step of the claim open.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
found = notebook.Findings(settings, NAME, "MG5")
for goal, seed in ((goal, seed) for goal in scale.goals for seed in scale.seeds):
    where = f"{100 * goal:g} %"
    measure = "saving, gated as a batch: less than with the smaller batch by (points)"
    for smaller, larger in pairwise(BATCHES):
        less = saving(smaller, "batch", seed, goal) - saving(
            larger, "batch", seed, goal
        )
        found.add("MG5", measure, f"{smaller} to {larger}, {where}", less, seed)
    measure = "saving, gated by sample - with batch 1 (points)"
    for batch in scale.batches:
        more = saving(batch, "sample", seed, goal) - saving(1, "sample", seed, goal)
        found.add("MG5", measure, f"batch {batch}, {where}", more, seed)
found.verdicts([result])

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
goal = scale.goals[-1]
saved = {
    gated: [
        np.mean([saving(batch, gated, seed, goal) for seed in scale.seeds])
        for batch in (1, largest)
    ]
    for gated in STYLES
}
assert math.isclose(saved["sample"][0], saved["batch"][0])
found.answer(
    f"Gated by sample, batches of {largest} save **{saved['sample'][1]:.0f} %** of "
    f"backprop's updates, as single images do ({saved['sample'][0]:.0f} %); gated as a "
    f"whole **{saved['batch'][1]:.0f} %** (until {100 * goal:g} % accuracy, means over "
    "seeds)."
)

# %% [markdown]
# ## Your turn
#
# **1.** Gated by sample, a share p of all images was learned. If batches are drawn at random, which
# share of them should have no image to be learned? Compare with what was skipped when batches were
# gated as a whole.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: batches without a mistake"}
# NBVAL_CHECK_OUTPUT
for batch in scale.batches:
    final = runs[batch, "sample", LAZY, scale.seeds[0]].final
    p = final["updates"] / final["samples"]
    whole = runs[batch, "batch", LAZY, scale.seeds[0]].final
    without = 1 - whole["updates"] / whole["samples"]
    print(
        f"batches of {batch}: (1 - {p:.2f})^{batch} = {100 * (1 - p) ** batch:.2g} %, "
        f"{100 * without:.2g} % skipped"
    )

# %% [markdown]
# **2.** Which share of all synapses does a step change, with one image and with a batch? Where
# pixels are 0 nothing changes.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: what a step changes"}
# NBVAL_CHECK_OUTPUT
synapses = 785 * size + 10 * (size + 1)
for batch in BATCHES:
    final = runs[batch, "sample", BACKPROP, scale.seeds[0]].final
    steps = final["samples"] / batch
    print(f"batches of {batch}: {100 * final['energy_m0'] / steps / synapses:.0f} %")

# %% [markdown]
# Next: {doc}`Where does it end? <limits>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([result])

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, [result])
