"""Weight initializers: what each draws, and by which law. :mod:`.registry` lists them all."""

from initbench.core.initializers.protocol import (
    Initializer,
    Law,
    Network,
    Shape,
    Start,
    Weights,
    fans,
)
from initbench.core.initializers.registry import ALIASES, INITIALIZERS

__all__ = [
    "ALIASES",
    "INITIALIZERS",
    "Initializer",
    "Law",
    "Network",
    "Shape",
    "Start",
    "Weights",
    "fans",
]
