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
        "symmetric": Share(5, 5, 3),
        "dead": Share(7, 7, 7),
        "exploding": Share(24, 24, 9),
        "saturated": Share(13, 13, 7),
        "vanishing": Share(58, 53, 17),
        "ordered": Share(55, 52, 23),
        "chaotic": Share(11, 8, 8),
        "healthy": Share(323, 10, 2),
    },
    "adaptive": {
        "symmetric": Share(5, 5, 3),
        "dead": Share(7, 7, 7),
        "exploding": Share(6, 6, 6),
        "vanishing": Share(20, 20, 14),
        "ordered": Share(19, 19, 18),
        "chaotic": Share(8, 8, 8),
        "healthy": Share(431, 107, 20),
    },
}
#: How many times the iterations of other healthy starts the slow ones took, by their medians.
SLOWER: dict[Family, float] = {
    "descent": 9.0,
    "adaptive": 3.5,
}
