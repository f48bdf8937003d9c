"""Numbers -> a curve of a few characters, as high as each number."""

from __future__ import annotations

import math
from collections.abc import Sequence

#: Eight heights, the lowest first, and what stands for a value that is not finite.
BLOCKS = "▁▂▃▄▅▆▇█×"
#: The same where an encoding lacks any of them: more ink is higher.
ASCII = "_.:-=+*#x"
#: The heights.
LEVELS = 8


def sparkline(
    values: Sequence[float],
    width: int,
    bounds: tuple[float, float],
    *,
    log: bool = False,
    characters: str = BLOCKS,
) -> str:
    """At most ``width`` characters for the values, the first and the last among them.

    Args:
        values: The numbers from left to right; one that is not finite becomes the last character.
        width: The characters at most; there are no more than values.
        bounds: The lowest and the highest value of the scale; others are drawn at its ends.
        log: Whether equal heights are equal ratios, of values above 0.
        characters: Eight heights, and the mark.

    >>> sparkline([8, 4, 2, 1], 4, (1, 8), log=True)
    '█▆▃▁'
    >>> sparkline([1, 2, math.inf], 2, (1, 2), characters=ASCII)
    '_x'
    """
    count = min(width, len(values))
    last = len(values) - 1
    chosen = [values[round(place * last / max(1, count - 1))] for place in range(count)]
    return "".join(characters[_level(value, bounds, log=log)] for value in chosen)


def characters(encoding: str) -> str:
    """The characters of sparklines in an encoding."""
    try:
        BLOCKS.encode(encoding)
    except UnicodeEncodeError:
        return ASCII
    return BLOCKS


def _level(value: float, bounds: tuple[float, float], *, log: bool) -> int:
    if not math.isfinite(value):
        return LEVELS
    within = min(max(value, bounds[0]), bounds[1])
    low, high, here = (math.log(x) if log else x for x in (*bounds, within))
    share = (here - low) / (high - low) if high > low else 0.0
    return min(LEVELS - 1, int(LEVELS * share))
