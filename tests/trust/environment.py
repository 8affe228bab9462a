"""Wrong values in the environment."""

import json
import os
import subprocess
import sys
from pathlib import Path
from random import Random

from .answers import PATIENCE, SMALL, check_refusal, short
from .harness import Wrong


def variables(random: Random, folder: Path, figures: dict) -> None:
    """Whatever is in the environment: a command works, or is answered by one line."""
    (folder / "file").touch()
    places = [
        str(folder / "file"), str(folder / "file" / "under"), "/dev/null", "/dev/full", "/proc/x/y",
        "~nobody-of-that-name/x", "relative", "x" * 300, "/" + "x/" * 3000, " ", "~", "$NOTHING",
        str(folder / "[a] *?"), "\n", "-", "ö/\udcff",
    ]  # fmt: skip
    numbers = ["", "0", "-1", "x", "1.5", "1e9", "99999999999999999999", " ", "½"]
    name, values = random.choice((
        ("LAZYBOOK_RUNS", places), ("LAZYBOOK_DATA", places), ("LAZYBOOK_PROGRESS", places),
        ("NUMBA_CACHE_DIR", places), ("XDG_CACHE_HOME", places), ("HOME", places),
        ("TMPDIR", places), ("NUMBA_NUM_THREADS", numbers), ("OMP_NUM_THREADS", numbers),
        ("COLUMNS", numbers), ("LINES", numbers), ("PYTHONIOENCODING", ["ascii", "latin1", "utf8"]),
        ("LANG", ["C", "xx_YY", ""]), ("TERM", ["", "dumb", "x"]), ("NO_COLOR", numbers),
        ("FORCE_COLOR", numbers), ("MPLBACKEND", ["x"]), ("PYTHONWARNINGS", ["error", "x"]),
        ("PYTHONOPTIMIZE", ["1", "2"]), ("PYTHONUNBUFFERED", ["1"]), ("USER", ["", "x" * 999]),
        ("MPLCONFIGDIR", places), ("GIT_DIR", places), ("PYTHONDONTWRITEBYTECODE", ["1"]),
    ))  # fmt: skip
    value = random.choice(values)
    engine = "reference" if name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME", "HOME") else "numba"
    arguments = random.choice((
        [*SMALL, f"--engine={engine}", "--json"], ["runs", "list", "--json"],
        ["data", "list", "--json"], ["claims", "--json"],
    ))  # fmt: skip
    given = os.environ | {name: value}
    done = subprocess.run(
        [sys.executable, "-c", "from lazybook.cli import main; main()", *arguments],
        env=given, cwd=folder, capture_output=True, stdin=subprocess.DEVNULL, timeout=PATIENCE,
    )  # fmt: skip
    what = f"{name}={short(value)!r} lazybook {arguments[0]} {arguments[1]}"
    said = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    if done.returncode:
        check_refusal(what, (done.returncode, *said))
        return
    if "Traceback" in said[1]:
        raise Wrong(f"{what}: a traceback: {said[1][-300:]!r}")
    try:
        json.loads(said[0])
    except ValueError:
        raise Wrong(f"{what}: what is printed is no JSON: {said[0][:200]!r}") from None
