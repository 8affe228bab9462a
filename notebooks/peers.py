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
# # Peers on the same work
#
# Lazy learning is not the only way to learn from a part of the samples. Others keep those of a high
# loss, leave out some of a low one, or train on a subset that was picked before. Given the same
# work, which of them gets to an accuracy with the fewest samples learned, in the least time, and
# with the least energy? And where does lazy learning lose?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`in your own training </your_own_training>`, for how lazy learning is packed
# into full batches.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
import numpy as np
import pandas as pd
from IPython.display import HTML, Markdown, display

from lazybook.benchmarks.peers import records
from lazybook.benchmarks.peers.records import METHODS, PEERS, TITLES, Trial
from lazybook.book import analysis, notebook, plotting
from lazybook.book.notebook import span

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper: samples to train with, to test with, epochs of full training
    tasks=(
        {"mnist": (2000, 1000, 8)},
        {"mnist": (10_000, 10_000, 2)},
        {
            "mnist": (60_000, 10_000, 5),
            "fashion-mnist": (12_000, 5000, 3),
            "cifar-10-jpeg": (12_000, 5000, 3),
        },
    ),
    measurements=(8, 16, 16),
    seeds=([0], [0], [0, 1, 2]),
)
NAME = "peers"
OURS = "lazy packed"
LAZY = plotting.RULES["memorized-mistakes"]
LOOKS = {  # lazy learning in colour, its peers by the kind of line
    "full": {"color": plotting.RULES["every-sample"], "lw": 2.4},
    "lazy": {"color": LAZY, "ls": "--"},
    "pure lazy": {"color": plotting.RULES["mistakes"]},
    "lazy packed": {"color": LAZY, "lw": 2.4},
    "selective backprop": {"color": plotting.INK, "lw": 1},
    "infobatch": {"color": plotting.INK, "lw": 1, "ls": (0, (6, 2))},
    "forgetting": {"color": plotting.INK, "lw": 1, "ls": (0, (4, 1, 1, 1))},
    "random half": {"color": plotting.INK, "lw": 1, "ls": (0, (1, 1.5))},
}

# %% [markdown]
# ## Who is compared
#
# - **Full training** learns all samples.
# - **Lazy** and **pure lazy** learn present and past mistakes, or present ones
#   {cite}`pache2023lazy`. The rest of a batch is left out of its loss.
# - **Lazy, full batches** gathers present and past mistakes into full batches, with the `Packer`
#   of {doc}`your own training <../your_own_training>`.
# - **Selective backprop** {cite}`jiang2019accelerating` learns a sample with a probability that
#   rises with its loss: the share of the last 1,024 losses that lie below. That is half of all
#   samples; they are gathered into full batches.
# - **InfoBatch** {cite}`qin2024infobatch` leaves out, anew each epoch, half of those whose loss
#   was below the mean. The other half counts twice. In the last eighth it presents all.
# - **Forgetting scores** {cite}`toneva2019empirical` keep the half of the samples that a full
#   training before forgot most often: classified correctly, and misclassified the next time.
#   Those never learned come first, and equal ones are drawn.
# - **A random half** is what a selection has to beat.
#
# Each is written from its paper's description, and none is tuned: defaults are those above. All
# have the same network, weights to begin with, order of samples, step size (gradient descent with
# momentum 0.9, batches of 32) and **the same work**: 1 for a sample's forward pass and 2 for its
# backward pass, until the sum is that of full training. So what learns less presents more. Where
# samples are gathered, the network first looks at 256 at a time without gradients.
#
# Time is that of the processor on one thread, without measuring. The machine was busy with other
# work, which makes a processor slower by up to a half; counts are exact. Energy $M_1$ is the sum
# of the sizes of all changes of the weights.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the trainings"}
trained = records.collect(
    Trial(
        task=task,
        method=method,
        seed=seed,
        epochs=epochs,
        samples=samples,
        tests=tests,
        measurements=scale.measurements,
    )
    for task, (samples, tests, epochs) in scale.tasks.items()
    for seed in scale.seeds
    for method in METHODS
)
runs = {
    (run.experiment.task, run.experiment.method, run.experiment.seed): run
    for run in trained.runs
}


def until(task, method, seed, column, less=0.01):
    """Return a count when full training's best accuracy, ``less`` this, was reached."""
    goal = runs[task, "full", seed].table["test_accuracy"].max() - less
    return analysis.when_reached(
        runs[task, method, seed], np.array([goal]), column
    ).item()


def best(task, method, seed):
    """Return the best test accuracy that was measured, in percent."""
    return 100 * runs[task, method, seed].table["test_accuracy"].max()


def over_seeds(values):
    """Return the mean for a table, nan where a seed has no value."""
    return np.mean([values(seed) for seed in scale.seeds])


# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figures"}
def curves(column, label):
    """Return a panel a task: accuracy against a count, in units of full training's."""
    panels = []
    for task in scale.tasks:
        figure, axes = plotting.subplots(figsize=(2.61, 3.9))
        for method, look in LOOKS.items():
            of_method = [runs[task, method, seed].table for seed in scale.seeds]
            whole = [runs[task, "full", seed].final[column] for seed in scale.seeds]
            share = np.mean(
                [t[column] / w for t, w in zip(of_method, whole, strict=True)], axis=0
            )
            accuracy = 100 * np.array([t["test_accuracy"].cummax() for t in of_method])
            axes.plot(share, accuracy.mean(axis=0), label=METHODS[method], **look)
            axes.fill_between(
                share,
                accuracy.min(axis=0),
                accuracy.max(axis=0),
                color=look["color"],
                alpha=0.15,
                lw=0,
            )
        full = over_seeds(lambda seed, task=task: best(task, "full", seed))
        plotting.stretch(axes, "y", [20, 30, 40, 50, 60, *plotting.ACCURACIES[1:]])
        axes.set(xlabel=label, title=TITLES[task].partition(",")[0])
        axes.set_xlim(0, 1.25)
        axes.set_ylim(100 - 4 * (100 - full), 100 - 0.8 * (100 - full))
        axes.set_ylabel("best test accuracy so far (%)")
        key = {"ncols": 2, "columnspacing": 0.8, "handlelength": 1.8}
        figure.legend(loc="outside upper right", fontsize="x-small", **key)
        panels.append(figure)
    return panels


SEEDS = f"n = {len(scale.seeds)}"
ALT = "For each data set rising curves of accuracy, one for each of eight methods, "
plotting.show(
    *curves("seconds", "time / full training's"),
    name="fig-peers-time",
    caption="Best test accuracy so far against the processor's time, as a share of "
    "what full training took in all. Lines are means over seeds, bands go from the "
    f"lowest to the highest; {SEEDS}. Axes of accuracy are logarithmic in the errors. "
    "What the forgetting scores need before is not in it.",
    alt=ALT + "against time.",
    notebook=NAME,
    lead=True,
)

# %% [markdown]
# ## Samples learned

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of updates"}
plotting.show(
    *curves("updates", "updates / full training's"),
    name="fig-peers-updates",
    caption="The same against the number of samples learned, as a share of full "
    f"training's; {SEEDS}.",
    alt=ALT + "against the number of samples learned.",
    notebook=NAME,
)

# %% [markdown]
# ## Energy

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of energy"}
plotting.show(
    *curves("m1", "$M_1$ / full training's"),
    name="fig-peers-energy",
    caption="The same against the energy $M_1$ of all changes of the weights, as a "
    f"share of full training's; {SEEDS}.".replace("$M_1$", "<i>M</i><sub>1</sub>"),
    alt=ALT + "against the energy of all changes.",
    notebook=NAME,
)

# %% [markdown]
# ## To the same accuracy
#
# The best accuracy within the same work, and what it took to get within one point of the best of
# full training. A dash stands for what not all seeds reached.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the tables"}
COLUMNS = {
    "updates": "samples learned",
    "forward": "forward passes",
    "steps": "steps",
    "seconds": "seconds",
    "m1": "<i>M</i><sub>1</sub>",
}
for task in scale.tasks:
    rows = []
    for method, title in METHODS.items():
        accuracies = [best(task, method, seed) for seed in scale.seeds]
        row = {"method": title, "best accuracy (%)": f"{np.mean(accuracies):.2f}"}
        for column, heading in COLUMNS.items():
            value = over_seeds(
                lambda seed, m=method, c=column, t=task: until(t, m, seed, c)
            )
            form = ",.1f" if column == "seconds" else ",.0f"
            row[heading] = "–" if np.isnan(value) else format(value, form)
        rows.append(row)
    display(HTML(f"<strong>{TITLES[task]}</strong>"))
    display(notebook.html_table(pd.DataFrame(rows), f"Peers on {TITLES[task]}"))

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what comes before, and why"}
lines = []
for task in scale.tasks:
    first = [runs[task, "forgetting", seed] for seed in scale.seeds]
    whole = runs[task, "full", scale.seeds[0]].final
    lazy = [runs[task, OURS, seed].final for seed in scale.seeds]
    learned = np.mean([final["updates"] / final["presented"] for final in lazy])
    steps = np.mean([final["steps"] for final in lazy]) / whole["steps"]
    gap = over_seeds(
        lambda seed, task=task: best(task, "full", seed) - best(task, OURS, seed)
    )
    before = np.mean([run.before["seconds"] for run in first])
    lines.append(
        f"- **{TITLES[task]}.** In full batches lazy learning learned "
        f"{100 * learned:.0f} % of what it looked at, in {steps:.2f} times the steps "
        f"of full training, and its best accuracy was {abs(gap):.2f} points "
        f"{'below' if gap > 0 else 'above'} full training's. The training before the "
        f"forgetting scores took {before:.1f} "
        f"seconds and {first[0].before['updates']:,.0f} updates more than the table "
        "says."
    )
Markdown("\n".join(lines))

# %% [markdown]
# ## Where lazy learning loses, and why
#
# - **Without full batches it saves no time.** The whole batch passes forward and backward to
#   learn a part of it, and the gate has to look besides, which shows in a network as small as
#   these. What it saves is updates and changes.
# - **While most is still a mistake it saves nothing.** On a hard task from scratch most samples
#   are in the memory before the network is good, and go on being learned for good: the memory
#   never forgets. As soon as two thirds are learned, full batches cost more passes than full
#   training does.
# - **What is learned is not a fair sample.** Like selective backprop it dwells on the difficult
#   samples, mislabelled ones among them. InfoBatch corrects for what it leaves out, so its
#   gradient is full training's on average.
# - **It has to look at all samples.** InfoBatch and the subsets do not: what they leave out costs
#   no pass at all. But a subset by forgetting scores needs a full training before, and pays off
#   only if it is trained on many times.
#
# What it has for itself: no hyper-parameter, no second model, no training before, one bit a sample.
#
# ## The claims
#
# They are our own; their criteria were fixed before any of these runs. A peer that did not get to
# the accuracy counts with all its updates.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what the claims are judged by"}
TIME = "CPU time of lazy in full batches / of full training to its best accuracy"
FEWER = (
    "updates of lazy in full batches / of the peer to full training's best accuracy"
    " less 1 point"
)
LESS = "best accuracy of full training - of lazy in full batches (points)"
LONGER = "CPU time of lazy without full batches / of full training for the same epochs"
found = notebook.Findings(settings, NAME, "PE1", "PE2", "PE3")
why = f"the profile {settings.profile} trains on {', '.join(scale.tasks)} only"
for task in [task for task in TITLES if task not in scale.tasks]:
    for claim, measure in (("PE1", TIME), ("PE2", FEWER), ("PE3", LESS)):
        found.lacks(claim, measure, TITLES[task], why)


def share(values):
    """Return the first value by the second; inf if the first was never reached."""
    return np.inf if np.isnan(values[0]) else values[0] / values[1]


for task in scale.tasks:
    title = TITLES[task]
    for seed in scale.seeds:
        for words, less in ((" less 1 point", 0.01), ("", 0)):
            taken = [until(task, m, seed, "seconds", less) for m in (OURS, "full")]
            found.add("PE1", f"{TIME}{words}", title, share(taken), seed)
        for peer in PEERS:
            own, others = (until(task, m, seed, "updates") for m in (OURS, peer))
            if np.isnan(others):  # at least all that it learned
                others = runs[task, peer, seed].final["updates"]
            where = f"{title}, {METHODS[peer]}"
            found.add("PE2", FEWER, where, share((own, others)), seed)
        gap = best(task, "full", seed) - best(task, OURS, seed)
        found.add("PE3", LESS, title, gap, seed)
        each = [runs[task, m, seed].final for m in ("lazy", "full")]
        alone = [final["seconds"] / final["presented"] for final in each]
        found.add("PE3", LONGER, title, share(alone), seed)
found.verdicts([trained])

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
times, updates, energies = (
    [
        over_seeds(
            lambda seed, t=task, c=column: (
                until(t, OURS, seed, c) / until(t, "full", seed, c)
            )
        )
        for task in scale.tasks
    ]
    for column in ("seconds", "updates", "m1")
)
gaps = [
    over_seeds(lambda seed, t=task: best(t, OURS, seed) - best(t, "full", seed))
    for task in scale.tasks
]
found.answer(
    "Within one point of the best accuracy of full training, lazy learning in full "
    f"batches made **{span(updates, '.2f')} times the updates**, took "
    f"{span(times, '.2f')} times the processor's time and spent "
    f"{span(energies, '.2f')} times the energy $M_1$. Its own best accuracy, after the "
    f"same work, differs by {span(gaps, '+.2f')} points from full training's."
)

# %% [markdown]
# ## Your turn
#
# **1.** A method that looks at every sample, and learns a share s of them in full batches, has a
# work of 1 + 3 s for each sample presented, where full training has 3. How many times as many
# samples does it present in the same work? Compare with the runs.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: presented in the same work"}
# NBVAL_CHECK_OUTPUT
for task in scale.tasks:
    whole = runs[task, "full", scale.seeds[0]].final["presented"]
    for method in (OURS, "selective backprop"):
        final = runs[task, method, scale.seeds[0]].final
        s = final["updates"] / final["presented"]
        estimate, counted = 3 / (1 + 3 * s), final["presented"] / whole
        print(
            f"{TITLES[task]}, {METHODS[method]}: {estimate:.2f}, counted {counted:.2f}"
        )

# %% [markdown]
# **2.** Does a method that learns fewer samples change the weights more for each? Order the methods
# by their energy $M_1$ for a sample learned, before you look.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: energy for a sample"}
# NBVAL_CHECK_OUTPUT
task = next(iter(scale.tasks))
finals = {method: runs[task, method, scale.seeds[0]].final for method in METHODS}
each = {method: final["m1"] / final["updates"] for method, final in finals.items()}
for method in sorted(each, key=each.get):
    print(f"{METHODS[method]}: {each[method]:.2f}")

# %% [markdown]
# Next: {doc}`What is gained if the whole loop is made for such rules? <how_fast>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([], {"PE1", "PE3"})
for (task, method, seed), run in runs.items():
    if seed == scale.seeds[0]:
        final = run.final
        print(
            f"{task}, {method}: {final['updates']:.0f} updates,"
            f" {final['steps']:.0f} steps"
        )

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how the results came about"}
notebook.provenance(settings, [trained])
