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
# # A ladder of joules per bit · energy per bit
#
# Ten millijoules for a bit: is that much? The paper compares it with computers and with what
# biophysics has for other bits in the brain, and concludes that biological memory is expensive
# {cite}`girard2023estimating`. How far apart are the steps of that ladder, and does every kind of
# computer memory stand below?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`the estimate <estimate>` for a fly, which is the highest step here.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
bits = None  # of an association, [low, high]

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
from dataclasses import replace

import pandas as pd
from IPython.display import Markdown
from matplotlib.ticker import LogLocator

from lazybook import energy_per_bit
from lazybook.book import claims, notebook, plotting
from lazybook.energy_per_bit import Quantity, between, interval, spelled

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    draws=(100_000, 100_000, 1_000_000),
)
NAME = "energy_per_bit/ladder"
SEED = 0
CLAIMED = Quantity(10, "millijoule / bit")
inputs = dict(energy_per_bit.known("fly"))
if bits is not None:
    inputs["bits"] = energy_per_bit.replaced(inputs["bits"], bits, "bits")
ladder = energy_per_bit.known("ladder")

# %% [markdown]
# ## The steps
#
# The lowest step is a law of physics, {term}`Landauer's limit`: to erase a bit at the temperature
# $T$ takes at least $k T \ln 2$ {cite}`landauer1961irreversibility`, which experiments have
# confirmed {cite}`berut2012experimental`. Then come the cells and chips of computers
# {cite}`yang2013memristive,hu2011high,han2015learning`, and a hard disk that has to move its arm
# for a bit. What a neuron spends on a bit that it *sends* is known in molecules of {term}`ATP`
# {cite}`laughlin1998metabolic,harris2012synaptic`; one of these gives some 50 kJ/mol in a cell. The
# highest step is the estimate of the {doc}`page before <estimate>`, for a bit that a fly *keeps*.
#
# Not all of these numbers were read where they were first printed. Filled markers are numbers from
# the source itself. Open ones are from what others write of it: those of a roadmap of the
# semiconductor industry, for one, were read in copies of a review's table.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the steps"}
drawn = energy_per_bit.draw(inputs, SEED, scale.draws)
power = energy_per_bit.power(drawn["oxygen"], drawn["heat"], drawn["mass"])
fly = interval((power * drawn["life_lost"] / drawn["bits"]).to("joule / bit"))
limit = energy_per_bit.landauer(Quantity(300, "kelvin"))
steps = {key: step.ends.to("joule / bit") for key, step in ladder.items()}


def times(more, less):
    """Return the ratio of two energies, for a sentence."""
    return spelled((more / less).to("").magnitude)


# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
MARKERS = {"physics": "^", "memory": "o", "biology": "D"}
rows = sorted(steps, key=lambda key: (ladder[key].kind == "biology", steps[key][0]))
labels = ["Landauer's limit", *(ladder[key].name for key in rows), "memory, fly"]
figure, axes = plotting.subplots(figsize=(5.4, 4.9))
look = {"color": plotting.INK, "ms": 7, "ls": "-", "lw": 1.6}
axes.plot(limit.magnitude, 0, MARKERS["physics"], **look)
for place, key in enumerate(rows, start=1):
    fill = plotting.INK if ladder[key].known == "read" else "none"
    marker = MARKERS[ladder[key].kind]
    ends = sorted(set(steps[key].magnitude))
    axes.plot(ends, [place] * len(ends), marker, mfc=fill, **look)
top = len(labels) - 1
axes.plot(fly.magnitude, [top, top], MARKERS["biology"], mfc="none", **look)
axes.axvline(CLAIMED.to("joule / bit").magnitude, color=plotting.INK, ls="--", lw=1)
axes.axvspan(*fly.magnitude, color="#808080", alpha=0.2, lw=0)
axes.set_yticks(range(len(labels)), labels)
axes.set(xlabel="energy per bit (J)", xlim=(1e-22, 10))
plotting.logarithmic(axes.xaxis)
axes.xaxis.set_major_locator(LogLocator(1000, numticks=20))
axes.grid(axis="y", visible=False)
plotting.show(
    figure,
    name="fig-ladder",
    caption="What a bit takes: Landauer's limit (triangle), computer memory (circles), "
    "signals and memory in animals (diamonds). Lines between two markers are ranges; "
    "that of the fly is the 90&nbsp;% interval of the estimate, carried through the "
    "figure as a band. Open markers are second-hand or inferred numbers. Dashed: "
    "10 mJ.",
    alt="A row for each kind of bit, on an axis over more than twenty orders of "
    "magnitude. Landauer's limit is lowest, then memory cells, chips, signals of "
    "neurons. The fly's memory is far to the right, and with it only the hard disk.",
    notebook=NAME,
    lead=True,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table of steps"}
table = energy_per_bit.table(ladder.values())
table.insert(
    2,
    "10 mJ is … times it",
    [between((CLAIMED / ends[::-1]).to(""), 1) for ends in steps.values()],
)
notebook.html_table(table, "Energy per bit")

# %% [markdown]
# ## What a fly could buy for it
#
# Most of what a neuron builds is protein, and that is expensive: each amino acid costs at least
# four bonds like the one that ATP gives away.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: proteins"}
atp = (CLAIMED / Quantity(1, "ATP")).to("1 / bit")
acids = atp / 4
proteins = acids / 400
mass = (acids * Quantity(110, "gram / mole / avogadro_constant")).to("microgram / bit")
Markdown(
    f"Ten millijoules are {spelled(atp.magnitude)} ATP. They make "
    f"{spelled(proteins.magnitude)} proteins of 400 amino acids, {mass.magnitude:.1f} "
    f"µg of them. {(Quantity(1, 'milligram') / mass).m_as('bit'):.0f} bits would cost "
    "as much protein as a fly of 1 mg weighs."
)

# %% [markdown]
# It is hard to believe that so much is made. Either the energy goes elsewhere, into activity while
# the memory forms, say, or the association holds far more bits, or the lost hours are not all lost
# energy. The paper leaves it at that: the reason is not known.
#
# ## The claims
#
# The paper says *many orders of magnitude* and names no kind of memory in what could be read of it.
# Here it is a million times or more, for the low end of the estimate's interval and the high end of
# the memory's. The kinds that count were chosen beforehand: access to DRAM and to a cache, flash,
# phase change and STT-RAM. The others are shown beside them. A hard disk is not among those that
# count, and has a claim of its own.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what the claims are judged by"}
found = notebook.Findings(settings, NAME, "EB2", "EB3", "EB4")
MEMORY = "low end of the estimate / energy per bit of a memory"
for key, step in ladder.items():
    if step.kind == "memory":
        found.add("EB2", MEMORY, step.name, (fly[0] / steps[key][1]).to(""))
above = (fly[0] / limit).to("")
found.add("EB2", "low end of the estimate / Landauer's limit", "300 K", above)
of_disk = (fly[1] / steps["hard_disk"][0]).to("")
HIGH = "high end of the estimate / energy per bit of a hard disk"
found.add("EB3", HIGH, "random access", of_disk)
of_signal = (fly[0] / Quantity(1e7, "ATP / bit")).to("")
found.add("EB4", "low end of the estimate / ten million ATP", "spikes", of_signal)
found.verdicts([])

# %% [markdown]
# What if the hard disk counted as a memory like the others?

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: with the hard disk"}
claim = claims.claims()["EB2"]
counted = tuple(replace(measure, core=()) for measure in claim.measures)
with_disk = claims.judge(replace(claim, measures=counted), found.found["EB2"])
Markdown(f"Then EB2 would be *{with_disk.word}*. {with_disk.note}")

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
chips = [step.name for step in ladder.values() if step.kind == "memory"]
chips.remove(ladder["hard_disk"].name)
costliest = max(ends[1] for key, ends in steps.items() if ladder[key].name in chips)
disk = between(steps["hard_disk"].to("millijoule / bit"))
found.answer(
    f"It is: 10 mJ is **{times(CLAIMED, limit)} times** what physics asks for, and at "
    f"least {times(CLAIMED, costliest)} times what any chip takes. The exception is a "
    f"**hard disk's random access**, which takes {disk} mJ itself. To keep a bit costs "
    f"a fly at least {times(CLAIMED, steps['spikes'][1])} times what it costs a neuron "
    "to send one."
)

# %% [markdown]
# ## Your turn
#
# **1.** A bit is read from DRAM for 20 pJ. How many times could a bit be read for the energy with
# which a fly keeps one, at the low end of the estimate? At one reading a nanosecond, how long would
# that take?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: reading DRAM"}
# NBVAL_CHECK_OUTPUT
reads = (fly[0] / steps["dram"][0]).to("")
lasts = (reads * Quantity(1, "nanosecond")).to("millisecond")
Markdown(f"{spelled(reads.magnitude)} times, in {lasts.magnitude:.0f} ms.")

# %% [markdown]
# **2.** Landauer's limit is proportional to the temperature. How hot would a memory have to be for
# the limit to be 10 mJ? (The centre of the sun has some 15 million kelvin.)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: how hot"}
# NBVAL_CHECK_OUTPUT
hot = Quantity(300, "kelvin") * (CLAIMED / limit).to("")
Markdown(f"{spelled(hot.magnitude)} K, which is found nowhere.")

# %% [markdown]
# Next: {doc}`What would the networks of this book cost, at such prices? <bridge>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([])
print(f"{fly:.2e~P}, {limit:.3e~P}, {with_disk}")

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
made = {
    "profile": settings.profile,
    "draws": f"{scale.draws:,}",
    "seed": SEED,
    "bits given by hand": bits or "no",
}
notebook.html_table(pd.DataFrame([made]), "how the results came about")
