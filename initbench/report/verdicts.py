"""Verdicts -> a table, JSON, JUnit XML, GitHub annotations, github-action-benchmark's JSON."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import groupby
from typing import Any
from xml.etree import ElementTree

from initbench.errors import Place
from initbench.gate.verdicts import WORDS, Verdict, Word
from initbench.metrics import METRICS, Metric, parse_metric
from initbench.report.comparison import INITIALIZER, difference_cell, interval_fields
from initbench.report.documents import number
from initbench.report.tables import Table, columns

#: What to do, in a line each; README says more.
ADVICE: dict[Word, str] = {
    "changed": "code or numerics changed the runs, not clearly for the worse; look, then save the "
    "baseline again",
    "improved": "save the baseline again to keep it: `initbench baseline save`",
    "missing": "not judged: save a baseline for it",
    "stale": "not judged: the config changed since the baseline was saved",
}
LEVELS: dict[Word, str] = {
    "regressed": "error",
    "expected_failed": "error",
    "missing": "error",
    "stale": "error",
    "changed": "warning",
    "not_confirmed": "warning",
    "improved": "notice",
}
#: What XML 1.0 cannot hold, escaped or not.
_NOT_XML = re.compile("[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
Places = Mapping[tuple[str, str | int], Place]


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
        rows.append({"verdict": "ok", INITIALIZER: _name(group[0]), "metric": "\n".join(what)})
    counts = Counter(verdict.verdict.replace("_", " ") for verdict in ordered)
    reasons = [f"{_heading(verdict)}: {verdict.reason}." for verdict in told]
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
        INITIALIZER: _name(verdict),
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


def _name(verdict: Verdict) -> str:
    setting = "".join(f", {key}={value}" for key, value in verdict.setting.items())
    same = verdict.initializer == verdict.config
    return verdict.config + ("" if same else f"\n{verdict.initializer}") + setting


def _heading(verdict: Verdict) -> str:
    name = _name(verdict).replace("\n", ", ")
    return ", ".join(filter(None, (f"{verdict.verdict.replace('_', ' ')}: {name}", verdict.metric)))


def check_document(verdicts: Sequence[Verdict], code: int) -> dict[str, Any]:
    """What `check --format json` prints."""
    return {
        "initbench": version("initbench"),
        "verdicts": [
            {
                "config": v.config,
                "initializer": v.initializer,
                "setting": dict(v.setting),
                "metric": v.metric or None,
                "verdict": v.verdict,
                "reason": v.reason,
                "baseline": number(v.baseline),
                "candidate": number(v.candidate),
                "difference": interval_fields(v.difference),
                "tolerance": number(v.tolerance),
                "expectation": v.expectation,
            }
            for v in verdicts
        ],
        "exit_code": code,
    }


def junit(verdicts: Sequence[Verdict], *, strict: bool) -> str:
    """JUnit XML: a suite a config, a case a verdict; what was not judged is an error."""
    suites = ElementTree.Element("testsuites", name="initbench check")
    ordered = sorted(verdicts, key=lambda v: v.config)
    for config, of_config in groupby(ordered, key=lambda v: v.config):
        cases = list(of_config)
        kinds = Counter(_kind(verdict, strict=strict) for verdict in cases)
        suite = ElementTree.SubElement(
            suites, "testsuite", name=config, tests=str(len(cases)),
            failures=str(kinds["failure"]), errors=str(kinds["error"]),
        )  # fmt: skip
        for verdict in cases:
            name = _name(verdict).partition("\n")[2] or verdict.initializer
            what = "expect " * (verdict.expectation is not None) + (verdict.metric or "runs")
            fields = {"classname": config, "name": f"{name} {what}"}
            case = ElementTree.SubElement(suite, "testcase", fields)
            kind = _kind(verdict, strict=strict)
            reason = _NOT_XML.sub("?", verdict.reason)
            if kind:
                ElementTree.SubElement(case, kind, type=verdict.verdict, message=reason)
            else:
                ElementTree.SubElement(case, "system-out").text = f"{verdict.verdict}: {reason}"
    ElementTree.indent(suites)
    body = ElementTree.tostring(suites, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _kind(verdict: Verdict, *, strict: bool) -> str:
    if verdict.verdict in ("missing", "stale"):
        return "error"
    failing = ("regressed", "expected_failed", *(["changed"] if strict else []))
    return "failure" if verdict.verdict in failing else ""


def github(verdicts: Sequence[Verdict], places: Places, *, strict: bool) -> str:
    """GitHub's workflow commands, one a verdict that is not ok, at its line of the config."""
    lines = []
    for v in sorted(verdicts, key=lambda v: WORDS.index(v.verdict)):
        if v.verdict == "ok":
            continue
        level = "error" if _kind(v, strict=strict) else LEVELS[v.verdict]
        where = v.initializer if v.expectation is None else v.expectation
        place = places.get((v.config, where))
        fields = {"title": f"initbench: {v.verdict.replace('_', ' ')}"}
        if place and place.line:
            fields = {
                "file": place.source, "line": str(place.line), "col": str(place.column), **fields
            }  # fmt: skip
        properties = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in fields.items())
        lines.append(f"::{level} {properties}::{_escaped(f'{_heading(v)}: {v.reason}')}\n")
    return "".join(lines)


def _escaped(text: str, also: str = "") -> str:
    for character in "%\r\n" + also:
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def custom(verdicts: Sequence[Verdict], *, smaller: bool) -> list[dict[str, Any]]:
    """The medians of the candidate as github-action-benchmark reads them, one direction a list.

    A median that is not finite has no place in it, and is left out.
    """
    return [
        {
            "name": f"{_name(v)} {v.metric}".replace("\n", " "),
            "unit": "fraction" if METRICS[v.metric].unit else METRICS[v.metric].family,
            "value": v.candidate,
            "extra": f"{v.verdict}: {v.reason}",
        }
        for v in verdicts
        if v.expectation is None and v.metric and METRICS[v.metric].smaller_is_better is smaller
        if v.candidate is not None and math.isfinite(v.candidate)
    ]
