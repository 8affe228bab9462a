"""Where things lie: the source checkout, if there is one, and the user's own folders."""

import os
import tempfile
import tomllib
import warnings
from contextlib import suppress
from functools import cache as once
from pathlib import Path
from typing import Any

import platformdirs

from lazybook.errors import InvalidValue, LazybookWarning

SOURCE = Path(__file__).parents[3]  # the checkout, if this package runs from one
FOLDERS = ("LAZYBOOK_RUNS", "LAZYBOOK_DATA")
OTHERS = ("LAZYBOOK_PROGRESS", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME")


class NoHome(LazybookWarning):
    """The user has no home folder; what would be kept in it is put into a temporary one."""


def settle() -> None:
    """Make the paths in the environment absolute, for kernels that start in other folders.

    Raises InvalidValue where `from_environment` does.
    """
    for name in (*FOLDERS, *OTHERS):
        if path := from_environment(name):
            os.environ[name] = str(path)


def from_environment(name: str) -> Path | None:
    """Return the path in the variable ``name``, absolute; None if it is empty.

    ``~`` and ``$HOME`` in it are expanded: not only a shell sets variables.

    Raises InvalidValue if ``~`` stands for no folder, or a file is where a folder should be.
    """
    given = os.environ.get(name)
    if not given:
        return None
    try:
        path = _absolute(given)
    except (RuntimeError, OSError):
        raise InvalidValue(
            f"${name} is {given!r}, which leads nowhere here; write a path from the root, as in"
            " /data/lazybook"
        ) from None
    with suppress(OSError):  # a mount whose server is gone; to be found out when it is used
        if name in FOLDERS and path.is_file():
            raise InvalidValue(f"${name} is {given!r}, which is a file; it must be a folder")
    return path


@once
def repository() -> Path | None:
    """Return the root of the source checkout that this package runs from, or None.

    For an installed package it is the checkout around the folder one is in, if there is one: its
    data, notebooks and published records are as good.
    """
    if project():
        return SOURCE
    with suppress(OSError):  # that folder may be gone
        here = Path.cwd()
        return next((folder for folder in (here, *here.parents) if project(folder)), None)
    return None


@once
def project(root: Path = SOURCE) -> dict[str, Any]:
    """Return what the checkout's ``pyproject.toml`` says of the project; nothing if there is none.

    A copy of the package within the source of another project is no checkout.
    """
    try:
        said = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    found = said.get("project", {})
    return found if found.get("name") == "lazybook" else {}


def cache() -> Path:
    """Return the user's cache folder; a temporary one, with a warning, if the user has no home."""
    try:
        path = platformdirs.user_cache_path("lazybook").expanduser()
    except (RuntimeError, OSError, KeyError):
        return temporary("there is no home folder for the cache")
    return _absolute(str(path))


def runs() -> Path:
    """Return the folder of the run records: ``$LAZYBOOK_RUNS``, else ``runs`` in the checkout.

    Raises InvalidValue where `from_environment` does.
    """
    return from_environment("LAZYBOOK_RUNS") or (repository() or cache()) / "runs"


def published() -> Path | None:
    """Return the folder of the records that come with the source checkout, or None."""
    root = repository()
    return root / "results" if root else None


@once  # so that a path stays the same when the working folder changes
def _absolute(given: str) -> Path:
    return Path(os.path.expandvars(given)).expanduser().absolute()


@once  # said once
def temporary(why: str) -> Path:
    """Return a folder for those without a home, which nobody else can write to, and say ``why``."""
    folder = Path(tempfile.gettempdir(), f"lazybook-{os.getuid()}")
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if found.st_uid != os.getuid() or found.st_mode & 0o022 or folder.is_symlink():
            raise PermissionError
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="lazybook-"))
    warnings.warn(f"{why}; {folder} is used (set $XDG_CACHE_HOME to choose)", NoHome, stacklevel=3)
    return folder
