"""Numbers, ranges and names as the texts of a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple

from initbench.analysis.comparison import Row
from initbench.analysis.intervals import Interval
from initbench.analysis.summary import Spread, Summary
from initbench.metrics import METRICS

DIVERGED = "Diverged: the train loss stopped being finite, and counts as inf."
#: A metric's words and unit, a line each.
HEADINGS = {
    name: "\n".join(filter(None, (*metric.label.split(), metric.unit)))
    for name, metric in METRICS.items()
}
#: Significant digits of a range's ends, where the metric is not in percent: at least so many.
RANGE_DIGITS = 2
#: Significant digits of a difference.
DIFFERENCE_DIGITS = 3
#: How many digits more than usual are tried until rounded numbers agree with one another.
MORE_DIGITS = 8
#: The column that names a row: its config and, on a second line, its initializer.
INITIALIZER = "config\n(initializer)"


def columns(
    rows: Sequence[Mapping[str, str]],
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The header, and rows of texts, of cells by their column; a row may lack some columns."""
    header = tuple(dict.fromkeys(key for cells in rows for key in cells))
    return header, tuple(tuple(cells.get(key, "") for key in header) for cells in rows)


def seeds(counts: Sequence[int]) -> str:
    """Numbers of seeds in words.

    >>> seeds([5, 10]), seeds([1])
    ('5 or 10 seeds', '1 seed')
    """
    *others, last = map(str, counts)
    words = f"{', '.join(others)} or {last}" if others else last
    return f"{words} seed{'' if list(counts) == [1] else 's'}"


def spread_cell(metric: str, spread: Spread | None) -> str:
    r"""A median and, on a second line, the range unless it is one value; accuracies in percent.

    >>> spread_cell("train_loss", Spread(0.101941, 0.064811, 0.622594))
    '0.1019\n0.065–0.62'
    >>> spread_cell("test_accuracy", Spread(0.5, 0.5, 0.5))
    '50.0'
    """
    return "-" if spread is None else _ranged(metric, spread.median, spread.low, spread.high)


def interval_cell(metric: str, interval: Interval | None) -> str:
    """A median and, on a second line, its interval; like :func:`spread_cell`."""
    return "-" if interval is None else _ranged(metric, *astuple(interval))


def _ranged(metric: str, median: float, low: float, high: float) -> str:
    known = METRICS[metric]
    if math.isinf(low):  # one seed, or all runs diverged
        return known.text(median)
    for digits in range(RANGE_DIGITS, known.digits + 1) if not known.unit else (known.digits,):
        shown = known.text(median), known.text(low, digits), known.text(high, digits)
        # Rounded ends must not leave the median outside, nor fall together.
        if float(shown[1]) <= float(shown[0]) <= float(shown[2]) and shown[1] != shown[2]:
            return f"{shown[0]}\n{shown[1]}–{shown[2]}"
    return known.text(median)


def figure(value: float) -> str:
    """A number to four digits; - where it is not finite."""
    return f"{value:.4g}" if math.isfinite(value) else "-"


def difference_cell(metric: str, interval: Interval | None) -> str:
    r"""A difference with its sign, and its interval; of accuracies in percentage points.

    >>> difference_cell("train_loss", Interval(0.0227, -0.011, 0.04))
    '+0.0227\n-0.011…+0.04'
    """
    if interval is None:
        return "-"
    known = METRICS[metric]
    values = (interval.estimate, interval.low, interval.high)
    least = (known.digits,) * 3 if known.unit else (DIFFERENCE_DIGITS, RANGE_DIGITS, RANGE_DIGITS)
    if interval.low == interval.high:
        return known.difference_text(interval.estimate, least[0])
    for more in range(MORE_DIGITS):
        # Beyond the usual digits all three have as many: then rounding keeps their order.
        places = [max(least) + more] * 3 if more else least
        texts = [
            known.difference_text(value, digits)
            for value, digits in zip(values, places, strict=True)
        ]
        if _agree([float(text) for text in texts], values):
            break
    estimate, low, high = texts
    unknown = math.isinf(interval.low) and math.isinf(interval.high) and interval.low < 0
    return estimate if low == high or unknown else f"{estimate}\n{low}…{high}"


def _agree(shown: Sequence[float], values: Sequence[float]) -> bool:
    """Whether rounding kept an estimate inside its interval, and all three on their side of 0."""
    estimate, low, high = shown
    sides = all(
        (x > 0) == (y > 0) and (x < 0) == (y < 0) for x, y in zip(shown, values, strict=True)
    )
    return sides and low <= estimate <= high


def loss_line(*, classified: bool) -> str:
    """What a loss is, for a legend.

    Args:
        classified: Whether the task has classes, and so its runs have accuracies.
    """
    return f"Loss is {'in nats' if classified else 'the mean squared error'}."


def setting_heading(key: str) -> str:
    """A swept key as a heading, a word a line, or one key would fill the terminal."""
    return key.replace("_", "\n")


def noted_runs(rows: Iterable[Summary | Row]) -> str:
    """A line for each row whose initializer left notes about runs that trained."""
    return "".join(
        f"\n{row.config}, {row.initializer}: {len(row.notes)} of {row.runs} runs: "
        f"{row.notes[0]}{' (and others)' if len(set(row.notes)) > 1 else ''}."
        for row in rows
        if row.notes
    )
