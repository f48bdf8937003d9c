from __future__ import annotations

import numpy as np

from initbench.core.engine.protocol import Point
from initbench.runs.records import curve_of


def point(iteration: int, losses: list[float], accuracies: list[float] | None) -> Point:
    accuracy = None if accuracies is None else np.array(accuracies)
    return Point(iteration, np.array(losses), accuracy, np.array(losses) * 2, accuracy)


def test_a_finite_run_has_its_whole_curve() -> None:
    points = [point(0, [3.0, 1.0], [0.1, 0.5]), point(10, [2.0, 0.5], [0.2, 0.6])]
    status, curve = curve_of(points, 1)
    assert status == "ok"
    assert curve.iteration == (0, 10)
    assert curve.train_loss == (1.0, 0.5)
    assert curve.test_loss == (2.0, 1.0)
    assert curve.test_accuracy == (0.5, 0.6)


def test_a_diverged_run_ends_at_the_point_that_shows_it() -> None:
    """Also where the stack went on for others, and where the loss came back."""
    points = [point(k, [1.0, loss], None) for k, loss in ((0, 1.0), (10, np.inf), (20, 5.0))]
    status, curve = curve_of(points, 1)
    assert status == "diverged"
    assert curve.iteration == (0, 10)
    assert curve.train_loss == (1.0, np.inf)
    assert curve.train_accuracy is None
    assert curve_of(points, 0)[0] == "ok"
