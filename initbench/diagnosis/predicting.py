"""Drawn networks -> what theory says about them: layer by layer, and as a whole."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from initbench.core import draw, meanfield
from initbench.core.architecture import Architecture, fans
from initbench.core.arrays import Array
from initbench.core.meanfield import Prediction
from initbench.core.propagation import mean_cosine
from initbench.diagnosis.findings import Theory
from initbench.diagnosis.measuring import ActivationShape, DrawnStack
from initbench.runs.execute import Work

#: Theory supposes that weights have mean 0, and says nothing where a layer's mean is further from 0
#: than this share of the weights' root mean square. Where the mean is estimated from drawn weights,
#: it must be this many standard errors away too.
MEAN_SHARE, MEAN_ERRORS = 0.1, 5.0


@dataclass(frozen=True, slots=True)
class WeightVariances:
    """Each layer's mean square of weights and of biases, (L,), and whether all means are 0.

    The output's biases need no mean of 0: no layer follows them.
    """

    weights: Array
    biases: Array
    centred: bool


@dataclass(frozen=True, slots=True)
class Background:
    """What all findings about an initializer share: its data, and what theory says.

    ``prediction`` is theory's word on each layer, None where the weights' mean is not 0.
    """

    shape: ActivationShape
    architecture: Architecture
    samples: int
    input_square: float
    input_cosine: float
    input_spread: float
    prediction: Prediction | None
    theory: Theory | None


def background(drawn: DrawnStack) -> Background:
    """What one stack tells about all stacks of its initializer, before it is trained."""
    found = unpredicted(drawn)
    variances = _variances(drawn.work, drawn.theta)
    prediction = None
    if variances.centred:
        prediction = meanfield.predict(
            found.architecture,
            variances.weights,
            variances.biases,
            found.input_square,
            found.input_cosine,
        )
    apart = _output_apart(drawn.work)
    theory = _theory(variances, prediction, found.shape, found.architecture, apart=apart)
    return replace(found, prediction=prediction, theory=theory)


def unpredicted(drawn: DrawnStack) -> Background:
    """What one stack tells without theory."""
    inputs = drawn.split.inputs
    return Background(
        shape=drawn.shape,
        architecture=drawn.work.task.architecture,
        samples=inputs.shape[1],
        input_square=float((inputs**2).mean()),
        input_cosine=float(mean_cosine(inputs[None])[0]),
        input_spread=_spread(inputs),
        prediction=None,
        theory=None,
    )


def _spread(inputs: Array) -> float:
    """The largest variance of a feature over the median one's, constant features left out."""
    variances = inputs.var(axis=1)
    varying = variances[variances > 0]
    return float(varying.max() / np.median(varying)) if len(varying) else 1.0


def _variances(work: Work, theta: Array) -> WeightVariances:
    """From the initializer's declared moments; where it has none, from the weights as drawn."""
    declared = draw.laws(work.chosen[0], work.network)
    mean, squares, errors, biases = [], [], [], []
    for moments, view in zip(declared, work.task.architecture.views(theta), strict=True):
        weights = view[:, :, :-1].astype(np.float64)
        mean.append(weights.mean() if moments is None else moments.mean)
        square = (weights**2).mean() if moments is None else moments.mean_square
        squares.append(square)
        errors.append(MEAN_ERRORS / math.sqrt(weights.size) if moments is None else 0.0)
        biases.append((view[:, :, -1].astype(np.float64) ** 2).mean())
    centred = np.abs(mean) <= np.maximum(errors, MEAN_SHARE) * np.sqrt(squares)
    return WeightVariances(
        np.array(squares), np.array(biases), bool(centred.all()) and _centred_biases(work)
    )


def _centred_biases(work: Work) -> bool:
    """Whether the biases that a config asks for have mean 0 in the layers that others follow."""
    network = replace(work.network, sizes=(1, 1))
    for chosen in work.biases[0][:-1]:
        if chosen is None or chosen.initializer.law is None or chosen.initializer.scope != "layer":
            continue  # those rules have mean 0
        moments = draw.law(chosen, network, 0)
        square = moments.mean_square if moments else 0.0
        if moments and abs(moments.mean) > MEAN_SHARE * math.sqrt(square):
            return False
    return True


def _output_apart(work: Work) -> bool:
    """Whether the output's weights or biases have a rule of their own."""
    biases = work.biases[0]
    return "parts" in work.chosen[0].parameters or biases[-1] != biases[0]


def _theory(
    variances: WeightVariances,
    prediction: Prediction | None,
    shape: ActivationShape,
    architecture: Architecture,
    *,
    apart: bool,
) -> Theory | None:
    """Theory supposes that the network goes on for ever as its median hidden layer is.

    It says nothing where the only layer to tell that from is an output that is drawn ``apart``.
    """
    layers = len(architecture.shapes)
    if prediction is None or layers < 2 or (layers == 2 and apart):
        return None
    # Layers that an activation feeds: hidden ones, or where there is but one, the last.
    inner = slice(1, -1) if layers > 2 else slice(1, None)
    sigma_w2 = float(np.median((_fan_ins(architecture) * variances.weights)[inner]))
    sigma_b2 = float(np.median(variances.biases[inner]))
    limit = meanfield.limit(shape.phi, sigma_w2, sigma_b2, float(prediction.variance[0]))
    unbiased = not variances.biases.any()
    return Theory(
        sigma_w2=sigma_w2,
        sigma_b2=sigma_b2,
        fixed_variance=limit.q,
        fixed_cosine=limit.c,
        chi_1=limit.chi_1,
        xi_q=limit.xi_q,
        xi_c=limit.xi_c,
        reach=limit.reach,
        length_spread=_length_spread(prediction),
        born_dead=meanfield.born_dead(architecture) if shape.zero_below and unbiased else None,
    )


def _fan_ins(architecture: Architecture) -> Array:
    """The fan_in of each layer, (L,)."""
    return np.array([fans(shape)[0] for shape in architecture.shapes])


def _length_spread(prediction: Prediction) -> float:
    """The standard deviation, over draws, of the log of the last layer's mean square."""
    return math.sqrt(float(prediction.log_length_variance[-1]))
