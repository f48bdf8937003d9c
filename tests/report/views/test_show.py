from __future__ import annotations

from initbench.report.views import show
from initbench.runs.provenance import Provenance
from initbench.runs.records import NO_CURVE, Record
from initbench.runs.store import Stored


def test_a_framework_is_shown_with_its_version() -> None:
    record = Record("0123456789abcdef", "a", "torch_default", {}, 0, "failed", NO_CURVE, 1.0)
    made = Provenance("0.1.0", "3.13.0", "2.4.6", "openblas Zen", "a CPU", "", False, "2026-01-02")
    resolved = {"framework": {"torch": "2.13.0"}, "optimizer": {"name": "gd"}}
    determined = show.run_tables(Stored(record, resolved, made))[1]
    assert determined.rows == (("framework", "torch=2.13.0"), ("optimizer", "gd"))
