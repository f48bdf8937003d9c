"""Whole networks without data: what needs a layer's place, the activation, or biases.

Each draws ``(rng, network, *, parameters) -> Start`` layer by layer, weights before biases.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt
from numpy.random import RandomState
from numpy.typing import NDArray

from initbench.core.architecture import Shape, fans
from initbench.core.initializers.protocol import Gain, Moments, Network, Start
from initbench.core.initializers.scaling import variance_scaling, variance_scaling_law
from initbench.core.initializers.structured import orthogonal
from initbench.core.quadrature import gaussian_moments

Biases = NDArray[np.floating]

#: What RAI multiplies its normal weights by: the positive root of s^2 + (4 sqrt(2) / (3 sqrt(pi)))
#: s = 1, which keeps the paper's bound on growth at 1 for Beta(2, 1). Its code has 0.6007.
RAI_STD = math.sqrt(1 + 8 / (9 * math.pi)) - 2 * math.sqrt(2) / (3 * math.sqrt(math.pi))


def torch_default(rng: RandomState, network: Network) -> Start:
    """Weights and biases U(-1 / sqrt(fan_in), 1 / sqrt(fan_in)): a layer as PyTorch makes it.

    Source: ``torch.nn.Linear.reset_parameters``. The variance is 1 / (3 fan_in): a signal through
    tanh fades by 3 a layer.
    """
    return Start(
        [
            (_uniform(rng, shape, bound, network), _uniform(rng, shape[:1], bound, network))
            for shape in network.shapes
            for bound in (1 / math.sqrt(fans(shape)[0]),)
        ]
    )


def torch_default_law(network: Network, layer: int) -> Moments:
    """Of :func:`torch_default`."""
    return _uniform_law(1 / math.sqrt(fans(network.shapes[layer])[0]))


def sklearn_default(rng: RandomState, network: Network) -> Start:
    """Weights and biases U(+-sqrt(6 / (fan_in + fan_out))), with 2 for 6 for the sigmoid.

    Draws what ``MLPClassifier(random_state=seed)`` draws, bit for bit in float64: scikit-learn
    stores (in, out) and draws biases after each layer's weights.

    Source: ``sklearn.neural_network``, after Glorot and Bengio 2010.
    """
    layers = []
    for layer, (outputs, inputs) in enumerate(network.shapes):
        bound = sklearn_default_law(network, layer).high
        weights = _uniform(rng, (inputs, outputs), bound, network).T
        layers.append((weights, _uniform(rng, (outputs,), bound, network)))
    return Start(layers)


def sklearn_default_law(network: Network, layer: int) -> Moments:
    """Of :func:`sklearn_default`."""
    factor = 2 if network.activation == "sigmoid" else 6
    return _uniform_law(math.sqrt(factor / sum(network.shapes[layer])))


def siren(rng: RandomState, network: Network) -> Start:
    """SIREN: first layer U(-1 / n, 1 / n), all others U(+-sqrt(6 / n) / w), n the fan_in.

    w is the frequency of the activation ``sine``, sin(w z), for which this is made; with any other
    activation w is 1, and the rule beyond the first layer is He's uniform one. Biases are the
    authors' code's, U(+-1 / sqrt(n)): the paper leaves them open.

    Source: Sitzmann et al. 2020, arXiv:2006.09661, section 3.2 and supplement 1.5.
    """
    layers = []
    for layer, shape in enumerate(network.shapes):
        weights = _uniform(rng, shape, siren_law(network, layer).high, network)
        biases = _uniform(rng, shape[:1], 1 / math.sqrt(fans(shape)[0]), network)
        layers.append((weights, biases))
    return Start(layers)


def siren_law(network: Network, layer: int) -> Moments:
    """Of :func:`siren`."""
    fan_in, _ = fans(network.shapes[layer])
    frequency = network.activation_parameters.get("frequency", 1.0)
    return _uniform_law(1 / fan_in if layer == 0 else math.sqrt(6 / fan_in) / frequency)


def looks_linear(rng: RandomState, network: Network, *, gain: Gain = 1.0) -> Start:
    """Mirrored units, so that a ReLU network starts as a linear one: [[B, -B], [-B, B]].

    Since relu(z) - relu(-z) = z, a pair of units with weights b and -b passes b on unchanged. B is
    orthogonal (times ``gain``), half as wide and high. A reading: the unit that an odd layer has
    over takes part in no pair; its incoming weights are N(0, 2 / fan_in), its outgoing 0, so that
    it may learn.

    Source: Balduzzi et al. 2017, arXiv:1702.08591.
    """
    layers = []
    last = len(network.shapes) - 1
    for layer, shape in enumerate(network.shapes):
        outputs, inputs = shape
        # How many signals come in and go out: pairs inside, single units at the ends.
        width_in = inputs if layer == 0 else inputs // 2
        width_out = outputs if layer == last else outputs // 2
        weights = np.zeros(shape)
        if width_in and width_out:
            block = orthogonal(rng, (width_out, width_in), np.float64, gain=gain)
            if layer > 0:
                block = np.hstack([block, -block])
            if layer < last:
                block = np.vstack([block, -block])
            weights[: block.shape[0], : block.shape[1]] = block
        if layer < last and outputs % 2:
            weights[-1] = rng.standard_normal(inputs) * math.sqrt(2 / inputs)
        if layer > 0 and inputs % 2:
            weights[:, -1] = 0
        layers.append((weights.astype(network.dtype), _zeros(shape, network)))
    return Start(layers)


def random_walk(rng: RandomState, network: Network) -> Start:
    """N(0, g^2 / n), g so that the log of a gradient's length drifts neither up nor down.

    For ReLU g = sqrt(2) exp(1.2 / (max(n, 6) - 2.4)), for a linear network exp(1 / (2 n)). Two
    readings: the paper has layers of one width, n here is the fan_in, which keeps the gradient's
    length where widths differ; and it gives no formula for other activations, which here take the
    linear one, their slope at 0 being what counts.

    Source: Sussillo and Abbott 2014, arXiv:1412.6558.
    """
    return _normal(rng, network, random_walk_law)


def random_walk_law(network: Network, layer: int) -> Moments:
    """Of :func:`random_walk`."""
    fan_in, _ = fans(network.shapes[layer])
    if network.activation == "relu":
        gain = math.sqrt(2) * math.exp(1.2 / (max(fan_in, 6) - 2.4))
    else:
        gain = math.exp(1 / (2 * fan_in))
    return Moments(0.0, gain / math.sqrt(fan_in))


def mean_field(
    rng: RandomState,
    network: Network,
    *,
    sigma_w: Annotated[float, Gt(0)] = math.sqrt(2),
    sigma_b: Annotated[float, Ge(0)] = 0.0,
) -> Start:
    """Weights N(0, sigma_w^2 / fan_in), biases N(0, sigma_b^2): a point of the phase diagram.

    The defaults are ReLU's edge of chaos. Tanh's is at sigma_w^2 = 1.761 for sigma_b^2 = 0.05.

    Source: Poole et al. 2016, arXiv:1606.05340; Schoenholz et al. 2016, arXiv:1611.01232.
    """
    layers = []
    for shape in network.shapes:
        weights = rng.standard_normal(shape) * (sigma_w / math.sqrt(fans(shape)[0]))
        biases = rng.standard_normal(shape[:1]) * sigma_b
        layers.append((weights.astype(network.dtype), biases.astype(network.dtype)))
    return Start(layers)


def mean_field_law(network: Network, layer: int, *, sigma_w: float, sigma_b: float) -> Moments:
    """Of :func:`mean_field`."""
    return Moments(0.0, sigma_w / math.sqrt(fans(network.shapes[layer])[0]))


def rai(rng: RandomState, network: Network) -> Start:
    """Randomized asymmetric: one weight or the bias of each unit is Beta(2, 1), always positive.

    A unit's incoming weights and its bias are N(0, s^2 / fan_in), s = 0.6007; then one of these
    fan_in + 1 numbers, each as likely, is drawn from Beta(2, 1) instead. So fewer units are dead.

    Source: Lu, Shin, Su and Karniadakis 2019, arXiv:1903.06733, and its code.
    """
    layers = []
    for outputs, inputs in network.shapes:
        both = rng.standard_normal((outputs, inputs + 1)) * (RAI_STD / math.sqrt(inputs))
        both[np.arange(outputs), rng.randint(0, inputs + 1, outputs)] = rng.beta(2, 1, outputs)
        both = both.astype(network.dtype)
        layers.append((both[:, :-1], both[:, -1]))
    return Start(layers)


def rai_law(network: Network, layer: int) -> Moments:
    """Of :func:`rai`: a mixture; Beta(2, 1) has mean 2 / 3 and second moment 1 / 2."""
    fan_in, _ = fans(network.shapes[layer])
    share = 1 / (fan_in + 1)
    mean = share * 2 / 3
    second = share / 2 + (1 - share) * RAI_STD**2 / fan_in
    return Moments(mean, math.sqrt(second - mean**2))


def kumar(rng: RandomState, network: Network) -> Start:
    """N(0, v), v = 1 / (n phi'(0)^2 (1 + phi(0)^2)): 2 / n for ReLU, 12.8 / n for the sigmoid.

    The paper treats activations with a slope at 0, and ReLU apart. A reading that includes both:
    phi'(0)^2 is the mean over the slopes to the left and to the right.

    Source: Kumar 2017, arXiv:1704.08863.
    """
    return _normal(rng, network, kumar_law)


def kumar_law(network: Network, layer: int) -> Moments:
    """Of :func:`kumar`."""
    z = np.array([-1e-9, 1e-9])
    slope = np.empty_like(z)
    network.apply(z, slope)
    steepness = np.mean(slope**2) * (1 + np.mean(z) ** 2)
    return Moments(0.0, float(1 / math.sqrt(fans(network.shapes[layer])[0] * steepness)))


def nguyen_widrow(rng: RandomState, network: Network) -> Start:
    """Hidden units' weight vectors of length b = 0.7 H^(1 / n), biases U(-b, b).

    H is the layer's fan_out, n its fan_in; directions are those of U(-1, 1) vectors, so that the
    units' active regions divide the inputs' range (-1, 1) among them. The last layer, linear, is
    U(-1/2, 1/2) with its biases. A reading: the paper has one hidden layer, here all are alike.

    Source: Nguyen and Widrow 1990, IJCNN.
    """
    layers = []
    *hidden, last = network.shapes
    for shape in hidden:
        length = 0.7 * shape[0] ** (1 / shape[1])
        weights = rng.uniform(-1, 1, shape)
        weights *= length / np.linalg.norm(weights, axis=1, keepdims=True)
        layers.append((weights.astype(network.dtype), _uniform(rng, shape[:1], length, network)))
    layers.append((_uniform(rng, last, 0.5, network), _uniform(rng, last[:1], 0.5, network)))
    return Start(layers)


def nguyen_widrow_law(network: Network, layer: int) -> Moments:
    """Of :func:`nguyen_widrow`: all rows of a hidden layer have one length."""
    outputs, inputs = network.shapes[layer]
    if layer == len(network.shapes) - 1:
        return _uniform_law(0.5)
    length = 0.7 * outputs ** (1 / inputs)
    return Moments(0.0, length / math.sqrt(inputs), -length, length)


def autoinit(
    rng: RandomState,
    network: Network,
    *,
    input_mean: float = 0.0,
    input_variance: Annotated[float, Gt(0)] = 1.0,
) -> Start:
    """AutoInit: variance 1 / (fan_in E[x^2]), x a layer's input, followed through the network.

    Every layer so has pre-activations of mean 0 and variance 1; what the activation makes of them
    is found by quadrature. Truncated normals, as in the authors' package, whose defaults for the
    network's inputs (mean 0, variance 1) are these.

    Source: Bingham and Miikkulainen 2021, arXiv:2109.08958, and the package autoinit.
    """
    parameters = {"input_mean": input_mean, "input_variance": input_variance}
    layers = []
    for layer, shape in enumerate(network.shapes):
        scale = _autoinit_scale(network, layer, **parameters)
        layers.append(
            (variance_scaling(rng, shape, network.dtype, scale=scale), _zeros(shape, network))
        )
    return Start(layers)


def autoinit_law(
    network: Network, layer: int, *, input_mean: float, input_variance: float
) -> Moments:
    """Of :func:`autoinit`."""
    return variance_scaling_law(
        network.shapes[layer],
        scale=_autoinit_scale(network, layer, input_mean, input_variance),
        mode="fan_in",
        distribution="truncated_normal",
        gain=1.0,
    )


def _autoinit_scale(
    network: Network, layer: int, input_mean: float, input_variance: float
) -> float:
    """1 / E[x^2] of a layer's inputs."""
    if layer == 0:
        return 1 / (input_variance + input_mean * input_mean)
    return 1 / gaussian_moments(network.apply)[1]


def _uniform(
    rng: RandomState, shape: tuple[int, ...], bound: float, network: Network
) -> NDArray[np.floating]:
    return rng.uniform(-bound, bound, shape).astype(network.dtype)


def _uniform_law(bound: float) -> Moments:
    return Moments(0.0, bound / math.sqrt(3), -bound, bound)


def _normal(rng: RandomState, network: Network, law: Callable[[Network, int], Moments]) -> Start:
    """Weights normal by each layer's law, biases 0."""
    layers = []
    for layer, shape in enumerate(network.shapes):
        weights = rng.standard_normal(shape) * law(network, layer).std
        layers.append((weights.astype(network.dtype), _zeros(shape, network)))
    return Start(layers)


def _zeros(shape: Shape, network: Network) -> Biases:
    """The biases of a layer of ``shape``, all 0."""
    return np.zeros(shape[0], network.dtype)
