"""Whole networks whose weights and biases are uniform: frameworks' defaults, and kin.

Each is ``draw(rng, network, *, parameters) -> Start`` and draws layer by layer, a layer's weights
before its biases.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.random import RandomState
from numpy.typing import NDArray

from initbench.core.architecture import fans
from initbench.core.initializers.protocol import Moments, Network, Start


def torch_default(rng: RandomState, network: Network) -> Start:
    """Weights and biases U(-a, a) with a = 1 / sqrt(fan_in): a linear layer as PyTorch makes it.

    Use it to compare with a network of PyTorch whose weights nobody initialized. The variance is
    1 / (3 fan_in), so that a signal through tanh loses a factor of 3 in mean square at each layer.

    Returns:
        Weights and biases of each layer.

    Examples:
        >>> network = Network((2, 3, 1), np.dtype(np.float64), "relu", {}, np.zeros((2, 0)))
        >>> weights, biases = torch_default(RandomState(3), network).layers[0]
        >>> weights.round(4)
        array([[ 0.0718,  0.2944],
               [-0.2957,  0.0153],
               [ 0.5557,  0.5604]])
        >>> biases.round(4)
        array([-0.5295, -0.414 , -0.6343])

    References:
        ``torch.nn.Linear.reset_parameters``: ``kaiming_uniform_`` with a = sqrt(5).
    """
    return Start(
        [
            (_uniform(rng, shape, bound, network), _uniform(rng, shape[:1], bound, network))
            for shape in network.shapes
            for bound in (1 / math.sqrt(fans(shape)[0]),)
        ]
    )


def torch_default_law(network: Network, layer: int) -> Moments:
    """The weights of a layer are U(-1 / sqrt(fan_in), 1 / sqrt(fan_in))."""
    return _uniform_law(1 / math.sqrt(fans(network.shapes[layer])[0]))


def sklearn_default(rng: RandomState, network: Network) -> Start:
    """Weights and biases U(-a, a) with a = sqrt(6 / (fan_in + fan_out)), as scikit-learn has.

    Use it to compare with ``MLPClassifier`` and ``MLPRegressor``: in float64 the same seed draws
    the weights of ``random_state=seed``, bit for bit. Like scikit-learn it draws (in, out)
    matrices, and a layer's biases after its weights. With the sigmoid there is a 2 in place of the
    6.

    Returns:
        Weights and biases of each layer.

    Examples:
        >>> network = Network((2, 3, 1), np.dtype(np.float64), "relu", {}, np.zeros((2, 0)))
        >>> weights, biases = sklearn_default(RandomState(3), network).layers[0]
        >>> weights.round(4)
        array([[ 0.1113,  0.0237],
               [ 0.456 ,  0.8609],
               [-0.4581,  0.8682]])
        >>> biases.round(4)
        array([-0.8203, -0.6414, -0.9827])

    References:
        ``sklearn.neural_network``, after Glorot and Bengio 2010, AISTATS.
    """
    layers = []
    for layer, (outputs, inputs) in enumerate(network.shapes):
        bound = sklearn_default_law(network, layer).high
        weights = _uniform(rng, (inputs, outputs), bound, network).T
        layers.append((weights, _uniform(rng, (outputs,), bound, network)))
    return Start(layers)


def sklearn_default_law(network: Network, layer: int) -> Moments:
    """The factor is 2 for the sigmoid and 6 for all other activations."""
    factor = 2 if network.activation == "sigmoid" else 6
    return _uniform_law(math.sqrt(factor / sum(network.shapes[layer])))


def siren(rng: RandomState, network: Network) -> Start:
    """SIREN: the first layer U(-1 / n, 1 / n), all others U(-a, a) with a = sqrt(6 / n) / w.

    Use it with the activation ``sine``, sin(w z), to fit images, sounds and fields by coordinates
    in (-1, 1). n is the fan_in and w the frequency of the activation; with any other activation w
    is 1, and the rule beyond the first layer is that of ``he_uniform``. The paper leaves the biases
    open. Here they are U(-1 / sqrt(n), 1 / sqrt(n)), as in the authors' code.

    Returns:
        Weights and biases of each layer.

    Examples:
        >>> sine = ("sine", {"frequency": 30.0})
        >>> network = Network((2, 3, 1), np.dtype(np.float64), *sine, np.zeros((2, 0)))
        >>> [weights.round(4) for weights, biases in siren(RandomState(3), network).layers]
        [array([[ 0.0508,  0.2081],
               [-0.2091,  0.0108],
               [ 0.3929,  0.3963]]), array([[-0.0056, -0.0443, -0.0041]])]

    References:
        Sitzmann et al. 2020, "Implicit neural representations with periodic activation functions",
        arXiv:2006.09661, section 3.2 and supplement 1.5.
    """
    layers = []
    for layer, shape in enumerate(network.shapes):
        weights = _uniform(rng, shape, siren_law(network, layer).high, network)
        biases = _uniform(rng, shape[:1], 1 / math.sqrt(fans(shape)[0]), network)
        layers.append((weights, biases))
    return Start(layers)


def siren_law(network: Network, layer: int) -> Moments:
    """The bound is 1 / fan_in in the first layer, then sqrt(6 / fan_in) / frequency."""
    fan_in, _ = fans(network.shapes[layer])
    frequency = network.activation_parameters.get("frequency", 1.0)
    return _uniform_law(1 / fan_in if layer == 0 else math.sqrt(6 / fan_in) / frequency)


def nguyen_widrow(rng: RandomState, network: Network) -> Start:
    """Hidden units' weight vectors have the length b = 0.7 H^(1 / n), their biases are U(-b, b).

    Use it with one hidden layer of tanh units and few inputs in (-1, 1). H is the layer's fan_out
    and n its fan_in. Directions are those of U(-1, 1) vectors, so that the units' active regions
    divide the range of the inputs among them. The last layer, which is linear, is U(-1/2, 1/2) with
    its biases. The paper has one hidden layer; here all hidden layers follow its rule.

    Returns:
        Weights and biases of each layer.

    Examples:
        >>> network = Network((2, 3, 1), np.dtype(np.float64), "tanh", {}, np.zeros((2, 0)))
        >>> weights, biases = nguyen_widrow(RandomState(3), network).layers[0]
        >>> np.linalg.norm(weights, axis=1).round(4)  # 0.7 sqrt(3)
        array([1.2124, 1.2124, 1.2124])

    References:
        Nguyen and Widrow 1990, "Improving the learning speed of 2-layer neural networks by choosing
        initial values of the adaptive weights", IJCNN.
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
    """In a hidden layer all rows have one length; the last layer is U(-1/2, 1/2)."""
    outputs, inputs = network.shapes[layer]
    if layer == len(network.shapes) - 1:
        return _uniform_law(0.5)
    length = 0.7 * outputs ** (1 / inputs)
    return Moments(0.0, length / math.sqrt(inputs), -length, length)


def _uniform(
    rng: RandomState, shape: tuple[int, ...], bound: float, network: Network
) -> NDArray[np.floating]:
    """U(-bound, bound) in the network's dtype."""
    return rng.uniform(-bound, bound, shape).astype(network.dtype)


def _uniform_law(bound: float) -> Moments:
    """The moments of U(-bound, bound)."""
    return Moments(0.0, bound / math.sqrt(3), -bound, bound)
