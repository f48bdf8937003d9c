"""Verdicts and mistakes -> GitHub's workflow commands, which annotate a pull request's lines."""

from __future__ import annotations

import os.path
from collections.abc import Mapping, Sequence
from pathlib import Path

from initbench.errors import ConfigError, InitbenchError, Place
from initbench.gate.verdicts import WORDS, Verdict, Word, failure_kind
from initbench.printable import visible
from initbench.report.views.check import advice, heading, in_words

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


def github(
    verdicts: Sequence[Verdict],
    places: Places,
    *,
    strict: bool,
    root: str | None = None,
    save: str = "",
) -> str:
    """GitHub's workflow commands, one a verdict that is not ok, at its line of the config.

    ``root`` is the folder of the repository, which annotations name files from, and ``save`` the
    command that saves the baseline again.
    """
    lines = []
    for v in sorted(verdicts, key=lambda v: WORDS.index(v.verdict)):
        if v.verdict == "ok":
            continue
        level = "error" if failure_kind(v, strict=strict) else LEVELS[v.verdict]
        where = v.initializer if v.expectation is None else v.expectation
        place = places.get((v.config, where))
        message = "; ".join(filter(None, (f"{heading(v)}: {v.reason}", advice(v.verdict, save))))
        lines.append(_annotation(level, in_words(v.verdict), message, place, root))
    return "".join(lines)


def problem_annotations(error: InitbenchError, root: str | None = None) -> str:
    """An annotation for each mistake of configs, at its place; one for any other error."""
    if not isinstance(error, ConfigError):
        return _annotation("error", "error", str(error), None, root)
    return "".join(
        _annotation("error", "mistake in a config", str(problem), problem.place, root)
        for problem in error.problems
    )


def _annotation(level: str, title: str, message: str, place: Place | None, root: str | None) -> str:
    fields = {"title": f"initbench: {title}"}
    if place and place.line:
        fields = {
            "file": _file(place.source, root), "line": str(place.line), "col": str(place.column),
            **fields,
        }  # fmt: skip
    properties = ",".join(f"{key}={_escaped(value, ':,')}" for key, value in fields.items())
    return f"::{level} {properties}::{_escaped(message)}\n"


def _file(source: str, root: str | None) -> str:
    """A path as GitHub knows it: from the repository's folder, with forward slashes."""
    path = Path(source)
    if root is not None and Path(root).resolve() in path.resolve().parents:
        path = Path(os.path.relpath(path.resolve(), Path(root).resolve()))
    return path.as_posix()


def _escaped(text: str, also: str = "") -> str:
    text = visible(text)
    for character in "%\n" + also:
        text = text.replace(character, f"%{ord(character):02X}")
    return text
