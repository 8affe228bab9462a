"""What a command says on stderr, and how it leaves the two streams that it prints to."""

import io
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lazybook.errors import LazybookWarning


def prepare() -> None:
    """Let nothing that is printed fail, and our own warnings be said as one line each, once.

    Sets what `warnings.catch_warnings` sets back.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # characters that its encoding lacks
    if any(option.startswith("error") for option in sys.warnoptions):
        warnings.simplefilter("default")  # a warning in another package is no reason to stop
    warnings.simplefilter("always", LazybookWarning)
    said, usual = set(), warnings.showwarning

    def show(message: Warning, category: type[Warning], *where: Any, **more: Any) -> None:
        if not issubclass(category, LazybookWarning):
            usual(message, category, *where, **more)
        elif str(message) not in said:
            said.add(str(message))
            say(f"warning: {message}")

    warnings.showwarning = show


@contextmanager
def printing() -> Iterator[None]:
    """Let an OSError of what is printed here name the stream."""
    try:
        yield
    except OSError as error:
        error.filename = "standard output"
        raise


def flush() -> None:
    """Write out what was printed; raises OSError that names the stream."""
    if sys.stdout:
        with printing():
            sys.stdout.flush()


def say(line: str) -> None:
    """Print ``line`` on stderr, if that is possible."""
    try:
        if sys.stderr:
            print(line, file=sys.stderr, flush=True)
    except (OSError, ValueError):  # full, or closed
        sys.stderr = None  # or Python would try again at its end
