"""Whole networks without data: initializers that need a layer's place or the activation.

Each is ``draw(rng, network, *, parameters) -> Start`` and draws layer by layer, a layer's weights
before its biases.
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

#: RAI multiplies its normal weights by this: the positive root of
#: s^2 + (4 sqrt(2) / (3 sqrt(pi))) s = 1, which keeps the paper's bound on growth at 1 for
#: Beta(2, 1). The authors' code has 0.6007.
RAI_STD = math.sqrt(1 + 8 / (9 * math.pi)) - 2 * math.sqrt(2) / (3 * math.sqrt(math.pi))


def looks_linear(rng: RandomState, network: Network, *, gain: Gain = 1.0) -> Start:
    """Mirrored pairs of units, which make a ReLU network start as a linear one: [[B, -B], [-B, B]].

    Use it with relu in very deep networks, whose gradients otherwise shatter with depth. Since
    relu(z) - relu(-z) = z, a pair of units with weights b and -b passes b on unchanged. B is
    orthogonal, and half as wide and as high as the layer.

    The paper has layers of even width. Here the unit that an odd layer has over belongs to no pair:
    its incoming weights are N(0, 2 / fan_in), and its outgoing weights are 0, so that the network
    starts linear and the unit can learn.

    Args:
        gain: A factor on B.

    Returns:
        Weights of each layer, and biases of 0.

    Examples:
        >>> network = Network((1, 2, 2, 1), np.dtype(np.float64), "relu", {}, np.zeros((1, 0)))
        >>> [weights for weights, biases in looks_linear(RandomState(3), network).layers]
        [array([[ 1.],
               [-1.]]), array([[ 1., -1.],
               [-1.,  1.]]), array([[ 1., -1.]])]

    References:
        Balduzzi et al. 2017, "The shattered gradients problem", arXiv:1702.08591.
    """
    layers = []
    last = len(network.shapes) - 1
    for layer, shape in enumerate(network.shapes):
        outputs, inputs = shape
        # The signals that come in and go out are pairs inside, and single units at the ends.
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
    """N(0, g^2 / n), with g such that the log of a gradient's length drifts neither up nor down.

    Use it in very deep networks of one width, with relu or with activations that are nearly linear
    at 0. It corrects the drift that He's variance leaves, which is large in narrow layers. With
    relu g = sqrt(2) exp(1.2 / (max(n, 6) - 2.4)), in a linear network g = exp(1 / (2 n)).

    The paper has layers of one width; here n is the fan_in, which keeps the gradient's length where
    widths differ. The paper has no formula for other activations; here they take the linear one, as
    if their slope at 0 were all that counts.

    Returns:
        Weights of each layer, and biases of 0.

    Examples:
        >>> network = Network((2, 3, 1), np.dtype(np.float64), "relu", {}, np.zeros((2, 0)))
        >>> random_walk(RandomState(3), network).layers[0][0].round(4)
        array([[ 2.4962,  0.6092],
               [ 0.1347, -2.6007],
               [-0.3871, -0.4951]])

    References:
        Sussillo and Abbott 2014, "Random walk initialization for training very deep feedforward
        networks", arXiv:1412.6558.
    """
    return _normal(rng, network, random_walk_law)


def random_walk_law(network: Network, layer: int) -> Moments:
    """A normal of standard deviation g / sqrt(fan_in), with g for relu or for a linear network."""
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
    """Weights N(0, sigma_w^2 / fan_in) and biases N(0, sigma_b^2): a point of the phase diagram.

    Use it to place a network on the phase diagram of mean field theory. Below the critical sigma_w
    inputs become alike from layer to layer, above it they drift apart. The defaults are critical
    for relu; tanh is critical at sigma_w^2 = 1.761 and sigma_b^2 = 0.05, for instance.

    Args:
        sigma_w: The standard deviation of the weights, times sqrt(fan_in).
        sigma_b: The standard deviation of the biases.

    Returns:
        Weights and biases of each layer.

    Examples:
        >>> network = Network((2, 3, 1), np.dtype(np.float64), "tanh", {}, np.zeros((2, 0)))
        >>> start = mean_field(RandomState(3), network, sigma_w=1.327, sigma_b=0.224)
        >>> weights, biases = start.layers[0]
        >>> weights.round(4)
        array([[ 1.6783,  0.4096],
               [ 0.0905, -1.7486],
               [-0.2603, -0.3329]])
        >>> biases.round(4)
        array([-0.0185, -0.1404, -0.0098])

    References:
        Poole et al. 2016, "Exponential expressivity in deep neural networks through transient
        chaos", arXiv:1606.05340. Schoenholz et al. 2016, "Deep information propagation",
        arXiv:1611.01232.
    """
    layers = []
    for shape in network.shapes:
        weights = rng.standard_normal(shape) * (sigma_w / math.sqrt(fans(shape)[0]))
        biases = rng.standard_normal(shape[:1]) * sigma_b
        layers.append((weights.astype(network.dtype), biases.astype(network.dtype)))
    return Start(layers)


def mean_field_law(network: Network, layer: int, *, sigma_w: float, sigma_b: float) -> Moments:
    """A normal of standard deviation sigma_w / sqrt(fan_in)."""
    return Moments(0.0, sigma_w / math.sqrt(fans(network.shapes[layer])[0]))


def rai(rng: RandomState, network: Network) -> Start:
    """Randomized asymmetric: one weight or the bias of each unit is Beta(2, 1), always positive.

    Use it with relu in deep and narrow networks: a unit with one positive weight or bias is less
    often dead for all inputs. A unit's incoming weights and its bias are N(0, s^2 / fan_in), s =
    0.6007; then one of these fan_in + 1 numbers, each as likely, is drawn from Beta(2, 1) instead.

    Returns:
        Weights and biases of each layer.

    Examples:
        >>> network = Network((2, 3, 1), np.dtype(np.float64), "relu", {}, np.zeros((2, 0)))
        >>> weights, biases = rai(RandomState(3), network).layers[0]
        >>> weights.round(4)
        array([[ 0.7598,  0.7749],
               [-0.7916, -0.1178],
               [ 0.903 , -0.2663]])
        >>> biases.round(4)
        array([ 0.041 ,  0.7902, -0.0186])

    References:
        Lu, Shin, Su and Karniadakis 2019, "Dying ReLU and initialization: theory and numerical
        examples", arXiv:1903.06733, and the authors' code.
    """
    layers = []
    for outputs, inputs in network.shapes:
        both = rng.standard_normal((outputs, inputs + 1)) * (RAI_STD / math.sqrt(inputs))
        both[np.arange(outputs), rng.randint(0, inputs + 1, outputs)] = rng.beta(2, 1, outputs)
        both = both.astype(network.dtype)
        layers.append((both[:, :-1], both[:, -1]))
    return Start(layers)


def rai_law(network: Network, layer: int) -> Moments:
    """A mixture of a normal and of Beta(2, 1), whose mean is 2 / 3 and second moment 1 / 2."""
    fan_in, _ = fans(network.shapes[layer])
    share = 1 / (fan_in + 1)
    mean = share * 2 / 3
    second = share / 2 + (1 - share) * RAI_STD**2 / fan_in
    return Moments(mean, math.sqrt(second - mean**2))


def kumar(rng: RandomState, network: Network) -> Start:
    """N(0, v), v = 1 / (n phi'(0)^2 (1 + phi(0)^2)): 2 / n for ReLU, 12.8 / n for the sigmoid.

    Use it with activations that are differentiable at 0, the sigmoid above all, for which Glorot's
    variance is too small. n is the fan_in, phi the activation. The paper treats activations with a
    slope at 0, and ReLU apart; here phi'(0)^2 is the mean over the slopes to the left and to the
    right, which gives the paper's variance for both.

    Returns:
        Weights of each layer, and biases of 0.

    Examples:
        >>> network = Network((2, 3, 1), np.dtype(np.float64), "sigmoid", {}, np.zeros((2, 0)))
        >>> kumar(RandomState(3), network).layers[0][0].round(4)
        array([[ 4.5249,  1.1043],
               [ 0.2441, -4.7143],
               [-0.7017, -0.8975]])

    References:
        Kumar 2017, "On weight initialization in deep neural networks", arXiv:1704.08863.
    """
    return _normal(rng, network, kumar_law)


def kumar_law(network: Network, layer: int) -> Moments:
    """A normal whose variance asks for the activation's value and slopes beside 0."""
    z = np.array([-1e-9, 1e-9])
    slope = np.empty_like(z)
    network.apply(z, slope)
    steepness = np.mean(slope**2) * (1 + np.mean(z) ** 2)
    return Moments(0.0, float(1 / math.sqrt(fans(network.shapes[layer])[0] * steepness)))


def autoinit(
    rng: RandomState,
    network: Network,
    *,
    input_mean: float = 0.0,
    input_variance: Annotated[float, Gt(0)] = 1.0,
) -> Start:
    """AutoInit: variance 1 / (fan_in E[x^2]), x a layer's input, followed through the network.

    Use it with any activation. Every layer's pre-activations then have mean 0 and variance 1, and
    what the activation makes of them is found by quadrature. The weights are truncated normals, as
    in the authors' package, whose defaults for the network's inputs are those here.

    Args:
        input_mean: The mean of the network's inputs.
        input_variance: The variance of the network's inputs.

    Returns:
        Weights of each layer, and biases of 0.

    Examples:
        >>> network = Network((2, 3, 1), np.dtype(np.float64), "tanh", {}, np.zeros((2, 0)))
        >>> [weights.round(4) for weights, biases in autoinit(RandomState(3), network).layers]
        [array([[ 1.4378,  0.3509],
               [ 0.0776, -1.498 ],
               [-0.223 , -0.2852]]), array([[-0.0865, -0.6554, -0.0458]])]

    References:
        Bingham and Miikkulainen 2021, "AutoInit: analytic signal-preserving weight initialization
        for neural networks", arXiv:2109.08958, and the authors' package autoinit.
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
    """The law of variance scaling by 1 / E[x^2] of the layer's inputs."""
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
    """1 / E[x^2] of a layer's inputs: of the network's own, or of an activated standard normal."""
    if layer == 0:
        return 1 / (input_variance + input_mean * input_mean)
    return 1 / gaussian_moments(network.apply)[1]


def _normal(rng: RandomState, network: Network, law: Callable[[Network, int], Moments]) -> Start:
    """Normal weights with each layer's standard deviation by ``law``, and biases of 0."""
    layers = []
    for layer, shape in enumerate(network.shapes):
        weights = rng.standard_normal(shape) * law(network, layer).std
        layers.append((weights.astype(network.dtype), _zeros(shape, network)))
    return Start(layers)


def _zeros(shape: Shape, network: Network) -> Biases:
    """The biases of a layer of ``shape``, all 0."""
    return np.zeros(shape[0], network.dtype)
