"""Initializers by layer, and biases that a config asks for: what is drawn, from which stream."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from initbench.audit.verify import WITH_EXAMPLES
from initbench.core.architecture import layer_key
from initbench.core.arrays import Array
from initbench.core.by_layer import by_layer
from initbench.core.draw import ChosenBiases, ChosenInitializer, draw, laws
from initbench.core.initializers import INITIALIZERS, Network
from initbench.core.initializers.biases import BIASES, WITHOUT_BIASES
from tests.core.conftest import MakeNetwork

KEYS = st.sampled_from(["first", "hidden", "output", *map(str, range(1, 7))])
SIZES = (3, 40, 30, 5)


def chosen(name: str, **parameters: float) -> ChosenInitializer:
    return ChosenInitializer(name, (INITIALIZERS | BIASES)[name], parameters)


def drawn(
    network: Network, one: ChosenInitializer, biases: ChosenBiases = (), seed: int = 3
) -> list[tuple[Array, Array]]:
    draws = draw(network, [one], [seed], [biases])
    assert draws.failures == {}
    return [(view[0, :, :-1], view[0, :, -1]) for view in network.views(draws.theta)]


@pytest.fixture
def network(make_network: MakeNetwork) -> Network:
    return replace(make_network(SIZES), prior=np.log([0.1, 0.2, 0.3, 0.15, 0.25]))


@given(st.sets(KEYS), st.integers(1, 6), st.data())
def test_the_most_specific_key_wins(keys: set[str], count: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(1, count))
    key = layer_key(keys, number, count)
    order = [str(number), *["output"] * (number == count), *["first"] * (number == 1)]
    order += ["hidden"] * (number < count)
    assert key == (min(keys & {*order}, key=order.index) if keys & {*order} else None)


@pytest.mark.parametrize("name", [name for name in INITIALIZERS if name not in WITH_EXAMPLES])
def test_the_same_for_all_layers_is_that_initializer(name: str, network: Network) -> None:
    """Weights, biases and law, whether one key or several name it."""
    alone, one = drawn(network, chosen(name)), chosen(name)
    for keys in (["hidden", "output"], ["first", "hidden", "2", "output"]):
        whole = by_layer(dict.fromkeys(keys, one))
        for (weights, biases), (weights_alone, biases_alone) in zip(
            drawn(network, whole), alone, strict=True
        ):
            np.testing.assert_array_equal(weights, weights_alone)
            np.testing.assert_array_equal(biases, biases_alone)
        assert laws(whole, network) == laws(one, network)


def test_each_layer_has_its_own_and_what_stands_before_is_unmoved(network: Network) -> None:
    parts = {"hidden": chosen("torch_default"), "output": chosen("normal", std=0.01)}
    plain, mixed = drawn(network, parts["hidden"]), drawn(network, by_layer(parts))
    for (weights, biases), (weights_plain, biases_plain) in zip(mixed[:2], plain[:2], strict=True):
        np.testing.assert_array_equal(weights, weights_plain)
        np.testing.assert_array_equal(biases, biases_plain)
    head, head_biases = mixed[2]
    assert stats.kstest(head.ravel() / 0.01, "norm").pvalue > 1e-4
    assert not head_biases.any()
    deviations = [law.std for law in laws(by_layer(parts), network) if law]
    assert deviations == pytest.approx([1 / 3, 1 / np.sqrt(120), 0.01], rel=1e-12)


def test_fitted_layers_are_those_of_the_whole_network(network: Network) -> None:
    parts = {"hidden": chosen("lsuv", tolerance=1e-9), "output": chosen("zeros")}
    *hidden, (head, _) = drawn(network, by_layer(parts))
    x = network.inputs
    for weights, _ in hidden:
        z = weights @ x
        assert z.var() == pytest.approx(1, rel=1e-9)
        x = np.maximum(z, 0)
    assert not head.any()
    assert laws(by_layer(parts), network)[:2] == [None, None]


def test_it_travels_to_a_worker(network: Network) -> None:
    one = by_layer({"hidden": chosen("he_normal"), "output": chosen("torch_default")})
    for (weights, _), (there, _) in zip(
        drawn(network, one), drawn(network, pickle.loads(pickle.dumps(one))), strict=True
    ):
        np.testing.assert_array_equal(weights, there)


#: Rule -> its parameters and the value that all biases have.
VALUES: dict[str, tuple[dict[str, float], float]] = {
    "zeros": ({}, 0.0), "none": ({}, 0.0), "ones": ({}, 1.0), "constant": ({"value": 0.25}, 0.25),
}  # fmt: skip


def symmetric(bound: float) -> Any:
    return stats.uniform(-bound, 2 * bound)


#: Rule -> its parameters, and the distribution by fan_in and fan_out.
RANDOM: dict[str, tuple[dict[str, float], Callable[[int, int], Any]]] = {
    "normal": ({"std": 0.5}, lambda *_: stats.norm(0, 0.5)),
    "uniform": ({"low": 0.0, "high": 2.0}, lambda *_: stats.uniform(0, 2)),
    "truncated_normal": ({}, lambda *_: stats.truncnorm(-2, 2)),
    "torch_default": ({}, lambda fan_in, _: symmetric(fan_in**-0.5)),
    "sklearn_default": ({}, lambda *fans: symmetric((6 / sum(fans)) ** 0.5)),
}


@pytest.mark.parametrize("name", VALUES)
def test_biases_have_their_value(name: str, network: Network) -> None:
    parameters, value = VALUES[name]
    for _, biases in drawn(network, chosen("torch_default"), [chosen(name, **parameters)] * 3):
        assert (biases == value).all()


@pytest.mark.parametrize("name", RANDOM)
def test_biases_have_their_distribution(name: str, make_network: MakeNetwork) -> None:
    """SciPy's; the seed is fixed, and p is below the level for one seed in 10,000."""
    parameters, distribution = RANDOM[name]
    rule = chosen(name, **parameters)
    layers = drawn(make_network((3, 400, 300)), chosen("he_normal"), [rule, rule])
    for weights, biases in layers:
        law = distribution(weights.shape[1], weights.shape[0])
        assert stats.kstest(biases, law.cdf).pvalue > 1e-4
    assert not np.array_equal(layers[0][1][:300], layers[1][1])


def test_every_rule_is_tested() -> None:
    assert VALUES.keys() | RANDOM.keys() | {"prior", "initializer"} == BIASES.keys()


@pytest.mark.parametrize("name", ["he_normal", "torch_default", "lsuv"])
def test_biases_move_no_weight_and_one_layer_s_no_other(name: str, network: Network) -> None:
    usual = drawn(network, chosen(name))
    moved = drawn(network, chosen(name), [None, chosen("normal", std=0.1), None])
    for layer, ((weights, biases), (before, biases_before)) in enumerate(
        zip(moved, usual, strict=True)
    ):
        np.testing.assert_array_equal(weights, before)
        assert np.array_equal(biases, biases_before) == (layer != 1)


def test_the_prior_fills_the_output_alone(network: Network) -> None:
    layers = drawn(network, chosen("torch_default"), [chosen("prior")] * 3)
    assert [bool(biases.any()) for _, biases in layers] == [False, False, True]
    np.testing.assert_array_equal(layers[-1][1], network.prior)


@given(st.permutations(range(4)))
def test_a_run_s_biases_do_not_depend_on_its_company(order: Sequence[int]) -> None:
    network = Network((2, 5, 3), np.dtype(float), "tanh", {}, np.ones((2, 4)), prior=np.zeros(3))
    rules: list[ChosenBiases] = [
        (), [chosen("torch_default")] * 2, [chosen("normal"), None], [chosen("prior")] * 2,
    ]  # fmt: skip
    seeds, he = [4, 4, 5, 6], chosen("he_normal")
    stacked = draw(network, [he] * 4, [seeds[i] for i in order], [rules[i] for i in order])
    for row, index in zip(stacked.theta, order, strict=True):
        alone = draw(network, [he], [seeds[index]], [rules[index]])
        assert row.tobytes() == alone.theta[0].tobytes()


@pytest.mark.parametrize("name", [n for n, row in INITIALIZERS.items() if row.scope == "network"])
def test_which_initializers_leave_biases_at_0(name: str, network: Network) -> None:
    """A run's identity rests on it: zeros are no other biases for these."""
    left = not any(biases.any() for _, biases in drawn(network, chosen(name, **_examples(name))))
    # Siren's and others' biases are random, and mean_field's are 0 unless sigma_b says otherwise.
    assert left == (name in WITHOUT_BIASES)


def _examples(name: str) -> dict[str, float]:
    return {"sigma_b": 0.3} if name == "mean_field" else {}


def test_a_fitted_start_says_that_its_hidden_biases_were_moved(network: Network) -> None:
    def note(name: str, biases: ChosenBiases) -> str:
        return draw(network, [chosen(name)], [0], [biases]).notes.get(0, "")

    half = chosen("constant", value=0.5)
    assert note("lsuv", [half, None, None]) == (
        "lsuv fitted its layers before bias gave them other biases"
    )
    assert note("lsuv", [chosen("zeros"), None, half]) == ""
    assert note("he_normal", [half] * 3) == ""


def test_biases_that_training_cannot_start_from_fail_their_run() -> None:
    network = Network((2, 3, 1), np.dtype(np.float32), "relu", {}, np.ones((2, 4)))
    draws = draw(network, [chosen("zeros")], [0], [[chosen("constant", value=1e39), None]])
    assert draws.failures == {0: "the biases of layer 1 must be finite, got 3 of 3 not"}
