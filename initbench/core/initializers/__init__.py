"""Weight initializers: what each draws, and the moments of what it draws.

:mod:`.protocol` says what an initializer is, and :mod:`.registry` lists them all by name.
"""

import warnings
from typing import TYPE_CHECKING, Any

from initbench.core.architecture import Shape, fans
from initbench.core.initializers.protocol import (
    GAIN_WORDS,
    Initializer,
    Moments,
    Network,
    Property,
    Start,
    Weights,
    defaults,
)
from initbench.core.initializers.registry import ALIASES, INITIALIZERS

__all__ = [
    "ALIASES",
    "GAIN_WORDS",
    "INITIALIZERS",
    "Initializer",
    "Moments",
    "Network",
    "Property",
    "Shape",
    "Start",
    "Weights",
    "defaults",
    "fans",
]


if TYPE_CHECKING:
    Law = Moments
else:  # hidden from mypy, which would take any misspelt name for one that is found here

    def __getattr__(name: str) -> Any:
        """Moments, under the name that it had in version 0.1, with a warning."""
        if name == "Law":
            warnings.warn(
                "initbench.core.initializers.Law is now called Moments; "
                "version 0.3 will drop the old name",
                DeprecationWarning,
                stacklevel=2,
            )
            return Moments
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
