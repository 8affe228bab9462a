"""Run the notebooks of the book.

Each ``notebooks/**/*.py`` is converted in memory, given its parameters, executed in a kernel of
the running interpreter and written, outputs and all, to the same place under ``book/executed``.
"""

import json
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import jupytext
import nbformat
import papermill
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import run_sync
from nbclient.exceptions import DeadKernelError
from papermill.exceptions import PapermillExecutionError, strip_color
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from lazybook.book.notebook import Settings, assigned, check_names
from lazybook.errors import InvalidValue, LazybookError
from lazybook.support.paths import repository

ROOT = repository() or Path.cwd()
SOURCES = ROOT / "notebooks"
EXECUTED = ROOT / "book" / "executed"
LAST = "scorecard"  # it judges what the others have measured


def notebooks(sources: Path = SOURCES) -> dict[str, Path]:
    """Return the notebooks by name (``fig2_mnist``), in the order in which they run.

    Raises
    ------
    LazybookError: there are none, or two have the same name.
    """
    paths = sorted(sources.rglob("*.py"), key=lambda path: (path.stem == LAST, path))
    if not paths:
        raise LazybookError(f"no notebooks in {sources}; run this in a copy of the repository")
    found: dict[str, Path] = {}
    for path in paths:
        if path.stem in found:
            raise LazybookError(f"two notebooks have the name {path.stem}; rename {path}")
        found[path.stem] = path
    return found


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
    checked is checked before the first one starts.

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
        value of one.
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

    console = Console(stderr=True, highlight=False)
    for name, document in documents.items():
        target = (output / chosen[name].relative_to(sources)).with_suffix(".ipynb").resolve()
        began = time.monotonic()
        _remove(target)  # a page of an earlier run must not pass for this one
        _write(_execute(name, document, values, target.parent, console), target)
        console.print(f"[green]✓[/] {name}  {time.monotonic() - began:.0f} s")


def _parameters(document: nbformat.NotebookNode) -> list[str]:
    return [
        name
        for cell in document.cells
        if "parameters" in cell.metadata.get("tags", ())
        for name in assigned(cell.source)
    ]


def _execute(
    name: str,
    document: nbformat.NotebookNode,
    values: dict[str, Any],
    folder: Path,
    console: Console,
) -> nbformat.NotebookNode:
    """Return the document executed with its working directory in ``folder``."""
    manager = _kernel_manager()
    with _progress(name, console):
        try:
            executed = papermill.execute_notebook(
                document,
                None,
                parameters=values,
                kernel_name=NATIVE_KERNEL_NAME,
                language="python",
                progress_bar=False,
                cwd=folder,
                km=manager,
                # ipykernel warns at every start that it listens on TCP, as kernels do
                extra_arguments=["--IPKernelApp.log_level=40"],
            )
        except PapermillExecutionError as error:
            raise LazybookError(f"{name}: {_explain(error)}") from None
        except DeadKernelError:
            raise LazybookError(f"{name}: the kernel died; was there enough memory?") from None
        finally:
            # A kernel that was handed in is left running, with all its data.
            run_sync(manager.shutdown_kernel)(now=True)
    del executed.metadata["papermill"]  # it holds a second copy of the notebook
    for cell in executed.cells:
        if "injected-parameters" in cell.metadata.get("tags", ()):
            cell.metadata.tags.append("remove-cell")  # the page states its profile at the end
    return executed


def _kernel_manager() -> AsyncKernelManager:
    """Return the manager of a kernel in this very interpreter, whatever else is installed."""
    specifications = KernelSpecManager(kernel_dirs=[])  # so that only the native one is left
    return AsyncKernelManager(kernel_name=NATIVE_KERNEL_NAME, kernel_spec_manager=specifications)


def _explain(error: PapermillExecutionError) -> str:
    """Return the notebook's own error: one line if it was foreseen, else where it came from."""
    foreseen = {kind.__name__ for kind in (LazybookError, *LazybookError.__subclasses__())}
    if error.ename in foreseen:
        return error.evalue
    lines = strip_color("\n".join(error.traceback)).splitlines()
    return f"cell {error.exec_count} failed\n" + "\n".join(lines[-15:])


def _remove(target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
    except OSError as error:
        raise LazybookError(f"cannot write to {target.parent}: {error.strerror}") from None


def _write(document: nbformat.NotebookNode, target: Path) -> None:
    aside = target.with_suffix(".part")
    nbformat.write(document, aside)
    aside.replace(target)


@contextmanager
def _progress(name: str, console: Console) -> Iterator[None]:
    """Draw what the notebook's sweeps report while it runs.

    A sweep writes ``{"done": …, "total": …, "label": …}`` to the file ``$LAZYBOOK_PROGRESS``.
    """
    display = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
        speed_estimate_period=120,  # seconds; runs of different sizes pass at different speeds
    )
    if not console.is_terminal:
        console.print(f"… {name}")
    with tempfile.TemporaryDirectory() as folder, display:
        report = Path(folder) / "progress.json"
        task = display.add_task(name, total=None)
        finished = threading.Event()

        def follow() -> None:
            while not finished.wait(0.2):
                if report.exists():
                    state = json.loads(report.read_text())
                    display.update(
                        task,
                        completed=state["done"],
                        total=state["total"],
                        description=f"{name}: {state['label']}",
                    )

        follower = threading.Thread(target=follow, daemon=True)
        follower.start()
        os.environ["LAZYBOOK_PROGRESS"] = str(report)
        try:
            yield
        finally:
            del os.environ["LAZYBOOK_PROGRESS"]
            finished.set()
            follower.join()
