"""One look for all figures, right on a light and on a dark page.

A figure is shown as an inline SVG whose text and lines take the page's own colour, so one figure
serves both modes. Rules have one colour throughout the book; the shade tells the network's size.
A page is 8.1 inches wide; panels of a half or a third of that stand side by side there and below
one another on a phone, at full size.

The look is the figures' own: what readers have set for their plots does not change these, and
these do not change what readers set. A notebook draws on axes from `subplots`; a script draws
within `style`.
"""

import html
import io
import json
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from string import ascii_lowercase
from typing import Any

import matplotlib.style
import numpy as np
import pandas as pd
from IPython import get_ipython
from IPython.display import HTML, Image, display
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.ticker import FixedLocator, LogFormatterSciNotation, LogLocator, NullFormatter
from myst_nb import glue
from scipy import stats

from lazybook.book import analysis
from lazybook.book.series import Series
from lazybook.runs import Run

# Plain backprop is blue everywhere, whatever it is compared with. The colours were searched for:
# each has a contrast of 3:1 on a light page and on a dark one. That leaves little room for
# lightness; those of one figure lie as far apart as it allows, for the colour-blind too.
RULES = {
    "every-sample": "#2b62cc",
    "memorized-mistakes": "#df4600",
    "mistakes": "#009070",
    "margin": "#b065d8",
    "all": "#2b62cc",
    "synapse-mask": "#7c7b00",
    "neuron-mask": "#2f94f5",
    "subnet": "#f04fae",
    "largest-per-layer": "#c9830c",
    "largest-per-neuron": "#ae4245",
    "subnet & largest-per-layer": "#a536a5",
    "synaptic-caching": "#676767",
    "subnet & synaptic-caching": "#189a8e",
}
LUMINANCE = np.array([0.2126, 0.7152, 0.0722])  # of linear red, green and blue
PALE = 0.285  # luminance of the smallest networks' tints; above 0.3 they would be faint on white
NAMES = {
    "every-sample": "backprop",
    "memorized-mistakes": "lazy",
    "mistakes": "pure lazy",
    "margin": "margin",
    "all": "all synapses",
    "synapse-mask": "synapse mask",
    "neuron-mask": "neuron mask",
    "subnet": "subnet",
    "largest-per-layer": "largest updates per layer",
    "largest-per-neuron": "largest updates per neuron",
    "subnet & largest-per-layer": "largest updates in a subnet",
    "synaptic-caching": "synaptic caching",
    "subnet & synaptic-caching": "caching in a subnet",
}
MARKERS = {
    "all": "o",
    "synapse-mask": "s",
    "neuron-mask": "D",
    "subnet": "^",
    "largest-per-layer": "p",
    "largest-per-neuron": "*",
    "subnet & largest-per-layer": "h",
    "synaptic-caching": "P",
    "subnet & synaptic-caching": "X",
}
ACCURACIES = (60, 70, 80, 85, 90, 93, 95, 96, 97, 98, 98.5, 99, 99.5)  # ticks, in percent
INK = "#010203"  # stands for the page's text colour, see `svg`

STYLE = {
    "figure.constrained_layout.use": True,
    "figure.facecolor": "none",
    "savefig.facecolor": "none",
    "axes.facecolor": "none",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlelocation": "left",
    "axes.titlesize": "medium",
    "axes.grid": True,
    "grid.color": "#808080",
    "grid.alpha": 0.2,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "lines.linewidth": 1.8,
    "legend.frameon": False,
    "font.size": 10,
    "svg.fonttype": "path",
    "svg.hashsalt": "lazybook",
}
_until_the_cell_ends = ExitStack()


def style() -> AbstractContextManager[None]:
    """Within this, Matplotlib's settings are its own defaults and `STYLE`, whatever they were."""
    return matplotlib.style.context(["default", STYLE])


def subplots(
    rows: int = 1, columns: int = 1, *, figsize: tuple[float, float], **options: Any
) -> tuple[Figure, Any]:
    """Return a figure of ``figsize`` inches and its axes, as `matplotlib.pyplot.subplots` does.

    There are ``rows`` times ``columns`` of axes. In a notebook the settings are those of `style`
    from here to the end of the cell, in which the figure is to be drawn. ``options`` are those of
    `Figure.subplots`.
    """
    shell = get_ipython()
    if shell and matplotlib.rcParams["svg.hashsalt"] != STYLE["svg.hashsalt"]:
        shell.events.register("post_execute", _leave)
        _until_the_cell_ends.enter_context(style())
    with style():
        figure = Figure(figsize)
        return figure, figure.subplots(rows, columns, **options)


def _leave() -> None:
    """Give the reader's settings back; IPython calls this when a cell ends, after an error too."""
    get_ipython().events.unregister("post_execute", _leave)
    _until_the_cell_ends.close()


def shade(rule: str, size: int, sizes: Sequence[int]) -> tuple[float, float, float]:
    """Return the colour of ``rule`` for networks of ``size``: the larger, the deeper.

    The smallest of ``sizes`` gets a pale tint, the largest the rule's own colour.
    """
    encoded = np.array(to_rgb(RULES[rule]))
    own = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    rank = _rank(size, sizes)
    luminance = rank * LUMINANCE @ own + (1 - rank) * PALE
    share = 0.6 + 0.4 * rank  # of the rule's colour; what is left is grey
    tint = share * (own - LUMINANCE @ own) + luminance
    return tuple(np.where(tint <= 0.0031308, 12.92 * tint, 1.055 * tint ** (1 / 2.4) - 0.055))


def width(size: int, sizes: Sequence[int]) -> float:
    """Return the width of a line for networks of ``size``, in points: the larger, the thicker."""
    return 1.2 + 1.2 * _rank(size, sizes)


def _rank(size: int, sizes: Sequence[int]) -> float:
    """Return 0 for the smallest and 1 for the largest of several ``sizes``, 1 for the only one."""
    return sorted(sizes).index(size) / (len(sizes) - 1) if len(sizes) > 1 else 1.0


def against_accuracy(axes: Axes, runs: Iterable[Run], column: str) -> None:
    """Draw ``column`` of the runs' tables when a test accuracy was first reached, with a legend.

    On ``axes``, one line for each rule and size of the hidden layer: the mean over seeds, in a band
    from the least to the largest. The axis of the accuracy is logarithmic in the share of errors.
    """
    groups: dict[tuple[str, int], list[Run]] = {}
    for run in runs:
        groups.setdefault((str(run.experiment.gate), run.experiment.hidden), []).append(run)
    rules = list(dict.fromkeys(rule for rule, _ in groups))
    sizes = sorted({size for _, size in groups})
    for (rule, size), group in groups.items():
        measured = [run.table["test_accuracy"].iloc[1:] for run in group]  # not the untrained
        reached = np.linspace(max(m.iloc[0] for m in measured), min(m.max() for m in measured), 300)
        values = np.array([analysis.when_reached(run, reached, column) for run in group])
        ends = {"mean": values.mean(axis=0), "low": values.min(axis=0), "high": values.max(axis=0)}
        draw_band(axes, pd.DataFrame(ends, 100 * reached), rule, size, sizes)
    stretch(axes, "x")
    axes.set(xlabel="test accuracy reached (%)", yscale="log")
    low, high = axes.dataLim.intervalx
    axes.set_xlim(max(low, 80), 100 - 0.93 * (100 - high))
    axes.legend(handles=key(rules, sizes), ncols=len(rules), loc="upper left", fontsize="small")


def draw_band(axes: Axes, band: pd.DataFrame, rule: str, size: int, sizes: Sequence[int]) -> None:
    """Draw what networks of one of several ``sizes`` did: a band of `lazybook.book.analysis.band`.

    On ``axes``, a line for the mean over the seeds, in a band from the least to the largest; in the
    colour of the ``rule``.
    """
    look = {"color": shade(rule, size, sizes)}
    axes.plot(band.index, band["mean"], **look, lw=width(size, sizes))
    axes.fill_between(band.index, band["low"], band["high"], **look, alpha=0.25, lw=0)


def stretch(axes: Axes, name: str, ticks: Sequence[float] = ACCURACIES) -> None:
    """Make the axis ``name``, x or y, one for accuracies in percent: logarithmic in the errors.

    That is one of ``axes``; it gets ``ticks``, in percent.
    """
    functions = (_stretch, lambda stretched: 100 - 10**-stretched)
    getattr(axes, f"set_{name}scale")("function", functions=functions)
    axis = getattr(axes, f"{name}axis")
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter("{x:g}")


def logarithmic(axis: Axis, multiples: Sequence[int] = (1,), text: str | None = None) -> None:
    """Make an axis logarithmic, with ticks at these multiples of the powers of ten.

    The numbers are spelled as the format ``text`` says, such as ``"{x:,g}"``, or as powers of ten.
    """
    getattr(axis.axes, f"set_{axis.axis_name}scale")("log")
    powers = LogFormatterSciNotation(labelOnlyBase=False, minor_thresholds=(np.inf, np.inf))
    axis.set_major_locator(LogLocator(subs=multiples))
    axis.set_major_formatter(text or powers)
    axis.set_minor_formatter(NullFormatter())


def over_seeds(axes: Axes, table: pd.DataFrame, x: str, y: str, rule: str, **look) -> None:
    """Draw a table's ``y`` against ``x``: the mean over seeds, in a band from least to largest.

    ``rule`` gives colour, marker and name; ``look`` overrides them as for `Axes.plot`. Where any
    value is missing, as for a seed that did not reach its goal, nothing is drawn.
    """
    grouped = table.groupby(x)[y]
    mean = grouped.mean().where(~grouped.apply(lambda values: values.isna().any()))
    given = {"color": RULES.get(rule), "marker": MARKERS.get(rule), "label": NAMES.get(rule, rule)}
    look = given | {"markersize": 4} | look
    axes.plot(mean.index, mean, **look)
    low, high = grouped.min().where(mean.notna()), grouped.max().where(mean.notna())
    axes.fill_between(mean.index, low, high, color=look["color"], alpha=0.25, lw=0)


def digits(axes: Axes, images: np.ndarray, framed: tuple[int, int] | None = None) -> None:
    """Draw rows of digits, uint8 ``(rows, columns, 784)``, one of them ``framed`` if it is given.

    These are the ``images``. What is at (row, column) stands at y = row, x = column, where the axes
    can get ticks.
    """
    rows, columns, _ = images.shape
    pictures = np.pad(
        images.reshape(rows, columns, 28, 28).astype(np.float32),
        ((0, 0), (0, 0), (1, 1), (1, 1)),
        constant_values=np.nan,  # lets the page show through between them
    )
    axes.imshow(
        pictures.swapaxes(1, 2).reshape(rows * 30, columns * 30),
        cmap="gray",
        extent=(-0.5, columns - 0.5, rows - 0.5, -0.5),
        interpolation="none",
    )
    if framed:
        corner = (framed[1] - 0.5, framed[0] - 0.5)
        axes.add_patch(
            Rectangle(corner, 1, 1, fill=False, lw=3, ec=RULES["memorized-mistakes"], clip_on=False)
        )
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)


def _stretch(percent: np.ndarray) -> np.ndarray:
    return -np.log10(np.clip(100 - percent, 1e-3, None))


def key(rules: Sequence[str], sizes: Sequence[int]) -> list[Line2D]:
    """Return what a legend shows: a column for each rule, a line in it for each size.

    Of more than five sizes the smallest and the largest stand for all.
    """
    handles = []
    for rule in rules:
        handles.append(Line2D([], [], linestyle="none", label=NAMES[rule]))
        for size in sizes if len(sizes) <= 5 else (min(sizes), max(sizes)):
            look = {"color": shade(rule, size, sizes), "lw": width(size, sizes)}
            handles.append(Line2D([], [], **look, label=f"H = {size}"))
    return handles


def svg(figure: Figure) -> str:
    """Return ``figure`` as the text of an SVG element that takes the page's text colour."""
    text = io.StringIO()
    with style():
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    drawing = text.getvalue()
    drawing = drawing[drawing.index("<svg") :].replace(INK, "currentColor")
    return re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)


def show(
    *figures: Figure, name: str, caption: str, alt: str, notebook: str, lead: bool = False
) -> None:
    """Show panels with one caption, as the element ``name`` of the page.

    Several panels get letters, a, b, c, … by which the caption calls them: on a phone they stand
    below one another. What is drawn goes with it as numbers, for the page's script: see
    `lazybook.book.series`. A caption has them in brackets, "(a) Time and (b) energy" or "energies
    (a, b)", which are set in bold here.

    Parameters
    ----------
    figures: the panels; as many stand side by side as the page is wide.
    name: the figure's address on the page, ``fig-…``.
    caption: what is seen, as HTML.
    alt: what is seen, for those who do not see it.
    notebook: where the figure is made, such as ``lazy_learning/fig2_mnist``; the caption links to
        the executed notebook.
    lead: it is the page's main figure, which the page shows where it begins, by the directive
        ``{glue:} lead``; the cell that makes it has the tag ``remove-output``. It is kept as a
        picture too, for the card that other sites show of the page.
    """
    panels, numbers = [], []
    for number, figure in enumerate(figures):
        series = Series(figure)
        # Several drawings share a page: make the names inside each its own.
        drawing = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-{number}-", svg(figure))
        numbers.append(series.numbers())
        letter = f'<b class="letter">{ascii_lowercase[number]}</b>' if len(figures) > 1 else ""
        panels.append(f'<div class="panel">{letter}{drawing}</div>')
    data = json.dumps(numbers, separators=(",", ":")).replace("</", "<\\/")
    caption = re.sub(r"\(([a-f](?:, [a-f])*)\)", r"(<b>\1</b>)", caption)
    source = f"{'../' * (notebook.count('/') + 1)}_sources/executed/{notebook}.ipynb"
    shown = HTML(
        f'<figure id="{name}" class="lazybook-figure" data-notebook="{notebook}">'
        f'<div class="panels" role="img" aria-label="{html.escape(alt)}">'
        f"{''.join(panels)}</div>"
        f'<script type="application/json">{data}</script>'
        f'<figcaption>{caption} <a href="{source}" download>Notebook</a></figcaption></figure>'
    )
    if lead:
        glue("lead", shown)
        glue("card", Image(_png(figures[0])), display=False)
    else:
        display(shown)


def _png(figure: Figure) -> bytes:
    """Return ``figure`` as a PNG file on white, about as large as the cards of pages need it."""
    picture = io.BytesIO()
    with style():
        dots = 550 / max(figure.get_size_inches())
        figure.savefig(picture, format="png", dpi=dots, facecolor="white")
    return picture.getvalue()


INTERVALS = "Dots are means over seeds, lines their 95 % intervals, where there are several seeds."


def dots(
    table: pd.DataFrame, column: str, rows: str, colours: str, names: Mapping[str, str], **look
) -> Figure:
    """Return a panel with the means of ``column`` over seeds and their 95 % intervals.

    Parameters
    ----------
    table: a row for each run. Where a value is infinite or 0, as when a goal was missed, there is
        a gap.
    rows, colours: columns; the panel has a row for each value of the one, and in it a dot in the
        colour of each value of the other, a rule.
    names: of rows and rules, where they have others than `NAMES`.
    look: what is set of the axes, as for `Axes.set`.
    """
    names = NAMES | names
    figure, axes = subplots(figsize=(3.95, 3.9))
    order, rules = (list(dict.fromkeys(table[name])) for name in (rows, colours))
    for place, rule in enumerate(rules):
        of_rule = table[table[colours] == rule]
        groups = analysis.finite(of_rule, column).groupby(of_rule[rows], sort=False)
        means = groups.agg(lambda values: values.mean(skipna=False))
        half = stats.t.ppf(0.975, groups.count() - 1) * groups.sem()  # nan for a single seed
        places = [order.index(row) + 0.2 * (place - (len(rules) - 1) / 2) for row in means.index]
        dot = {"fmt": MARKERS.get(rule, "o"), "color": RULES[rule], "ms": 5}
        axes.errorbar(means, places, xerr=half, label=names[rule], **dot)
    labels = [textwrap.fill(names.get(row, row), 17) for row in order]
    axes.set_yticks(range(len(order)), labels, fontsize="small")
    axes.set_ylim(len(order) - 0.5, -0.5)
    axes.set(**look)
    low, high = axes.get_xlim()
    if axes.get_xscale() == "linear":
        axes.axvline(1, color="#808080", lw=1)
    elif high < 100 * low:
        logarithmic(axes.xaxis, [1, 2, 5] if high < 30 * low else [1, 3], "{x:,g}")
    legend = {"ncols": len(rules), "columnspacing": 1, "fontsize": "small"}
    figure.legend(*axes.get_legend_handles_labels(), loc="outside upper left", **legend)
    return figure
