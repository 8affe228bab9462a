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
# # A card for each rule
#
# What does each rule save at its best, what did its paper find, and which details decide? The rules
# themselves are on {doc}`a page of their own <../rules>`. The numbers here are what this book's
# figures found.
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what was found"}
import html
import textwrap

import pandas as pd

from lazybook.book import claims, notebook, plotting

settings = notebook.start(globals())
NAME = "rule_cards"
verdicts = {v.claim.id: v for v in claims.verdicts(settings.profile)}
LEAST, MOST = min, max  # which of several means is a rule's best


def cells(claim, measure, within=""):
    """Return what was measured, under conditions that begin with ``within``."""
    judged = verdicts[claim].judged if claim in verdicts else ()
    return [
        cell
        for cell in judged
        if cell.measure.name == measure
        and cell.condition.startswith(within)
        and cell.mean < float("inf")
    ]


def card(rows):
    """Return a table: what was measured, the best of it, all of it, and the paper's."""
    shown = []
    for words, claim, measure, best, *within in rows:
        found, stated = cells(claim, measure, *within), claims.claims()[claim]
        assert measure in {one.name for one in stated.measures}, measure
        place = f"{html.escape(stated.value)} <small>{stated.place}</small>"
        row = {"measure": words, "best here": "–", "all": "–", "the original": place}
        if found:
            chosen = best(found, key=lambda cell: cell.mean)
            row["best here"] = f"<b>{claims.values([chosen])}</b>"
            row["all"] = notebook.span([cell.mean for cell in found], ".3g")
        figure = f"{stated.notebook}.html#{stated.figure}"
        row["claim"] = f'<a href="{figure}">{claim}</a>'
        shown.append(row)
    told = ", ".join(dict.fromkeys(row[1] for row in rows))
    return notebook.html_table(pd.DataFrame(shown), f"what was measured: {told}")


# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure"}
SAVING = [  # rule, energy, claim, measure, conditions, is it the saving
    (
        "memorized-mistakes",
        "$M_1$",
        "LL5",
        "largest M(lazy) / M(backprop) above 90 %",
        "",
    ),
    (
        "mistakes",
        "$M_1$",
        "LL11",
        "largest M(backprop) / M(pure lazy) above 85 %",
        "",
    ),
    ("synapse-mask", "$M_0$", "CP5", "M0 with a synapse mask / of plain learning", ""),
    (
        "largest-per-layer",
        "$M_0$",
        "CP10",
        "least M0 / of plain learning",
        "per layer",
    ),
    (
        "largest-per-layer",
        "$M_1$",
        "CP10",
        "least M1 / of plain learning",
        "per layer",
    ),
    (
        "largest-per-neuron",
        "$M_0$",
        "CP10",
        "least M0 / of plain learning",
        "per neuron",
    ),
    (
        "largest-per-neuron",
        "$M_1$",
        "CP10",
        "least M1 / of plain learning",
        "per neuron",
    ),
]
figure, axes = plotting.subplots(figsize=(3.95, 3.9))
labels, shares = [], {}
for place, (rule, energy, claim, measure, within) in enumerate(SAVING):
    means = [cell.mean for cell in cells(claim, measure, within)]
    if "M(backprop) /" in measure:  # a saving
        means = [1 / mean for mean in means]
    labels.append(f"{plotting.NAMES[rule]}, {energy}")
    shares[labels[-1]] = means
    axes.plot(means, [place] * len(means), "o", color=plotting.RULES[rule], ms=6)
wrapped = [textwrap.fill(label, 17) for label in labels]
axes.set_yticks(range(len(labels)), wrapped, fontsize="small")
axes.set_ylim(len(labels) - 0.5, -0.5)
axes.axvline(1, color="#808080", lw=1)
axes.set(xlim=(0.02, 1.2), xlabel="energy / plain learning's")
plotting.logarithmic(axes.xaxis, [1, 2, 5], "{x:g}")
plotting.show(
    figure,
    name="fig-cards-saving",
    caption="The share of plain learning's energy that a rule spends to the same "
    "accuracy. Each dot is the mean over seeds at one size of the network, with the "
    "rule's best setting there; lazy learning at the accuracy where it saves least, "
    "pure lazy learning where it saves most.",
    alt="Dots for each rule and energy on a logarithmic axis, all below 1: least for "
    "the count of changes under the largest updates.",
    notebook=NAME,
    lead=True,
)

# %% [markdown]
# ## How to read a card
#
# *Best here* is the condition with the best mean over seeds, with its 95 % interval where there are
# several. *All* goes over all conditions. *The original* is what the paper says, in its words or
# numbers, and the claim leads to the figure. A dash: not measured in this profile.
#
# ## Lazy learning
#
# Learn what is misclassified now or ever was: `MemorizedMistakes()`.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the card"}
card(
    [
        (
            "energy <i>M</i><sub>1</sub> / backprop's, where it saves least",
            "LL5",
            "largest M(lazy) / M(backprop) above 90 %",
            LEAST,
        ),
        (
            "updates / backprop's, after all epochs",
            "LL6",
            "updates(lazy) / updates(backprop) at the end",
            LEAST,
        ),
        (
            "PyTorch time / backprop's",
            "LL7",
            "modelled PyTorch time of lazy / of backprop",
            LEAST,
        ),
        (
            "best accuracy less backprop's (points)",
            "LL21",
            "best accuracy of lazy - of backprop on MNIST (points)",
            MOST,
        ),
        (
            "share of MNIST memorized",
            "LL10",
            "share of MNIST memorized",
            LEAST,
        ),
    ]
)

# %% [markdown]
# Details that mattered:
#
# - The loss is the mean over outputs, the rate 0.01, initial weights are PyTorch's. With the
#   cross-entropy both rules spend more, and lazy learning saves less.
# - A sample is told by its index, so an image that is shifted or deformed is the same sample.
# - In a batch each sample is judged by itself; asking once for the whole batch saves hardly
#   anything.
# - It does not help while most is a mistake: in the first epochs, or with labels nobody can guess.
#
# ## Pure lazy learning
#
# Learn what is misclassified now: `Mistakes()`.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the card"}
card(
    [
        (
            "energy of backprop / pure lazy's, where it saves most",
            "LL11",
            "largest M(backprop) / M(pure lazy) above 85 %",
            MOST,
        ),
        (
            "energy of backprop / pure lazy's, where it saves least",
            "LL11",
            "smallest M(backprop) / M(pure lazy) above 85 %",
            MOST,
        ),
        (
            "best test accuracy (%)",
            "LL13",
            "best test accuracy of pure lazy (%)",
            MOST,
        ),
    ]
)

# %% [markdown]
# Details that mattered:
#
# - A sample is left as soon as it is right, by however small a margin, so the loss stays high and
#   the accuracy stops short of backprop's. A gate with a margin, `Margin(0.2)`, also learns what is
#   right by too little, at the price of a number to be found: {doc}`frontier/margins`.
#
# ## Synapse mask
#
# Each synapse is plastic with a fixed probability: `SynapseMask(0.1, 1.0)`.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the card"}
card(
    [
        (
            "<i>M</i><sub>0</sub> / of plain learning",
            "CP5",
            "M0 with a synapse mask / of plain learning",
            LEAST,
        ),
        (
            "exponent of <i>M</i><sub>0</sub> in large networks",
            "CP5",
            "exponent of M0 beyond the kink",
            LEAST,
        ),
        (
            "<i>M</i><sub>0</sub> if redrawn for each sample / of plain learning",
            "CP9",
            "M0 / of plain learning",
            LEAST,
            "synapse mask for each sample",
        ),
    ]
)

# %% [markdown]
# Details that mattered:
#
# - The best probability depends on the size; at the same one for all sizes it saves less.
# - Many plastic synapses lead to a unit whose next synapse is fixed: that is what subnets mend.
#
# ## Neuron mask and subnet
#
# The inputs of some hidden units are plastic, `NeuronMask(100)`; or their inputs and outputs and no
# others, `Subnet(100)`.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the card"}
card(
    [
        (
            "best number of units under a neuron mask, for <i>M</i><sub>1</sub>",
            "CP6",
            "best number of plastic neurons for M1",
            LEAST,
        ),
        (
            "best size of a subnet",
            "CP8",
            "best size of the subnet",
            LEAST,
        ),
        (
            "exponent of <i>M</i><sub>0</sub> with a subnet, over sizes",
            "CP7",
            "exponent of M0 with a subnet",
            LEAST,
        ),
        (
            "exponent of <i>M</i><sub>1</sub> with a subnet, over sizes",
            "CP7",
            "exponent of M1 with a subnet",
            LEAST,
        ),
    ]
)

# %% [markdown]
# Details that mattered:
#
# - In a subnet everything else is fixed, the biases of the outputs too; one more hidden unit, held
#   at 1, is their bias and belongs to no subnet.
# - A fixed mask limits the accuracy of a small network; the largest updates hardly do.
#
# ## Largest updates
#
# On each sample only the synapses that would change most do: `LargestUpdates(0.05)`.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the card"}
card(
    [
        (
            "<i>M</i><sub>0</sub> / of plain learning, per layer",
            "CP10",
            "least M0 / of plain learning",
            LEAST,
            "per layer",
        ),
        (
            "<i>M</i><sub>1</sub> / of plain learning, per neuron",
            "CP10",
            "least M1 / of plain learning",
            LEAST,
            "per neuron",
        ),
        (
            "<i>M</i><sub>0</sub> in a subnet / of the subnet alone",
            "CP12",
            "M0 of both / of the subnet alone",
            LEAST,
        ),
        (
            "accuracy lost by a mask / by the selection",
            "CP13",
            "accuracy lost by the mask / by the selection",
            MOST,
        ),
    ]
)

# %% [markdown]
# Details that mattered:
#
# - Ties are massive, as most pixels of an image are alike. How they are broken decides which
#   synapse wins: none may be favoured.
# - It saves changes ($M_0$) much more than their sizes ($M_1$): what is left out is made up for.
# - The competition is held in the first layer of synapses only.
#
# ## Synaptic caching
#
# Changes stay transient until they have added up to something: `SynapticCaching(0.01)`.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the card"}
card(
    [
        (
            "<i>M</i><sub>0</sub> at the smallest threshold / at the best",
            "CP14",
            "M0 at the smallest threshold / least M0",
            MOST,
        ),
        (
            "exponent of <i>M</i><sub>0</sub> over sizes, in a subnet",
            "CP15",
            "exponent of M0 with caching in a subnet",
            LEAST,
        ),
        (
            "least <i>M</i><sub>0</sub>, lasting changes only",
            "CP16",
            "least M0 of all methods",
            LEAST,
            "permanent",
        ),
    ]
)

# %% [markdown]
# Details that mattered:
#
# - What is still transient at the end has a price too (`pending_m0`, `pending_m1`); with and
#   without it are two numbers.
# - Without decay no threshold can fail, it only makes the end cost more; with decay there is a best
#   threshold, and beyond it learning fails.
#
# ## Together
#
# Lazy learning on top of the largest updates in a subnet.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the card"}
card(
    [
        (
            "<i>M</i><sub>0</sub> with lazy learning / without",
            "CP19",
            "M0 with lazy learning / without",
            LEAST,
        ),
    ]
)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
best = {name: min(means) for name, means in shares.items() if means}
counts, sizes = (
    {name: share for name, share in best.items() if energy in name}
    for energy in ("$M_0$", "$M_1$")
)


def said(of):
    """Return the rule that spends least, and its share."""
    name = min(of, key=of.get)
    return f"{name.rpartition(',')[0]} (**{of[name]:.2g}** of plain learning's)"


notebook.answer(
    f"Of the rules by themselves, fewest changes ($M_0$) are made with the "
    f"{said(counts)}, and the least energy $M_1$ is spent by {said(sizes)}. They "
    "combine: the cards below say with what gain."
    if counts and sizes
    else "Nothing of this was measured in this profile yet."
)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
for name, share in best.items():
    print(f"{name}: {share:.2g}")
