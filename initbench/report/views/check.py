"""`initbench check` -> what moved and what to do, a document, a CSV row a verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from initbench.files import envelope, finite_or_none
from initbench.gate.verdicts import WORDS, Verdict, Word
from initbench.metrics import Metric, parse_metric
from initbench.report.views.records import interval_fields
from initbench.report.views.texts import INITIALIZER, columns, difference_cell
from initbench.report.views.view import Cells, Table, View

#: What to do, in a line each; docs/gating.md says more.
ADVICE: dict[Word, str] = {
    "changed": "code or numerics changed the runs, not clearly for the worse; look, then save the "
    "baseline again",
    "improved": "save the baseline again to keep it: `initbench baseline save`",
    "missing": "not judged: save a baseline for it",
    "stale": "not judged: the config changed since the baseline was saved",
}


def check_view(
    verdicts: Sequence[Verdict], code: int, against: str, notes: Sequence[str] = ()
) -> View:
    """All verdicts, and the exit ``code`` they lead to; ``against`` names the baseline."""
    return View(
        (verdict_table(verdicts, against, notes),),
        lambda: check_document(verdicts, code),
        lambda: check_cells(verdicts),
    )


def verdict_table(verdicts: Sequence[Verdict], against: str, notes: Sequence[str] = ()) -> Table:
    """What moved, by how much, against what tolerance; the rows that are ok in one a group."""
    ordered = sorted(verdicts, key=lambda v: (WORDS.index(v.verdict), v.key))
    told = [verdict for verdict in ordered if verdict.verdict != "ok"]
    rows = [_cells(verdict) for verdict in told]
    fine = [verdict for verdict in ordered if verdict.verdict == "ok"]
    for _, of_group in groupby(fine, key=lambda v: v.key):
        group = list(of_group)
        expectations = sum(verdict.expectation is not None for verdict in group)
        replayed = len(group) - expectations
        what = [f"{replayed} replayed"] * bool(replayed)
        what += [f"{expectations} expected"] * bool(expectations)
        rows.append({"verdict": "ok", INITIALIZER: row_name(group[0]), "metric": "\n".join(what)})
    counts = Counter(verdict.verdict.replace("_", " ") for verdict in ordered)
    reasons = [f"{heading(verdict)}: {verdict.reason}." for verdict in told]
    advised = ADVICE.keys() & {verdict.verdict for verdict in told}
    advice = [f"{word.replace('_', ' ')}: {ADVICE[word]}." for word in WORDS if word in advised]
    header, texts = columns(rows)
    return Table(
        f"Against {against}: " + ", ".join(f"{n} {word}" for word, n in counts.items()),
        header,
        texts,
        frozenset({"baseline\n(candidate)", "difference", "tolerance"}),
        "\n".join([*reasons, *advice, *notes]),
        (INITIALIZER, 16),
    )


def _cells(verdict: Verdict) -> dict[str, str]:
    figures = [_figure(verdict, x) for x in (verdict.baseline, verdict.candidate)]
    tolerance = verdict.tolerance
    return {
        "verdict": verdict.verdict.replace("_", "\n"),
        INITIALIZER: row_name(verdict),
        "metric": (verdict.metric or "all").replace("_", "\n", 1),
        "baseline\n(candidate)": "\n".join(filter(None, figures)),
        "difference": difference_cell(_metric(verdict).name, verdict.difference)
        if verdict.difference
        else "",
        "tolerance": "" if tolerance is None else f"{tolerance:.2g}",
    }


def _metric(verdict: Verdict) -> Metric:
    return parse_metric(verdict.metric).metric


def _figure(verdict: Verdict, value: float | None) -> str:
    if value is None:
        return ""
    metric = _metric(verdict)
    return f"{metric.text(value)} {metric.unit}" if metric.unit else metric.text(value, 6)


def row_name(verdict: Verdict) -> str:
    """Config, on a second line its initializer where that is another name, and the setting."""
    setting = "".join(f", {key}={value}" for key, value in verdict.setting.items())
    same = verdict.initializer == verdict.config
    return verdict.config + ("" if same else f"\n{verdict.initializer}") + setting


def heading(verdict: Verdict) -> str:
    """The verdict, whose it is and of which metric, in a line."""
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
    """What a build calls it: a ``failure``, an ``error`` where nothing was judged, or nothing."""
    if verdict.verdict in ("missing", "stale"):
        return "error"
    failing = ("regressed", "expected_failed", *(["changed"] if strict else []))
    return "failure" if verdict.verdict in failing else ""
