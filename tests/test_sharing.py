"""Folders that several processes work in: nothing half written, nobody waits for the dead."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from lazybook.support import sharing
from lazybook.support.sharing import Reservations

NAME = "0123456789abcdef01234567"
LONG_AGO = 10 * sharing.OLD


@pytest.fixture
def record(tmp_path):
    return tmp_path / f"{NAME}.parquet"


def run_and_kill(script: str, *arguments: object) -> None:
    """Run a script that kills itself in the middle of its work."""
    command = [sys.executable, "-c", f"import os, signal, sys\n{script}", *map(str, arguments)]
    assert subprocess.run(command).returncode == -signal.SIGKILL


WRITES = """
from pathlib import Path
from lazybook.support.sharing import write_aside

Path.replace = lambda *paths: os.kill(os.getpid(), signal.SIGKILL)
write_aside(Path(sys.argv[1]), bytes(1000))
"""

RESERVES = """
from pathlib import Path
from lazybook.support.sharing import Reservations

with Reservations() as reservations:
    assert reservations.take(Path(sys.argv[1]))
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_is_written_is_there_and_nothing_beside_it(record):
    sharing.write_aside(record, b"first")
    sharing.write_aside(record, b"second")
    assert record.read_bytes() == b"second"
    assert list(record.parent.iterdir()) == [record]


def test_a_full_disk_leaves_the_earlier_file_and_nothing_beside_it(record, monkeypatch):
    sharing.write_aside(record, b"first")

    aside = record.with_suffix(".tmp")
    aside.symlink_to("/dev/full")
    monkeypatch.setattr(sharing, "temporary", lambda path: aside)
    with pytest.raises(OSError, match="No space"):
        sharing.write_aside(record, b"second")
    assert record.read_bytes() == b"first"
    assert list(record.parent.iterdir()) == [record]


def test_leftovers_of_a_killed_process_are_removed(record):
    run_and_kill(WRITES, record)
    run_and_kill(RESERVES, record)
    assert not record.exists()
    assert sorted(path.suffix for path in record.parent.iterdir()) == [".running", ".tmp"]
    sharing.remove_leftovers(record.parent)
    assert list(record.parent.iterdir()) == []


def test_what_is_being_written_and_what_is_not_ours_stays(record):
    """Files of this process, of other machines a while ago, and others of any age and name."""
    host = sharing._host()
    staying = [
        f"{NAME}.{host}-{os.getpid()}-0.tmp",
        f"{NAME}.0123456789ab-1-0.tmp",
        f"{NAME}.7-1.tmp",
    ]
    others = ["notes.tmp", "my.running", f"{NAME}.parquet", f"{NAME}.damaged", "paper.12.tmp"]
    old = [f"{NAME}.0123456789ab-1-1.tmp", f"{NAME}.7.1.tmp"]  # the last: of an older version
    for name in (*staying, *others, *old):
        (record.parent / name).touch()
    for name in (*others, *old):
        os.utime(record.parent / name, (0, time.time() - LONG_AGO))
    sharing.remove_leftovers(record.parent)
    assert sorted(path.name for path in record.parent.iterdir()) == sorted([*staying, *others])


def test_one_takes_what_no_other_has(record):
    with Reservations() as first, Reservations() as second:
        assert first.take(record)
        assert not second.take(record)
        assert not first.take(record)
        second.release(record)  # not its own
        assert not second.take(record)
        first.release(record)
        assert second.take(record)
    assert list(record.parent.iterdir()) == []


def test_all_is_given_back_at_the_end_whatever_happened(record):
    with pytest.raises(ZeroDivisionError), Reservations() as reservations:
        assert reservations.take(record)
        raise ZeroDivisionError
    assert list(record.parent.iterdir()) == []


def test_a_killed_process_has_nothing_reserved(record):
    run_and_kill(RESERVES, record)
    with Reservations() as reservations:
        assert reservations.take(record)


@pytest.mark.parametrize("contents", ["0123456789ab 1 token", "", "\xff", "a b c d", "x y z"])
@pytest.mark.parametrize(("age", "free"), [(0, False), (LONG_AGO, True), (-LONG_AGO, True)])
def test_of_other_machines_only_the_time_is_believed(record, contents, age, free):
    place = record.with_suffix(".running")
    place.write_text(contents, encoding="latin1")
    os.utime(place, (0, time.time() - age))
    with Reservations() as reservations:
        assert reservations.take(record) is free
    assert place.exists() is not free


def test_a_reservation_is_renewed(record, monkeypatch):
    monkeypatch.setattr(sharing, "RENEWED", 0.01)
    place = record.with_suffix(".running")
    with Reservations() as reservations:
        assert reservations.take(record)
        os.utime(place, (0, 0))
        while place.stat().st_mtime == 0:
            time.sleep(0.01)


@pytest.mark.parametrize("kind", ["folder", "pipe", "link"])
def test_nothing_hangs_where_a_reservation_cannot_be(record, kind):
    place = record.with_suffix(".running")
    {"folder": place.mkdir, "pipe": lambda: os.mkfifo(place)}.get(
        kind, lambda: place.symlink_to("nothing")
    )()
    os.utime(place, (0, 0), follow_symlinks=False)
    with Reservations() as reservations:
        assert reservations.take(record)


def test_without_a_folder_there_are_no_reservations(tmp_path):
    with Reservations() as first, Reservations() as second:
        assert first.take(tmp_path / "missing" / "record.parquet")
        assert second.take(tmp_path / "missing" / "record.parquet")


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, lambda path: path.symlink_to("/dev/zero")])
def test_only_regular_files_are_read(tmp_path, make):
    make(tmp_path / "file")
    with pytest.raises(OSError, match="not a regular file"):
        sharing.read_regular(tmp_path / "file")


def test_many_threads_take_each_once(tmp_path):
    places = [tmp_path / f"{n:024x}.parquet" for n in range(50)]
    taken = []

    def take_all(reservations):
        taken.extend(path for path in places if reservations.take(path))

    with Reservations() as first, Reservations() as second:
        threads = [threading.Thread(target=take_all, args=(r,)) for r in (first, second) * 2]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(taken) == places
        assert all(re.fullmatch(r"[0-9a-f]{24}\.running", p.name) for p in tmp_path.iterdir())
