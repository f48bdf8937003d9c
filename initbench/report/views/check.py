"""`initbench check` -> what moved and what to do, a document, a CSV row a verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from initbench.files import envelope, finite_or_none
from initbench.gate.replay import GATE_CONFIDENCE
from initbench.gate.verdicts import WORDS, Verdict, Word
from initbench.metrics import Metric, parse_metric
from initbench.report.views.records import interval_fields
from initbench.report.views.texts import INITIALIZER, columns, difference_cell
from initbench.report.views.view import Cells, Table, View
from initbench.wording import counted

#: What to do about a verdict; docs/gating.md says more.
ADVICE: dict[Word, str] = {
    "changed": "code or numerics changed the runs, not clearly for the worse; look, then save the "
    "baseline again",
    "improved": "save the baseline again to keep the improvement: `initbench baseline save`",
    "missing": "not judged; save a baseline for it",
    "stale": "not judged, because the config has changed since the baseline was saved",
}
FIGURES = "baseline\n(candidate)"
DIFFERENCE = "difference\n(- baseline)"


def check_view(
    verdicts: Sequence[Verdict], code: int, against: str, notes: Sequence[str] = ()
) -> View:
    """All verdicts, the worst first.

    Args:
        verdicts: What the gate says.
        code: The exit code that they lead to.
        against: The name of the baseline.
        notes: Remarks about the comparison as a whole.
    """
    return View(
        (verdict_table(verdicts, against, notes),),
        lambda: check_document(verdicts, code),
        lambda: check_cells(verdicts),
    )


def verdict_table(verdicts: Sequence[Verdict], against: str, notes: Sequence[str] = ()) -> Table:
    """What moved, by how much, against what tolerance; in one line each row that is ok."""
    ordered = sorted(verdicts, key=lambda v: (WORDS.index(v.verdict), v.key))
    told = [verdict for verdict in ordered if verdict.verdict != "ok"]
    rows = [_cells(verdict) for verdict in told]
    fine = [verdict for verdict in ordered if verdict.verdict == "ok"]
    for _, of_group in groupby(fine, key=lambda v: v.key):
        group = list(of_group)
        expectations = sum(verdict.expectation is not None for verdict in group)
        replayed = len(group) - expectations
        what = [f"{replayed} unchanged"] * bool(replayed)
        what += [f"{counted(expectations, 'promise')} kept"] * bool(expectations)
        rows.append({"verdict": "ok", INITIALIZER: row_name(group[0]), "metric": "\n".join(what)})
    counts = Counter(verdict.verdict.replace("_", " ") for verdict in ordered)
    reasons = [f"{heading(verdict)}: {verdict.reason}." for verdict in told]
    advised = ADVICE.keys() & {verdict.verdict for verdict in told}
    advice = [f"{word.replace('_', ' ')}: {ADVICE[word]}." for word in WORDS if word in advised]
    legend = _legend(told)
    header, texts = columns(rows)
    return Table(
        f"Against {against}: " + ", ".join(f"{n} {word}" for word, n in counts.items()),
        header,
        texts,
        frozenset({FIGURES, DIFFERENCE, "tolerance"}),
        "\n".join([*reasons, *advice, *legend, *notes]),
        (INITIALIZER, 16),
    )


def _cells(verdict: Verdict) -> dict[str, str]:
    figures = [_figure(verdict, x) for x in (verdict.baseline, verdict.candidate)]
    tolerance = verdict.tolerance
    return {
        "verdict": verdict.verdict.replace("_", "\n"),
        INITIALIZER: row_name(verdict),
        "metric": (verdict.metric or "all").replace("_", "\n", 1),
        FIGURES: "\n".join(filter(None, figures)),
        DIFFERENCE: difference_cell(_metric(verdict).name, verdict.difference)
        if verdict.difference
        else "",
        "tolerance": "" if tolerance is None else f"{_metric(verdict).scale * tolerance:.2g}",
    }


def _legend(verdicts: Sequence[Verdict]) -> list[str]:
    """What the columns of figures are, where any verdict has such figures."""
    moved = {_metric(v).smaller_is_better for v in verdicts if v.difference or v.tolerance}
    if not moved:
        return []
    worse = {True: "+ is worse for a loss", False: "- for an accuracy, in points"}
    signs = ", ".join(worse[smaller] for smaller in sorted(moved, reverse=True))
    if moved == {False}:
        signs = "- is worse; accuracies are in percentage points"
    return [
        "Difference: candidate less baseline, the median of the pairs by seed, then its "
        f"{100 * GATE_CONFIDENCE:g} % interval; {signs}. "
        "Tolerance: how far a run may move between machines."
    ]


def _metric(verdict: Verdict) -> Metric:
    return parse_metric(verdict.metric).metric


def _figure(verdict: Verdict, value: float | None) -> str:
    if value is None:
        return ""
    metric = _metric(verdict)
    return f"{metric.text(value)} {metric.unit}" if metric.unit else metric.text(value, 6)


def row_name(verdict: Verdict) -> str:
    """The config; on a second line its initializer, if that has another name; and the setting."""
    setting = "".join(f", {key}={value}" for key, value in verdict.setting.items())
    same = verdict.initializer == verdict.config
    return verdict.config + ("" if same else f"\n{verdict.initializer}") + setting


def heading(verdict: Verdict) -> str:
    """The verdict, its row and its metric, in one line."""
    name = row_name(verdict).replace("\n", ", ")
    return ", ".join(filter(None, (f"{verdict.verdict.replace('_', ' ')}: {name}", verdict.metric)))


def check_document(verdicts: Sequence[Verdict], code: int) -> dict[str, Any]:
    """What `check --format json` prints."""
    return envelope(
        verdicts=[
            {
                "config": v.config,
                "initializer": v.initializer,
                "setting": dict(v.setting),
                "metric": v.metric or None,
                "verdict": v.verdict,
                "reason": v.reason,
                "baseline": finite_or_none(v.baseline),
                "candidate": finite_or_none(v.candidate),
                "difference": interval_fields(v.difference),
                "tolerance": finite_or_none(v.tolerance),
                "expectation": v.expectation,
            }
            for v in verdicts
        ],
        exit_code=code,
    )


def check_cells(verdicts: Sequence[Verdict]) -> Cells:
    """Header and rows of a CSV with one row a verdict."""
    swept = list(dict.fromkeys(key for v in verdicts for key in v.setting))
    moments = ("estimate", "low", "high")
    header = [
        "config", "initializer", *swept, "metric", "verdict", "reason", "baseline", "candidate",
        *(f"difference_{moment}" for moment in moments), "tolerance", "expectation",
    ]  # fmt: skip
    rows = [
        [
            v.config, v.initializer, *(v.setting.get(key) for key in swept), v.metric or None,
            v.verdict, v.reason, v.baseline, v.candidate,
            *(v.difference and getattr(v.difference, moment) for moment in moments),
            v.tolerance, v.expectation,
        ]
        for v in verdicts
    ]  # fmt: skip
    return Cells(header, rows)


def failure_kind(verdict: Verdict, *, strict: bool) -> str:
    """A build's word for it: a ``failure``, an ``error`` if nothing was judged, or "" if fine."""
    if verdict.verdict in ("missing", "stale"):
        return "error"
    failing = ("regressed", "expected_failed", *(["changed"] if strict else []))
    return "failure" if verdict.verdict in failing else ""
