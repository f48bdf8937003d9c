from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from initbench.diagnosis.measuring import DrawnStack, draw_stack
from initbench.diagnosis.predicting import Background, background
from initbench.runs import plan
from initbench.spec import Experiment


def drawn(initializer: Any) -> DrawnStack:
    config = {
        "name": "c", "initializer": [initializer], "layers": [2, 40, 40, 1], "iterations": 1,
        "learning_rate": 0.1, "seeds": [0, 1, 2],
    }  # fmt: skip
    experiment = Experiment.model_validate(config)
    (stack,) = plan.stacks(plan.runs([experiment]), 1, lambda _: 64)
    return draw_stack(stack, 64)[0]


def background_of(initializer: Any) -> Background:
    return background(drawn(initializer))


def test_theory_takes_its_variances_from_the_declared_moments() -> None:
    """And not from the weights that were drawn: sigma_w^2 of He's initializer is 2 exactly."""
    theory = background_of("he_normal").theory
    assert theory is not None
    assert theory.sigma_w2 == pytest.approx(2, rel=1e-12)
    assert theory.sigma_b2 == 0


def test_where_nothing_is_declared_theory_takes_the_weights_as_drawn() -> None:
    networks = drawn("lsuv")
    _, hidden, _ = networks.work.task.architecture.views(networks.theta)
    theory = background(networks).theory
    assert theory is not None
    assert theory.sigma_w2 == pytest.approx(40 * (hidden[:, :, :-1] ** 2).mean(), rel=1e-12)


@pytest.mark.parametrize(
    ("low", "has_theory"), [(0.0, False), (-0.07, False), (-0.09, True), (-0.1, True)]
)
def test_theory_needs_a_mean_near_0(low: float, has_theory: bool) -> None:
    """A tenth of the weights' root mean square is near: a uniform law is on [low, 0.1] here."""
    found = background_of({"name": "uniform", "low": low, "high": 0.1})
    mean, deviation = (0.1 + low) / 2, (0.1 - low) / np.sqrt(12)
    assert (mean / np.hypot(mean, deviation) <= 0.1) == has_theory
    assert (found.theory is not None) == has_theory
    assert (found.prediction is not None) == has_theory
