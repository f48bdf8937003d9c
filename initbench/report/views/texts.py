"""Numbers, ranges and names as the texts of a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple

from initbench.analysis.comparison import Row
from initbench.analysis.intervals import Interval
from initbench.analysis.summary import Spread, Summary
from initbench.metrics import METRICS

DIVERGED = " A diverged run counts as loss inf."
HEADINGS = {
    "train_loss": "train\nloss",
    "train_accuracy": "train\nacc. %",
    "test_loss": "test\nloss",
    "test_accuracy": "test\nacc. %",
}
#: Significant digits of a range's ends, where the metric is not in percent.
RANGE_DIGITS = 2
#: The column that says which row it is.
INITIALIZER = "config\n(initializer)"


def columns(
    rows: Sequence[Mapping[str, str]],
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Header and rows of cells by their column's name; a row may lack some."""
    header = tuple(dict.fromkeys(key for cells in rows for key in cells))
    return header, tuple(tuple(cells.get(key, "") for key in header) for cells in rows)


def seeds(counts: Sequence[int]) -> str:
    """Counts in words: ``5 or 10 seeds``."""
    return f"{' or '.join(map(str, counts))} seed{'' if list(counts) == [1] else 's'}"


def spread_cell(metric: str, spread: Spread | None) -> str:
    r"""A median, and under it the range where there is one to see; accuracies in percent.

    >>> spread_cell("train_loss", Spread(0.101941, 0.064811, 0.622594))
    '0.1019\n0.065–0.62'
    >>> spread_cell("test_accuracy", Spread(0.5, 0.5, 0.5))
    '50.0'
    """
    return "-" if spread is None else _ranged(metric, spread.median, spread.low, spread.high)


def interval_cell(metric: str, interval: Interval | None) -> str:
    """The same of a median and its interval."""
    return "-" if interval is None else _ranged(metric, *astuple(interval))


def _ranged(metric: str, median: float, low: float, high: float) -> str:
    known = METRICS[metric]
    digits = None if known.unit else RANGE_DIGITS
    texts = [known.text(median), known.text(low, digits), known.text(high, digits)]
    return texts[0] if low == high else f"{texts[0]}\n{texts[1]}–{texts[2]}"


def figure(value: float) -> str:
    """Four digits; - for what is not finite."""
    return f"{value:.4g}" if math.isfinite(value) else "-"


def difference_cell(metric: str, interval: Interval | None) -> str:
    r"""A signed difference and its interval; of accuracies in percentage points.

    >>> difference_cell("train_loss", Interval(0.0227, -0.011, 0.04))
    '+0.0227\n-0.011…0.04'
    """
    if interval is None:
        return "-"
    known = METRICS[metric]
    estimate = known.difference_text(interval.estimate, 3)
    if interval.low == interval.high:
        return estimate
    digits = None if known.unit else RANGE_DIGITS
    return f"{estimate}\n{known.text(interval.low, digits)}…{known.text(interval.high, digits)}"


def noted_runs(rows: Iterable[Summary | Row]) -> str:
    """Lines that say what initializers had to say of runs that trained."""
    return "".join(
        f"\n{row.config}, {row.initializer}: {len(row.notes)} of {row.runs} runs: "
        f"{row.notes[0]}{' (and others)' if len(set(row.notes)) > 1 else ''}."
        for row in rows
        if row.notes
    )
