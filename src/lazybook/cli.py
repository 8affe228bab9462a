"""The command ``lazybook``. Wrong input is answered by one line, and exit code 2."""

import json
import math
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from lazybook.errors import InvalidValue, LazybookError

app = typer.Typer(
    help="Learning with little synaptic plasticity: train, make the figures, see the verdicts.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
data = typer.Typer(help="The data sets.", no_args_is_help=True)
app.add_typer(data, name="data")
screen = Console()
progress_screen = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="print JSON, for machines")]
Profile = Annotated[str, typer.Option(help="smoke, quick or paper")]
Jobs = Annotated[int | None, typer.Option(help="experiments at a time; default: one a core")]
Fresh = Annotated[bool, typer.Option("--fresh", help="compute again what is in the run store")]


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        sys.exit(app(standalone_mode=False))
    except LazybookError as error:
        message, code = str(error), 2
    except KeyboardInterrupt:
        message, code = "interrupted; finished runs are kept, run it again to go on", 130
    except Exception as error:
        if not hasattr(error, "format_message"):  # what Typer raises for wrong options has it
            raise
        message, code = error.format_message(), 2
    print(message if message.startswith("Usage:") else f"error: {message}", file=sys.stderr)
    sys.exit(code)


@app.command()
def train(
    preset: Annotated[str, typer.Option(help="lazy or competitive: a paper's settings")] = "lazy",
    dataset: Annotated[str | None, typer.Option(help="see: lazybook data list")] = None,
    hidden: Annotated[int | None, typer.Option(help="number of hidden units")] = None,
    gate: Annotated[
        str | None, typer.Option(help="every-sample, mistakes or memorized-mistakes")
    ] = None,
    restriction: Annotated[
        list[str] | None,
        typer.Option(
            help="all, synapse-mask:P1,P2, neuron-mask:N, subnet:N, largest-per-layer:F or"
            " largest-per-neuron:F; several are combined"
        ),
    ] = None,
    caching: Annotated[str | None, typer.Option(help="a threshold, or immediate")] = None,
    loss: Annotated[
        str | None, typer.Option(help="mse, half-mse, cross-entropy or perceptron")
    ] = None,
    activation: Annotated[str | None, typer.Option(help="relu or leaky-relu:SLOPE")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="size of a step")] = None,
    zero_mean: Annotated[
        bool | None, typer.Option("--zero-mean/--no-zero-mean", help="subtract the mean input")
    ] = None,
    order: Annotated[str | None, typer.Option(help="permutation or replacement")] = None,
    epochs: Annotated[int | None, typer.Option(help="length of the run")] = None,
    until: Annotated[
        float | None, typer.Option(help="stop at this test accuracy, such as 0.95")
    ] = None,
    measure_every: Annotated[
        int | None, typer.Option(help="samples between two measurements")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="one seed gives one result")] = None,
    engine: Annotated[str | None, typer.Option(help="numba or reference")] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, or cuda with the reference engine")
    ] = None,
    fresh: Fresh = False,
    as_json: Json = False,
) -> None:
    """Train one network, or show what it gave if it was trained before."""
    from lazybook import caching as cachings
    from lazybook import experiment, gates, restrictions
    from lazybook.sweep import sweep

    given: dict[str, Any] = {
        "dataset": dataset,
        "hidden": hidden,
        "gate": gates.parse(gate) if gate is not None else None,
        "restriction": restrictions.parse(" & ".join(restriction)) if restriction else None,
        "caching": cachings.parse(caching) if caching is not None else None,
        "loss": loss,
        "activation": activation,
        "learning_rate": learning_rate,
        "zero_mean": zero_mean,
        "order": order,
        "epochs": epochs,
        "until": until,
        "measure_every": measure_every,
        "seed": seed,
        "engine": engine or ("reference" if device == "cuda" else None),
        "device": device,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    run = sweep([experiment.preset(preset, **changes)], jobs=1, fresh=fresh).runs[0]
    if as_json:
        # JSON knows no nan and no infinity, which a learning rate too large leads to.
        final = {name: value if math.isfinite(value) else None for name, value in run.final.items()}
        print(
            json.dumps(
                {
                    "experiment": run.experiment.to_dict(),
                    "final": final,
                    "provenance": run.provenance,
                }
            )
        )
        return
    table = Table("measured", "at the end", box=None)
    for name, value in run.final.items():
        table.add_row(name, f"{value:,.4g}" if value < 1e4 else f"{value:,.0f}")
    screen.print(table)


@app.command()
def figures(
    profile: Profile = "quick",
    device: Annotated[str, typer.Option(help="cpu or cuda")] = "cpu",
    jobs: Jobs = None,
    fresh: Fresh = False,
    only: Annotated[
        list[str] | None, typer.Option(help="a notebook, such as fig2_mnist (repeatable)")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="folder for the notebooks; default: book/executed")
    ] = None,
) -> None:
    """Execute the notebooks of the book."""
    from lazybook.figures import EXECUTED, run_figures

    run_figures(profile, device, jobs, fresh, only, output or EXECUTED)


@app.command()
def claims(profile: Profile = "quick", as_json: Json = False) -> None:
    """Show the verdicts on the papers' claims, from what the notebooks measured."""
    from lazybook import claims as book
    from lazybook.notebook import PROFILES

    if profile not in PROFILES:
        raise InvalidValue(f"profile is {profile!r}; choose from: {', '.join(PROFILES)}")
    verdicts = book.verdicts(profile)
    if as_json:
        print(
            json.dumps(
                {
                    verdict.claim.id: {
                        "verdict": verdict.word,
                        "note": verdict.note,
                        "statement": verdict.claim.statement,
                        "paper": verdict.claim.value,
                        "measured": [
                            {
                                "measure": judged.measure.name,
                                "condition": judged.condition,
                                "mean": judged.mean,
                                "interval": judged.interval,
                                "holds": judged.holds,
                            }
                            for judged in verdict.judged
                        ],
                    }
                    for verdict in verdicts
                }
            )
        )
        return
    table = Table("claim", "statement", "paper", "verdict", title=f"profile {profile}")
    for verdict in verdicts:
        claim = verdict.claim
        word = f"{verdict.word}\n{verdict.note}".strip()
        table.add_row(claim.id, claim.statement, claim.value, word)
    screen.print(table)


@data.command("list")
def data_list(as_json: Json = False) -> None:
    """List the data sets, where they are and whether their files are right."""
    from lazybook import datasets

    found = datasets.available()
    if as_json:
        print(json.dumps([entry._asdict() for entry in found], default=str))
        return
    table = Table("data set", "state", "folder")
    for entry in found:
        table.add_row(entry.name, entry.state, str(entry.folder or ""))
    screen.print(table)


@data.command("check")
def data_check(name: str) -> None:
    """Check the files of one data set; exit code 2 if they cannot be used."""
    from lazybook import datasets

    dataset = datasets.load(name)
    screen.print(
        f"{name}: ready, {len(dataset.train):,} training and {len(dataset.test):,} test samples"
    )


@data.command("fetch")
def data_fetch(name: str) -> None:
    """Download a data set into the user's cache folder and check it."""
    from rich.progress import Progress

    from lazybook import datasets

    bar, tasks = Progress(console=progress_screen, transient=True), {}
    with ExitStack() as shown:

        def progress(file: str, received: int, total: int | None) -> None:
            if not tasks:
                shown.enter_context(bar)  # not before the name is known to be right
            if file not in tasks:
                tasks[file] = bar.add_task(file, total=total)
            bar.update(tasks[file], completed=received)

        folder = datasets.fetch(name, progress)
    screen.print(f"{name} is in {folder}")
