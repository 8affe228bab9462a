"""How measured times are shown: curves of the learners, and tables of numbers."""

from collections.abc import Iterable, Sequence

from IPython.display import HTML
from matplotlib.axes import Axes

from lazybook.benchmarks import cases
from lazybook.benchmarks.cases import Case, Result
from lazybook.book import claims

LOOKS = {"eager": ":", "NumPy": "--", "JAX": "-.", "numba": "-"}
TITLES = {
    "eager": "PyTorch, eager",
    "NumPy": "NumPy",
    "JAX": "JAX, lax.scan",
    "numba": "here",
}


def curves(axes: Axes, places: Sequence[float], results: Sequence[Result], colour: str) -> None:
    """Draw the time of each learner over the ``places`` on the x axis, one for each result.

    Lines are medians over the rounds, bands go from the lowest to the highest.
    """
    for name, look in LOOKS.items():
        if name in results[0].microseconds:
            spreads = [result.microseconds[name] for result in results]
            medians = [spread.median for spread in spreads]
            width = 2.6 if name == "numba" else 1.6
            axes.plot(places, medians, look, color=colour, label=TITLES[name], lw=width)
            lows, highs = ([getattr(s, end) for s in spreads] for end in ("low", "high"))
            axes.fill_between(places, lows, highs, color=colour, alpha=0.15, lw=0)
    axes.set(yscale="log", ylabel="time (µs a sample)")


def table(label: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> HTML:
    """Return a table of numbers, but for the first column; cells may be HTML.

    ``label`` says what is in it, for those who do not see it.
    """
    right = ' class="number"'
    lines = "".join(
        f'<tr><th scope="row">{first}</th>'
        f"{''.join(f'<td{right}>{cell}</td>' for cell in others)}</tr>"
        for first, *others in rows
    )
    top = "".join(f'<th scope="col"{right if n else ""}>{cell}</th>' for n, cell in enumerate(head))
    drawn = f'<table class="provenance"><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table>'
    return HTML(claims.scrolling(drawn, label))


def ours(case: Case, rounds: int) -> float:
    """Return the microseconds that a sample takes here, the median over ``rounds``."""
    [result] = cases.compare([case], rounds, names=["numba"])
    return result.microseconds["numba"].median
