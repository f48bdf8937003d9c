"""Drawing a stack's first parameters: from whom, in what order, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import pytest
from numpy.random import RandomState
from numpy.typing import DTypeLike

from initbench.core.draw import ChosenInitializer, draw, laws
from initbench.core.initializers import INITIALIZERS, Initializer, Moments, Network, Start, fans

NETWORK = Network(
    sizes=(2, 3, 1),
    dtype=np.dtype(np.float32),
    activation="identity",
    activation_parameters={},
    inputs=np.ones((2, 5), np.float32),
)
HE = ChosenInitializer("he_normal", INITIALIZERS["he_normal"], {})


def own(function: Callable[..., Any], **parameters: Any) -> ChosenInitializer:
    return ChosenInitializer("own", Initializer(function, "-", "-", None), parameters)


def failure(function: Callable[..., Any]) -> str:
    """Why a run with this initializer fails, beside one that does not."""
    draws = draw(NETWORK, [HE, own(function)], [4, 4])
    assert list(draws.failures) == [1]
    assert (draws.drawn, len(draws.theta)) == ((0,), 1)
    assert draws.theta[0].tobytes() == draw(NETWORK, [HE], [4]).theta[0].tobytes()
    return draws.failures[1]


def test_layers_are_drawn_from_one_stream_and_biases_are_zero() -> None:
    first, second = NETWORK.views(draw(NETWORK, [HE], [7]).theta)
    rng = RandomState(7)
    for layer, shape in ((first[0], (3, 2)), (second[0], (1, 3))):
        expected = HE.initializer.draw(rng, shape, np.float32)
        np.testing.assert_array_equal(layer[:, :-1], expected)
        np.testing.assert_array_equal(layer[:, -1], 0)


def test_an_initializer_of_the_network_sets_biases_and_leaves_a_note() -> None:
    def ramp(rng: RandomState, network: Network, *, slope: float) -> Start:
        layers = [
            (np.full(shape, slope * number, network.dtype), np.arange(shape[0], dtype=np.float32))
            for number, shape in enumerate(network.shapes, 1)
        ]
        return Start(layers, note=f"saw {network.inputs.shape[1]} samples")

    chosen = ChosenInitializer(
        "ramp", Initializer(ramp, "-", "-", None, scope="network"), {"slope": 0.5}
    )
    draws = draw(NETWORK, [chosen, HE], [0, 0])
    assert draws.theta[0].tolist() == [0.5, 0.5, 0, 0.5, 0.5, 1, 0.5, 0.5, 2, 1, 1, 1, 0]
    assert draws.failures == {}
    assert draws.notes == {0: "saw 5 samples"}


def test_an_exception_is_a_failure_that_names_it() -> None:
    def broken(rng: RandomState, shape: tuple[int, int], dtype: DTypeLike) -> NoReturn:
        raise LookupError("no such table")

    assert failure(broken) == "raised LookupError: no such table"


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        (
            lambda _rng, shape, dtype: np.zeros(shape[::-1], dtype),
            "the weights of layer 1 must have shape (3, 2), (fan_out, fan_in), got (2, 3)",
        ),
        (
            lambda _rng, shape, _dtype: np.zeros(shape, int),
            "the weights of layer 1 must be float32, got int64",
        ),
        (
            lambda _rng, shape, _dtype: np.zeros(shape),
            "the weights of layer 1 must be float32, got float64",
        ),
        (
            lambda _rng, shape, _dtype: [[0.0] * shape[1]] * shape[0],
            "the weights of layer 1 must be a NumPy array, got list",
        ),
        (
            lambda _rng, _shape, _dtype: None,
            "the weights of layer 1 must be a NumPy array, got NoneType",
        ),
        (
            lambda _rng, shape, dtype: np.array([[np.nan, 1]] * 3, dtype)[: shape[0]],
            "the weights of layer 1 must be finite, got 3 of 6 not",
        ),
        (
            # No warning either: what overflows is the reason.
            lambda _rng, shape, dtype: np.full(shape, 1e300).astype(dtype),
            "the weights of layer 1 must be finite, got 6 of 6 not",
        ),
        (
            lambda _rng, shape, dtype: np.zeros((3, 2), dtype),
            "the weights of layer 2 must have shape (1, 3), (fan_out, fan_in), got (3, 2)",
        ),
    ],
    ids=["transposed", "int", "double", "list", "None", "NaN", "overflow", "second layer"],
)
def test_wrong_weights_are_a_failure_that_says_what_was_expected(
    returned: Callable[..., Any], reason: str
) -> None:
    assert failure(returned) == reason


def test_biases_are_checked_too() -> None:
    def narrow(rng: RandomState, network: Network) -> Start:
        return Start([(np.zeros(s, network.dtype), np.zeros(1, "f4")) for s in network.shapes])

    chosen = ChosenInitializer("own", Initializer(narrow, "-", "-", None, scope="network"), {})
    draws = draw(NETWORK, [chosen], [0])
    assert draws.failures == {0: "the biases of layer 1 must have shape (3,), got (1,)"}


def test_laws_of_layers() -> None:
    def law(shape: tuple[int, int], *, mean: float, std: float) -> Moments:
        return Moments(mean, std * fans(shape)[0])

    def draw(
        rng: RandomState, shape: tuple[int, int], dtype: DTypeLike, *, mean: float, std: float = 3.0
    ) -> NoReturn:
        raise AssertionError("a law needs no draw")

    chosen = ChosenInitializer("own", Initializer(draw, "-", "-", law), {"mean": 1.0})
    assert laws(chosen, NETWORK) == [Moments(1.0, 6.0), Moments(1.0, 9.0)]
    assert laws(own(draw), NETWORK) == [None, None]
