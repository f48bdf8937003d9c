"""Records and rows -> JSON documents and CSV rows: for programs, with all digits.

JSON has no infinity: a number that is not finite (a diverged run's loss) is null.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from initbench.analysis.comparison import Spread, Summary
from initbench.metrics import METRICS
from initbench.runs.records import Curve, Record


def run_document(records: Sequence[Record], summaries: Sequence[Summary]) -> dict[str, Any]:
    """What `run --format json` prints."""
    return {
        "initbench": version("initbench"),
        "records": [record_fields(record) for record in records],
        "summary": [_summary_fields(summary) for summary in summaries],
    }


def json_text(document: object) -> str:
    """One JSON document, a line at its end."""
    text = io.StringIO()
    # dumps would hold every token of 10,000 runs as a string of its own: five times the text.
    json.dump(document, text, indent=2, ensure_ascii=False, allow_nan=False)
    return text.getvalue() + "\n"


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
        **{name: number(record.metric(name)) for name in METRICS},
        "curve": _curve_fields(record.curve),
        "seconds": record.seconds,
        "numerics": record.numerics,
        "cached": record.cached,
    }


def record_rows(records: Sequence[Record]) -> tuple[list[str], list[list[object]]]:
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
    return [*who, *keys, *ended], rows


def _summary_fields(summary: Summary) -> dict[str, Any]:
    return {
        "config": summary.config,
        "initializer": summary.initializer,
        "setting": summary.setting,
        "runs": summary.runs,
        "diverged": summary.diverged,
        "failed": summary.failed,
        "reasons": list(summary.reasons),
        "notes": list(summary.notes),
        **{name: _spread_fields(summary.metrics[name]) for name in METRICS},
    }


def _curve_fields(curve: Curve) -> dict[str, Any]:
    return {
        "iteration": list(curve.iteration),
        **{
            name: None if values is None else [number(value) for value in values]
            for name in METRICS
            for values in [getattr(curve, name)]
        },
    }


def _spread_fields(spread: Spread | None) -> dict[str, Any] | None:
    if spread is None:
        return None
    return {
        "median": number(spread.median),
        "low": number(spread.low),
        "high": number(spread.high),
    }


def number(value: float | None) -> float | None:
    """As JSON can hold it: null where it is not finite."""
    return value if value is not None and math.isfinite(value) else None
