"""A notebook checks its parameters before it computes anything."""

import math
import posixpath
import re
from dataclasses import replace

import jupytext
import pandas as pd
import papermill
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from papermill.exceptions import PapermillExecutionError

from lazybook.book import claims, notebook
from lazybook.book.notebook import Settings
from lazybook.errors import InvalidValue
from lazybook.experiment import Experiment, grid, preset
from lazybook.restrictions import Subnet
from lazybook.support import paths
from lazybook.sweep import sweep

DEFAULTS = 'profile = "quick"\ndevice = "cpu"\njobs = None\nfresh = False\nseeds = None\n'
START = "settings = notebook.start(globals())"


def run(injected: str = "", defaults: str = DEFAULTS) -> Settings:
    """Run the first cells of a notebook as IPython does."""
    cells = ["from lazybook.book import notebook", defaults]
    if injected:
        cells.append(f"# Parameters\n{injected}")
    names = {"In": ["", *cells, START]}
    for cell in [*cells, START]:
        exec(cell, names)
    return names["settings"]


def test_defaults_stand_where_nothing_is_given():
    assert run() == Settings(profile="quick")


def test_given_parameters_replace_the_defaults():
    settings = run('profile = "smoke"\nseeds = [3, 1]\njobs = 2\nfresh = True\n')
    assert settings == Settings(profile="smoke", seeds=[3, 1], jobs=2, fresh=True)


@pytest.mark.parametrize(
    ("injected", "message"),
    [
        ("sedes = [1]\n", "no parameter sedes; did you mean seeds? it has: profile, device"),
        ("epochs = 3\n", "no parameter epochs"),
        ("START = 1\n", "no parameter START"),
    ],
)
def test_unknown_parameter(injected, message):
    with pytest.raises(InvalidValue) as caught:
        run(injected)
    assert message in str(caught.value)


def test_lacking_parameter():
    with pytest.raises(InvalidValue, match="lacks jobs, fresh"):
        run(defaults='profile = "quick"\ndevice = "cpu"\n')


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("profile", value) for value in ("Smoke", "", None, 1)),
        *(("device", value) for value in ("gpu", None)),
        *(("jobs", value) for value in (0, -1, 1.0, "2", True)),
        *(("fresh", value) for value in (1, "yes", None)),
        *(("epochs", value) for value in (0, 2.5, "3", True)),
        *(("hidden", value) for value in (100, [], [0], [100, 100], ["100"], [True], "100")),
        *(("seeds", value) for value in (3, [], [-1], [1, 1], [0.5])),
    ],
)
def test_impossible_value_is_named(name, value):
    with pytest.raises(InvalidValue) as caught:
        Settings(**{"profile": "smoke", name: value})
    message = str(caught.value)
    assert message.startswith(f"{name} is {value!r}")
    assert "\n" not in message


def test_cuda_where_there_is_none(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(InvalidValue, match="PyTorch finds no GPU here"):
        Settings(profile="smoke", device="cuda")


def test_cuda_without_numbas_part(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("numba.cuda.is_available", lambda: False)
    with pytest.raises(InvalidValue, match=r"Numba finds no GPU here; install lazybook\[cuda\]"):
        Settings(profile="smoke", device="cuda")


def test_on_cuda_the_gpu_takes_what_it_can(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("numba.cuda.is_available", lambda: True)
    asked = []
    monkeypatch.setattr("lazybook.book.notebook.sweep", lambda *given: asked.append(given))
    plain = Experiment()
    redrawn = replace(plain, restriction=Subnet(5, "sample"))
    adam = replace(plain, engine="autograd", optimizer="adam")
    Settings(profile="smoke", device="cuda", jobs=2).sweep([plain, redrawn, adam])
    Settings(profile="smoke", fresh=True).sweep([plain])
    on_gpu = replace(plain, engine="numba-cuda", device="cuda")
    placed = [on_gpu, redrawn, replace(adam, device="cuda")]
    assert asked == [(placed, 2, False), ([plain], None, True)]


@given(
    st.lists(st.integers(0), min_size=1, unique=True),
    st.lists(st.integers(1), min_size=1, unique=True),
    st.integers(1),
)
def test_possible_values_are_taken_as_they_are(seeds, hidden, epochs):
    settings = Settings(profile="paper", seeds=seeds, hidden=hidden, epochs=epochs)
    assert (settings.seeds, settings.hidden, settings.epochs) == (seeds, hidden, epochs)


def test_papermill_itself_stops_at_a_misspelt_parameter(tmp_path):
    source = f"""
# %% tags=["parameters"]
{DEFAULTS}
# %%
from lazybook.book import notebook

{START}

# %%
from pathlib import Path

Path("computed").touch()
"""
    document = jupytext.reads(source, fmt="py:percent")
    for values, computed in (({"profil": "smoke"}, False), ({"profile": "smoke"}, True)):
        try:
            papermill.execute_notebook(
                document,
                None,
                values,
                kernel_name="python3",
                language="python",
                cwd=tmp_path,
                progress_bar=False,
            )
        except PapermillExecutionError as error:
            assert error.ename == "InvalidValue"
            assert "no parameter profil;" in error.evalue
        assert (tmp_path / "computed").exists() is computed


@pytest.mark.parametrize(("profile", "place"), [("smoke", 0), ("quick", 1), ("paper", 2)])
def test_each_profile_gets_its_own_scale(profile, place):
    scale = Settings(profile=profile).scale(hidden=([1], [2], [3]), goal=(0.8, 0.9, 0.95))
    assert vars(scale) == {"hidden": [place + 1], "goal": (0.8, 0.9, 0.95)[place]}


def test_parameters_stand_above_the_scale():
    given = {"hidden": [7], "epochs": 3, "seeds": [0, 5]}
    scale = Settings(profile="quick", **given).scale(
        hidden=([1], [2], [3]), epochs=(1, 2, 3), seeds=([0], [0], [0]), goal=(1, 2, 3)
    )
    assert vars(scale) == given | {"goal": 2}


def test_what_the_table_does_not_have_is_not_added_to_it():
    assert vars(Settings(profile="quick", epochs=3).scale(goal=(1, 2, 3))) == {"goal": 2}


@pytest.mark.parametrize("row", [[1, 2, 3], (1, 2), (1, 2, 3, 4), 5, None, "abc"])
def test_a_row_of_the_scale_has_a_value_for_each_profile(row):
    with pytest.raises(InvalidValue, match=r"scale: goal is .*; it must be three values"):
        Settings(profile="quick").scale(goal=row)


NAME = claims.claims()["LL5"].notebook
MEASURE = claims.claims()["LL5"].measures[0].name


@pytest.fixture
def swept(monkeypatch, tmp_path):
    """Two sizes, two seeds, run in a store of their own; energies do not matter here."""
    monkeypatch.setenv("LAZYBOOK_RUNS", str(tmp_path))
    base = preset("lazy", dataset="two-clouds", epochs=1, engine="reference")
    return sweep(grid(base, hidden=[2, 3], seed=[0, 1]), jobs=1)


def found_by(**values):
    found = notebook.Findings(Settings(profile="smoke"), NAME, "LL5", "LL6")
    places = [(size, seed) for size in (2, 3) for seed in (0, 1)]
    found.each("LL5", MEASURE, "H = {}", dict.fromkeys(places, 0.5) | values)
    return found


def test_findings_are_recorded_and_judged(swept, capsys):
    found = found_by()
    found.lacks("LL6", claims.claims()["LL6"].measures[0].name, "all", "no time for it")
    html = found.verdicts([swept]).data
    assert "LL5</a>" in html
    assert "LL6</a>" in html
    assert html.index('href="../lazy_learning/') > 0
    judged = {str(verdict) for verdict in claims.verdicts("smoke")}
    assert {"LL5 reproduced", "LL6 not testable here", "LL7 not measured"} <= judged
    assert "LL5 reproduced" not in {str(verdict) for verdict in claims.verdicts("quick")}

    found.print_outcomes([swept], timed=["LL6"])
    verdict, *counters = capsys.readouterr().out.splitlines()
    assert verdict == "LL5 reproduced"
    ends = [run.final for run in swept.runs if run.experiment.seed == 0]
    for line, size, final in zip(counters, (2, 3), ends, strict=True):
        assert line.startswith(f"H = {size}, dataset two-clouds, ")
        assert f": {final['updates']} updates, " in line
        assert line.endswith(f"accuracy {final['test_accuracy']:.4f}")


def test_findings_that_leave_out_a_seed_are_not_recorded(swept):
    found = found_by()
    del found.found["LL5"][0]
    with pytest.raises(LookupError, match=r"LL5: .* is measured with the seeds"):
        found.verdicts([swept])
    assert {verdict.word for verdict in claims.verdicts("smoke")} == {claims.NOT_MEASURED}


def test_a_page_says_why_it_has_more_seeds():
    found = notebook.Findings(Settings(profile="smoke"), NAME, "CP4")
    found.each("CP4", "exponent of M1", "small", {0: 0.6, 1: 0.7, 2: 0.5, 3: 9.0})
    found.each("CP4", "exponent of M1", "large", {0: -5.0})
    said = found.raised("CP4", "exponent of M1", "small", first=3)
    assert "(small) the first 3 seeds alone have a mean of 0.6 and a 95 % interval of" in said
    assert "0.352 to 0.848, which leaves open whether it is ≥ 0.35 and ≤ 0.65." in said
    assert "4 seeds should tell" in said
    assert found.raised("CP4", "exponent of M1", "small", first=4) == ""


def test_a_page_says_how_many_of_its_runs_were_computed_for_it(swept):
    more = [run.experiment for run in swept.runs] + [replace(swept.runs[0].experiment, seed=2)]
    for said in ("1 of them computed for this page", "all from the run store"):
        html = notebook.provenance(Settings(profile="smoke"), [sweep(more, jobs=1)]).data
        assert f"<td>5, {said}</td>" in html


def test_a_page_names_each_version_once(swept):
    runs = [
        replace(run, provenance=run.provenance | {"commit": commit})
        for run, commit in zip(swept.runs, ["b", "a", "b", "c+"], strict=True)
    ]
    html = notebook.provenance(Settings(profile="smoke"), [replace(swept, runs=runs)]).data
    assert "<td>a, b, c+ (+: with changes that were not committed)</td>" in html
    assert html.count("lazybook 0.") == 1


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({100: 5, 300: 5}, "n = 5"),
        ({100: 5, 300: 5, 1000: 3, 10_000: 2}, "n = 5 (3 from H = 1,000, 2 from H = 10,000)"),
        ({30: 1}, "n = 1"),
    ],
)
def test_how_many_seeds_there_are_in_words(numbers, words):
    rows = [(size, seed) for size, number in numbers.items() for seed in range(number)]
    table = pd.DataFrame([*rows, *rows], columns=["hidden", "seed"]).sample(frac=1, random_state=0)
    assert notebook.seeds(table).replace("\N{NBSP}", " ") == words


def test_a_table_has_a_dash_where_there_is_no_value():
    table = pd.DataFrame({"<i>H</i>": [1, 2], "x": ["a", None]})
    html = notebook.html_table(table, "Two sizes").data
    assert '<th scope="col"><i>H</i></th>' in html
    assert 'tabindex="0" aria-label="Two sizes"' in html
    assert html.count("<td>–</td>") == 1


def test_a_table_has_minus_signs():
    table = pd.DataFrame(
        {"x": ["-0.07", "0.1 - 0.2", "cross-entropy", "1e-07"], "n": [-1, 2, 3, 4]}
    )
    html = notebook.html_table(table, "Signs").data
    minus = "\N{MINUS SIGN}"
    for cell in (f"{minus}0.07", f"0.1 {minus} 0.2", "cross-entropy", "1e-07"):
        assert f"<td>{cell}</td>" in html


@pytest.mark.parametrize(
    ("values", "form", "words"),
    [
        ([0.51, math.nan, 0.2, 0.3], ".1f", "0.2 to 0.5"),
        ([1.01, 0.99], ".1f", "1.0"),
        ((size for size in (1000, 100)), "d", "100 to 1000"),
        ([0.25, -0.5], "+.2f", "\N{MINUS SIGN}0.50 to +0.25"),
        ([math.nan], ".1f", "?"),
        ([], ".1f", "?"),
    ],
)
def test_a_span_in_words(values, form, words):
    assert notebook.span(values, form) == words


def test_names_that_a_cell_assigns():
    source = "import numpy\nx = 1\ny: int = 2\ndef f(): z = 3\nx, w = 1, 2\n"
    assert notebook.assigned(source) == ["x", "y"]


@pytest.mark.parametrize("source", ["x = = 1", "%timeit x = 1", "!ls", "x = (1,", "\0"])
def test_what_does_not_parse_assigns_nothing(source):
    assert notebook.assigned(source) == []


EXERCISES = "## Your turn\n"
NOTEBOOKS = sorted((paths.repository() / "notebooks").rglob("*.py"))
WITH_EXERCISES = [path for path in NOTEBOOKS if EXERCISES in path.read_text("utf8")]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_short_and_fits_the_page(path):
    figures, _, _ = path.read_text("utf8").partition(EXERCISES)
    assert len(figures.splitlines()) <= 450
    for cell in jupytext.read(path).cells:
        if cell.cell_type == "code":
            assert all(len(line) <= 88 for line in cell.source.splitlines()), cell.source


@pytest.mark.parametrize("path", WITH_EXERCISES, ids=lambda path: path.stem)
def test_each_exercise_has_a_solution_that_is_folded_and_compared(path):
    """A question is followed by its solution, which runs with the page."""
    cells = jupytext.read(path).cells
    begun = next(place for place, cell in enumerate(cells) if EXERCISES in cell.source)
    asked = {
        int(number): cells[place + 1]
        for place, cell in enumerate(cells[begun:], begun)
        for number in re.findall(r"^\*\*(\d)\.\*\* ", cell.source, re.MULTILINE)
    }
    assert list(asked) in ([1, 2], [1, 2, 3])
    for number, solution in asked.items():
        assert solution.metadata["tags"] == ["hide-cell"]
        assert solution.metadata["mystnb"]["code_prompt_show"].startswith(f"Solution {number}: ")
        assert solution.source.startswith("# NBVAL_CHECK_OUTPUT\n")


SOURCES = paths.repository() / "notebooks"
OF_PAPERS = [path for path in NOTEBOOKS if path.parent != SOURCES]
PARTS = yaml.safe_load((paths.repository() / "book" / "_toc.yml").read_text("utf8"))["parts"]
READING_ORDER = [chapter["file"] for part in PARTS for chapter in part["chapters"]]


def linked(page: str, text: str) -> list[str]:
    """Return the pages that a ``page`` links to in ``text``, as the table of contents has them."""
    names = re.findall(r"\{doc\}`(?:[^`<]*<)?([^`<>]+)>?`", text)
    places = (posixpath.join("/", posixpath.dirname(page), name) for name in names)
    return [posixpath.normpath(place).lstrip("/") for place in places]


@pytest.mark.parametrize("path", OF_PAPERS, ids=lambda path: path.stem)
def test_a_page_says_what_to_read_before_and_what_comes_next(path):
    """What is read before stands further up in the book, and what comes next further down."""
    page = f"executed/{path.relative_to(SOURCES).with_suffix('').as_posix()}"
    texts = [cell.source for cell in jupytext.read(path).cells if cell.cell_type == "markdown"]
    before = texts[0].partition("\nBefore this: ")[2]
    [after] = [text for text in texts if text.startswith("Next: ")]
    assert linked(page, before)
    [following] = linked(page, after)
    place = READING_ORDER.index(page)
    assert all(READING_ORDER.index(name) < place for name in linked(page, before))
    assert READING_ORDER.index(following) > place
