"""Cautions: what to know about the data beside a start's condition, in sentences."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import betainc

from initbench.core import draw
from initbench.core.arrays import Array
from initbench.diagnosis.measuring import DrawnStack

#: Weights are the data's where the cosine of a unit's weights and a sample is beyond this.
#: Standardising features that were drawn from N(0, 1) turns samples by less.
ALIKE = 0.98
#: The first units of so many, and at most so many samples, are looked at.
UNITS, SAMPLES = 8, 10_000
#: Coincidences that chance would make more often than this are none.
CHANCE = 1e-9


def constant_features(inputs: Array) -> str:
    """How many features of ``inputs`` (I, B) are constant, in a sentence; "" where none is.

    >>> constant_features(np.array([[1.0, 1.0], [0.0, 2.0]]))[:30]
    '1 of 2 features is constant on'
    """
    features = len(inputs)
    constant = int(np.count_nonzero(inputs.max(axis=1) == inputs.min(axis=1)))
    if constant == 0:
        return ""
    if constant == features:
        return (
            f"All {features} features are constant on the train samples: every input is the same, "
            "and no start can tell them apart."
        )
    return (
        f"{constant} of {features} features {'is' if constant == 1 else 'are'} constant on the "
        "train samples and cannot tell inputs apart: inputs differ in "
        f"{features - constant} features."
    )


def seeds_in_data(drawn: DrawnStack) -> list[int]:
    """The seeds whose first-layer weights are samples of the data, up to their scale.

    That happens where both were drawn from one random stream, as ``RandomState(0)`` at seed 0. It
    is looked for where an initializer draws every weight by itself: first in the first units'
    weights and the samples, then in the stream itself, weights beside inputs in their order.
    """
    task, work = drawn.work.task, drawn.work
    law = draw.law(work.chosen[0], work.network, 0)
    if law is None or law.std == 0:
        return []
    inputs = task.train.inputs
    every = -(-inputs.shape[1] // SAMPLES)
    samples = _directions(inputs[:, ::every].T)
    weights = task.architecture.views(drawn.theta)[0][:, :, :-1]
    return [
        seed
        for seed, of_run in zip(work.seeds, weights, strict=True)
        if _units_are_samples(of_run[:UNITS], samples) or _one_stream(of_run, inputs.T)
    ]


def shared_stream(seeds: Sequence[int]) -> str:
    """A sentence about seeds whose weights are the data's; "" where there are none."""
    if not seeds:
        return ""
    numbers = ", ".join(map(str, seeds))
    return (
        f"At seed{'s' * (len(seeds) > 1)} {numbers} the first layer's weights are rows of the data "
        "up to their scale, as if both were drawn from one random stream (RandomState(0) draws the "
        "same numbers as seed 0): the measurements there are not typical. Leave such seeds out, "
        "or draw the data with another seed."
    )


def _units_are_samples(weights: Array, samples: Array) -> bool:
    """Whether more units (O, I) lie along a sample (B, I) than chance would have."""
    cosines = np.abs(_directions(weights) @ samples.T)  # (O, B)
    found = int(np.count_nonzero(cosines.max(axis=1) > ALIKE))
    by_chance = min(1.0, len(samples) * _chance(weights.shape[1]))
    return math.comb(len(weights), found) * by_chance**found < CHANCE


def _one_stream(weights: Array, samples: Array) -> bool:
    """Whether the weights, in the order that they were drawn, are the first of the inputs."""
    count = min(weights.shape[0], samples.shape[0])
    pair = _directions(np.stack([weights[:count].ravel(), samples[:count].ravel()]))
    return bool(abs(pair[0] @ pair[1]) > ALIKE and _chance(pair.shape[1]) < CHANCE)


def _chance(dimensions: int) -> float:
    """The probability that two random directions have a cosine beyond ALIKE, on either side."""
    return float(betainc((dimensions - 1) / 2, 0.5, 1 - ALIKE**2)) if dimensions > 1 else 1.0


def _directions(rows: Array) -> Array:
    """Rows of length 1; a row of 0 stays."""
    rows = np.asarray(rows, np.float64)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    directions: Array = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return directions
