"""Starts by condition, and how many failed: see tests/benchmarks/diagnosis.py."""

from __future__ import annotations

from typing import NamedTuple

from initbench.diagnosis.rules import Condition, Family


class Share(NamedTuple):
    """The starts that were trained, and how many of them failed under momentum and under Adam."""

    starts: int
    momentum: int
    adam: int


#: By the family that the condition is about.
SHARES: dict[Family, dict[Condition, Share]] = {
    "descent": {
        "symmetric": Share(4, 4, 2),
        "dead": Share(7, 7, 7),
        "exploding": Share(23, 23, 8),
        "saturated": Share(12, 12, 7),
        "vanishing": Share(54, 49, 16),
        "ordered": Share(52, 49, 23),
        "chaotic": Share(11, 8, 8),
        "healthy": Share(299, 9, 2),
    },
    "adaptive": {
        "symmetric": Share(4, 4, 2),
        "dead": Share(7, 7, 7),
        "exploding": Share(5, 5, 5),
        "vanishing": Share(19, 19, 14),
        "ordered": Share(19, 19, 18),
        "chaotic": Share(8, 8, 8),
        "healthy": Share(400, 99, 19),
    },
}
