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
# # Trust
#
# A run that took a night should survive a power cut, and a typing error should be answered
# before the night begins. Whether it is so can be counted. A harness, `tests/trust`, disturbs
# `lazybook` in many ways, each time in another place that random numbers choose, and counts how
# often all went well. Each trial has its seed, so that one that fails can be made again. This page
# shows the last long run of the harness; `make trust` makes it anew. How the results of each page
# came about is [told below](pages).

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what is trusted"}
import html
import json
from collections import Counter

import numpy as np
import pandas as pd
from IPython.display import Markdown

from lazybook.book import notebook, plotting
from lazybook.experiment import grid, preset
from lazybook.restrictions import AllSynapses, LargestUpdates, Subnet
from lazybook.support import paths

settings = notebook.start(globals())
NAME = "trust"
FILE = paths.repository() / "results" / "trust.json"
kinds = json.loads(FILE.read_text("utf8")) if FILE.exists() else {}
TITLES = {
    "killed-sweeps": "kills of a sweep",
    "killed-writes": "kills in a write",
    "killed-neighbours": "kills of one of two that share a sweep",
    "damaged-records": "damaged records",
    "constructors": "bad inputs: in Python",
    "command-line": "bad inputs: on the command line",
    "notebooks": "bad inputs: parameters of notebooks",
    "make": "bad inputs: variables of make",
    "environment": "bad inputs: in the environment",
    "jobs": "the same: alone or side by side",
    "chunks": "the same: measured more or less often",
    "engines": "the same: with each engine",
    "diverging": "the same: where a run diverges",
    "memory": "peak memory of a sweep",
}
KILLS = [name for name in TITLES if name.startswith("killed")]
INPUTS = [name for name, title in TITLES.items() if title.startswith("bad inputs")]


def share(names):
    """Return how many trials of some kinds were good, of how many, for a sentence."""
    good, done = (sum(kinds[name][what] for name in names) for what in ("good", "done"))
    return f"{good:,} of {done:,}"


def each(name):
    """Return where, when or with what the trials were made, for a sentence."""
    made = [kind["provenance"] for kind in kinds.values()]
    facts = [fact | fact["packages"] | {"date": fact["date"][:10]} for fact in made]
    return ", ".join(sorted({fact[name] for fact in facts}))


def figures(name, what):
    """Return what the trials of one kind counted: numbers by a word."""
    return Counter(kinds[name]["figures"][what] if kinds else {})


# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what was found"}
if kinds:
    kills = sum(kinds[name]["figures"]["kills"] for name in KILLS)
    planted, found = (
        figures("damaged-records", what).total() for what in ("planted", "found")
    )
    said = (
        f"**{share(kinds)} trials went well.** Of those with kills {share(KILLS)} did; "
        f"{kills:,} processes were killed in them. {found:,} of {planted:,} damaged "
        f"records were found. {share(INPUTS)} bad inputs were answered as they should. "
        f"Made on {each('date')} at commit {each('commit')} on {each('machine')}, with "
        f"Python {each('python')} and numba {each('numba')}."
    )
else:
    said = "The long run has not been made: there is no `results/trust.json`."
Markdown(said)

# %% [markdown]
# ## What was tried
#
# - **Kills.** A sweep of a dozen small experiments is killed (SIGKILL, which no process can
#   answer), started again, killed again, and left to end. Or it is killed while it writes a record:
#   in the middle of the bytes, before the file gets its name, or right after. Or two processes
#   share the work, and one is killed. After each kill no half record may be seen. In the end the
#   results are those of a sweep that nobody disturbed, bit for bit, no finished run was lost or
#   computed again, and nothing is left lying about.
# - **Damage.** Some records of a sweep are damaged: bits flipped, truncated, exchanged, replaced by
#   files of other kinds. Just these have to be named and computed again.
# - **Bad inputs.** A wrong value where a value can be given. In Python it has to raise
#   `InvalidValue`; a command has to end with exit code 2 and one line that says what is wrong,
#   before any work. What is wrong in the environment may also do no harm.
# - **The same by other ways.** An experiment gives the same whether others run beside it, however
#   often it is measured, and with each engine, diverging runs included. Counts have to be equal;
#   energies, up to the rounding of float32.
# - **Memory.** A sweep of four networks, two at a time, has to stay within what two of them need.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table of trials"}
rows = [
    {
        "kind of trial": TITLES[name],
        "good": f"{kind['good']:,}",
        "done": f"{kind['done']:,}",
        # If a share p fails, all of n go well with the probability (1 - p)^n.
        "failures, at most": f"{100 * (1 - 0.05 ** (1 / kind['done'])):.1f} %"
        if kind["good"] == kind["done"]
        else None,
    }
    for name, kind in kinds.items()
]
notebook.html_table(pd.DataFrame(rows), "Trials by kind")

# %% [markdown]
# The last column is an upper bound at 95 % confidence: were the share of failures larger, so many
# trials would all go well in less than one case in twenty. A kind with failures has none; here is
# what failed.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what failed"}
failures = [
    f"- `{name} {seed}`: {html.escape(problem)}"
    for name, kind in kinds.items()
    for seed, problem in kind["failures"].items()
]
Markdown("\n".join(failures) or "Nothing failed.")

# %% [markdown]
# ## Kills and damage
#
# Kills have to come at all moments to be worth something: those of a sweep are spread over its
# records.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of kills"}
finished = figures("killed-sweeps", "records")
figure, axes = plotting.subplots(figsize=(5.4, 2.6))
axes.bar(range(13), [finished[str(number)] for number in range(13)], color="#2b62cc")
axes.set(xlabel="records that were finished", ylabel="kills")
plotting.show(
    figure,
    name="fig-kills",
    caption="How many of twelve records were finished when a sweep was killed.",
    alt="A bar for each number of finished records.",
    notebook=NAME,
)
moments = figures("killed-writes", "moments")
told = ", ".join(f"{number:,} {moment}" for moment, number in sorted(moments.items()))
Markdown(f"Of the kills in a write came: {told}." if moments else "")

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table of damages"}
planted, found = (figures("damaged-records", what) for what in ("planted", "found"))
rows = [
    {"damage": kind, "found": found[kind], "planted": planted[kind]}
    for kind in sorted(planted)
]
notebook.html_table(pd.DataFrame(rows), "Damaged records by kind of damage")

# %% [markdown]
# ## Memory
#
# Most of what a network needs are matrices of the size of its weights: those it started from, those
# it has, and for some rules and records a few more. The bound is what two networks need at a time,
# what four runs keep, and 60 MB for everything else, on top of what there was before the sweep.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table of memory"}
sweeps = kinds["memory"]["figures"]["sweeps"] if kinds else []
rows = [
    {
        "sweep": html.escape(sweep["sweep"]),
        "before (MB)": f"{sweep['before'] / 1e6:,.0f}",
        "peak (MB)": f"{sweep['peak'] / 1e6:,.0f}",
        "bound (MB)": f"{sweep['bound'] / 1e6:,.0f}",
    }
    for sweep in sweeps
]
notebook.html_table(pd.DataFrame(rows), "Peak memory of sweeps")

# %% [markdown]
# ## How far a single run can be trusted
#
# One seed gives one result, to the last bit, on one kind of processor. But it is one of many that
# are as good. What a run records, and how often it is measured, changes the order in which numbers
# are added up, and with it how they are rounded. After some thousand samples two such runs make
# different mistakes, and part. How much does that change the time that a run takes to its goal?
# Here are runs with the same seed, without and with a record of which changes raise a weight.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: runs that differ by their rounding"}
scale = settings.scale(
    # smoke, quick, paper
    size=(60, 100, 1000),
    goal=(0.8, 0.95, 0.95),
    subnet=(20, 20, 100),
    seeds=([0], [0], [0, 1, 2]),
)
base = preset("competitive", hidden=scale.size, until=scale.goal)
pairs = settings.sweep(
    grid(
        base,
        restriction=[AllSynapses(), Subnet(scale.subnet) & LargestUpdates(0.02)],
        record=[(), ("potentiation",)],
        seed=scale.seeds,
    )
)
times = np.array([run.final["samples"] for run in pairs.runs], float)
times = times.reshape(2, 2, len(scale.seeds))  # restrictions, records, seeds
parted = 100 * (times[:, 1] / times[:, 0] - 1)
names = ("with all synapses plastic", "with the largest updates in a subnet")
told = [
    f"{notebook.span(each, '+.0f')} % {name}"
    for each, name in zip(parted, names, strict=True)
]
seeds = [100 * (each.max() / each.min() - 1) for each in times[:, 0]]
Markdown(
    f"At H = {scale.size:,} the time to {100 * scale.goal:g} % changes by "
    f"{' and by '.join(told)}, in {len(scale.seeds)} pairs each. Between seeds the "
    f"longest time is {notebook.span(seeds, '.0f')} % above the shortest. So pages "
    "compare means over seeds, and single runs only where both took the same path or "
    "the difference is far larger than this."
)

# %% [markdown]
# (pages)=
# ## The pages
#
# When and where the results of each page were computed, in how many minutes on one core, and from
# which commit; a page's own table has the details. The cells in the last column give out what has
# to be the same when the page runs again in the smallest profile, which all checks do
# ([](/rerun)). Click a column's head to sort by it.
#
# ```{pages}
# ```

# %% [markdown]
# ## To repeat a trial
#
# `python -m tests.trust killed-sweeps 17` makes one trial again, by its kind and its seed. What is
# drawn is the same then. What the machine does at a moment is not, so a failure that hangs on the
# order of two processes may need several attempts.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes"}
# NBVAL_CHECK_OUTPUT
for name, kind in kinds.items():
    print(name, kind["good"], "of", kind["done"])
