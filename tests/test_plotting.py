"""Figures show the means of all seeds and how far they lie apart."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from lazybook.book import plotting


@pytest.fixture
def axes():
    figure, axes = plt.subplots()
    yield axes
    plt.close(figure)


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
    assert largest.get_color() == pytest.approx(plt.matplotlib.colors.to_rgb("#009e73"))
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
