"""Where things lie: the source checkout, if there is one, and the user's own folders."""

import os
from pathlib import Path

import platformdirs


def repository() -> Path | None:
    """Return the root of the source checkout that this package runs from, or None."""
    root = Path(__file__).parents[3]
    return root if (root / "pyproject.toml").is_file() else None


def cache() -> Path:
    """Return the user's cache folder."""
    return platformdirs.user_cache_path("lazybook")


def runs() -> Path:
    """Return the folder of the run records: ``$LAZYBOOK_RUNS``, else ``runs`` in the checkout."""
    if own := os.environ.get("LAZYBOOK_RUNS"):
        return Path(own)
    return (repository() or cache()) / "runs"


def published() -> Path | None:
    """Return the folder of the records that come with the source checkout, or None."""
    root = repository()
    return root / "results" if root else None
