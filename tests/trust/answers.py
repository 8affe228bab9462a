"""What a bad input has to be answered by: one clear line, before any work."""

from collections.abc import Callable
from typing import Any

from lazybook.errors import InvalidValue

from .harness import Wrong

PATIENCE = 60.0  # seconds until an answer, on a machine that does much else
LONGEST = 500  # characters of an answer
SMALL = [
    "train",
    "--dataset=two-clouds",
    "--hidden=3",
    "--epochs=1",
]  # what is right, and soon done


def check_raises(what: str, way: Callable[[], object]) -> None:
    """Raise Wrong unless ``way`` raises InvalidValue, in one line."""
    try:
        way()
    except InvalidValue as error:
        _check_line(str(error), what)
    except Wrong:
        raise
    except Exception as error:
        raise Wrong(f"{short(what)}: {type(error).__name__}: {str(error)[:200]}") from None
    else:
        raise Wrong(f"{short(what)}: accepted")


def short(text: str) -> str:
    """Return what is told of an input that may be long."""
    return text if len(text) <= 160 else f"{text[:160]}…"


def check_refusal(what: str, answer: tuple[Any, str, str]) -> None:
    """Raise Wrong unless it is exit code 2, nothing on stdout, and one line of error on stderr."""
    code, printed, said = answer
    if code != 2:
        end = "no end" if code is None else f"exit code {code}"
        raise Wrong(f"{short(what)}: {end}, {(said or printed)[-300:]!r}")
    lines = said.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    if (
        printed
        or len(errors) != 1
        or not all(line in errors or line.startswith("warning: ") for line in lines)
    ):
        raise Wrong(f"{short(what)}: {printed[:100]!r}, {said[:300]!r}")
    _check_line(errors[0], what)


def _check_line(line: str, what: str) -> None:
    if len(line.splitlines()) != 1 or len(line) > LONGEST:
        raise Wrong(f"{short(what)}: not one short line, but {line[:LONGEST]!r}")
