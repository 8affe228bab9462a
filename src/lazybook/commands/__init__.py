"""What the command ``lazybook`` can do: each command asks the package and prints what it gives.

What is heavy is imported inside the commands, so that help and wrong input are answered at once.
"""

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from lazybook.commands import bench, book, data, kept, learning
from lazybook.support import paths

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(learning.train)
app.command()(learning.sweep)
app.command()(book.figures)
app.command()(book.claims)
app.command()(bench.bench)

of_data = typer.Typer(help="The data sets.", no_args_is_help=True)
of_data.command("list")(data.list_data)
of_data.command("check")(data.check)
of_data.command("fetch")(data.fetch)
app.add_typer(of_data, name="data")

of_runs = typer.Typer(help="The runs that were kept.", no_args_is_help=True)
of_runs.command("list")(kept.list_runs)
of_runs.command("show")(kept.show_run)
app.add_typer(of_runs, name="runs")


def _print_version(wanted: bool) -> None:
    if wanted:
        try:
            found = version("lazybook")
        except PackageNotFoundError:  # run from its source
            found = paths.project().get("version", "unknown")
        print(f"lazybook {found}")
        raise typer.Exit


@app.callback()
def lazybook(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="print the version"),
    ] = False,
) -> None:
    """Learning with little synaptic plasticity: train, make the figures, see the verdicts."""
