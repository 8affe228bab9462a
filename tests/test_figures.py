"""The notebooks are run as they should be, or not at all."""

from contextlib import suppress

import nbformat
import pytest
from jupyter_core.utils import run_sync

from lazybook.book import figures
from lazybook.book.figures import notebooks, run_figures
from lazybook.errors import InvalidValue, LazybookError

FIRST = """
# %% tags=["parameters"]
profile = "quick"
device = "cpu"
jobs = None
fresh = False
seeds = None

# %%
from pathlib import Path

from lazybook.book import notebook

settings = notebook.start(globals())
order = Path({log!r})
order.write_text(order.read_text() + Path().resolve().name + " ")
"""


@pytest.fixture
def book(tmp_path):
    """A folder of three notebooks that log when they run."""
    log = tmp_path / "log"
    log.write_text("")
    first = FIRST.format(log=str(log))
    for name in ("scorecard", "paper/b", "zebra/a"):
        path = tmp_path / "notebooks" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{first}\n# %%\nprint(settings.profile, settings.seeds)\n")
    return tmp_path


def run(book, **options):
    run_figures("smoke", sources=book / "notebooks", output=book / "out", **options)


def outputs(book):
    return sorted(path.relative_to(book / "out") for path in (book / "out").rglob("*.*"))


def test_all_run_in_order_the_scorecard_last(book):
    run(book, parameters={"seeds": [1, 2]})
    assert (book / "log").read_text().split() == ["paper", "zebra", "out"]
    assert [path.as_posix() for path in outputs(book)] == [
        "paper/b.ipynb",
        "scorecard.ipynb",
        "zebra/a.ipynb",
    ]
    cells = nbformat.read(book / "out" / "paper" / "b.ipynb", as_version=4).cells
    assert cells[-1].outputs[0].text == "smoke [1, 2]\n"


def test_only_the_named_ones_run(book):
    run(book, only=["a"])
    assert [path.name for path in outputs(book)] == ["a.ipynb"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"only": ["a", "c"]}, "unknown notebook 'c'; choose from: b, a, scorecard"),
        ({"device": "tpu"}, "device is 'tpu'"),
        ({"jobs": 0}, "jobs is 0"),
        ({"parameters": {"seed": [1]}}, "no parameter seed; did you mean seeds?"),
        ({"parameters": {"seeds": [1, 1]}}, "seeds is [1, 1]"),
    ],
)
def test_what_is_wrong_stops_before_any_notebook_runs(book, options, message):
    with pytest.raises(InvalidValue) as caught:
        run(book, **options)
    assert message in str(caught.value)
    assert (book / "log").read_text() == ""
    assert not (book / "out").exists()


def test_cuda_where_there_is_none(book, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(InvalidValue, match="PyTorch finds no GPU here"):
        run(book, device="cuda")


def test_a_failing_notebook_reports_its_own_error_and_leaves_no_page(book):
    with (book / "notebooks" / "paper" / "b.py").open("a") as source:
        source.write("\n# %%\nassert 1 + 1 == 3, 'arithmetic'\n")
    (book / "out" / "paper").mkdir(parents=True)
    (book / "out" / "paper" / "b.ipynb").write_text("the page of an earlier run")
    with pytest.raises(LazybookError) as caught:
        run(book)
    message = str(caught.value)
    assert message.startswith("b: cell 5 failed")
    assert "AssertionError: arithmetic" in message
    assert "\x1b" not in message
    assert len(message.splitlines()) < 20
    assert outputs(book) == []


def test_an_error_that_the_program_foresees_is_one_line(book):
    with (book / "notebooks" / "scorecard.py").open("a") as source:
        source.write(
            "\n# %%\nfrom lazybook.errors import DataError\n\nraise DataError('no data')\n"
        )
    with pytest.raises(LazybookError, match=r"^scorecard: no data$"):
        run(book, only=["scorecard"])


def test_a_kernel_that_dies_is_an_error(book):
    with (book / "notebooks" / "scorecard.py").open("a") as source:
        source.write("\n# %%\nimport os\n\nos._exit(1)\n")
    with pytest.raises(LazybookError, match="scorecard: the kernel died"):
        run(book, only=["scorecard"])
    assert outputs(book) == []


@pytest.mark.parametrize("ending", ["print(1)", "1 / 0"])
def test_no_kernel_is_left_running(book, monkeypatch, ending):
    managers = []

    def noted(own, make=figures._kernel_manager):
        managers.append(make(own))
        return managers[-1]

    monkeypatch.setattr(figures, "_kernel_manager", noted)
    path = book / "notebooks/zebra/a.py"
    path.write_text(f"{path.read_text()}\n# %%\n{ending}\n")
    with suppress(LazybookError):
        run_figures(only=["a"], output=book / "out", sources=book / "notebooks")
    [manager] = managers
    assert not run_sync(manager.is_alive)()


def test_an_output_folder_that_cannot_be_written(book):
    (book / "out").write_text("a file is in the way")
    with pytest.raises(LazybookError, match="cannot write to"):
        run(book, only=["a"])
    assert (book / "log").read_text() == ""


def test_two_notebooks_of_the_same_name(book):
    (book / "notebooks" / "zebra" / "b.py").write_text("")
    with pytest.raises(LazybookError, match="two notebooks have the name b"):
        notebooks(book / "notebooks")


def test_no_notebooks_at_all(tmp_path):
    with pytest.raises(LazybookError, match="no notebooks in"):
        notebooks(tmp_path)
