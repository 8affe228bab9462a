"""What this machine has."""

import os
from contextlib import suppress
from pathlib import Path


def memory() -> int:
    """Return the bytes of memory that this process can have at most: all, or what it is allowed."""
    sizes = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for limit in ("memory.max", "memory/memory.limit_in_bytes"):  # of a container, if it is one
        with suppress(OSError, ValueError):
            sizes.append(int(Path("/sys/fs/cgroup", limit).read_text()))
    return min(sizes)
