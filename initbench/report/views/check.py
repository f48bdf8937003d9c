"""`initbench check` -> what moved and what to do, a document, a CSV row a verdict."""

from __future__ import annotations

import math
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
from initbench.wording import counted

#: What a verdict means, and what to do about it with the command that saves the baseline;
#: docs/gating.md says more.
ADVICE: dict[Word, tuple[str, str]] = {
    "changed": (
        "code or numerics changed the runs, not clearly for the worse",
        "; look, and if it was meant, save the baseline again: {0}",
    ),
    "improved": (
        "better by more than chance", "; save the baseline again to keep the improvement: {0}"
    ),
    "missing": ("not judged", "; save a baseline for it: {0}"),
    "stale": (
        "not judged, because the config has changed since the baseline was saved",
        "; save it again: {0}",
    ),
}  # fmt: skip
FIGURES = "baseline\n(candidate)"
DIFFERENCE = "difference\n(- baseline)"


def check_view(
    verdicts: Sequence[Verdict],
    code: int,
    against: str,
    notes: Sequence[str] = (),
    save: str = "",
) -> View:
    """All verdicts, the worst first.

    Args:
        verdicts: What the gate says.
        code: The exit code that they lead to.
        against: The name of the baseline.
        notes: Remarks about the comparison as a whole.
        save: The command that saves the baseline again; "" where two saved files are judged.
    """
    return View(
        (verdict_table(verdicts, against, notes, save),),
        lambda: check_document(verdicts, code),
        lambda: check_cells(verdicts),
    )


def verdict_table(
    verdicts: Sequence[Verdict], against: str, notes: Sequence[str] = (), save: str = ""
) -> Table:
    """What moved, by how much, against what tolerance; in one line each row that is ok."""
    ordered = sorted(verdicts, key=lambda v: (WORDS.index(v.verdict), v.key))
    told = [verdict for verdict in ordered if verdict.verdict != "ok"]
    rows = [_cells(verdict) for verdict in told]
    fine = [verdict for verdict in ordered if verdict.verdict == "ok"]
    metrics = Counter(v.key for v in ordered if v.expectation is None and v.metric)
    for _, of_group in groupby(fine, key=lambda v: v.key):
        group = list(of_group)
        expectations = sum(verdict.expectation is not None for verdict in group)
        same, of_all = len(group) - expectations, metrics[group[0].key]
        which = f"{same} of {of_all} metrics"
        if same == of_all:
            which = "all " * (same > 1) + counted(same, "metric")
        what = [f"{which} unchanged"] * bool(same)
        what += [f"{counted(expectations, 'expectation')} met"] * bool(expectations)
        rows.append({"verdict": "ok", INITIALIZER: row_name(group[0]), "metric": ",\n".join(what)})
    counts = Counter(in_words(verdict.verdict) for verdict in ordered)
    reasons = [f"{heading(verdict)}: {verdict.reason}." for verdict in told]
    words = {verdict.verdict for verdict in told}
    advised = [f"{in_words(w)}: {advice(w, save)}." for w in WORDS if w in words and w in ADVICE]
    legend = _legend(told)
    header, texts = columns(rows)
    return Table(
        f"Against {against}: " + ", ".join(f"{n} {word}" for word, n in counts.items()),
        header,
        texts,
        frozenset({FIGURES, DIFFERENCE, "tolerance"}),
        "\n".join([*reasons, *advised, *legend, *notes]),
        (INITIALIZER, 16),
        folded=frozenset({"verdict", "metric"}),
    )


def advice(word: Word, save: str) -> str:
    """What a verdict means and what to do about it; "" where there is nothing to say.

    >>> advice("missing", "initbench baseline save CONFIG...")
    'not judged; save a baseline for it: `initbench baseline save CONFIG...`'
    """
    meaning, action = ADVICE.get(word, ("", ""))
    return meaning + (action.format(f"`{save}`") if save else "")


def _cells(verdict: Verdict) -> dict[str, str]:
    figures = [_figure(verdict, x) for x in (verdict.baseline, verdict.candidate)]
    tolerance = verdict.tolerance
    return {
        "verdict": in_words(verdict.verdict).replace(" ", "\n"),
        INITIALIZER: row_name(verdict),
        "metric": "iterations\nto " * verdict.counts_iterations
        + (verdict.metric or "all").replace("_", "\n", 1),
        FIGURES: "\n".join(filter(None, figures)),
        DIFFERENCE: difference_cell(_metric(verdict).name, verdict.difference)
        if verdict.difference
        else "",
        "tolerance": "" if tolerance is None else _tolerance(verdict, tolerance),
    }


def _tolerance(verdict: Verdict, tolerance: float) -> str:
    if verdict.counts_iterations:
        return f"{tolerance:,.0f}"
    return f"{_metric(verdict).scale * tolerance:.2g}"


def _legend(verdicts: Sequence[Verdict]) -> list[str]:
    """What the columns of figures are, where any verdict has such figures."""
    moved = {_metric(v).smaller_is_better for v in verdicts if v.difference or v.tolerance}
    if not moved:
        return []
    worse = {True: "+ is worse for a loss", False: "- is worse for an accuracy, in points"}
    signs = ", ".join(worse[smaller] for smaller in sorted(moved, reverse=True))
    tolerance = (
        "Tolerance: how far a run may move between machines"
        + ", of an accuracy in points" * (False in moved)
    )
    levels = sorted({v.confidence for v in verdicts if v.confidence is not None})
    if not levels:
        return [f"{tolerance}."]
    level = " or ".join(f"{100 * confidence:g} %" for confidence in levels)
    return [
        "Difference: candidate less baseline, the median of the pairs by seed, then its "
        f"{level} interval; {signs}. {tolerance}."
    ]


def _metric(verdict: Verdict) -> Metric:
    return parse_metric(verdict.metric).metric


def _figure(verdict: Verdict, value: float | None) -> str:
    if value is None:
        return ""
    if verdict.counts_iterations:
        return f"{value:,.0f}" if math.isfinite(value) else "never"
    metric = _metric(verdict)
    return f"{metric.text(value)} {metric.unit}" if metric.unit else metric.text(value, 6)


def row_name(verdict: Verdict) -> str:
    """The config; on a second line its initializer, if that has another name; and the setting."""
    setting = "".join(f", {key}={value}" for key, value in verdict.setting.items())
    same = verdict.initializer == verdict.config
    return verdict.config + ("" if same else f"\n{verdict.initializer}") + setting


def in_words(word: Word) -> str:
    """A verdict as people read it.

    >>> in_words("expected_failed"), in_words("not_confirmed")
    ('expectation failed', 'not confirmed')
    """
    return "expectation failed" if word == "expected_failed" else word.replace("_", " ")


def heading(verdict: Verdict) -> str:
    """The verdict, its row and its metric, in one line."""
    name = row_name(verdict).replace("\n", ", ")
    return ", ".join(filter(None, (f"{in_words(verdict.verdict)}: {name}", verdict.metric)))


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
                "confidence": v.confidence,
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
