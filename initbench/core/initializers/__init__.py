"""Weight initializers: what each draws, and by which law. :mod:`.registry` lists them all."""

from initbench.core.initializers.protocol import (
    GAIN_WORDS,
    Initializer,
    Law,
    Network,
    Property,
    Shape,
    Start,
    Weights,
    defaults,
    fans,
)
from initbench.core.initializers.registry import ALIASES, INITIALIZERS

__all__ = [
    "ALIASES",
    "GAIN_WORDS",
    "INITIALIZERS",
    "Initializer",
    "Law",
    "Network",
    "Property",
    "Shape",
    "Start",
    "Weights",
    "defaults",
    "fans",
]
