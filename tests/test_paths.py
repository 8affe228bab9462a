"""Where things lie: the same for a program and for what it starts."""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lazybook.errors import InvalidValue
from lazybook.support import machine, paths


@pytest.fixture(autouse=True)
def forget():
    """Nothing is known of another test's folders."""
    for known in (paths._absolute, paths.temporary):
        known.cache_clear()
    yield
    for known in (paths._absolute, paths.temporary):
        known.cache_clear()


@pytest.mark.parametrize("name", [*paths.FOLDERS, *paths.OTHERS])
@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("kept", "here/kept"),
        ("./a/../kept", "here/a/../kept"),
        ("~/kept", "home/kept"),
        ("$HOME/kept", "home/kept"),
    ],
)
def test_a_path_is_one_folder_for_a_program_and_what_it_starts(
    tmp_path, monkeypatch, name, given, meant
):
    for folder in ("here", "home", "elsewhere"):
        (tmp_path / folder).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv(name, given)
    monkeypatch.chdir(tmp_path / "here")
    assert paths.from_environment(name) == tmp_path / meant
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert paths.from_environment(name) == tmp_path / meant
    paths.settle()
    assert os.environ[name] == str(tmp_path / meant)
    paths.settle()
    assert os.environ[name] == str(tmp_path / meant)


def test_an_empty_variable_stays(monkeypatch):
    monkeypatch.setenv("LAZYBOOK_DATA", "")
    assert paths.from_environment("LAZYBOOK_DATA") is None
    paths.settle()
    assert os.environ["LAZYBOOK_DATA"] == ""


@pytest.mark.parametrize("name", paths.FOLDERS)
@pytest.mark.parametrize("given", ["file", "~nobody-of-this-name/kept"])
def test_what_is_no_folder_is_refused_by_the_name_of_the_variable(
    tmp_path, monkeypatch, name, given
):
    (tmp_path / "file").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(name, given)
    with pytest.raises(InvalidValue, match=rf"\${name} is '{given}'"):
        paths.settle()


def test_without_a_home_a_temporary_folder_is_used_and_that_is_said_once(tmp_path, monkeypatch):
    """As for a user whom the system has no entry for, in a container."""
    for name in ("HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", lambda user: {}[user])
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.warns(paths.NoHome) as caught:
        folder = paths.cache()
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o077 == 0
    assert len(caught) == 1
    assert str(folder) in str(caught[0].message)
    assert paths.cache() == folder


def test_a_temporary_folder_that_others_can_write_to_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    prepared = tmp_path / f"lazybook-{os.getuid()}"
    prepared.mkdir()
    prepared.chmod(0o777)
    with pytest.warns(paths.NoHome):
        assert paths.temporary("there is no home") != prepared


def test_a_copy_within_another_project_is_no_checkout(tmp_path):
    """What another project's files say is neither the version nor the commit."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "thesis"\nversion = "7"\n')
    here = Path(paths.__file__).parents[3]
    shutil.copytree(here / "src" / "lazybook", tmp_path / "src" / "lazybook")
    script = "from lazybook.support import paths; print(paths.repository(), paths.project())"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "src")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "None {}\n"


def test_cores_are_those_that_this_process_may_use():
    script = "from lazybook.support import machine; print(machine.cores())"
    command = [sys.executable, "-c", f"import os; os.sched_setaffinity(0, {{0}}); {script}"]
    if hasattr(os, "sched_setaffinity") and 0 in os.sched_getaffinity(0):
        assert subprocess.run(command, capture_output=True, text=True).stdout == "1\n"
    assert 1 <= machine.cores() <= os.cpu_count()


@pytest.mark.parametrize(
    ("files", "allowed"),
    [
        ({"cpu.max": "max 100000\n"}, 8),
        ({"cpu.max": "250000 100000\n"}, 3),
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, 8),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2),
        ({}, 8),
    ],
)
def test_cores_are_no_more_than_a_container_has(tmp_path, monkeypatch, files, allowed):
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(machine, "Path", lambda root, name: tmp_path / name)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    assert machine.cores() == allowed
