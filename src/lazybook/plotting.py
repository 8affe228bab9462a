"""One look for all figures, right on a light and on a dark page.

A figure is shown as an inline SVG whose text and lines take the page's own colour, so one figure
serves both modes. Rules have one colour throughout the book; the shade tells the network's size.
"""

import html
import io
import re
from collections.abc import Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from IPython.display import HTML, display
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

# Okabe & Ito's colours, which the colour-blind can tell apart; mid tones for light and dark pages.
RULES = {
    "every-sample": "#0072b2",
    "memorized-mistakes": "#e08214",
    "mistakes": "#009e73",
}
NAMES = {
    "every-sample": "backprop",
    "memorized-mistakes": "lazy",
    "mistakes": "pure lazy",
}
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
mpl.use("agg")
mpl.rcParams.update(STYLE)


def shade(rule: str, size: int, sizes: Sequence[int]) -> tuple[float, float, float]:
    """Return the colour of ``rule`` for networks of ``size``: the larger, the deeper.

    The lightest of ``sizes`` is mixed half with grey, so that all are seen on light and dark.
    """
    ordered = sorted(sizes)
    depth = 1.0 if len(ordered) == 1 else 0.35 + 0.65 * ordered.index(size) / (len(ordered) - 1)
    grey = np.array([0.72, 0.72, 0.72])
    return tuple(depth * np.array(to_rgb(RULES[rule])) + (1 - depth) * grey)


def svg(figure: Figure) -> str:
    """Return ``figure`` as the text of an SVG element that takes the page's text colour."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    drawing = text.getvalue()
    drawing = drawing[drawing.index("<svg") :].replace(INK, "currentColor")
    return re.sub(r"<metadata>.*?</metadata>", "", drawing, flags=re.DOTALL)


def show(figure: Figure, name: str, caption: str, alt: str, notebook: str) -> None:
    """Show ``figure`` with its caption, as the element ``name`` of the page, and close it.

    Parameters
    ----------
    name: the figure's address on the page, ``fig-…``.
    caption: what is seen, as HTML.
    alt: what is seen, for those who do not see it.
    notebook: where the figure is made, such as ``lazy_learning/fig2_mnist``; the caption links to
        the executed notebook.
    """
    described = f'<svg role="img" aria-label="{html.escape(alt)}" '
    drawing = svg(figure).replace("<svg ", described, 1)
    # Several drawings share a page: make the names inside each its own.
    drawing = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", drawing)
    source = f"{'../' * (notebook.count('/') + 1)}_sources/executed/{notebook}.ipynb"
    plt.close(figure)
    display(
        HTML(
            f'<figure id="{name}" class="lazybook-figure">{drawing}<figcaption>{caption}'
            f' <a href="{source}" download>Notebook</a></figcaption></figure>'
        )
    )
