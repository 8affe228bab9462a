"""Make the trials: all, those of one kind, or a single one; and publish how they went."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import torch

from lazybook import datasets, runs
from lazybook.support import machine, paths

from . import (
    commands,
    constructors,
    counters,
    damage,
    environment,
    kills,
    makefile,
    memory,
    notebooks,
    sweeps,
)
from .harness import Kind, Outcome, trials

KINDS = [
    Kind("killed-sweeps", kills.killed_sweeps, 6, 120),
    Kind("killed-writes", kills.killed_writes, 8, 120),
    Kind("killed-neighbours", kills.killed_neighbours, 1, 24),
    Kind("damaged-records", damage.damaged_records, 8, 120),
    Kind("constructors", constructors.constructors, 60, 1000),
    Kind("notebooks", notebooks.parameters, 10, 200),
    Kind("command-line", commands.arguments, 20, 300),
    Kind("environment", environment.variables, 1, 40),
    Kind("make", makefile.variables, 8, 80),
    Kind("jobs", counters.jobs, 2, 24),
    Kind("chunks", counters.chunks, 4, 80),
    Kind("engines", counters.engines, 2, 40),
    Kind("diverging", counters.diverging, 1, 24),
    Kind("memory", memory.sweeps, 1, 10),
]
NAMES = {kind.name: kind for kind in KINDS}
WORST = 20  # failures of a kind that are told; all are counted


def main() -> int:
    """Do what the command line says; returns 1 if anything went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.trust", description=__doc__)
    parser.add_argument("kind", nargs="?", choices=NAMES, help="one kind of trial")
    parser.add_argument("seed", nargs="?", type=int, help="one trial of it")
    parser.add_argument("--short", action="store_true", help="a few trials of each kind")
    parser.add_argument("--output", type=Path, help="file for the figures")
    parser.add_argument("--jobs", type=int, default=machine.cores(), help="trials at a time")
    given = parser.parse_args()

    _prepare()
    found = {}
    for kind in [NAMES[given.kind]] if given.kind else KINDS:
        number = kind.short if given.short else kind.long
        seeds = range(number) if given.seed is None else [given.seed]
        found[kind.name] = _made(kind, seeds, given.jobs)
    publish = not given.short and given.seed is None
    output = given.output or (paths.SOURCE / "results" / "trust.json" if publish else None)
    if output:
        others = json.loads(output.read_text("utf8")) if given.kind and output.exists() else {}
        output.write_text(json.dumps(others | _record(found), indent=1) + "\n", "utf8")
    return int(any(outcome.problem for outcomes in found.values() for outcome in outcomes))


def _prepare() -> None:
    """Do once, before the forks, what each trial would do."""
    torch.set_num_threads(1)
    sweeps.expected()
    sweeps.duration()


def _made(kind: Kind, seeds: Any, jobs: int) -> list[Outcome]:
    """Make the trials of one kind and say how it went."""
    began, outcomes = time.monotonic(), []
    for outcome in trials(kind, seeds, jobs):
        outcomes.append(outcome)
        if outcome.problem:
            print(f"{kind.name} {outcome.seed}: {outcome.problem}", flush=True)
    good = sum(not outcome.problem for outcome in outcomes)
    seconds = time.monotonic() - began
    print(f"{kind.name}: {good} of {len(outcomes)} good, {seconds:.0f} s", flush=True)
    return sorted(outcomes, key=lambda outcome: outcome.seed)


def _record(found: dict[str, list[Outcome]]) -> dict[str, Any]:
    """Return the figures of each kind, and where, when and with what they were made."""
    made = runs.provenance(datasets.load("two-clouds"), 0.0)
    made = {name: made[name] for name in ("date", "commit", "machine", "python", "packages")}
    return {name: _figures(outcomes) | {"provenance": made} for name, outcomes in found.items()}


def _figures(outcomes: list[Outcome]) -> dict[str, Any]:
    failures = {outcome.seed: outcome.problem for outcome in outcomes if outcome.problem}
    figures: dict[str, Any] = {}
    for outcome in outcomes:
        for name, value in outcome.figures.items():
            figures[name] = figures[name] + value if name in figures else value
    return {
        "done": len(outcomes),
        "good": len(outcomes) - len(failures),
        "seeds": [outcomes[0].seed, outcomes[-1].seed],
        "failures": dict(list(failures.items())[:WORST]),
        "figures": figures,
    }


if __name__ == "__main__":
    sys.exit(main())
