"""The type of every array in the package; its axes stand in comments, in the legend's letters."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

#: An array of any dtype. A shape is written beside it where it matters, as (R, O, B) is.
Array = NDArray[Any]
