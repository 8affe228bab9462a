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
# # Pure lazy learning and its energy · lazy learning, Fig. 4
#
# The thriftiest rule has no memory: *pure lazy learning* learns an image only if it misclassifies
# it now {cite}`pache2023lazy`. How much energy does that save, at an accuracy that backprop reaches
# too? And why: because the weights end closer to where they started, or because they take a
# straighter path?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`lazy learning of MNIST <fig2_mnist>`, the same task learned with a memory.

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

import pandas as pd
from IPython.display import Markdown

from lazybook.book import analysis, notebook, plotting
from lazybook.book.notebook import span
from lazybook.experiment import grid, preset
from lazybook.gates import MemorizedMistakes, Mistakes

settings = notebook.start(globals())
NAME = "lazy_learning/fig4_pure_lazy"
scale = settings.scale(
    # smoke, quick, paper
    hidden=([30, 100], [100, 200, 500, 1000], list(range(100, 1001, 100))),
    epochs=(2, 10, 50),
    seeds=([0], [0], [0, 1, 2, 3, 4]),
)
GOAL = 0.975  # of the test set classified correctly: then a run stops
PURE, LAZY = "mistakes", "memorized-mistakes"

# %% [markdown]
# ## The runs
#
# Networks, task and learning rate are those of {doc}`fig2_mnist`. A run stops when it classifies
# 97.5 % of the test set correctly, or else after the last epoch. The runs that are shared with that
# page, those of lazy learning among them, went on, and are cut where they first got so far.

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
result = settings.sweep(backprop + pure)
shared = [size for size in scale.hidden if size in SHARED]
remembering = settings.sweep(
    grid(replace(base, gate=MemorizedMistakes()), hidden=shared, seed=scale.seeds)
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what is compared"}
runs = []
for run in result.runs:
    table = analysis.cut(run, GOAL).table
    winding = table["energy_m1"] / table["energy_min"]
    runs.append(replace(run, table=table.assign(inefficiency=winding)))
keys = [(size, seed) for size in scale.hidden for seed in scale.seeds]
both = zip(runs[: len(keys)], runs[len(keys) :], strict=True)
pairs = dict(zip(keys, both, strict=True))
extremes = sorted({min(scale.hidden), max(scale.hidden)})
drawn = [run for run in runs if run.experiment.hidden in extremes]
lazy = [analysis.cut(run, GOAL) for run in remembering.runs]
N_SEEDS = notebook.seeds(result.ends())
STRETCHED = "The axis is stretched towards 100&nbsp;%, by the share of errors."


def saving(column, size, seed):
    """Return backprop / pure lazy of ``column`` at each accuracy that both reached."""
    return analysis.ratio(*pairs[size, seed], column, least=0.85)


def at_best(column):
    """Return the range of backprop / pure lazy at the best common accuracy."""
    found = {key: analysis.at_best_common(*pairs[key], column) for key in keys}
    return span(analysis.over_seeds(found), ".2g")


# %% [markdown]
# ## Energy
#
# As before, $M = \sum_t \sum_i |\Delta w_i(t)|$ is the total distance that the weights travelled
# until a test accuracy was first reached. Pure lazy learning's path is shorter than backprop's, and
# about as long as that of lazy learning. But it does not get as far: its curves end at a lower
# accuracy, which is what {doc}`the next page <fig5_loss_and_accuracy>` is about.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the energy figure"}
figure, axes = plotting.subplots(figsize=(5.4, 4.2))
others = [run for run in lazy if run.experiment.hidden in extremes]
plotting.against_accuracy(axes, drawn + others, "energy_m1")
axes.set(ylabel="energy $M$ (sum of weight changes)")
plotting.show(
    figure,
    name="fig-pure-lazy-energy",
    caption="Energy spent until a test accuracy was first reached, for the smallest "
    "and the largest of the networks, of <i>H</i> hidden units. Blue is backprop, "
    "green pure lazy learning, orange lazy learning. Lines are means over seeds, bands "
    f"go from the lowest to the highest; {N_SEEDS}. {STRETCHED} (Paper: Fig. 4a, "
    "without lazy learning.)",
    alt="Curves of energy, on a logarithmic axis, rising with accuracy. For each "
    "network size the curve of pure lazy learning lies below that of backprop, and "
    "ends at a lower accuracy.",
    notebook=NAME,
)
best = {
    rule: [100 * pair[n].table["test_accuracy"].max() for pair in pairs.values()]
    for n, rule in enumerate(("backprop", "pure lazy learning"))
}
Markdown(
    "The best accuracies were "
    + " and ".join(f"{span(found, '.1f')} % for {rule}" for rule, found in best.items())
    + "."
)

# %% [markdown]
# ## What is saved
#
# The figure at the top of the page has the energy of backprop divided by that of pure lazy
# learning. Early on most images are misclassified, and the two rules learn much the same. The
# better a network gets, the more of the images that backprop learns were classified correctly
# already; they move the synapses too.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the saving figure"}
figure, axes = plotting.subplots(figsize=(5.4, 3.9))
axes.axhspan(2.2, 4.5, color="#808080", alpha=0.15, lw=0)
for size in scale.hidden:
    of_seeds = [saving("energy_m1", size, seed) for seed in scale.seeds]
    group = [run for seed in scale.seeds for run in pairs[size, seed]]
    learned = max(run.table["test_accuracy"].iloc[1] for run in group)
    found = pd.concat(of_seeds, axis=1).dropna().loc[learned:]
    found.index = 100 * found.index
    ends = {
        "mean": found.mean(axis=1),
        "low": found.min(axis=1),
        "high": found.max(axis=1),
    }
    look = {"color": plotting.shade(PURE, size, scale.hidden)}
    look["lw"] = plotting.width(size, scale.hidden)
    axes.plot(ends["mean"].index, ends["mean"], **look)
    if size in extremes:
        plotting.draw_band(axes, pd.DataFrame(ends), PURE, size, scale.hidden)
plotting.stretch(axes, "x")
axes.set(
    xlabel="test accuracy reached (%)", ylabel="$M$ of backprop / of pure lazy learning"
)
axes.set_ylim(1, None)
axes.legend(
    handles=plotting.key([PURE], scale.hidden), loc="upper left", fontsize="small"
)
plotting.show(
    figure,
    name="fig-pure-lazy-saving",
    caption="The energy of backprop divided by that of pure lazy learning, when each "
    "first reached an accuracy; the darker and thicker a line, the larger the network, "
    f"of {span(scale.hidden, 'd')} hidden units. A line begins where both had been "
    "measured, after 5,000 images. Lines are means over seeds; for the smallest and "
    f"the largest network bands go from the lowest to the highest; {N_SEEDS}. Grey: "
    f"the range that the paper gives. {STRETCHED} (Paper: Fig. 4b.)",
    alt="The ratio of energies against the test accuracy reached, one curve for each "
    "network size, with the paper's range from 2.2 to 4.5 as a grey band behind them.",
    notebook=NAME,
    lead=True,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the numbers"}
ratios = {key: saving("energy_m1", *key) for key in keys}
least, most = (
    analysis.over_seeds({key: getattr(ratio, end)() for key, ratio in ratios.items()})
    for end in ("min", "max")
)
Markdown(
    "Between 85 % and the best common accuracy the least ratio is "
    f"{span(least, '.2g')} and the largest {span(most, '.2g')}, in the means over seeds"
    " of each size."
)

# %% [markdown]
# ## Closer, or straighter?
#
# No path to the same weights is shorter than the straight one, $M_\mathrm{min} = \sum_i |w_i(T) -
# w_i(0)|$. The distance that the weights travelled is $M_\mathrm{min}$ times the inefficiency
# $M / M_\mathrm{min}$, which says how tortuous their path was. So the saving has two factors:
#
# $$ \frac{M^\mathrm{backprop}}{M^\mathrm{pure}}
# = \frac{M_\mathrm{min}^\mathrm{backprop}}{M_\mathrm{min}^\mathrm{pure}} \times
# \frac{\mathrm{inefficiency}^\mathrm{backprop}}{\mathrm{inefficiency}^\mathrm{pure}}. $$

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the distance figure"}
panels = []
for column, label in (
    ("energy_min", "minimal energy $M_\\mathrm{min}$"),
    ("inefficiency", "inefficiency $M / M_\\mathrm{min}$"),
):
    figure, axes = plotting.subplots(figsize=(3.95, 3.9))
    plotting.against_accuracy(axes, drawn, column)
    axes.set(ylabel=label)
    panels.append(figure)
panels[0].axes[0].get_legend().remove()  # the colours are those of the other panel
plotting.show(
    *panels,
    name="fig-pure-lazy-inefficiency",
    caption="(a) The sum of the distances of all weights from where they started, "
    "when a test accuracy was first reached. (b) The distance that they travelled "
    "to get there, relative to that. Blue is backprop, green pure lazy learning, for "
    "the smallest and the largest network. Lines are means over seeds, bands go from "
    f"the lowest to the highest; {N_SEEDS}. {STRETCHED} (Paper: Fig. 4c, d.)",
    alt="Two panels of curves that rise with accuracy, on logarithmic axes: the "
    "minimal energy and the inefficiency, for both rules and all network sizes.",
    notebook=NAME,
)
Markdown(
    f"At the best common accuracy backprop's weights lay {at_best('energy_min')} times "
    "as far from where they started, and had taken paths "
    f"{at_best('inefficiency')} times as tortuous. Together this makes the energy "
    f"{at_best('energy_m1')} times as large, in the means over seeds of each size."
)

# %% [markdown]
# ## The claims
#
# Ratios at equal accuracy compare when each run first reached an accuracy, at every tenth of a
# percent from 85 % up to the best that both reached; the smallest and the largest of them count. Up
# to the first measurement, after 5,000 images, accuracy is taken to grow linearly with what is
# compared. Best accuracies are those within the whole run, where all three rules were run to its
# end.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
found = notebook.Findings(settings, NAME, "LL11", "LL12", "LL25")
for size, seed in keys:
    energy, distance, winding = (
        saving(column, size, seed)
        for column in ("energy_m1", "energy_min", "inefficiency")
    )
    for claim, measure, value in (
        ("LL11", "smallest M(backprop) / M(pure lazy) above 85 %", energy.min()),
        ("LL11", "largest M(backprop) / M(pure lazy) above 85 %", energy.max()),
        (
            "LL12",
            "largest minimal energy of pure lazy / of backprop above 85 %",
            1 / distance.min(),
        ),
        (
            "LL12",
            "largest inefficiency of pure lazy / of backprop above 85 %",
            1 / winding.min(),
        ),
    ):
        found.add(claim, measure, f"H = {size}", value, seed)
n = len(keys)
for key, learned, pure in zip(keys, result.runs[:n], result.runs[n:], strict=True):
    if key[0] in shared:
        size, seed = key
        memory = analysis.pick(remembering.runs, hidden=size, seed=seed)
        for measure, other in (
            ("best accuracy of pure lazy - of backprop (points)", learned),
            ("best accuracy of pure lazy - of lazy (points)", memory),
        ):
            best_of = [run.table["test_accuracy"].max() for run in (pure, other)]
            behind = 100 * (best_of[0] - best_of[1])
            found.add("LL25", measure, f"H = {size}", behind, seed)
found.verdicts([result, remembering])

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
found.answer(
    "At the best accuracy that both reach, pure lazy learning spends "
    f"**{at_best('energy_m1')} times less energy** than backprop. Its weights end "
    f"{at_best('energy_min')} times closer to where they started, and take paths "
    f"{at_best('inefficiency')} times less tortuous. But its accuracy ends at "
    f"{span(best['pure lazy learning'], '.1f')} %."
)

# %% [markdown]
# ## Your turn
#
# **1.** What does the last percentage point cost? Of all the energy that a rule spends up to the
# best accuracy that both reach, which part goes into the last point, and with which rule is it
# more?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: the last point"}
# NBVAL_CHECK_OUTPUT
for size in extremes:
    parts = []
    for seed in scale.seeds:
        top = analysis.common_accuracies(pairs[size, seed], 0.5)[-1]
        spent = [
            analysis.when_reached(run, [top - 0.01, top], "energy_m1")
            for run in pairs[size, seed]
        ]
        parts.append([100 * (1 - before / end) for before, end in spent])
    plain, thrifty = pd.DataFrame(parts).mean()
    print(f"H = {size}: backprop {plain:.0f} %, pure lazy learning {thrifty:.0f} %")

# %% [markdown]
# **2.** At the best accuracy that pure lazy learning and lazy learning both reach, which has spent
# less energy, and whose weights are further from where they started?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: with a memory"}
# NBVAL_CHECK_OUTPUT
for run in lazy:
    if run.experiment.seed == scale.seeds[0]:
        size = run.experiment.hidden
        other = pairs[size, scale.seeds[0]][1]
        energy, distance = (
            analysis.at_best_common(run, other, column)
            for column in ("energy_m1", "energy_min")
        )
        print(
            f"H = {size}: with a memory {energy:.2f} times the energy, and weights "
            f"{distance:.2f} times as far away"
        )

# %% [markdown]
# Next: {doc}`The thriftiest rule has a price, too. <fig5_loss_and_accuracy>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([result])

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, [result, remembering])
