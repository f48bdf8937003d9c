"""What a baseline's seeds are said to see, tried on rows that rounding sends anywhere."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from numpy.random import RandomState

from initbench.gate import replay
from initbench.gate.outcomes import RowOutcomes, RunOutcome
from initbench.gate.sensitivity import unseen_changes
from initbench.metrics import METRICS
from initbench.spec.expectations import Gate

SHARE_SEEN = 0.7  # 0.9 in each of two halves of seeds is 0.81, and 60 tries have a sd of 0.05


def chaotic(rng: RandomState, seeds: int, loss: float = 1.0, spread: float = 1.0) -> RowOutcomes:
    """Losses around ``loss`` with a standard deviation of 0.1, and twins ``spread`` / 10 away."""

    def run(seed: int) -> RunOutcome:
        metrics = dict.fromkeys(METRICS) | {"train_loss": float(rng.normal(loss, 0.1))}
        return RunOutcome(seed, str(seed), "ok", metrics, dict.fromkeys(METRICS, spread / 10))

    runs = tuple(map(run, range(2 * seeds)))
    return RowOutcomes("c", "he_normal", {}, runs[:seeds], confirm=runs[seeds:])


def test_the_number_of_seeds_that_is_named_sees_the_least_change() -> None:
    """Two samples of that size, apart by the least change, end as a confirmed regression."""
    rng = RandomState(0)
    (text,) = unseen_changes([chaotic(rng, 50)])
    assert "about" in text
    named = int(re.findall(r"about ([\d,]+) seeds would", text)[0].replace(",", ""))
    seen = 0
    for _ in range(60):
        known, worse = chaotic(rng, named), chaotic(rng, named, loss=1.05)
        baseline = {known.key: known}
        verdicts = replay.judge(baseline, [worse], {"c": Gate(loss=0.0)})
        again = replace(worse, runs=worse.confirm)
        (verdict, *_) = replay.confirmed(verdicts, baseline, [again], {"c": Gate(loss=0.0)})
        seen += verdict.verdict == "regressed"
    assert seen >= SHARE_SEEN * 60


def test_the_size_that_some_seeds_see_is_named() -> None:
    """The median's standard error is sqrt(pi / 2) times the mean's, and two medians vary."""
    (text,) = unseen_changes([chaotic(RandomState(1), 10)])
    size = float(re.findall(r"see a change from about ([\d.]+) on", text)[0])
    expected = (2.576 + 1.282) * np.sqrt(np.pi / 2) * 0.1 * np.sqrt(2 / 10)
    assert size == pytest.approx(expected, rel=0.5)  # the quartiles of 20 runs vary
    assert "rounding alone may move a run by 1" in text
    assert "not 0.049, the least that the gate counts" in text  # 5 % of a median of 0.98


def test_few_seeds_are_said_with_the_number_that_statistics_takes() -> None:
    (text,) = unseen_changes([chaotic(RandomState(2), 5, spread=0.0)])
    assert text.startswith("c: 5 seeds are too few for statistics, which takes 6.")
    assert "by more than 5 % of a loss or 1 point of accuracy" in text
    lenient = replace(chaotic(RandomState(2), 5, spread=0.0), gate=Gate(loss=0.2, accuracy=0.05))
    assert "20 % of a loss or 5 points of accuracy" in unseen_changes([lenient])[0]


def test_nothing_is_said_where_every_change_is_seen() -> None:
    assert unseen_changes([chaotic(RandomState(3), 10, spread=0.0)]) == []
    assert unseen_changes([replace(chaotic(RandomState(3), 10), gate=Gate(loss=2.0))]) == []


def test_runs_that_diverge_leave_no_number_of_seeds() -> None:
    row = chaotic(RandomState(4), 10)
    broken = replace(row.runs[0], metrics={**row.runs[0].metrics, "train_loss": np.inf})
    (text,) = unseen_changes([replace(row, runs=row.runs[:6] + (broken,) * 4, confirm=())])
    assert "a quarter of the runs diverges" in text
