"""The command ``lazybook``: how it begins and ends. What it can do: `lazybook.commands`."""

import sys
import warnings
from contextlib import nullcontext
from typing import Any

from lazybook.errors import LONGEST, LazybookError
from lazybook.support import streams
from lazybook.support.interrupts import Interrupts


def main() -> None:
    """Run the command line and leave with its exit code.

    2 for what is wrong, which is said in one line; 130 after Ctrl-C; 1 if nobody reads the output.
    """
    interrupts = Interrupts("interrupted; finished runs are kept, run it again to go on")
    try:
        with interrupts, warnings.catch_warnings():
            streams.prepare()
            code = _answer()
    finally:
        interrupts.end()
    sys.exit(code)


def _answer() -> int:
    """Do what the command line says and return the exit code."""
    try:
        from lazybook.commands import app
        from lazybook.support import paths

        paths.settle()
        # With these Typer prints, and nothing else is done.
        only_prints = {"--help", "--version"} & {*sys.argv}
        with streams.printing() if only_prints else nullcontext():
            code = app(prog_name="lazybook", standalone_mode=False) or 0
        streams.flush()
        return code
    except LazybookError as error:
        problem = str(error)
    except ModuleNotFoundError as error:
        if error.name.partition(".")[0] == "lazybook":
            raise
        extra = "torch" if error.name in ("torch", "torchvision") else "book"
        problem = (
            f"this needs {error.name}, which is not installed; pip install 'lazybook[{extra}]'"
        )
    except MemoryError as error:
        problem = f"there is not enough memory: {error}".removesuffix(": ")
    except BrokenPipeError:  # as of `lazybook runs list | head`
        sys.stdout = None  # or Python would try again at its end
        return 1
    except OSError as error:
        sys.stdout = None
        where = f"{error.filename}: " if error.filename else ""
        problem = f"{where}{error.strerror or error}"
    except Exception as error:
        if not hasattr(error, "format_message"):  # what Typer raises for wrong options has it
            raise
        problem = _what_is_wrong(error)
    streams.say(problem if problem.startswith("Usage:") else f"error: {problem}")
    return 2


def _what_is_wrong(error: Any) -> str:
    """Return what Typer says of wrong options, and the value or the nearest right one with it."""
    if nearest := getattr(error, "possibilities", None):
        return f"{error.message}. Did you mean {nearest[0]}?"
    message = error.format_message()
    for wrong in getattr(error.__cause__, "errors", list)():
        problem = wrong["msg"].partition(",")[0].replace("Input", repr(wrong["input"]))
        message = message.replace(wrong["msg"], problem)
    for given in sys.argv[1:]:  # what was said may be a whole file
        value = given.partition("=")[2] or given
        if len(value) > LONGEST:
            message = message.replace(value, f"{value[:LONGEST]}…")
    return message
