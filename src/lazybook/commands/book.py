"""``lazybook figures`` and ``lazybook claims``."""

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lazybook.commands.output import Fresh, Jobs, Json, Scheduler, print_json, show, table
from lazybook.errors import InvalidValue

if TYPE_CHECKING:
    from lazybook.book.claims import Verdict

Profile = Annotated[str, typer.Option(help="smoke, quick or paper")]


def figures(
    profile: Profile = "quick",
    device: Annotated[str, typer.Option(help="cpu or cuda")] = "cpu",
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    fresh: Fresh = False,
    only: Annotated[
        list[str] | None, typer.Option(help="a notebook, such as fig2_mnist (repeatable)")
    ] = None,
    output: Annotated[
        str | None, typer.Option(help="folder for the notebooks; default: book/executed")
    ] = None,
) -> None:
    """Execute the notebooks of the book."""
    from lazybook.book.figures import EXECUTED, run_figures

    if output == "":
        raise InvalidValue("output is ''; name a folder")
    if scheduler == "":
        raise InvalidValue("scheduler is ''; give its address, such as tcp://10.0.0.1:8786")
    if scheduler:
        os.environ["LAZYBOOK_SCHEDULER"] = scheduler
    run_figures(profile, device, jobs, fresh, only, Path(output) if output else EXECUTED)


def claims(profile: Profile = "quick", as_json: Json = False) -> None:
    """Show the verdicts on the papers' claims, from what the notebooks measured."""
    from lazybook.book import claims as book

    verdicts = book.verdicts(profile)
    if as_json:
        print_json({verdict.claim.id: _verdict_as_json(verdict) for verdict in verdicts})
        return
    rows = table("claim", "statement", "paper", "verdict", title=f"profile {profile}")
    for verdict in verdicts:
        claim = verdict.claim
        word = f"{verdict.word}\n{verdict.note}".strip()
        rows.add_row(claim.id, claim.statement, claim.value, word)
    show(rows)


def _verdict_as_json(verdict: "Verdict") -> dict[str, Any]:
    return {
        "verdict": verdict.word,
        "note": verdict.note,
        "statement": verdict.claim.statement,
        "paper": verdict.claim.value,
        "measured": [
            {
                "measure": judged.measure.name,
                "condition": judged.condition,
                "mean": judged.mean,
                "reached": judged.mean != math.inf,  # of a time until something
                "interval": judged.interval,
                "state": judged.state,
                "core": judged.core,
            }
            for judged in verdict.judged
        ],
    }
