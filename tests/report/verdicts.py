"""Verdicts of every kind, for the check view and its renderers."""

from __future__ import annotations

from initbench.analysis.intervals import Interval
from initbench.gate.verdicts import Verdict

VERDICTS = [
    Verdict(
        "zeros", "zeros", {}, "train_loss", "ok", "every run is within its tolerance", 0.7, 0.7
    ),
    Verdict(
        "zeros", "zeros", {}, "test_accuracy", "ok", "the median is 0.5", 0.5, 0.5, expectation=1
    ),
    Verdict(
        "he", "he_normal", {}, "test_accuracy", "regressed", "worse, 100 %: a, b", 0.95, 0.9,
        Interval(-0.05, -0.06, -0.02), 0.015, confidence=0.99,
    ),
    Verdict(
        "he", "he_normal", {}, "train_loss@10", "expected_failed", "seed 3 must be 0", 0.0, 0.5,
        None, 1e-9, 0,
    ),
    Verdict("xavier", "lecun_normal", {}, "", "stale", "learning_rate 1 -> 2"),
    Verdict("xavier", "lecun_normal", {}, "train_loss", "changed", "moved", 0.1, float("inf")),
]  # fmt: skip
