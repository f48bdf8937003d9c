"""What an initializer is: a function that draws weights, and the law of what it draws.

There are two kinds of such functions. One fills a single layer:
``draw(rng, shape, dtype, *, parameters)`` gives its weights. The other fills a whole network:
``draw(rng, network, *, parameters)`` gives a :class:`Start`. What they take:

``rng``
    A ``numpy.random.RandomState``, the only source of randomness. NumPy has frozen its streams for
    good (NEP 19), so that a seed draws the same weights in ten years. No initializer touches
    NumPy's global generator.
``shape``
    The layer's (O, I): fan_out rows of fan_in weights, as in PyTorch.
``dtype``
    The type of the weights. They are drawn in float64 and then rounded to it.
``network``
    A :class:`Network`: the layers, the activation, and some data.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from inspect import Parameter, signature
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from annotated_types import Gt
from numpy.typing import NDArray

from initbench.core.architecture import Architecture
from initbench.core.arrays import Array

Weights = NDArray[np.floating]
#: What an initializer may promise of its weights beyond their law. "fixed": all seeds have the
#: same. "orthogonal": rows or columns, whichever are fewer, are orthogonal and of one length.
#: "skewed": the weights are not symmetric about their mean.
Property = Literal["fixed", "orthogonal", "skewed"]

#: The words that a config may write for a gain (see :mod:`initbench.core.gains`). Functions that
#: draw receive the number that the word means for the network's activation.
GAIN_WORDS = ("exact", "torch")
Gain = Annotated[float, Gt(0), GAIN_WORDS]


class Moments(NamedTuple):
    """Mean, standard deviation and bounds of the weights that a layer is drawn with.

    ``mean`` and ``std`` are those of one weight picked at random from the layer, over all draws;
    no weight is below ``low`` or above ``high``. For weights that are not random they are the
    moments over the layer's entries. A draw is rounded to its dtype, so a weight at a bound may
    lie an ulp outside.

    Examples:
        >>> Moments(mean=0.0, std=0.5)
        Moments(mean=0.0, std=0.5, low=-inf, high=inf)
    """

    mean: float
    std: float
    low: float = -math.inf
    high: float = math.inf

    @property
    def variance(self) -> float:
        """Std squared; inf where that overflows."""
        return self.std * self.std  # a power of floats raises OverflowError

    @property
    def mean_square(self) -> float:
        """E[w^2]; inf where that overflows."""
        return self.mean * self.mean + self.variance


@dataclass(frozen=True, slots=True)
class Network(Architecture):
    """What an initializer may know beside its generator: an architecture, and some of its data.

    ``inputs`` (I, B) are samples of the train split, the same for every run of a stack; (I, 0)
    where only a law is asked for. ``prior`` (O,) are the outputs of the best network that ignores
    its inputs: the log odds of the classes in the train split, or the mean of a regression's
    target. It is empty where no targets are known.
    """

    inputs: Array
    prior: Array = field(default_factory=lambda: np.zeros(0), kw_only=True)

    @classmethod
    def of(cls, architecture: Architecture, inputs: Array, prior: Array | None = None) -> Network:
        """The network of an architecture, of samples (I, B), and of the targets' prior (O,)."""
        own = {one.name: getattr(architecture, one.name) for one in fields(Architecture)}
        return cls(**own, inputs=inputs, prior=np.zeros(0) if prior is None else prior)


class Start(NamedTuple):
    """What an initializer of a whole network returns.

    ``layers`` are pairs of weights (O, I) and biases (O,), from the first layer to the last.
    ``note`` tells the user what did not come out as the method intends; most notes are empty.
    """

    layers: Sequence[tuple[Weights, Array]]
    note: str = ""


class Initializer(NamedTuple):
    """A row of the registry: how to draw, what is drawn, and who proposed it.

    With the scope ``layer``, ``draw(rng, shape, dtype, *, parameters)`` returns a layer's weights.
    It is called for one layer after the other with the run's own ``rng``; biases are 0. Its
    ``law(shape, *, parameters)`` returns :class:`Moments`.

    With the scope ``network``, ``draw(rng, network, *, parameters)`` returns a :class:`Start`. This
    is for methods that need a layer's place, the activation, biases or data. Its
    ``law(network, layer, *, parameters)`` takes the layer's index, from 0.

    A law reads neither data nor a generator, and takes every parameter of ``draw``. It is None
    where there is no closed form.

    ``sha256`` is the checksum of the file that defines a user's own initializer, and part of its
    runs' identity. Initializers of the registry have none: ``ENGINE_REVISION`` counts for them.

    Examples:
        >>> from initbench.core.initializers import INITIALIZERS
        >>> he = INITIALIZERS["he_normal"]
        >>> he.formula, he.law((4, 2), gain=None).std
        ('N(0, 2 / fan_in)', 1.0)
    """

    draw: Callable[..., Any]
    formula: str
    reference: str
    law: Callable[..., Moments] | None
    scope: Literal["layer", "network"] = "layer"
    properties: frozenset[Property] = frozenset()
    sha256: str = ""

    @property
    def fits(self) -> bool:
        """Whether a layer may depend on those before it: that of a network without a law may."""
        return self.scope == "network" and self.law is None


def defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """The keyword parameters that have a default, and that no ``partial`` has fixed.

    Examples:
        >>> from initbench.core.initializers.distributions import constant, normal
        >>> defaults(normal), defaults(constant)
        ({'mean': 0.0, 'std': 1.0}, {})
    """
    fixed = getattr(function, "keywords", {})
    return {
        name: parameter.default
        for name, parameter in signature(function).parameters.items()
        if parameter.kind is Parameter.KEYWORD_ONLY
        and parameter.default is not Parameter.empty
        and name not in fixed
    }
