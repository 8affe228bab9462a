"""Figures show the means of all seeds, in colours that all can see, and in a look of their own."""

import subprocess
import sys
from itertools import combinations
from types import SimpleNamespace

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from IPython.core.events import EventManager, available_events
from matplotlib.colors import to_rgb

from lazybook.book import plotting
from lazybook.book.figures import ROOT

PAGES = {"light": "#ffffff", "dark": "#14181e"}

# What a reader may have set for plots of their own. Some of it is read when a line is made, some
# when it is drawn or saved.
READERS = {
    "axes.labelsize": 20,
    "font.family": ["monospace"],
    "legend.fontsize": 6,
    "lines.dash_capstyle": "round",
    "lines.linewidth": 9,
    "path.simplify_threshold": 1,
    "savefig.bbox": "tight",
    "savefig.transparent": True,
    "text.usetex": True,
}

# How colours look to the colour-blind: linear RGB, after Machado, Oliveira and Fernandes (2009).
BLINDNESS = {
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


@pytest.fixture
def axes():
    with plotting.style():
        yield plotting.subplots(figsize=(4, 3))[1]


def linear(colour) -> np.ndarray:
    encoded = np.array(to_rgb(colour))
    return np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)


def contrast(one, other) -> float:
    """The contrast of two colours as WCAG defines it, from 1 to 21."""
    low, high = sorted(linear(colour) @ [0.2126, 0.7152, 0.0722] for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def lab(colour: np.ndarray) -> np.ndarray:
    """A linear colour in Oklab, where distances are as large as they look (Ottosson 2020)."""
    cones = np.cbrt(
        [
            [0.4122214708, 0.5363325363, 0.0514459929],
            [0.2119034982, 0.6806995451, 0.1073969566],
            [0.0883024619, 0.2817188376, 0.6299787005],
        ]
        @ colour.clip(0, 1)
    )
    return [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ] @ cones


def drawing() -> str:
    """A figure as the book makes them, as SVG."""
    figure, axes = plotting.subplots(figsize=(4, 3))
    axes.plot([1, 2, 3], [1, 4, 9], "--", label="a rule")
    axes.set(xlabel="x", ylabel="energy", title="A figure")
    axes.legend()
    return plotting.svg(figure)


def settings() -> dict:
    """Matplotlib's settings; its own backend is found when it is first asked for."""
    return {name: mpl.rcParams[name] for name in mpl.rcParams if name != "backend"}


def edges(axes) -> np.ndarray:
    """The corners of the one band that is drawn, sorted."""
    (band,) = axes.collections
    corners = np.concatenate([path.vertices for path in band.get_paths()])
    return np.unique(corners, axis=0)


def test_a_line_is_the_mean_over_seeds_in_a_band_from_least_to_largest(axes):
    table = pd.DataFrame(
        {"seed": [0, 0, 1, 1, 2, 2], "hidden": [10, 20] * 3, "m0": [1, 9, 2, 7, 6, 8]}
    )
    plotting.over_seeds(axes, table, "hidden", "m0", "subnet", ls="--")
    (line,) = axes.lines
    np.testing.assert_array_equal(line.get_xydata(), [[10, 3], [20, 8]])
    np.testing.assert_array_equal(edges(axes), [[10, 1], [10, 6], [20, 7], [20, 9]])
    assert line.get_color() == plotting.RULES["subnet"]
    assert line.get_marker() == plotting.MARKERS["subnet"]
    assert line.get_label() == plotting.NAMES["subnet"]
    assert line.get_linestyle() == "--"


def test_what_is_given_overrides_the_look_of_the_rule(axes):
    table = pd.DataFrame({"hidden": [10, 20], "m0": [1, 9]})
    plotting.over_seeds(axes, table, "hidden", "m0", "subnet", label="ours", marker="", color="red")
    (line,) = axes.lines
    assert (line.get_label(), line.get_marker(), line.get_color()) == ("ours", "", "red")


def test_nothing_is_drawn_where_a_seed_has_no_value(axes):
    table = pd.DataFrame(
        {
            "hidden": [10, 20, 30, 40] * 2,
            "m0": [1, 2, 3, 4, 1, np.nan, 5, 4],
            "seed": [0] * 4 + [1] * 4,
        }
    )
    plotting.over_seeds(axes, table, "hidden", "m0", "all")
    (line,) = axes.lines
    np.testing.assert_array_equal(line.get_ydata(), [1, np.nan, 4, 4])
    assert 20 not in edges(axes)[:, 0]


@pytest.mark.parametrize("name", ["x", "y"])
def test_the_axis_of_accuracies_is_logarithmic_in_the_errors(axes, name):
    plotting.stretch(axes, name)
    scale = getattr(axes, f"{name}axis").get_transform()
    places = scale.transform(np.array([0.0, 90, 99, 99.9]))
    np.testing.assert_allclose(np.diff(places), 1)
    np.testing.assert_allclose(scale.inverted().transform(places), [0, 90, 99, 99.9])
    assert np.isfinite(scale.transform(np.array([100.0]))).all()
    getattr(axes, f"set_{name}lim")(84, 98)  # the ticks beyond do not widen it
    assert getattr(axes, f"get_{name}lim")() == (84, 98)


def test_a_legend_names_every_size_or_the_smallest_and_the_largest():
    def labels(sizes):
        return [handle.get_label() for handle in plotting.key(["mistakes"], sizes)]

    assert labels([30, 100, 300]) == ["pure lazy", "H = 30", "H = 100", "H = 300"]
    assert labels(range(100, 1001, 100)) == ["pure lazy", "H = 100", "H = 1000"]
    smallest, largest = plotting.key(["mistakes"], range(100, 1001, 100))[1:]
    assert largest.get_color() == pytest.approx(to_rgb(plotting.RULES["mistakes"]))
    assert smallest.get_color() == plotting.shade("mistakes", 100, range(100, 1001, 100))


@pytest.mark.parametrize("name", ["x", "y"])
def test_a_logarithmic_axis_has_ticks_at_multiples_of_powers_of_ten(axes, name):
    axis = getattr(axes, f"{name}axis")
    plotting.logarithmic(axis, [1, 5], "{x:,g}")
    getattr(axes, f"set_{name}lim")(1, 2000)
    axes.figure.canvas.draw()
    shown = dict(zip(axis.get_ticklocs(), axis.get_ticklabels(), strict=True))
    inside = [text.get_text() for at, text in shown.items() if 1 <= at <= 2000]
    assert inside == ["1", "5", "10", "50", "100", "500", "1,000"]
    plotting.logarithmic(axis)
    axes.figure.canvas.draw()
    assert [text.get_text() for text in axis.get_ticklabels()][1:3] == [
        r"$\mathdefault{10^{0}}$",
        r"$\mathdefault{10^{1}}$",
    ]


@pytest.mark.parametrize("rule", plotting.RULES)
def test_lines_are_seen_on_light_and_dark_pages(rule):
    assert plotting.shade(rule, 3, [1, 2, 3]) == pytest.approx(to_rgb(plotting.RULES[rule]))
    for page in PAGES.values():
        for size in (1, 2, 3):
            assert contrast(plotting.shade(rule, size, [1, 2, 3]), page) >= 3


@pytest.mark.parametrize("seen", [np.eye(3), *BLINDNESS.values()], ids=["all", *BLINDNESS])
def test_the_colours_of_a_figure_can_be_told_apart(seen):
    gates = ["every-sample", "memorized-mistakes", "mistakes", "margin"]
    restrictions = [rule for rule in plotting.MARKERS if rule != "all"]
    for rules in (gates, ["all", *restrictions]):
        places = {rule: lab(seen @ linear(plotting.RULES[rule])) for rule in rules}
        for one, other in combinations(rules, 2):
            assert np.linalg.norm(places[one] - places[other]) > 0.055, (one, other)


def test_what_a_reader_has_set_does_not_get_into_a_figure():
    with plotting.style():
        plain = drawing()
    with mpl.rc_context(READERS), plotting.style():
        assert drawing() == plain


def test_a_figure_does_not_change_what_a_reader_has_set():
    with mpl.rc_context(READERS):
        before = settings()
        with plotting.style():
            drawing()
        assert settings() == before


def test_in_a_notebook_the_look_holds_to_the_end_of_the_cell(monkeypatch):
    shell = SimpleNamespace()
    shell.events = EventManager(shell, available_events)
    monkeypatch.setattr(plotting, "get_ipython", lambda: shell)
    with plotting.style():
        plain = drawing()
    with mpl.rc_context(READERS):
        before = settings()
        for _ in range(2):
            assert [drawing(), drawing()] == [plain, plain]
            shell.events.trigger("post_execute")  # as IPython does, after an error too
            assert settings() == before


def test_a_caption_calls_panels_by_bold_letters(monkeypatch):
    shown = []
    monkeypatch.setattr(plotting, "display", shown.append)
    panels = [plotting.subplots(figsize=(2, 2))[0] for _ in range(2)]
    given = {"name": "fig-x", "alt": "x", "notebook": "x"}
    plotting.show(*panels, caption="Energies (a, b) of f(x) (in short).", **given)
    text = shown[0].data
    assert "Energies (<b>a, b</b>) of f(x) (in short)." in text
    assert [f'letter">{letter}<' in text for letter in "abc"] == [True, True, False]


@pytest.mark.parametrize("rule", [rule for rule in plotting.RULES if rule != "all"])
def test_the_key_of_colours_has_every_rule(rule):
    swatch = rule.replace(" & ", "-")
    assert f"[]{{.swatch .{swatch}}}" in (ROOT / "book" / "intro.md").read_text()


def test_importing_it_changes_nothing():
    command = """
import sys
import matplotlib
settings = [name for name in matplotlib.rcParams if name != "backend"]  # asking would choose one
before = [matplotlib.rcParams[name] for name in settings]
import lazybook.book.plotting
assert [matplotlib.rcParams[name] for name in settings] == before
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", command], check=True)
