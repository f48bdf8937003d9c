"""What each framework draws under a name: recorded facts, and the frameworks themselves.

The frameworks' part skips where they are not installed (extra ``frameworks``).
"""

from __future__ import annotations

import math
import os
import random
import sys
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple, get_args

import numpy as np
import pytest
from numpy.random import RandomState
from pydantic import ValidationError
from scipy import stats

from initbench import spec
from initbench.core.arrays import Array
from initbench.core.initializers import INITIALIZERS, Moments, defaults
from initbench.core.initializers.dialects import DIALECTS, Dialect, equivalent_of
from initbench.interop import frameworks
from initbench.interop.frameworks import FRAMEWORKS, ROWS
from initbench.spec.choice import Choice

TALL, WIDE = (400, 100), (100, 400)  # (O, I)
CUT1 = float(stats.truncnorm(-1, 1).std())
CUT = 0.87962566103423978  # of N(0, 1) cut off at two standard deviations: Keras' and JAX' constant


def chosen(written: str | Mapping[str, Any]) -> Choice:
    config: dict[str, Any] = {
        "initializer": written, "layers": [2, 1], "iterations": 1, "learning_rate": 1.0,
    }  # fmt: skip
    (choice,) = spec.Experiment(name="x", **config).initializer
    return choice


def law(written: str | Mapping[str, Any], shape: tuple[int, int]) -> Moments:
    choice = chosen(written)
    name, parameters = equivalent_of(choice.name, choice.parameters)
    declared = ROWS[name].law
    assert declared is not None
    return declared(shape, **parameters)


def draw(written: str | Mapping[str, Any], shape: tuple[int, int], seed: int = 0) -> Array:
    choice = chosen(written)
    name, parameters = equivalent_of(choice.name, choice.parameters)
    weights: Array = ROWS[name].draw(RandomState(seed), shape, np.float64, **parameters)
    return weights


class Fact(NamedTuple):
    """(fan_in 100, fan_out 400): mean, standard deviation and bounds, from the documentation."""

    dialect: Dialect
    written: dict[str, Any]
    mean: float
    std: float
    low: float = -math.inf
    high: float = math.inf


def normal(std: float) -> tuple[float, float]:
    return (0, std)


def uniform(bound: float) -> tuple[float, float, float, float]:
    return (0, bound / math.sqrt(3), -bound, bound)


def widened(std: float) -> tuple[float, float, float, float]:
    """Cut at two standard deviations, and widened so that ``std`` is what is drawn."""
    return (0, std, -2 * std / CUT, 2 * std / CUT)


def cut(std: float) -> tuple[float, float, float, float]:
    return (0, std * CUT, -2 * std, 2 * std)


HE, GLOROT, LECUN = math.sqrt(2 / 100), math.sqrt(2 / 500), math.sqrt(1 / 100)
FACTS = [
    Fact("torch", {"name": "normal"}, *normal(1)),
    Fact("torch", {"name": "uniform"}, 0.5, 1 / math.sqrt(12), 0, 1),
    Fact("torch", {"name": "truncated_normal"}, *cut(1)),
    # -2 and 2 are a hundred standard deviations away: nothing is cut.
    Fact("torch", {"name": "truncated_normal", "std": 0.02}, 0, 0.02, -2, 2),
    Fact("torch", {"name": "truncated_normal", "std": 2.0}, 0, 2 * CUT1, -2, 2),
    Fact("torch", {"name": "he_normal"}, *normal(HE)),
    Fact("torch", {"name": "he_normal", "gain": "torch"}, *normal(HE)),
    Fact("torch", {"name": "he_uniform"}, *uniform(math.sqrt(3) * HE)),
    Fact("torch", {"name": "glorot_normal"}, *normal(GLOROT)),
    Fact("torch", {"name": "glorot_uniform"}, *uniform(math.sqrt(3) * GLOROT)),
    Fact("torch", {"name": "sparse", "sparsity": 0.75}, 0, 0.005),
    *(
        fact
        for dialect in ("keras", "jax")
        for fact in (
            Fact(dialect, {"name": "he_normal"}, *widened(HE)),
            Fact(dialect, {"name": "glorot_normal"}, *widened(GLOROT)),
            Fact(dialect, {"name": "lecun_normal"}, *widened(LECUN)),
            Fact(dialect, {"name": "he_uniform"}, *uniform(math.sqrt(3) * HE)),
            Fact(dialect, {"name": "glorot_uniform"}, *uniform(math.sqrt(3) * GLOROT)),
            Fact(dialect, {"name": "lecun_uniform"}, *uniform(math.sqrt(3) * LECUN)),
            Fact(dialect, {"name": "variance_scaling"}, *widened(LECUN)),
        )
    ),
    Fact("keras", {"name": "normal"}, *normal(0.05)),
    Fact("keras", {"name": "normal", "mean": 1.0}, 1, 0.05),
    Fact("keras", {"name": "uniform"}, *uniform(0.05)),
    Fact("keras", {"name": "uniform", "high": 0.15}, 0.05, 0.2 / math.sqrt(12), -0.05, 0.15),
    Fact("keras", {"name": "truncated_normal"}, *cut(0.05)),
    Fact("jax", {"name": "normal"}, *normal(0.01)),
    Fact("jax", {"name": "normal", "std": 1.0}, *normal(1)),
    Fact("jax", {"name": "uniform"}, 0.005, 0.01 / math.sqrt(12), 0, 0.01),
    Fact("jax", {"name": "truncated_normal"}, *cut(0.01)),
]


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: f"{fact.dialect}-{fact.written}")
def test_recorded_facts(fact: Fact) -> None:
    written = fact.written | {"dialect": fact.dialect}
    if written.get("gain") == "torch":
        written["gain"] = math.sqrt(2)
    found = law(written, TALL)
    expected = (fact.mean, fact.std, fact.low, fact.high)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-15)


def test_every_name_of_every_dialect_can_be_chosen() -> None:
    needed = {"constant": {"value": 1.0}, "sparse": {"sparsity": 0.5}}
    for dialect, names in DIALECTS.items():
        for name, meaning in names.items():
            choice = chosen({"name": name, "dialect": dialect} | needed.get(name, {}))
            drawn, parameters = equivalent_of(choice.name, choice.parameters)
            assert drawn == meaning.name
            assert set(parameters) >= set(defaults(INITIALIZERS[drawn].draw))
    assert set(DIALECTS) == set(get_args(Dialect))


def test_scikit_learns_glorot_has_biases_and_another_factor_for_the_sigmoid() -> None:
    choice = chosen({"name": "glorot_uniform", "dialect": "sklearn"})
    # tests/core/test_network_wide.py compares it with MLPClassifier, bit for bit.
    assert equivalent_of(choice.name, choice.parameters) == ("sklearn_default", {})


def test_the_dialects_own_defaults_are_part_of_a_choice() -> None:
    """So that a run's identity holds what it draws, and its label says so."""
    assert chosen({"name": "normal", "dialect": "jax"}).label == "normal(dialect=jax, std=0.01)"
    assert chosen({"name": "he_normal", "dialect": "keras"}).label == "he_normal(dialect=keras)"
    assert chosen({"name": "RandomNormal", "dialect": "keras", "std": 1.0}).parameters == {
        "dialect": "keras", "mean": 0.0, "std": 1.0
    }  # fmt: skip


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ({"name": "lecun_normal", "dialect": "torch"}, "torch has no lecun_normal; with dialect: "
         "torch there are zeros, ones, constant, he_normal, .*, truncated_normal, sparse"),
        ({"name": "he_normal", "dialect": "sklearn"},
         "sklearn has no he_normal; .* there are glorot_uniform, sklearn_default"),
        ({"name": "glorot_uniform", "dialect": "sklearn", "gain": 2.0}, "has no gain"),
        ({"name": "truncated_normal", "dialect": "torch", "mean": 1.0}, "only for a mean of 0"),
        ({"name": "sparse", "dialect": "torch"}, "needs sparsity"),
    ],
)  # fmt: skip
def test_what_a_framework_does_not_have(written: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        chosen(written)


#: Moments, bounds and a two-sample test of each framework row and shape, at this level: correct
#: code fails on some new seed with probability 1e-6 over the whole file (Bonferroni).
ALPHA = 1e-6 / (len(FRAMEWORKS) * 2 * 3)
Z = float(stats.norm.isf(ALPHA / 2))
OF_FRAMEWORKS = [
    (package, function, ours)
    for package, functions in frameworks.NAMES.items()
    for function, ours in functions.items()
]
each_function = pytest.mark.parametrize(("package", "function", "ours"), OF_FRAMEWORKS)


@pytest.fixture
def framework(package: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The framework that the test's parameter names; Keras upon JAX."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    return pytest.importorskip(package)


@pytest.mark.filterwarnings("default")  # the frameworks' own, at import
@pytest.mark.usefixtures("framework")
@pytest.mark.parametrize("shape", [TALL, WIDE], ids=["tall", "wide"])
@each_function
def test_a_dialect_draws_what_its_framework_draws(
    package: Dialect,
    function: str,
    ours: str,
    shape: tuple[int, int],
) -> None:
    if ours == "orthogonal":
        shape = (shape[0] // 10, shape[1] // 10)  # its decomposition is slow on busy cores
    written = {"name": ours, "dialect": package}
    theirs = draw(f"{package}:{function}", shape, 1).astype(float)
    mine = draw(written, shape, 2)
    declared = law(written, shape)
    assert law(f"{package}:{function}", shape) == declared
    assert theirs.shape == mine.shape == shape
    for weights in (theirs, mine):
        # JAX and Keras draw in float32: an ulp is 6e-8 of the bound.
        assert weights.min() >= declared.low - 1e-6 * abs(declared.low)
        assert weights.max() <= declared.high + 1e-6 * abs(declared.high)
    if ours == "orthogonal":
        gram = theirs @ theirs.T if shape[0] <= shape[1] else theirs.T @ theirs
        np.testing.assert_allclose(gram, np.eye(min(shape)), atol=1e-5)
        return
    assert stats.ks_2samp(theirs.ravel(), mine.ravel()).pvalue > ALPHA
    standard = (theirs - declared.mean) / declared.std
    assert abs(standard.mean()) < Z / math.sqrt(standard.size)
    # Kurtosis is 3 at most, for the normal.
    assert abs(np.mean(standard**2) - 1) < Z * math.sqrt(2 / standard.size)


@pytest.mark.filterwarnings("default")
@each_function
def test_a_framework_row_is_a_function_of_its_generator(
    package: Dialect, function: str, ours: str, framework: Any
) -> None:
    row = FRAMEWORKS[f"{package}:{function}"]
    row.draw(RandomState(0), (2, 3), np.float32)  # whatever a first call sets up
    states = [random.getstate(), np.random.get_state(legacy=False)]
    if package == "torch":
        states.append(framework.get_rng_state().tolist())
    rng = RandomState(4)
    layers = [row.draw(rng, (3, 5), np.float32) for _ in range(2)]
    after = [random.getstate(), np.random.get_state(legacy=False)]
    if package == "torch":
        after.append(framework.get_rng_state().tolist())
    np.testing.assert_equal(after, states)
    assert (layers[0] != layers[1]).any()
    np.testing.assert_array_equal(row.draw(RandomState(4), (3, 5), np.float32), layers[0])
    assert layers[0].dtype == np.float32
    assert row.draw(RandomState(4), (3, 5), np.float64).dtype == np.float64
    assert DIALECTS[package][ours]


def test_constants_and_identities_are_theirs(torch: Any) -> None:
    for shape in (TALL, WIDE):
        eye = torch.nn.init.eye_(torch.empty(shape)).numpy()
        np.testing.assert_array_equal(draw({"name": "identity", "dialect": "torch"}, shape), eye)
    sparse = torch.nn.init.sparse_(torch.empty(TALL), 0.75).numpy()
    mine = draw({"name": "sparse", "dialect": "torch", "sparsity": 0.75}, TALL)
    assert np.count_nonzero(sparse) == np.count_nonzero(mine)
    assert stats.ks_2samp(sparse[sparse != 0], mine[mine != 0]).pvalue > 1e-6


@pytest.mark.parametrize("name", ["torch:nn.init.normal_", "jax:nn.initializers.normal"])
def test_a_framework_that_is_not_installed_is_a_config_error(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frameworks, "find_spec", lambda _: None)
    words = {"torch": "PyTorch", "jax": "JAX"}[name.split(":")[0]]
    expected = f"{name} needs {words}; pip install 'initbench\\[frameworks\\]'"
    with pytest.raises(ValidationError, match=expected):
        chosen(name)


def test_asking_what_is_missing_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setattr(frameworks, "version", lambda package: f"version of {package}")
    name = "keras:initializers.HeNormal"
    before = dict(os.environ)
    frameworks.missing(name)
    assert frameworks.versions(name) == {
        "keras": "version of keras", "jax": "version of jax"
    }  # fmt: skip
    assert os.environ == before


@pytest.mark.parametrize(("given", "expected"), [(None, "jax"), ("numpy", "numpy")])
def test_drawing_from_keras_sets_its_backend_only_where_none_is_set(
    given: str | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def zeros(shape: tuple[int, int], dtype: str) -> Array:
        seen.append(os.environ["KERAS_BACKEND"])
        return np.zeros(shape, dtype)

    # A stand-in: what Keras finds when it is imported is what counts.
    keras = SimpleNamespace(initializers=SimpleNamespace(HeNormal=lambda seed: zeros))  # noqa: ARG005
    monkeypatch.setitem(sys.modules, "keras", keras)
    monkeypatch.setenv("KERAS_BACKEND", "")  # so that what the draw sets is taken back
    if given is None:
        monkeypatch.delenv("KERAS_BACKEND")
    else:
        monkeypatch.setenv("KERAS_BACKEND", given)
    FRAMEWORKS["keras:initializers.HeNormal"].draw(RandomState(0), (2, 3), np.float64)
    assert seen == [expected]


def test_keras_needs_its_backend(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"keras", "torch"}
    monkeypatch.setattr(frameworks, "find_spec", installed.__contains__)
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert frameworks.missing("keras:initializers.HeNormal") is None
    monkeypatch.delenv("KERAS_BACKEND")
    assert frameworks.missing("keras:initializers.HeNormal") == (
        "keras:initializers.HeNormal needs Keras; pip install 'initbench[frameworks]'"
    )
