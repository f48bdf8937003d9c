"""Verdicts -> JUnit XML, which CI services show as tests."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from xml.etree import ElementTree

from initbench.gate.verdicts import Verdict, failure_kind
from initbench.printable import visible
from initbench.report.views.check import row_name

#: What is visible and yet no character of XML 1.0, escaped or not.
_NOT_XML = re.compile("[^\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(verdicts: Sequence[Verdict], *, strict: bool) -> str:
    """JUnit XML: a suite a config, a case a verdict; what was not judged is an error."""
    suites = ElementTree.Element("testsuites", name="initbench check")
    ordered = sorted(verdicts, key=lambda v: v.config)
    for config, of_config in groupby(ordered, key=lambda v: v.config):
        cases = list(of_config)
        kinds = Counter(failure_kind(verdict, strict=strict) for verdict in cases)
        suite = ElementTree.SubElement(
            suites, "testsuite", name=_text(config), tests=str(len(cases)),
            failures=str(kinds["failure"]), errors=str(kinds["error"]),
        )  # fmt: skip
        for verdict in cases:
            name = row_name(verdict).partition("\n")[2] or verdict.initializer
            what = "expect " * (verdict.expectation is not None) + (verdict.metric or "runs")
            fields = {"classname": _text(config), "name": _text(f"{name} {what}")}
            case = ElementTree.SubElement(suite, "testcase", fields)
            kind = failure_kind(verdict, strict=strict)
            reason = _text(verdict.reason)
            if kind:
                ElementTree.SubElement(case, kind, type=verdict.verdict, message=reason)
            else:
                ElementTree.SubElement(case, "system-out").text = f"{verdict.verdict}: {reason}"
    ElementTree.indent(suites)
    # Characters beyond ASCII are references, so that any output may hold the text.
    body = ElementTree.tostring(suites, encoding="us-ascii").decode("ascii")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _text(text: str) -> str:
    return _NOT_XML.sub("?", visible(text))
