"""The notebooks are run as they should be, or not at all."""

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_core.utils import run_sync

from lazybook.book import figures
from lazybook.book.figures import notebooks, run_figures
from lazybook.errors import DataError, InvalidValue, LazybookError

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


def add_cell(book, name, source):
    with (book / "notebooks" / f"{name}.py").open("a") as notebook:
        notebook.write(f"\n# %%\n{source}\n")


@pytest.fixture
def managers(monkeypatch):
    """The managers of the kernels that are started."""
    noted = []

    def note(own, make=figures._kernel_manager):
        noted.append(make(own))
        return noted[-1]

    monkeypatch.setattr(figures, "_kernel_manager", note)
    return noted


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
    (injected,) = (cell for cell in cells if "seeds = [1, 2]" in cell.source)
    assert "remove-cell" in injected.metadata.tags  # the page has its profile at the end


def test_only_the_named_ones_run_and_each_once(book):
    run(book, only=["a", "a"])
    assert [path.name for path in outputs(book)] == ["a.ipynb"]
    assert (book / "log").read_text().split() == ["zebra"]


def test_what_readers_set_for_themselves_does_not_get_into_a_page(book, monkeypatch, tmp_path):
    own = tmp_path / "own"
    (own / "profile_default" / "startup").mkdir(parents=True)
    for name in ("startup.py", "profile_default/startup/own.py"):
        (own / name).write_text("import builtins\nbuiltins.own = True\nprint('own')\n")
    (own / "profile_default" / "ipython_config.py").write_text("c.TerminalIPythonApp.own = 1 +\n")
    (own / "matplotlibrc").write_text("lines.linewidth: 9\nno.such.setting: 1\n")
    settings = {
        "FORCE_COLOR": "1",
        "IPYTHONDIR": str(own),
        "LAZYBOOK_RUNS": "runs",
        "MATPLOTLIBRC": str(own),
        "MPLBACKEND": "no.such.backend",
        "MPLCONFIGDIR": str(own / "matplotlibrc"),  # no folder, of which Matplotlib warns
        "PYTHONSTARTUP": str(own / "startup.py"),
        "PYTHONWARNINGS": "error",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    add_cell(
        book,
        "zebra/a",
        """
import builtins, os, warnings
import matplotlib
from rich.console import Console

print(hasattr(builtins, "own"), Console().is_terminal, matplotlib.rcParams["lines.linewidth"])
print(os.environ["LAZYBOOK_RUNS"])
""",
    )
    run(book, only=["a"])
    cells = nbformat.read(book / "out/zebra/a.ipynb", as_version=4).cells
    streams = [out for cell in cells for out in cell.get("outputs", ()) if "text" in out]
    assert [(out.name, out.text) for out in streams] == [
        ("stdout", "smoke None\n"),
        ("stdout", f"False False 1.5\n{tmp_path / 'runs'}\n"),
    ]


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
    class Told(DataError):
        pass

    add_cell(
        book,
        "scorecard",
        f"from lazybook.errors import DataError\n"
        f"raise type('{Told.__name__}', (DataError,), {{}})('no data')",
    )
    with pytest.raises(LazybookError, match=r"^scorecard: no data$"):
        run(book, only=["scorecard"])


@pytest.mark.parametrize(
    ("ending", "message"),
    [
        ("import os; os._exit(1)", r"^scorecard: the kernel died; was there enough memory\?$"),
        ("import sys; sys.exit()", r"^scorecard: cell \d ended the notebook early$"),
    ],
)
def test_a_notebook_that_does_not_run_to_its_end_is_no_page(book, ending, message):
    add_cell(book, "scorecard", ending)
    add_cell(book, "scorecard", "print('what a page would say')")
    with pytest.raises(LazybookError, match=message):
        run(book, only=["scorecard"])
    assert outputs(book) == []


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("import sys; sys.exit('the reason')", r"did not start: .*died.* \(the reason\)$"),
        ("import time; time.sleep(600)", "did not start: .*respond in 1 seconds$"),
        (None, "cannot be started: No such file or directory"),
    ],
)
def test_a_kernel_that_does_not_start(book, monkeypatch, capfd, managers, command, message):
    argv = [sys.executable, "-c", command] if command else [str(book / "missing")]
    monkeypatch.setattr(
        figures.KernelSpecManager, "get_kernel_spec", lambda *_: KernelSpec(argv=argv)
    )
    monkeypatch.setattr(figures, "START", 1)
    with pytest.raises(LazybookError, match=message) as caught:
        run(book, only=["a"])
    assert "\n" not in str(caught.value)
    assert capfd.readouterr() == ("", "")
    assert outputs(book) == []
    (manager,) = managers
    assert not run_sync(manager.is_alive)()


@pytest.mark.parametrize(
    "ending",
    [
        "print(1)",
        "1 / 0",
        "import os, signal, time; os.kill(os.getppid(), signal.SIGINT); time.sleep(600)",
        "import signal, threading, time; signal.signal(signal.SIGINT, signal.SIG_IGN);"
        " threading.Thread(target=time.sleep, args=[600]).start()",
    ],
    ids=["done", "failed", "interrupted", "hanging"],
)
def test_no_kernel_is_left_running(book, managers, ending):
    add_cell(book, "zebra/a", ending)
    with suppress(LazybookError, KeyboardInterrupt):
        run(book, only=["a"])
    (manager,) = managers
    assert not run_sync(manager.is_alive)()
    assert {path.suffix for path in outputs(book)} <= {".ipynb"}


def in_the_way(book):
    (book / "out").write_text("a file")


def page_is_a_folder(book):
    (book / "out" / "zebra" / "a.ipynb").mkdir(parents=True)


@pytest.mark.parametrize("obstacle", [in_the_way, page_is_a_folder])
def test_an_output_folder_that_cannot_be_written(book, obstacle):
    obstacle(book)
    with pytest.raises(LazybookError, match=r"cannot write to .*zebra: .* a directory"):
        run(book, only=["a"])
    assert (book / "log").read_text() == ""


@pytest.mark.parametrize("pages", [0, 1])
def test_a_full_disk(book, monkeypatch, pages):
    """It is noticed before any work if not even the notebook has room, else when it is written."""
    left = pages

    def write(document, path):
        nonlocal left
        Path(path).write_text("a part of it")
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(nbformat, "write", write)
    with pytest.raises(LazybookError, match=r"cannot write to .*zebra: No space left"):
        run(book, only=["a"])
    assert outputs(book) == []
    assert len((book / "log").read_text().split()) == pages


def test_what_an_editor_leaves_is_no_notebook(book):
    hidden = book / "notebooks" / "paper" / ".ipynb_checkpoints"
    hidden.mkdir()
    (hidden / "b-checkpoint.py").write_text("")
    assert list(notebooks(book / "notebooks")) == ["b", "a", "scorecard"]


def test_two_notebooks_of_the_same_name(book):
    (book / "notebooks" / "zebra" / "b.py").write_text("")
    with pytest.raises(LazybookError, match="two notebooks have the name b"):
        notebooks(book / "notebooks")


def test_no_notebooks_at_all(tmp_path):
    with pytest.raises(LazybookError, match="no notebooks in"):
        notebooks(tmp_path)
