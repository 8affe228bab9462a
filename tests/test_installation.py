"""What a small installation, without the optional libraries, can do."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from scipy import stats
from scipy.interpolate import BSpline

from lazybook.datasets import deformation
from lazybook.support.statistics import student_t

ROOT = Path(__file__).parents[1]
OPTIONAL = (
    "torch",
    "torchvision",
    "scipy",
    "matplotlib",
    "IPython",
    "papermill",
    "bs4",
    "jax",
    "distributed",
    "optuna",
    "pint",
)
WITHOUT = f"""
import sys
sys.modules.update(dict.fromkeys({OPTIONAL!r}))  # None: it cannot be imported
sys.argv[0] = "lazybook"
from lazybook.cli import main
main()
"""


@pytest.fixture
def small(tmp_path):
    """A function to run the command without the optional libraries."""

    def run(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", WITHOUT, *arguments],
            env=os.environ | {"LAZYBOOK_RUNS": str(tmp_path)},
            capture_output=True,
            text=True,
        )

    return run


def test_the_base_installation_trains_and_judges(small):
    for arguments in (
        ("train", "--dataset=two-clouds", "--hidden=5", "--epochs=1", "--json"),
        ("runs", "list", "--json"),
        ("claims", "--profile=paper", "--json"),
        ("data", "list", "--json"),
    ):
        ran = small(*arguments)
        assert ran.returncode == 0, ran.stderr
        assert json.loads(ran.stdout)


def test_what_needs_pytorch_says_which_extra_has_it(small):
    for arguments in (("train", "--engine=reference", "--dataset=two-clouds"), ("bench",)):
        ran = small(*arguments)
        assert ran.returncode == 2
        assert ran.stderr.startswith("error: ") and "lazybook[torch]" in ran.stderr
        assert ran.stderr.count("\n") == 1


def test_an_installed_package_finds_the_checkout_one_is_in(tmp_path):
    """Its data and published records; but the commit there is not that of the code."""
    shutil.copytree(ROOT / "src" / "lazybook", tmp_path / "lazybook")
    script = "from lazybook import runs; print(runs.paths.repository(), [runs._commit()])"
    for folder, expected in ((ROOT / "book", f"{ROOT} ['']"), (tmp_path, "None ['']")):
        ran = subprocess.run(
            [sys.executable, "-c", script],
            cwd=folder,
            env=os.environ | {"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert ran.stdout.strip() == expected


def test_all_that_is_asked_for_is_pinned():
    """Each dependency, in a version that the project's own bounds allow."""
    lines = (ROOT / "constraints.txt").read_text().lower().splitlines()
    pinned = dict(line.split("==") for line in lines if not line.startswith("#"))
    said = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = said["project"]["optional-dependencies"].values()
    asked = [said["build-system"]["requires"], said["project"]["dependencies"], *extras]
    for requirement in map(Requirement, chain.from_iterable(asked)):
        assert requirement.specifier.contains(pinned[requirement.name.lower()]), requirement


def test_student_t_is_that_of_scipy():
    freedom = np.arange(1, 200)
    expected = stats.t.ppf(0.975, freedom)
    np.testing.assert_allclose([student_t(int(n)) for n in freedom], expected, rtol=1e-12)


def test_splines_are_those_of_scipy():
    side, knots = deformation.SIDE, deformation.KNOTS
    places = (side - 1) / (knots - 3) * (np.arange(knots + 4) - 3)
    expected = BSpline.design_matrix(np.arange(side), places, 3, extrapolate=True).toarray()
    np.testing.assert_array_equal(deformation.SPLINES, expected.astype(np.float32))
