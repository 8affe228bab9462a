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
# # From a small network to a brain (Figure 5)
#
# The larger a network, the more it pays to learn one and the same task, if all of its synapses
# take part: that is what the page on the [cost of learning](fig1_cost_of_learning) shows. A network
# of the size of a brain area would then pay very much more than the task is worth. How much more
# {cite}`vanrossum2024competitive`? And how little can one get away with, by all the means of
# these pages?

# %% tags=["parameters", "hide-input"]
profile = "quick"  # smoke, quick or paper
device = "cpu"  # cpu or cuda
jobs = None  # experiments at a time; None: one a core
fresh = False  # True: compute again what the run store already has
hidden = None  # sizes of the hidden layer, such as [100, 300, 1000]; None: as the profile says
seeds = None  # one run each, such as [0, 1, 2]; None: as the profile says

# %% tags=["hide-input"]
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, Markdown

from lazybook import analysis, claims, datasets, networks, notebook, plotting
from lazybook.caching import Immediate, SynapticCaching
from lazybook.claims import Finding
from lazybook.errors import InvalidValue
from lazybook.experiment import grid, preset
from lazybook.restrictions import AllSynapses, LargestUpdates, NeuronMask, Subnet, SynapseMask
from lazybook.sweep import sweep

settings = notebook.start(globals())
NAME = "competitive_plasticity/fig5_extrapolation"
hidden = settings.hidden or settings.choose(
    smoke=[30, 60, 100], quick=[30, 100, 300, 1000, 3000], paper=[30, 100, 300, 1000, 3000, 10_000]
)
seeds = settings.seeds or settings.choose(smoke=[0], quick=[0], paper=[0, 1, 2, 3, 4])
LARGE = settings.choose(smoke=30, quick=100, paper=100)  # power laws are fitted from here on
if sum(size >= LARGE for size in hidden) < 3:
    raise InvalidValue(f"hidden is {hidden}; power laws need at least 3 sizes from {LARGE} up")

# %% [markdown]
# ## The runs
#
# Two kinds of networks: of many sizes, all synapses of which learn; and of a few sizes, in which
# only a small *subnet* learns. What a subnet costs does not depend on the network around it, so it
# tells what the task needs. And in networks of one size, all methods of the paper, each with a few
# settings. Every run goes on until 95 % of the test images are right (80 % in the smoke profile).

# %%
GOAL = settings.choose(smoke=0.8, quick=0.95, paper=0.95)
SUBNET = settings.choose(smoke=20, quick=100, paper=100)
AT = settings.choose(smoke=60, quick=1000, paper=1000)
base = preset("competitive", until=GOAL, engine=settings.engine, device=settings.device)
subnets_in = settings.choose(smoke=[60, 100], quick=[300, 1000, 3000], paper=[300, 1000, 3000])
fractions = settings.choose(smoke=[0.05], quick=[0.02, 0.05], paper=[0.01, 0.02, 0.05, 0.1])
methods = {
    "all": [AllSynapses()],
    "synapse-mask": [SynapseMask(0.1, 1.0)],
    "neuron-mask": [NeuronMask(SUBNET)],
    "subnet": [Subnet(SUBNET)],
    "largest-per-layer": [LargestUpdates(f) for f in fractions],
    "largest-per-neuron": [LargestUpdates(f, per="neuron") for f in fractions],
    "subnet & largest-per-layer": [Subnet(SUBNET) & LargestUpdates(f) for f in fractions],
}
