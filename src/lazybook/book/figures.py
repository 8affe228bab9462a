"""Run the notebooks of the book.

Each ``notebooks/**/*.py`` is converted in memory, given its parameters, executed in a kernel of
the running interpreter and written, outputs and all, to the same place under ``book/executed``.
The kernels are started here, so that nothing that readers have set for themselves gets into a page.
"""

import errno
import json
import logging
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import jupytext
import nbformat
import papermill
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError, strip_color

from lazybook.book.notebook import Settings, assigned, check_names
from lazybook.errors import InvalidValue, LazybookError
from lazybook.support import paths, progress

ROOT = paths.repository() or Path.cwd()
SOURCES = ROOT / "notebooks"
EXECUTED = ROOT / "book" / "executed"
LAST = "scorecard"  # it judges what the others have measured
PROGRESS = "progress.json"
START = 300.0  # seconds in which a kernel has to answer; on a busy machine it takes long

# What people set for their own sessions. Another backend, colours, warnings and start-up code would
# be seen on a page or keep a kernel from its work.
PERSONAL = (
    "CLICOLOR_FORCE",
    "FORCE_COLOR",
    "MPLBACKEND",
    "NO_COLOR",
    "PYTHONDEVMODE",
    "PYTHONINSPECT",
    "PYTHONIOENCODING",
    "PYTHONOPTIMIZE",
    "PYTHONSTARTUP",
    "PYTHONWARNINGS",
)
QUIET = (
    "--IPKernelApp.log_level=40",  # ipykernel warns at every start that it listens on TCP
    "--HistoryManager.hist_file=:memory:",
    # Matplotlib tells of its font cache on the first page that is made on a machine.
    "--InteractiveShellApp.exec_lines=import logging; logging.getLogger('matplotlib').setLevel(40)",
)

# What it logs about a kernel that does not start is in the error that is raised.
logging.getLogger("papermill").addHandler(logging.NullHandler())


def notebooks(sources: Path = SOURCES) -> dict[str, Path]:
    """Return the notebooks by name (``fig2_mnist``), in the order in which they run.

    What lies in hidden folders, such as Jupyter's checkpoints, is none.

    Raises
    ------
    LazybookError: there are none, or two have the same name.
    """
    found = [
        path
        for path in sorted(sources.rglob("*.py"), key=lambda path: (path.stem == LAST, path))
        if not any(part.startswith(".") for part in path.relative_to(sources).parts)
    ]
    if not found:
        raise LazybookError(f"no notebooks in {sources}; run this in a copy of the repository")
    named: dict[str, Path] = {}
    for path in found:
        if path.stem in named:
            raise LazybookError(f"two notebooks have the name {path.stem}; rename {path}")
        named[path.stem] = path
    return named


def run_figures(
    profile: str = "quick",
    device: str = "cpu",
    jobs: int | None = None,
    fresh: bool = False,
    only: list[str] | None = None,
    output: Path = EXECUTED,
    parameters: dict[str, Any] | None = None,
    *,
    sources: Path = SOURCES,
) -> None:
    """Execute the notebooks one after another and write them under ``output``.

    A notebook appears under ``output`` only when all its cells have run. Everything that can be
    checked is checked before the first one starts. The kernels have this process's environment, so
    where the runs are kept, and by which scheduler's workers they are computed, is said there.

    Parameters
    ----------
    profile, device, jobs, fresh: see `lazybook.book.notebook.Settings`.
    only: names of the notebooks to run; None: all.
    output: folder for the executed notebooks, with the subfolders of ``sources``.
    parameters: further parameters, such as ``{"seeds": [0, 1, 2]}``; every notebook that runs
        must have them.
    sources: folder of the notebooks.

    Raises
    ------
    InvalidValue: an unknown notebook, a parameter that a notebook does not have, or an impossible
        value of one; or no scheduler answers at ``$LAZYBOOK_SCHEDULER``.
    LazybookError: a notebook failed (the message has its error), or ``output`` cannot be written.
    """
    values = {"profile": profile, "device": device, "jobs": jobs, "fresh": fresh}
    values |= parameters or {}
    Settings(**{name: values[name] for name in values if name in Settings.__dataclass_fields__})
    available = notebooks(sources)
    for name in only or ():
        if name not in available:
            raise InvalidValue(f"unknown notebook {name!r}; choose from: {', '.join(available)}")
    chosen = {name: path for name, path in available.items() if not only or name in only}
    documents = {name: jupytext.read(path) for name, path in chosen.items()}
    for document in documents.values():
        check_names(list(values), _parameters(document))
    targets = {
        name: (output / path.relative_to(sources)).with_suffix(".ipynb").absolute()
        for name, path in chosen.items()
    }
    for name, document in documents.items():
        _check_place(document, targets[name])
    if scheduler := os.environ.get("LAZYBOOK_SCHEDULER"):
        from lazybook.cluster import Cluster

        with Cluster(scheduler):
            pass

    paths.settle()  # the kernels run in other folders
    for name, document in documents.items():
        began = time.monotonic()
        _write(_execute(name, document, values, targets[name]), targets[name])
        print(f"✓ {name}  {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)


def _parameters(document: nbformat.NotebookNode) -> list[str]:
    return [
        name
        for cell in document.cells
        if "parameters" in cell.metadata.get("tags", ())
        for name in assigned(cell.source)
    ]


def _check_place(document: nbformat.NotebookNode, target: Path) -> None:
    """Raise LazybookError if no page can be written there; it is longer than its notebook."""
    with _aside(target) as aside:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        nbformat.write(document, aside)


def _write(document: nbformat.NotebookNode, target: Path) -> None:
    with _aside(target) as aside:
        nbformat.write(document, aside)
        aside.replace(target)


@contextmanager
def _aside(target: Path) -> Iterator[Path]:
    """Give the name of a file beside ``target``, which is gone afterwards, to write to.

    Raises LazybookError where that is not possible.
    """
    aside = target.with_suffix(".part")
    try:
        yield aside
    except OSError as error:
        raise LazybookError(f"cannot write to {target.parent}: {error.strerror}") from None
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def _execute(
    name: str, document: nbformat.NotebookNode, values: dict[str, Any], target: Path
) -> nbformat.NotebookNode:
    """Return the document executed with its working directory in the folder of ``target``.

    A page of an earlier run, which must not pass for this one, is removed from ``target``.
    """
    with _aside(target):
        target.unlink(missing_ok=True)
    with _kernel(name, target.parent) as manager:
        try:
            executed = papermill.execute_notebook(
                document,
                None,
                parameters=values,
                kernel_name=NATIVE_KERNEL_NAME,
                language="python",
                progress_bar=False,
                km=manager,
                start_timeout=START,
            )
        except PapermillExecutionError as error:
            raise LazybookError(f"{name}: {_explain(error)}") from None
    for cell in executed.cells:
        if any(output.output_type == "error" for output in cell.get("outputs", ())):
            raise LazybookError(f"{name}: cell {cell.execution_count} ended the notebook early")
        if "injected-parameters" in cell.metadata.get("tags", ()):
            cell.metadata.tags.append("remove-cell")  # the page states its profile at the end
    del executed.metadata["papermill"]  # it holds a second copy of the notebook
    return executed


@contextmanager
def _kernel(name: str, folder: Path) -> Iterator[AsyncKernelManager]:
    """Start a kernel in ``folder`` for the notebook ``name``; it is ended afterwards.

    Meanwhile its progress is shown. Raises LazybookError for a kernel that does not start, or dies.
    """
    try:
        with (
            tempfile.TemporaryDirectory(prefix="lazybook-") as own,
            Path(own, "stderr").open("w+b") as stderr,
            _started(Path(own), folder, stderr) as manager,
            _progress(name, Path(own, PROGRESS)),
        ):
            try:
                yield manager
            except DeadKernelError:
                raise LazybookError(f"{name}: the kernel died; was there enough memory?") from None
            except RuntimeError as error:  # it died before it answered, or did not answer in time
                said = _last_line(stderr) if "died" in str(error) else ""
                raise LazybookError(f"{name}: the kernel did not start: {error}{said}") from None
    except OSError as error:
        raise LazybookError(
            f"{name}: a kernel cannot be started: {error.strerror}; it needs a temporary folder"
            " ($TMPDIR) with some space"
        ) from None


@contextmanager
def _started(own: Path, folder: Path, stderr: BinaryIO) -> Iterator[AsyncKernelManager]:
    manager = _kernel_manager(own)
    try:
        run_sync(manager.start_kernel)(
            cwd=str(folder), env=_environment(own), extra_arguments=list(QUIET), stderr=stderr
        )
        yield manager
    finally:
        # A kernel that was handed in is left running, with all its data.
        run_sync(manager.shutdown_kernel)(now=True)


def _kernel_manager(own: Path) -> AsyncKernelManager:
    """Return the manager of a kernel in this very interpreter, whatever else is installed."""
    return AsyncKernelManager(
        kernel_name=NATIVE_KERNEL_NAME,
        kernel_spec_manager=KernelSpecManager(kernel_dirs=[]),  # so that only this one is left
        connection_file=str(own / "kernel.json"),
    )


def _environment(own: Path) -> dict[str, str]:
    """Return the environment of a kernel, with empty settings in place of personal ones."""
    settings = own / "matplotlibrc"
    settings.touch()
    passed = {name: value for name, value in os.environ.items() if name not in PERSONAL}
    return passed | {
        "IPYTHONDIR": str(own / "ipython"),
        "LAZYBOOK_PROGRESS": str(own / PROGRESS),
        "MATPLOTLIBRC": str(settings),
    }


def _last_line(stderr: BinaryIO) -> str:
    stderr.seek(0)
    lines = stderr.read().decode(errors="replace").split("\n")
    said = [line.strip() for line in lines if line.strip()]
    return f" ({said[-1]})" if said else ""


def _explain(error: PapermillExecutionError) -> str:
    """Return the notebook's own error: one line if it was foreseen, else where it came from."""
    if error.ename in _names(LazybookError):
        return error.evalue
    lines = strip_color("\n".join(error.traceback)).splitlines()
    return f"cell {error.exec_count} failed\n" + "\n".join(lines[-15:])


def _names(kind: type) -> set[str]:
    """Return the names of a class and all that are derived from it."""
    return {kind.__name__}.union(*map(_names, kind.__subclasses__()))


@contextmanager
def _progress(name: str, report: Path) -> Iterator[None]:
    """Show what the notebook's sweeps write to the file ``report``, while it runs."""
    state = progress.State(name)
    finished = threading.Event()

    def follow() -> None:
        while not finished.wait(0.2):
            if report.exists():
                said = json.loads(report.read_text())
                state.label = f"{name}: {said['label']}"
                state.total, state.done = said["total"], said["done"]

    follower = threading.Thread(target=follow, daemon=True)
    follower.start()
    try:
        with progress.followed(state):
            yield
    finally:
        finished.set()
        follower.join()
