"""Measured signal propagation: what a stack of networks does to data, layer by layer.

The functions here are pure, and stacked over runs. They compute in float64 whatever the runs train
in. They keep every layer's arrays, where the engine reuses its buffers: a diagnosis is made once,
and reads all of them.

Shapes are in the letters of the package's legend. L is the number of weight layers: layers 1
to L - 1 are hidden, and layer L holds the logits. J is the number of samples of the Jacobian.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.random import RandomState

from initbench.core.architecture import Architecture
from initbench.core.arrays import Array
from initbench.core.engine.protocol import Split, TrainingTask
from initbench.core.losses import LOSSES
from initbench.core.optimizers import OPTIMIZERS

#: A unit is flat on a sample where phi' is below this share of its maximum. For tanh that is where
#: abs(phi) > 0.99, for a sigmoid where the probability is below 0.005 or above 0.995.
FLAT_SLOPE = 0.02
#: Two units are equal if their weights differ by less than this, in ulps of the largest weight.
#: Symmetric units stay equal up to rounding, which grew to 6 ulps in 2,000 updates of the article's
#: network.
SYMMETRY_ULPS = 1024
#: J, at most.
JACOBIAN_SAMPLES = 8


@dataclass(frozen=True, slots=True)
class LayerSignals:
    """One layer on a batch: z, phi(z) and phi'(z), each (R, O, B).

    For the last layer ``activation`` is z itself, the logits, and ``slope`` is 1.
    """

    preactivation: Array
    activation: Array
    slope: Array


@dataclass(frozen=True, slots=True)
class Measurement:
    """Measurements of each run, taken over all units and samples unless said otherwise.

    These are (R, L), one for each layer:

    - ``preactivation_mean`` is the mean of z. ``preactivation_variance`` is the mean of z^2, the
      variance about 0. The law that weights are drawn from has mean 0, and a layer of one unit has
      such a variance as well.
    - ``contrast`` is the variance of a unit's z over samples, averaged over units. It says what is
      left of the differences between inputs. Theory writes it q (1 - c). ``activation_contrast`` is
      that of phi(z).
    - ``activation_mean`` and ``activation_variance`` are those of phi(z), the variance about the
      mean.
    - ``weight_square`` is the mean square of the layer's weights, biases left out.
    - ``gradient_variance`` is the mean of delta^2, where delta is the gradient of a sample's loss
      with respect to z. ``weight_gradient_variance`` is the mean of g^2, where g is the gradient of
      the batch's mean loss with respect to the layer's weights.
    - ``flat`` is the share of units and samples whose phi' is below FLAT_SLOPE of its maximum. In
      the last layer it is the share of samples whose outputs are all that close to certain, and
      NaN for a regression.
    - ``dead`` is the share of units that are 0 with slope 0 on every sample, NaN in the last layer.
    - ``distinct_units`` is the number of units that differ in an incoming or outgoing weight, equal
      units counted once: they get equal gradients and stay equal. It is NaN in the last layer.
    - ``effective_rank`` is the participation ratio of the activations as a matrix (O, B), which is
      (sum s^2)^2 / sum s^4 over its singular values s. It is 1 where all samples look the same.
    - ``cosine`` is that of the pre-activations of two samples, averaged over pairs.
    - ``update_size`` is the norm of the first update of weights and biases over their own norm.
    - ``moved`` is the norm of what weights and biases have changed by since the start, over their
      norm at the start. It is NaN where they started at 0.

    These are (R,), one for each network:

    - ``loss`` is the mean over samples.
    - ``jacobian_largest``, ``jacobian_median`` and ``jacobian_smallest`` are singular values of the
      Jacobian of logits with respect to inputs, the median over J samples.
    - ``born_dead`` says whether all units of some hidden layer are dead.
    """

    preactivation_mean: Array
    preactivation_variance: Array
    contrast: Array
    activation_mean: Array
    activation_variance: Array
    activation_contrast: Array
    weight_square: Array
    gradient_variance: Array
    weight_gradient_variance: Array
    flat: Array
    dead: Array
    distinct_units: Array
    effective_rank: Array
    cosine: Array
    update_size: Array
    moved: Array
    loss: Array
    jacobian_largest: Array
    jacobian_median: Array
    jacobian_smallest: Array
    born_dead: Array


def forward(architecture: Architecture, theta: Array, inputs: Array) -> list[LayerSignals]:
    """The arrays of every layer for ``theta`` (R, P) on ``inputs`` (I, B), first layer first."""
    signals = []
    activation = np.asarray(inputs, np.float64)
    views = architecture.views(theta)
    for number, view in enumerate(views, start=1):
        weights, bias = view[:, :, :-1], view[:, :, -1:]
        z = np.matmul(weights, activation) + bias  # (R, O, B)
        value = z.copy()
        binary = number == len(views) or architecture.slope_dtype == np.bool_
        slope = np.ones(z.shape, np.bool_ if binary else np.float64)
        if number < len(views):
            architecture.apply(value, slope)
        signals.append(LayerSignals(z, value, slope))
        activation = value
    return signals


def backward(
    architecture: Architecture, theta: Array, signals: Sequence[LayerSignals], delta: Array
) -> list[Array]:
    """The gradient at every layer's z, from ``delta`` (R, O, B), the gradient at the last z."""
    deltas = [delta]
    views = architecture.views(theta)
    for view, below in zip(views[:0:-1], signals[-2::-1], strict=True):
        delta = np.matmul(view[:, :, :-1].swapaxes(1, 2), delta) * below.slope
        deltas.append(delta)
    return deltas[::-1]


def output_delta(loss: str, logits: Array, targets: Array) -> Array:
    """The gradient of each sample's loss with respect to its logits, (R, O, B).

    ``loss`` is a name in :data:`~initbench.core.losses.LOSSES`.
    """
    delta = np.array(logits)
    LOSSES[loss].delta(delta, np.asarray(targets, np.float64))
    delta *= logits.shape[-1]  # the loss gives the gradient of the batch's mean
    return delta


def weight_gradient(
    architecture: Architecture,
    inputs: Array,
    signals: Sequence[LayerSignals],
    deltas: Sequence[Array],
) -> Array:
    """The gradient of the batch's mean loss, laid out as theta, (R, P)."""
    samples = inputs.shape[-1]
    gradient = architecture.zeros(len(deltas[0]), np.float64)
    below: Array = np.asarray(inputs, np.float64)[None]
    for view, layer, delta in zip(architecture.views(gradient), signals, deltas, strict=True):
        view[:, :, :-1] = np.matmul(delta, below.swapaxes(1, 2)) / samples
        view[:, :, -1] = delta.mean(axis=2)
        below = layer.activation
    for column in architecture.bias_columns_to_clear(gradient):
        column.fill(0.0)
    return gradient


def jacobian(architecture: Architecture, theta: Array, signals: Sequence[LayerSignals]) -> Array:
    """The Jacobian of logits with respect to inputs, (R, B, O, I), one row an output's gradient."""
    runs, outputs, samples = signals[-1].preactivation.shape
    first = architecture.views(theta)[0][:, :, :-1]
    result = np.empty((runs, samples, outputs, first.shape[2]))
    for output in range(outputs):
        unit = np.zeros((runs, outputs, samples))
        unit[:, output] = 1
        delta = backward(architecture, theta, signals, unit)[0]
        result[:, :, output] = np.matmul(first.swapaxes(1, 2), delta).swapaxes(1, 2)
    return result


def measure(
    task: TrainingTask,
    theta: Array,
    split: Split,
    hyperparameters: dict[str, Array],
    steepest: float,
    start: Array | None = None,
) -> Measurement:
    """Measure networks on a batch.

    Args:
        task: The architecture, the loss and the optimizer.
        theta: The parameters (R, P), as drawn or as trained.
        split: The samples to measure on.
        hyperparameters: The optimizer's keyword parameters, an (R, 1) array each.
        steepest: The maximum of abs(phi').
        start: The parameters before training, (R, P), where ``theta`` has been trained.
    """
    architecture, loss = task.architecture, LOSSES[task.loss]
    theta = np.array(theta, np.float64)
    inputs, targets = np.asarray(split.inputs, np.float64), split.targets
    with np.errstate(all="ignore"):  # an exploding network overflows: that is the finding
        signals = forward(architecture, theta, inputs)
        delta = output_delta(task.loss, signals[-1].preactivation, targets)
        deltas = backward(architecture, theta, signals, delta)
        gradient = weight_gradient(architecture, inputs, signals, deltas)
        views, gradients = architecture.views(theta), architecture.views(gradient)
        values = _singular_values(jacobian(architecture, theta, _some_samples(signals)))
        hidden, logits = signals[:-1], signals[-1].preactivation
        dead = [((s.activation == 0) & (s.slope == 0)).all(axis=2) for s in hidden]
        flat = [(np.abs(s.slope) < FLAT_SLOPE * steepest).mean(axis=(1, 2)) for s in hidden]
        distinct = [distinct_units(*pair, architecture.dtype) for pair in pairwise(views)]
        unknown = np.full(len(theta), np.nan)
        return Measurement(
            preactivation_mean=_layers([s.preactivation for s in signals]),
            preactivation_variance=_layers([s.preactivation**2 for s in signals]),
            contrast=_layers([s.preactivation.var(axis=2, keepdims=True) for s in signals]),
            activation_mean=_layers([s.activation for s in signals]),
            activation_variance=np.stack([s.activation.var(axis=(1, 2)) for s in signals], axis=1),
            activation_contrast=_layers([s.activation.var(axis=2, keepdims=True) for s in signals]),
            weight_square=_weight_squares(views),
            gradient_variance=_layers([d**2 for d in deltas]),
            weight_gradient_variance=_mean_squares(gradients),
            flat=np.stack([*flat, _certain(task.loss, logits)], axis=1),
            dead=np.stack([*[units.mean(axis=1) for units in dead], unknown], axis=1),
            distinct_units=np.stack([*distinct, unknown], axis=1),
            effective_rank=np.stack([_effective_rank(s.activation) for s in signals], axis=1),
            cosine=np.stack([mean_cosine(s.preactivation) for s in signals], axis=1),
            update_size=_update_sizes(task, theta, gradient, hyperparameters),
            moved=_moved(architecture, theta if start is None else start, theta),
            loss=loss.value(logits, targets).mean(axis=1),
            jacobian_largest=np.median(values[:, :, 0], axis=1),
            jacobian_median=np.median(values, axis=(1, 2)),
            jacobian_smallest=np.median(values[:, :, -1], axis=1),
            born_dead=np.any([units.all(axis=1) for units in dead], axis=0)
            if dead
            else np.zeros(len(theta), bool),
        )


def distinct_units(below: Array, above: Array, dtype: np.dtype[Any]) -> Array:
    """The number of distinct units of the hidden layer between two layers, (R,).

    A unit's signature is its incoming weights, its bias and its outgoing weights. Three random
    projections of signatures are compared: n units need a sort instead of n^2 comparisons, and that
    two different signatures agree in all three has probability 0.

    Args:
        below: The view (R, O, I + 1) of the layer itself.
        above: The view of the layer above it.
        dtype: The type that the weights were computed in, which says how far they are rounded.
    """
    incoming, outgoing = below, above[:, :, :-1].swapaxes(1, 2)  # (R, O, I + 1), (R, O, ...)
    columns = incoming.shape[2]
    directions = RandomState(0).standard_normal((columns + outgoing.shape[2], 3))
    directions /= np.linalg.norm(directions, axis=0)
    projected = incoming @ directions[:columns] + outgoing @ directions[columns:]
    scale = np.max([np.abs(part).max(axis=(1, 2)) for part in (incoming, outgoing)], axis=0)
    limit = SYMMETRY_ULPS * np.finfo(dtype).eps * scale
    counts = []
    for run, closeness in zip(projected, limit, strict=True):
        ordered = run[np.argsort(run[:, 0])]
        steps = np.abs(np.diff(ordered, axis=0)).max(axis=1)
        counts.append(1 + np.count_nonzero(~(steps <= closeness)))
    return np.array(counts, np.float64)


def mean_cosine(vectors: Array) -> Array:
    """The mean cosine over pairs of samples of ``vectors`` (R, O, B), (R,).

    Vectors of 0 have no direction and are left out. The mean is NaN where fewer than two are left.

    Examples:
        >>> mean_cosine(np.array([[[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]]]))
        array([0.])
    """
    peak = np.abs(vectors).max(axis=1, keepdims=True)  # squares of 1e200 overflow, of 1e-200 vanish
    scaled = np.divide(vectors, peak, out=np.zeros_like(vectors), where=peak > 0)
    norms = np.sqrt((scaled**2).sum(axis=1, keepdims=True))
    units = np.divide(scaled, norms, out=np.zeros_like(vectors), where=norms > 0)
    count = (norms > 0).sum(axis=(1, 2)).astype(np.float64)
    pairs = np.where(count > 1, count * (count - 1), np.nan)
    total = (units.sum(axis=2) ** 2).sum(axis=1)
    cosine: Array = (total - count) / pairs
    return cosine


def _some_samples(signals: Sequence[LayerSignals]) -> list[LayerSignals]:
    """The same signals on J of the samples, evenly spaced."""
    some = slice(None, None, -(-signals[0].preactivation.shape[2] // JACOBIAN_SAMPLES))
    return [
        LayerSignals(s.preactivation[..., some], s.activation[..., some], s.slope[..., some])
        for s in signals
    ]


def _layers(arrays: Sequence[Array]) -> Array:
    """The mean of each layer's array over units and samples, (R, L)."""
    return np.stack([array.mean(axis=(1, 2)) for array in arrays], axis=1)


def _weight_squares(views: Sequence[Array]) -> Array:
    """The mean squares of weights; 0 only where all weights are 0, and not where squares vanish."""
    squares = _mean_squares(views)
    some = np.stack([view[:, :, :-1].any(axis=(1, 2)) for view in views], axis=1)
    return np.where(some, np.maximum(squares, np.finfo(squares.dtype).tiny), squares)


def _mean_squares(views: Sequence[Array]) -> Array:
    """The mean square of each layer's weights, or of their gradients, biases left out, (R, L)."""
    weights = [view[:, :, :-1] for view in views]
    return np.stack([np.einsum("roi,roi->r", w, w) / w[0].size for w in weights], axis=1)


def _effective_rank(vectors: Array) -> Array:
    peak = np.abs(vectors).max(axis=(1, 2), keepdims=True)
    scaled = np.divide(vectors, peak, out=np.zeros_like(vectors), where=peak > 0)
    if scaled.shape[1] > scaled.shape[2]:
        scaled = scaled.swapaxes(1, 2)
    gram = np.matmul(scaled, scaled.swapaxes(1, 2))  # its eigenvalues are s^2
    trace = np.trace(gram, axis1=1, axis2=2)
    rank: Array = trace**2 / (gram**2).sum(axis=(1, 2))
    return np.where(trace > 0, rank, 0.0)


def _certain(loss: str, logits: Array) -> Array:
    """The share of samples with every p (1 - p) below FLAT_SLOPE of its maximum 1/4, (R,)."""
    if LOSSES[loss].correct is None:
        return np.full(len(logits), np.nan)
    p = output_delta(loss, logits, np.zeros(logits.shape[1:]))  # p - y with y = 0
    share: Array = (p * (1 - p) < FLAT_SLOPE / 4).all(axis=1).mean(axis=1)
    return share


def _singular_values(matrices: Array) -> Array:
    """The singular values of matrices (R, J, O, I), falling; NaN where an entry is not finite."""
    finite = np.asarray(np.isfinite(matrices).all(axis=(2, 3), keepdims=True))
    values = np.linalg.svd(np.where(finite, matrices, 0.0), full_matrices=False, compute_uv=False)
    return np.where(finite[..., 0], values, np.nan)


def _moved(architecture: Architecture, start: Array, theta: Array) -> Array:
    """How far each layer's parameters have moved, over their norm at the start, (R, L)."""
    if start is theta:
        return np.zeros((len(theta), len(architecture.shapes)))
    ratios = []
    for before, after in zip(architecture.views(start), architecture.views(theta), strict=True):
        change, size = (np.sqrt(np.einsum("roi,roi->r", a, a)) for a in (after - before, before))
        ratios.append(np.divide(change, size, out=np.full_like(change, np.nan), where=size > 0))
    return np.stack(ratios, axis=1)


def _update_sizes(
    task: TrainingTask, theta: Array, gradient: Array, hyperparameters: dict[str, Array]
) -> Array:
    optimizer, views = OPTIMIZERS[task.optimizer], task.architecture.views
    ratios = []
    # Layer by layer: fresh arrays as large as a whole network cost more than the arithmetic.
    for before, gradients in zip(views(theta), views(gradient), strict=True):
        flat = (len(theta), -1)
        moved, own = before.reshape(flat).copy(), gradients.reshape(flat).copy()
        slots = tuple(np.zeros_like(moved) for _ in range(optimizer.slots))
        optimizer.step(moved, own, slots, 1, **hyperparameters)
        moved -= before.reshape(flat)
        step = np.sqrt(np.einsum("rp,rp->r", moved, moved))
        size = np.sqrt(np.einsum("roi,roi->r", before, before))
        ratios.append(np.divide(step, size, out=np.full_like(step, np.nan), where=size > 0))
    return np.stack(ratios, axis=1)
