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
# # How fast, and why
#
# These experiments present one sample at a time to a small network, millions of times. An ordinary
# training loop spends most of that time on everything but the arithmetic: on calling functions, on
# multiplying by zeros, on writing matrices that are read once. This page shows what the engine does
# instead, one idea at a time. Each has its equation, and next to it the measurement that shows what
# it is worth. None of them changes what is learned, but for rounding.
#
# All times are of one core of the machine that made this page, and all that are compared were taken
# by turns in one run. `make bench` measures the main table on yours.

# %% tags=["parameters", "hide-input"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
hidden = None

# %% tags=["hide-input"]
import inspect
import os
import textwrap
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numba
import numpy as np
from IPython.display import HTML, Markdown
from matplotlib.ticker import PercentFormatter

from lazybook import engines
from lazybook.benchmarks import cases, eager, loops, roofline, timing
from lazybook.book import notebook, plotting
from lazybook.engines.contract import Start
from lazybook.engines.numba_cpu import WIDE, apart, paired
from lazybook.experiment import preset
from lazybook.runs import provenance
from lazybook.support.randomness import Streams

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=(
        [30, 100],
        [30, 100, 300, 1000, 3000, 10_000, 30_000],
        [30, 100, 300, 1000, 3000, 10_000, 30_000],
    ),
    table_sizes=([100], [100, 1000], [100, 1000]),
    rounds=(1, 3, 9),
    inked=(
        [0.1, 0.5],
        [0.03, 0.1, 0.2, 0.4, 0.7, 1],
        [0.03, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1],
    ),
    shares=(
        [0.1, 1],
        [0.003, 0.03, 0.1, 0.3, 1],
        [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1],
    ),
    learned=(
        [0.0, 1.0],
        [0.0, 0.05, 0.15, 0.5, 1.0],
        [0.0, 0.05, 0.1, 0.15, 0.25, 0.4, 0.6, 0.8, 1.0],
    ),
    rounds=(1, 2, 7),
)
NAME = "how_fast"
BEGAN = time.perf_counter()
SIZE = scale.table_sizes[-1]  # where something else than the size is varied
OTHERS = ["eager", "NumPy", *(["JAX"] if loops.jax_installed() else [])]
BACKPROP, LAZY, INK = (
    plotting.RULES["every-sample"],
    plotting.RULES["memorized-mistakes"],
    "0.5",
)
LOOKS = {"eager": ":", "NumPy": "--", "JAX": "-.", "numba": "-"}
TITLES = {
    "eager": "PyTorch, eager",
    "NumPy": "NumPy",
    "JAX": "JAX, lax.scan",
    "numba": "here",
}


def curves(axes, places, results, colour):
    """Draw the time of each learner over the ``places`` on the x axis, one for each result."""
    for name, look in LOOKS.items():
        if name in results[0].microseconds:
            spreads = [result.microseconds[name] for result in results]
            axes.plot(
                places, [spread.median for spread in spreads], look, color=colour,
                label=TITLES[name], lw=2.6 if name == "numba" else 1.6,
            )  # fmt: skip
            lows, highs = (
                [getattr(s, end) for s in spreads] for end in ("low", "high")
            )
            axes.fill_between(places, lows, highs, color=colour, alpha=0.15, lw=0)
    axes.set(yscale="log", ylabel="time (µs a sample)")


def table(head, rows):
    """Return a table of numbers, but for the first column."""
    right = ' style="text-align: right; white-space: nowrap"'
    lines = "".join(
        f"<tr><th>{first}</th>{''.join(f'<td{right}>{cell}</td>' for cell in others)}</tr>"
        for first, *others in rows
    )
    top = "".join(f"<th{right if n else ''}>{cell}</th>" for n, cell in enumerate(head))
    return HTML(
        f'<table class="provenance"><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>'
    )


def ours(case, rounds=scale.rounds):
    """Return the microseconds that a sample takes here."""
    return (
        cases.compare([case], scale.rounds, names=["numba"])[0]
        .microseconds["numba"]
        .median
    )


# %% [markdown]
# ## What is compared
#
# This is what one would write in PyTorch: two linear layers, autograd, `torch.optim.SGD`, one
# sample after another on one thread. Its inputs lie ready as tensors, and it counts no energy.

# %% tags=["hide-input"]
Markdown(
    f"```python\n{textwrap.dedent(inspect.getsource(eager.EagerLoop.present))}\n```"
)

# %% [markdown]
# `change` is `optimizer.step()`. Under another rule it first multiplies the gradient by a mask, or
# keeps its largest entries with `torch.topk`; with synaptic caching every parameter has a
# persistent and a transient part, and `torch.where` moves what has grown large enough from one to
# the other.
#
# Lazy learning depends on what the network gets wrong. So that all learn the same samples, the
# labels here are the network's own answers, but for 15 % of the samples, which are given the next
# class; a tiny learning rate keeps it so. It is checked that everybody learned just these.

# %% tags=["hide-input"]
compared = cases.compare(cases.cases(scale.table_sizes), scale.rounds, OTHERS)
table(
    ["rule", "H", *(TITLES[name] for name in [*OTHERS, "numba"]), "eager / here"],
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

# %% tags=["hide-input"]
missing = " JAX was not installed when this page was made; `pip install 'lazybook[jax]'` adds it."
Markdown(
    "Microseconds a sample, medians of several rounds, and in brackets the lowest and "
    "highest ratio of a round. Backprop and lazy learning are in the setting of lazy "
    "learning. The other rules are in that of competitive plasticity, with zero-mean "
    "inputs: a tenth of the units or synapses is plastic, or the largest twentieth of "
    "the updates. Only the engine here counts "
    f"energy.{'' if loops.jax_installed() else missing}"
)

# %% [markdown]
# ## Sparse inputs, and several rows at a time
#
# Four fifths of MNIST's pixels are 0. They add nothing to what a hidden unit receives, and their
# synapses do not change:
#
# $$ u_j = \sum_{i:\,x_i \neq 0} x_i W_{ij}, \qquad \Delta W_{ij} = -\eta\, x_i \delta_j = 0
# \quad\text{where } x_i = 0 . $$
#
# So only non-zero pixels are stored, and $W$ lies in memory with the synapses of one pixel side by
# side: a pixel that is 0 is a row that is never touched, and one that is not is a row that is read
# from end to end. The cost then follows the ink, where a matrix product does not care.

# %% tags=["hide-input"]
case, generator = cases.plain(SIZE), np.random.default_rng(0)
mnist, times = cases.images(), {"NumPy": [], "numba": []}
for share in scale.inked:
    pixels = generator.integers(1, 256, (2000, 784)) * (
        generator.random((2000, 784)) < share
    )
    part = replace(
        mnist.train, values=pixels.astype(np.uint8), labels=mnist.train.labels[:2000]
    )
    data = replace(mnist, train=part)
    start = Start.draw(case.experiment, data, Streams(0))
    with timing.one_core():
        built = cases.learners(case, data, start, times)
        taken = timing.take_turns(built, 2000, scale.rounds, cases.SECONDS)
    for name in times:
        times[name].append(1e6 * np.median(taken[name].seconds))
figure, axes = plotting.subplots(figsize=(5.4, 3.6))
for name, values in times.items():
    axes.plot(
        scale.inked,
        values,
        LOOKS[name],
        color=BACKPROP,
        label=TITLES[name],
        marker="o",
        ms=4,
    )
mean_ink = np.mean(mnist.train.values != 0)
axes.axvline(mean_ink, color=INK, lw=1)
axes.text(mean_ink, 0.5, " MNIST", transform=axes.get_xaxis_transform())
axes.set(
    xlabel="pixels that are not 0",
    ylabel="time (µs a sample)",
    xscale="log",
    yscale="log",
)
axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=None))
axes.legend()
plotting.show(
    figure,
    name="fig-cost-ink",
    caption=f"Time to learn a sample by backprop, <i>H</i> = {SIZE:,}, with random "
    "pixels of which a part is 0. Here it is nearly proportional to the part that is "
    "not.",
    alt="The time of the NumPy loop does not depend on the share of non-zero pixels. "
    "That of the engine rises in proportion to it, and lies below throughout.",
    notebook=NAME,
)

# %% [markdown]
# Adding up rows one after another loads and stores the sums once for each row: three memory
# operations for one synapse. Several rows in one pass, eight in the engine and four here, load and
# store the sums once for all of them.


# %%
@numba.njit(fastmath=True)
def one_row_at_a_time(W, x, sums):
    for i in range(W.shape[0]):
        row, x_i = W[i], x[i]
        for j in range(sums.shape[0]):
            sums[j] += x_i * row[j]


@numba.njit(fastmath=True)
def four_rows_at_a_time(W, x, sums):
    for i in range(0, W.shape[0], 4):
        a, b, c, d = W[i], W[i + 1], W[i + 2], W[i + 3]
        p, q, r, s = x[i], x[i + 1], x[i + 2], x[i + 3]
        for j in range(sums.shape[0]):
            sums[j] += (p * a[j] + q * b[j]) + (r * c[j] + s * d[j])


# %% tags=["hide-input"]
@numba.njit
def a_hundred_times(add, W, x, sums):
    for _ in range(100):
        add(W, x, sums)


rows, told = 152, []  # about as many as an image of MNIST has pixels with ink
for units in (112, 1024):
    W, x, sums = apart(rows, units), np.ones(rows, np.float32), apart(units)
    W[:] = 1e-3
    spent = []
    for add in (one_row_at_a_time, four_rows_at_a_time):
        a_hundred_times(add, W, x, sums)  # compiles
        turns = []
        for _ in range(20):
            began = time.process_time()
            a_hundred_times(add, W, x, sums)
            turns.append(1e4 * (time.process_time() - began))
        spent.append(np.median(turns))
    one, four = spent
    told.append(
        f"for {units:,} units {one:.2f} and {four:.2f} µs, **{one / four:.2f} times** "
        "as fast"
    )
Markdown(
    f"{rows} rows, one at a time and four at a time: {'; '.join(told)}. Nothing in the "
    "code asks for vector instructions. The compiler uses them by itself for plain "
    "loops over whole rows, best where arrays begin on a cache line."
)

# %% [markdown]
# ## A change can wait until the row is read again
#
# If every sample is learned, a row that one sample changes is read by the next sample that has ink
# on this pixel. So the engine keeps the step, $\eta\delta$, and which pixels wait for it, and
# changes a row only when it comes to be read: one pass over the row does for two. In a narrow layer
# the rows lie in a near cache, and the bookkeeping costs more than the pass; so rows wait in wide
# layers only. (The bounds further down still count two passes.)

# %% tags=["hide-input"]
data, told = cases.images(), []
for units in settings.choose(
    smoke=[WIDE], quick=[WIDE, 1000], paper=[WIDE, 1000, 3000]
):
    experiment = preset("lazy", hidden=units)
    start = Start.draw(experiment, data, Streams(0))
    built = {waits: engines.build(experiment, data, start) for waits in (False, True)}
    for waits, engine in built.items():
        engine.rules = engine.rules._replace(waits=waits)
    with timing.one_core():
        taken = timing.take_turns(built, 2000, max(scale.rounds, 3), cases.SECONDS)
    at_once, later = (1e6 * np.median(taken[waits].seconds) for waits in (False, True))
    told.append(
        f"*H* = {units:,}: {at_once:.1f} µs at once, {later:.1f} µs with rows that wait"
    )
Markdown(f"Backprop, {'; '.join(told)}.")

# %% [markdown]
# ## Zero-mean inputs stay sparse
#
# Competitive plasticity subtracts the mean brightness $m$ from every pixel, and then no input is
# zero. But the input is still sparse plus a constant, $x_i = v_i - m$, and so is each update: one
# to the few rows with ink, and one that is the same for all rows. The second is kept aside, in one
# vector $c$, and the synapses are $W_{ij} = A_{ij} + c_j$:
#
# $$ \Delta A_{ij} = -\eta\, v_i \delta_j, \qquad \Delta c_j = \eta\, m\, \delta_j, $$
#
# $$ \sum_i x_i W_{ij} = \sum_i v_i A_{ij} - m \sum_i A_{ij} + c_j \sum_i x_i . $$
#
# The column sums $\sum_i A_{ij}$ are carried along like any other sum. $c$ is added to the synapses
# only before somebody looks at them. With a mask $M$ it is $A_{ij} + M_{ij} c_j$, and nothing else
# changes.

# %% tags=["hide-input"]
raw = cases.Case("raw", preset("lazy", hidden=SIZE, loss="half-mse"))
centred = cases.Case("zero mean", replace(raw.experiment, zero_mean=True))
found = cases.compare([raw, centred], scale.rounds, ["NumPy"])
raw_time, centred_time = (result.microseconds["numba"].median for result in found)
inputs = cases.images(zero_mean=True).train.inputs(slice(1000))
Markdown(
    f"Inputs that are not 0: {100 * np.mean(mnist.train.values[:1000] != 0):.0f} % "
    f"without and {100 * np.mean(inputs != 0):.0f} % with zero mean. A sample takes "
    f"{raw_time:.1f} and {centred_time:.1f} µs, **{centred_time / raw_time:.2f} "
    "times** as long; by matrix products in NumPy "
    f"{found[1].microseconds['NumPy'].median:,.0f} µs (*H* = {SIZE:,})."
)

# %% [markdown]
# ## Energy for the price of two norms
#
# The change of a layer is an outer product, so the sum of its sizes comes apart into a product of
# two sums, for any exponent:
#
# $$ \sum_{ij} |\Delta W_{ij}|^\alpha
# = \eta^\alpha \sum_i |x_i|^\alpha \sum_j |\delta_j|^\alpha . $$
#
# The first of them does not change while learning and is computed once for each image. A neuron
# mask takes its share of $\delta$, and under a synapse mask the second sum is $\sum_j
# M_{ij}|\delta_j|^\alpha$.

# %% tags=["hide-input"]
plain = cases.plain(SIZE)
data, start = cases.data_for(plain)
engine = engines.build(plain.experiment, data, start)
difference = np.empty_like(start.weights[0])
summed, spent, last = 0.0, 0.0, start.weights[0]
for sample in range(50):
    engine.learn(np.array([sample]))
    now = engine.weights[0]
    began = time.process_time()
    summed += np.abs(np.subtract(now, last, out=difference), out=difference).sum(
        dtype=float
    )
    spent += time.process_time() - began
    last = now
counted = engine.meter.m1[0]
Markdown(
    "Over 50 images the first layer's changes, taken from its weights before and after "
    f"each, sum to {summed:.5f}; the engine counted {counted:.5f}, which differs by "
    f"{abs(summed / counted - 1):.0e} of it. That sum alone took "
    f"{1e6 * spent / 50:,.0f} µs for each image. The engine takes {ours(plain):.1f} µs "
    f"for everything (*H* = {SIZE:,})."
)

# %% [markdown]
# ## The largest updates, without the matrix
#
# Which 5 % of the updates $|x_i||\delta_j|$ are the largest? Writing them down and selecting, as
# `torch.topk` must, looks at $785\,H$ numbers. But sort both vectors, and the number of updates
# above a threshold $\theta$,
#
# $$ n(\theta) = \sum_i \#\{\, j : |\delta_j| > \theta / |x_i| \,\}, $$
#
# is counted in one walk along both: as $|x_i|$ falls, fewer of the sorted $|\delta_j|$ pass. All
# pixels of the background are alike and count as one step of it. A search for the $\theta$ with
# $n(\theta) = k$, begun at the threshold of the last image, takes a few walks of $H$ steps, and
# then exactly $k$ synapses change. Within one neuron it is simpler still: the largest updates of
# every neuron are those of the largest inputs.
#
# ## What can change lies side by side
#
# In a subnet only the synapses of $n$ hidden units ever change. The units' order in memory means
# nothing to the network, so those come first, and every loop that changes something ends after $n$
# columns. A mask that is multiplied with the gradient saves nothing; it costs.

# %% tags=["hide-input"]
restrictions = {
    "largest updates": {s: f"largest-per-layer:{s}" for s in scale.shares},
    "subnet": {
        n / (SIZE - 1): f"subnet:{n}"
        for s in scale.shares
        if (n := round(s * (SIZE - 1))) > 0
    },
}
panels = []
for rule, spelled in restrictions.items():
    found = cases.compare(
        [cases.restricted(rule, SIZE, restriction) for restriction in spelled.values()],
        scale.rounds,
        ["eager"],
    )
    panel, axes = plotting.subplots(figsize=(3.95, 3.6))
    curves(axes, list(spelled), found, BACKPROP)
    axes.set(xscale="log", title=rule, xlabel="share that is plastic")
    axes.xaxis.set_major_formatter(PercentFormatter(1, decimals=None))
    panels.append(panel)
panels[0].axes[0].legend(loc="center left")
limits = [end for panel in panels for end in panel.axes[0].get_ylim()]
for panel in panels:
    panel.axes[0].set_ylim(min(limits), max(limits))
plotting.show(
    *panels,
    name="fig-cost-plastic",
    caption="Time for a sample against the share of the synapses that may change "
    "(left, the largest updates of the layer) or of the units (right, a subnet); "
    f"<i>H</i> = {SIZE:,}.",
    alt="Two panels. Left, the eager loop takes longer the larger the share, and the "
    "engine's curve lies far below. Right, for a subnet the eager loop takes the same "
    "time whatever its size, and the engine's time falls with the share that is "
    "plastic.",
    notebook=NAME,
)

# %% [markdown]
# ## Decay by one number
#
# In synaptic caching what is transient decays with every presentation, in all synapses at once:
# $785\,H$ multiplications even where nothing is learned. Instead one number $s$ decays, and what is
# stored is the transient part divided by it:
#
# $$ T_{ij} = s\,\tilde T_{ij}, \qquad s \leftarrow e^{-\lambda} s, \qquad
# \tilde T_{ij} \leftarrow \tilde T_{ij} - \frac{\eta}{s}\, x_i \delta_j . $$
#
# The threshold is divided by $s$ too, and before $s$ gets too small it is multiplied in and set
# back to 1. A sum $\sum_{ij}|T_{ij}|$ that is carried along decays by itself.

# %% tags=["hide-input"]
found = cases.compare(
    [cases.cached(SIZE, decay=0.0), cases.cached(SIZE)], scale.rounds, ["eager"]
)
without, with_decay = (result.microseconds["numba"].median for result in found)
lazy = replace(
    cases.lazy(SIZE).experiment, caching=cases.cached(SIZE).experiment.caching
)
forward = ours(cases.Case("no sample", lazy, learned=0.0))
Markdown(
    f"A sample takes {without:.0f} µs without decay and {with_decay:.0f} µs with it; "
    f"one that the gate does not let through, decay and all, {forward:.1f} µs. The "
    f"eager loop takes {found[1].microseconds['eager'].median:,.0f} µs to learn one "
    f"(*H* = {SIZE:,}). Learning itself stays dear: every synapse has to be compared "
    "with the threshold."
)

# %% [markdown]
# ## What is not learned
#
# A sample that is not learned costs its forward pass and nothing else. How much lazy learning saves
# depends on what a forward pass costs next to an update, and that differs from loop to loop.

# %% tags=["hide-input"]
found = cases.compare(
    [cases.lazy(SIZE, share) for share in scale.learned], scale.rounds, OTHERS
)
figure, axes = plotting.subplots(figsize=(5.4, 3.9))
curves(axes, scale.learned, found, LAZY)
axes.set(xlabel="samples learned")
axes.xaxis.set_major_formatter(PercentFormatter(1))
axes.legend(ncols=2, loc="lower right", bbox_to_anchor=(1, 1))
plotting.show(
    figure,
    name="fig-cost-learned",
    caption="Time for a sample against the share of the samples that lazy learning "
    f"learns, <i>H</i> = {SIZE:,}.",
    alt="For every loop the time rises with the share of the samples that are learned. "
    "The engine's curve lies far below all others.",
    notebook=NAME,
)
none, every = (found[n].microseconds["numba"].median for n in (0, -1))
Markdown(
    f"Here a sample takes {none:.1f} µs if it is not learned and {every:.1f} µs if it "
    f"is: {every / none:.1f} times as long. For the eager loop the ratio is "
    f"{found[-1].microseconds['eager'].median / found[0].microseconds['eager'].median:.1f}."
)

# %% [markdown]
# ## The size of the network, and the bound
#
# What is left is moving the synapses. A step does few operations with each one that it touches, so
# no program can be faster than its cache hands them out:
#
# $$ t \ge \frac{4\,\text{bytes} \times R\,H}{\text{load rate}} + \ell\;
# \frac{4\,\text{bytes} \times R\,H}{\text{change rate}}, $$
#
# with $R$ rows, those of the pixels with ink, the bias and the readout, and the share $\ell$ of the
# samples that are learned. Both rates are measured here, by adding up numbers and by adding 1 to
# each, for memory that fits into the core's first or second cache. An estimate, not a proof: of a
# large network only a part lies in the second cache, of a small one some in the first.

# %% tags=["hide-input"]
with timing.one_core():
    caches = roofline.measure_caches()
panels = []
for rule, colour in (("backprop", BACKPROP), ("lazy", LAZY)):
    found = cases.compare(cases.cases(scale.hidden, [rule]), scale.rounds, OTHERS)
    panel, axes = plotting.subplots(figsize=(3.95, 4.2))
    curves(axes, scale.hidden, found, colour)
    for level in caches:
        bounds = [result.bound(level) for result in found]
        axes.plot(scale.hidden, bounds, color=INK, lw=1)
        axes.text(
            scale.hidden[-1],
            bounds[-1],
            f" {level.name}",
            va="center",
            fontsize="small",
        )
    axes.set(xscale="log", xlabel="hidden units H", title=rule)
    panels.append(panel)
panels[0].axes[0].legend(loc="upper left")
limits = [end for panel in panels for end in panel.axes[0].get_ylim()]
for panel in panels:
    panel.axes[0].set_ylim(min(limits), max(limits))
plotting.show(
    *panels,
    name="fig-cost-hidden",
    caption="Time for a sample against the number of hidden units, for backprop (left) "
    "and lazy learning with 15 % of the samples learned (right). Thin lines: the "
    "bounds, if all synapses lay in the first (L1) or second (L2) cache.",
    alt="Two panels of curves that rise with the number of hidden units. The engine's "
    "curve is the lowest and comes near the bound of the second cache; the other loops "
    "need many times as long, above all in small networks.",
    notebook=NAME,
)
Markdown(
    f"From *H* = {caches[1].size // (roofline.BYTES * 785):,} on the first layer is "
    "larger than the second cache. Then its rows come from farther away, and the curve "
    "leaves the bound."
)

# %% tags=["hide-input"]
table(
    ["rule", "H", "KB a sample", *(f"from {level.name} "
    "(µs)" for level in caches), "here "
    "(µs)",
     *(f"of {level.name}" for level in caches)],
    [
        [
            result.case.rule,
            f"{result.case.experiment.hidden:,}",
            f"{(result.traffic.loaded + result.traffic.changed) / 1000:,.0f}",
            *(f"{result.bound(level):.1f}" for level in caches),
            f"{result.microseconds['numba'].median:.1f}",
            *(f"{100 * result.reached(level):.0f} %" for level in caches),
        ]
        for result in compared
    ],
)  # fmt: skip

# %% tags=["hide-input"]
Markdown(
    "The last columns say how much of the speed that each cache allows was reached. "
    + " ".join(
        f"{level.name} has {level.size // 1024:,} KiB; it loads {level.load / 1e9:.0f} "
        f"and changes {level.change / 1e9:.0f} GB/s."
        for level in caches
    )
    + " What is far from its bound does more than moving synapses: selecting, or "
    "testing each against a threshold."
)

# %% [markdown]
# ## Many runs at once
#
# Python's interpreter runs one thread at a time. Compiled code need not hold its lock, so a sweep
# trains its networks in threads of one process, which share the images in memory and hand over
# results without copying. Each run keeps to one core; what parallel matrix products would gain on
# one small network, they lose by waiting for each other.

# %% tags=["hide-input"]
cores = (
    len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
)
numbers = sorted({1, 2, cores})
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
table(
    ["runs at once", "samples a second", "gain"],
    [
        [number, f"{rate:,.0f}", f"{rate / throughput[0]:.2f}"]
        for number, rate in zip(numbers, throughput, strict=True)
    ],
)

# %% [markdown]
# Here it is the clock that counts, so whatever else the machine was doing shows. The last line is
# one run for each core, or two if there is only one.
#
# ## Measuring
#
# Looking at a network can cost more than training it. Accuracy on the test set means a forward pass
# for each of 10,000 images, after every 5,000 that are learned.
#
# But while it is looked at a network stands still, so the images need not come one after another.
# Two images of the same digit have most of their pixels in common. So each is paired with one that
# is like it, and the rows of synapses that either of them needs are read once for both. And a large
# network is taken some hundred units at a time, which stay in the second cache until they have met
# all the images.

# %% tags=["hide-input"]
with timing.one_core():
    several[0].evaluate(data.test)  # brings the test images into pairs
    learning, looking = [], []
    for _ in range(scale.rounds):
        began = time.process_time()
        several[0].learn(order[:5000])
        between = time.process_time()
        several[0].evaluate(data.test)
        learning.append(between - began)
        looking.append(time.process_time() - between)
share = np.median(looking) / np.median(learning)
alone, together = np.count_nonzero(data.test.values), len(paired(data.test).index)
Markdown(
    f"In pairs, {100 * together / alone:.0f} % of the rows have to be read. At *H* = "
    f"{SIZE:,} a look at the test set takes {1000 * np.median(looking):.0f} ms, "
    f"{share:.2f} times as long as learning 5,000 images by backprop. Looking at the "
    f"training set as often would take {6 * share:.1f} times as long as learning, so "
    "that is done once an epoch. Times in this book are for learning alone, and each "
    "page says at its end what measuring has added."
)

# %% tags=["hide-input"]
facts = provenance(mnist, time.perf_counter() - BEGAN)
versions = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
Markdown(
    f"Profile {settings.profile}; {facts['date'][:10]}; {facts['machine']}; {versions};"
    f" {facts['compute_seconds'] / 60:.1f} minutes."
)
