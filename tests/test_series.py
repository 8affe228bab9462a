"""The numbers that go with a figure are those drawn, at the places where they are drawn."""

import json
import re

import numpy as np
import pandas as pd
import pytest

from lazybook.book import plotting
from lazybook.book.series import MOST, Series

TABLE = pd.DataFrame(
    {
        "size": [1, 10, 100] * 3,
        "energy": [1.0, 2, 4, 2, 3, 5, 3, 4, 9],
        "seed": [0] * 3 + [1] * 3 + [2] * 3,
    }
)


@pytest.fixture
def figure():
    return plotting.subplots(figsize=(4, 3))


def numbers(figure):
    series = Series(figure)
    return plotting.svg(figure), series.numbers()


def test_a_band_over_seeds_is_told_with_its_mean_and_ends(figure):
    drawn, axes = figure
    plotting.over_seeds(axes, TABLE, "size", "energy", "subnet")
    axes.set(xlabel="size", ylabel="energy", xscale="log")
    axes.axhline(2)  # says nothing of the runs
    axes.legend()
    text, told = numbers(drawn)
    [series] = told["series"]
    over_seeds = TABLE.groupby("size")["energy"]
    assert (series["name"], series["of"]) == ("subnet", "y")
    assert series["x"] == [1, 10, 100]
    for name, values in {
        "y": over_seeds.mean(),
        "low": over_seeds.min(),
        "high": over_seeds.max(),
    }.items():
        assert series[name] == pytest.approx(list(values))
    assert told["keys"] == [{"id": "key-0", "series": ["series-0"]}]
    [place] = told["axes"]
    assert (place["x"], place["y"]) == ("size", "energy")
    for name in ("series-0-0", "series-0-1", "key-0", "key-0-text"):
        assert text.count(f'id="{name}"') == 1


def test_a_point_stands_where_it_is_drawn(figure):
    drawn, axes = figure
    axes.plot([1, 10, 100], [0, 5, 10], "o", label="points")
    axes.set(xscale="log", xlim=(1, 100), ylim=(0, 10))
    text, told = numbers(drawn)
    [series], [place] = told["series"], told["axes"]
    left, top, right, bottom = place["box"]
    assert series["px"] == pytest.approx([left, (left + right) / 2, right], abs=0.2)
    assert series["py"] == pytest.approx([bottom, (top + bottom) / 2, top], abs=0.2)
    markers = re.findall(
        r'<use [^>]*x="([\d.]+)" y="([\d.]+)"', text.partition('id="series-0-0"')[2]
    )
    assert np.array(markers[:3], float) == pytest.approx(
        np.column_stack([series["px"], series["py"]]), abs=0.2
    )


def test_bars_of_errors_are_told_along_their_axis_and_ticks_by_their_words(figure):
    drawn, axes = figure
    axes.errorbar([3, 4, 5], [0, 1, 2], xerr=[0.5, 1, np.nan], fmt="s", label="lazy")
    axes.set_yticks([0, 1, 2], ["all synapses", "subnet", "both"])
    axes.legend()
    _, told = numbers(drawn)
    [series], [place] = told["series"], told["axes"]
    assert (series["of"], series["low"], series["high"]) == ("x", [2.5, 3, None], [3.5, 5, None])
    assert place["words"] == {
        "x": [],
        "y": [(0, "all synapses"), (1, "subnet"), (2, "both")],
    }
    assert told["keys"][0]["series"] == ["series-0"]


def test_dots_without_any_bars_of_errors_are_told_all_the_same(figure):
    drawn, axes = figure
    axes.errorbar([3, 4], [0, 1], yerr=[np.nan, np.nan], fmt="s", label="one seed")
    _, told = numbers(drawn)
    [series] = told["series"]
    assert (series["y"], series["of"], series["low"]) == ([0, 1], "y", [None, None])


def test_dots_and_bars_are_told(figure):
    drawn, axes = figure
    axes.scatter([1, 2], [3, 4], label="dots")
    axes.bar([5, 6], [7, 8], label="bars")
    axes.imshow(np.zeros((2, 2)))
    _, told = numbers(drawn)
    assert [(s["name"], s["x"], s["y"]) for s in told["series"]] == [
        ("dots", [1, 2], [3, 4]),
        ("bars", [5, 6], [7, 8]),
    ]


def test_lines_that_a_legend_explains_by_rule_and_size_have_both_in_their_name(figure):
    drawn, axes = figure
    sizes = [100, 300]
    for rule in ("every-sample", "mistakes"):
        for size in sizes:
            ends = pd.DataFrame({"mean": [1.0, 2], "low": [0.5, 1], "high": [2.0, 3]}, [1, 2])
            plotting.draw_band(axes, ends * size, rule, size, sizes)
    axes.legend(handles=plotting.key(["every-sample", "mistakes"], sizes), ncols=2)
    _, told = numbers(drawn)
    assert [series["name"] for series in told["series"]] == [
        "backprop, H = 100", "backprop, H = 300", "pure lazy, H = 100", "pure lazy, H = 300",
    ]  # fmt: skip
    assert [key["series"] for key in told["keys"]] == [[f"series-{n}"] for n in range(4)]
    assert all(series["parts"] == 2 for series in told["series"])


def test_what_is_missing_or_has_no_place_is_told_as_nothing(figure):
    drawn, axes = figure
    axes.plot([1, 2, 3], [1, np.nan, 0], label="line")
    axes.set_yscale("log")
    axes.plot([], [])
    _, told = numbers(drawn)
    [series] = told["series"]
    assert series["y"] == [1, None, 0]
    assert series["py"][1] is None
    json.dumps(told, allow_nan=False)


def test_a_long_curve_is_told_at_equal_distances_from_end_to_end(figure):
    drawn, axes = figure
    axes.plot(np.arange(1000), np.arange(1000) ** 2.0)
    _, told = numbers(drawn)
    [series] = told["series"]
    assert len(series["x"]) == len(series["py"]) == MOST
    assert (series["x"][0], series["x"][-1]) == (0, 999)
    assert series["y"] == pytest.approx([x**2 for x in series["x"]], rel=1e-5)


def test_the_page_has_the_numbers_beside_the_drawing(capsys, monkeypatch):
    shown = []
    monkeypatch.setattr(plotting, "display", shown.append)
    figure, axes = plotting.subplots(figsize=(4, 3))
    axes.plot([1, 2], [3, 4], label="</script><b>")
    plotting.show(figure, name="fig-x", caption="C.", alt="A.", notebook="paper/page")
    [found] = re.findall(r'<script type="application/json">(.*?)</script>', shown[0].data)
    [panel] = json.loads(found)
    assert panel["series"][0]["name"] == "</script><b>"
    assert f'id="fig-x-0-{panel["series"][0]["id"]}-0"' in shown[0].data
