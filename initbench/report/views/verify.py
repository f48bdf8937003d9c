"""`initbench verify` -> a row a check, and a line for each that failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from initbench.audit.verify import FALSE_ALARM, Check
from initbench.files import envelope, finite_or_none
from initbench.report.views.texts import figure
from initbench.report.views.view import Cells, Table, View

LEGEND = (
    "Mean and bounds are in standard deviations from the declared mean; variance is over the "
    "declared one; symmetry is the share of weights above the declared mean, less the share below."
)


def verify_view(title: str, checks: Sequence[Check], notes: Sequence[str]) -> View:
    """All checks; ``notes`` say what could not be checked."""
    return View(
        (verification_table(title, checks, notes),),
        lambda: verification_document(checks, notes),
        lambda: verification_cells(checks),
    )


def verification_table(title: str, checks: Sequence[Check], notes: Sequence[str]) -> Table:
    """A row for each check; what a failure suggests stands under the check's name."""
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
        f"{verdict} checks failed. If all initializers draw what they declare, the chance that "
        f"any check fails is below {FALSE_ALARM:g}.",
        LEGEND,
        *notes,
    ]
    header = ("initializer", "check", "statistic", "at\nleast", "at\nmost", "result")
    return Table(title, header, rows, frozenset(header[2:5]), "\n".join(caption))


def verification_document(checks: Sequence[Check], notes: Sequence[str]) -> dict[str, Any]:
    """What `verify --format json` prints; a bound that is not finite is null."""
    return envelope(
        checks=[
            {
                "initializer": check.initializer,
                "check": check.check,
                "statistic": finite_or_none(check.statistic),
                "low": finite_or_none(check.low),
                "high": finite_or_none(check.high),
                "ok": check.ok,
                "words": check.words,
            }
            for check in checks
        ],
        ok=all(check.ok for check in checks),
        false_alarm=FALSE_ALARM,
        notes=list(notes),
    )


def verification_cells(checks: Sequence[Check]) -> Cells:
    """Header and rows of a CSV with one row a check."""
    header = ("initializer", "check", "statistic", "low", "high", "ok", "words")
    return Cells(header, [[getattr(check, name) for name in header] for check in checks])


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
