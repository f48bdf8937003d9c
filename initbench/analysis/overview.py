"""What people put beside a ranking: a sweep as a matrix, wins over problems, disagreements.

These describe; they test nothing. Pure functions of records and rows.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from initbench.analysis.comparison import Contest, Row, by_competitor
from initbench.analysis.intervals import median
from initbench.analysis.selection import Trained, preference
from initbench.analysis.summary import metric_values
from initbench.metrics import METRICS
from initbench.runs.records import Record, setting_key


@dataclass(frozen=True, slots=True)
class MatrixCell:
    """An initializer at one setting: the metric's median over all its seeds, and runs trained."""

    median: float | None
    trained: int
    runs: int


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """An initializer's cells, one a value of the matrix' key.

    ``best`` is the index of the best one, by the rule that chooses settings for the ranking; None
    where no run trained at any.
    """

    config: str
    initializer: str
    cells: tuple[MatrixCell | None, ...]
    best: int | None


@dataclass(frozen=True, slots=True)
class Matrix:
    """A sweep of one contest: a row an initializer, a column a value of ``key``.

    ``fixed`` holds the other swept keys, which have one value in this matrix.
    """

    problem: int
    key: str
    values: tuple[Any, ...]
    fixed: dict[str, Any]
    metric: str
    rows: tuple[MatrixRow, ...]


def matrices(contests: Sequence[Contest], metric: str) -> list[Matrix]:
    """The matrices of each contest whose sweep gave a choice; the longest key makes the columns."""
    found = []
    for number, contest in enumerate(contests):
        settings = {setting_key(r.setting): r.setting for r in contest.records}
        values = _values(settings.values())
        if not values:
            continue
        key = max(values, key=lambda name: len(values[name]))
        others: dict[Hashable, dict[str, Any]] = {}
        for setting in settings.values():
            fixed = {name: setting[name] for name in values if name != key and name in setting}
            others.setdefault(setting_key(fixed), fixed)
        for fixed in others.values():
            rows = tuple(_matrix_rows(contest, key, values[key], fixed, metric))
            found.append(Matrix(number, key, tuple(values[key]), fixed, metric, rows))
    return found


def _values(settings: Iterable[dict[str, Any]]) -> dict[str, list[Any]]:
    """The values of each key that has more than one."""
    values: dict[str, list[Any]] = {}
    for setting in settings:
        for key, value in setting.items():
            if value not in values.setdefault(key, []):
                values[key].append(value)
    return {key: of_key for key, of_key in values.items() if len(of_key) > 1}


def _matrix_rows(
    contest: Contest, key: str, values: Sequence[Any], fixed: dict[str, Any], metric: str
) -> Iterable[MatrixRow]:
    shown = (r for r in contest.records if all(r.setting.get(k) == v for k, v in fixed.items()))
    for (config, initializer), records in by_competitor(shown).items():
        at = [[r for r in records if r.setting.get(key) == value] for value in values]
        cells = tuple(_cell(group, metric, contest.trained) for group in at)
        best = None
        if any(cell.trained for cell in cells if cell):
            best = min(range(len(at)), key=lambda i: preference(at[i], metric, contest.trained))
        yield MatrixRow(config, initializer, cells, best)


def _cell(records: Sequence[Record], metric: str, trained: Trained) -> MatrixCell | None:
    if not records:
        return None
    values = metric_values(records, metric)
    return MatrixCell(median(values) if values else None, sum(map(trained, records)), len(records))


@dataclass(frozen=True, slots=True)
class Score:
    """An initializer over several problems.

    It wins against a row of the same problem that is told from the best where it is not itself;
    two rows that both have the mark, or both lack it, tie.
    """

    name: str
    problems: int
    wins: int
    ties: int
    losses: int
    mean_rank: float


def scores(rows: Sequence[Row]) -> list[Score]:
    """A score for each initializer, the best mean rank first; none if no two problems share one."""
    name = _naming(rows)
    found = []
    for who in dict.fromkeys(map(name, rows)):
        own = [row for row in rows if name(row) == who]
        wins = ties = losses = 0
        for row in own:
            for other in rows:
                if other.problem != row.problem or other is row:
                    continue
                won = bool(row.best_group) - bool(other.best_group)
                if row.best_group is None or other.best_group is None:
                    won = 0
                wins, ties, losses = wins + (won > 0), ties + (won == 0), losses + (won < 0)
        mean_rank = sum(row.rank for row in own) / len(own)
        found.append(Score(who, len(own), wins, ties, losses, mean_rank))
    if max((score.problems for score in found), default=0) < 2:
        return []
    return sorted(found, key=lambda score: (-score.problems, score.mean_rank))


def _naming(rows: Sequence[Row]) -> Callable[[Row], str]:
    """Initializers by their label, and by their config too where that is needed to tell them."""
    labels = [(row.problem, row.initializer) for row in rows]
    if len(set(labels)) == len(labels):
        return lambda row: row.initializer
    return lambda row: f"{row.config}, {row.initializer}"


def disagreement(rows: Sequence[Row]) -> tuple[str, Row, Row] | None:
    """The other split's metric and both winners, where train and test disagree about the best.

    ``rows`` are one contest's, the best first. Where no run trained nobody is the best.
    """
    if not any(row.trained for row in rows):
        return None
    ranks = METRICS[rows[0].metric]
    other = next(
        (m for m in METRICS.values() if m.family == ranks.family and m.split != ranks.split), None
    )
    known = [(row.metrics[other.name], row) for row in rows] if other else []
    judged = [(interval.estimate, row) for interval, row in known if interval]
    if other is None or len(judged) < 2:
        return None
    best = min(other.sign * value for value, _ in judged)
    winners = [row for value, row in judged if other.sign * value == best]
    return None if rows[0] in winners else (other.name, rows[0], winners[0])
