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
# # Two clouds · lazy learning, Fig. 1
#
# Tell two clouds of points apart with two weights: the smallest task on which the rules differ, and
# one where all of learning can be drawn {cite}`pache2023lazy`. *Backprop* learns every point that
# it is shown; *lazy* learning a point that it misclassifies now, or ever did before; *pure lazy*
# learning only one that it misclassifies now. Where does each rule take the weights, and what does
# the path cost?
#
# :::{div} answer
# ```{glue:} answer
# ```
# :::
#
# ```{glue:} lead
# ```
#
# Before this: {doc}`the playground </playground>`, where you can train the two clouds by hand.

# %% tags=["parameters", "remove-cell"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
epochs = None
seeds = None

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: settings"}
from itertools import product

import numpy as np
from matplotlib.colors import to_rgb

from lazybook import datasets, energy
from lazybook.book import analysis, notebook, plotting
from lazybook.book.notebook import span
from lazybook.experiment import Experiment, grid
from lazybook.gates import EverySample, MemorizedMistakes, Mistakes

settings = notebook.start(globals())
scale = settings.scale(
    # smoke, quick, paper
    epochs=(30, 30, 30),
    seeds=([0], [0, 1, 2], [*range(20)]),
)
NAME = "lazy_learning/fig1_two_clouds"
BACKPROP, LAZY, PURE = "every-sample", "memorized-mistakes", "mistakes"
RULES = (BACKPROP, LAZY, PURE)

# %% [markdown]
# ## The task
#
# The output is $h = w_1 x_1 + w_2 x_2$, the class is 1 if $h > 0$ and 0 otherwise. Learning is
# gradient descent on the squared error between $h$ and its target, $-1$ or $1$, one point at a
# time, with the small learning rate 0.001. The three rules see the same points in the same order.
#
# The paper gives neither the shape of the clouds nor the three initial conditions. Ours are chosen
# so that what it describes can be seen: condition 1 starts below the weights that classify every
# point correctly, condition 3 above them, and condition 2 on the far side of the origin, where
# nearly every point is misclassified. Some of the claims below depend on that choice, LL4 most of
# all.
#
# Backprop never stops learning, so its energy grows with the length of the run, here 30 epochs of
# 200 points.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the runs"}
INITIAL = {1: (1.8, -0.7), 2: (-1.2, -0.1), 3: (1.4, 1.0)}
base = Experiment(
    dataset="two-clouds", hidden=None, bias="none", learning_rate=0.001,
    epochs=scale.epochs,
    measure_every=200, record=("path", "sample-energy")
)  # fmt: skip
experiments = grid(
    base,
    initial=[f"values:{w1},{w2}" for w1, w2 in INITIAL.values()],
    gate=[EverySample(), MemorizedMistakes(), Mistakes()],
    seed=scale.seeds,
)
result = settings.sweep(experiments)

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the task"}
keys = [
    (start, rule, seed) for start in INITIAL for rule in RULES for seed in scale.seeds
]
runs = dict(zip(keys, result.runs, strict=True))
paths = {key: run.arrays["path"] for key, run in runs.items()}
points = datasets.load("two-clouds").train
x, labels = points.inputs(), points.labels
SHAPES = {0: "o", 1: "^"}
# Drawn in this order, so that a rule shows beneath another that takes the same path.
N_SEEDS = f"n = {len(scale.seeds)}".replace(" ", "\N{NBSP}")
WIDTHS = {BACKPROP: 3.6, LAZY: 2.2, PURE: 1.2}


def boundary(axes, rule):
    """Draw where ``rule`` put the boundary between the classes, from condition 1."""
    w1, w2 = paths[1, rule, scale.seeds[0]][-1]
    color, lw = plotting.RULES[rule], WIDTHS[rule]
    axes.axline((0, 0), (-w2, w1), color=color, lw=lw, label=plotting.NAMES[rule])


figure, axes = plotting.subplots(figsize=(4.6, 3.9))
for rule in RULES:
    boundary(axes, rule)
for label, marker in SHAPES.items():
    fill = plotting.INK if label else "none"
    cloud = x[labels == label]
    axes.scatter(
        *cloud.T, s=18, marker=marker, c=fill, ec=plotting.INK, lw=0.7, alpha=0.6
    )
    axes.text(cloud[:, 0].mean(), 2.95, f"class {label}", ha="center")
axes.set(
    xlabel="$x_1$", ylabel="$x_2$", xlim=(-2.1, 2.1), ylim=(-0.2, 3.2), aspect="equal"
)
axes.legend(title="boundary at the end", alignment="left", loc="lower left")
plotting.show(
    figure,
    name="fig-two-clouds-data",
    caption="The training points, and where each rule put the boundary between the "
    "classes, from initial condition 1, in one run. Pure lazy learning stops once no "
    "point is misclassified, so its boundary touches a cloud; the other two go on, to "
    "the middle of the gap. (Paper: Fig. 1d.)",
    alt="Two discs of points, one left and one right of the vertical axis, and three "
    "lines through the origin between them. Pure lazy learning's line touches the "
    "right disc, the others lie midway.",
    notebook=NAME,
)

# %% [markdown]
# ## Two landscapes
#
# The figure at the top of the page shows two landscapes over the plane of the two weights. The loss
# is a smooth bowl. The accuracy is made of flat terraces: it changes only where the boundary
# crosses a data point, and then by that one point. Only the direction of the weights counts for the
# accuracy, so the terraces form a fan around the origin. The highest is a wedge without any shade,
# in which every point is classified correctly.
#
# The gradient knows the bowl alone. Backprop runs down to its bottom and stays there, shaken by
# every point. Pure lazy learning climbs the terraces and stops at the edge of the wedge, where
# there is nothing left to learn. Lazy learning keeps learning the points that it remembers, and so
# moves on into the wedge. From condition 2 nearly every point is misclassified to begin with. Lazy
# learning remembers them all, and takes the path of backprop.
#
# If the clouds overlapped there would be no such wedge: some point would always be misclassified,
# and even pure lazy learning would never stop.

# %% tags=["hide-input", "remove-output"] mystnb={"code_prompt_show": "Code: the landscapes"}
LOW, HIGH = -2.1, 2.6
RADIUS = np.hypot(*INITIAL[1])


def judged(weights):
    """Return loss and accuracy for ``weights``, shape (…, 2)."""
    h = weights @ x.T
    return np.square(h - (2 * labels - 1)).mean(-1), ((h > 0) == labels).mean(-1)


def direction(angle):
    """Return the unit vectors at these angles, in radians; shape (…, 2)."""
    return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def landscape(title):
    """Return a figure: the paths on a map, beneath it a place for a cut."""
    figure, (above, below) = plotting.subplots(
        2, 1, figsize=(3.95, 5.3), gridspec_kw={"height_ratios": (3.4, 1)}
    )
    above.plot(*(RADIUS * direction(CIRCLE)).T, ":", color=plotting.INK, lw=1)
    for (start, rule, seed), path in paths.items():
        if seed == scale.seeds[0]:
            name = plotting.NAMES[rule] if start == 1 else None
            look = {"color": plotting.RULES[rule], "zorder": 2 + RULES.index(rule) / 10}
            above.plot(*path.T, lw=WIDTHS[rule], label=name, **look)
            end_look = look | {"zorder": 3, "mec": "white", "mew": 0.8}
            above.plot(*path[-1], "s", ms=6, **end_look)
    for start, (w1, w2) in INITIAL.items():
        above.plot(w1, w2, "o", color="white", mec="black", ms=13, zorder=4)
        look = {"color": "black", "ha": "center", "va": "center_baseline", "zorder": 5}
        above.text(w1, w2, str(start), **look)
    above.set(xlabel="$w_1$", ylabel="$w_2$", aspect="equal")
    above.set(xlim=(LOW, HIGH), ylim=(LOW, -LOW))
    above.set_title(title, weight="bold")
    above.grid(False)
    below.set(
        xlabel="direction of the weights (°)", xlim=(-90, 90), xticks=range(-90, 91, 45)
    )
    return figure, above, below


CIRCLE = np.radians(np.linspace(-90, 90, 2001))
losses, accuracies = judged(RADIUS * direction(CIRCLE))
smooth, above, below = landscape("loss")
mesh = np.stack(np.meshgrid(*[np.linspace(LOW, HIGH, 200)] * 2), axis=-1)
levels = [0.15, 0.25, 0.5, 1, 2, 4, 8, 16, 32]
grey = [(*to_rgb(plotting.INK), alpha) for alpha in np.linspace(0.02, 0.35, 8)]
surface = judged(mesh)[0]
above.contourf(*np.moveaxis(mesh, -1, 0), surface, levels=levels, colors=grey)
look = {"colors": plotting.INK, "linewidths": 0.5, "alpha": 0.6}
lines = above.contour(*np.moveaxis(mesh, -1, 0), surface, levels=levels, **look)
free_x, free_y = (
    (0.62, 0.55, 0.35, 0.1, -0.2, -0.2),
    (-0.3, -0.52, -0.72, -0.95, -1.3, -2),
)
free = [*zip(free_x, free_y, strict=True)]  # where no path hides them
above.clabel(lines, fontsize=8, fmt="%g", manual=free)
above.legend(loc="lower right", handlelength=1.4, borderaxespad=0.2)
below.plot(np.degrees(CIRCLE), losses, color=plotting.INK, lw=1.4)
below.set(ylabel="loss", ylim=(0, None))

stepped, above, below = landscape("accuracy")
# A terrace ends where the weights are at a right angle to a point.
turns = np.arctan2(x[:, 1], x[:, 0])
edges = np.sort(np.r_[turns - np.pi / 2, turns + np.pi / 2])
before = judged(direction(edges[0] - 1e-6))[1]
for left, right in zip(edges, np.r_[edges[1:], edges[0] + 2 * np.pi], strict=True):
    share = judged(direction((left + right) / 2))[1]
    near, far = 5 * direction(np.array([left, right]))
    look = {"color": plotting.INK, "zorder": 0}
    flat = {"alpha": 0.35 * (1 - share), "lw": 0, "antialiased": False}
    above.fill(*np.stack([[0, 0], near, far]).T, **look, **flat)
    if share == 1:
        above.plot(*np.stack([near, [0, 0], far]).T, **look | {"zorder": 1}, lw=1.6)
    elif int(20 * share + 1e-9) != int(20 * before + 1e-9):
        above.plot(*np.stack([[0, 0], near]).T, **look, lw=0.5, alpha=0.6)
    before = share
for x_of, y_of, share in (
    (2.3, 0.04, 100),
    (0.3, 1.5, 50),
    (0.3, -1.5, 50),
    (-1.8, 0, 0),
):
    above.text(x_of, y_of, f"{share} %", ha="center", va="center")
below.plot(np.degrees(CIRCLE), 100 * accuracies, color=plotting.INK, lw=1.4)
below.set(ylabel="accuracy (%)", ylim=(45, 103))

plotting.show(
    smooth,
    stepped,
    name="fig-two-clouds-paths",
    caption="The paths of the two weights from the numbered initial conditions to the "
    "squares, over the loss (a) and the accuracy (b), in one run each; "
    "the fainter the shade, the better. The fan's thin rays stand 5&nbsp;% apart; the "
    "strong ones bound the wedge where all points are classified correctly. Beneath, a "
    "cut through both landscapes along the dotted half circle: the loss a curve, the "
    "accuracy a staircase. (Paper: Fig. 1a, b.)",
    alt="Two maps over the two weights with the paths of the three rules from three "
    "numbered points: a, contour lines of the loss, b, a fan of terraces of the "
    "accuracy. Backprop's paths end at the minimum of the loss, pure lazy learning's "
    "at the edge of the wedge of full accuracy. Beneath each a cut, a smooth curve in "
    "a and a staircase in b.",
    notebook=NAME,
    lead=True,
)

# %% [markdown]
# ## The last steps
#
# Magnified, the last tenth of the paths from condition 1. Backprop wanders about the bottom of the
# bowl, as each point pulls in its own direction. Pure lazy learning walks straight to the last
# edge: so few points are still misclassified that all steps have one direction. Lazy learning lies
# between.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the last steps"}


def end(path):
    """Return the last tenth of the part of ``path`` in which the weights still move."""
    moving = path[np.r_[True, (np.diff(path, axis=0) != 0).any(axis=1)]]
    return moving[-max(2, len(moving) // 10) :]


panels = []
for rule in RULES:
    last = end(paths[1, rule, scale.seeds[0]])
    figure, axes = plotting.subplots(figsize=(2.61, 2.9))
    axes.plot(*last.T, color=plotting.RULES[rule], lw=1)
    axes.plot(*last[-1], "o", color=plotting.RULES[rule], ms=6)
    axes.set_title(
        f"{plotting.NAMES[rule]}\ntortuosity {analysis.tortuosity(last):.3g}"
    )
    axes.set(xlabel="$w_1$", ylabel="$w_2$")
    # lines across do not widen the panel
    axes.set(xlim=axes.get_xlim(), ylim=axes.get_ylim())
    for edge in edges:
        axes.axline((0, 0), direction(edge), color=plotting.INK, lw=0.6, alpha=0.5)
    axes.grid(False)
    axes.locator_params(nbins=3)
    axes.ticklabel_format(useOffset=False)
    panels.append(figure)
plotting.show(
    *panels,
    name="fig-two-clouds-end",
    caption="The last tenth of the updates of each rule from initial condition 1, in "
    "one run, each panel at its own scale. The dot is the end, a thin grey line the "
    "edge of a terrace. Tortuosity is the length of the path divided by its net "
    "displacement, 1 for a straight one. (Paper: Fig. 1c.)",
    alt="Three magnified paths: backprop's is a tangle, lazy learning's a zigzag, pure "
    "lazy learning's a straight line that ends at the edge of a terrace.",
    notebook=NAME,
)

# %% [markdown]
# ## What it costs
#
# The {term}`energy` $M$ is the length of the path, measured along the axes: the sum of the sizes of
# all changes. A path that wanders is expensive even if it leads nowhere. Pure lazy learning is the
# cheapest, since it stops. How much lazy learning saves depends on where it starts. From condition
# 2 it saves nothing, as it remembers every point.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the energy figure"}
figure, axes = plotting.subplots(figsize=(5.4, 3.1))
for offset, rule in zip((-0.27, 0, 0.27), RULES, strict=True):
    for place, start in enumerate(INITIAL):
        spent = [runs[start, rule, seed].final["energy_m1"] for seed in scale.seeds]
        name = plotting.NAMES[rule] if place == 0 else None
        color = plotting.RULES[rule]
        axes.bar(place + offset, np.mean(spent), width=0.25, label=name, color=color)
        look = {"color": plotting.INK, "ms": 7, "alpha": 0.8}
        axes.plot(np.full(len(spent), place + offset), spent, "_", **look)
axes.set_xticks(range(3), [f"condition {i}" for i in INITIAL])
axes.set(ylabel="energy $M$")
axes.margins(y=0.22)
axes.legend(ncols=3, loc="upper center")
axes.grid(axis="x", visible=False)
plotting.show(
    figure,
    name="fig-two-clouds-energy",
    caption=f"Energy spent in {scale.epochs} epochs from each initial condition; that "
    "of backprop grows with their number. Bars are means over seeds, dashes single "
    f"runs, each with its own order of the points; {N_SEEDS}. (Paper: Fig. 1e.)",
    alt="Bars of energy for three initial conditions and three rules. Pure lazy "
    "learning spends least and backprop most; from condition 2 lazy learning and "
    "backprop spend the same.",
    notebook=NAME,
)

# %% [markdown]
# ## Which points it is spent on
#
# Backprop spends energy on all points. Pure lazy learning spends it on a few points at the edge
# of a cloud, those that its boundary has to cross. Only these matter for where it ends, much
# like the support vectors of a support vector machine. Lazy learning is in between: it learns the
# points that lay on the wrong side of the boundary as it turned.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the points"}
panels = []
for rule in RULES:
    spent = runs[1, rule, scale.seeds[0]].arrays["sample_energy"]
    figure, axes = plotting.subplots(figsize=(2.61, 2.75))
    boundary(axes, rule)
    for label, marker in SHAPES.items():
        here = labels == label
        look = {"s": 30, "marker": marker, "ec": plotting.INK, "lw": 0.4}
        axes.scatter(*x[here].T, c="none", alpha=0.6, **look)
        color, fill = plotting.RULES[rule], np.sqrt(spent[here] / spent.max())
        axes.scatter(*x[here].T, c=color, alpha=fill, **look | {"lw": 0})
    number = energy.effective_number(spent)
    axes.set_title(f"{plotting.NAMES[rule]}\n{number:.0f} effective points")
    axes.set(
        xlabel="$x_1$", ylabel="$x_2$", xlim=(-1.9, 1.9), ylim=(0.3, 3), aspect="equal"
    )
    axes.grid(False)
    panels.append(figure)
plotting.show(
    *panels,
    name="fig-two-clouds-sample-energy",
    caption="Energy spent on each training point from initial condition 1, in one run: "
    "the fuller the colour, the more; its strength is the square root of the energy, "
    "on each panel's own scale. The lines are the boundaries at the end. The effective "
    "number of points is the inverse Simpson index: as many points with equal shares "
    "would be just as concentrated. (Paper: Fig. 1f.)",
    alt="The two clouds three times, coloured by the energy spent on each point: all "
    "points for backprop, those on one side of the right cloud for lazy learning, and "
    "very few for pure lazy.",
    notebook=NAME,
)

# %% [markdown]
# ## The claims
#
# Measured for every initial condition and order of the points. The paper shows the last steps and
# the energy of each point from condition 1 only. Condition 2 is another matter: there lazy learning
# takes backprop's path, and pure lazy learning stops near the hub of the fan, where all terraces
# meet. The criteria are the same for all conditions; the table says where they are not met.

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: the claims"}
found = notebook.Findings(settings, NAME, "LL1", "LL2", "LL3", "LL4")
SAMPLES = "effective number of samples of pure lazy / of backprop"
for start, seed in product(INITIAL, scale.seeds):
    of_rule = {rule: runs[start, rule, seed] for rule in RULES}
    spent = {rule: run.final["energy_m1"] for rule, run in of_rule.items()}
    wind = {rule: analysis.tortuosity(end(paths[start, rule, seed])) for rule in RULES}
    number = {
        rule: energy.effective_number(run.arrays["sample_energy"])
        for rule, run in of_rule.items()
    }
    for claim, measure, value in (
        ("LL1", "M(pure lazy) / M(lazy)", spent[PURE] / spent[LAZY]),
        ("LL1", "M(lazy) / M(backprop)", spent[LAZY] / spent[BACKPROP]),
        ("LL3", "tortuosity of backprop / of lazy", wind[BACKPROP] / wind[LAZY]),
        ("LL3", "tortuosity of lazy / of pure lazy", wind[LAZY] / wind[PURE]),
        ("LL3", "tortuosity of pure lazy", wind[PURE]),
        ("LL4", SAMPLES, number[PURE] / number[BACKPROP]),
    ):
        found.add(claim, measure, f"condition {start}", value, seed)
for seed in scale.seeds:
    away = analysis.departure(paths[2, LAZY, seed], paths[2, BACKPROP, seed])
    measure = "largest distance / extent of backprop's path"
    found.add("LL2", measure, "condition 2", away, seed)
found.verdicts([result])


# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: the answer"}
def saved(rule, *starts, form=".2g"):
    """Return the range of energies of backprop / of ``rule``."""
    spent = {key: run.final["energy_m1"] for key, run in runs.items()}
    keys = product(starts, scale.seeds)
    ratios = {(s, n): spent[s, BACKPROP, n] / spent[s, rule, n] for s, n in keys}
    return span(analysis.over_seeds(ratios), form)


found.answer(
    "Backprop goes to the minimum of the loss and wanders there; pure lazy learning "
    "stops where the last point is classified correctly. From conditions 1 and 3 pure "
    f"lazy learning spends **{saved(PURE, 1, 3)} times less energy** than backprop, "
    f"lazy learning {saved(LAZY, 1, 3)} times less. From condition 2, where nearly "
    "every point is misclassified at first, it saves "
    f"nothing: backprop's energy is {saved(LAZY, 2, form='.2f')} times its own."
)

# %% [markdown]
# ## Your turn
#
# **1.** From condition 1, when has each rule spent half of what it spends in the end? Guess before
# you unfold: which of them has spent most of it early, and which spends evenly?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 1: half of the energy"}
# NBVAL_CHECK_OUTPUT
for rule in RULES:
    spent = runs[1, rule, scale.seeds[0]].table.set_index("epoch")["energy_m1"]
    epoch = (spent >= spent.iloc[-1] / 2).idxmax()
    print(f"{plotting.NAMES[rule]}: after epoch {epoch:g} of {scale.epochs}")

# %% [markdown]
# **2.** Lazy learning saves much from condition 1 and nothing from condition 2. How many of the
# points are in its memory at the end, from each of the three conditions?

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Solution 2: what is memorized"}
# NBVAL_CHECK_OUTPUT
for start in INITIAL:
    memorized = runs[start, LAZY, scale.seeds[0]].final["memorized"]
    print(f"condition {start}: {memorized} of {len(x)} points")

# %% [markdown]
# Next: {doc}`Does what saves with two weights save with a hundred thousand? <fig2_mnist>`

# %% tags=["hide-cell"] mystnb={"code_prompt_show": "Code: outcomes in numbers"}
# NBVAL_CHECK_OUTPUT
found.print_outcomes([result])

# %% tags=["hide-input"] mystnb={"code_prompt_show": "Code: how this page was made"}
notebook.provenance(settings, [result])
