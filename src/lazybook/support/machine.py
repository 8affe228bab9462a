"""What this machine has."""

import os
from contextlib import suppress
from pathlib import Path


def memory() -> int:
    """Return the bytes of memory that this process can have at most: all, or what it is allowed."""
    sizes = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    for name in ("memory.max", "memory/memory.limit_in_bytes"):
        with suppress(OSError, ValueError):  # of a container, if it is one and has a limit
            sizes.append(int(Path("/sys/fs/cgroup", name).read_text()))
    return min(sizes)


def cores() -> int:
    """Return how many cores this process may use: those it is bound to, or its share of them."""
    bound = hasattr(os, "sched_getaffinity")
    allowed = len(os.sched_getaffinity(0)) if bound else os.cpu_count() or 1
    for limits in (("cpu.max",), ("cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us")):
        with suppress(OSError, ValueError):  # of a container, if it is one and has a limit
            words = [Path("/sys/fs/cgroup", name).read_text() for name in limits]
            quota, period = map(int, " ".join(words).split())
            if quota > 0:
                allowed = min(allowed, -(-quota // period))
    return allowed
