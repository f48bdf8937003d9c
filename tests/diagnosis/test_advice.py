from __future__ import annotations

from typing import Any

import pytest

from initbench.core.means import elementwise
from initbench.diagnosis.advice import remedies, steady_scale
from initbench.diagnosis.diagnose import Diagnosis, changed, diagnose
from initbench.spec import Experiment
from tests.diagnosis.conftest import findings
from tests.diagnosis.networks import posed


@pytest.mark.parametrize(
    ("activation", "scale"),
    [("relu", 2.0), ("identity", 1.0), ("tanh", 1.0), ("selu", 1.0), ("gelu", 2.35)],
)
def test_the_scale_that_holds_a_signal(activation: str, scale: float) -> None:
    """He et al. 2015, Klambauer et al. 2017; tanh is critical at 1 (Poole et al. 2016)."""
    phi = elementwise(activation, {})
    assert steady_scale(phi) == pytest.approx(scale, rel=0.01)


def first_words(**changes: Any) -> str:
    experiment = posed(width=16, depth=3, dataset="digits")
    return next(remedies(experiment, findings(**changes), "vanishing")).words


def test_unscaled_inputs_come_to_the_first_layer_s_scale() -> None:
    assert "he_normal" in first_words(input_square=1.0)
    assert "lsuv" in first_words(input_square=60.0)


def only(experiment: Experiment) -> Diagnosis:
    (found,) = diagnose([experiment]).diagnoses
    return found


@pytest.mark.parametrize(
    "keys",
    [
        {"initializer": "zeros"},
        {"initializer": {"name": "normal", "std": 0.01}, "depth": 10, "activation": "tanh"},
        {"initializer": "lecun_normal", "depth": 30},
        {"initializer": "he_normal", "depth": 14, "activation": "sigmoid"},
        {"initializer": {"name": "normal", "std": 1}, "depth": 8},
        {"initializer": "he_normal", "depth": 20, "width": 2},
        {"initializer": "lecun_normal", "dataset": {"name": "wine", "standardize": "none"}},
        {
            "initializer": "lsuv",
            "depth": 20,
            "activation": "sigmoid",
            "dataset": {"name": "wine", "standardize": "none"},
        },
    ],
    ids=lambda keys: "-".join(str(value) for value in keys.values()),
)
def test_advice_that_is_followed_is_healthy(keys: dict[str, Any]) -> None:
    experiment = posed(**{"width": 32, "depth": 3, "dataset": "digits", **keys})
    found = only(experiment)
    assert found.condition != "healthy"
    assert found.remedy
    assert found.advice.endswith(": that start was measured too, and is healthy.")
    followed = only(changed(experiment, found.remedy))
    assert followed.condition == "healthy"
    assert followed.advice == ""


def test_an_honest_word_where_nothing_helps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("initbench.diagnosis.diagnose._try", lambda *_: "vanishing")
    found = only(posed(width=4, depth=2, initializer="zeros"))
    assert found.advice.startswith("No remedy is known: none of ")
    assert found.remedy == {}


def test_what_is_there_already_is_not_recommended() -> None:
    """A start that the data's one large feature spoils is not told to be itself."""
    dataset = {"name": "wine", "standardize": "none"}
    found = only(posed(width=64, depth=2, dataset=dataset, initializer="lsuv"))
    assert found.condition == "ordered"
    assert found.remedy != {"initializer": {"name": "lsuv"}}


@pytest.mark.parametrize(
    ("keys", "remedy"),
    [
        ({"bias": {"hidden": -10.0, "output": "prior"}}, {"hidden": "zeros", "output": "prior"}),
        ({"bias": {"1": -10.0}}, {"hidden": "zeros"}),
        ({"bias": 5.0, "activation": "tanh", "initializer": "lecun_normal"}, None),
    ],
)
def test_hidden_biases_that_a_config_gives_go_first(keys: Any, remedy: Any) -> None:
    experiment = posed(width=16, depth=3, dataset="digits", **keys)
    found = only(experiment)
    assert found.condition != "healthy"
    assert found.advice.startswith("Start the hidden biases at 0 (bias: {hidden: zeros}): that")
    mended = changed(experiment, found.remedy)
    assert only(mended).condition == "healthy"
    kept = changed(experiment, {"bias": remedy}) if remedy else None
    assert kept is None or kept.biases == mended.biases
    assert mended.biases[-1] == experiment.biases[-1]
