"""What `make` takes and refuses, and how it sees to the environment; nothing is installed here."""

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = ("Makefile", "pyproject.toml", "constraints.txt", "src/lazybook/book/serve.py")
NOTEBOOKS = ("notebooks/how_fast.py", "notebooks/lazy_learning/fig2_mnist.py")

# Says where it is, as pip does, and notes what it is asked to install; fails while a file is there.
PIP = """
import pathlib, sys
here = pathlib.Path(__file__).parent
if sys.argv[1:] == ["--version"]:
    print("pip from", here)
else:
    with open("installed", "a") as log:
        print(*sys.argv[1:], file=log)
    sys.exit(pathlib.Path("no-network").exists())
"""
# Makes environments with that pip, or, while a file is there, only half of one.
PYTHON = """#!/bin/sh
if [ "$1 $2" != "-m venv" ]; then exec '{python}' "$@"; fi
[ ! -e disk-full ] || {{ mkdir -p "$3/bin"; exit 1; }}
'{python}' -m venv --without-pip "$3" || exit 1
for folder in "$3"/lib/python*/site-packages; do cp -r fake/pip "$folder"; done
printf '#!/bin/sh\\nexec "%s/bin/python" -m pip "$@"\\n' "$(cd "$3" && pwd -P)" >"$3/bin/pip"
chmod +x "$3/bin/pip"
"""

pytestmark = pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")


class Checkout:
    """A copy of what make looks at."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in FILES:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        for name in NOTEBOOKS:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
        (folder / "fake" / "pip").mkdir(parents=True)
        (folder / "fake" / "pip" / "__main__.py").write_text(PIP)
        (folder / "python").write_text(PYTHON.format(python=sys.executable))
        (folder / "python").chmod(0o755)

    def make(self, *arguments: str, python: str = "./python", **environment: str):
        """Run make; returns its exit code, and all that it prints."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        ran = subprocess.run(
            ["make", *arguments],
            cwd=self.folder,
            env=kept | {"PYTHON": python} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        return ran.returncode, ran.stdout

    @property
    def installed(self) -> int:
        """How often pip was asked to install something."""
        log = self.folder / "installed"
        return len(log.read_text().splitlines()) if log.exists() else 0


@pytest.fixture
def checkout(tmp_path) -> Checkout:
    folder = tmp_path / "a checkout"
    folder.mkdir()
    return Checkout(folder)


@pytest.mark.parametrize(
    ("argument", "part"),
    [
        ("PROFILE=", "PROFILE is ''; choose from: smoke quick paper"),
        ("PROFILE=smoke quick", "PROFILE is 'smoke quick'"),
        ("PROFILE=fast", "PROFILE is 'fast'"),
        ("PROFILE=%", "PROFILE is '%'"),
        ("DEVICE=", "DEVICE is ''; choose from: cpu cuda"),
        ("DEVICE=gpu", "DEVICE is 'gpu'"),
        ("FRESH=0 1", "FRESH is '0 1'; choose from: 0 1"),
        ("FRESH=yes", "FRESH is 'yes'"),
        ("ONLY=fig2_mnits", "ONLY is 'fig2_mnits'; choose from: how_fast fig2_mnist"),
        ("ONLY=how_fast %", "ONLY is 'how_fast %'"),
        *((f"JOBS={jobs}", f"JOBS is '{jobs}'") for jobs in ("0", "02", "-1", "1 2", "2x", "1000")),
        ("JOBS=1'; touch seen; '", "JOBS is '1'; touch seen; ''"),
        ("JOBS=$(shell touch seen)", "JOBS is '$(shell touch seen)'"),
        ("JOBS=`touch seen`", "JOBS is '`touch seen`'"),
        ("JOBS=1;touch seen", "JOBS is '1;touch seen'"),
        *((f"PORT={port}", f"PORT is '{port}'") for port in ("", "0", "abc", "123456", "80 81")),
        ("VENV=", "VENV is ''"),
        ("VENV=x'; touch seen; '", "VENV is"),
        ("VENV=$(shell touch seen)", "VENV is"),
        ("VENV=`touch seen`", "VENV is '`touch seen`'; it must be without `"),
        ('VENV="; touch seen; "', "VENV is"),
        ("VENV=x\\", "VENV is"),
        ("PYTHON=", "PYTHON is ''"),
        ("PYTHON=x'; touch seen; '", "PYTHON is"),
        ("PROFIL=smoke", "there is no variable PROFIL; did you mean PROFILE?"),
        ("profile=smoke", "there is no variable profile; did you mean PROFILE?"),
        ("JOSB=2", "there is no variable JOSB; did you mean JOBS?"),
        ("DEVISE=cpu", "there is no variable DEVISE; did you mean DEVICE?"),
        ("LAZYBOOK_RUN=x", "there is no variable LAZYBOOK_RUN; did you mean LAZYBOOK_RUNS?"),
        ("SEEDS=3", "there is no variable SEEDS; there are: PROFILE"),
        ("run=touch seen;", "there is no variable run; there are:"),
    ],
)
def test_what_means_nothing_stops_before_any_work(checkout, argument, part):
    code, said = checkout.make("book", argument)
    assert code == 2
    assert f"*** {part}" in said and said.count("\n") == 1
    assert not (checkout.folder / "seen").exists()
    assert not (checkout.folder / ".venv").exists()


@pytest.mark.parametrize("name", ["PROFILE", "DEVICE", "JOBS", "PORT"])
def test_values_from_the_environment_are_checked_too(checkout, name):
    code, said = checkout.make("help", **{name: "1'; touch seen; '"})
    assert code == 2 and f"{name} is" in said
    assert not (checkout.folder / "seen").exists()


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ((), ["figures --profile quick --device cpu \n"]),
        (("PROFILE=smoke", "DEVICE=cuda"), ["--profile smoke --device cuda"]),
        (("JOBS=12", "FRESH=1"), ["--jobs 12 --fresh"]),
        (("FRESH=0", "JOBS=", "ONLY="), ["figures --profile quick --device cpu  \n"]),
        (("ONLY=fig2_mnist", "LAZYBOOK_RUNS=x"), ["--only fig2_mnist", "--only how_fast"]),
        (("PIP_INDEX_URL=x", "PYTHON=a b", "PORT=65535"), ["figures"]),
        (("LAZYBOOK_RUNS=/of/o'brien",), ["figures"]),
    ],
)
def test_what_means_something_is_handed_on(checkout, arguments, parts):
    """With ONLY pages that were never made are made too."""
    code, said = checkout.make("-n", "book", *arguments)
    assert code == 0
    for part in parts:
        assert " ".join(part.split()) in " ".join(said.split())


def test_help_names_all_targets_and_variables(checkout):
    makefile = (ROOT / "Makefile").read_text()
    [names] = [line for line in makefile.splitlines() if line.startswith("variables :=")]
    targets = makefile.partition(".PHONY:")[2].partition("\n")[0].split()
    code, said = checkout.make()
    assert code == 0
    for name in (*names.split()[2:], *set(targets) - {"environment"}):
        assert f" {name}" in said
    assert not (checkout.folder / ".venv").exists()


@pytest.mark.parametrize("place", [".venv", "my own/environment", "/absolute"])
def test_the_environment_is_made_once_and_brought_up_to_date(checkout, tmp_path, place):
    venv = f"{tmp_path}{place}" if place.startswith("/") else place
    code, said = checkout.make("setup", f"VENV={venv}")
    assert code == 0 and "making the environment" in said
    assert (checkout.folder / venv / "bin" / "python").exists()
    assert checkout.installed == 2  # what builds, and the rest
    for changed in (None, *FILES[:3]):  # times do not count
        if changed:
            (checkout.folder / changed).touch()
        code, said = checkout.make("setup", f"VENV={venv}")
        assert (code, checkout.installed) == (0, 2)
    with (checkout.folder / "pyproject.toml").open("a") as file:
        file.write("# another requirement\n")
    assert "pip install" in checkout.make("-n", "lint", f"VENV={venv}")[1]
    code, said = checkout.make("setup", f"VENV={venv}")
    assert "making the environment" not in said
    assert (code, checkout.installed) == (0, 4)


def test_all_that_runs_is_of_the_environment(checkout):
    """However many targets there are at a time, it is seen to once, and first."""
    code, said = checkout.make("-n", "-j4", "lint", "test", "bench", "VENV=my env")
    lines = said.splitlines()
    assert code == 0 and said.count("-e '.[") == 1
    [installs] = [number for number, line in enumerate(lines) if "-e '.[" in line]
    for tool in ("ruff", "python -m pytest", "lazybook bench"):
        uses = [number for number, line in enumerate(lines) if f"'my env/bin'/{tool}" in line]
        assert uses and min(uses) > installs


def test_what_was_not_all_installed_is_not_ready(checkout):
    (checkout.folder / "no-network").touch()
    for _ in range(2):
        code, said = checkout.make("setup")
        assert code == 2 and "error: not all could be installed" in said
        assert "pip install" in checkout.make("-n", "test")[1]
    (checkout.folder / "no-network").unlink()
    assert checkout.make("setup")[0] == 0
    # back to what was once ready: it is not any more
    kept = (checkout.folder / "pyproject.toml").read_text()
    (checkout.folder / "pyproject.toml").write_text(kept + "# more\n")
    (checkout.folder / "no-network").touch()
    assert checkout.make("setup")[0] == 2
    (checkout.folder / "pyproject.toml").write_text(kept)
    assert "pip install" in checkout.make("-n", "test")[1]


def test_of_an_environment_that_cannot_be_made_nothing_stays(checkout):
    (checkout.folder / "disk-full").touch()
    code, said = checkout.make("setup")
    assert code == 2 and "error: no environment could be made in '.venv'" in said
    assert not (checkout.folder / ".venv").exists()
    assert checkout.installed == 0


@pytest.mark.parametrize("does", [shutil.copytree, shutil.move])
def test_a_copied_or_moved_environment_is_not_taken_for_ready(checkout, tmp_path, does):
    assert checkout.make("setup")[0] == 0
    does(checkout.folder, tmp_path / "elsewhere", *([True] if does is shutil.copytree else []))
    checkout.folder = tmp_path / "elsewhere"
    code, said = checkout.make("lint")
    assert code == 2 and "if it was copied, moved or half made, remove it" in said
    shutil.rmtree(checkout.folder / ".venv")
    assert checkout.make("setup")[0] == 0


def test_an_environment_whose_python_is_gone_is_not_taken_for_ready(checkout):
    assert checkout.make("setup")[0] == 0
    python = checkout.folder / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/nowhere/python")
    code, said = checkout.make("lint")
    assert code == 2 and "is no environment that works where it is" in said


def test_a_folder_that_is_something_else_is_left_alone(checkout):
    thesis = checkout.folder / "papers" / "thesis.tex"
    thesis.parent.mkdir()
    thesis.touch()
    for venv in ("papers", "papers/thesis.tex"):
        code, said = checkout.make("setup", f"VENV={venv}")
        assert code == 2 and f"error: '{venv}' is no environment" in said
        assert thesis.exists()


@pytest.mark.parametrize("python", ["/nowhere/python", "nothing-like-python false"])
def test_without_a_python_one_line_says_so(checkout, python):
    code, said = checkout.make("setup", python=python)
    assert code == 2 and f"none as: {python}; say where it is with PYTHON=…" in said
    assert not (checkout.folder / ".venv").exists()


def test_an_old_python_is_passed_over(checkout):
    old = checkout.folder / "an old version"
    old.write_text("#!/bin/sh\nexit 1\n")  # that of a version that is too old
    old.chmod(0o755)
    assert checkout.make("setup", python="./an old version")[0] == 2
    assert checkout.make("setup", python="/nowhere/python ./python")[0] == 0


def test_the_book_is_not_served_on_a_port_in_use(checkout):
    assert "error: there is no book yet" in checkout.make("serve")[1]
    page = checkout.folder / "_build" / "html" / "index.html"
    page.parent.mkdir(parents=True)
    page.touch()
    assert "error: there is no environment; make setup" in checkout.make("serve")[1]
    assert checkout.make("setup")[0] == 0
    with socket.socket() as used:
        used.bind(("127.0.0.1", 0))
        used.listen()
        for port in (used.getsockname()[1], 99999):
            code, said = checkout.make("serve", f"PORT={port}")
            assert code == 2 and f"error: PORT is {port}, which cannot be used" in said
            assert "Traceback" not in said
