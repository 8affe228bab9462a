"""Wrong variables of make."""

import os
import subprocess
from pathlib import Path
from random import Random

from lazybook.support import paths

from .answers import PATIENCE
from .harness import Wrong


def variables(random: Random, folder: Path, figures: dict) -> None:
    """A wrong variable is answered by make before any recipe, whether given to it or in the air."""
    trap = folder / "trap"
    spoilt = [
        f"$(shell touch {trap})", f"`touch {trap}`", f"$$(touch {trap})", f"'; touch {trap}; '",
        f'"; touch {trap}; "', f"x; touch {trap}", f"x\ntouch {trap}", f"x | touch {trap}",
    ]  # fmt: skip
    choices = ["", " ", "smoke quick", "SMOKE", "quick,", "cpu cuda", "gpu", "'smoke'"]
    numbers = ["0", "-1", "x", "1 2", "1.5", "01", "1e3", "99999999999", "½", "'2'"]
    wrong: dict[str, list[str]] = {
        "PROFILE": choices,
        "DEVICE": choices,
        "FRESH": [*numbers[1:], "yes", "0 1"],
        "JOBS": numbers,
        "PORT": [*numbers, "", " "],
        "ONLY": ["x", "fig2_mnist,losses", "fig2_mnist.py", "fig2-mnist", "../x"],
        "VENV": ["", " "],
        "PYTHON": ["", " "],
    }
    name = random.choice(list(wrong))
    value = random.choice(wrong[name] + (spoilt if name not in ("VENV", "PYTHON") else []))
    in_the_air = random.random() < 0.3 and value not in ("", " ")
    if not in_the_air and random.random() < 0.2:
        name = _misspelt_variable(random, tuple(wrong))
    clean = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
    done = subprocess.run(
        ["make", "--no-print-directory", "-C", str(paths.SOURCE), "help"]
        + ([] if in_the_air else [f"{name}={value}"]),
        env=clean | ({name: value} if in_the_air else {}), cwd=folder, capture_output=True,
        stdin=subprocess.DEVNULL, text=True, timeout=PATIENCE,
    )  # fmt: skip
    what = f"make {name}={value!r}"
    if trap.exists():
        raise Wrong(f"{what}: the shell ran what was given")
    if done.returncode != 2 or done.stdout:
        raise Wrong(f"{what}: exit code {done.returncode}, and {done.stdout[:80]!r}")
    said = done.stderr.strip()
    if "***" not in said or name not in said or len(said.splitlines()) > 1 + value.count("\n"):
        raise Wrong(f"{what}: {said[:300]!r}")


def _misspelt_variable(random: Random, known: tuple[str, ...]) -> str:
    chosen = random.choice(known)
    place = random.randrange(len(chosen))
    return random.choice((
        chosen[:place] + chosen[place + 1 :], chosen.lower(), f"{chosen}S", f"{chosen[:place]}X",
        chosen.title(),
    ))  # fmt: skip
