"""What the smoke notebooks are to find: ``python -m tests.expected.findings`` compares.

A notebook that computes a claim wrongly gives the same wrong outputs each time that it runs. So
what each claim's measures came to is kept in ``smoke.csv``, and compared with what the notebooks
found now: the same claims, measures, conditions and seeds, and the same values but for rounding.
How a processor rounds decides how a run goes on, so a value may differ by a percent, and by as much
as it did between two kinds of processors (the column ``spread``, relative to the value). Times are
not compared; nor is what needs a data set that is not here, if the notebook says so.

If a change is meant to change what is found: ``python -m tests.expected.findings --write``.
"""

import csv
import math
import sys
from collections.abc import Collection
from pathlib import Path

from lazybook.book import claims

EXPECTED = Path(__file__).with_name("smoke.csv")
TIMED = (  # measures that begin so
    "PyTorch time",
    "modelled PyTorch time",
    "CPU time",
    "that ratio at the smallest H",
    "speed-up measured",
)
Key = tuple[str, str, str, str]


def findings() -> tuple[dict[Key, float], set[tuple[str, str]]]:
    """Return what was found in the profile smoke, and what could not be measured.

    The one by claim, measure, condition and seed, the other as claims and conditions.
    """
    found, missing = {}, set()
    for key, several in claims.found("smoke").items():
        for f in several:
            if f.missing:
                missing.add((key, f.condition))
            else:
                seed = "" if f.seed is None else str(f.seed)
                found[key, f.measure, f.condition, seed] = f.value
    return found, missing


def expected(path: Path = EXPECTED) -> dict[Key, tuple[float, float]]:
    """Return the value and the spread of each finding."""
    with path.open(encoding="utf8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        (row["claim"], row["measure"], row["condition"], row["seed"]): (
            float(row["value"]),
            float(row["spread"]),
        )
        for row in rows
    }


def differences(
    found: dict[Key, float],
    wanted: dict[Key, tuple[float, float]],
    missing: Collection[tuple[str, str]] = (),
) -> list[str]:
    """Return in what ``found`` differs from what is ``wanted``, a line each."""
    problems = [
        f"{', '.join(key)}: not found"
        for key in wanted
        if key not in found and (key[0], key[2]) not in missing
    ]
    for key, value in found.items():
        what = ", ".join(key)
        if key not in wanted:
            problems.append(f"{what}: found, and not expected")
            continue
        expected_value, spread = wanted[key]
        if key[1].startswith(TIMED):
            continue
        if not math.isfinite(expected_value):
            same = str(value) == str(expected_value)
        else:
            same = abs(value - expected_value) <= (0.01 + 2 * spread) * abs(expected_value) + 1e-9
        if not same:
            problems.append(f"{what}: {value:.6g}, expected {expected_value:.6g}")
    return problems


def write(found: dict[Key, float], path: Path = EXPECTED) -> None:
    """Keep what was found; the spread of values that stay what they are is kept too."""
    spreads = {key: spread for key, (_, spread) in expected(path).items()} if path.exists() else {}
    with path.open("w", encoding="utf8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["claim", "measure", "condition", "seed", "value", "spread"])
        for key, value in sorted(found.items()):
            rows.writerow([*key, f"{value:.8g}", f"{spreads.get(key, 0.05):.2g}"])


def main() -> int:
    """Compare, or with ``--write`` keep; return 1 if anything differs."""
    found, missing = findings()
    if sys.argv[1:] == ["--write"]:
        write(found)
        return 0
    problems = differences(found, expected(), missing)
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    print(f"{len(found)} findings compared with those expected, {len(problems)} differ")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
