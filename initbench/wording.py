"""Counts in sentences."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """A number and what it counts, in the singular for 1.

    >>> counted(1, "run"), counted(15_000, "iteration")
    ('1 run', '15,000 iterations')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
