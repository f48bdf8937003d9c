"""Variance scaling: one general formula, and the families he, lecun and glorot, its members.

All of them draw zero-mean weights whose variance is a constant over a fan. A unit sums fan_in
products, so a variance of 1 / fan_in makes its pre-activation as large as its inputs; the papers
differ in the constant and in the fan.

============================ ====================================================
family                       variance
============================ ====================================================
``he`` (Kaiming)             2 / fan_in
``lecun``                    1 / fan_in
``glorot`` (Xavier)          2 / (fan_in + fan_out)
============================ ====================================================

With a ``gain`` the variance is gain^2 / fan_in, and for glorot 2 gain^2 / (fan_in + fan_out): he's
own gain is sqrt(2), that of the others 1. So ``he_normal`` with a gain of 5 / 3 draws from the law
of PyTorch's ``kaiming_normal_(nonlinearity="tanh")``.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Annotated, Literal, NamedTuple

import numpy as np
from annotated_types import Gt
from numpy.random import RandomState
from numpy.typing import DTypeLike

from initbench.core.architecture import Shape, fans
from initbench.core.initializers.distributions import normal, truncated_normal, uniform
from initbench.core.initializers.protocol import Gain, Moments, Weights

Mode = Literal["fan_in", "fan_out", "fan_avg"]
Distribution = Literal["normal", "uniform", "truncated_normal"]

#: Standard deviation of N(0, 1) truncated at +-2: sqrt(1 - 4 phi(2) / (Phi(2) - Phi(-2))).
TRUNCATED_STD = 0.87962566103423978


def variance_scaling(
    rng: RandomState,
    shape: Shape,
    dtype: DTypeLike,
    *,
    scale: Annotated[float, Gt(0)] = 1.0,
    mode: Mode = "fan_in",
    distribution: Distribution = "truncated_normal",
    gain: Gain = 1.0,
) -> Weights:
    """Zero-mean weights of variance v = gain^2 scale / n, n one of the layer's fans.

    Use it for a member of the family that has no name. ``he_normal``, ``lecun_uniform`` and the
    other named members call it.

    Args:
        scale: The numerator of the variance: 2 for he, 1 for lecun and glorot.
        mode: Which fan n is: fan_in, fan_out, or their mean.
        distribution: normal draws N(0, v), uniform U(-sqrt(3 v), sqrt(3 v)). truncated_normal
            draws a normal that is cut off at two standard deviations and widened by 1 / 0.8796,
            so that the variance of the weights is v all the same.
        gain: A factor on the standard deviation; "exact" and "torch" in a config stand for the
            activation's gain.

    Returns:
        Weights (fan_out, fan_in).

    Examples:
        >>> variance_scaling(RandomState(3), (1, 2), np.float64, scale=2.0, distribution="normal")
        array([[1.78862847, 0.43650985]])

    References:
        The papers of :func:`he_normal`, :func:`lecun_normal` and :func:`glorot_normal`. The name is
        that of JAX and Keras.
    """
    std = gain * np.sqrt(scale / _fan(shape, mode))
    if distribution == "normal":
        return normal(rng, shape, dtype, std=std)
    if distribution == "uniform":
        half_width = np.sqrt(3) * std
        return uniform(rng, shape, dtype, low=-half_width, high=half_width)
    return truncated_normal(rng, shape, dtype, std=std / TRUNCATED_STD)


def variance_scaling_law(
    shape: Shape, *, scale: float, mode: Mode, distribution: Distribution, gain: float
) -> Moments:
    """One standard deviation for all three distributions, which differ in their bounds."""
    std = gain * math.sqrt(scale / _fan(shape, mode))
    widest = {"normal": math.inf, "uniform": math.sqrt(3), "truncated_normal": 2 / TRUNCATED_STD}
    return Moments(0.0, std, -widest[distribution] * std, widest[distribution] * std)


def _fan(shape: Shape, mode: Mode) -> float:
    fan_in, fan_out = fans(shape)
    return {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[mode]


class Family(NamedTuple):
    """What the members of a family share: the numerator of their variance and its fan."""

    scale: float
    mode: Mode


_HE = Family(2.0, "fan_in")
_LECUN = Family(1.0, "fan_in")
_GLOROT = Family(1.0, "fan_avg")


def member(
    rng: RandomState,
    shape: Shape,
    dtype: DTypeLike,
    family: Family,
    distribution: Distribution,
    *,
    gain: float | None = None,
) -> Weights:
    """Draw a member of a family: with the family's own scale, or with a gain in its place."""
    return variance_scaling(
        rng,
        shape,
        dtype,
        scale=family.scale if gain is None else 1.0,
        mode=family.mode,
        distribution=distribution,
        gain=1.0 if gain is None else gain,
    )


def member_law(
    family: Family, distribution: Distribution, shape: Shape, *, gain: float | None
) -> Moments:
    """The law of :func:`member`."""
    return variance_scaling_law(
        shape,
        scale=family.scale if gain is None else 1.0,
        mode=family.mode,
        distribution=distribution,
        gain=1.0 if gain is None else gain,
    )


def he_normal(
    rng: RandomState, shape: Shape, dtype: DTypeLike, *, gain: Gain | None = None
) -> Weights:
    """He's (Kaiming's) weights from a normal distribution: N(0, 2 / fan_in).

    Use it with relu and its kin. relu turns half of the units off and so halves the mean square of
    the signal; the factor 2 makes up for that at any depth.

    Args:
        gain: Takes the place of sqrt(2): the variance is gain^2 / fan_in.

    Returns:
        Weights (fan_out, fan_in).

    Examples:
        >>> he_normal(RandomState(3), (2, 2), np.float64)
        array([[ 1.78862847,  0.43650985],
               [ 0.09649747, -1.8634927 ]])

    References:
        He, Zhang, Ren and Sun 2015, "Delving deep into rectifiers: surpassing human-level
        performance on ImageNet classification", arXiv:1502.01852, section 2.2.
    """
    return member(rng, shape, dtype, _HE, "normal", gain=gain)


def he_uniform(
    rng: RandomState, shape: Shape, dtype: DTypeLike, *, gain: Gain | None = None
) -> Weights:
    """He's (Kaiming's) weights from a uniform distribution: U(-a, a), a = sqrt(6 / fan_in).

    The variance is 2 / fan_in, that of :func:`he_normal`. Use it where no weight is to start far
    from the others.

    Args:
        gain: Takes the place of sqrt(2): a = gain sqrt(3 / fan_in).

    Returns:
        Weights (fan_out, fan_in).

    Examples:
        >>> he_uniform(RandomState(3), (2, 6), np.float64).round(4)
        array([[ 0.1016,  0.4163, -0.4182,  0.0217,  0.7859,  0.7926],
               [-0.7488, -0.5855, -0.8971, -0.1184, -0.9402, -0.0863]])

    References:
        He et al. 2015, arXiv:1502.01852; the paper's own draws are normal.
    """
    return member(rng, shape, dtype, _HE, "uniform", gain=gain)


def he_truncated_normal(
    rng: RandomState, shape: Shape, dtype: DTypeLike, *, gain: Gain | None = None
) -> Weights:
    """He's (Kaiming's) weights from a truncated normal: variance 2 / fan_in, no far outliers.

    A normal is cut off at two standard deviations and widened by 1 / 0.8796, so that the variance
    stays that of :func:`he_normal`. Use it to draw what Keras' HeNormal and JAX's he_normal draw.

    Args:
        gain: Takes the place of sqrt(2): the variance is gain^2 / fan_in.

    Returns:
        Weights (fan_out, fan_in), none beyond 2.274 sqrt(2 / fan_in).

    Examples:
        >>> he_truncated_normal(RandomState(3), (2, 2), np.float64).round(4)
        array([[ 2.0334,  0.4962],
               [ 0.1097, -2.1185]])

    References:
        He et al. 2015, arXiv:1502.01852; the truncation is that of Keras and JAX.
    """
    return member(rng, shape, dtype, _HE, "truncated_normal", gain=gain)


def lecun_normal(
    rng: RandomState, shape: Shape, dtype: DTypeLike, *, gain: Gain | None = None
) -> Weights:
    """LeCun's weights from a normal distribution: N(0, 1 / fan_in).

    Use it with selu, whose fixed point of mean 0 and variance 1 supposes this variance, and with
    tanh in networks of a few layers: a linear layer then keeps the variance of its inputs.

    Args:
        gain: A factor on the standard deviation: the variance is gain^2 / fan_in.

    Returns:
        Weights (fan_out, fan_in).

    Examples:
        >>> lecun_normal(RandomState(3), (2, 2), np.float64).round(4)
        array([[ 1.2648,  0.3087],
               [ 0.0682, -1.3177]])

    References:
        LeCun, Bottou, Orr and Müller 1998, "Efficient BackProp", section 4.6. With selu: Klambauer
        et al. 2017, arXiv:1706.02515.
    """
    return member(rng, shape, dtype, _LECUN, "normal", gain=gain)


def lecun_uniform(
    rng: RandomState, shape: Shape, dtype: DTypeLike, *, gain: Gain | None = None
) -> Weights:
    """LeCun's weights from a uniform distribution: U(-a, a), a = sqrt(3 / fan_in).

    The variance is 1 / fan_in, that of :func:`lecun_normal`, and it suits the same activations.

    Args:
        gain: A factor on the bound: a = gain sqrt(3 / fan_in).

    Returns:
        Weights (fan_out, fan_in).

    Examples:
        >>> lecun_uniform(RandomState(3), (2, 3), np.float64).round(4)
        array([[ 0.1016,  0.4163, -0.4182],
               [ 0.0217,  0.7859,  0.7926]])

    References:
        LeCun et al. 1998, "Efficient BackProp", section 4.6, which leaves the distribution open.
    """
    return member(rng, shape, dtype, _LECUN, "uniform", gain=gain)


def lecun_truncated_normal(
    rng: RandomState, shape: Shape, dtype: DTypeLike, *, gain: Gain | None = None
) -> Weights:
    """LeCun's weights from a truncated normal: variance 1 / fan_in, no far outliers.

    A normal is cut off at two standard deviations and widened by 1 / 0.8796, so that the variance
    stays that of :func:`lecun_normal`. Use it to draw what Keras' LecunNormal and JAX's
    lecun_normal draw.

    Args:
        gain: A factor on the standard deviation: the variance is gain^2 / fan_in.

    Returns:
        Weights (fan_out, fan_in), none beyond 2.274 sqrt(1 / fan_in).

    Examples:
        >>> lecun_truncated_normal(RandomState(3), (2, 2), np.float64).round(4)
        array([[ 1.4378,  0.3509],
               [ 0.0776, -1.498 ]])

    References:
        LeCun et al. 1998, "Efficient BackProp", section 4.6; the truncation is that of Keras and
        JAX.
    """
    return member(rng, shape, dtype, _LECUN, "truncated_normal", gain=gain)


def glorot_normal(
    rng: RandomState, shape: Shape, dtype: DTypeLike, *, gain: Gain | None = None
) -> Weights:
    """Glorot's (Xavier's) weights from a normal distribution: N(0, 2 / (fan_in + fan_out)).

    Use it with tanh and other activations whose slope at 0 is 1. A variance of 1 / fan_in keeps
    the size of the forward signal, one of 1 / fan_out that of the gradient; this is a compromise.

    Args:
        gain: A factor on the standard deviation: the variance is 2 gain^2 / (fan_in + fan_out).

    Returns:
        Weights (fan_out, fan_in).

    Examples:
        >>> glorot_normal(RandomState(3), (2, 2), np.float64).round(4)
        array([[ 1.2648,  0.3087],
               [ 0.0682, -1.3177]])

    References:
        Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural
        networks", AISTATS, equation 12.
    """
    return member(rng, shape, dtype, _GLOROT, "normal", gain=gain)


def glorot_uniform(
    rng: RandomState, shape: Shape, dtype: DTypeLike, *, gain: Gain | None = None
) -> Weights:
    """Glorot's (Xavier's) weights: U(-a, a), a = sqrt(6 / (fan_in + fan_out)).

    The variance is that of :func:`glorot_normal`, and it suits the same activations. This is the
    "normalized initialization" of the paper, and Keras' default.

    Args:
        gain: A factor on the bound: a = gain sqrt(6 / (fan_in + fan_out)).

    Returns:
        Weights (fan_out, fan_in).

    Examples:
        >>> glorot_uniform(RandomState(3), (3, 3), np.float64).round(4)
        array([[ 0.1016,  0.4163, -0.4182],
               [ 0.0217,  0.7859,  0.7926],
               [-0.7488, -0.5855, -0.8971]])

    References:
        Glorot and Bengio 2010, "Understanding the difficulty of training deep feedforward neural
        networks", AISTATS, equation 16.
    """
    return member(rng, shape, dtype, _GLOROT, "uniform", gain=gain)


def glorot_truncated_normal(
    rng: RandomState, shape: Shape, dtype: DTypeLike, *, gain: Gain | None = None
) -> Weights:
    """Glorot's (Xavier's) weights, truncated: variance 2 / (fan_in + fan_out), no far outliers.

    A normal is cut off at two standard deviations and widened by 1 / 0.8796, so that the variance
    stays that of :func:`glorot_normal`. Use it to draw what Keras' GlorotNormal and JAX's
    glorot_normal draw.

    Args:
        gain: A factor on the standard deviation: the variance is 2 gain^2 / (fan_in + fan_out).

    Returns:
        Weights (fan_out, fan_in), none beyond 2.274 standard deviations.

    Examples:
        >>> glorot_truncated_normal(RandomState(3), (2, 2), np.float64).round(4)
        array([[ 1.4378,  0.3509],
               [ 0.0776, -1.498 ]])

    References:
        Glorot and Bengio 2010, AISTATS; the truncation is that of Keras and JAX.
    """
    return member(rng, shape, dtype, _GLOROT, "truncated_normal", gain=gain)


he_normal_law = partial(member_law, _HE, "normal")
he_uniform_law = partial(member_law, _HE, "uniform")
he_truncated_normal_law = partial(member_law, _HE, "truncated_normal")
lecun_normal_law = partial(member_law, _LECUN, "normal")
lecun_uniform_law = partial(member_law, _LECUN, "uniform")
lecun_truncated_normal_law = partial(member_law, _LECUN, "truncated_normal")
glorot_normal_law = partial(member_law, _GLOROT, "normal")
glorot_uniform_law = partial(member_law, _GLOROT, "uniform")
glorot_truncated_normal_law = partial(member_law, _GLOROT, "truncated_normal")


def signed_constant(
    rng: RandomState, shape: Shape, dtype: DTypeLike, *, gain: Gain | None = None
) -> Weights:
    """Weights of one size with random signs: each is sqrt(2 / fan_in) or its negative.

    The variance is He's. Use it to study signs apart from sizes, as the search for good
    subnetworks of untrained weights does.

    Args:
        gain: Takes the place of sqrt(2): the size is gain / sqrt(fan_in).

    Returns:
        Weights (fan_out, fan_in).

    Examples:
        >>> signed_constant(RandomState(3), (2, 2), np.float64).round(4)
        array([[ 1.,  1.],
               [-1.,  1.]])

    References:
        Ramanujan et al. 2020, "What's hidden in a randomly weighted neural network?",
        arXiv:1911.13299, where it is called the signed Kaiming constant.
    """
    size = signed_constant_law(shape, gain=gain).std
    return np.where(rng.random_sample(shape) < 0.5, -size, size).astype(dtype)


def signed_constant_law(shape: Shape, *, gain: float | None) -> Moments:
    """The bounds are the only two values, and the standard deviation is their size."""
    std = (math.sqrt(2) if gain is None else gain) / math.sqrt(fans(shape)[0])
    return Moments(0.0, std, -std, std)
