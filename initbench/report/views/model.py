"""`initbench verify --model` -> a row a parameter that failed, and how many others passed."""

from __future__ import annotations

from typing import Any

from initbench.audit.verify import FALSE_ALARM
from initbench.files import envelope, finite_or_none
from initbench.models.verifying import ModelChecks, ParameterCheck
from initbench.report.views.texts import figure
from initbench.report.views.view import Cells, Table, View
from initbench.wording import counted

#: Checks that passed are shown up to so many; beyond, the table has those that failed.
SHOWN = 60
#: Notes that a caption shows.
NOTES = 10


def model_checks_view(result: ModelChecks) -> View:
    """All checks of a model's parameters."""
    return View(
        (_table(result),),
        lambda: _document(result),
        lambda: _cells(result),
    )


def _table(result: ModelChecks) -> Table:
    checks = result.checks
    failed = sum(not check.ok for check in checks)
    shown = [check for check in checks if len(checks) <= SHOWN or not check.ok]
    rows = tuple(
        (
            f"{check.parameter}\n{check.law}",
            check.check,
            figure(check.statistic),
            figure(check.low),
            figure(check.high),
            "ok" if check.ok else "FAILED",
        )
        for check in shown
    )
    caption = [
        f"{failed or 'None'} of {len(checks)} checks failed. If the model follows its laws, the "
        f"chance that any check fails is below {FALSE_ALARM:g}.",
        *result.notes[:NOTES],
    ]
    if len(result.notes) > NOTES:
        caption.append(f"And {len(result.notes) - NOTES} more notes: --format json has them all.")
    if len(shown) < len(checks):
        caption.insert(1, "Checks that passed are not shown; --format csv has them.")
    header = ("parameter and law", "check", "statistic", "at\nleast", "at\nmost", "result")
    title = f"{result.name}: {result.parameters} parameters at {counted(result.seeds, 'seed')}"
    return Table(title, header, rows, frozenset(header[2:5]), "\n".join(caption))


def _document(result: ModelChecks) -> dict[str, Any]:
    """What `verify --model --format json` prints; a bound that is not finite is null."""
    return envelope(
        checks=[
            {
                "parameter": check.parameter,
                "law": check.law,
                "check": check.check,
                "statistic": finite_or_none(check.statistic),
                "low": finite_or_none(check.low),
                "high": finite_or_none(check.high),
                "ok": check.ok,
                "words": check.words,
            }
            for check in result.checks
        ],
        ok=all(check.ok for check in result.checks),
        false_alarm=FALSE_ALARM,
        notes=result.notes,
    )


def _cells(result: ModelChecks) -> Cells:
    header = ("parameter", "law", "check", "statistic", "low", "high", "ok", "words")
    return Cells(header, [[getattr(check, name) for name in header] for check in result.checks])


def parameter_failures(checks: list[ParameterCheck]) -> list[str]:
    """A line for each check that failed: parameter, law, what was found and what was expected."""
    return [
        f"{check.parameter}: {check.law}: {check.check} {figure(check.statistic)}, expected "
        f"{figure(check.low)} to {figure(check.high)}" + (f": {check.words}" * bool(check.words))
        for check in checks
        if not check.ok
    ]
