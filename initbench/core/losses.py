"""Losses from logits: the value, the gradient and the correctness of each sample.

The three functions of a loss take logits z (R, O, B) and targets y, (O, B) or (R, O, B). They
compute from logits, never from probabilities: a saturated network has a large finite loss instead
of inf.

No sum crosses runs. The sum over classes is a product with a row of ones, one slice a run as all
products in this package are. NumPy orders the terms of ``np.sum`` by the layout of all axes, the
runs' among them, and a run's last bit must not depend on how many runs stand beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from initbench.core.arrays import Array


class Loss(NamedTuple):
    """A row of the registry.

    Args:
        value: (logits, targets) -> the loss of each sample, (R, B).
        delta: (logits, targets) -> nothing; it overwrites the logits with the gradient of the
            batch's mean loss.
        correct: (logits, targets) -> whether each sample is classified correctly, (R, B); None
            for a loss without classes.
        formula: The loss of one sample, for people.
        task: The task of the data sets that this loss is for.
        prior: targets (O, N) -> the outputs (O,) of the best network that ignores its inputs, in
            float64.

    Examples:
        >>> loss = LOSSES["binary_cross_entropy"]
        >>> logits, targets = np.array([[[0.0, 100.0]]]), np.array([[1.0, 0.0]])
        >>> loss.value(logits, targets).round(4)
        array([[  0.6931, 100.    ]])
        >>> loss.correct(logits, targets)
        array([[False, False]])
        >>> loss.prior(np.array([[1.0, 0.0, 0.0, 0.0]])).round(4)  # log(1 / 3)
        array([-1.0986])
        >>> loss.delta(logits, targets)
        >>> logits
        array([[[-0.25,  0.5 ]]])
    """

    value: Callable[[Array, Array], Array]
    delta: Callable[[Array, Array], None]
    correct: Callable[[Array, Array], Array] | None
    formula: str
    task: str
    prior: Callable[[Array], Array]


def _shares(targets: Array) -> Array:
    """The share of each output's class among the samples, (O,).

    A share of 0 or 1 becomes that of half a sample: the log odds of others would be infinite.
    """
    samples = targets.shape[1]
    shares = targets.mean(axis=1, dtype=np.float64)
    clipped: Array = np.clip(shares, 0.5 / samples, 1 - 0.5 / samples)
    return clipped


def _bce_prior(targets: Array) -> Array:
    """log(p / (1 - p)), p being the share of class 1."""
    share = _shares(targets)
    log_odds: Array = np.log(share / (1 - share))
    return log_odds


def _bce_value(logits: Array, targets: Array) -> Array:
    """log(1 + exp(z)) - y z, of the only output."""
    value: Array = np.logaddexp(logits, 0.0) - targets * logits
    return value[:, 0]


def _bce_delta(logits: Array, targets: Array) -> None:
    """(sigmoid(z) - y) / B, as (1 - y) / B - 1 / (B + B exp(z)).

    This form takes four passes and NumPy's exp, which is vectorised; scipy.special.expit is not.
    """
    share = logits.dtype.type(1 / logits.shape[-1])
    np.exp(logits, out=logits)  # where it overflows to inf, the second term is 0 as it must be
    logits += 1
    np.divide(-share, logits, out=logits)
    logits += (1 - targets) * share


def _bce_correct(logits: Array, targets: Array) -> Array:
    """A probability above 1/2 means class 1. A logit that is not finite is wrong."""
    correct: Array = ((logits > 0) == (targets > 0.5)) & np.isfinite(logits)
    return correct[:, 0]


def _shifted(logits: Array) -> Array:
    """Each sample's logits minus the largest of them: exp cannot overflow, softmax is the same."""
    shifted: Array = logits - logits.max(axis=1, keepdims=True)
    return shifted


def _class_sum(terms: Array) -> Array:
    """The sum over classes, (R, O, B) -> (R, 1, B), as one product a run."""
    ones = np.ones((1, terms.shape[1]), terms.dtype)
    total: Array = np.matmul(ones, terms)
    return total


def _ce_value(logits: Array, targets: Array) -> Array:
    """log(sum_c exp(z_c)) - sum_c y_c z_c."""
    shifted = _shifted(logits)
    return (np.log(_class_sum(np.exp(shifted))) - _class_sum(targets * shifted))[:, 0]


def _ce_delta(logits: Array, targets: Array) -> None:
    """(softmax(z) - y) / B."""
    logits -= logits.max(axis=1, keepdims=True)
    np.exp(logits, out=logits)
    logits /= _class_sum(logits)
    logits -= targets
    logits *= logits.dtype.type(1 / logits.shape[-1])


def _ce_prior(targets: Array) -> Array:
    """log(p) of each class, p being its share."""
    log_shares: Array = np.log(_shares(targets))
    return log_shares


def _ce_correct(logits: Array, targets: Array) -> Array:
    """The largest logit names the class, the first of equals. NaN and inf are wrong."""
    finite = np.isfinite(logits).all(axis=1)
    same: Array = logits.argmax(axis=1) == targets.argmax(axis=-2)
    return same & finite


def _mse_value(logits: Array, targets: Array) -> Array:
    """(z - y)^2, the mean over outputs."""
    error = logits - targets
    mean: Array = _class_sum(error * error) / logits.shape[1]
    return mean[:, 0]


def _mse_delta(logits: Array, targets: Array) -> None:
    """2 (z - y) / (B O)."""
    logits -= targets
    logits *= logits.dtype.type(2 / (logits.shape[-1] * logits.shape[1]))


def _mse_prior(targets: Array) -> Array:
    """The mean of each output."""
    mean: Array = targets.mean(axis=1, dtype=np.float64)
    return mean


LOSSES: dict[str, Loss] = {
    "binary_cross_entropy": Loss(
        _bce_value, _bce_delta, _bce_correct, "log(1 + exp(z)) - y z", "binary", _bce_prior
    ),
    "cross_entropy": Loss(
        _ce_value, _ce_delta, _ce_correct, "log(sum exp(z)) - z[class]", "multiclass", _ce_prior
    ),
    "mean_squared_error": Loss(
        _mse_value, _mse_delta, None, "mean((z - y)^2)", "regression", _mse_prior
    ),
}

#: Task -> the name of its loss. A data set says which task it poses.
LOSS_OF_TASK: dict[str, str] = {loss.task: name for name, loss in LOSSES.items()}
