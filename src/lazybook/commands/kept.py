"""``lazybook runs list`` and ``lazybook runs show``."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from lazybook.commands.options import Choices, is_among, takes_fields
from lazybook.commands.output import (
    Csv,
    CsvFile,
    Json,
    facts,
    measured,
    print_json,
    run_as_json,
    show,
    table,
)
from lazybook.errors import RecordError, told
from lazybook.support import progress, streams

if TYPE_CHECKING:
    from pathlib import Path

    from lazybook.runs import Summary


def _date(text: str) -> datetime:
    try:
        date = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{told(text)} is no date; write it as 2026-11-30 or 2026-11-30T18:00"
        ) from None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


@takes_fields(True, "preset")
def list_runs(
    choices: Choices,
    since: Annotated[
        datetime | None,
        typer.Option(
            parser=_date, metavar="DATE", help="made at this date or later, such as 2026-11-30; UTC"
        ),
    ] = None,
    csv: Csv = None,
    as_json: Json = False,
) -> None:
    """List the runs that were kept, the latest last.

    The options that train has list only those runs that have what is given, or one of several
    values: --hidden 100,300. They are spelled as those of sweep. A run has to have all that
    --energy-exponents and --record say, and may have more.
    """
    file, is_wanted = CsvFile(csv, as_json), is_among(choices)
    found, damaged = _summaries()
    listed = {
        path: run
        for path, run in found.items()
        if is_wanted(run.experiment)
        and (since is None or datetime.fromisoformat(run.provenance["date"]) >= since)
    }
    if found and not listed:
        streams.say(f"none of the {len(found):,} runs that were kept is like this")
    if file.wanted:
        import pandas as pd

        from lazybook.sweep import end

        rows = [{"record": path.stem} | end(run) | _made(run) for path, run in listed.items()]
        file.write(pd.DataFrame(rows, columns=None if rows else ["record"]))
    if as_json:
        entries = [{"record": p.stem, "path": p} | run_as_json(run) for p, run in listed.items()]
        entries += [{"record": p.stem, "path": p, "damaged": damaged[p]} for p in damaged]
        print_json(entries)
        return
    if not file.printed:
        _show_list(listed)
    for path, problem in damaged.items():
        streams.say(f"damaged: {path}: {problem}")


def _summaries() -> tuple[dict["Path", "Summary"], dict["Path", str]]:
    """Return what is told of the records that there are, by date, and what is wrong with others."""
    from lazybook.runs import Store, summary

    records, found, damaged = Store().all(), {}, {}
    with progress.shown(len(records), f"reading {len(records)} records") as advance:
        for path in records:
            try:
                found[path] = summary(path)
            except FileNotFoundError:  # since it was listed
                pass
            except RecordError as error:
                damaged[path] = str(error)
            advance(1)
    return dict(sorted(found.items(), key=lambda entry: entry[1].provenance["date"])), damaged


def _made(run: "Summary") -> dict:
    return {name: run.provenance.get(name) for name in ("date", "compute_seconds")}


def _show_list(listed: dict["Path", "Summary"]) -> None:
    columns = ("record", "data set", "hidden", "rules", "seed", "test accuracy", "date")
    rows = table(*columns, box=None)
    for path, run in listed.items():
        fields = run.experiment.to_dict()
        rules = [fields["gate"], fields["restriction"], fields["caching"]]
        rows.add_row(
            path.stem[:12],
            fields["dataset"],
            str(fields["hidden"] or "–"),
            ", ".join(rule for rule in rules if rule not in ("all", "immediate")),
            str(fields["seed"]),
            f"{100 * run.final['test_accuracy']:.2f} %" + ", diverged" * run.diverged,
            run.provenance["date"][:10],
        )
    show(rows)


def show_run(record: str, csv: Csv = None, as_json: Json = False) -> None:
    """Show one run; the first letters of its record's name will do. CSV has all measurements."""
    from lazybook.runs import Store

    file = CsvFile(csv, as_json)
    run = Store().named(record)
    file.write(run.table)
    if as_json:
        print_json(run_as_json(run))
    elif not file.printed:
        show(facts("experiment", run.experiment.to_dict()), measured(run))
        show(facts("provenance", run.provenance))
