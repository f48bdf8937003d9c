"""Weights that belong together: orthogonal, sparse, identity-like and Hadamard matrices."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Le, Lt
from numpy.random import RandomState
from numpy.typing import DTypeLike
from scipy.linalg import hadamard

from initbench.core.architecture import Shape, fans
from initbench.core.initializers.protocol import Gain, Moments, Weights


def orthogonal(rng: RandomState, shape: Shape, dtype: DTypeLike, *, gain: Gain = 1.0) -> Weights:
    """``gain`` times a random matrix with orthonormal rows or columns, whichever are fewer.

    Q of the QR decomposition of a Gaussian matrix, its columns' signs set by the diagonal
    of R: without that, Q is not uniform over the orthogonal matrices (Haar).

    Source: Saxe, McClelland and Ganguli 2013, arXiv:1312.6120; the signs: Mezzadri 2006,
    arXiv:math-ph/0609050.
    """
    q, r = np.linalg.qr(rng.standard_normal((max(shape), min(shape))))
    q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
    return (gain * (q if q.shape == shape else q.T)).astype(dtype)


def orthogonal_law(shape: Shape, *, gain: float) -> Moments:
    """Of :func:`orthogonal`: an entry of a uniform unit vector in max(O, I) dimensions."""
    return Moments(0.0, gain / math.sqrt(max(shape)), -gain, gain)


def identity(
    rng: RandomState, shape: Shape, dtype: DTypeLike, *, gain: Annotated[float, Gt(0)] = 1.0
) -> Weights:
    """``gain`` on the diagonal and 0 elsewhere, also where the matrix is not square."""
    outputs, inputs = shape
    return (gain * np.eye(outputs, inputs)).astype(dtype)


def identity_law(shape: Shape, *, gain: float) -> Moments:
    """Of :func:`identity`: one entry in max(O, I) is ``gain``."""
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
    """N(0, std^2) on few weights, 0 on all others.

    Each unit has ``connections`` incoming weights that are not 0, 15 by default, at places drawn
    without repetition; all fan_in of them where it has fewer. Or, with ``sparsity``, as in
    PyTorch's ``sparse_``: of each input's *outgoing* weights the fraction ``sparsity``, rounded
    up, is 0. ValueError for both.

    Source: Martens 2010, ICML, "Deep learning via Hessian-free optimization".
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
    """Of :func:`sparse`: a weight is not 0 with the share of those kept."""
    along = fans(shape)[0 if sparsity is None else 1]
    return Moments(0.0, std * math.sqrt(_kept(shape, connections, sparsity) / along))


def _kept(shape: Shape, connections: int | None, sparsity: float | None) -> int:
    """How many weights of a row, or with ``sparsity`` of a column, are not 0."""
    fan_in, fan_out = fans(shape)
    if sparsity is None:
        return min(15 if connections is None else connections, fan_in)
    if connections is not None:
        raise ValueError("connections and sparsity both say how sparse; keep one")
    return fan_out - math.ceil(sparsity * fan_out)


def zero_hadamard(rng: RandomState, shape: Shape, dtype: DTypeLike) -> Weights:
    """ZerO: the identity where a layer does not grow, part of a Hadamard matrix where it does.

    Algorithm 1 of the paper, for weights (P, Q): the partial identity where P <= Q; where P > Q
    the first P rows and Q columns of ``2^(-(m - 1) / 2) H``, H the Hadamard matrix of order 2^m,
    m = ceil(log2 P). No chance is in it: all seeds start alike.

    Source: Zhao, Schäfer and Anandkumar 2021, arXiv:2110.12661.
    """
    return _zero_hadamard(shape).astype(dtype)


def zero_hadamard_law(shape: Shape) -> Moments:
    """Of :func:`zero_hadamard`: the moments over the layer."""
    weights = _zero_hadamard(shape)
    return Moments(
        float(weights.mean()), float(weights.std()), float(weights.min()), float(weights.max())
    )


def _zero_hadamard(shape: Shape) -> Weights:
    inputs, outputs = fans(shape)
    if outputs <= inputs:
        return np.eye(outputs, inputs)
    order = (outputs - 1).bit_length()  # ceil(log2(outputs))
    signs = hadamard(2**order, dtype=np.float64)[:outputs, :inputs]
    weights: Weights = signs * 2.0 ** (-(order - 1) / 2)
    return weights


def idinit(
    rng: RandomState,
    shape: Shape,
    dtype: DTypeLike,
    *,
    tau: Annotated[float, Gt(0)] = 1.0,
    epsilon: Annotated[float, Ge(0)] = 1e-6,
) -> Weights:
    """IDInit: identities stacked until all rows are full, loosened by N(0, epsilon^2).

    Weight (o, i) is ``tau`` where o = i modulo fan_in. The noise is the paper's loosening, which
    lets copies of a unit part. A reading: the paper's zero-preserving matrices close residual
    branches, of which a plain network has none, so that every layer here preserves identity.

    Source: Pan et al. 2025, arXiv:2503.04626.
    """
    noise = rng.standard_normal(shape) * epsilon
    return (tau * _stacked_identities(shape) + noise).astype(dtype)


def idinit_law(shape: Shape, *, tau: float, epsilon: float) -> Moments:
    """Of :func:`idinit`."""
    return _stacked_identities_law(shape, tau, epsilon)


def tanh_fixed_point(
    rng: RandomState,
    shape: Shape,
    dtype: DTypeLike,
    *,
    alpha: Annotated[float, Ge(0), Le(10)] = 0.085,
) -> Weights:
    """D + Z: D is 1 where o = i modulo fan_in, Z is N(0, alpha^2 / fan_in).

    Made for tanh: row sums near 1 keep activations from vanishing at the fixed point of tanh(a x).

    Source: Lee, Choi and Kim 2024, arXiv:2410.02242, section 3.2.
    """
    noise = rng.standard_normal(shape) * (alpha / math.sqrt(fans(shape)[0]))
    return (_stacked_identities(shape) + noise).astype(dtype)


def tanh_fixed_point_law(shape: Shape, *, alpha: float) -> Moments:
    """Of :func:`tanh_fixed_point`."""
    return _stacked_identities_law(shape, 1.0, alpha / math.sqrt(fans(shape)[0]))


def _stacked_identities(shape: Shape) -> Weights:
    """1 at (o, i) where o = i modulo the number of columns: one 1 a row."""
    outputs, inputs = shape
    weights = np.zeros(shape)
    weights[np.arange(outputs), np.arange(outputs) % inputs] = 1
    return weights


def _stacked_identities_law(shape: Shape, size: float, std: float) -> Moments:
    """One weight in fan_in has the mean ``size``, and all have noise of ``std``."""
    share = 1 / fans(shape)[0]
    return Moments(size * share, math.hypot(std, size * math.sqrt(share * (1 - share))))
