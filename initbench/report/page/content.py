"""What the page shows of each problem, before it is HTML: pictures, stories, tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from initbench.report.views.pictures import Picture
from initbench.report.views.story import Story
from initbench.report.views.view import Table


@dataclass(frozen=True, slots=True)
class Section:
    """One problem of the page.

    Attributes:
        title: The problem in words.
        series: The names of the initializers, which the legend switches.
        tables: The ranking and what stands beside it.
        curves: The learning curves, by (metric, ``log`` or ``linear``).
        pictures: All other pictures, by their kind.
        stories: What is told beside each network.
        diagnosis: Each initializer's condition in words.
        iterations: The log points that the slider reaches.
        replay: Whether the networks are those of the stored records, in words.
    """

    title: str
    series: tuple[str, ...]
    tables: Sequence[Table]
    curves: Mapping[tuple[str, str], Picture]
    pictures: Mapping[str, Sequence[Picture]]
    stories: Sequence[Story]
    diagnosis: Sequence[str]
    iterations: Sequence[int]
    replay: str


@dataclass(frozen=True, slots=True)
class Page:
    """All that the page shows.

    ``document`` is what ``--format json`` prints of the comparison, without what differs from one
    training to the next. ``facts`` says where the numbers come from, as pairs of words.
    """

    title: str
    sections: Sequence[Section]
    document: Mapping[str, Any]
    facts: Sequence[tuple[str, str]]
    command: str
