from __future__ import annotations

from xml.etree import ElementTree

import pytest

from initbench.gate.verdicts import Verdict
from initbench.report.render.junit import junit
from tests.report.verdicts import VERDICTS


@pytest.mark.parametrize(("strict", "failures"), [(False, 0), (True, 1)])
def test_junit(strict: bool, failures: int) -> None:
    suites = ElementTree.fromstring(junit(VERDICTS, strict=strict))
    counts = {
        suite.get("name"): [suite.get(key) for key in ("tests", "failures", "errors")]
        for suite in suites
    }
    assert counts == {
        "he": ["2", "2", "0"], "xavier": ["2", str(failures), "1"], "zeros": ["2", "0", "0"]
    }  # fmt: skip
    (failure,) = [case for case in suites.iter("testcase") if "test_accuracy" in case.attrib["name"]
                  and case.get("classname") == "he"]  # fmt: skip
    assert failure.find("failure").attrib == {  # type: ignore[union-attr]
        "type": "regressed", "message": "worse, 100 %: a, b"
    }  # fmt: skip


def test_junit_holds_no_character_that_xml_forbids() -> None:
    spoilt = Verdict("a", "b", {}, "", "regressed", "1 of 2 runs failed: \x00\x1b\ufffe<&>")
    (failure,) = ElementTree.fromstring(junit([spoilt], strict=False)).iter("failure")
    assert failure.get("message") == "1 of 2 runs failed: \\x00\\x1b?<&>"
