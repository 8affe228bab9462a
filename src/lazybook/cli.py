"""The command ``lazybook``. Wrong input is answered by one line, and exit code 2."""

import json
import math
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from lazybook.errors import LazybookError, RecordError

if TYPE_CHECKING:
    from lazybook.runs import Run

app = typer.Typer(
    help="Learning with little synaptic plasticity: train, make the figures, see the verdicts.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
data = typer.Typer(help="The data sets.", no_args_is_help=True)
app.add_typer(data, name="data")
runs = typer.Typer(help="The runs that were kept.", no_args_is_help=True)
app.add_typer(runs, name="runs")
screen = Console()
progress_screen = Console(stderr=True)

Json = Annotated[bool, typer.Option("--json", help="print JSON, for machines")]
Profile = Annotated[str, typer.Option(help="smoke, quick or paper")]
Jobs = Annotated[int | None, typer.Option(help="experiments at a time; default: one a core")]
Fresh = Annotated[bool, typer.Option("--fresh", help="compute again what is in the run store")]


def main() -> None:
    """Run the command line and leave with its exit code."""
    try:
        sys.exit(app(prog_name="lazybook", standalone_mode=False))
    except LazybookError as error:
        message, code = str(error), 2
    except KeyboardInterrupt:
        message, code = "interrupted; finished runs are kept, run it again to go on", 130
    except Exception as error:
        if not hasattr(error, "format_message"):  # what Typer raises for wrong options has it
            raise
        message, code = error.format_message(), 2
        for wrong in getattr(error.__cause__, "errors", list)():  # Typer does not say the value
            problem = wrong["msg"].partition(",")[0].replace("Input", repr(wrong["input"]))
            message = message.replace(wrong["msg"], problem)
    print(message if message.startswith("Usage:") else f"error: {message}", file=sys.stderr)
    sys.exit(code)


@app.command()
def train(
    preset: Annotated[
        str,
        typer.Option(
            help="a paper's settings, which other options change: lazy, competitive, or perceptron"
            " (no hidden layer, random patterns)"
        ),
    ] = "lazy",
    dataset: Annotated[str | None, typer.Option(help="see: lazybook data list")] = None,
    hidden: Annotated[int | None, typer.Option(help="number of hidden units")] = None,
    gate: Annotated[
        str | None, typer.Option(help="every-sample, mistakes or memorized-mistakes")
    ] = None,
    restriction: Annotated[
        list[str] | None,
        typer.Option(
            help="all, synapse-mask:P1,P2, neuron-mask:N, subnet:N, largest-per-layer:F or"
            " largest-per-neuron:F; a mask or subnet is drawn once, and subnet-per-sample:N or"
            " subnet-per-class:N for each sample or class; repeat the option to combine several"
        ),
    ] = None,
    caching: Annotated[
        str | None,
        typer.Option(
            help="immediate, or THRESHOLD[,DECAY[,COST[,VARIANT]]] with the variants synapse, any"
            " and sum"
        ),
    ] = None,
    loss: Annotated[
        str | None, typer.Option(help="mse, half-mse, cross-entropy or perceptron")
    ] = None,
    activation: Annotated[str | None, typer.Option(help="relu or leaky-relu:SLOPE")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="size of a step")] = None,
    batch: Annotated[
        int | None, typer.Option(help="samples a step, with the autograd engine")
    ] = None,
    optimizer: Annotated[
        str | None, typer.Option(help="sgd; with the autograd engine also momentum:M or adam")
    ] = None,
    shifts: Annotated[
        int | None,
        typer.Option(
            help="shift training images at random by up to so many pixels, with the autograd engine"
        ),
    ] = None,
    zero_mean: Annotated[
        bool | None, typer.Option("--zero-mean/--no-zero-mean", help="subtract the mean input")
    ] = None,
    order: Annotated[str | None, typer.Option(help="permutation, replacement or in-turn")] = None,
    epochs: Annotated[int | None, typer.Option(help="length of the run")] = None,
    until: Annotated[
        float | None, typer.Option(help="stop at this test accuracy, such as 0.95")
    ] = None,
    measure_every: Annotated[
        int | None, typer.Option(help="samples between two measurements")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="one seed gives one result")] = None,
    engine: Annotated[str | None, typer.Option(help="numba, reference or autograd")] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, or cuda with the reference or autograd engine")
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
        "batch": batch,
        "optimizer": optimizer,
        "shifts": shifts,
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
        print(json.dumps(_as_json(run)))
    else:
        screen.print(_measured(run))


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
    from lazybook.book.figures import EXECUTED, run_figures

    run_figures(profile, device, jobs, fresh, only, output or EXECUTED)


@app.command()
def claims(profile: Profile = "quick", as_json: Json = False) -> None:
    """Show the verdicts on the papers' claims, from what the notebooks measured."""
    from lazybook import claims as book

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


@runs.command("list")
def runs_list(as_json: Json = False) -> None:
    """List the runs that were kept, the latest last."""
    from lazybook.runs import Store, read
    from lazybook.support import progress

    paths, found, damaged = Store().all(), {}, {}
    with progress.shown(len(paths), f"reading {len(paths)} records") as advance:
        for path in paths:
            try:
                found[path] = read(path)
            except RecordError as error:
                damaged[path] = str(error)
            advance(1)
    found = dict(sorted(found.items(), key=lambda entry: entry[1].provenance["date"]))
    if as_json:
        records = [{"record": p.stem, "path": str(p)} | _as_json(run) for p, run in found.items()]
        records += [{"record": p.stem, "path": str(p), "damaged": damaged[p]} for p in damaged]
        print(json.dumps(records))
        return
    columns = ("record", "data set", "hidden", "rules", "seed", "test accuracy", "date")
    table = Table(*columns, box=None)
    for path, run in found.items():
        fields = run.experiment.to_dict()
        rules = [fields["gate"], fields["restriction"], fields["caching"]]
        table.add_row(
            path.stem[:12],
            fields["dataset"],
            str(fields["hidden"] or "–"),
            ", ".join(rule for rule in rules if rule not in ("all", "immediate")),
            str(fields["seed"]),
            f"{100 * run.final['test_accuracy']:.2f} %",
            run.provenance["date"][:10],
        )
    screen.print(table)
    for path, problem in damaged.items():
        progress_screen.print(f"damaged: {path}: {problem}", soft_wrap=True, highlight=False)


@runs.command("show")
def runs_show(record: str, as_json: Json = False) -> None:
    """Show one run; the first letters of its record's name will do."""
    from lazybook.runs import Store

    run = Store().named(record)
    if as_json:
        print(json.dumps(_as_json(run)))
        return
    screen.print(_facts("experiment", run.experiment.to_dict()), _measured(run))
    screen.print(_facts("provenance", run.provenance))


@app.command()
def bench(
    hidden: Annotated[
        list[int] | None,
        typer.Option(help="number of hidden units (repeatable); default: 100 and 1000"),
    ] = None,
    rule: Annotated[
        list[str] | None,
        typer.Option(help="such as lazy or 'neuron mask' (repeatable); default: all"),
    ] = None,
    rounds: Annotated[int, typer.Option(help="how often each is timed")] = 5,
    as_json: Json = False,
) -> None:
    """Time the engines against plain loops, on one core, and against that core's caches."""
    from lazybook.benchmarks import cases, loops

    benchmark = cases.run(hidden or (100, 1000), rule or (), rounds)
    if as_json:
        print(json.dumps(benchmark.to_dict()))
        return

    def cells(result: cases.Result, *values: str) -> list[str]:
        return [result.case.rule, f"{result.case.experiment.hidden:,}", *values]

    def time(microseconds: float) -> str:
        return f"{microseconds:,.{0 if microseconds >= 100 else 1}f}"

    times = _numbers("rule", "H", *cases.LEARNERS, "ratio", "range")
    bounds = _numbers("rule", "H", "KB", "from L1", "from L2", "numba", "of L1", "of L2")
    for result in benchmark.results:
        taken = {name: time(spread.median) for name, spread in result.microseconds.items()}
        ratio = result.ratios["eager"]
        times.add_row(
            *cells(result, *(taken.get(name, "–") for name in cases.LEARNERS)),
            f"{ratio.median:.0f}",
            f"{ratio.low:.0f}–{ratio.high:.0f}",
        )
        moved = result.traffic.loaded + result.traffic.changed
        bounds.add_row(
            *cells(result, f"{moved / 1000:,.0f}"),
            *(time(result.bound(level)) for level in benchmark.caches),
            taken["numba"],
            *(f"{100 * result.reached(level):.0f} %" for level in benchmark.caches),
        )
    screen.print(
        "Median microseconds a sample on one core; ratio: eager / numba, with its range:\n"
    )
    screen.print(times)
    if not loops.jax_installed():
        screen.print("\nJAX is not installed; pip install 'lazybook\\[jax]' adds its column.")
    screen.print(
        "\nWhat moving the synapses takes at least, if they lie in the first or second cache,"
        " and how much of that speed is reached:\n"
    )
    screen.print(bounds)
    for level in benchmark.caches:
        screen.print(
            f"{level.name}, {level.size // 1024:,} KiB: loads {level.load / 1e9:.0f},"
            f" changes {level.change / 1e9:.0f} GB/s"
        )


def _numbers(first: str, *others: str) -> Table:
    """Return an empty table of numbers, but for the first column."""
    numbers = (Column(name, justify="right", no_wrap=True) for name in others)
    return Table(Column(first, no_wrap=True), *numbers, box=None, padding=(0, 0, 0, 2))


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


def _as_json(run: "Run") -> dict[str, Any]:
    # JSON knows no nan and no infinity, which a learning rate too large leads to.
    final = {name: value if math.isfinite(value) else None for name, value in run.final.items()}
    return {
        "experiment": run.experiment.to_dict(),
        "final": final,
        "provenance": run.provenance,
    }


def _measured(run: "Run") -> Table:
    final = run.final.items()
    return _facts(
        "at the end",
        {name: f"{value:,.4g}" if value < 1e4 else f"{value:,.0f}" for name, value in final},
    )


def _facts(title: str, facts: dict[str, Any]) -> Table:
    table = Table(title, "", box=None)
    for name, value in facts.items():
        table.add_row(name, str(value))
    return table
