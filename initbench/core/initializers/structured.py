"""Weights that belong together: orthogonal matrices, the identity."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from annotated_types import Gt
from numpy.random import RandomState
from numpy.typing import DTypeLike

from initbench.core.initializers.protocol import Law, Shape, Weights


def orthogonal(
    rng: RandomState, shape: Shape, dtype: DTypeLike, *, gain: Annotated[float, Gt(0)] = 1.0
) -> Weights:
    """``gain`` times a random matrix with orthonormal rows or columns, whichever are fewer.

    Q of the QR decomposition of a Gaussian matrix, its columns' signs set by the diagonal
    of R: without that, Q is not uniform over the orthogonal matrices (Haar).

    Source: Saxe, McClelland and Ganguli 2013, arXiv:1312.6120; the signs: Mezzadri 2006,
    arXiv:math-ph/0609050.
    """
    q, r = np.linalg.qr(rng.standard_normal((max(shape), min(shape))))
    q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)
    return (gain * (q if q.shape == shape else q.T)).astype(dtype)


def orthogonal_law(shape: Shape, *, gain: float) -> Law:
    """Of :func:`orthogonal`: an entry of a uniform unit vector in max(O, I) dimensions."""
    return Law(0.0, gain / math.sqrt(max(shape)), -gain, gain)


def identity(
    rng: RandomState, shape: Shape, dtype: DTypeLike, *, gain: Annotated[float, Gt(0)] = 1.0
) -> Weights:
    """``gain`` on the diagonal and 0 elsewhere, also where the matrix is not square."""
    return (gain * np.eye(*shape)).astype(dtype)


def identity_law(shape: Shape, *, gain: float) -> Law:
    """Of :func:`identity`: one entry in max(O, I) is ``gain``."""
    share = 1 / max(shape)
    low = gain if share == 1 else 0.0
    return Law(gain * share, gain * math.sqrt(share * (1 - share)), low, gain)
