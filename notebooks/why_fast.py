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
# # Why it is fast
#
# The engine of this book learns a sample {doc}`many times faster <how_fast>` than an ordinary loop.
# This page shows how, one idea at a time. Each has its equation, and next to it the measurement
# that shows what it is worth. None of them changes what is learned, but for rounding. What is
# each worth?
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

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
import time
from dataclasses import replace

import numba
import numpy as np
from IPython.display import Markdown

from lazybook import engines
from lazybook.benchmarks import cases, loops, timing
from lazybook.book import notebook, plotting, timings
from lazybook.engines.contract import Start
from lazybook.engines.numba_cpu import WIDE, apart
from lazybook.experiment import preset
from lazybook.runs import provenance
from lazybook.support.randomness import Streams

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    size=(100, 1000, 1000),
    rounds=(1, 3, 9),
    inked=(  # share of pixels that are not 0
        [0.1, 0.5],
        [0.03, 0.1, 0.2, 0.4, 0.7, 1],
        [0.03, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1],
    ),
    wide=([WIDE], [WIDE, 1000], [WIDE, 1000, 3000]),
    shares=(  # of the synapses that are plastic
        [0.1, 1],
        [0.003, 0.03, 0.1, 0.3, 1],
        [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1],
    ),
    learned=(  # share of the samples
        [0.0, 1.0],
        [0.0, 0.05, 0.15, 0.5, 1.0],
        [0.0, 0.05, 0.1, 0.15, 0.25, 0.4, 0.6, 0.8, 1.0],
    ),
)
NAME = "why_fast"
BEGAN = time.perf_counter()
SIZE = scale.size
OTHERS = ["eager", "NumPy", *(["JAX"] if loops.jax_installed() else [])]
BACKPROP, LAZY = plotting.RULES["every-sample"], plotting.RULES["memorized-mistakes"]
INK = "0.5"


def percent(share, _):
    """Return how an axis spells a share: 0.1 %, 1 %, 10 %."""
    return f"{100 * share:g} %"


# %% [markdown]
# ## Sparse inputs, and several rows at a time
#
# All times are of one core of the machine that made this page, and all that are compared were taken
# by turns in one run.
#
# Four fifths of MNIST's pixels are 0. They add nothing to what a hidden unit receives, and their
# synapses do not change:
#
# $$ \begin{aligned} u_j &= \sum_{i:\,x_i \neq 0} x_i W_{ij}, \\
# \Delta W_{ij} &= -\eta\, x_i \delta_j = 0 \quad\text{where } x_i = 0 . \end{aligned} $$
#
# So only non-zero pixels are stored, and $W$ lies in memory with the synapses of one pixel side by
# side: a pixel that is 0 is a row that is never touched, and one that is not is a row that is read
# from end to end. The cost then follows the ink, where a matrix product does not care. The
# figure is the one that this page begins with.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the figure of ink"}
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
        timings.LOOKS[name],
        color=BACKPROP,
        label=timings.TITLES[name],
        marker="o",
        ms=4,
    )
mean_ink = np.mean(mnist.train.values != 0)
axes.axvline(mean_ink, color=INK, lw=1)
axes.text(mean_ink, 0.5, " MNIST", transform=axes.get_xaxis_transform())
axes.set(
    xlabel="pixels that are not 0",
    ylabel="time (µs a sample)",
    yscale="log",
)
plotting.logarithmic(axes.xaxis, [1, 3])
axes.xaxis.set_major_formatter(percent)
axes.legend()
more, longer = scale.inked[-1] / scale.inked[0], times["numba"][-1] / times["numba"][0]
plotting.show(
    figure,
    name="fig-cost-ink",
    caption=f"Time to learn a sample by backprop, <i>H</i> = {SIZE:,}, with random "
    f"pixels of which a part is 0; medians over rounds, n = {scale.rounds}. With "
    f"{more:.0f} times as many that are not 0 it takes {longer:.1f} times as long.",
    alt="The time of the NumPy loop hardly depends on the share of non-zero pixels. "
    "That of the engine rises with it.",
    notebook=NAME,
    lead=True,
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


# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: rows at a time"}
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
    gain = f"{one / four:.2f} times as fast"
    gain = f"**{gain}**" if one > 1.05 * four else f"no gain ({gain})"
    told.append(f"for {units:,} units {one:.2f} and {four:.2f} µs, {gain}")
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

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: rows that wait"}
data, told = cases.images(), []
for units in scale.wide:
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

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: zero mean"}
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

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: what counting takes"}
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
counted, whole = engine.meter.m1[0], timings.ours(plain, scale.rounds)
Markdown(
    "Over 50 images the first layer's changes, taken from its weights before and after "
    f"each, sum to {summed:.5f}; the engine counted {counted:.5f}, which differs by "
    f"{abs(summed / counted - 1):.0e} of it. That sum alone took "
    f"{1e6 * spent / 50:,.0f} µs for each image. The engine takes "
    f"{whole:.1f} µs for everything (*H* = {SIZE:,})."
)

# %% [markdown]
# ## The largest updates, without the matrix
#
# Which 5 % of the updates $|x_i||\delta_j|$ are the largest? Writing them down and selecting, as
# `torch.topk` must, looks at $785\,H$ numbers. But sort the inputs by their size, which is done
# once for each image, and the number of updates above a threshold $\theta$,
#
# $$ n(\theta) = \sum_j \#\{\, i : |x_i| > \theta / |\delta_j| \,\}, $$
#
# is for each unit found by halving, for all units side by side. All pixels of the background are
# alike and count as one step of it. A search for the $\theta$ with $n(\theta) = k$, begun at the
# threshold of the last image, takes some ten such counts, for which ever fewer inputs come into
# question, and then exactly $k$ synapses change. Within one neuron it is simpler still: the largest
# updates of every neuron are those of the largest inputs.
#
# Nor has every synapse to be compared with the threshold $\theta$ after each sample. With zero-mean
# inputs $\tilde T_{ij} = A_{ij} + c_j$, sparse plus a constant again, and while the bounds of
# $A_{ij}$, which are carried along, keep
#
# $$ \max_i A_{ij} + c_j < \theta / s \quad\text{and}\quad \min_i A_{ij} + c_j > -\theta / s, $$
#
# no synapse of unit $j$ has reached it. Only units for which one of these fails are looked at. That
# works where each synapse has a threshold of its own and what is transient costs nothing; else all
# of them are looked at.
#
# ## What can change lies side by side
#
# In a subnet only the synapses of $n$ hidden units ever change. The units' order in memory means
# nothing to the network, so those come first, and every loop that changes something ends after $n$
# columns. A mask that is multiplied with the gradient saves nothing; it costs.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of shares"}
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
    timings.curves(axes, list(spelled), found, BACKPROP)
    axes.set(title=rule, xlabel="share that is plastic")
    plotting.logarithmic(axes.xaxis)
    axes.xaxis.set_major_formatter(percent)
    panels.append(panel)
panels[0].axes[0].legend(loc="center left")
limits = [end for panel in panels for end in panel.axes[0].get_ylim()]
for panel in panels:
    panel.axes[0].set_ylim(min(limits), max(limits))
plotting.show(
    *panels,
    name="fig-cost-plastic",
    caption="Time for a sample against the share that may change: of the layer's "
    "synapses, those with the largest updates (a), or of the units, a subnet (b); "
    f"<i>H</i> = {SIZE:,}. Lines are medians over rounds, bands go from the lowest "
    f"to the highest; n = {scale.rounds}.",
    alt="Two panels with the time of the eager loop and of the engine against the "
    "share that is plastic; the engine's curve lies below.",
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

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: decay"}
found = cases.compare(
    [cases.cached(SIZE, decay=0.0), cases.cached(SIZE)], scale.rounds, ["eager"]
)
without, with_decay = (result.microseconds["numba"].median for result in found)
lazy = replace(
    cases.lazy(SIZE).experiment, caching=cases.cached(SIZE).experiment.caching
)
forward = timings.ours(cases.Case("no sample", lazy, learned=0.0), scale.rounds)
Markdown(
    f"A sample takes {without:.0f} µs without decay and {with_decay:.0f} µs with it; "
    f"one that the gate does not let through, decay and all, {forward:.1f} µs. The "
    f"eager loop takes {found[1].microseconds['eager'].median:,.0f} µs to learn one "
    f"(*H* = {SIZE:,})."
)

# %% [markdown]
# ## What is not learned
#
# A sample that is not learned costs its forward pass and nothing else. How much lazy learning saves
# depends on what a forward pass costs compared with an update, and that differs from loop to loop.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the figure of samples learned"}
found = cases.compare(
    [cases.lazy(SIZE, share) for share in scale.learned], scale.rounds, OTHERS
)
figure, axes = plotting.subplots(figsize=(5.4, 3.9))
timings.curves(axes, scale.learned, found, LAZY)
axes.set(xlabel="samples learned")
axes.xaxis.set_major_formatter(percent)
axes.legend(ncols=2, loc="lower right", bbox_to_anchor=(1, 1))
plotting.show(
    figure,
    name="fig-cost-learned",
    caption="Time for a sample against the share of the samples that lazy learning "
    f"learns, <i>H</i> = {SIZE:,}. Lines are medians over rounds, bands go from "
    f"the lowest to the highest; n = {scale.rounds}.",
    alt="For every loop the time rises with the share of the samples that are learned. "
    "The engine's curve lies far below all others.",
    notebook=NAME,
)
none, every = (found[n].microseconds["numba"].median for n in (0, -1))
eager_none, eager = (found[n].microseconds["eager"].median for n in (0, -1))
Markdown(
    f"Here a sample takes {none:.1f} µs if it is not learned and {every:.1f} µs if it "
    f"is: {every / none:.1f} times as long. For the eager loop the ratio is "
    f"{eager / eager_none:.1f}."
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how the results came about"}
facts = provenance(mnist, time.perf_counter() - BEGAN)
versions = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
Markdown(
    f"Profile {settings.profile}; {facts['date'][:10]}; {facts['machine']}; {versions};"
    f" {facts['compute_seconds'] / 60:.1f} minutes."
)

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
dense = times["NumPy"][-1] / times["NumPy"][0]
notebook.answer(
    f"An image of which {100 * scale.inked[0]:g} % is not 0 is learned "
    f"**{longer:.1f} times faster** than one without zeros, and by matrix products in "
    f"NumPy {dense:.1f} times faster. With zero mean a sample takes "
    f"{centred_time / raw_time:.2f} times as long as without. One that is not learned "
    f"takes {every / none:.1f} times less than one that is, and in an ordinary PyTorch "
    f"loop {eager / eager_none:.1f} times less."
)
