"""The memory that this machine has, and how many cells of a data file have room in it."""

from __future__ import annotations

import os
from pathlib import Path

#: Numbers of 8 bytes that a cell takes at the peak: as read, as a matrix, split, and transposed.
COPIES = 4
#: No file may have more cells, whatever the memory: 1 GiB of numbers.
MAX_CELLS = 2**27
#: The limits that a container is given: those of cgroups, version 2 and 1.
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))


def most_cells() -> int:
    """The cells that fit in memory, at most MAX_CELLS."""
    memory = available_memory()
    return MAX_CELLS if memory is None else min(MAX_CELLS, memory // (8 * COPIES))


def available_memory() -> int | None:
    """The bytes that this machine has, or a container's limit where that is less.

    None where the system says neither.
    """
    return min(filter(None, [physical_memory(), *map(_limit, _LIMITS)]), default=None)


def physical_memory() -> int | None:
    """The bytes of memory that this machine has; None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _limit(path: Path) -> int | None:
    try:
        return int(path.read_text(encoding="ascii"))
    except (OSError, ValueError):  # no container, or `max`
        return None
