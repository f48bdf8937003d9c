"""Weights with a structure: orthogonal, sparse, identity-like and Hadamard matrices."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from numpy.random import RandomState
from numpy.typing import DTypeLike
from scipy.linalg import hadamard

from initbench.core.architecture import Shape, fans
from initbench.core.initializers.protocol import Gain, Moments, Weights


def orthogonal(rng: RandomState, shape: Shape, dtype: DTypeLike, *, gain: Gain = 1.0) -> Weights:
    """``gain`` times a random matrix with orthonormal rows or columns, whichever are fewer.

    Use it in deep networks with linear or tanh units, with the activation's gain. A product of
    orthogonal matrices neither stretches nor shrinks any direction, so that learning time does not
    grow with depth.

    The matrix is Q of the QR decomposition of a Gaussian matrix, with the signs of its columns set
    by the diagonal of R. Without these signs Q would not be uniformly distributed (Haar).

    Args:
        gain: A factor on the matrix: the length of its rows or columns.

    Returns:
        Weights (fan_out, fan_in).

    Examples:
        >>> weights = orthogonal(RandomState(3), (2, 3), np.float64)
        >>> np.allclose(weights @ weights.T, np.eye(2))
        True

    References:
        Saxe, McClelland and Ganguli 2013, "Exact solutions to the nonlinear dynamics of learning in
        deep linear neural networks", arXiv:1312.6120. The signs: Mezzadri 2006,
        arXiv:math-ph/0609050.
    """
    q, r = np.linalg.qr(rng.standard_normal((max(shape), min(shape))))
    q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
    return (gain * (q if q.shape == shape else q.T)).astype(dtype)


def orthogonal_law(shape: Shape, *, gain: float) -> Moments:
    """A weight is an entry of a uniform vector of length ``gain`` in max(O, I) dimensions."""
    return Moments(0.0, gain / math.sqrt(max(shape)), -gain, gain)


def identity(
    rng: RandomState, shape: Shape, dtype: DTypeLike, *, gain: Annotated[float, Gt(0)] = 1.0
) -> Weights:
    """``gain`` on the diagonal and 0 elsewhere, also where the matrix is not square.

    Use it in layers of equal width that are to start by passing their input on.

    Args:
        gain: The weights on the diagonal.

    Returns:
        Weights (fan_out, fan_in), the same for every seed.

    Examples:
        >>> identity(RandomState(3), (2, 3), np.float64)
        array([[1., 0., 0.],
               [0., 1., 0.]])

    References:
        Le, Jaitly and Hinton 2015, "A simple way to initialize recurrent networks of rectified
        linear units", arXiv:1504.00941.
    """
    outputs, inputs = shape
    return (gain * np.eye(outputs, inputs)).astype(dtype)


def identity_law(shape: Shape, *, gain: float) -> Moments:
    """One weight in max(O, I) is ``gain``, the others are 0."""
    share = 1 / max(shape)
    low = gain if share == 1 else 0.0
    return Moments(gain * share, gain * math.sqrt(share * (1 - share)), low, gain)


def sparse(
    rng: RandomState,
    shape: Shape,
    dtype: DTypeLike,
    *,
    connections: Annotated[int, Ge(1)] | None = None,
    sparsity: Annotated[float, Ge(0), Lt(1)] | None = None,
    std: Annotated[float, Ge(0)] = 1.0,
) -> Weights:
    """N(0, std^2) on a few weights of each unit, and 0 on all others.

    Use it in deep networks of sigmoid or tanh units: with few inputs a unit does not saturate
    however wide the layer below is, and units differ from each other.

    Args:
        connections: How many incoming weights of each unit are not 0, at places drawn without
            repetition: 15 by default, or all fan_in of them where there are fewer.
        sparsity: The fraction of each input's *outgoing* weights that is 0, rounded up, as in
            PyTorch's ``sparse_``; in place of ``connections``.
        std: The standard deviation of the weights that are not 0.

    Returns:
        Weights (fan_out, fan_in).

    Raises:
        ValueError: Both ``connections`` and ``sparsity`` are given.

    Examples:
        >>> sparse(RandomState(3), (2, 4), np.float64, connections=2).round(4)
        array([[ 1.7886,  0.    ,  0.    , -1.8635],
               [ 0.    ,  0.    , -0.0827, -0.627 ]])

    References:
        Martens 2010, "Deep learning via Hessian-free optimization", ICML, section 5.
    """
    kept = _kept(shape, connections, sparsity)
    weights = rng.standard_normal(shape) * std
    # The places of the smallest of uniform draws are a sample without repetition.
    places = rng.random_sample(shape).argsort(axis=1 if sparsity is None else 0)
    ranks = places.argsort(axis=1 if sparsity is None else 0)
    return np.where(ranks < kept, weights, 0.0).astype(dtype)


def sparse_law(
    shape: Shape, *, connections: int | None, sparsity: float | None, std: float
) -> Moments:
    """The variance is std^2 times the share of the weights that are not 0."""
    along = fans(shape)[0 if sparsity is None else 1]
    return Moments(0.0, std * math.sqrt(_kept(shape, connections, sparsity) / along))


def _kept(shape: Shape, connections: int | None, sparsity: float | None) -> int:
    """The number of weights that are not 0 in each row, or with ``sparsity`` in each column."""
    fan_in, fan_out = fans(shape)
    if sparsity is None:
        return min(15 if connections is None else connections, fan_in)
    if connections is not None:
        raise ValueError("connections and sparsity both say how sparse; keep one")
    return fan_out - math.ceil(sparsity * fan_out)


def zero_hadamard(
    rng: RandomState,
    shape: Shape,
    dtype: DTypeLike,
    *,
    variant: Literal["code"] | None = None,
) -> Weights:
    """ZerO: the identity where a layer does not grow, part of a Hadamard matrix where it does.

    Use it for a start that is not random: the network passes its input on, and runs differ by
    their data alone.

    The rule is the paper's algorithm 1. Weights (P, Q) are the partial identity where P <= Q. Where
    P > Q they are the first P rows and Q columns of 2^(-(m - 1) / 2) H, with H the Hadamard matrix
    of order 2^m and m = ceil(log2 P). The authors' code divides by 2^(m / 2) instead, which makes
    these layers smaller by sqrt(2).

    Args:
        variant: ``code`` for the size in the authors' code; null for the paper's.

    Returns:
        Weights (fan_out, fan_in), the same for every seed.

    Examples:
        >>> zero_hadamard(RandomState(3), (4, 2), np.float64).round(4)
        array([[ 0.7071,  0.7071],
               [ 0.7071, -0.7071],
               [ 0.7071,  0.7071],
               [ 0.7071, -0.7071]])

    References:
        Zhao, Schäfer and Anandkumar 2021, "ZerO initialization: initializing neural networks with
        only zeros and ones", arXiv:2110.12661.
    """
    return _zero_hadamard(shape, variant).astype(dtype)


def zero_hadamard_law(shape: Shape, *, variant: Literal["code"] | None) -> Moments:
    """The weights are not random, so the moments are those over the layer's entries."""
    weights = _zero_hadamard(shape, variant)
    return Moments(
        float(weights.mean()), float(weights.std()), float(weights.min()), float(weights.max())
    )


def _zero_hadamard(shape: Shape, variant: Literal["code"] | None) -> Weights:
    """The matrix of :func:`zero_hadamard` in float64."""
    inputs, outputs = fans(shape)
    if outputs <= inputs:
        return np.eye(outputs, inputs)
    order = (outputs - 1).bit_length()  # ceil(log2(outputs))
    signs = hadamard(2**order, dtype=np.float64)[:outputs, :inputs]
    power = order if variant == "code" else order - 1
    weights: Weights = signs * 2.0 ** (-power / 2)
    return weights


def idinit(
    rng: RandomState,
    shape: Shape,
    dtype: DTypeLike,
    *,
    tau: Annotated[float, Gt(0)] = 1.0,
    epsilon: Annotated[float, Ge(0)] = 1e-6,
) -> Weights:
    """IDInit: identities stacked until all rows are full, plus noise of N(0, epsilon^2).

    Use it in deep networks whose layers keep their width: each layer starts as the identity. Weight
    (o, i) is ``tau`` where o = i modulo fan_in; the noise is the paper's loosening, which lets
    copies of a unit grow apart.

    The paper also has zero-preserving matrices, which close residual branches. A plain network has
    no such branches, and here every layer preserves identity.

    Args:
        tau: The weights on the diagonals.
        epsilon: The standard deviation of the noise.

    Returns:
        Weights (fan_out, fan_in).

    Examples:
        >>> idinit(RandomState(3), (4, 2), np.float64, epsilon=0.0)
        array([[1., 0.],
               [0., 1.],
               [1., 0.],
               [0., 1.]])

    References:
        Pan et al. 2025, "IDInit: a universal and stable initialization method for neural network
        training", arXiv:2503.04626.
    """
    noise = rng.standard_normal(shape) * epsilon
    return (tau * _stacked_identities(shape) + noise).astype(dtype)


def idinit_law(shape: Shape, *, tau: float, epsilon: float) -> Moments:
    """Identities of size ``tau``, and noise of ``epsilon``."""
    return _stacked_identities_law(shape, tau, epsilon)


def tanh_fixed_point(
    rng: RandomState,
    shape: Shape,
    dtype: DTypeLike,
    *,
    alpha: Annotated[float, Ge(0), Le(10)] = 0.085,
    variant: Literal["code"] | None = None,
) -> Weights:
    """Stacked identities plus noise: 1 where o = i modulo fan_in, plus N(0, alpha^2 / fan_in).

    Use it with tanh in deep or wide networks. Row sums near 1 keep activations at a fixed point of
    tanh(a x), where they neither vanish nor saturate with depth.

    The paper divides the noise's variance by fan_in, the authors' code by fan_out. The two differ
    where a layer grows or shrinks.

    Args:
        alpha: The standard deviation of the noise, times sqrt(fan_in).
        variant: ``code`` for fan_out, as in the authors' code; null for the paper's fan_in.

    Returns:
        Weights (fan_out, fan_in).

    Examples:
        >>> tanh_fixed_point(RandomState(3), (4, 2), np.float64).round(4)
        array([[ 1.1075,  0.0262],
               [ 0.0058,  0.888 ],
               [ 0.9833, -0.0213],
               [-0.005 ,  0.9623]])

    References:
        Lee, Choi and Kim 2024, "Robust weight initialization for tanh neural networks with fixed
        point analysis", arXiv:2410.02242, section 3.2.
    """
    noise = rng.standard_normal(shape) * _fixed_point_noise(shape, alpha, variant)
    return (_stacked_identities(shape) + noise).astype(dtype)


def tanh_fixed_point_law(shape: Shape, *, alpha: float, variant: Literal["code"] | None) -> Moments:
    """Identities of size 1, and noise of alpha / sqrt(fan_in)."""
    return _stacked_identities_law(shape, 1.0, _fixed_point_noise(shape, alpha, variant))


def _fixed_point_noise(shape: Shape, alpha: float, variant: Literal["code"] | None) -> float:
    """The standard deviation of the noise of :func:`tanh_fixed_point`."""
    fan_in, fan_out = fans(shape)
    return alpha / math.sqrt(fan_out if variant == "code" else fan_in)


def _stacked_identities(shape: Shape) -> Weights:
    """1 at (o, i) where o = i modulo the number of columns, so that each row has a single 1."""
    outputs, inputs = shape
    weights = np.zeros(shape)
    weights[np.arange(outputs), np.arange(outputs) % inputs] = 1
    return weights


def _stacked_identities_law(shape: Shape, size: float, std: float) -> Moments:
    """One weight in fan_in has the mean ``size``, the others 0, and all have noise of ``std``."""
    share = 1 / fans(shape)[0]
    return Moments(size * share, math.hypot(std, size * math.sqrt(share * (1 - share))))
