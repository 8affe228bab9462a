"""How far the work is: a bar on a terminal, a line in a notebook, now and then a line in a log."""

import contextvars
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from lazybook.errors import InvalidValue
from lazybook.support import streams

# Seconds until something is said in a notebook, and in a log; what is over sooner needs no words.
CELL_FIRST, LOG_FIRST = 2.0, 10.0

# Each line of a log comes when half as long again has passed as when the last one came: some
# twenty in a day, and the silence is never long beside what went before.
LOG_GROWTH = 1.5


@dataclass
class State:
    """What is being done, and how much of it is; any thread may change it.

    ``total`` is in the same units as ``done``, and None as long as it is not known.
    """

    label: str
    total: float | None = None
    done: float = 0.0

    def after(self, seconds: float) -> str:
        """Return how far it is after so many seconds: ``6 runs, 25 %, after 0:01:00, …``."""
        said = [self.label, f"after {_clock(seconds)}"]
        if self.total:
            said.insert(1, f"{100 * self.done / self.total:.0f} %")
            if 0 < self.done < self.total:
                said.append(f"{_clock(seconds * (self.total / self.done - 1))} left")
        return ", ".join(said)


@contextmanager
def shown(total: float, label: str, first: str = "") -> Iterator[Callable[[float], None]]:
    """Show how far the work is; yields a function to call with each piece that is done.

    Until the first piece is done, ``first`` is shown in place of ``label``, if it is given. With
    ``$LAZYBOOK_PROGRESS`` set, progress goes to that file for `lazybook.book.figures` to show.

    Raises InvalidValue if that file cannot be written.
    """
    if not total:
        yield lambda work: None
        return
    state, lock = State(first or label, total), threading.Lock()
    file = os.environ.get("LAZYBOOK_PROGRESS")
    if file:
        _try_to_report(state, Path(file))
    with nullcontext() if file else followed(state):

        def advance(work: float) -> None:
            with lock:
                state.label = label
                state.done += work
                if file:
                    with suppress(OSError):  # the work goes on where nobody can be told of it
                        _report(state, Path(file))

        yield advance


@contextmanager
def followed(state: State) -> Iterator[None]:
    """Show ``state`` as it changes, on stderr or in the notebook's cell, while this is entered."""
    ended = threading.Event()

    def follow() -> None:
        # A disk may be full, or the stream be closed.
        with suppress(OSError, ValueError), closing(_shows()(state)) as pauses:
            for pause in pauses:
                if ended.wait(pause):
                    break

    # With the context of this thread a notebook's kernel knows which cell the line belongs to.
    follower = threading.Thread(
        target=contextvars.copy_context().run, args=(follow,), name="progress", daemon=True
    )
    follower.start()
    try:
        yield
    finally:
        ended.set()
        follower.join()


def _shows() -> Callable[[State], Iterator[float]]:
    """Return what shows a state here: it yields the seconds until it wants to go on."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if hasattr(shell, "kernel"):
        return _in_cell
    # Asked of the stream itself: to Rich a file is a terminal too if $FORCE_COLOR is set.
    if sys.stderr and sys.stderr.isatty() and os.environ.get("TERM") not in ("dumb", "unknown"):
        return _on_terminal
    return _in_log


def _on_terminal(state: State) -> Iterator[float]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    bar = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,  # it may be a file
        speed_estimate_period=120,  # seconds; runs of different sizes pass at different speeds
    )
    with bar:
        task = bar.add_task(state.label, total=None)
        while True:
            bar.update(
                task,
                description=state.label,
                total=state.total,
                completed=state.done,
                refresh=True,
            )
            yield 0.1


def _in_cell(state: State) -> Iterator[float]:
    from IPython.display import display

    began = time.monotonic()
    yield CELL_FIRST

    def line() -> dict[str, str]:
        return {"text/plain": state.after(time.monotonic() - began)}

    handle = display(line(), raw=True, display_id=True)
    try:
        while True:
            yield 1.0
            handle.update(line(), raw=True)
    finally:
        handle.update(line(), raw=True)


def _in_log(state: State) -> Iterator[float]:
    began = time.monotonic()
    yield LOG_FIRST

    def say() -> None:
        streams.say(state.after(time.monotonic() - began))

    try:
        while True:
            say()
            yield (LOG_GROWTH - 1) * (time.monotonic() - began)
    finally:
        say()


def _clock(seconds: float) -> str:
    return str(timedelta(seconds=round(seconds)))


def _try_to_report(state: State, path: Path) -> None:
    """Write the first report; raise InvalidValue if there cannot be any."""
    try:
        if path.exists() and not path.is_file():
            raise OSError(None, "it is not a file")  # a device would be replaced by one
        _report(state, path)
    except OSError as error:
        raise InvalidValue(
            f"LAZYBOOK_PROGRESS is {str(path)!r}, where progress cannot be written:"
            f" {error.strerror}; name a file, or unset it"
        ) from None


def _report(state: State, path: Path) -> None:
    temporary = path.with_name(f"{path.name}.tmp")
    temporary.write_text(json.dumps(vars(state)))
    temporary.replace(path)
