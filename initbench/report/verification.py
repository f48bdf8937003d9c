"""Checks of initializers -> a table, a JSON document, CSV rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from initbench.audit.verify import FALSE_ALARM, Check
from initbench.report.tables import Table, figure

UNITS = (
    "Mean and bounds are in standard deviations from the law's, variance in the law's; symmetry "
    "is the share of weights above the law's mean less that below."
)


def verification_table(title: str, checks: Sequence[Check], notes: Sequence[str]) -> Table:
    """A row a check; what a failure suggests stands under the check's name."""
    rows = tuple(
        (
            check.initializer,
            f"{check.check}\n{check.words}" if check.words else check.check,
            figure(check.statistic),
            figure(check.low),
            figure(check.high),
            "ok" if check.ok else "FAILED",
        )
        for check in checks
    )
    failed = sum(not check.ok for check in checks)
    verdict = f"{failed} of {len(checks)}" if failed else f"None of {len(checks)}"
    caption = [
        f"{verdict} checks failed. Initializers that do what they declare fail any of them "
        f"with a chance below {FALSE_ALARM:g}.",
        UNITS,
        *notes,
    ]
    header = ("initializer", "check", "statistic", "low", "high", "result")
    return Table(title, header, rows, frozenset(header[2:5]), "\n".join(caption))


def verification_document(checks: Sequence[Check], notes: Sequence[str]) -> dict[str, Any]:
    """What `verify --format json` prints; a bound that is not finite is null."""
    return {
        "initbench": version("initbench"),
        "checks": [
            dict(zip(HEADER, (_finite(value) for value in _row(check)), strict=True))
            for check in checks
        ],
        "ok": all(check.ok for check in checks),
        "false_alarm": FALSE_ALARM,
        "notes": list(notes),
    }


HEADER = ("initializer", "check", "statistic", "low", "high", "ok", "words")


def verification_rows(checks: Sequence[Check]) -> tuple[Sequence[str], list[list[object]]]:
    """Header and rows of a CSV with one row a check."""
    return HEADER, [_row(check) for check in checks]


def failures(checks: Sequence[Check]) -> list[str]:
    """A line for each check that failed."""
    lines = []
    for check in checks:
        figures = [
            figure(check.statistic),
            f"expected {figure(check.low)} to {figure(check.high)}",
        ]
        parts = [*(figures if check.low < check.high else []), check.words]
        if not check.ok:
            words = ", ".join(part for part in parts if part)
            lines.append(f"{check.initializer}: {check.check}: {words}")
    return lines


def _row(check: Check) -> list[object]:
    return [
        check.initializer,
        check.check,
        check.statistic,
        check.low,
        check.high,
        check.ok,
        check.words,
    ]


def _finite(value: object) -> object:
    return None if isinstance(value, float) and not math.isfinite(value) else value
