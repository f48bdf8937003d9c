"""What all models of a config share: a strict base and kinds of number."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, ConfigDict

MAX_SEED = 2**32 - 1  # RandomState takes no larger one

Seed = Annotated[int, Ge(0), Le(MAX_SEED)]
Positive = Annotated[float, Gt(0)]
NonNegative = Annotated[float, Ge(0)]


class Model(BaseModel):
    """Frozen, strict (a bool is no number, a text no float), finite, and closed to other keys."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)
