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
# # Variations · competitive plasticity, Fig. 6
#
# A result about energy could hang on choices that have little to do with it: how the images are
# prepared, which units the network has, what it minimises, which changes are paid for. Here these
# choices are changed one at a time, to see whether the savings of competitive plasticity stay
# {cite}`vanrossum2024competitive`. Do they?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`only the largest updates <fig3_largest_updates>`, the most economical of which
# are varied here.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
from dataclasses import replace

import numpy as np
from IPython.display import Markdown

from lazybook import datasets, networks
from lazybook.book import analysis, notebook, plotting
from lazybook.datasets import Split
from lazybook.errors import DataError
from lazybook.experiment import grid, preset
from lazybook.restrictions import AllSynapses, LargestUpdates, Subnet

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    seeds=([0], [0], [0, 1, 2, 3, 4]),
    size=(200, 300, 1000),
    goal=(0.8, 0.95, 0.95),
    fashion_goal=(0.7, 0.85, 0.85),
    beyond=(0.1, 0.01, 0.01),  # the goal, where accuracy is measured often
)
NAME = "competitive_plasticity/fig6_variations"
BOTH = "subnet & largest-per-layer"
FRACTION = 0.02  # the most economical of those on the page of the largest updates

# %% [markdown]
# ## The settings
#
# Every network learns until it classifies a given share of the test images correctly. The energy
# spent until then counts: $M_0$, the number of changes of synapses, and $M_1$, the sum of their
# sizes. It learns with all synapses plastic, and with the largest updates in a subnet: of a subnet
# of 100 hidden units only the 2 % of synapses with the largest updates change. That is the most
# economical setting of {doc}`fig3_largest_updates`.
#
# Five variations, one change each:
#
# - *No zero mean.* The mean over all pixels is not subtracted from the images. Then four fifths of
#   the pixels are 0, and no synapse that leads from such a pixel changes.
# - *ReLU.* A hidden unit with negative input is silent, where a leaky one still lets a tenth
#   through. A silent unit changes neither its inputs nor its outputs.
# - *Cross-entropy* of a softmax takes the place of the squared error.
# - *Potentiation only.* Only changes that raise a weight cost energy.
# - *Fashion-MNIST.* Pictures of clothes, which are harder to tell apart than digits; so the goal
#   is lower there.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the variations"}
base = preset("competitive", hidden=scale.size, until=scale.goal)
VARIATIONS = {
    "no zero mean": {"zero_mean": False},
    "ReLU": {"activation": "relu"},
    "cross-entropy": {"loss": "cross-entropy"},
    "potentiation only": {"record": ("potentiation",)},
    "Fashion-MNIST": {"dataset": "fashion-mnist", "until": scale.fashion_goal},
}

# %% [markdown]
# And the details in which the paper's text and its authors' program differ, or that the text
# leaves open. The program measures the accuracy every 2,000 samples, the text says every 1,000. The
# order of the images may be drawn with replacement, as in the program, or be a new permutation in
# each epoch. The initial weights are small; in the program they have a standard deviation of 0.01
# to 0.03. And many updates are equally large, as most pixels of an image are alike, so there has to
# be a way to choose among them: the program adds a little noise to the images (standard deviation
# 0.001) so that none are alike; here instead a random choice is made among the synapses that tie,
# which favours none.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the details"}
mnist = datasets.load("mnist")
pixels = mnist.train.inputs()
generator = np.random.Generator(np.random.PCG64(0))
pixels += 0.001 * generator.standard_normal(pixels.shape, np.float32)
noisy = datasets.derived(
    "noisy-mnist", Split(pixels, mnist.train.labels, 1.0), mnist.test
)
DETAILS = {
    "measured every 2,000": {"measure_every": 2000},
    "order by permutation": {"order": "permutation"},
    "noise on the images": {"dataset": noisy},
    "initial s.d. 0.02": {"initial": "gaussian:0.02"},
    "initial s.d. 0.03": {"initial": "gaussian:0.03"},
    "PyTorch's initial weights": {"initial": "pytorch"},
}

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
studies = {}
for name, change in ({"default": {}} | VARIATIONS | DETAILS).items():
    # recording every change is slow
    few = scale.seeds[:3] if "record" in change else scale.seeds
    restrictions = [AllSynapses(), Subnet(100) & LargestUpdates(FRACTION)]
    studies[name] = grid(replace(base, **change), restriction=restrictions, seed=few)


def run():
    """Run all studies."""
    everything = [experiment for study in studies.values() for experiment in study]
    return settings.sweep(everything)


try:
    result = run()
    left_out = ""
except (
    DataError
) as error:  # where a record or the data set are needed, and neither is there
    del VARIATIONS["Fashion-MNIST"], studies["Fashion-MNIST"]
    left_out = f" Fashion-MNIST is left out: {error}"
    result = run()

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what they saved"}
ends = result.ends()
ends["study"] = [name for name, study in studies.items() for _ in study]
ends["method"] = ends["restriction"].str.replace(r":\S*", "", regex=True)
for measure in ("m0", "m1"):
    raising = ends.get(f"energy_{measure}_potentiation")
    ends[f"all of {measure}"] = spent = ends[f"energy_{measure}"]
    ends[measure] = spent if raising is None else raising.fillna(spent)
# A goal missed is never reached.
for column in ("m0", "m1", "samples", "updates"):
    ends[column] = ends[column].where(ends["reached"], np.inf)


def first(column, *alike):
    """Return for each run ``column`` of the first run alike in these columns."""
    return ends.groupby([*alike, "seed"])[column].transform("first")


for measure in ("m0", "m1"):
    saving = first(measure, "study") / ends[measure]  # all synapses plastic come first
    ends[f"saving of {measure}"] = saving
    default = first(f"saving of {measure}", "method")  # the default comes first
    # Recording what is raised changes how a run rounds, and so its course: it is
    # compared with all changes of the same runs.
    same = first(f"all of {measure}", "study") / ends[f"all of {measure}"]
    default = default.where(ends["study"] != "potentiation only", same)
    ends[f"relative saving of {measure}"] = saving / default
for column in ("m0", "m1", "samples"):
    ends[f"relative {column}"] = ends[column] / first(column, "method")
varied = ends[ends["study"].isin(["default", *VARIATIONS])]
detailed = ends[ends["study"].isin(DETAILS)]


def mean(table, column, *by):
    """Return the mean of ``column`` over seeds, nan where a seed missed the goal."""
    finite = table.assign(**{column: analysis.finite(table, column)})
    return analysis.means(finite, list(by), [column])[column]


Markdown(
    f"The networks have {scale.size} hidden units. The goal is {100 * scale.goal:g} % "
    f"of MNIST classified correctly, and {100 * scale.fashion_goal:g} % of "
    f"Fashion-MNIST.{left_out}"
)

# %% [markdown]
# ## Do the savings stay?
#
# The saving is the energy of learning with all synapses plastic divided by that of the restricted
# network, in the same variation and with the same random seed. The band reaches from half the
# default's saving to twice that: a dot within it is "about the same". The figure is the one that
# this page begins with.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure of savings"}
SEEDS = f"{notebook.seeds(varied)}; 3 at most if only potentiation costs."
restricted = varied[varied["method"] != "all"]
panels = []
for measure, symbol in (("m0", "$M_0$"), ("m1", "$M_1$")):
    column = f"saving of {measure}"
    look = {"xlabel": f"saving of {symbol} (times)", "xscale": "log"}
    figure = plotting.dots(restricted, column, "study", "method", {}, **look)
    [axes] = figure.axes
    default = mean(varied, column, "study", "method")["default", BOTH]
    axes.axvspan(default / 2, 2 * default, color=plotting.RULES[BOTH], alpha=0.12, lw=0)
    panels.append(figure)
plotting.show(
    *panels,
    name="fig-variations-saving",
    caption="How many times less energy the restricted networks need, in the default "
    "setting and in each variation: the number of changes (a) and the sum of their "
    "sizes (b). The band is within a factor of two of the default's saving. "
    f"{plotting.INTERVALS} {SEEDS} Where a seed does not reach the goal there is a "
    "gap. (Paper: Fig. 6.)",
    alt="Two panels of dots on logarithmic axes, a row for each variation, with a band "
    "around the default's saving.",
    notebook=NAME,
    lead=True,
)

# %% [markdown]
# Why the saving of $M_0$ may differ is seen in what plain learning costs. $M_0$ counts changes. In
# the default setting plain learning changes every synapse on every sample, on purpose: nothing is
# saved by accident. Where pixels or hidden units are silent, plain learning skips their synapses,
# so that there is less for a restriction to save. The largest updates are never among those
# skipped. Cross-entropy is another matter: it always leaves something to learn, even from an image
# that is classified correctly by far; see what that does to $M_1$.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table of energies"}
shape = networks.shape(scale.size, base.bias, inputs=784, classes=10)
synapses = sum(before * after for before, after in shape.layers)
spent = varied.assign(share=100 * varied["m0"] / (varied["updates"] * synapses))
by_method = {
    name: mean(spent, name, "study", "method") for name in ("share", "m0", "m1")
}
lines = [
    "| setting | changed per sample | $M_0$ plain | $M_0$ restricted | $M_1$ plain"
    " | $M_1$ restricted |",
    "| --- | --: | --: | --: | --: | --: |",
]
for study in ["default", *VARIATIONS]:
    share, m0, m1 = (by_method[name][study] for name in ("share", "m0", "m1"))
    cells = [f"{m0[way] / 1e6:,.0f}" for way in ("all", BOTH)]
    cells += [f"{m1[way] / 1e3:,.1f}" for way in ("all", BOTH)]
    cells = ["–" if cell == "nan" else cell for cell in cells]
    lines.append(f"| {study} | {share['all']:.0f} % | {' | '.join(cells)} |")
table = "\n".join(lines)
relative = mean(varied, "relative saving of m0", "study", "method")
as_if = {
    study: relative[study, BOTH] / (by_method["share"][study, "all"] / 100)
    for study in ("no zero mean", "ReLU")
}
Markdown(
    f"{table}\n\nShare of all synapses that plain learning changes on a sample (with "
    "potentiation only: raises), and energies until the goal, $M_0$ in millions and "
    "$M_1$ in thousands, plain and with the largest updates in a subnet. Means over "
    "seeds.\n\nIf plain learning had changed all synapses on each of its samples there "
    f"too, the saving of $M_0$ would be {as_if['no zero mean']:.2g} times the "
    f"default's without zero mean, and {as_if['ReLU']:.2g} times with ReLU."
)

# %% [markdown]
# One setting serves all variations here. Harder images may ask for more changes:

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: more changes for harder images"}
wider_sweep = settings.sweep(
    grid(
        replace(base, **VARIATIONS.get("Fashion-MNIST", {})),
        restriction=[Subnet(100) & LargestUpdates(0.05)],
        seed=scale.seeds,
    )
)
wider, few = wider_sweep.ends(), varied[varied["method"] == BOTH]
few = few[few["study"] == ("default" if left_out else "Fashion-MNIST")]
best = [100 * run.table["test_accuracy"].max() for run in result.runs]
best = notebook.span([best[place] for place in few.index], ".1f")
Markdown(
    f"Of {'MNIST' if left_out else 'Fashion-MNIST'}, {few['reached'].sum()} of "
    f"{len(few)} seeds reach the goal with {100 * FRACTION:g} % of the synapses, where "
    f"the best accuracies are {best} %, and {wider['reached'].sum()} of {len(wider)} "
    f"with 5 %, for an $M_0$ of {notebook.span(wider['energy_m0'] / 1e6, ',.0f')} "
    "million."
)

# %% [markdown]
# ## Text and program
#
# Does it matter where the paper's text and its authors' program differ? Each detail is changed
# alone. The figure shows the time and $M_1$ relative to the default. $M_0$ is not shown: with the
# same number of synapses changed on every sample, it is the learning time in other units.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of details"}
panels = [
    plotting.dots(
        detailed,
        f"relative {column}",
        "study",
        "method",
        {},
        xlabel=f"{label} relative to the default",
    )
    for column, label in (("samples", "learning time"), ("m1", "$M_1$"))
]
plotting.show(
    *panels,
    name="fig-variations-fidelity",
    caption="Learning time (samples until the goal) and energy when one detail is "
    "changed, relative to the default with the same seed: time (a) and "
    f"<i>M</i><sub>1</sub> (b). {plotting.INTERVALS} {notebook.seeds(detailed)}. (Not "
    "in the paper.)",
    alt="Two panels of dots around a line at 1, with a row for each detail and colours "
    "for all synapses and the largest updates in a subnet.",
    notebook=NAME,
)
changes = {
    measure: mean(
        detailed[detailed["method"] == BOTH], f"relative saving of {measure}", "study"
    )
    for measure in ("m0", "m1")
}
Markdown(
    "The saving by the largest updates in a subnet is "
    f"{notebook.span(changes['m0'], '.2f')} times the default's for $M_0$ and "
    f"{notebook.span(changes['m1'], '.2f')} times for $M_1$, depending on the detail. "
    "A run ends at the first measurement that reaches the goal, so its length is known "
    "to the thousand (or two thousand) samples between two measurements at best."
)

# %% [markdown]
# The goal is an accuracy on the test set (which the paper calls a validation set), and the first
# measurement that gets there ends a run, be it by luck. How much does that matter? Here it is
# measured every 250 images, beyond the goal, so that it can be told when the same run would have
# been stopped otherwise.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: when a run is stopped"}
often = replace(base, measure_every=250, until=scale.goal + scale.beyond)
fine_sweep = settings.sweep(grid(often, seed=scale.seeds[:3]))
earlier, later = [], []
for run in fine_sweep.runs:
    table = run.table.set_index("samples")["test_accuracy"]
    seldom = table[table.index % 1000 == 0]
    over_2000 = table.rolling(9, center=True).mean()
    first, usual, lasting = (
        accuracy[accuracy >= scale.goal].index.min()
        for accuracy in (table, seldom, over_2000)
    )
    earlier.append(100 * (1 - first / usual))
    later.append(100 * (lasting / usual - 1))
Markdown(
    f"A run that is measured every 250 images "
    f"would stop {notebook.span(earlier, '.0f')} % earlier than when it is measured "
    "every 1,000. The mean accuracy over 2,000 images gets to the goal "
    f"{notebook.span(later, '.0f')} % later (negative: earlier) than the first "
    f"measurement every 1,000. These are single runs, {len(earlier)} of them."
)

# %% [markdown]
# ## The claims
#
# Savings are of runs with the same seed.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what the claims are judged by"}
found = notebook.Findings(settings, NAME, "CP18")
changed = varied[(varied["method"] == BOTH) & (varied["study"] != "default")]
for measure in ("m0", "m1"):
    name = f"saving of {measure.upper()} / the default's saving"
    ratios = changed.set_index(["study", "seed"])[f"relative saving of {measure}"]
    found.each("CP18", name, "{}", ratios)
if left_out:
    missing = "Fashion-MNIST is not here; lazybook data fetch fashion-mnist gets it"
    name = "saving of M0 / the default's saving"
    found.lacks("CP18", name, "Fashion-MNIST", missing)
sweeps = [result, wider_sweep, fine_sweep]
found.verdicts(sweeps)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
kept = {}
for measure in ("m0", "m1"):
    by_study = mean(changed, f"relative saving of {measure}", "study")
    about = by_study[by_study.between(0.5, 2)]
    away = by_study.drop(about.index)
    others = [
        f"goal missed on {study}" if np.isnan(value) else f"{value:.2g} times: {study}"
        for study, value in away.items()
    ]
    kept[measure] = (
        f"{len(about)} of {len(by_study)} variations"
        + f" ({', '.join(others)})" * bool(others)
    )
found.answer(
    "The saving by the largest updates in a subnet is within a factor of two of the "
    f"default's in **{kept['m0']} for $M_0$**, and in **{kept['m1']} for $M_1$**."
)

# %% [markdown]
# ## Your turn
#
# **1.** No synapse changes that leads from a pixel that is 0. From the images alone, predict which
# share of the synapses plain learning changes on a sample if the mean is not subtracted.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: pixels with ink"}
# NBVAL_CHECK_OUTPUT
ink = 100 * np.count_nonzero(mnist.train.values) / mnist.train.values.size
changed_share = by_method["share"]["no zero mean", "all"]
print(
    f"{ink:.0f} % of the pixels are not 0; {changed_share:.0f} % of the synapses change"
)

# %% [markdown]
# **2.** If only raising a weight costs, which part of $M_0$ and of $M_1$ is left? Does it matter
# whether all synapses are plastic?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: only what is raised"}
# NBVAL_CHECK_OUTPUT
half = varied[varied["study"] == "potentiation only"]
for method, rows in half.groupby("method", sort=False):
    parts = [rows[name].mean() / rows[f"all of {name}"].mean() for name in ("m0", "m1")]
    print(f"{plotting.NAMES[method]}: {parts[0]:.2f} of M0, {parts[1]:.2f} of M1")

# %% [markdown]
# Next: {doc}`Do the savings of different rules multiply? <lazy_on_top>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes(sweeps)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how the results came about"}
notebook.provenance(settings, sweeps)
