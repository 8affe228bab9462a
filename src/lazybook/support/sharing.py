"""Folders that several processes work in at once, on one machine or on many.

A file is written under a temporary name and then renamed, so nobody sees half of it. What a process
is at, it tells the others by a small file beside it, a reservation.
"""

import errno
import itertools
import os
import platform
import re
import stat
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Self
from uuid import uuid4

RENEWED = 10  # seconds after which a reservation is renewed
VOID = 60  # seconds after which one that was not renewed is void
OLD = 3600  # seconds after which nobody is writing a temporary file any more

# The machine and process that write a temporary file stand in its name.
TEMPORARY = re.compile(
    r"(?:[0-9a-f]+|[a-z0-9-]+(?:-ubyte|\.gz|\.zip))\.(?:([0-9a-f]{12})-)?([0-9]+)[.-][0-9]+\.tmp"
)
RESERVATION = ".running"

_numbers = itertools.count()


def open_regular(path: Path) -> BinaryIO:
    """Open a file to read it.

    Raises OSError for what is no regular file: reading a pipe or a device may never end.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    return path.open("rb")


def read_regular(path: Path) -> bytes:
    """Return what a file contains; raises OSError as `open_regular` does."""
    with open_regular(path) as file:
        return file.read()


def write_aside(path: Path, *contents: bytes | memoryview) -> None:
    """Write ``contents`` to ``path``: under a temporary name first; raises OSError."""
    with written_aside(path) as file:
        file.writelines(contents)


@contextmanager
def written_aside(path: Path) -> Iterator[BinaryIO]:
    """Open a file under a temporary name; it becomes ``path`` if all goes well. Raises OSError."""
    aside = temporary(path)
    try:
        with aside.open("wb") as file:
            yield file
        aside.replace(path)
    finally:
        with suppress(OSError):
            aside.unlink(missing_ok=True)


def temporary(path: Path) -> Path:
    """Return the name under which this process may write ``path``, with another suffix."""
    return path.with_suffix(f".{_host()}-{os.getpid()}-{next(_numbers)}.tmp")


def is_left(path: Path) -> bool:
    """Whether ``path`` is a temporary file of a process that has ended; raises OSError."""
    name = TEMPORARY.fullmatch(path.name)
    return bool(name) and (_is_gone(name[1], int(name[2])) or abs(_age(path.parent, path)) > OLD)


def remove_leftovers(folder: Path) -> None:
    """Remove what killed processes left in ``folder``: temporary files and void reservations.

    A file that is being written stays, and so does what was not written here.
    """
    for path in folder.glob("*.tmp"):
        with suppress(OSError):
            if is_left(path):
                path.unlink()
    for path in folder.glob(f"*{RESERVATION}"):
        with suppress(OSError):
            if re.fullmatch("[0-9a-f]+", path.stem) and _is_void(path):
                path.unlink()


class Reservations:
    """The files that this process is about to write, told to others while this context is open.

    The reservation of ``name.parquet`` is the file ``name.running``, renewed as long as its process
    is at it. It is void for the others once the process is gone, which can be seen on the same
    machine, or has not renewed it for a minute. At worst something is done twice: nobody relies on
    a reservation for more.
    """

    def __init__(self) -> None:
        self._held: dict[Path, str] = {}
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._renew, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        for path in list(self._held):
            self._give_back(path)

    def take(self, path: Path) -> bool:
        """Reserve ``path``; returns False if another process has reserved it.

        True as well where no such files can be made.
        """
        place = path.with_suffix(RESERVATION)
        mine = f"{_host()} {os.getpid()} {uuid4().hex}"
        try:
            if os.path.lexists(place) and _is_void(place):
                place.unlink(missing_ok=True)
            with place.open("x") as file:
                file.write(mine)
        except FileExistsError:
            return False
        except OSError:
            return True
        self._held[place] = mine
        return True

    def release(self, path: Path) -> None:
        """Give ``path`` back, if it was reserved here and still is."""
        self._give_back(path.with_suffix(RESERVATION))

    def _give_back(self, place: Path) -> None:
        mine = self._held.pop(place, None)
        with suppress(OSError):
            if mine and read_regular(place).decode() == mine:
                place.unlink()

    def _renew(self) -> None:
        while not self._closed.wait(RENEWED):
            for place in list(self._held):
                with suppress(OSError):
                    os.utime(place)


def _is_void(place: Path) -> bool:
    """Whether nobody is any longer at what is reserved by the file ``place``."""
    with suppress(OSError, ValueError):  # another user's, or one that is being written
        host, pid, _ = read_regular(place).decode().split()
        if _is_gone(host, int(pid)):
            return True
    try:
        return abs(_age(place.parent, place)) > VOID
    except FileNotFoundError:
        return True


def _age(folder: Path, path: Path) -> float:
    """Return the seconds since ``path`` was written, both by the clock of the file system.

    That clock may be another machine's; a time to come is as wrong as one long past.
    """
    written = path.lstat().st_mtime
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            return os.fstat(file.fileno()).st_mtime - written
    except OSError:
        return time.time() - written


def _is_gone(host: str | None, pid: int) -> bool:
    """Whether a process is seen to have ended; of other machines nothing is seen."""
    if host != _host():
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return True
    except OSError:  # someone else's
        return False
    return False


@cache
def _host() -> str:
    """A word for this machine since it started, and for the processes that can be seen from here.

    Two containers may have one name and one kernel, and yet not see each other's processes.
    """
    known = [platform.node()]
    with suppress(OSError):
        known.append(Path("/proc/sys/kernel/random/boot_id").read_text())
        known.append(str(Path("/proc/self/ns/pid").readlink()))
    return sha256(" ".join(known).encode()).hexdigest()[:12]
