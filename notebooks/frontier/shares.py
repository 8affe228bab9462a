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
# # Which rule saves what?
#
# The combination that {doc}`needs fewest changes <front>` is made of four choices: learn only
# mistakes, leave the first layer as it was drawn, change only what would change most, and give the
# hidden units a threshold, so that few are active at a time. How much of the saving is whose, and
# do they help or hinder each other? Here is every combination of the four.
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`the front <front>`, for the four rules and what they reach together.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
from dataclasses import replace
from itertools import combinations

import numpy as np
from IPython.display import Markdown

from lazybook.book import analysis, notebook, plotting
from lazybook.errors import DataError
from lazybook.experiment import Experiment, grid
from lazybook.gates import EverySample, Mistakes
from lazybook.restrictions import (
    AllSynapses,
    LargestToOutputs,
    LargestUpdates,
    SynapseMask,
)

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    seeds=([0], [0], [0, 1, 2]),
    hidden=(500, 1000, 2000),
    goal=(0.8, 0.9, 0.93),
    fashion_goal=(0.7, 0.8, 0.85),
    longer=(1, 1, 2),
    fashion_seeds=([0], [0], [0]),
    every=(500, 1000, 1000),
    plastic_rates=([0.03], [0.03], [0.01, 0.03]),
    fixed_rates=([0.3], [0.3], [0.3, 1.0]),
)
NAME = "frontier/shares"

# %% [markdown]
# ## The runs
#
# A network of rectifying hidden units learns by cross-entropy until the goal. Each choice is made,
# or not:
#
# * *pure lazy*: only misclassified images are learned;
# * *fixed*: the first layer stays random, and only the synapses to the outputs change;
# * *largest*: of each layer that is plastic only the 0.5 % of synapses with the largest updates
#   change on a sample;
# * *threshold*: the hidden units' biases begin at ten times the deviation of the weights below 0
#   instead of at 0.
#
# Rates that are right for one combination are wrong for another. So each combination learns with
# the one, of two, that needed fewest changes with a seed that is used for nothing else. It may take
# an epoch; pure lazy learning of the largest updates of a fixed network, which changes fewest
# synapses, two epochs of MNIST.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
LAZY, FIXED, LARGEST, THRESHOLD = "pure lazy", "fixed", "largest", "threshold"
RULES = (LAZY, FIXED, LARGEST, THRESHOLD)
SEARCH_SEED = 100
FRACTION = 0.005
base = Experiment(
    zero_mean=True,
    hidden=scale.hidden,
    activation="relu",
    loss="cross-entropy",
    epochs=1,
    measure_every=scale.every,
    measure_training=False,
)


def combined(rules, **changes):
    """Return the experiment in which these of the ``RULES`` hold."""
    restriction = SynapseMask(0, 1) if FIXED in rules else AllSynapses()
    if LARGEST in rules:
        restriction &= LargestToOutputs(FRACTION)
        if FIXED not in rules:
            restriction &= LargestUpdates(FRACTION)
    return replace(
        base,
        gate=Mistakes() if LAZY in rules else EverySample(),
        restriction=restriction,
        initial="gaussian:0.02,-0.2" if THRESHOLD in rules else "gaussian:0.02",
        **changes,
    )


def study(choices, dataset, goal, seeds, longer=1):
    """Return the ends of runs with each of the ``choices`` of rules, and both sweeps.

    Each learns with the rate that was best with the seed of the search, for an epoch at
    most; those that change fewest synapses may take ``longer``.
    """
    on = {"dataset": dataset, "until": goal, "seed": SEARCH_SEED}
    most = {
        rules: longer if {LAZY, FIXED, LARGEST} <= {*rules} else 1 for rules in choices
    }
    tried = {
        rules: grid(
            combined(rules, **on, epochs=most[rules]),
            learning_rate=scale.fixed_rates if FIXED in rules else scale.plastic_rates,
        )
        for rules in choices
    }
    searched = [one for several in tried.values() for one in several]
    search = settings.sweep(searched)
    needed = {
        one: run.final["energy_m0"] if run.final["test_accuracy"] >= goal else np.inf
        for one, run in zip(searched, search.runs, strict=True)
    }
    best = {rules: min(several, key=needed.get) for rules, several in tried.items()}
    result = settings.sweep(
        [replace(best[rules], seed=seed) for rules in choices for seed in seeds],
    )
    ends = analysis.reached(
        result.ends(), ["energy_m0", "energy_m1", "updates", "samples"]
    )
    ends["rules"] = [rules for rules in choices for _ in seeds]
    ends["row"] = [
        ", ".join(rule for rule in rules if rule != LAZY) or "none"
        for rules in ends["rules"]
    ]
    return ends, search, result


EVERY = [rules for number in range(5) for rules in combinations(RULES, number)]
digits, *sweeps = study(EVERY, "mnist", scale.goal, scale.seeds, scale.longer)
ALONE = [rules for rules in EVERY if len(rules) in (0, 1, 4)]
lacking = ""
try:
    clothes, *more = study(
        ALONE, "fashion-mnist", scale.fashion_goal, scale.fashion_seeds
    )
    sweeps += more
except DataError as error:  # neither records nor the data set are here
    clothes, lacking = None, str(error)

# %% [markdown]
# ## The energy
#
# The figure is the one that this page begins with. In each row the two dots differ in the gate
# alone.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
NAMES = {"none": "none of the three"}


def panel(table, column, label):
    """Return a panel with this energy of each combination."""
    return plotting.dots(
        table, column, "row", "gate", NAMES, xlabel=label, xscale="log"
    )


panels = [
    panel(digits, "energy_m0", "changes $M_0$"),
    panel(
        digits.assign(m1=digits["energy_m1"] / 1000),
        "m1",
        "sum of changes $M_1$ (thousands)",
    ),
]
of_clothes = ""
if clothes is not None:
    panels.append(panel(clothes, "energy_m0", "changes $M_0$, Fashion-MNIST"))
    of_clothes = (
        "; (c) <i>M</i><sub>0</sub> until "
        f"{100 * scale.fashion_goal:g} % of those of Fashion-MNIST are, "
        f"n = {len(scale.fashion_seeds)}"
    )
plotting.show(
    *panels,
    name="fig-shares",
    caption="<i>M</i><sub>0</sub> (a) and <i>M</i><sub>1</sub> (b) until "
    f"{100 * scale.goal:g} % of the test images of MNIST are classified correctly"
    f"{of_clothes}. For combinations of a fixed first layer, largest updates and "
    "thresholds (rows), with and without pure lazy learning (colours). A combination "
    "with which a seed missed the goal has no dot. "
    f"{plotting.INTERVALS} H = {scale.hidden}, {notebook.seeds(digits)}. (Not in the "
    "papers.)",
    alt="Panels of dots on logarithmic axes, with a row for each combination "
    "and colours for backprop and pure lazy learning.",
    notebook=NAME,
    lead=True,
)


# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the shares"}
def means(table, column="energy_m0"):
    """Return the means of ``column`` over seeds, nan where a seed missed the goal."""
    return table.groupby("rules")[column].agg(lambda v: v.mean(skipna=False))


def times(value):
    """Spell a ratio with two digits."""
    return f"{float(f'{value:.2g}'):,g}" if np.isfinite(value) else "–"


m0 = means(digits)
alone = {rule: m0[()] / m0[(rule,)] for rule in RULES}
on_top = {
    rule: m0[tuple(other for other in RULES if other != rule)] / m0[RULES]
    for rule in RULES
}
missed = [rule for rule in RULES if not np.isfinite(on_top[rule])]
said = f"Without {' or without '.join(missed)} the goal is missed. " if missed else ""
Markdown(
    "How many times fewer changes, by the means (–: a seed missed the goal):\n\n"
    "| rule | alone | on top of the other three |\n| --- | --- | --- |\n"
    + "\n".join(
        f"| {rule} | {times(alone[rule])} | {times(on_top[rule])} |" for rule in RULES
    )
    + f"\n\n{said}All four together need {times(m0[()] / m0[RULES])} times fewer "
    "changes than none; the product of what each saves alone is "
    f"{times(np.prod([*alone.values()]))}."
)

# %% [markdown]
# ## Who fights whom?
#
# If two rules had nothing to do with each other, both together would save the product of what each
# saves alone.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the pairs"}
pairs = {
    pair: (m0[()] / m0[pair]) / (alone[pair[0]] * alone[pair[1]])
    for pair in combinations(RULES, 2)
}
known = {pair: value for pair, value in pairs.items() if np.isfinite(value)}
worst, best = min(known, key=known.get), max(known, key=known.get)
samples = means(digits, "samples")
Markdown(
    "| pair | saving / product of the savings | samples presented |\n"
    "| --- | --- | --- |\n"
    + "\n".join(
        f"| {' and '.join(pair)} | {times(value)} | {samples[pair]:,.0f} |"
        for pair, value in pairs.items()
    )
    + f"\n\nMost in each other's way are {' and '.join(worst)} "
    f"({times(known[worst])} times the product); {' and '.join(best)} go together best "
    f"({times(known[best])} times). With none of the rules {samples[()]:,.0f} samples "
    f"are presented, with all of them {samples[RULES]:,.0f}: being shown them costs no "
    "plasticity."
)

# %% [markdown]
# ## Clothes instead of digits
#
# Fashion-MNIST is harder, so the goal is lower. Panel c has each rule alone, none and all of them.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the shares for clothes"}
if clothes is not None:
    of_clothes = means(clothes)
    told = "; ".join(
        f"{rule} {times(of_clothes[()] / of_clothes[(rule,)])}" for rule in RULES
    )
    told = (
        "How many times fewer changes each saves alone (–: the goal was missed within "
        f"an epoch): {told}. All of them together: "
        f"{times(of_clothes[()] / of_clothes[RULES])} times fewer."
    )
else:
    told = f"It is not shown here: {lacking}."
Markdown(told)

# %% [markdown]
# ## The claims
#
# Seed by seed, all four rules together are compared with the one rule that alone needs fewest
# changes.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what the claims are judged by"}
found = notebook.Findings(settings, NAME, "FR2", "FR3")
MEASURE = "M0 of the best single rule / of all together"


def compare(table):
    """Return the ratio that the claims are about, for each seed."""
    spent = table.pivot(index="seed", columns="rules", values="energy_m0")
    spent = spent.fillna(np.inf)
    return spent[[(rule,) for rule in RULES]].min(axis=1) / spent[RULES]


found.each("FR2", MEASURE, f"MNIST to {100 * scale.goal:g} %", compare(digits))
WHERE = f"Fashion-MNIST to {100 * scale.fashion_goal:g} %"
if clothes is not None:
    found.each("FR3", MEASURE, WHERE, compare(clothes))
else:
    found.lacks("FR3", MEASURE, WHERE, lacking)
found.verdicts(sweeps[1::2])

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
most = max(on_top, key=lambda rule: np.nan_to_num(on_top[rule]))
found.answer(
    f"All four together make **{times(m0[()] / m0[RULES])} times fewer changes** than "
    f"none of them, and {times(compare(digits).mean())} times fewer than the best one "
    f"alone. {said}Without *{most}* {times(on_top[most])} times as many are needed. "
    f"Most in each other's way are {' and '.join(worst)}."
)

# %% [markdown]
# Next: {doc}`How does all that grow with the data and with the network? <law>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes(sweeps[1:2])

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how the results came about"}
notebook.provenance(settings, sweeps)
