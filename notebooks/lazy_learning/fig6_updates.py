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
# # Synaptic updates and processor time (Figure 6)
#
# The energy $M$ asks how far the synapses move. A computer does not care how far: writing a small
# change costs as much as writing a large one. So here is what lazy learning {cite}`pache2023lazy`
# saves when the changes are counted, and what it saves of a processor's time.

# %% tags=["parameters", "hide-input"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
hidden = None
epochs = None
seeds = None

# %% tags=["hide-input"]
from IPython.display import Markdown

from lazybook.benchmarks import cost
from lazybook.book import analysis, notebook, plotting
from lazybook.book.notebook import span
from lazybook.experiment import grid, preset
from lazybook.gates import EverySample, MemorizedMistakes
from lazybook.sweep import sweep

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

# %%
base = preset(
    "lazy", epochs=scale.epochs, engine=settings.engine, device=settings.device
)
gates = [EverySample(), MemorizedMistakes()]
experiments = grid(base, hidden=scale.hidden, seed=scale.seeds, gate=gates)
result = sweep(experiments, jobs=settings.jobs, fresh=settings.fresh)

# %% tags=["hide-input"]
keys = [(size, seed) for size in scale.hidden for seed in scale.seeds]
pairs = dict(
    zip(keys, zip(result.runs[::2], result.runs[1::2], strict=True), strict=True)
)

# %% [markdown]
# ## Two ways to time
#
# The engine of this book was built to make updates cheap ({doc}`../how_fast`), so there is less to
# be saved by making fewer of them. Most people use PyTorch, as the paper did. So each run is timed
# twice: as it ran here, and as it would have run in an ordinary PyTorch loop. For that, a forward
# pass and an update were timed, on one core, and both were multiplied with how often the run made
# them.

# %% tags=["hide-input"]
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
    ("pytorch_seconds", "PyTorch", "--"),
    ("seconds", "this engine", "-"),
):
    for rule in (BACKPROP, LAZY):
        look = {"label": f"{plotting.NAMES[rule]}, {name}", "ls": line, "marker": "o"}
        plotting.over_seeds(
            right, ends[ends["gate"] == rule], "hidden", column, rule, **look
        )
right.set(
    xscale="log",
    yscale="log",
    xlabel="hidden units $H$",
    ylabel="time for all epochs (s)",
)
right.set_xticks(scale.hidden, scale.hidden, minor=False)
right.minorticks_off()
right.set_ylim(None, 10 * right.get_ylim()[1])  # room for the legend
right.legend(loc="upper left", fontsize="small")
plotting.show(
    counted,
    timed,
    name="fig-synaptic-updates",
    caption="Left: the number of times that a synapse changed until a test accuracy "
    "was first reached, by backprop (blue) and lazy learning (orange). The axis is "
    "stretched towards 100 %, by the share of errors. Right: time for all "
    f"{scale.epochs} epochs, in an ordinary PyTorch loop (dashed) and in the engine of "
    "this book (solid). (Paper: Fig. 6.)",
    alt="Left, synaptic updates rise with accuracy; the curves of lazy learning lie "
    "several times below those of backprop. Right, the time for all epochs rises with "
    "the number of hidden units, for both rules and both engines; PyTorch takes many "
    "times as long as the engine.",
    notebook=NAME,
)
fewer = {
    key: analysis.at_best_common(*pair, "energy_m0") for key, pair in pairs.items()
}
synapses = 785 * ends["hidden"] + 10 * (ends["hidden"] + 1)
share = 100 * (ends["energy_m0"] / ends["updates"] / synapses).mean()
Markdown(
    "To the best accuracy that both reached, backprop made "
    f"{span(fewer.values(), '.1f')} times as many synaptic updates as lazy learning. "
    f"To learn one image is to change {share:.0f} % of the synapses: those of pixels "
    "without ink stay as they are."
)

# %% tags=["hide-input"]
spent = ends.set_index(["hidden", "seed", "gate"])[["pytorch_seconds", "seconds"]]
times = spent.xs(LAZY, level="gate") / spent.xs(BACKPROP, level="gate")
learning = [1 + each.update / each.forward for each in costs.values()]
Markdown(
    f"The costs of PyTorch were {costs.source}. There lazy learning takes "
    f"{span(times['pytorch_seconds'], '.2g')} times as long as backprop; to learn an "
    f"image takes {span(learning, '.2g')} times as long as to classify it. In the "
    f"engine of this book lazy learning takes {span(times['seconds'], '.2g')} times as "
    "long as backprop."
)

# %% [markdown]
# ## The claims
#
# Updates are compared when each rule first reached the best accuracy that both reached, to a tenth
# of a percent; times for all epochs, whatever they led to.

# %% tags=["hide-input"]
found = notebook.Findings(settings, NAME, "LL15")
measure = "synaptic updates of backprop / of lazy at the best common accuracy"
found.each("LL15", measure, "H = {}", fewer)
measure = "CPU time of lazy / of backprop for all epochs"
for column, engine in (("seconds", "our engine"), ("pytorch_seconds", "PyTorch")):
    found.each("LL15", measure, f"{engine}, H = {{}}", times[column])
found.verdicts([result])

# %% tags=["hide-cell"]
# NBVAL_CHECK_OUTPUT
found.print_outcomes([result], timed=["LL15"])

# %% tags=["hide-input"]
notebook.provenance(settings, [result])
