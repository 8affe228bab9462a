"""How far the work is: a bar on the screen, or a file for whoever draws one."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn


@contextmanager
def shown(total: float, label: str, first: str = "") -> Iterator[Callable[[float], None]]:
    """Show how far the work is; yields a function to call with each piece that is done.

    Until the first piece is done, ``first`` is shown in place of ``label``, if it is given. With
    ``$LAZYBOOK_PROGRESS`` set, progress goes to that file for `lazybook.book.figures` to show.
    """
    if not total:
        yield lambda work: None
    elif "LAZYBOOK_PROGRESS" in os.environ:
        file = _ProgressFile(Path(os.environ["LAZYBOOK_PROGRESS"]), total, label)
        file.write(first or label)
        yield file.advance
    else:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        console = Console(stderr=True)
        unseen = not (console.is_terminal or console.is_jupyter)
        with Progress(*columns, console=console, transient=True, disable=unseen) as bar:
            task = bar.add_task(first or label, total=total)
            yield lambda work: bar.update(task, advance=work, description=label)


@dataclass
class _ProgressFile:
    path: Path
    total: float
    label: str
    done: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def advance(self, work: float) -> None:
        with self.lock:
            self.done += work
            self.write(self.label)

    def write(self, label: str) -> None:
        temporary = self.path.with_suffix(".tmp")
        state = {"done": self.done, "total": self.total, "label": label}
        temporary.write_text(json.dumps(state))
        temporary.replace(self.path)
