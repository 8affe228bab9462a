"""``lazybook bench``."""

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
    """Time the engines against plain loops, on one core, and against that core's caches."""
    from lazybook.benchmarks import cases, loops

    benchmark = cases.run(hidden or (100, 1000), rule or (), rounds)
    if as_json:
        print_json(benchmark.to_dict())
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
    show("Median microseconds a sample on one core; ratio: eager / numba, with its range:\n")
    show(times)
    if not loops.jax_installed():
        show("\nJAX is not installed; pip install 'lazybook[jax]' adds its column.")
    show(
        "\nWhat moving the synapses takes at least, if they lie in the first or second cache,"
        " and how much of that speed is reached:\n"
    )
    show(bounds)
    for level in benchmark.caches:
        show(
            f"{level.name}, {level.size // 1024:,} KiB: loads {level.load / 1e9:.0f},"
            f" changes {level.change / 1e9:.0f} GB/s"
        )


def _numbers(first: str, *others: str) -> Table:
    """Return an empty table of numbers, but for the first column."""
    columns = (Column(name, justify="right", no_wrap=True) for name in others)
    return Table(Column(first, no_wrap=True), *columns, box=None, padding=(0, 0, 0, 2))
