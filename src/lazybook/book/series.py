"""What is drawn in a figure, as numbers: a page can tell a value then, or hand out all of them."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.collections import FillBetweenPolyCollection, PathCollection
from matplotlib.colors import to_hex
from matplotlib.container import BarContainer, Container, ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

SIGNS = {r"\times": "×", r"\alpha": "α", r"\sqrt": "√", r"\Delta": "Δ"}  # in formulas
POINTS = 72  # to the inch, in an SVG
VALUES = ("x", "y", "low", "high")
MOST = 80  # points of a series that are told; a curve with more of them has them at equal distances


class Series:
    """The lines and dots of one figure; their elements in the drawing get names.

    Make it before the figure is drawn, as that is when names get into the drawing, and ask for its
    `numbers` afterwards, as places are found by drawing. Lines across a whole panel, images and
    lines without any points are left out.
    """

    def __init__(self, figure: Figure) -> None:
        self.figure = figure
        self.found: list[dict[str, Any]] = []
        self.keys: list[dict[str, Any]] = []
        for number, axes in enumerate(figure.axes):
            for artists, values in _drawn(axes):
                name = f"series-{len(self.found)}"
                for part, artist in enumerate(artists):
                    artist.set_gid(f"{name}-{part}")
                of = {"id": name, "parts": len(artists), "axes": number, "look": _look(artists[0])}
                self.found.append(of | values)
        for legend in _legends(figure):
            self._read_key(legend)

    def _read_key(self, legend: Legend) -> None:
        """Give series the names that they have in a legend, and its entries their series."""
        heading = ""
        for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=True):
            look = _look(handle)
            if look == ("", "", ""):  # a column's heading, which shows no line
                heading = f"{_plain(text.get_text())}, "
                continue
            alike = [series for series in self.found if _is_alike(look, series["look"])]
            if not alike:
                continue
            name = f"key-{len(self.keys)}"
            handle.set_gid(name)
            text.set_gid(f"{name}-text")
            self.keys.append({"id": name, "series": [series["id"] for series in alike]})
            for series in alike:
                series["name"] = series["name"] or heading + _plain(text.get_text())

    def numbers(self) -> dict[str, Any]:
        """Return it all as JSON values; places are those of the SVG, in points from its top left.

        Each of the ``axes`` has labels, its box and the names of ticks that are words. A series has
        the values ``x`` and ``y``, for a band or interval ``low`` and ``high``, ``of`` y or of x,
        and the places ``px`` and ``py``; its elements are called ``ID-0``, ``ID-1``, …
        """
        return {
            "axes": [self._axes(axes) for axes in self.figure.axes],
            "series": [self._series(dict(series)) for series in self.found],
            "keys": self.keys,
        }

    def _axes(self, axes: Axes) -> dict[str, Any]:
        x, y = self._place(axes.transAxes, [0.0, 1.0], [0.0, 1.0])
        words = {"x": _words(axes.xaxis), "y": _words(axes.yaxis)}
        labels = {"x": _plain(axes.get_xlabel()), "y": _plain(axes.get_ylabel())}
        return labels | {"box": [x[0], y[1], x[1], y[0]], "words": words}

    def _series(self, series: dict[str, Any]) -> dict[str, Any]:
        del series["look"]
        axes = self.figure.axes[series["axes"]]
        number = len(series["x"])
        some = np.unique(np.linspace(0, number - 1, min(number, MOST)).round().astype(int))
        for name in VALUES:
            if name in series:
                series[name] = series[name][some]
        series["px"], series["py"] = self._place(axes.transData, series["x"], series["y"])
        for name in VALUES:
            if name in series:
                series[name] = [_rounded(value) for value in series[name]]
        return series

    def _place(self, transform, x, y) -> tuple[list[float | None], list[float | None]]:
        to_figure = transform + self.figure.transFigure.inverted()
        with np.errstate(all="ignore"):  # where a logarithmic axis has no place
            placed = to_figure.transform(np.column_stack([x, y]))
        width, height = POINTS * self.figure.get_size_inches()
        left, top = placed[:, 0] * width, (1 - placed[:, 1]) * height
        return tuple(
            [round(float(v), 1) if np.isfinite(v) else None for v in values]
            for values in (left, top)
        )


def _drawn(axes: Axes) -> Iterator[tuple[list[Artist], dict[str, Any]]]:
    """Yield the artists that show values, with what they show."""
    with_errors = {
        container.lines[0]: container
        for container in axes.containers
        if isinstance(container, ErrorbarContainer) and container.lines[0]
    }
    bands = [band for band in axes.collections if isinstance(band, FillBetweenPolyCollection)]
    for line in axes.lines:
        if not all(line.get_transform().contains_branch_seperately(axes.transData)):
            continue
        x, y = (np.asarray(values, float) for values in line.get_data(orig=False))
        if not np.isfinite(x + y).any():
            continue
        artists, values = [line], {"name": _name(line), "x": x, "y": y}
        if container := with_errors.get(line):
            artists += [*container.lines[1], *container.lines[2]]
            values |= {"name": _name(container)} | _intervals(container)
        elif band := next((band for band in bands if _is_of(band, line, x)), None):
            bands.remove(band)
            artists.append(band)
            values |= _limits(band, x)
        yield artists, values
    for dots in axes.collections:
        if isinstance(dots, PathCollection) and len(dots.get_offsets()):
            x, y = np.asarray(np.ma.filled(dots.get_offsets(), np.nan), float).T
            yield [dots], {"name": _name(dots), "x": x, "y": y}
    for bars in axes.containers:
        if isinstance(bars, BarContainer):
            yield list(bars), {"name": _name(bars)} | _bars(bars)


def _intervals(container: ErrorbarContainer) -> dict[str, Any]:
    """Return the ends of the bars of errors, those along the axis along which there are any.

    A point without a bar, as there is for a single seed, has nan.
    """
    along = 0 if container.has_xerr else 1
    bars = container.lines[2][0].get_segments()  # in the order of the points
    ends = np.array([bar[:, along] if len(bar) else (np.nan, np.nan) for bar in bars]).T
    return {"of": "xy"[along], "low": ends[0], "high": ends[1]}


def _limits(band: FillBetweenPolyCollection, x: np.ndarray) -> dict[str, Any]:
    """Return the lower and upper edge of a band at the places ``x``, nan where it has a gap."""
    edges: dict[float, list[float]] = {}
    for path in band.get_paths():
        for place, value in path.vertices:
            edges.setdefault(place, []).append(value)
    both = [(min(edges[at]), max(edges[at])) if at in edges else (np.nan,) * 2 for at in x]
    low, high = np.array(both).T
    return {"of": "y", "low": low, "high": high}


def _is_of(band: FillBetweenPolyCollection, line: Line2D, x: np.ndarray) -> bool:
    """Whether a band is the one around this line: of its colour, and at its places."""
    colours = band.get_facecolor()
    if not len(colours) or to_hex(colours[0]) != to_hex(line.get_color()):
        return False
    places = {place for path in band.get_paths() for place in path.vertices[:, 0]}
    return places <= set(x) and bool(places)


def _bars(bars: BarContainer) -> dict[str, Any]:
    """Return where bars stand, and what they reach."""
    boxes = [bar.get_bbox() for bar in bars]
    if bars.orientation == "horizontal":
        return {
            "x": np.array([box.x1 for box in boxes]),
            "y": np.array([(box.y0 + box.y1) / 2 for box in boxes]),
        }
    return {
        "x": np.array([(box.x0 + box.x1) / 2 for box in boxes]),
        "y": np.array([box.y1 for box in boxes]),
    }


def _look(artist: Artist) -> tuple[str, str, str]:
    """Return colour, line style and marker; nothing for what is not seen."""
    if isinstance(artist, Line2D):
        line, marker = str(artist.get_linestyle()), str(artist.get_marker())
        line = "" if line == "None" else line
        marker = "" if marker == "None" else marker
        return (to_hex(artist.get_color()), line, marker) if line or marker else ("", "", "")
    for colours in (artist.get_facecolor(), artist.get_edgecolor()):
        if len(colours):
            return to_hex(np.atleast_2d(colours)[0]), "", ""
    return "", "", ""


def _is_alike(entry: tuple[str, str, str], series: tuple[str, str, str]) -> bool:
    """Whether a legend's entry stands for a series: it may show less of the look."""
    return entry[0] == series[0] and all(
        not shown or not own or shown == own for shown, own in zip(entry, series, strict=True)
    )


def _legends(figure: Figure) -> list[Legend]:
    own = [axes.get_legend() for axes in figure.axes]
    return [legend for legend in (*own, *figure.legends) if legend]


def _name(artist: Artist | Container) -> str:
    label = str(artist.get_label() or "")
    return "" if label.startswith("_") else _plain(label)


def _plain(label: str) -> str:
    """Return a label without the marks of its formulas, on one line."""
    for written, sign in SIGNS.items():
        label = label.replace(written, sign)
    return " ".join(re.sub(r"[$\\{}_]", "", label).split())


def _words(axis: Axis) -> list[tuple[float, str]]:
    """Return the ticks of an axis whose labels are words, with their places."""
    labels = [label.get_text().replace("\n", " ") for label in axis.get_ticklabels()]
    if not any(word.isalpha() for label in labels for word in label.split()):
        return []
    return [(float(at), label) for at, label in zip(axis.get_ticklocs(), labels, strict=False)]


def _rounded(value: float) -> float | None:
    return float(f"{value:.6g}") if np.isfinite(value) else None
