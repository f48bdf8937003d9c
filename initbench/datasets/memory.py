"""The memory that there is: of the machine, a container or a process; and what has room in it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

#: Numbers of 8 bytes that a cell takes at the peak: as read, as a matrix, split, and transposed.
COPIES = 4
#: No file may have more cells, whatever the memory: 1 GiB of numbers.
MAX_CELLS = 2**27
#: Where Linux shows the limits that a container is given, and the groups of this process.
CGROUPS, OWN_GROUPS = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")


class Memory(NamedTuple):
    """So many bytes, and whose they are in words: ``this machine``."""

    size: int
    whose: str


def available_memory() -> Memory | None:
    """The least of what the machine has, its container may use, and this process may address.

    None where the system says nothing of them.
    """
    limits = [*_machine(), *_containers(), *_process()]
    return min(limits, key=lambda memory: memory.size, default=None)


def most_cells() -> int:
    """The cells of a data file that fit in memory, at most MAX_CELLS."""
    memory = available_memory()
    return MAX_CELLS if memory is None else min(MAX_CELLS, memory.size // (8 * COPIES))


def bytes_text(size: int) -> str:
    """A number of bytes for a sentence.

    >>> bytes_text(3 * 2**30), bytes_text(5 * 2**20)
    ('3.0 GiB', '5.0 MiB')
    """
    return f"{size / 2**30:,.1f} GiB" if size >= 2**30 / 10 else f"{size / 2**20:,.1f} MiB"


def _machine() -> Iterator[Memory]:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return
    yield Memory(size, "this machine")


def _containers() -> Iterator[Memory]:
    """The limits of cgroups, version 2 and 1: those of this process's group and all above it."""
    try:
        groups = OWN_GROUPS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in groups:
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            root, name = CGROUPS, "memory.max"
        elif "memory" in controllers.split(","):
            root, name = CGROUPS / "memory", "memory.limit_in_bytes"
        else:
            continue
        own = root / path.strip("/")
        # In a container the path may be the host's: then only the root is there.
        for folder in (own, *own.parents):
            if folder.is_relative_to(root):
                yield from _limit(folder / name)


def _limit(path: Path) -> Iterator[Memory]:
    try:
        yield Memory(int(path.read_text(encoding="ascii")), "this container")
    except (OSError, ValueError):  # no such group, or `max`
        return


def _process() -> Iterator[Memory]:
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, _ = resource.getrlimit(resource.RLIMIT_AS)
    if soft != resource.RLIM_INFINITY:
        yield Memory(soft, "this process (ulimit -v)")
