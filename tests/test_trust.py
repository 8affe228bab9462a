"""A few trials of each kind in `trust`, and whether the harness notices what it is there for."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Makes trials of some kinds after a fault was planted in the package; prints what was told.
WITH_A_FAULT = """
import sys
from pathlib import Path
from lazybook import runs
from lazybook.errors import InvalidValue
from lazybook.support import sharing
from tests.trust.__main__ import NAMES
from tests.trust.harness import trials
{fault}
print({{outcome.problem for outcome in trials(NAMES[{kind!r}], range({number}), 2)}})
"""


def python(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True)


def problems(kind: str, number: int, fault: str) -> str:
    done = python("-c", WITH_A_FAULT.format(kind=kind, number=number, fault=fault))
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_is_promised_is_kept(tmp_path):
    done = python("-m", "tests.trust", "--short", "--output", str(tmp_path / "figures.json"))
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert {"date", "commit", "machine", "packages"} <= figures["provenance"].keys()
    for kind in figures["kinds"].values():
        assert kind["good"] == kind["done"] > 0
        assert kind["failures"] == {}


def test_records_that_are_not_written_aside_are_noticed():
    fault = "sharing.write_aside = lambda path, contents: path.write_bytes(contents)"
    assert "a record that is not whole is seen" in problems("killed-writes", 6, fault)


def test_damage_that_is_not_seen_is_noticed():
    fault = "runs._checksum = lambda contents: runs.SEAL.search(contents)[1]"
    assert "not told when records are listed" in problems("damaged-records", 4, fault)


def test_values_that_are_not_checked_are_noticed():
    fault = """
from lazybook import experiment
experiment.check_whole = lambda name, value, *bounds: value
"""
    assert "accepted" in problems("constructors", 100, fault)


def test_a_trial_that_hangs_or_dies_is_told():
    fault = """
import os, time
from tests.trust.harness import Kind
NAMES["hangs"] = Kind("hangs", lambda random, *_: time.sleep(99), 1, 1, limit=0.2)
NAMES["dies"] = Kind("dies", lambda random, *_: os._exit(1), 1, 1)
"""
    assert "not over after 0.2 seconds" in problems("hangs", 2, fault)
    assert "it died" in problems("dies", 2, fault)
