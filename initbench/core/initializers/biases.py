"""The biases that a config may ask for, whatever the weights are drawn by.

A bias is a vector, so that of the initializers for weights those will do that ask for no fans, and
those whose method has biases of its own.
"""

from __future__ import annotations

import numpy as np
from numpy.random import RandomState

from initbench.core.initializers.protocol import Initializer, Network, Start
from initbench.core.initializers.registry import INITIALIZERS


def prior(rng: RandomState, network: Network) -> Start:
    """The output's biases say how frequent the classes are, and all others are 0.

    They are log p with several outputs, log(p / (1 - p)) with one output and two classes, and the
    target's mean in a regression, p being a class's share of the train samples; that of a class
    without samples is half a sample. While the rest of the output is near 0, the network predicts
    these shares, and the first updates need not learn them.

    Returns:
        Weights of 0, and the biases of each layer.

    Examples:
        >>> sizes, rare = (2, 3, 1), np.log([1 / 9])
        >>> network = Network(sizes, np.dtype(float), "relu", {}, np.zeros((2, 0)), prior=rare)
        >>> [biases for _, biases in prior(RandomState(3), network).layers]
        [array([0., 0., 0.]), array([-2.19722458])]

    References:
        Lin et al. 2017, "Focal loss for dense object detection", arXiv:1708.02002, sections 3.3 and
        4.1, has a prior probability for the rare class; Karpathy 2019, "A recipe for training
        neural networks", has the frequencies of the data.
    """
    layers = [(np.zeros(shape, network.dtype), np.zeros(shape[0])) for shape in network.shapes]
    layers[-1] = layers[-1][0], network.prior
    return Start([(weights, biases.astype(network.dtype)) for weights, biases in layers])


#: Name -> what fills a layer's biases. A row with the scope ``layer`` is called with the shape
#: (O,); of one with the scope ``network`` the biases are taken. Of ``initializer`` nothing is
#: drawn: the biases are those that the initializer of the weights gives.
BIASES: dict[str, Initializer] = {
    "initializer": Initializer(
        INITIALIZERS["zeros"].draw, "those of the initializer: 0 for most", "-", None
    ),
    "zeros": INITIALIZERS["zeros"],
    "none": Initializer(INITIALIZERS["zeros"].draw, "no biases, 0 throughout", "-", None),
    "prior": Initializer(
        prior,
        "log odds of the classes at the output, else 0",
        "Lin et al. 2017, arXiv:1708.02002",
        None,
        "network",
    ),
    **{name: INITIALIZERS[name] for name in ("ones", "constant", "normal", "uniform")},
    "truncated_normal": INITIALIZERS["truncated_normal"],
    "torch_default": INITIALIZERS["torch_default"]._replace(formula="U(+-1 / sqrt(fan_in))"),
    "sklearn_default": INITIALIZERS["sklearn_default"]._replace(
        formula="U(+-sqrt(6 / (fan_in + fan_out)))"
    ),
}

#: Initializers of whole networks that leave all biases at 0; those of layers have none.
WITHOUT_BIASES = frozenset({"kumar", "random_walk", "autoinit", "looks_linear", "lsuv"})
