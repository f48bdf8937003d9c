"""What the papers promise of their starts, measured on the starts themselves.

Random checks have fixed seeds; their margins are wide of the measured values.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from initbench.core.arrays import Array
from initbench.core.initializers import Network
from tests.core.conftest import DrawStart, MakeNetwork

Layers = list[tuple[Array, Array]]


def forward(network: Network, layers: Layers, x: Array) -> list[Array]:
    """Every layer's pre-activations, (O, B)."""
    seen = []
    for weights, biases in layers:
        x = weights @ x + biases[:, None]
        seen.append(x.copy())
        network.apply(x, np.empty_like(x))
    return seen


def singular_values(network: Network, layers: Layers, x: Array) -> Array:
    """Of the logits' derivative by the inputs, at each sample: (B, I)."""
    jacobian = np.broadcast_to(np.eye(len(x)), (x.shape[1], len(x), len(x)))
    slopes = []
    for z in forward(network, layers, x):
        slopes.append(np.empty_like(z))
        network.apply(z, slopes[-1])
    slopes[-1] = np.ones_like(slopes[-1])  # the last layer is linear
    for (weights, _), slope in zip(layers, slopes, strict=True):
        jacobian = slope.T[:, :, None] * (weights @ jacobian)
    return np.asarray(np.linalg.svd(jacobian, compute_uv=False))


@pytest.mark.parametrize("sizes", [(4, 8, 8, 3), (5, 7, 9, 11, 2), (10, 10, 10)])
def test_looks_linear_is_linear(
    sizes: tuple[int, ...], make_network: MakeNetwork, draw_start: DrawStart
) -> None:
    network = make_network(sizes)
    layers = draw_start(network, "looks_linear", 3)
    a, b = network.inputs[:, :100], network.inputs[:, 100:]
    logits = [forward(network, layers, x)[-1] for x in (a, b, 2 * a - 3 * b, -a)]
    # Sums of up to 11 products of numbers below 4, five layers deep.
    np.testing.assert_allclose(logits[2], 2 * logits[0] - 3 * logits[1], rtol=0, atol=1e-12)
    np.testing.assert_allclose(logits[3], -logits[0], rtol=0, atol=1e-12)


def test_looks_linear_is_an_isometry(make_network: MakeNetwork, draw_start: DrawStart) -> None:
    """Balduzzi et al. 2017: dynamical isometry, which ReLU with orthogonal weights has not."""
    network = make_network((16, *[32] * 30, 16), samples=5)
    values = singular_values(network, draw_start(network, "looks_linear"), network.inputs)
    np.testing.assert_allclose(values, 1, atol=1e-12)


def test_siren_keeps_its_distribution_through_depth(
    make_network: MakeNetwork, draw_start: DrawStart
) -> None:
    """Sitzmann et al. 2020, supplement: activations arcsine, pre-activations w z ~ N(0, 1).

    Their biases aside, which shift the phase of a sine and leave an arcsine law an arcsine law.
    """
    network = make_network((1, *[1024] * 5, 1), "sine", samples=1)
    distances = []
    for seed in range(3):
        layers = [(w, 0 * b) for w, b in draw_start(network, "siren", seed)]
        seen = forward(network, layers, np.linspace(-1, 1, 257)[None])
        for z in seen[2:-1]:
            # One sample's units are independent; 129 of its neighbours' are not.
            distances.append(stats.kstest(30 * z[:, 64], stats.norm.cdf).statistic)
            arcsine = stats.arcsine(-1, 2).cdf
            distances.append(stats.kstest(np.sin(30 * z[:, 64]), arcsine).statistic)
    # 1,024 draws from a law itself exceed 1.95 / sqrt(1024) = .061 once in a thousand; and the sine
    # of N(0, 1) is an arcsine law only nearly. Measured: .093 at most.
    assert max(distances) < 0.12


def test_siren_without_its_frequency_is_another_law(
    make_network: MakeNetwork, draw_start: DrawStart
) -> None:
    """The test above can fail: He's uniform weights under a sine of frequency 30."""
    network = make_network((1, 1024, 1024, 1024, 1), "sine", samples=1)
    layers = draw_start(network, "he_uniform")
    seen = forward(network, layers, np.linspace(-1, 1, 5)[None])
    assert stats.kstest(30 * seen[2][:, 1], stats.norm.cdf).statistic > 0.3


@pytest.mark.parametrize(
    ("activation", "sigma_w2", "sigma_b2"), [("tanh", 1.76095, 0.05), ("relu", 2.0, 0.0)]
)
def test_critical_points(
    activation: str, sigma_w2: float, sigma_b2: float,
    make_network: MakeNetwork, draw_start: DrawStart,
) -> None:  # fmt: skip
    """Schoenholz et al. 2016: chi_1 = sigma_w^2 E[phi'(z)^2] is 1 at the edge of chaos."""

    def chi(scale: float) -> float:
        network = make_network((600, *[600] * 12, 1), activation, samples=4)
        parameters = {"sigma_w": math.sqrt(scale * sigma_w2), "sigma_b": math.sqrt(sigma_b2)}
        found = []
        for seed in range(3):
            layers = draw_start(network, "mean_field", seed, **parameters)
            seen = forward(network, layers, network.inputs)
            z = np.array(seen[6:-1])
            slope = np.empty_like(z)
            network.apply(z, slope)
            found.append(scale * sigma_w2 * np.mean(slope**2))
        return float(np.mean(found))

    # Averages over 3 x 6 x 4 x 600 units: measured 0.991 and 1.004.
    assert chi(1.0) == pytest.approx(1, abs=0.03)
    assert chi(0.8) < 0.93
    assert chi(1.3) > 1.05


def born_dead(network: Network, name: str, draw_start: DrawStart, count: int) -> float:
    """The share of networks with a hidden layer that is 0 for every input: a constant function."""
    dead = 0
    for seed in range(count):
        seen = forward(network, draw_start(network, name, seed), network.inputs)
        dead += any(bool((z <= 0).all()) for z in seen[:-1])
    return dead / count


@pytest.mark.parametrize(
    ("width", "depth", "low", "high"), [(2, 10, 0.82, 0.94), (3, 10, 0.46, 0.70)]
)
def test_rai_has_fewer_born_dead_networks(
    width: int, depth: int, low: float, high: float,
    make_network: MakeNetwork, draw_start: DrawStart,
) -> None:  # fmt: skip
    """Lu et al. 2019: of He's networks most are born dead, of RAI's few.

    Measured on 4,000 networks: He .884 and .582, RAI .215 and .060. The bounds on He's are those
    plus and minus four standard errors of 400 networks.
    """
    network = make_network((1, *[width] * (depth - 1), 1), samples=100)
    he, rai = (born_dead(network, name, draw_start, 400) for name in ("he_normal", "rai"))
    assert low < he < high
    assert rai < 0.4 * he


@pytest.mark.parametrize(("activation", "width"), [("identity", 8), ("relu", 20)])
def test_random_walk_does_not_drift(
    activation: str, width: int, make_network: MakeNetwork, draw_start: DrawStart
) -> None:
    """Sussillo and Abbott 2014: the log of the gradient's length has no drift with depth."""
    network = make_network((width, *[width] * 60, width), activation, samples=1)
    drifts: dict[str, list[float]] = {"random_walk": [], "he_normal": []}
    if activation == "identity":
        drifts = {"random_walk": [], "lecun_normal": []}
    for name, found in drifts.items():
        for seed in range(300):
            layers = draw_start(network, name, seed)
            rng = np.random.RandomState(seed)
            delta = rng.standard_normal(width)
            start = np.linalg.norm(delta)
            for weights, _ in layers[:0:-1]:
                # The paper's assumption: half of the units are on, whichever.
                mask = rng.random_sample(width) < 0.5 if activation == "relu" else 1
                delta = mask * (weights.T @ delta)
            if (length := np.linalg.norm(delta)) > 0:
                found.append(math.log(length / start))
    walk, plain = (np.array(values) for values in drifts.values())
    # Five standard errors, and a hundredth a layer for the paper's own approximation.
    assert abs(walk.mean()) < 5 * walk.std() / math.sqrt(len(walk)) + 0.6
    assert plain.mean() < -1.5


def test_sklearn_default_is_scikit_learns_own_start(
    make_network: MakeNetwork, draw_start: DrawStart
) -> None:
    from sklearn.neural_network import MLPClassifier

    x = np.random.RandomState(0).standard_normal((20, 3))
    y = np.arange(20) % 2
    for activation, theirs in (("relu", "relu"), ("tanh", "tanh"), ("sigmoid", "logistic")):
        classifier = MLPClassifier(
            (5, 4), activation=theirs, random_state=7, max_iter=1, learning_rate_init=1e-300
        )
        with pytest.warns(UserWarning, match="Maximum iterations"):
            classifier.fit(x, y)
        layers = draw_start(make_network((3, 5, 4, 1), activation), "sklearn_default", 7)
        for number, (weights, biases) in enumerate(layers):
            # A step of 1e-300 moves nothing.
            np.testing.assert_array_equal(weights, classifier.coefs_[number].T)
            np.testing.assert_array_equal(biases, classifier.intercepts_[number])


def test_torch_default_has_the_bounds_of_linear(torch: Any) -> None:
    layer = torch.nn.Linear(100, 3000)
    bound = 1 / math.sqrt(100)
    for values in (layer.weight, layer.bias):
        drawn = values.detach().numpy().ravel() / bound
        assert stats.kstest(drawn, stats.uniform(-1, 2).cdf).pvalue > 1e-6


@pytest.mark.parametrize("activation", ["relu", "gelu", "sigmoid", "softplus", "tanh", "selu"])
def test_autoinit_keeps_unit_variance(
    activation: str, make_network: MakeNetwork, draw_start: DrawStart
) -> None:
    """Bingham and Miikkulainen 2021: pre-activations of mean 0, variance 1, all the way.

    Over draws: a layer shares its units' mean, so that one draw's variance over samples is less.
    """
    network = make_network((400, *[400] * 6, 1), activation, samples=3)
    squares = []
    for seed in range(20):
        seen = forward(network, draw_start(network, "autoinit", seed), network.inputs)
        squares.append([float(np.mean(z**2)) for z in seen[:-1]])
    # Each layer multiplies the second moment by 1 +- sqrt(5 / 400) or so, over 20 draws a fourth.
    np.testing.assert_allclose(np.mean(squares, axis=0), 1, atol=0.2)


def test_nguyen_widrow_by_its_paper(make_network: MakeNetwork, draw_start: DrawStart) -> None:
    """|w_i| = 0.7 H^(1/N), for 1 and 2 inputs."""
    for inputs in (1, 2):
        network = make_network((inputs, 21, 1), "tanh")
        (weights, biases), _ = draw_start(network, "nguyen_widrow")
        length = 0.7 * 21 ** (1 / inputs)
        np.testing.assert_allclose(np.linalg.norm(weights, axis=1), length, rtol=1e-14)
        assert np.abs(biases).max() <= length


def test_orthogonal_tanh_network_is_an_isometry_where_a_gaussian_is_not(
    make_network: MakeNetwork, draw_start: DrawStart
) -> None:
    """Pennington, Schoenholz and Ganguli 2017, arXiv:1711.04735: at small activations, 50 deep."""
    network = make_network((100, *[100] * 49, 100), "tanh", samples=3)
    x = network.inputs * 0.01
    ratios = []
    for name in ("orthogonal", "lecun_normal"):
        values = singular_values(network, draw_start(network, name), x)
        ratios.append(float((values[:, 0] / np.median(values, axis=1)).max()))
    assert ratios[0] < 1.1
    assert ratios[1] > 1e4
