"""Trials: each in a process and a folder of its own, side by side, never in the user's run store.

A trial is forked from this process, so what it needs is imported once. It must be made from a
process of a single thread.
"""

import multiprocessing
import os
import signal
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random
from typing import Any

from lazybook.support import paths

FORK = multiprocessing.get_context("fork")
OWN = ("LAZYBOOK_RUNS", "TMPDIR")  # folders in the environment that each trial has of its own

Trial = Callable[[Random, Path, dict], None]


class Wrong(Exception):
    """Something went wrong that must not; the message says what."""


@dataclass(frozen=True)
class Kind:
    """A kind of trial.

    Attributes
    ----------
    name: what it is called by on the command line.
    trial: a function of random numbers, of an empty folder, and of a dictionary to note figures
        in, which are added up over the trials. It raises `Wrong`, or anything else, if something
        goes wrong.
    short, long: how many trials of it there are in the tests, and to be published.
    limit: seconds after which a trial is taken to hang, on a machine that does much else.
    """

    name: str
    trial: Trial
    short: int
    long: int
    limit: float = 120.0


@dataclass(frozen=True)
class Outcome:
    """What came of one trial: ``problem`` is empty if all went well."""

    seed: int
    problem: str
    figures: dict[str, Any]


def trials(kind: Kind, seeds: Iterable[int], jobs: int) -> Iterator[Outcome]:
    """Make the trials with these seeds, ``jobs`` at a time; yields outcomes as they come."""
    left, running = list(seeds)[::-1], []
    try:
        while left or running:
            while left and len(running) < jobs:
                running.append(_Running(kind, left.pop()))
            due = min(trial.due for trial in running) - time.monotonic()
            wait([trial.process.sentinel for trial in running], max(due, 0))
            for trial in [trial for trial in running if trial.is_over()]:
                running.remove(trial)
                yield trial.outcome()
    finally:
        for trial in running:
            trial.end()


class _Running:
    """A trial that is being made."""

    def __init__(self, kind: Kind, seed: int) -> None:
        self.kind, self.seed = kind, seed
        self.folder = tempfile.TemporaryDirectory(prefix="lazybook-trust-")
        self.answer, theirs = FORK.Pipe(duplex=False)
        self.process = FORK.Process(target=_make, args=(kind, seed, self.folder.name, theirs))
        self.process.start()
        theirs.close()
        self.due = time.monotonic() + kind.limit

    def is_over(self) -> bool:
        return not self.process.is_alive() or time.monotonic() > self.due

    def outcome(self) -> Outcome:
        hangs = self.process.is_alive()
        said = None
        with suppress(EOFError):  # it died without a word
            said = self.answer.recv() if self.answer.poll() else None
        self.end()
        if said:
            return Outcome(self.seed, *said)
        problem = f"it was not over after {self.kind.limit:g} seconds" if hangs else "it died"
        return Outcome(self.seed, problem, {})

    def end(self) -> None:
        """End the trial, and all that it has started and left behind."""
        with suppress(ProcessLookupError):  # its group has its number until it is joined
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.join()
        self.folder.cleanup()


def _make(kind: Kind, seed: int, folder: str, answer: Connection) -> None:
    """Make one trial, in a process of its own, and send what came of it."""
    os.setpgid(0, 0)
    place, figures = Path(folder), {}
    with (place / "output").open("w") as output:
        for stream in (1, 2):
            os.dup2(output.fileno(), stream)
    for name in OWN:
        own = place / name.lower()
        own.mkdir()
        os.environ[name] = str(own)
    tempfile.tempdir = None  # not where it was for the process that this one is forked from
    warnings.simplefilter("error")
    try:
        kind.trial(Random(seed), place, figures)
        problem = ""
    except Wrong as wrong:
        problem = str(wrong)
    except BaseException as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        problem = f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"
    answer.send((_named(problem, place), figures))


def _named(problem: str, folder: Path) -> str:
    """Return the problem without what is of this machine alone."""
    for place, name in ((folder, "FOLDER"), (paths.SOURCE, "SOURCE"), (Path.home(), "HOME")):
        problem = problem.replace(str(place), name)
    return problem


def start(target: Callable[..., object], *arguments: object) -> multiprocessing.Process:
    """Fork a process from a trial; it ends with the trial."""
    process = FORK.Process(target=target, args=arguments)
    process.start()
    return process


def ran(main: Callable[[], object], folder: Path, limit: float) -> tuple[int | None, str, str]:
    """Let a forked process do something, such as a command.

    Returns its exit code, None if it was not over after ``limit`` seconds, and what it printed on
    stdout and on stderr.
    """
    said = [folder / "stdout", folder / "stderr"]
    process = start(_redirected, main, said)
    process.join(limit)
    code = process.exitcode
    process.kill()
    process.join()
    return code, *(path.read_text(errors="replace") for path in said)


def _redirected(main: Callable[[], object], said: list[Path]) -> None:
    for number, path in enumerate(said, 1):
        with path.open("w") as file:
            os.dup2(file.fileno(), number)
    warnings.resetwarnings()
    main()
