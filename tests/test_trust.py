"""A few trials of each kind in `trust`, and whether the harness notices what it is there for."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]

# In a process of a single thread, as trials are forked from it.
WITH_FAULTS = """
import json, os, time, warnings
from unittest.mock import patch
from lazybook import experiment
from lazybook.support import sharing
from tests.trust.__main__ import NAMES
from tests.trust.harness import Kind, trials

def told(kind, number):
    return [outcome.problem for outcome in trials(kind, range(number), 2)]

def in_place(path, *contents):
    path.write_bytes(b"".join(contents))

found = {}
with patch.object(sharing, "write_aside", in_place):
    found["a record that is not whole is seen"] = told(NAMES["killed-writes"], 4)
with patch.object(warnings, "warn", lambda *given, **named: None):
    found["not named"] = told(NAMES["damaged-records"], 1)
with patch.object(experiment, "check_whole", lambda name, value, *bounds: value):
    found["accepted"] = told(NAMES["constructors"], 60)
sleeps = Kind("sleeps", lambda random, *_: time.sleep(99), 1, 1, limit=0.2)
found["not over after 0.2 seconds"] = told(sleeps, 1)
found["it died"] = told(Kind("dies", lambda random, *_: os._exit(1), 1, 1), 1)
print(json.dumps(found))
"""


def python(*arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_what_is_promised_is_kept(tmp_path):
    python("-m", "tests.trust", "--short", "--output", str(tmp_path / "figures.json"))
    figures = json.loads((tmp_path / "figures.json").read_text())
    for kind in figures.values():
        assert {"date", "commit", "machine", "packages"} <= kind["provenance"].keys()
        assert kind["good"] == kind["done"] > 0
        assert kind["failures"] == {}


def test_faults_are_noticed():
    for problem, told in json.loads(python("-c", WITH_FAULTS)).items():
        assert any(problem in each for each in told), (problem, told)
