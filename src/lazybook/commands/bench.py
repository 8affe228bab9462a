"""``lazybook bench``."""

import math
from typing import Annotated

import typer
from rich.table import Column, Table

from lazybook.commands.output import Json, print_json, show


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
    """Time the engines on one core, against that core's caches and against plain loops."""
    from lazybook.benchmarks import cases, loops

    benchmark = cases.run(hidden or (100, 1000), rule or (), rounds)
    if as_json:
        print_json(benchmark.to_dict())
        return

    def cells(result: cases.Result, *values: str) -> list[str]:
        return [result.case.rule, f"{result.case.experiment.hidden:,}", *values]

    def time(microseconds: float) -> str:
        return f"{microseconds:,.{0 if microseconds >= 100 else 1}f}"

    shares = _numbers("rule", "H", "KB", "from", "bound", "numba", "reached")
    times = _numbers("rule", "H", *cases.LEARNERS, "ratio", "range")
    for result in benchmark.results:
        taken = {name: time(spread.median) for name, spread in result.microseconds.items()}
        ratio, traffic = result.ratios["eager"], result.traffic
        shares.add_row(
            *cells(result, f"{(traffic.loaded + traffic.changed) / 1000:,.0f}"),
            traffic.level(benchmark.levels).name,
            time(result.bound(benchmark.levels)),
            taken["numba"],
            f"{100 * result.reached(benchmark.levels):.0f} %",
        )
        times.add_row(
            *cells(result, *(taken.get(name, "–") for name in cases.LEARNERS)),
            f"{ratio.median:.0f}",
            f"{ratio.low:.0f}–{ratio.high:.0f}",
        )
    show(f"One core of {benchmark.provenance['machine']}:\n")
    for level in benchmark.levels:
        size = f", {level.size / 1024:,.0f} KiB" if math.isfinite(level.size) else ""
        show(
            f"{level.name}{size}: loads {level.load / 1e9:.0f},"
            f" changes {level.change / 1e9:.0f} GB/s"
        )
    show(
        "\nMicroseconds a sample: the least that moving the synapses takes, from the nearest of"
        " these that has room for the network; what the engine takes; how much of that speed it"
        " reaches:\n"
    )
    show(shares)
    show("\nMedian microseconds of all loops; ratio: eager / numba, with its range:\n")
    show(times)
    if not loops.jax_installed():
        show("\nJAX is not installed; pip install 'lazybook[jax]' adds its column.")


def _numbers(first: str, *others: str) -> Table:
    """Return an empty table of numbers, but for the first column."""
    columns = (Column(name, justify="right", no_wrap=True) for name in others)
    return Table(Column(first, no_wrap=True), *columns, box=None, padding=(0, 0, 0, 2))
