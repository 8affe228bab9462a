"""A notebook checks its parameters before it computes anything."""

import math

import jupytext
import papermill
import pytest
from hypothesis import given
from hypothesis import strategies as st
from papermill.exceptions import PapermillExecutionError

from lazybook.book import claims, notebook
from lazybook.book.claims import Finding
from lazybook.book.notebook import Settings
from lazybook.errors import InvalidValue

DEFAULTS = 'profile = "quick"\ndevice = "cpu"\njobs = None\nfresh = False\nseeds = None\n'
START = "settings = notebook.start(globals())"


def run(injected: str = "", defaults: str = DEFAULTS) -> Settings:
    """Run the first cells of a notebook as IPython does."""
    cells = ["from lazybook import notebook", defaults]
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
    assert settings.choose(smoke=1, quick=2, paper=3) == 1
    assert settings.engine == "numba"


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


def test_cuda_runs_the_reference_engine(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert Settings(profile="smoke", device="cuda").engine == "reference"


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


def test_findings_are_recorded_and_judged(monkeypatch, tmp_path):
    monkeypatch.setenv("LAZYBOOK_RUNS", str(tmp_path))
    settings = Settings(profile="smoke")
    measure = "largest M(lazy) / M(backprop) above 90 %"
    found = {"LL12": [], "LL5": [Finding(measure, "H = 1", 0.5), Finding(measure, "H = 2", 2.0)]}
    judged = notebook.verdicts(settings, "paper/page", found)
    assert [str(verdict) for verdict in judged] == ["LL5 partly", "LL12 not measured"]
    again = {verdict.claim.id: verdict for verdict in claims.verdicts("smoke")}
    assert judged == [again["LL5"], again["LL12"]]
    assert {str(v) for v in claims.verdicts("quick")}.isdisjoint({"LL5 partly"})


@pytest.mark.parametrize(
    ("values", "form", "words"),
    [
        ([0.51, math.nan, 0.2, 0.3], ".1f", "0.2 to 0.5"),
        ([1.01, 0.99], ".1f", "1.0"),
        ((size for size in (1000, 100)), "d", "100 to 1000"),
        ([math.nan], ".1f", "?"),
        ([], ".1f", "?"),
    ],
)
def test_a_span_in_words(values, form, words):
    assert notebook.span(values, form) == words


def test_names_that_a_cell_assigns():
    source = "import numpy\nx = 1\ny: int = 2\ndef f(): z = 3\nx, w = 1, 2\n"
    assert notebook.assigned(source) == ["x", "y"]
