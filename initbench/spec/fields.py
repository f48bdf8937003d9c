"""What all models of a config share: strict base, kinds of number, the name of a sweep's point."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from annotated_types import Ge, Gt, Le
from pydantic import BaseModel, ConfigDict

MAX_SEED = 2**32 - 1  # RandomState takes no larger one

Seed = Annotated[int, Ge(0), Le(MAX_SEED)]
Positive = Annotated[float, Gt(0)]
NonNegative = Annotated[float, Ge(0)]


class Model(BaseModel):
    """Frozen, strict (a bool is no number, a text no float), finite, and closed to other keys."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


def setting_key(setting: Mapping[str, Any]) -> str:
    """What a point of a sweep is found by, in whatever order the sweep names its keys.

    >>> setting_key({"learning_rate": 0.1, "batch_size": None})
    '{"batch_size": null, "learning_rate": 0.1}'
    """
    return json.dumps(dict(setting), sort_keys=True)
