"""What all models of a config share: a strict base class, and kinds of numbers."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, ConfigDict

MAX_SEED = 2**32 - 1  # RandomState takes no larger one

Seed = Annotated[int, Ge(0), Le(MAX_SEED)]
Positive = Annotated[float, Gt(0)]
NonNegative = Annotated[float, Ge(0)]


class Model(BaseModel):
    """The base of all models: frozen, and strict about types, numbers and keys.

    A bool is no number and a text is no float, numbers are finite, and other keys are refused.
    """

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


def as_tuple(value: Any) -> Any:
    """A list as a tuple, which a frozen model can be hashed with; anything else as it is."""
    return tuple(value) if isinstance(value, list) else value
