"""Whether the copies of a model that a command needs fit in memory, said before they are made."""

from __future__ import annotations

from typing import Any

from initbench.datasets.memory import available_memory
from initbench.errors import InitbenchError
from initbench.models.building import is_lazy
from initbench.runs.runner import Say

#: What needs at least this many bytes is announced.
ANNOUNCED = 1 << 30


def check(model: Any, copies: int, doing: str, tell: Say, available: int | None = None) -> int:
    """The bytes that ``copies`` of a model's tensors need, with two more of the largest.

    The model itself is one of the copies. What needs ANNOUNCED bytes or more is told. Tensors on
    the meta device take no memory.

    Args:
        model: The module.
        copies: How many times its parameters and buffers are in memory at the peak.
        doing: What needs them, for the message.
        tell: Is given the message.
        available: The bytes there are; this machine's where it is None.

    Raises:
        InitbenchError: They do not fit.
    """
    held = [one for one in (*model.parameters(), *model.buffers()) if not is_lazy(one)]
    sizes = [one.numel() * one.element_size() for one in held if not one.is_meta]
    needed: int = copies * sum(sizes) + 2 * max(sizes, default=0)
    if available is None and (memory := available_memory()) is not None:
        available = memory.size
    count = sum(one.numel() for one in held)
    words = (
        f"{doing} a model of {count:,} numbers needs up to {needed / 2**30:.1f} GiB of memory "
        "for them, beside what its forward takes"
    )
    if available is not None and needed > available:
        raise InitbenchError(
            f"{words}, and there are {available / 2**30:.1f} GiB: build it with fewer layers or "
            "narrower, or use a machine with more memory"
        )
    if needed >= ANNOUNCED:
        tell(f"{words}.")
    return needed
