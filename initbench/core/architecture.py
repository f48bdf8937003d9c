"""What a network is: its layers, their fans, and the layout of its parameters.

Whoever asks which layers a network has, which fans or which parameters, asks this object. The
engine, the initializers, the measurements and the theory are all handed it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from initbench.core.activations import ACTIVATIONS, Apply
from initbench.core.arrays import Array

#: The shape of one layer's weights: (fan_out, fan_in), or (out, in, *receptive field).
Shape = tuple[int, ...]

#: Bytes. Memory that malloc returns is aligned to as many, and SSE2 loads as many at once.
ALIGNMENT = 16


@dataclass(frozen=True, slots=True)
class Architecture:
    """A multilayer perceptron: plain data, and what follows from it.

    Args:
        sizes: The number of inputs, then of each layer's outputs.
        dtype: The type of parameters, activations and gradients.
        activation: The name of the hidden layers' activation in
            :data:`~initbench.core.activations.ACTIVATIONS`. The last layer has none.
        activation_parameters: The activation's keyword parameters.
        unbiased: The indices of the layers without biases, from 0. The parameters of such a layer
            have the place of a bias as well; it holds 0, and no update moves it.

    Examples:
        >>> article = Architecture((2, 10, 5, 1), np.dtype(np.float64), "relu", {})
        >>> article.shapes
        [(10, 2), (5, 10), (1, 5)]
        >>> article.parameter_count
        91
    """

    sizes: tuple[int, ...]
    dtype: np.dtype[Any]
    activation: str
    activation_parameters: Mapping[str, Any]
    unbiased: frozenset[int] = field(default=frozenset(), kw_only=True)

    @property
    def shapes(self) -> list[Shape]:
        """The shape (O, I) of each layer's weights, from the first layer to the last."""
        return [(outputs, inputs) for inputs, outputs in itertools.pairwise(self.sizes)]

    @property
    def apply(self) -> Apply:
        """The hidden layers' activation with its parameters given."""
        return partial(ACTIVATIONS[self.activation].apply, **self.activation_parameters)

    @property
    def slope_dtype(self) -> np.dtype[Any]:
        """The type of the array into which :attr:`apply` writes the activation's derivative."""
        return np.dtype(np.bool_) if ACTIVATIONS[self.activation].binary_slope else self.dtype

    @property
    def parameter_count(self) -> int:
        """P, the number of weights and biases, with a place for each bias that a layer lacks."""
        return sum(math.prod(shape) + shape[0] for shape in self.shapes)

    def views(self, theta: Array) -> list[Array]:
        """Each layer's (R, O, I + 1) view of ``theta`` (R, P): the weights, the bias last.

        >>> article = Architecture((2, 10, 5, 1), np.dtype(np.float64), "relu", {})
        >>> [view.shape for view in article.views(article.zeros(4))]
        [(4, 10, 3), (4, 5, 11), (4, 1, 6)]
        """
        views, start = [], 0
        for outputs, *inputs in self.shapes:
            columns = math.prod(inputs) + 1
            stop = start + outputs * columns
            views.append(theta[:, start:stop].reshape(len(theta), outputs, columns))
            start = stop
        return views

    def bias_columns_to_clear(self, gradient: Array) -> list[Array]:
        """The gradient (R, P) of the biases that the network lacks: views, (R, O) a layer.

        Whoever sets them to 0 before each step of an optimizer keeps those biases at 0.

        >>> network = Architecture((2, 3, 1), np.dtype(np.float64), "relu", {}, unbiased={1})
        >>> [column.shape for column in network.bias_columns_to_clear(network.zeros(4))]
        [(4, 1)]
        """
        views = self.views(gradient)
        return [views[layer][:, :, -1] for layer in sorted(self.unbiased)]

    def zeros(self, runs: int, dtype: DTypeLike | None = None) -> Array:
        """Zeros (R, P) for parameters or gradients, every run's row aligned alike in memory.

        BLAS may choose a kernel by alignment (its SSE2 kernels do), and with the kernel the last
        bit of a run's numbers. ``dtype`` is the architecture's own unless it is given.

        >>> Architecture((2, 3, 1), np.dtype(np.float64), "relu", {}).zeros(4).shape
        (4, 13)
        """
        chosen = self.dtype if dtype is None else np.dtype(dtype)
        count = self.parameter_count
        return np.zeros((runs, aligned(count, chosen.itemsize)), chosen)[:, :count]


def layer_key(keys: Collection[str], number: int, count: int) -> str | None:
    """Which of the ``keys`` speaks for a layer; None where none does.

    A key is a layer's number, or a role: ``output`` is the last layer, ``first`` the first,
    and ``hidden`` all but the last. The most specific key wins: the number, then ``output``, then
    ``first``, then ``hidden``.

    Args:
        keys: The keys that settings are given for.
        number: The layer's number, from 1.
        count: The number of layers.

    Examples:
        >>> [layer_key({"hidden", "output", "2"}, number, 4) for number in (1, 2, 3, 4)]
        ['hidden', '2', 'hidden', 'output']
        >>> layer_key({"hidden"}, 1, 1) is None
        True
    """
    roles = {"output": number == count, "first": number == 1, "hidden": number < count}
    fitting = [str(number), *(role for role, fits in roles.items() if fits)]
    return next((key for key in fitting if key in keys), None)


def fans(shape: Shape) -> tuple[int, int]:
    """``(fan_in, fan_out)`` of weights of a shape: the connections of an output, and of an input.

    A dense layer's weights are (out, in). A convolution's are (out, in, *receptive field), and
    both of its fans count every position of the receptive field, as PyTorch has it.

    Raises:
        ValueError: Where the shape has fewer than two axes.

    Examples:
        >>> fans((10, 2))
        (2, 10)
        >>> fans((16, 3, 5, 5))
        (75, 400)
    """
    if len(shape) < 2:
        raise ValueError(f"fans need weights of two axes or more, got the shape {shape}")
    outputs, inputs, *field = shape
    positions = math.prod(field)
    return inputs * positions, outputs * positions


def aligned(count: int, nbytes: int) -> int:
    """The least number of items, ``count`` or more, that fills whole aligned blocks.

    ``nbytes`` is the size of an item. With so many items a run, every run's part of an array
    starts at the same alignment.

    >>> aligned(3, 8)
    4
    """
    return next(n for n in itertools.count(count) if n * nbytes % ALIGNMENT == 0)
