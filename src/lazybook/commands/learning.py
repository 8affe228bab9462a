"""``lazybook train`` and ``lazybook sweep``."""

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from lazybook.commands.options import FIELDS, NONE, Choices, experiments, takes_fields
from lazybook.commands.output import (
    Csv,
    CsvFile,
    File,
    Fresh,
    Jobs,
    Json,
    Scheduler,
    measured,
    number,
    print_json,
    run_as_json,
    show,
    table,
)
from lazybook.errors import InvalidValue
from lazybook.support import streams

if TYPE_CHECKING:
    from rich.table import Table

    from lazybook.runs import Run

MEASURED = ("epoch", "test_accuracy", "updates", "energy_m1")  # shown of a sweep


@takes_fields(several=False)
def train(
    choices: Choices,
    save: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="write the network that was learned to this file, *.npz, for NumPy; as with"
            " --record weights, a run that was kept without its weights is computed again",
        ),
    ] = None,
    fresh: Fresh = False,
    as_json: Json = False,
) -> None:
    """Train one network, or show what it gave if it was trained before."""
    if save is not None:
        file = File("save", save, ".npz")
        recorded = choices.get("record", [[]])[0]
        choices["record"] = [recorded + ["weights"] * ("weights" not in recorded)]
    [wanted] = experiments(choices)

    # These take a second to import, for which nobody waits who wrote something wrong.
    from lazybook import datasets
    from lazybook.runs import DivergedRun, model
    from lazybook.sweep import sweep

    warnings.simplefilter("ignore", DivergedRun)  # it is said below
    if save is not None:
        dataset = datasets.load(wanted.dataset)
    run = sweep([wanted], jobs=1, fresh=fresh).runs[0]
    if run.diverged:
        streams.say(
            f"the run diverged: after {run.final['samples']:,} samples its numbers were no longer"
            " finite; a smaller learning rate may help"
        )
    if save is not None:
        import numpy as np

        file.write(lambda opened: np.savez(opened, **model(run, dataset)))
    if as_json:
        print_json(run_as_json(run))
    else:
        show(measured(run))


@takes_fields(several=True)
def sweep(
    choices: Choices,
    csv: Csv = None,
    ends: Annotated[
        bool, typer.Option("--ends", help="in the CSV one row a run, not one a measurement")
    ] = False,
    jobs: Jobs = None,
    scheduler: Scheduler = None,
    fresh: Fresh = False,
    as_json: Json = False,
) -> None:
    """Train a network for every combination of values, or show what it gave before.

    The options are those of train, with several values each: --hidden 100,300 or, the same,
    --hidden 100 --hidden 300. Whole numbers may be a range as in Python: --seed 0:5 is 0,1,2,3,4.
    Where a value has commas of its own (of --dataset, --restriction, --caching and --initial),
    only repeating the option gives several; ' & ' combines restrictions to one value:
    --restriction all --restriction "subnet:20 & largest-per-layer:0.05". What --energy-exponents
    and --record say is for all runs.
    """
    file = CsvFile(csv, as_json)
    if ends and not file.wanted:
        raise InvalidValue("--ends is for --csv FILE; the table on the screen has one row a run")
    wanted = experiments(choices)

    from lazybook import sweep as sweeping

    swept = sweeping.sweep(wanted, jobs=jobs, fresh=fresh, tell=_say_how_many, scheduler=scheduler)
    if file.wanted:
        file.write(swept.ends() if ends else swept.table())
    if as_json:
        print_json([run_as_json(run) for run in swept.runs])
    elif not file.printed:
        show(_ends(swept.runs))


def _say_how_many(runs: int, missing: int) -> None:
    streams.say(f"{runs:,} run{'s' * (runs > 1)}, {missing:,} to compute")


def _ends(runs: Sequence["Run"]) -> "Table":
    """Return the last measurements of a sweep's runs, beside what they differ in."""
    from lazybook.sweep import end

    rows = [end(run) for run in runs]
    differing = [name for name in FIELDS if len({row.get(name) for row in rows}) > 1]
    words = [name for name in ("reached", "diverged") if any(row[name] for row in rows)]
    names = (name.replace("_", " ") for name in (*differing, *MEASURED, *words))
    shown = table(*names, box=None)
    for row in rows:
        fields = (NONE if row[name] is None else str(row[name]) for name in differing)
        measured = (number(row[name]) for name in MEASURED)
        shown.add_row(*fields, *measured, *("yes" if row[name] else "no" for name in words))
    return shown
