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
# # How fast
#
# These experiments present one sample at a time to a small network, millions of times. An ordinary
# training loop spends most of that time on everything but the arithmetic: on calling functions, on
# multiplying by zeros, on writing matrices that are read once. How long does a sample take here,
# compared with the least that this core's caches allow, and with an ordinary loop? What the engine
# does instead is on {doc}`a page of its own <why_fast>`.
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
hidden = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
import inspect
import os
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from IPython.display import Markdown

from lazybook import engines
from lazybook.benchmarks import cases, loops, roofline, timing
from lazybook.book import notebook, plotting, timings
from lazybook.engines.numba_cpu import paired
from lazybook.runs import provenance

settings = notebook.start(globals())
timing.check_torch()
scale = settings.scale(
    # smoke, quick, paper
    hidden=(
        [30, 100],
        [30, 100, 300, 1000, 3000, 10_000, 30_000],
        [30, 100, 300, 1000, 3000, 10_000, 30_000],
    ),
    table_sizes=([100], [100, 1000], [100, 1000]),
    rounds=(1, 3, 9),
)
NAME = "how_fast"
BEGAN = time.perf_counter()
SIZE = scale.table_sizes[-1]  # where something else than the size is varied
OTHERS = ["eager", "NumPy", *(["JAX"] if loops.jax_installed() else [])]
BACKPROP, LAZY = plotting.RULES["every-sample"], plotting.RULES["memorized-mistakes"]
INK = "0.5"

# %% [markdown]
# ## The bound
#
# What has to be done is moving the synapses. A step does few operations with each one that it
# touches, so no program can be faster than this core gets at them:
#
# $$ t \ge \frac{4\,\text{bytes} \times R\,H}{\text{load rate}} + \ell\;
# \frac{4\,\text{bytes} \times R\,H}{\text{change rate}}, $$
#
# with $R$ rows, those of the pixels with ink, the bias and the readout, and the share $\ell$ of the
# samples that are learned. Both rates are measured here, by adding up numbers and by adding 1 to
# each: in the second cache (L2) if the network has room there, else in the third (L3), else in
# memory. An estimate, not a proof: of a network that is larger than a cache, a part still lies in
# it.
#
# All times are of one core of the machine that made this page, and all that are compared were taken
# by turns in one run. `make bench` measures both tables on yours.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: this core"}
with timing.one_core():
    levels = roofline.measure_levels()
facts = provenance(cases.images(), 0)
Markdown(
    f"One core of {facts['machine']}: "
    + "; ".join(
        f"{level.name}"
        + (f" of {level.size / 1024:,.0f} KiB" if np.isfinite(level.size) else "")
        + f" loads {level.load / 1e9:.0f} and changes {level.change / 1e9:.0f} GB/s"
        for level in levels
    )
    + "."
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the shares of the bound"}
compared = cases.compare(cases.cases(scale.table_sizes), scale.rounds, OTHERS)
timings.table(
    "Shares of the bound",
    ["rule", "H", "KB a sample", "from", "bound (µs)", "here (µs)", "of the bound"],
    [
        [
            result.case.rule,
            f"{result.case.experiment.hidden:,}",
            f"{(result.traffic.loaded + result.traffic.changed) / 1000:,.0f}",
            result.traffic.level(levels).name,
            f"{result.bound(levels):.1f}",
            f"{result.microseconds['numba'].median:.1f}",
            f"<b>{100 * result.reached(levels):.0f} %</b>",
        ]
        for result in compared
    ],
)

# %% [markdown]
# Medians of several rounds; what the rules are is told beside the ordinary loops, further down.
# What is far from its bound does more than moving synapses. The largest updates of a layer are few
# and lie scattered; the bound counts only these, but the engine also searches for the size from
# which on an update is among the largest. With a synapse mask, every row of synapses has a row of
# the mask beside it, whose bytes have to be made numbers. And with synaptic caching, where a unit
# may have a synapse at the threshold, all its synapses are looked at.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure of sizes"}
panels = []
for rule, colour in (("backprop", BACKPROP), ("lazy", LAZY)):
    found = cases.compare(cases.cases(scale.hidden, [rule]), scale.rounds, OTHERS)
    panel, axes = plotting.subplots(figsize=(3.95, 4.2))
    timings.curves(axes, scale.hidden, found, colour)
    bounds = [result.bound(levels) for result in found]
    axes.plot(scale.hidden, bounds, color=INK, lw=1, label="bound")
    axes.set(xlabel="hidden units H", title=rule)
    plotting.logarithmic(axes.xaxis, [1], "{x:,g}")
    panels.append(panel)
panels[0].axes[0].legend(loc="upper left")
limits = [end for panel in panels for end in panel.axes[0].get_ylim()]
for panel in panels:
    panel.axes[0].set_ylim(min(limits), 6 * max(limits))  # room for the legend
plotting.show(
    *panels,
    name="fig-cost-hidden",
    caption="Time for a sample against the number of hidden units, for backprop (a) "
    "and lazy learning with 15 % of the samples learned (b). Lines are medians over "
    f"rounds, bands go from the lowest to the highest; n = {scale.rounds}. Thin "
    "line: the bound, with steps where the network has no more room in a cache.",
    alt="Two panels of curves that rise with the number of hidden units: the engine's, "
    "those of other loops, and the bound.",
    notebook=NAME,
    lead=True,
)

# %% [markdown]
# ## Beside ordinary loops
#
# This is what one would write in PyTorch: two linear layers, autograd, `torch.optim.SGD`, one
# sample after another on one thread. Its inputs lie ready as tensors, and it counts no energy.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the PyTorch loop"}
from lazybook.benchmarks import eager

Markdown(
    f"```python\n{textwrap.dedent(inspect.getsource(eager.EagerLoop.present))}\n```"
)

# %% [markdown]
# `change` is `optimizer.step()`. Under another rule it first multiplies the gradient by a mask, or
# keeps its largest entries with `torch.topk`; with synaptic caching every parameter has a
# persistent and a transient part, and `torch.where` moves what has grown large enough from one to
# the other.
#
# Lazy learning depends on what the network misclassifies. So that all learn the same samples, the
# labels here are the network's own answers, but for 15 % of the samples, which are given the next
# class; a tiny learning rate keeps it so. It is checked that everybody learned just these.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the times of all loops"}
timings.table(
    "Times of all loops",
    [
        "rule",
        "H",
        *(timings.TITLES[name] for name in [*OTHERS, "numba"]),
        "eager / here",
    ],
    [
        [
            result.case.rule,
            f"{result.case.experiment.hidden:,}",
            *(
                f"{result.microseconds[name].median:,.1f}"
                if name in result.microseconds
                else ""
                for name in [*OTHERS, "numba"]
            ),
            f"<b>{result.ratios['eager'].median:.0f}</b>"
            f" ({result.ratios['eager'].low:.0f}–{result.ratios['eager'].high:.0f})",
        ]
        for result in compared
    ],
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what the table shows"}
missing = (
    " JAX was not installed when this page was made;"
    " `pip install 'lazybook[jax]'` adds it."
)
Markdown(
    "Microseconds a sample, medians of several rounds, and in brackets the lowest and "
    "highest ratio of a round. Backprop and lazy learning are in the setting of lazy "
    "learning. The other rules are in that of competitive plasticity, with zero-mean "
    "inputs: a tenth of the units or synapses is plastic, or the largest twentieth of "
    "the updates. Only the engine here counts "
    f"energy.{'' if loops.jax_installed() else missing}"
)

# %% [markdown]
# ## Many runs at once
#
# Python's interpreter runs one thread at a time. Compiled code need not hold its lock, so a sweep
# trains its networks in threads of one process, which share the images in memory and hand over
# results without copying. Each run keeps to one core; what parallel matrix products would gain on
# one small network, they lose by waiting for each other.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: runs at once"}
cores = (
    len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
)
numbers = sorted({1, 2, cores})
plain = cases.plain(SIZE)
data, start = cases.data_for(plain)
several = [engines.build(plain.experiment, data, start) for _ in range(max(numbers))]
order = np.arange(len(data.train))
throughput = []
for number in numbers:
    turns = []
    for _ in range(scale.rounds):
        began = time.perf_counter()
        with ThreadPoolExecutor(number) as pool:
            list(pool.map(lambda engine: engine.learn(order), several[:number]))
        turns.append(number * len(order) / (time.perf_counter() - began))
    throughput.append(np.median(turns))
gains = [f"{rate / throughput[0]:.2f}" for rate in throughput]
timings.table(
    "Runs at once",
    ["runs at once", "samples a second", "gain"],
    [
        [number, f"{rate:,.0f}", gain]
        for number, rate, gain in zip(numbers, throughput, gains, strict=True)
    ],
)

# %% [markdown]
# Here it is the clock that counts, so whatever else the machine was doing shows: a gain near 1 is
# what a machine gives whose other cores are busy, or that has only one. The last line is one run
# for each core, or two if there is only one. Across machines a cluster takes runs from one sweep:
# {doc}`How to re-run </rerun>` tells how, and what a million of them would need.
#
# ## On a GPU
#
# A small network that learns one sample at a time leaves most of a GPU idle, and PyTorch's loop
# spends its time on starting operations. The engine `numba-cuda` trains many networks side by side
# instead. A block of threads has a network, shares its hidden units, and presents all samples until
# the next measurement without coming back; only pixels with ink are read, and energies and memory
# are kept on the GPU.
#
# **How fast it is was not measured, because no GPU could be used. So nothing of it is shown here.**
# What it learns is tested: in a simulator of a GPU it learns what the reference engine learns, but
# for rounding.
#
# ## Measuring
#
# Measuring a network can cost more than training it. Accuracy on the test set means a forward pass
# for each of 10,000 images, after every 5,000 that are learned.
#
# But while it is measured a network stands still, so the images need not come one after another.
# Two images of the same digit have most of their pixels in common. So each is paired with one that
# is like it, and the rows of synapses that either of them needs are read once for both. And a large
# network is taken some hundred units at a time, which stay in the second cache until they have met
# all the images.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what measuring takes"}
with timing.one_core():
    several[0].evaluate(data.test)  # brings the test images into pairs
    learning, measuring = [], []
    for _ in range(scale.rounds):
        began = time.process_time()
        several[0].learn(order[:5000])
        between = time.process_time()
        several[0].evaluate(data.test)
        learning.append(between - began)
        measuring.append(time.process_time() - between)
share = np.median(measuring) / np.median(learning)
alone, together = np.count_nonzero(data.test.values), len(paired(data.test).index)
Markdown(
    f"In pairs, {100 * together / alone:.0f} % of the rows have to be read. At *H* = "
    f"{SIZE:,} measuring on the test set takes {1000 * np.median(measuring):.0f} ms, "
    f"{share:.2f} times as long as learning 5,000 images by backprop. Measuring on the "
    f"training set as often would take {6 * share:.1f} times as long as learning, so "
    "that is done once an epoch. Times in this book are for learning alone, and each "
    "page says at its end what measuring has added."
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how the results came about"}
minutes = (time.perf_counter() - BEGAN) / 60
versions = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
Markdown(
    f"Profile {settings.profile}; {facts['date'][:10]}; {facts['machine']}; {versions};"
    f" {minutes:.1f} minutes."
)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
ratios = [result.ratios["eager"].median for result in compared]
of_bound = [100 * result.reached(levels) for result in compared]
plain_shares = [
    100 * result.reached(levels)
    for result in compared
    if result.case.rule == "backprop"
]
notebook.answer(
    f"With {notebook.span(scale.table_sizes, ',')} hidden units this engine reaches "
    f"**{notebook.span(of_bound, '.0f')} %** of the speed at which this core can move "
    f"the synapses, by backprop {notebook.span(plain_shares, '.0f')} %. It is "
    f"{notebook.span(ratios, '.0f')} times faster than an ordinary PyTorch loop, "
    "depending on the rule and the size of the network."
)
