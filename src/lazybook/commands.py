"""What the command ``lazybook`` can do: each command asks the package and prints what it gives.

What is heavy is imported inside the commands, so that help and wrong input are answered at once.
"""

import json
import math
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.table import Column, Table

from lazybook.errors import InvalidValue, RecordError
from lazybook.support import paths, progress, streams

if TYPE_CHECKING:
    from lazybook.book.claims import Verdict
    from lazybook.runs import Run, Summary

NONE = "none"  # said of an option whose value may be that there is none

LEAST_WIDTH = 60  # columns of a table, however narrow the terminal says it is

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
data = typer.Typer(help="The data sets.", no_args_is_help=True)
app.add_typer(data, name="data")
runs = typer.Typer(help="The runs that were kept.", no_args_is_help=True)
app.add_typer(runs, name="runs")

Json = Annotated[bool, typer.Option("--json", help="print JSON, for machines")]
Profile = Annotated[str, typer.Option(help="smoke, quick or paper")]
Jobs = Annotated[int | None, typer.Option(help="experiments at a time; default: one a core")]
Fresh = Annotated[bool, typer.Option("--fresh", help="compute again what is in the run store")]


def _show(*what: RenderableType) -> None:
    """Print tables and text on stdout as they are: nothing in a name or a path is markup."""
    console = Console(markup=False, emoji=False)
    console.width = max(console.width, LEAST_WIDTH)
    console.print(*what)


def _print_json(value: Any) -> None:
    print(json.dumps(_finite(value), allow_nan=False, default=str))


def _finite(value: Any) -> Any:
    """Return ``value`` with null in place of nan and infinity, which JSON does not know."""
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _print_version(wanted: bool) -> None:
    if wanted:
        try:
            found = version("lazybook")
        except PackageNotFoundError:  # run from its source
            found = paths.project().get("version", "unknown")
        print(f"lazybook {found}")
        raise typer.Exit


def _whole_or_none(text: str) -> int | str:
    return _number_or_none(text, int, "a whole number")


def _number_or_none(text: str, kind: type = float, allowed: str = "a number") -> float | str:
    try:
        return NONE if text == NONE else kind(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither {allowed} nor {NONE!r}") from None


@app.callback()
def lazybook(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="print the version"),
    ] = False,
) -> None:
    """Learning with little synaptic plasticity: train, make the figures, see the verdicts."""


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
    hidden: Annotated[
        Any,
        typer.Option(
            parser=_whole_or_none, metavar="<int>", help="number of hidden units, or none at all"
        ),
    ] = None,
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
    initial: Annotated[
        str | None, typer.Option(help="initial weights: pytorch, zeros or gaussian:DEVIATION")
    ] = None,
    bias: Annotated[str | None, typer.Option(help="separate, clamped-unit or none")] = None,
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
        Any,
        typer.Option(
            parser=_number_or_none,
            metavar="<float>",
            help="stop at this test accuracy, such as 0.95, or at none",
        ),
    ] = None,
    measure_every: Annotated[
        int | None, typer.Option(help="samples between two measurements")
    ] = None,
    measure_training: Annotated[
        bool | None,
        typer.Option(
            "--measure-training/--no-measure-training",
            help="measure on the training set too, at the ends of epochs",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="one seed gives one result")] = None,
    engine: Annotated[str | None, typer.Option(help="numba, reference or autograd")] = None,
    device: Annotated[
        str | None, typer.Option(help="cpu, or cuda with the reference or autograd engine")
    ] = None,
    energy_exponents: Annotated[
        list[float] | None,
        typer.Option(
            help="measure the energy with this exponent too; repeat the option for several",
        ),
    ] = None,
    record: Annotated[
        list[str] | None,
        typer.Option(
            help="keep sample-energy, path, potentiation, synapse-updates or weights; repeat the"
            " option for several"
        ),
    ] = None,
    fresh: Fresh = False,
    as_json: Json = False,
) -> None:
    """Train one network, or show what it gave if it was trained before."""
    from lazybook import caching as cachings
    from lazybook import experiment, gates, restrictions

    if engine is None and device == "cuda":
        engine = "reference"
    given: dict[str, Any] = {
        "dataset": dataset,
        "hidden": hidden,
        "gate": gates.parse(gate) if gate is not None else None,
        "restriction": restrictions.parse(" & ".join(restriction)) if restriction else None,
        "caching": cachings.parse(caching) if caching is not None else None,
        "loss": loss,
        "activation": activation,
        "initial": initial,
        "bias": bias,
        "learning_rate": learning_rate,
        "batch": batch,
        "optimizer": optimizer,
        "shifts": shifts,
        "zero_mean": zero_mean,
        "order": order,
        "epochs": epochs,
        "until": until,
        "measure_every": measure_every,
        "measure_training": measure_training,
        "seed": seed,
        "engine": engine,
        "device": device,
        "energy_exponents": tuple(energy_exponents) if energy_exponents else None,
        "record": tuple(record) if record else None,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    changes |= {name: None for name in ("hidden", "until") if given[name] == NONE}
    wanted = experiment.preset(preset, **changes)

    # These take a second to import, for which nobody waits who wrote something wrong.
    from lazybook.runs import DivergedRun
    from lazybook.sweep import sweep

    warnings.simplefilter("ignore", DivergedRun)  # it is said below
    run = sweep([wanted], jobs=1, fresh=fresh).runs[0]
    if run.diverged:
        streams.say(
            f"the run diverged: after {run.final['samples']:,} samples its numbers were no longer"
            " finite; a smaller learning rate may help"
        )
    if as_json:
        _print_json(_as_json(run))
    else:
        _show(_measured(run))


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
        str | None, typer.Option(help="folder for the notebooks; default: book/executed")
    ] = None,
) -> None:
    """Execute the notebooks of the book."""
    from lazybook.book.figures import EXECUTED, run_figures

    if output == "":
        raise InvalidValue("output is ''; name a folder")
    run_figures(profile, device, jobs, fresh, only, Path(output) if output else EXECUTED)


@app.command()
def claims(profile: Profile = "quick", as_json: Json = False) -> None:
    """Show the verdicts on the papers' claims, from what the notebooks measured."""
    from lazybook.book import claims as book

    verdicts = book.verdicts(profile)
    if as_json:
        _print_json({verdict.claim.id: _verdict_as_json(verdict) for verdict in verdicts})
        return
    table = _table("claim", "statement", "paper", "verdict", title=f"profile {profile}")
    for verdict in verdicts:
        claim = verdict.claim
        word = f"{verdict.word}\n{verdict.note}".strip()
        table.add_row(claim.id, claim.statement, claim.value, word)
    _show(table)


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
                "interval": judged.interval,
                "state": judged.state,
                "core": judged.core,
            }
            for judged in verdict.judged
        ],
    }


@runs.command("list")
def runs_list(as_json: Json = False) -> None:
    """List the runs that were kept, the latest last."""
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
    found = dict(sorted(found.items(), key=lambda entry: entry[1].provenance["date"]))
    if as_json:
        listed = [{"record": p.stem, "path": p} | _as_json(run) for p, run in found.items()]
        listed += [{"record": p.stem, "path": p, "damaged": damaged[p]} for p in damaged]
        _print_json(listed)
        return
    columns = ("record", "data set", "hidden", "rules", "seed", "test accuracy", "date")
    table = _table(*columns, box=None)
    for path, run in found.items():
        fields = run.experiment.to_dict()
        rules = [fields["gate"], fields["restriction"], fields["caching"]]
        table.add_row(
            path.stem[:12],
            fields["dataset"],
            str(fields["hidden"] or "–"),
            ", ".join(rule for rule in rules if rule not in ("all", "immediate")),
            str(fields["seed"]),
            f"{100 * run.final['test_accuracy']:.2f} %" + ", diverged" * run.diverged,
            run.provenance["date"][:10],
        )
    _show(table)
    for path, problem in damaged.items():
        streams.say(f"damaged: {path}: {problem}")


@runs.command("show")
def runs_show(record: str, as_json: Json = False) -> None:
    """Show one run; the first letters of its record's name will do."""
    from lazybook.runs import Store

    run = Store().named(record)
    if as_json:
        _print_json(_as_json(run))
        return
    _show(_facts("experiment", run.experiment.to_dict()), _measured(run))
    _show(_facts("provenance", run.provenance))


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
        _print_json(benchmark.to_dict())
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
    _show("Median microseconds a sample on one core; ratio: eager / numba, with its range:\n")
    _show(times)
    if not loops.jax_installed():
        _show("\nJAX is not installed; pip install 'lazybook[jax]' adds its column.")
    _show(
        "\nWhat moving the synapses takes at least, if they lie in the first or second cache,"
        " and how much of that speed is reached:\n"
    )
    _show(bounds)
    for level in benchmark.caches:
        _show(
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
        _print_json([entry._asdict() for entry in found])
        return
    table = _table("data set", "state", "folder")
    for entry in found:
        table.add_row(entry.name, entry.state, str(entry.folder or ""))
    _show(table)


@data.command("check")
def data_check(name: str) -> None:
    """Check the files of one data set; exit code 2 if they cannot be used."""
    from lazybook import datasets

    dataset = datasets.load(name)
    _show(f"{name}: ready, {len(dataset.train):,} training and {len(dataset.test):,} test samples")


@data.command("fetch")
def data_fetch(name: str) -> None:
    """Download a data set into the user's cache folder and check it."""
    from lazybook import datasets

    state = progress.State(f"fetching {name}")

    def told(file: str, received: int, total: int | None) -> None:
        state.label, state.done, state.total = file, received, total

    with progress.followed(state):
        folder = datasets.fetch(name, told)
    _show(f"{name} is in {folder}")


def _as_json(run: "Run | Summary") -> dict[str, Any]:
    return {
        "experiment": run.experiment.to_dict(),
        "final": run.final,
        "diverged": run.diverged,
        "provenance": run.provenance,
    }


def _measured(run: "Run") -> Table:
    facts = {
        name: f"{value:,.0f}" if 1e4 <= value < 1e15 else f"{value:.4g}"
        for name, value in run.final.items()
    }
    return _facts("at the end", facts | ({"diverged": "yes"} if run.diverged else {}))


def _table(*columns: str, **looks: Any) -> Table:
    """Return an empty table, in which words that are too long go on in the next line."""
    return Table(*(Column(name, overflow="fold") for name in columns), **looks)


def _facts(title: str, facts: dict[str, Any]) -> Table:
    table = _table(title, "", box=None)
    for name, value in facts.items():
        table.add_row(name, str(value))
    return table
