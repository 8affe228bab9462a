"""How long the paper profile takes from scratch: ``python -m lazybook.book.computing``.

Makes the pages of the papers from the published records, adds up what computing these took, and
publishes it in ``results/computing.json``. The page "How to re-run" has the table that `rows` makes
of it.
"""

import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import nbformat

from lazybook.book import figures
from lazybook.runs import Run
from lazybook.support import paths
from lazybook.sweep import Sweep

PAPERS = {"lazy_learning": "lazy learning", "competitive_plasticity": "competitive plasticity"}
# Ends each page: what stands in its variables is known to its own kernel only.
LAST_CELL = """
# %%
from lazybook.book import computing
print(computing.as_json(globals().values()))
"""
Spent = dict[str, tuple[str, float]]  # by experiment: its engine, and seconds of one core


def spent(runs: Iterable[Run]) -> Spent:
    """Return what each of the ``runs`` took, once if it is there several times."""
    return {
        json.dumps(run.experiment.to_dict(), sort_keys=True): (
            run.experiment.engine,
            run.provenance["compute_seconds"],
        )
        for run in runs
    }


def as_json(values: Iterable[object]) -> str:
    """Return what the sweeps among a page's ``values`` took, as JSON; other values are ignored."""
    sweeps = [value for value in values if isinstance(value, Sweep)]
    return json.dumps(spent(run for sweep in sweeps for run in sweep.runs))


def of_pages(folder: str) -> Spent:
    """Return what the runs took that the pages in a ``folder`` of notebooks read."""
    with tempfile.TemporaryDirectory() as place:
        sources, executed = Path(place, "notebooks"), Path(place, "executed")
        shutil.copytree(figures.SOURCES / folder, sources / folder)
        for page in sources.rglob("*.py"):
            page.write_text(page.read_text("utf8") + LAST_CELL, "utf8")
        figures.run_figures("paper", sources=sources, output=executed)
        found: Spent = {}
        for page in executed.rglob("*.ipynb"):
            outputs = nbformat.read(page, as_version=4).cells[-1].outputs  # a long one is in pieces
            found |= json.loads("".join(output.text for output in outputs))
    return found


def totals(found: Mapping[str, Spent]) -> dict[str, dict]:
    """Return the number of runs and the seconds of each engine, for each paper and for all."""
    every = {**found, "all": {key: one for of in found.values() for key, one in of.items()}}
    summed: dict[str, dict] = {}
    for name, of in every.items():
        seconds: dict[str, float] = {}
        for engine, taken in of.values():
            seconds[engine] = seconds.get(engine, 0.0) + taken
        rounded = {engine: round(taken) for engine, taken in sorted(seconds.items())}
        summed[name] = {"runs": len(of), "seconds": rounded}
    return summed


def rows(found: Mapping[str, dict]) -> list[str]:
    """Return the `totals` as the rows of a table in Markdown.

    Runs; core-hours of the engine ``numba``, and of the others, which are written in PyTorch; hours
    on two cores.
    """
    names = PAPERS | {"all": "both, shared runs once"}
    lines = []
    for name, of in found.items():
        fast = of["seconds"].get("numba", 0)
        slow = sum(of["seconds"].values()) - fast
        hours = [f"{each / 3600:.1f}" for each in (fast, slow, (fast + slow) / 2)]
        lines.append(f"| {names[name]} | {of['runs']:,} | {' | '.join(hours)} |")
    return lines


def published() -> dict[str, dict]:
    """Return the `totals` that are published."""
    return json.loads(_place().read_text("utf8"))


def _place() -> Path:
    return (paths.published() or Path()) / "computing.json"


if __name__ == "__main__":
    measured = totals({name: of_pages(name) for name in PAPERS})
    _place().write_text(json.dumps(measured, indent=1) + "\n", "utf8")
    print(*rows(measured), sep="\n")
