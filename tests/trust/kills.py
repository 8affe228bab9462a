"""Processes that are killed: in the middle of a sweep, in the middle of a write."""

import itertools
import os
import resource
import signal
import sys
from collections import Counter
from functools import partial
from multiprocessing import Process
from pathlib import Path
from random import Random

from lazybook.runs import Store
from lazybook.sweep import sweep

from .harness import Wrong, start
from .sweeps import EXPERIMENTS, check_in_the_end, check_results, duration, kept

MOST = 3  # kills one after another
SMALLEST = 2500  # bytes; all records have more


def killed_sweeps(random: Random, folder: Path, figures: dict) -> None:
    """A sweep is killed, started again, killed again, and then left to end."""
    store, before = Store(folder / "runs"), {}
    figures["kills"], figures["records"] = 0, Counter()
    for _ in range(random.randint(1, MOST)):
        process = start(_sweep, store, random.choice((1, 2)))
        _wait(random, process, store)
        process.kill()
        if not _was_killed(process):
            break  # it was faster
        now = kept(store)
        if before.items() - now.items():
            raise Wrong("a record that was finished is gone or another after a kill")
        before = now
        figures["kills"] += 1
        figures["records"][len(now)] += 1
    check_in_the_end(store, kept(store), random.choice((1, 2)))


def killed_writes(random: Random, folder: Path, figures: dict) -> None:
    """A sweep is killed while it writes a record: at any byte, before or after the renaming."""
    store, jobs = Store(folder / "runs"), random.choice((1, 2))
    number = random.randrange(len(EXPERIMENTS))
    moment = random.choice(("in the bytes", "before the renaming", "after the renaming"))
    process = start(_sweep_and_die, store, jobs, number, moment, random.randrange(SMALLEST))
    if not _was_killed(process):
        raise Wrong(f"the process was not killed {moment}")
    figures["kills"], figures["moments"] = 1, Counter([moment])
    now = kept(store)
    if jobs == 1 and len(now) != number + (moment == "after the renaming"):
        raise Wrong(f"{len(now)} records are there after a kill in the one after {number}")
    check_in_the_end(store, now, random.choice((1, 2)))


def killed_neighbours(random: Random, folder: Path, figures: dict) -> None:
    """Two processes sweep over one store; one is killed, and the other does it all."""
    store = Store(folder / "runs")
    killed, other = (start(_sweep, store, random.choice((1, 2))) for _ in range(2))
    _wait(random, killed, store)
    killed.kill()
    figures["kills"] = int(_was_killed(killed))
    other.join()
    if other.exitcode:
        raise Wrong(f"the other process ended with {other.exitcode}: {_last_line(folder)}")
    now = kept(store)
    if len(now) != len(EXPERIMENTS):
        raise Wrong(f"{len(now)} of {len(EXPERIMENTS)} records are there")
    check_in_the_end(store, now, 1)


def _wait(random: Random, process: Process, store: Store) -> None:
    """Wait until some of the records are there, and then for a part of the time that one takes."""
    number = len(EXPERIMENTS)
    awaited = random.randint(min(len(store.all()), number - 1), number - 1)
    while process.is_alive() and len(store.all()) < awaited:
        process.join(0.001)
    process.join(random.uniform(0, duration() / number))


def _sweep(store: Store, jobs: int) -> None:
    check_results(sweep(EXPERIMENTS, jobs, store=store).runs)


def _sweep_and_die(store: Store, jobs: int, number: int, moment: str, byte: int) -> None:
    """Sweep, and die when record ``number`` is written: as one dies of SIGKILL, without a word.

    A file that becomes longer than the system allows kills its process in the middle of the write.
    """
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    die = partial(os.kill, os.getpid(), signal.SIGKILL)
    saved, save = itertools.count(), Store.save

    def save_and_die(*given: object) -> Path:
        if next(saved) == number:
            if moment == "in the bytes":
                _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
                resource.setrlimit(resource.RLIMIT_FSIZE, (byte, most))
            elif moment == "before the renaming":
                sys.addaudithook(lambda event, _: event == "os.rename" and die())
            else:
                save(*given)
                die()
        return save(*given)

    Store.save = save_and_die
    sweep(EXPERIMENTS, jobs, store=store)


def _was_killed(process: Process) -> bool:
    """Wait for the end of a process; raise Wrong if it had an end of another kind."""
    process.join()
    if process.exitcode not in (0, -signal.SIGKILL, -signal.SIGXFSZ):
        raise Wrong(f"a process ended with {process.exitcode} before it was killed")
    return process.exitcode != 0


def _last_line(folder: Path) -> str:
    return (folder / "output").read_text(errors="replace").strip().rpartition("\n")[2]
