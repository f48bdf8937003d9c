"""The rules, as pure functions of made-up findings: each bound from both sides."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from initbench.core.optimizers import OPTIMIZERS
from initbench.diagnosis.findings import Findings
from initbench.diagnosis.rules import BOUNDS, CONDITIONS, FAMILIES, Assessment, slow
from initbench.diagnosis.rules import assess as assess_within
from tests.diagnosis.conftest import findings

B = BOUNDS["descent"]


def assess(found: Findings) -> Assessment:
    return assess_within(found, B)


#: (just beyond the bound, its condition and layer; just within it)
EDGES = [
    ([{}, {"distinct_units": 1.0}], "symmetric", 2, [{}, {"distinct_units": 2.0}]),
    ([{}, {}, {"saturated": B.flat}], "saturated", 3, [{}, {}, {"saturated": B.flat - 0.01}]),
    (
        [{}, {}, {"contrast": 0.9 * 0.5 * B.fade, "preactivation_variance": 1e-5}],
        "vanishing", 3,
        [{}, {}, {"contrast": 1.1 * 0.5 * B.fade, "preactivation_variance": 1e-5}],
    ),
    (
        [{}, {"activation_contrast": 0.9 * B.contrast / 8},
         {"activation_contrast": 0.9 * B.contrast / 8}],
        "vanishing", 2,
        [{}, {"activation_contrast": 0.9 * B.contrast / 8},
         {"activation_contrast": 1.1 * B.contrast / 8}],
    ),
    (
        [{}, {"contrast": 0.01}, {"contrast": 0.9 * B.distance, "cosine": 0.999}],
        "ordered", 3,
        [{}, {"contrast": 0.01}, {"contrast": 1.1 * B.distance, "cosine": 0.999}],
    ),
    (
        [{"gradient_variance": 0.09 * B.fade}, {"gradient_variance": 0.09 * B.fade}],
        "vanishing", 2,
        [{"gradient_variance": 0.11 * B.fade}, {"gradient_variance": 0.09 * B.fade}],
    ),
    (
        [{"gradient_variance": 0.11 * B.growth}, {"gradient_variance": 0.11 * B.growth}],
        "chaotic", 2,
        [{"gradient_variance": 0.09 * B.growth}, {"gradient_variance": 0.11 * B.growth}],
    ),
]  # fmt: skip


@pytest.mark.parametrize(("beyond", "expected", "begins", "within"), EDGES)
def test_edges(
    beyond: list[dict[str, Any]],
    expected: str,
    begins: int,
    within: list[dict[str, Any]],
) -> None:
    found = assess(findings(*beyond))
    assert (found.condition, found.begins_at_layer) == (expected, begins)
    assert assess(findings(*within)).condition == "healthy"


def test_healthy_is_told_from_slow() -> None:
    found = assess(findings())
    assert found.condition == "healthy"
    assert found.begins_at_layer is None
    assert not slow(findings(), B)
    assert slow(findings({}, {}, {"contrast": 0.9 * 0.5 * B.slow}), B)


def test_every_optimizer_has_a_family() -> None:
    assert FAMILIES.keys() == OPTIMIZERS.keys()


@pytest.mark.parametrize(
    ("times", "condition"), [(0.99 * B.first_loss, "healthy"), (1.01 * B.first_loss, "exploding")]
)
def test_the_first_loss_is_set_against_the_best_constants(times: float, condition: str) -> None:
    assert assess(findings(train_loss=times * 2.0, constant_loss=2.0)).condition == condition
    # A regression's loss is a square; of a constant target nothing is known.
    last: tuple[dict[str, Any], ...] = ({}, {}, {}, {"saturated": None})
    loss = times**2 * 2.0
    assert assess(findings(*last, train_loss=loss, constant_loss=2.0)).condition == condition
    assert assess(findings(train_loss=times, constant_loss=0.0)).condition == "healthy"


def test_one_feature_that_drowns_the_others() -> None:
    found = assess(findings(input_spread=1.1 * B.input_spread))
    assert (found.condition, found.begins_at_layer) == ("ordered", 1)
    adaptive = BOUNDS["adaptive"]
    assert assess_within(findings(input_spread=1e9), adaptive).condition == "healthy"


def test_the_last_layer_s_width_is_no_depth() -> None:
    """A wide layer's units each have a small share of the gradient: their sum counts."""
    wide: dict[str, Any] = {"gradient_variance": 1e-9, "units": 4096, "distinct_units": 4096.0}
    assert assess(findings(wide, wide, wide, {"gradient_variance": 1.0})).condition == "healthy"


def test_dead_from_half_of_the_seeds() -> None:
    found = assess(findings({}, {"dead": 1.0}, born_dead=0.6))
    assert found.condition == "dead"
    assert found.begins_at_layer == 2
    assert "60 % of the networks are born dead" in found.reason
    assert "theory: 10.00 to 20.00 %" in found.reason
    assert assess(findings(born_dead=0.4)).condition == "healthy"


def test_what_training_brings_is_no_fault() -> None:
    assert assess(findings(train_loss=1e4)).condition == "exploding"
    assert assess(findings(train_loss=1e4, iteration=100)).condition == "healthy"


@pytest.mark.parametrize("value", [math.inf, math.nan])
@pytest.mark.parametrize("iteration", [0, 100])
def test_what_is_not_finite_explodes(value: float, iteration: int) -> None:
    changes: tuple[dict[str, Any], ...] = (
        {},
        {},
        {"preactivation_variance": value},
        {"preactivation_variance": value},
    )
    found = assess(findings(*changes, iteration=iteration))
    assert (found.condition, found.begins_at_layer) == ("exploding", 3)


sizes = st.one_of(st.just(0.0), st.floats(1e-300, 1e300), st.just(math.inf))


@given(
    variances=st.lists(sizes, min_size=4, max_size=4),
    shares=st.lists(st.floats(0, 1), min_size=4, max_size=4),
    gradients=st.lists(sizes, min_size=3, max_size=3),
    last=st.floats(0, 1e10),
    cosine=st.one_of(st.floats(-1, 1), st.just(math.nan)),
    weights=st.lists(st.sampled_from([0.0, 1.0]), min_size=4, max_size=4),
    iteration=st.integers(0, 1),
    family=st.sampled_from(list(BOUNDS)),
)
@example(
    [1.0, 0, 1, 0], [1.0, 0, 1, 0], [math.inf, 0, math.inf], 0, math.nan, [1] * 4, 0, "descent"
)
def test_there_is_always_a_condition(
    variances: list[float],
    shares: list[float],
    gradients: list[float],
    last: float,
    cosine: float,
    weights: list[float],
    iteration: int,
    family: Any,
) -> None:
    """Whatever is measured: a contrast is a share of its variance, and 0 times inf is NaN."""
    rows = [
        {
            "preactivation_variance": variance,
            "contrast": share * variance,
            "activation_contrast": share * variance,
            "gradient_variance": gradient,
            "cosine": cosine,
            "weight_square": weight,
        }
        for variance, share, gradient, weight in zip(
            variances, shares, [*gradients, last], weights, strict=True
        )
    ]
    found = assess_within(findings(*rows, iteration=iteration), BOUNDS[family])
    assert found.condition in CONDITIONS
    assert found.reason.endswith(".")
