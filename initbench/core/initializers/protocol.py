"""What an initializer is: two kinds of function, and the law of what they draw.

Both kinds take ``rng``, a ``numpy.random.RandomState``, whose streams NumPy has frozen for
good (NEP 19), so that a seed draws the same weights in ten years. None touches NumPy's
global generator. Weights are ``(O, I)``: fan_out rows of fan_in weights, as in PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from inspect import Parameter, signature
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from annotated_types import Gt
from numpy.typing import NDArray

from initbench.core.architecture import Architecture

Array = NDArray[Any]
Weights = NDArray[np.floating]
#: What an initializer says of its weights beside their law: drawn without chance; rows or columns
#: (the fewer) orthogonal and of one length; not symmetric about their mean.
Property = Literal["fixed", "orthogonal", "skewed"]

#: What a config may write for a gain: see :mod:`initbench.core.gains`. The functions that draw
#: receive the activation's number.
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


@dataclass(frozen=True, slots=True)
class Network(Architecture):
    """What an initializer may know beside its generator: an architecture, and some of its data.

    ``inputs`` (I, B) are samples of the train split, the same for every run of a stack; (I, 0)
    where only a law is asked for.
    """

    inputs: Array

    @classmethod
    def of(cls, architecture: Architecture, inputs: Array) -> Network:
        """The network of an architecture and of samples (I, B)."""
        own = {field.name: getattr(architecture, field.name) for field in fields(Architecture)}
        return cls(**own, inputs=inputs)


class Start(NamedTuple):
    """What an initializer of a network returns.

    ``layers`` are (weights (O, I), biases (O,)) from the first to the last. ``note`` says, in
    words for the user, what did not come out as the method intends; most have nothing to say.
    """

    layers: Sequence[tuple[Weights, Array]]
    note: str = ""


class Initializer(NamedTuple):
    """A row of the registry: how to draw, what is drawn, and who proposed it.

    An initializer of a ``layer`` is ``draw(rng, shape, dtype, *, parameters) -> weights``. It
    is called for one layer after the other, with the run's one ``rng``; biases are 0. Its
    ``law(shape, *, parameters)`` is a :class:`Moments`.

    An initializer of a ``network`` is ``draw(rng, network, *, parameters) -> Start``, for
    what needs the layer's place, the activation, biases or data. Its ``law(network, layer, *,
    parameters)`` takes the layer's index, from 0.

    A law reads neither data nor a generator, and takes every parameter of ``draw``. It is None
    where there is no closed form.

    ``sha256`` is that of the file of a user's own initializer, which runs are known by; the
    registry's count by ``ENGINE_REVISION``.
    """

    draw: Callable[..., Any]
    formula: str
    reference: str
    law: Callable[..., Moments] | None
    scope: Literal["layer", "network"] = "layer"
    properties: frozenset[Property] = frozenset()
    sha256: str = ""


def defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """The keyword parameters that a function leaves free, where they have a default."""
    fixed = getattr(function, "keywords", {})
    return {
        name: parameter.default
        for name, parameter in signature(function).parameters.items()
        if parameter.kind is Parameter.KEYWORD_ONLY
        and parameter.default is not Parameter.empty
        and name not in fixed
    }
