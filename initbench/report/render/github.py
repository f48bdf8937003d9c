"""Verdicts -> GitHub's workflow commands, which annotate a pull request's lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from initbench.errors import Place
from initbench.gate.verdicts import WORDS, Verdict, Word
from initbench.printable import visible
from initbench.report.views.check import failure_kind, heading

LEVELS: dict[Word, str] = {
    "regressed": "error",
    "expected_failed": "error",
    "missing": "error",
    "stale": "error",
    "changed": "warning",
    "not_confirmed": "warning",
    "improved": "notice",
}
#: Where a row, or an expectation of a config, is written.
Places = Mapping[tuple[str, str | int], Place]


def github(verdicts: Sequence[Verdict], places: Places, *, strict: bool) -> str:
    """GitHub's workflow commands, one a verdict that is not ok, at its line of the config."""
    lines = []
    for v in sorted(verdicts, key=lambda v: WORDS.index(v.verdict)):
        if v.verdict == "ok":
            continue
        level = "error" if failure_kind(v, strict=strict) else LEVELS[v.verdict]
        where = v.initializer if v.expectation is None else v.expectation
        place = places.get((v.config, where))
        fields = {"title": f"initbench: {v.verdict.replace('_', ' ')}"}
        if place and place.line:
            fields = {
                "file": place.source, "line": str(place.line), "col": str(place.column), **fields
            }  # fmt: skip
        properties = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in fields.items())
        lines.append(f"::{level} {properties}::{_escaped(f'{heading(v)}: {v.reason}')}\n")
    return "".join(lines)


def _escaped(text: str, also: str = "") -> str:
    text = visible(text)
    for character in "%\n" + also:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
