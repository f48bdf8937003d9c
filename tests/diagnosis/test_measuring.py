from __future__ import annotations

import numpy as np
import pytest

from initbench.core.architecture import Architecture
from initbench.diagnosis.measuring import activation_shape, draw_stack, measurements
from initbench.runs import plan
from initbench.spec import Experiment


@pytest.mark.parametrize(
    ("activation", "flat_below", "flat_above", "zero_below"),
    [
        ("relu", True, False, True),
        ("leaky_relu", False, False, False),
        ("elu", True, False, False),
        ("gelu", True, False, True),
        ("tanh", True, True, False),
        ("sigmoid", True, True, False),
        ("identity", False, False, False),
    ],
)
def test_the_sides_on_which_an_activation_is_flat(
    activation: str, flat_below: bool, flat_above: bool, zero_below: bool
) -> None:
    shape = activation_shape(Architecture((2, 3, 1), np.dtype(float), activation, {}))
    assert (shape.flat_below, shape.flat_above) == (flat_below, flat_above)
    assert shape.zero_below == zero_below


@pytest.mark.parametrize(("activation", "steepest"), [("relu", 1), ("tanh", 1), ("sigmoid", 0.25)])
def test_the_largest_slope(activation: str, steepest: float) -> None:
    shape = activation_shape(Architecture((2, 3, 1), np.dtype(float), activation, {}))
    assert shape.steepest == pytest.approx(steepest)


@pytest.mark.parametrize(("asked", "measured"), [(64, 64), (512, 300)])
def test_samples_are_spread_over_the_data(asked: int, measured: int) -> None:
    experiment = Experiment.model_validate(
        {"name": "c", "initializer": ["he_normal"], "layers": [2, 4, 1], "iterations": 4,
         "learning_rate": 0.1, "log_every": 2, "seeds": [0, 1]}
    )  # fmt: skip
    (stack,) = plan.stacks(plan.runs([experiment]), 1, lambda _: asked)
    networks, drawn = draw_stack(stack, asked)
    assert drawn.failures == {}
    every = networks.work.task.train
    found = networks.split.inputs
    assert found.shape == (2, measured)
    assert networks.split.targets.shape == (1, measured)
    assert found[:, [0, -1]].tolist() == every.inputs[:, [0, -1]].tolist()
    assert [k for k, _ in measurements(networks, during=False)] == [0]
    assert [k for k, _ in measurements(networks, during=True)] == [0, 2, 4]
