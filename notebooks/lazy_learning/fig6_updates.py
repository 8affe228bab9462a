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
# # Synaptic updates and processor time · lazy learning, Fig. 6
#
# The energy $M$ asks how far the synapses move. A computer does not care how far: writing a small
# change costs as much as writing a large one. What does lazy learning {cite}`pache2023lazy` save
# when the changes are counted, and what does it save of a processor's time?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`lazy learning of MNIST <fig2_mnist>`, which has the runs, and {doc}`the method
# </method>`, for what is counted.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
hidden = None
epochs = None
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
from IPython.display import Markdown

from lazybook.benchmarks import cost
from lazybook.book import analysis, notebook, plotting
from lazybook.book.notebook import span
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    hidden=([30, 100], [100, 200, 500, 1000], [100, 200, 500, 1000]),
    epochs=(2, 10, 50),
    seeds=([0], [0], [0, 1, 2, 3, 4]),
)
NAME = "lazy_learning/fig6_updates"
BACKPROP, LAZY = "every-sample", "memorized-mistakes"

# %% [markdown]
# ## The runs
#
# They are those of {doc}`fig2_mnist`: backprop and lazy learning, with its memory of mistakes.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
base = preset("lazy", epochs=scale.epochs)
gates = [EverySample(), MemorizedMistakes()]
experiments = grid(base, hidden=scale.hidden, seed=scale.seeds, gate=gates)
result = settings.sweep(experiments)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the pairs of runs"}
keys = [(size, seed) for size in scale.hidden for seed in scale.seeds]
pairs = dict(
    zip(keys, zip(result.runs[::2], result.runs[1::2], strict=True), strict=True)
)

# %% [markdown]
# ## Two ways to time
#
# The engine of this book was built to make updates cheap ({doc}`../how_fast`), so there is less to
# be saved by making fewer of them. Most people use PyTorch, as the paper did. So each run is timed
# twice: as it ran here, and as it would have run in an ordinary PyTorch loop. For the latter a
# forward pass and an update were timed, on one core, and each was multiplied by how often it
# occurred in the run: that time is *modelled*, not measured ({doc}`fig2_mnist` checks the model).

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: updates and time"}
costs = cost.costs(scale.hidden, settings.profile)
ends = result.ends()
ends["pytorch_seconds"] = [
    costs[run.experiment.hidden].seconds(run.table).iloc[-1] for run in result.runs
]
counted, left = plotting.subplots(figsize=(3.95, 4.1))
plotting.against_accuracy(left, result.runs, "energy_m0")
left.set(ylabel="synaptic updates $M_0$")
timed, right = plotting.subplots(figsize=(3.95, 4.1))
for column, name, line in (
    ("pytorch_seconds", "PyTorch loop (modelled)", "--"),
    ("seconds", "this book's engine", "-"),
):
    for rule in (BACKPROP, LAZY):
        look = {"ls": line, "marker": "o"}
        plotting.over_seeds(
            right, ends[ends["gate"] == rule], "hidden", column, rule, **look
        )
    last = ends.loc[ends["hidden"] == max(scale.hidden), column]
    above = {"va": "bottom", "y": 1.15 * last.max()}
    below = {"va": "top", "y": 0.3 * last.min()}  # of its lines, which rise
    place = above if column == "pytorch_seconds" else below
    right.text(x=max(scale.hidden), s=name, ha="right", fontsize="small", **place)
right.set(
    xscale="log",
    yscale="log",
    xlabel="hidden units $H$",
    ylabel="time for all epochs (s)",
)
right.set_xticks(scale.hidden, scale.hidden, minor=False)
right.minorticks_off()
right.set_ylim(None, 2 * right.get_ylim()[1])  # room for what the lines are
plotting.show(
    counted,
    timed,
    name="fig-synaptic-updates",
    caption="(a) The number of times that a synapse changed until a test accuracy "
    "was first reached, by backprop (blue) and lazy learning (orange). The axis is "
    "stretched towards 100&nbsp;%, by the share of errors. (b) Time for all "
    f"{scale.epochs} epochs on one core, in an ordinary PyTorch loop, modelled by "
    "its costs (dashed), and in the engine of this book (solid). Lines are means over "
    f"seeds, bands go from the lowest to the highest; {notebook.seeds(ends)}. (Paper: "
    "Fig. 6.)",
    alt="a, synaptic updates rise with accuracy; the curves of lazy learning lie "
    "several times below those of backprop. b, the time for all epochs rises with "
    "the number of hidden units, for both rules and both engines; PyTorch takes many "
    "times as long as the engine.",
    notebook=NAME,
    lead=True,
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the numbers"}
fewer = {
    key: analysis.at_best_common(*pair, "energy_m0") for key, pair in pairs.items()
}
times_fewer = analysis.over_seeds(fewer)
synapses = 785 * ends["hidden"] + 10 * (ends["hidden"] + 1)
share = 100 * (ends["energy_m0"] / ends["updates"] / synapses).mean()
Markdown(
    f"To the best accuracy that both reached, backprop made {span(times_fewer, '.2g')} "
    "times as many synaptic updates as lazy learning, in the means over seeds of each "
    f"size ({span(fewer.values(), '.2g')} in single runs). To learn one image is to "
    f"change {share:.0f} % of the synapses: those of pixels without ink stay as they "
    "are."
)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the numbers"}
spent = ends.set_index(["hidden", "seed", "gate"])[["pytorch_seconds", "seconds"]]
times = spent.xs(LAZY, level="gate") / spent.xs(BACKPROP, level="gate")
faster = {
    column: span(1 / analysis.over_seeds(times[column]), ".2g") for column in times
}
learning = [1 + each.update / each.forward for each in costs.values()]
Markdown(
    f"The costs of PyTorch were {costs.source}: to learn an image takes "
    f"{span(learning, '.2g')} times as long as to classify it. So in the PyTorch loop "
    f"(modelled) all {scale.epochs} epochs of lazy learning are "
    f"{faster['pytorch_seconds']} times as fast as backprop's, and in the engine of "
    f"this book {faster['seconds']} times."
)

# %% [markdown]
# ## The claims
#
# Updates are compared when each rule first reached the best accuracy that both reached; times for
# all epochs, whatever they led to.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
found = notebook.Findings(settings, NAME, "LL15")
measure = "synaptic updates of backprop / of lazy at the best common accuracy"
found.each("LL15", measure, "H = {}", fewer)
measure = "CPU time of lazy / of backprop for all epochs"
for column, engine in (
    ("seconds", "our engine"),
    ("pytorch_seconds", "PyTorch, modelled"),
):
    found.each("LL15", measure, f"{engine}, H = {{}}", times[column])
found.verdicts([result])

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
found.answer(
    "To the best accuracy that both reach, lazy learning makes "
    f"**{span(times_fewer, '.2g')} times fewer synaptic updates**. All {scale.epochs} "
    f"epochs take it {faster['pytorch_seconds']} times less time in an ordinary "
    f"PyTorch loop (modelled), and {faster['seconds']} times less in this book's "
    "engine, where updates are cheap."
)

# %% [markdown]
# ## Your turn
#
# **1.** Let an update take r times as long as a forward pass. Lazy learning makes all the forward
# passes, and a share s of the updates. How many times as fast is it, and what is that for r = 1, 3
# and 10, and at most?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: how fast at most"}
# NBVAL_CHECK_OUTPUT
print("(1 + r) / (1 + s r), at most 1 / s")
for size in scale.hidden:
    plain, lazy = pairs[size, scale.seeds[0]]
    s = lazy.final["updates"] / plain.final["updates"]
    gains = [f"{(1 + r) / (1 + s * r):.2f}" for r in (1, 3, 10)]
    print(f"H = {size}, s = {s:.3f}: {', '.join(gains)}; at most {1 / s:.1f}")

# %% [markdown]
# **2.** How often did a synapse change in the whole run, on average? Estimate it from the images
# presented and the share of synapses that an image changes. Then count.

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: changes of a synapse"}
# NBVAL_CHECK_OUTPUT
estimate = ends["samples"].max() * share / 100
print(f"estimate for backprop: {float(f'{estimate:.2g}'):,.0f}")
each = (ends["energy_m0"] / synapses).groupby([ends["gate"], ends["hidden"]]).mean()
for (rule, size), number in each.items():
    print(f"{plotting.NAMES[rule]}, H = {size}: {number:,.0f}")

# %% [markdown]
# Next: {doc}`Does it all hang on the squared error? <losses>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([result], timed=["LL15"])

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, [result])
