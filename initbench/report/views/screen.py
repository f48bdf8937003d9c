"""What only a terminal shows of a table's rows: the loss while training, and the time it took."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from initbench.analysis.curves import logged, median_curve
from initbench.analysis.intervals import median
from initbench.diagnosis.portraits import spread
from initbench.metrics import METRICS
from initbench.report.views.texts import figure
from initbench.report.views.view import Sparklines, Table
from initbench.runs.records import Record

CURVE = "loss\ncurve"
SECONDS = "seconds\na run"
#: The values of a curve: a start and an end make none, and a terminal draws one character each.
FEWEST_POINTS, MOST_POINTS = 3, 40
#: Losses so many times apart are drawn on a logarithmic scale.
DECADE = 10.0


def on_screen(
    table: Table, groups: Sequence[Sequence[Record]], metric: str, after: str = ""
) -> Table:
    """The table with two columns that a terminal shows where it has room for them.

    Args:
        table: The table.
        groups: The records of each of its rows.
        metric: The metric that the table is about; its split says which loss is drawn.
        after: The column that the curves stand beside; by default they stand last.
    """
    curves = loss_curves(groups, metric)
    place = table.header.index(after) + 1 if after in table.header else len(table.header)
    curve = (CURVE,) if curves else ()
    return replace(
        table,
        header=(*table.header[:place], *curve, *table.header[place:], SECONDS),
        rows=tuple(
            (*row[:place], *("" for _ in curve), *row[place:], _seconds(records))
            for row, records in zip(table.rows, groups, strict=True)
        ),
        numeric=table.numeric | {SECONDS},
        wide=(*curve, *table.wide, SECONDS),
        screen=frozenset({*curve, SECONDS}),
        sparklines=curves,
    )


def loss_curves(groups: Sequence[Sequence[Record]], metric: str) -> Sparklines | None:
    """Each row's median loss over its runs, of the split that ``metric`` is about.

    None where there is nothing to draw: all runs failed, or only start and end were logged.
    """
    loss = f"{METRICS[metric].split}_loss"
    every = sorted({iteration for records in groups for iteration in logged(records)})
    if len(every) < FEWEST_POINTS:
        return None
    moments = spread(every, MOST_POINTS)
    curves = tuple(tuple(median_curve(records, loss, moments)) for records in groups)
    starts = sorted(curve[0] for curve in curves if curve and math.isfinite(curve[0]))
    if not starts:
        return None
    finite = [value for value in chain(*curves) if math.isfinite(value)]
    # One row may start a thousand times higher than the others, whose curves would be flat.
    low, typical = min(finite), starts[(len(starts) - 1) // 2]
    high = typical if typical > low else max(finite)
    log = low > 0 and high >= DECADE * low
    return Sparklines(
        CURVE, curves, (low, high), log, _legend(METRICS[loss].label, curves, low, high, log=log)
    )


def _legend(
    label: str, curves: Sequence[Sequence[float]], low: float, high: float, *, log: bool
) -> str:
    what = f"Loss curve: the median {label} from the first iteration to the last"
    if low == high:
        return f"{what}, which stays where it is."
    lost = any(math.isinf(value) for value in chain(*curves))
    return (
        f"{what}, on one {'logarithmic' if log else 'linear'} scale for all rows, from "
        f"{figure(low)} to {figure(high)} and above"
        f"{'; × where the median has diverged' if lost else ''}."
    )


def _seconds(records: Sequence[Record]) -> str:
    """The median time of a run, which is its share of its stack's."""
    seconds = median([record.seconds for record in records])
    return f"{seconds:,.0f}" if seconds >= 100 else f"{seconds:.2g}"
