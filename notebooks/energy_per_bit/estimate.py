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
# # From the lives of flies to joules per bit · energy per bit
#
# Flies that had formed a long-term memory died about four hours sooner, without food and water,
# than flies that had not {cite}`mery2005cost`. From that the energy of a memory has been put at
# about 10 mJ for each bit {cite}`girard2023estimating`. What does that number stand on, and what is
# least certain about it?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: no other page; {doc}`the method </method>` has the energies that the other papers
# speak of.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
# your own numbers, [low, high], in place of those in the table
life_lost = None  # hours
oxygen = None  # microlitres per milligram and hour
heat = None  # joules per millilitre of oxygen
mass = None  # milligrams
bits = None
source_of_bits = None  # where the bits are from: then the claim about them is judged

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
import numpy as np
import pandas as pd
from IPython.display import Markdown

from lazybook import energy_per_bit
from lazybook.book import notebook, plotting
from lazybook.energy_per_bit import Quantity, between, interval
from lazybook.errors import InvalidValue, told

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    draws=(100_000, 100_000, 1_000_000),
)
NAME = "energy_per_bit/estimate"
SEED = 0
CLAIMED = Quantity(10, "millijoule / bit")
given = {
    "life_lost": life_lost,
    "oxygen": oxygen,
    "heat": heat,
    "mass": mass,
    "bits": bits,
}
inputs = energy_per_bit.known("fly") | {
    name: energy_per_bit.replaced(energy_per_bit.known("fly")[name], ends, name)
    for name, ends in given.items()
    if ends is not None
}
if source_of_bits is not None and not (bits and isinstance(source_of_bits, str)):
    raise InvalidValue(
        f"source_of_bits is {told(source_of_bits)}; it must be text, and bits given too"
    )

# %% [markdown]
# ## The inputs
#
# The flies learned to avoid an odour that came with shocks. Five lessons in a row left a memory
# that needs no new proteins, and had no cost that could be seen. With breaks between the lessons
# they formed a long-term memory, and lived 19 % shorter. Suppose that the energy which the memory
# took is what they would have burned in the time that they lost,
#
# ```{math}
# E = t\, v\, q\, m,
# ```
#
# for $t$ hours lost by a fly of mass $m$, which takes up the volume $v$ of oxygen for each
# milligram and hour and gets $q$ joules from each volume of it. Divided by the number of
# {term}`bits <bit>` that an {term}`association` holds, it is the energy per bit.
#
# The full text of the estimate could not be had for this book, so none of these inputs is the
# paper's own. A filled circle stands for a number that was read in the source itself or in its
# abstract {cite}`mery2005cost,burggren2017metabolic`. An open one stands for what others write of
# it {cite}`placais2013favor,jiang2024reinforcement`, or what is derived or assumed here.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the table of inputs"}
notebook.html_table(energy_per_bit.table(inputs.values()), "Inputs of the estimate")

# %% [markdown]
# Each number lies within its interval with a probability of 90 %, and its logarithm is normally
# distributed. The bits are another matter: hardly anything is known but their limits, and between
# these all orders of magnitude are equally likely. The numbers are drawn at random, independently
# of one another, and the formula is computed for each draw. Units are carried along by the program
# (Pint), so that a microlitre that should have been a millilitre is an error.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the estimate"}
drawn = energy_per_bit.draw(inputs, SEED, scale.draws)
power = energy_per_bit.power(drawn["oxygen"], drawn["heat"], drawn["mass"])
energy = (power * drawn["life_lost"]).to("joule")
per_bit = (energy / drawn["bits"]).to("millijoule / bit")
holds = interval(energy / CLAIMED).to("bit")  # bits for which 10 mJ is in the interval
Markdown(
    f"A fly burns {between(interval(power).to('microwatt'))} µW. An association then "
    f"costs {between(interval(energy))} J; its median is "
    f"{np.median(energy).magnitude:.2g} J."
)

# %% [markdown]
# ## For how many bits is it 10 mJ?
#
# The energy of an association is known to within a factor of about two. How many bits it holds is
# not. The flies tell one odour from another and learn that it is bad. That is one bit, if the odour
# is taken for granted. If the memory has to name the odour among all that there are, it may hold
# hundreds: an odour excites some 5 % of the 2,000 Kenyon cells {cite}`hige2015plasticity`, and
# there are $2^{568}$ ways to choose them. The right panel of the figure above shows what each
# number of bits makes of the same energy.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
joules, left = plotting.subplots(figsize=(3.95, 3.5))
edges = np.geomspace(*np.quantile(energy.magnitude, [1e-4, 1 - 1e-4]), 60)
look = {"color": plotting.INK, "alpha": 0.35, "lw": 0}
left.hist(
    energy.magnitude, edges, weights=np.full(scale.draws, 1 / scale.draws), **look
)
low, high = interval(energy).magnitude
left.plot([low, high], [0, 0], color=plotting.INK, lw=5, solid_capstyle="butt")
plotting.logarithmic(left.xaxis, [1, 2, 5], "{x:g}")
left.set(xlabel="energy of an association (J)", ylabel="share of the draws")

bitwise, right = plotting.subplots(figsize=(3.95, 3.5))
numbers = np.geomspace(1, 1000, 50)
ends = 1000 * interval(energy).magnitude[:, None] / numbers
right.fill_between(numbers, *ends, color=plotting.INK, alpha=0.3, lw=0)
right.plot(numbers, 1000 * np.median(energy).magnitude / numbers, color=plotting.INK)
right.axhline(CLAIMED.magnitude, color=plotting.INK, ls="--", lw=1.2)
right.text(1, 1.1 * CLAIMED.magnitude, "paper: 10 mJ", va="bottom")
right.plot(holds.magnitude, 2 * [CLAIMED.magnitude], color=plotting.INK, lw=5)
for axis in (right.xaxis, right.yaxis):
    plotting.logarithmic(axis, text="{x:,g}")
right.set(xlabel="bits in an association", ylabel="energy per bit (mJ)")
plotting.show(
    joules,
    bitwise,
    name="fig-estimate-bits",
    caption="(a) The energy that a long-term memory costs a fly: "
    f"{scale.draws:,} draws, with their 90&nbsp;% interval as a thick line. (b) "
    "The energy for each bit, were an association to hold so many bits: median and "
    "90&nbsp;% interval. Where the band crosses the dashed line, the thick part of "
    "it, the estimate agrees with the paper's 10 mJ per bit.",
    alt="a, a bell of energies between a tenth of a joule and two joules, on a "
    "logarithmic axis. b, a band that falls from hundreds of millijoules per bit for "
    "one bit to below one for a thousand, and crosses the line of ten in between.",
    notebook=NAME,
    lead=True,
)

# %% [markdown]
# ## What dominates the uncertainty?
#
# The logarithm of a product is a sum, so the variance of its logarithm is the sum of those of the
# inputs, and each has its share. These are what is known as Sobol's indices of first order; for a
# product there are no others.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of shares"}
shares = energy_per_bit.shares(per_bit, drawn)
of_energy = energy_per_bit.shares(
    energy, {name: values for name, values in drawn.items() if name != "bits"}
)
order = sorted(inputs, key=shares.get)
swing, left = plotting.subplots(figsize=(3.95, 3.0))
parts, right = plotting.subplots(figsize=(3.95, 3.0))
places = np.arange(len(order))
widths = [np.sqrt(inputs[name].high / inputs[name].low) for name in order]
left.hlines(places, 1 / np.array(widths), widths, color=plotting.INK, lw=7)
left.axvline(1, color="#808080", lw=1)
plotting.logarithmic(left.xaxis, text="{x:g}")
left.set(xlabel="energy per bit, by its middle")
for shift, values, fill, label in (
    (0.19, of_energy, "none", "per association"),
    (-0.19, shares, plotting.INK, "per bit"),
):
    of_each = [100 * values.get(name, 0) for name in order]
    look = {"height": 0.36, "fc": fill, "ec": plotting.INK, "label": label}
    right.barh(places + shift, of_each, **look)
right.set(xlabel="share of the variance (%)", xlim=(0, 100))
right.legend(loc="lower right", fontsize="small")
for axes in (left, right):
    axes.set_yticks(places, [name.replace("_", "\n") for name in order])
    axes.grid(axis="y", visible=False)
plotting.show(
    swing,
    parts,
    name="fig-estimate-shares",
    caption="What each input does to the result. (a) By how much the energy per "
    "bit changes when one input goes through its interval and the others stay in their "
    "middles. (b) Its share in the variance of the logarithm, of the energy per "
    "association and per bit.",
    alt="Two charts with a row for each input. The bits change the energy per bit by a "
    "factor of hundreds, each other input by less than three, and have nearly all of "
    "the variance per bit. Per association the oxygen has the largest share.",
    notebook=NAME,
)
largest = max(of_energy, key=of_energy.get)
Markdown(
    f"Of the variance per bit {100 * shares['bits']:.0f} % comes from the bits. Per "
    f"association the largest share, {100 * of_energy[largest]:.0f} %, is that of the "
    f"{inputs[largest].name}. All shares add up to {sum(shares.values()):.2f}."
)

# %% [markdown]
# ## What no interval shows
#
# - That the lost hours are lost energy is the boldest step. The flies had no water either, and one
#   that dies within a day may have dried out. Forming the memory might have cost water, or wear.
# - The flies were of a line selected for its good memory. Others may pay less.
# - The energy is that of the whole animal. Flies that learned may also have moved more.
# - The inputs are taken to be independent. Males are lighter than females and burn more for each
#   milligram, so the true interval per association is, if anything, narrower.
#
# ## The claims
#
# Whether the estimate agrees with the paper's 10 mJ per bit depends on the bits, and the paper's
# number of them could not be had. So there is no verdict on that, whatever would come out for the
# limits above. All inputs are parameters of the notebook ({doc}`../../rerun`): put in bits of your
# own with their source, and there is a verdict. That the bits contribute most to the uncertainty is
# no claim of the paper's; it is ours, put to the same test.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what the claims are judged by"}
found = notebook.Findings(settings, NAME, "EB1", "EB5")
BELOW = "share of the estimates that lie below 10 mJ per bit"
if source_of_bits:
    found.add("EB1", BELOW, f"bits from {source_of_bits}", (per_bit < CLAIMED).mean())
else:
    why = "the paper's number of bits in an association could not be had"
    found.lacks("EB1", BELOW, "all draws", why)
others = max(share for name, share in shares.items() if name != "bits")
RATIO = "share of the bits in the uncertainty / largest share of another input"
found.add("EB5", RATIO, "all draws", shares["bits"] / others)
found.verdicts([])

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
found.answer(
    f"An association costs a fly **{between(interval(energy))} J** (90 % interval). It "
    f"is 10 mJ per bit if it holds **{between(holds)} bits**. How many it does "
    f"hold nobody knows: {100 * shares['bits']:.0f} % of the uncertainty per bit, "
    f"{between(interval(per_bit))} mJ, comes from that."
)

# %% [markdown]
# ## Your turn
#
# **1.** The abstract speaks of about 10 mJ. Suppose that an association held 50 bits, known to
# within a factor of two. What would the interval of the energy per bit be, and would the bits still
# have the largest share of the uncertainty?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: fifty bits"}
# NBVAL_CHECK_OUTPUT
fifty = energy_per_bit.replaced(inputs["bits"], [25, 100], "bits")
tried = drawn | {"bits": fifty.draw(np.random.default_rng(SEED), scale.draws)}
share = energy_per_bit.shares(energy / tried["bits"], tried)
ordered = [
    f"{100 * share[name]:.0f} % {inputs[name].name}"
    for name in sorted(share, key=share.get, reverse=True)
]
Markdown(
    f"{between(interval(energy / tried['bits']).to('millijoule / bit'))} mJ per "
    f"bit. The shares: {', '.join(ordered)}."
)

# %% [markdown]
# **2.** A fly eats sugar, which gives some 16 J for each milligram. How much of it would pay for
# one association, and how does that compare with the mass of the fly?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: sugar"}
# NBVAL_CHECK_OUTPUT
sugar = (energy / Quantity(16, "joule / milligram")).to("microgram")
part = (sugar / drawn["mass"]).to("percent")
Markdown(
    f"{between(interval(sugar))} µg, which is {between(interval(part))} % "
    "of the mass of a fly."
)

# %% [markdown]
# Next: {doc}`Is that much? <ladder>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([])
print(f"{interval(energy):.3f~P}, {interval(per_bit):.3f~P}")

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
made = {
    "profile": settings.profile,
    "draws": f"{scale.draws:,}",
    "seed": SEED,
    "given by hand": ", ".join(n for n, ends in given.items() if ends) or "nothing",
    "ATP": f"{Quantity(1, 'ATP').to('joule'):.2g~P}",
}
notebook.html_table(pd.DataFrame([made]), "how the results came about")
