"""The last few values that were made, within a budget of bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """The last values that were asked for; the last one of all is kept whatever its size.

    >>> words = Recent[str](count=2, most_bytes=10, size=len)
    >>> [words.get(key, lambda: key * 4) for key in "aba"]
    ['aaaa', 'bbbb', 'aaaa']
    """

    def __init__(self, count: int, most_bytes: int, size: Callable[[Value], int]) -> None:
        self._count, self._most_bytes, self._size = count, most_bytes, size
        self._values: OrderedDict[Hashable, Value] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """The value of the key, made anew unless it is one of the last."""
        if key not in self._values:
            self._values[key] = make()
        self._values.move_to_end(key)
        while len(self._values) > 1 and (
            len(self._values) > self._count
            or sum(map(self._size, self._values.values())) > self._most_bytes
        ):
            self._values.popitem(last=False)
        return self._values[key]
