"""How the files of a data set are fetched: from the first of several mirrors that has them right.

What arrives is written aside and gets its name only once it is complete and right. A download that
broke off is taken up where it ended, by the same process or a later one, from the same mirror or
another: whether the pieces fit together, the checksum tells.
"""

import errno
import os
import re
import shutil
import socket
import ssl
import time
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import Request, build_opener, getproxies

from lazybook.datasets.files import unpack, unpack_bytes
from lazybook.datasets.published import Files
from lazybook.errors import DataError
from lazybook.support import sharing

Mirrors = Callable[[], Iterable[str]]
Progress = Callable[[str, int, int | None], None]

ATTEMPTS = 5  # with one mirror, as long as each of them gets further
PATIENCE = 30  # seconds without a byte, or at less than `SLOWEST`, until the next mirror is asked
SLOWEST = 1000  # bytes a second
CHUNK = 1 << 16  # bytes


class _Failure(Exception):
    """What a mirror did not do as it should, and a hint what may help, if there is one."""

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.hint = hint


class _BrokenOff(_Failure):
    """The mirror stopped sending; it may go on if it is asked again."""


def fetch(
    name: str, files: Files, folder: Path, mirrors: Mirrors, progress: Progress | None
) -> None:
    """Download into ``folder`` those files that are not there or not right.

    ``mirrors`` is called only if there are any. Raises DataError as `lazybook.datasets.fetch` does.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        wrong = [folder / file for file in files.checksums if not _is_right(folder / file, files)]
        downloads = {path.name: [path] for path in wrong}
        if files.archive and wrong:
            downloads = {files.archive: wrong}
        for download, targets in downloads.items():
            _download(name, files, folder / download, targets, mirrors, progress)
        sharing.remove_leftovers(folder)
        for left in folder.glob("*.part"):
            left.unlink(missing_ok=True)
    except FileExistsError as error:  # by mkdir
        raise DataError(f"cannot write to {folder}: it is not a folder") from error
    except OSError as error:
        where = error.filename2 or folder  # what was to be replaced, or where it was to be
        raise DataError(f"cannot write to {where}: {error.strerror or error}") from error


def _download(
    name: str,
    files: Files,
    path: Path,
    targets: list[Path],
    mirrors: Mirrors,
    progress: Progress | None,
) -> None:
    """Download ``path`` from the first mirror that has it right, and make the ``targets`` of it."""
    failures = []
    with _part_of(path) as part:
        for mirror in mirrors():
            try:
                return _try(mirror + path.name, files, part, targets, progress)
            except _Failure as failure:
                failures.append((mirror, failure))
    reasons: dict[str, list[str]] = {}
    for mirror, failure in failures:
        reasons.setdefault(str(failure), []).append(mirror)
    listed = "; ".join(f"{', '.join(which)} ({what})" for what, which in reasons.items())
    hints = "".join(f"; {hint}" for hint in dict.fromkeys(f.hint for _, f in failures) if hint)
    raise DataError(f"no mirror has {path.name} of {name}: {listed}{hints}")


@contextmanager
def _part_of(path: Path) -> Iterator[Path]:
    """Yield where to write what is to become ``path``; it holds what was left off before, if any.

    What is still there in the end is left for the next.
    """
    left_off = path.with_name(f"{path.name}.part")
    part = sharing.temporary(left_off)
    for left in path.parent.glob(f"{path.name}.*"):
        with suppress(OSError):  # another process may take it
            if left.is_file() and (left == left_off or sharing.is_left(left)):
                left.replace(part)
    try:
        yield part
    finally:
        with suppress(OSError):  # nothing is left
            part.replace(left_off)


def _try(
    url: str, files: Files, part: Path, targets: list[Path], progress: Progress | None
) -> None:
    """Make the ``targets`` of what one mirror sends; raise _Failure if that cannot be."""
    for attempt in range(1, ATTEMPTS + 1):
        before = _size(part)
        try:
            began = _receive(url, files.largest_download, part, progress)
        except _BrokenOff:
            if attempt == ATTEMPTS or _size(part) <= before:
                raise
            continue
        try:
            return _finish(files, part, targets)
        except _Failure:
            part.unlink()
            if attempt == ATTEMPTS or not began:
                raise
            # The pieces do not fit together; once more from the beginning.


def _receive(url: str, most: int, part: Path, progress: Progress | None) -> int:
    """Write to ``part`` what a mirror sends; return the number of bytes that it went on after."""
    received = began = _size(part)
    with _blaming_the_mirror():
        headers = {"Range": f"bytes={began}-"} if began else {}
        try:
            # A new opener, for a proxy may have been set since the last one was made.
            response = build_opener().open(Request(url, headers=headers), timeout=PATIENCE)
        except HTTPError as error:
            if error.code != 416 or not began:
                raise
            error.close()  # the part is longer than the file: once more from the beginning
            part.unlink()
            return _receive(url, most, part, progress)
    with response:
        if not response.headers.get("Content-Range", "").startswith(f"bytes {began}-"):
            received = began = 0  # all of it is sent
        length = response.headers.get("Content-Length", "")
        total = began + int(length) if re.fullmatch("[0-9]{1,18}", length) else None
        if total is not None:
            _check_size(total, most, part)
            _check_room(total - began, part.parent)
        since, mark = time.monotonic(), received
        with part.open("ab" if began else "wb") as file:
            while True:
                with _blaming_the_mirror():
                    chunk = response.read1(CHUNK)
                if not chunk:
                    break
                file.write(chunk)
                received += len(chunk)
                _check_size(received, most, part)
                if progress:
                    progress(url.rpartition("/")[2], received, total)
                if (now := time.monotonic()) - since > PATIENCE:
                    if received - mark < SLOWEST * PATIENCE:
                        raise _Failure(f"it sends less than {SLOWEST:,} bytes a second")
                    since, mark = now, received
    if total is not None and received < total:
        raise _BrokenOff(f"it stopped after {received:,} of {total:,} bytes")
    return began


def _check_size(size: int, most: int, part: Path) -> None:
    """Raise _Failure if a download is larger than what is wanted can be."""
    if size > most:
        part.unlink(missing_ok=True)
        raise _Failure(f"it sends more than {most:,} bytes")


def _check_room(needed: int, folder: Path) -> None:
    """Raise OSError if the disk has no room for so many bytes."""
    free = shutil.disk_usage(folder).free
    if needed > free:
        full = os.strerror(errno.ENOSPC)
        raise OSError(errno.ENOSPC, f"{full}: {needed:,} bytes are needed, {free:,} are free")


def _finish(files: Files, part: Path, targets: list[Path]) -> None:
    """Make the ``targets`` of a complete download; raise _Failure if it is not right."""
    with part.open("rb") as file:
        if file.read(100).lstrip().startswith(b"<"):
            raise _Failure("it sends a web page in place of the file")
    if files.archive:
        _extract(files, part, targets)
        part.unlink()
        return
    [target] = targets
    if problem := unpack(part, files, target.name)[1]:
        raise _Failure(problem)
    part.replace(target)


def _extract(files: Files, part: Path, targets: list[Path]) -> None:
    """Write files from a zip archive, those with the names of ``targets``, to these."""
    try:
        with zipfile.ZipFile(part) as archive:
            members = {Path(member).name: member for member in archive.namelist()}
            if missing := [target.name for target in targets if target.name not in members]:
                raise _Failure(f"it lacks {', '.join(missing)}")
            for target in targets:
                with archive.open(members[target.name]) as member:
                    held = member.read(files.largest_packed + 1)
                if problem := unpack_bytes(held, files, target.name)[1]:
                    raise _Failure(f"its {target.name} is {problem}")
                sharing.write_aside(target, held)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise _Failure(str(error)) from error


@contextmanager
def _blaming_the_mirror() -> Iterator[None]:
    try:
        yield
    except (OSError, HTTPException, ValueError) as error:
        is_plain = isinstance(error, URLError) and not isinstance(error, HTTPError)
        cause = error.reason if is_plain and isinstance(error.reason, Exception) else error
        if isinstance(error, HTTPError):
            error.close()
        raise _BrokenOff(
            " ".join(str(cause).split()) or type(cause).__name__, _hint(cause)
        ) from error


def _hint(cause: Exception) -> str:
    """Return what may help if the mirror could not be reached, or not be trusted."""
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            "set SSL_CERT_FILE to a file of the certificates to trust, such as your network's own"
            " or that of the Python package certifi"
        )
    unreachable = isinstance(cause, ConnectionError | TimeoutError | socket.gaierror | ssl.SSLError)
    if not (unreachable or re.search(r"Tunnel|\b407\b", str(cause))):
        return ""
    if getproxies().keys() - {"no"}:
        return "is the proxy right that https_proxy or http_proxy names?"
    return "behind a proxy, set https_proxy and http_proxy"


def _is_right(path: Path, files: Files) -> bool:
    try:
        return not unpack(path, files)[1]
    except DataError:
        return False


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0
