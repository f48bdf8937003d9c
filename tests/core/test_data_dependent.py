"""Starts that are fitted to a batch: what comes out on it, and what is said where it fails."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initbench.core.activations import ACTIVATIONS
from initbench.core.arrays import Array
from initbench.core.draw import ChosenInitializer, draw
from initbench.core.initializers import INITIALIZERS, Network
from tests.core.conftest import DrawStart, MakeNetwork

sizes = st.lists(st.integers(1, 12), min_size=2, max_size=5)
activations = st.sampled_from(sorted(ACTIVATIONS))


def preactivations(network: Network, layers: list[tuple[Array, Array]]) -> list[Array]:
    x, seen = network.inputs.astype(float), []
    for weights, biases in layers:
        x = weights @ x + biases[:, None]
        seen.append(x.copy())
        network.apply(x, np.empty_like(x))
    return seen


@given(sizes=sizes, activation=activations, seed=st.integers(0, 50), scale=st.floats(1e-3, 1e3))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_lsuv_gives_unit_variance(
    sizes: list[int], activation: str, seed: int, scale: float, make_network: MakeNetwork
) -> None:
    network = make_network(sizes, activation, samples=50)
    network = dataclasses.replace(network, inputs=network.inputs * scale)
    chosen = ChosenInitializer("lsuv", INITIALIZERS["lsuv"], {"tolerance": 1e-9})
    draws = draw(network, [chosen], [seed])
    assert draws.failures == {}
    layers = [(view[0, :, :-1], view[0, :, -1]) for view in network.views(draws.theta)]
    variances = [float(z.var()) for z in preactivations(network, layers)]
    unmet = [number for number, v in enumerate(variances, 1) if abs(v - 1) > 1e-8]
    # A narrow ReLU layer may be dead: then the layers above it see nothing, and the note says so.
    assert bool(unmet) == bool(draws.notes)
    for number in unmet:
        assert f"layer {number} did not converge: variance" in draws.notes[0]


def test_lsuv_leaves_alone_what_is_within_the_tolerance(
    make_network: MakeNetwork, draw_start: DrawStart
) -> None:
    network = make_network((40, 40, 40), "identity", samples=2000)
    # Orthogonal weights keep the inputs' variance, 1 within .02: nothing is scaled.
    for weights, biases in draw_start(network, "lsuv", 2):
        np.testing.assert_allclose(weights @ weights.T, np.eye(40), atol=1e-13)
        np.testing.assert_array_equal(biases, 0)


def test_lsuv_says_when_a_layer_did_not_converge(make_network: MakeNetwork) -> None:
    network = make_network((3, 4, 2))
    network = dataclasses.replace(network, inputs=np.zeros((3, 10)))
    chosen = ChosenInitializer("lsuv", INITIALIZERS["lsuv"], {})
    draws = draw(network, [chosen], [0])
    assert draws.failures == {}
    assert draws.notes == {
        0: "layer 1 did not converge: variance 0; layer 2 did not converge: variance 0"
    }


@given(sizes=sizes, activation=activations, seed=st.integers(0, 50), scale=st.floats(1e-3, 1e3))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_within_layer_normalized_units_have_mean_0_and_variance_1(
    sizes: list[int], activation: str, seed: int, scale: float, make_network: MakeNetwork
) -> None:
    network = make_network(sizes, activation, samples=50)
    network = dataclasses.replace(network, inputs=network.inputs * scale + 2)
    name = "within_layer_normalized"
    draws = draw(network, [ChosenInitializer(name, INITIALIZERS[name], {})], [seed])
    layers = [(view[0, :, :-1], view[0, :, -1]) for view in network.views(draws.theta)]
    # The noise of a mean is an ulp of the largest weight times input, here up to 1e3 of the spread.
    for z in preactivations(network, layers):
        np.testing.assert_allclose(z.mean(axis=1), 0, atol=1e-9)
        np.testing.assert_allclose(z.var(axis=1), 1, atol=1e-9)
    assert draws.notes == {}


def test_within_layer_normalized_says_which_units_have_no_variance(
    make_network: MakeNetwork,
) -> None:
    network = make_network((3, 4, 2))
    network = dataclasses.replace(network, inputs=np.ones((3, 10)))
    name = "within_layer_normalized"
    draws = draw(network, [ChosenInitializer(name, INITIALIZERS[name], {})], [0])
    assert draws.failures == {}
    assert draws.notes == {
        0: "layer 1: 4 of 4 units have no variance; layer 2: 2 of 2 units have no variance"
    }


@pytest.mark.parametrize("name", ["lsuv", "within_layer_normalized"])
def test_the_data_count(name: str, make_network: MakeNetwork, draw_start: DrawStart) -> None:
    network = make_network((3, 8, 1))
    other = dataclasses.replace(network, inputs=network.inputs * 3)
    (here, _), *_ = draw_start(network, name)
    (there, _), *_ = draw_start(other, name)
    np.testing.assert_allclose(there, here / 3, rtol=1e-12)
