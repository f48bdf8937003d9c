"""Differences of paired replicates."""

from __future__ import annotations

import math

from initbench.analysis import paired
from initbench.runs.records import NO_CURVE, Record
from tests.analysis.conftest import record


def test_two_infinities_do_not_differ_and_one_differs_by_its_sign() -> None:
    inf = math.inf
    found = paired.differences([1.0, inf, 2.0, inf], [3.0, 1.0, inf, inf])
    assert found.tolist() == [-2.0, inf, -inf, 0.0]


def test_records_are_paired_by_seed_whatever_their_order() -> None:
    mine = [record([0.5], seed=2), record([0.25], seed=0), record([1.0], seed=7)]
    failed = Record("", "c", "zeros", {}, 7, "failed", NO_CURVE, 0.0, "x")
    others = [record([0.125], seed=0), record([0.375], seed=2), failed]
    assert paired.paired_differences(mine, others, "train_loss").tolist() == [0.125, 0.125]
