"""Records -> the JSON fields and CSV cells of runs, with all digits.

JSON has no infinity: a number that is not finite (a diverged run's loss) is null.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from typing import Any

from initbench.analysis.intervals import Interval
from initbench.files import finite_or_none
from initbench.metrics import METRICS
from initbench.report.views.view import Cells, Table
from initbench.runs.records import Curve, Record
from initbench.wording import counted


def record_fields(record: Record) -> dict[str, Any]:
    """One run: who, how it ended, its last metrics and its curve."""
    return {
        "id": record.id,
        "config": record.config,
        "initializer": record.initializer,
        "setting": record.setting,
        "seed": record.seed,
        "status": record.status,
        "reason": record.reason,
        "note": record.note,
        "iterations": record.iterations,
        **{name: finite_or_none(record.metric(name)) for name in METRICS},
        "curve": _curve_fields(record.curve),
        "seconds": record.seconds,
        "numerics": record.numerics,
        "cached": record.cached,
    }


def record_cells(records: Sequence[Record]) -> Cells:
    """Header and rows of a CSV with one row a run.

    A swept key that has the name of another column becomes ``sweep.iterations``.
    """
    swept = list(dict.fromkeys(key for record in records for key in record.setting))
    who = ["id", "config", "initializer"]
    ended = ["seed", "status", "reason", "iterations", *METRICS, "seconds", "note"]
    keys = [f"sweep.{key}" if key in {*who, *ended} else key for key in swept]
    rows: list[list[object]] = [
        [
            record.id,
            record.config,
            record.initializer,
            *(record.setting.get(key) for key in swept),
            record.seed,
            record.status,
            record.reason,
            record.iterations,
            *(record.metric(name) for name in METRICS),
            record.seconds,
            record.note,
        ]
        for record in records
    ]
    return Cells([*who, *keys, *ended], rows)


def _curve_fields(curve: Curve) -> dict[str, Any]:
    return {
        "iteration": list(curve.iteration),
        **{
            name: None if values is None else [finite_or_none(value) for value in values]
            for name in METRICS
            for values in [getattr(curve, name)]
        },
    }


def interval_fields(interval: Interval | None) -> dict[str, float | None] | None:
    """An interval as JSON holds it."""
    if interval is None:
        return None
    return {key: finite_or_none(value) for key, value in asdict(interval).items()}


def noted(table: Table, records: Iterable[Record], here: str, notes: Sequence[str] = ()) -> Table:
    """The table with the notes, and a line for other arithmetic that made some of its runs.

    ``here`` is this machine's: :attr:`initbench.runs.provenance.Provenance.numerics`.
    """
    elsewhere = Counter(record.numerics for record in records if record.numerics != here)
    lines = [
        f"{counted(count, 'run')} made with {numerics} (here: {here}): last digits may differ."
        for numerics, count in elsewhere.items()
    ]
    return replace(table, caption="\n".join([table.caption, *notes, *lines]))
