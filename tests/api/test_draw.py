"""`initbench.draw`: any initializer's weights, as the engine draws them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.random import RandomState
from numpy.testing import assert_array_equal

import initbench
from initbench import config
from initbench.core.initializers import INITIALIZERS
from initbench.errors import ConfigError, InitbenchError
from initbench.runs import execute, plan


def engine(initializer: str, layers: list[int], seed: int, dtype: str = "float64") -> Any:
    """The first layer's weights, as a run of this network starts with them."""
    options = {"initializer": initializer, "layers": layers, "dtype": dtype, "seeds": [seed]}
    e = config.from_options([("", f"{key}={value}") for key, value in options.items()])
    _, draws = execute.draw_work(execute.prepare(plan.Stack(tuple(plan.runs([e])), (0,))))
    return e.architecture.views(draws.theta)[0][0, :, :-1]


@pytest.mark.parametrize(
    "name",
    ["he_normal", "orthogonal", "torch_default", "nguyen_widrow", "looks_linear", "autoinit"],
)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_engine_draws_the_same(name: str, dtype: str) -> None:
    weights = initbench.draw(name, (30, 2), seed=3, dtype=dtype)
    assert weights.dtype == np.dtype(dtype)
    assert_array_equal(weights, engine(name, [2, 30, 1], 3, dtype))


def test_a_layers_own_function_draws_the_same() -> None:
    expected = INITIALIZERS["he_normal"].draw(RandomState(3), (256, 784), np.dtype(np.float64))
    assert_array_equal(initbench.draw("he_normal", (256, 784), seed=3), expected)


@pytest.mark.parametrize("name", INITIALIZERS)
def test_every_initializer_can_be_drawn(name: str) -> None:
    parameters: dict[str, Any] = {"value": 0.5} if name == "constant" else {}
    weights = initbench.draw(name, (6, 8), seed=0, **parameters)
    assert weights.shape == (6, 8)
    assert np.isfinite(weights).all()
    assert_array_equal(weights, initbench.draw(name, (6, 8), seed=0, **parameters))


def test_parameters_aliases_and_activations() -> None:
    wide = initbench.draw("normal", (100, 100), seed=0, std=10)
    assert wide.std() == pytest.approx(10, rel=0.05)
    alias = initbench.draw("kaiming_normal", (4, 4), seed=0)
    assert_array_equal(alias, initbench.draw("he_normal", (4, 4), seed=0))
    relu, tanh = (
        initbench.draw("he_normal", (4, 4), seed=0, gain="torch", activation=activation)
        for activation in ("relu", "tanh")
    )
    assert (tanh / relu) == pytest.approx(5 / 3 / np.sqrt(2))


@pytest.mark.parametrize(
    ("name", "shape", "options", "message"),
    [
        (
            "he_norml", (2, 2), {},
            "draw: initializer: unknown name 'he_norml'; did you mean 'he_normal'?",
        ),
        ("normal", (2, 2), {"std": -1}, "draw: initializer.std: must be at least 0, got -1"),
        ("normal", (2, 2), {"sdt": 1}, "draw: initializer.sdt: unknown key; did you mean 'std'?"),
        ("normal", (2, 0), {}, "draw: layers[0]: must be at least 1, got 0"),
        ("normal", (2, 2), {"seed": -1}, "draw: seeds[0]: must be at least 0, got -1"),
        ("normal", (2, 2), {"dtype": "int8"}, "draw: dtype: must be one of float64, float32"),
    ],
)  # fmt: skip
def test_mistakes_meet_the_messages_of_a_config(
    name: str, shape: tuple[int, int], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigError) as refused:
        initbench.draw(name, shape, **{"seed": 0, **options})
    assert str(refused.value).startswith(message)


def test_a_shape_has_two_axes() -> None:
    with pytest.raises(
        InitbenchError, match=r"draw: shape must be \(fan_out, fan_in\), got \(3,\)"
    ):
        initbench.draw("he_normal", (3,), seed=0)


def test_an_initializer_of_ones_own_may_raise(tmp_path: Path) -> None:
    own = tmp_path / "own.py"
    own.write_text("def own(rng, shape, dtype, *, scale: float = 1.0):\n    return rng.no_such\n")
    with pytest.raises(InitbenchError, match=r"draw: own\(scale=2\): raised AttributeError: "):
        initbench.draw("own", (3, 3), seed=0, plugins=[own], scale=2)
