"""initbench: which weight initializer should this network start from, how sure are we, and why?

The public names, each imported when it is first used (PEP 562), because they need NumPy, SciPy,
scikit-learn and pydantic:

- :func:`run`, :func:`compare`, :func:`diagnose` and :func:`check` do what the commands of these
  names do, and return results that print as tables.
- :func:`draw` draws the weights of one layer from any initializer.
- :class:`Experiment` is a config, and :class:`Initializer` and :class:`Moments` are what an
  initializer of your own is made of.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from initbench.api import check, compare, diagnose, draw, run
    from initbench.core.initializers import Initializer, Moments
    from initbench.spec import Experiment

__all__ = [
    "Experiment",
    "Initializer",
    "Moments",
    "check",
    "compare",
    "diagnose",
    "draw",
    "run",
]

_HOMES = {
    "Experiment": "initbench.spec",
    "Initializer": "initbench.core.initializers",
    "Moments": "initbench.core.initializers",
}


if not TYPE_CHECKING:  # a type checker would take any name for one of the package's

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(_HOMES.get(name, "initbench.api")), name)
        globals()[name] = value  # the next time it is found without this function
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
