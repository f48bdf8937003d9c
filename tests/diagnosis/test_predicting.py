from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from initbench.core.propagation import forward
from initbench.diagnosis.measuring import DrawnStack, draw_stack
from initbench.diagnosis.predicting import Background, background
from initbench.runs import plan
from initbench.spec import Experiment


def drawn(initializer: Any, **changes: Any) -> DrawnStack:
    config = {
        "name": "c", "initializer": [initializer], "layers": [2, 40, 40, 1], "iterations": 1,
        "learning_rate": 0.1, "seeds": [0, 1, 2],
    } | changes  # fmt: skip
    experiment = Experiment.model_validate(config)
    (stack,) = plan.stacks(plan.runs([experiment]), 1, lambda _: 64)
    return draw_stack(stack, 64)[0]


def background_of(initializer: Any, **changes: Any) -> Background:
    return background(drawn(initializer, **changes))


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


@pytest.mark.parametrize(
    ("bias", "predicted"),
    [
        ("zeros", True),
        ("none", True),
        ("prior", True),
        ("torch_default", True),
        ({"name": "normal", "std": 0.5}, True),
        ({"name": "uniform", "low": -0.5, "high": 0.5}, True),
        (0.5, False),
        ({"name": "uniform", "low": 0.0, "high": 0.5}, False),
        ({"hidden": 0.5}, False),
        ({"output": 0.5}, True),  # no layer follows
    ],
)
def test_theory_needs_hidden_biases_of_mean_0(bias: Any, predicted: bool) -> None:
    found = background_of("he_normal", bias=bias)
    assert (found.prediction is not None, found.theory is not None) == (predicted, predicted)


@pytest.mark.parametrize(
    ("initializer", "bias"),
    [
        ({"first": "lecun_normal", "hidden": "he_normal", "output": "zeros"}, "prior"),
        ({"hidden": "torch_default", "output": {"name": "normal", "std": 0.01}}, "zeros"),
        ({"1": "he_normal", "2": "glorot_uniform", "output": "he_normal"}, {"output": 2.0}),
        ("he_normal", {"hidden": {"name": "normal", "std": 0.7}, "output": "none"}),
    ],
)
def test_each_layer_is_predicted_from_its_own_weights_and_biases(
    initializer: Any, bias: Any
) -> None:
    """Against the networks themselves: the mean square of each layer's pre-activations."""
    networks = drawn(
        initializer, bias=bias, layers=[13, 100, 100, 3], dataset="wine", seeds=list(range(6))
    )
    prediction = background(networks).prediction
    assert prediction is not None
    signals = forward(networks.work.task.architecture, networks.theta, networks.split.inputs)
    measured = np.array([(layer.preactivation**2).mean() for layer in signals])
    # Mean squares vary by sqrt(2 / 600) where 6 networks have 100 units each, by about twice that
    # one layer on, and by sqrt(2 / 18) over 18 outputs: these are four standard deviations.
    for layer, tolerance in enumerate((0.24, 0.48, 1.3)):
        assert prediction.variance[layer] == pytest.approx(measured[layer], rel=tolerance)
    if initializer != "he_normal" and bias == "prior":
        assert prediction.variance[2] == pytest.approx(measured[2], rel=1e-12)


def test_an_output_of_its_own_says_nothing_of_depth() -> None:
    """The only hidden layer is fed by the inputs, so the theory would go by the output."""
    head = {"hidden": "he_normal", "output": "zeros"}
    for changes in ({"initializer": head}, {"initializer": "he_normal", "bias": "prior"}):
        found = background_of(**changes, layers=[2, 40, 1])
        assert found.prediction is not None
        assert found.theory is None
    assert background_of("he_normal", layers=[2, 40, 1]).theory is not None
