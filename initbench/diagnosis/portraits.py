"""Portraits: what a run's network does at each of its log points, from training it again.

A portrait holds weights, the distribution of each hidden layer's activations, and for a
classification of points in the plane the class that the network gives to each place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, softmax

from initbench import datasets
from initbench.core.architecture import Architecture
from initbench.core.arrays import Array
from initbench.core.propagation import forward
from initbench.datasets.preparation import Dataset
from initbench.runs.plan import Run
from initbench.runs.records import Record
from initbench.runs.replay import Replayed, replay

#: The plane is seen at GRID x GRID places, which reach MARGIN of the data's extent beyond them.
GRID = 48
MARGIN = 0.08
#: More points tell the eye no more.
SHOWN_POINTS = 300
#: Bins of a histogram, samples that are sent through the network, and values kept of a layer.
BINS = 24
SAMPLES = 256
VALUES = 4096
#: The share of values at either end that a histogram counts in its outermost bins.
TAIL = 0.002
#: A portrait shows at most so many log points and so many hidden layers, evenly spread.
MOST_MOMENTS = 16
MOST_LAYERS = 3


@dataclass(frozen=True, slots=True)
class Plane:
    """The places at which boundaries are seen: ``x`` and ``y`` (GRID,) from low to high."""

    x: Array
    y: Array

    @property
    def points(self) -> Array:
        """The places as inputs (2, GRID * GRID), row after row from the lowest y."""
        across, up = np.meshgrid(self.x, self.y)
        return np.stack([across.ravel(), up.ravel()])


@dataclass(frozen=True, slots=True)
class Territory:
    """The class that a network gives to each place (GRID, GRID), and how certain it is, 0 to 1.

    A certainty of 0 means that all classes are equally probable there, 1 that one is certain.
    """

    winner: Array
    certainty: Array


@dataclass(frozen=True, slots=True)
class Histogram:
    """The activations of a hidden layer after ``iteration`` updates: the share in each bin."""

    layer: int
    iteration: int
    edges: tuple[float, ...]
    shares: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Portrait:
    """One run at its log points.

    Attributes:
        record: The run's record.
        reproduced: Whether the replay made the record's numbers to the last bit.
        architecture: Its network.
        iterations: The log points that are shown.
        weights: For each of them, each layer's weights (O, I).
        territories: For each of them the classes in the plane; None unless the task is a
            classification of two inputs.
        histograms: One for each shown hidden layer at each of them.
        plane: The places of the territories.
        samples: Train samples in the plane, (x, y, class) each; empty without territories.
    """

    record: Record
    reproduced: bool
    architecture: Architecture
    iterations: tuple[int, ...]
    weights: tuple[tuple[Array, ...], ...]
    territories: tuple[Territory, ...] | None
    histograms: tuple[Histogram, ...]
    plane: Plane | None
    samples: tuple[tuple[float, float, int], ...]


@dataclass(frozen=True, slots=True)
class _Sight:
    """What is kept of a network at one log point."""

    weights: tuple[Array, ...]
    values: tuple[Array, ...]
    territory: Territory | None


def portraits(
    records: Sequence[Record],
    runs: Sequence[Run],
    told: Callable[[float], None] = lambda _: None,
) -> list[Portrait]:
    """A portrait of each run that did not fail, from training it again.

    Args:
        records: The records, which tell whether the replay made the same numbers.
        runs: The run of each record.
        told: Is called with the share of the work that is done.
    """
    pairs = [(r, run) for r, run in zip(records, runs, strict=True) if r.status != "failed"]
    shown = {id(run): spread(record.curve.iteration, MOST_MOMENTS) for record, run in pairs}

    def look(run: Run, iteration: int, layers: Sequence[Array]) -> _Sight | None:
        return _sight(run, layers) if iteration in shown[id(run)] else None

    replayed = replay([run for _, run in pairs], look, told)
    return [
        _portrait(record, one, shown[id(run)])
        for (record, run), one in zip(pairs, replayed, strict=True)
    ]


def spread(values: Sequence[int], most: int) -> list[int]:
    """At most so many of the values, evenly spread, the first and the last among them.

    >>> spread(range(11), 3), spread([4, 5], 3)
    ([0, 5, 10], [4, 5])
    """
    chosen = np.linspace(0, len(values) - 1, min(most, len(values))).round().astype(int)
    return [values[index] for index in chosen]


def in_the_plane(data: Dataset) -> bool:
    """Whether the data are points in the plane, in classes: then a network has a boundary."""
    return data.task != "regression" and data.train.inputs.shape[0] == 2


def _plane(data: Dataset) -> Plane:
    inputs = np.concatenate([data.train.inputs, data.test.inputs], axis=1).astype(float)
    low, high = inputs.min(axis=1), inputs.max(axis=1)
    margin = MARGIN * np.maximum(high - low, np.finfo(float).eps)
    x, y = np.linspace(low - margin, high + margin, GRID).T
    return Plane(x, y)


def _sight(run: Run, layers: Sequence[Array]) -> _Sight:
    architecture = run.experiment.architecture
    data = datasets.load(run.experiment.dataset)
    theta = np.concatenate([layer.ravel() for layer in layers])[None]
    inputs = data.train.inputs
    chosen = np.unique(np.linspace(0, inputs.shape[1] - 1, SAMPLES).astype(int))
    with np.errstate(all="ignore"):  # a network that diverges overflows
        hidden = forward(architecture, theta, inputs[:, chosen])[:-1]
        numbers = spread(range(len(hidden)), MOST_LAYERS)
        values = tuple(_some(hidden[number].activation[0].ravel()) for number in numbers)
        territory = None
        if in_the_plane(data):
            territory = _territory(
                forward(architecture, theta, _plane(data).points)[-1].activation[0]
            )
    return _Sight(tuple(layer[:, :-1].copy() for layer in layers), values, territory)


def _some(values: Array) -> Array:
    """At most VALUES of them, evenly spread, as float32 to keep many layers in memory."""
    chosen = np.unique(np.linspace(0, len(values) - 1, min(VALUES, len(values))).astype(int))
    some: Array = values[chosen].astype(np.float32)
    return some


def _territory(logits: Array) -> Territory:
    """Classes and certainties from logits (O, GRID * GRID); what is not finite is uncertain."""
    if len(logits) == 1:
        positive = expit(logits[0])
        probabilities = np.stack([1 - positive, positive])
    else:
        probabilities = softmax(logits, axis=0)
    probabilities = np.where(np.isfinite(probabilities), probabilities, 1 / len(probabilities))
    classes = len(probabilities)
    certainty = (probabilities.max(axis=0) - 1 / classes) / (1 - 1 / classes)
    shape = (GRID, GRID)
    return Territory(
        probabilities.argmax(axis=0).reshape(shape), np.clip(certainty, 0, 1).reshape(shape)
    )


def _portrait(record: Record, replayed: Replayed[_Sight | None], shown: Sequence[int]) -> Portrait:
    sights = [sight for sight in replayed.seen if sight is not None]
    iterations = tuple(shown[: len(sights)])
    architecture = replayed.run.experiment.architecture
    data = datasets.load(replayed.run.experiment.dataset)
    layers = spread(range(1, len(architecture.shapes)), MOST_LAYERS) if sights[0].values else []
    flat = in_the_plane(data)
    return Portrait(
        record=record,
        reproduced=replayed.curve == record.curve,
        architecture=architecture,
        iterations=iterations,
        weights=tuple(sight.weights for sight in sights),
        territories=tuple(s.territory for s in sights if s.territory) if flat else None,
        histograms=tuple(
            histogram
            for index, layer in enumerate(layers)
            for histogram in _histograms(layer, iterations, [s.values[index] for s in sights])
        ),
        plane=_plane(data) if flat else None,
        samples=tuple(_samples(data)) if flat else (),
    )


def _histograms(layer: int, iterations: Sequence[int], values: Sequence[Array]) -> list[Histogram]:
    """One layer's histograms, whose bins are the same at all iterations."""
    finite = [of_moment[np.isfinite(of_moment)] for of_moment in values]
    together = np.concatenate(finite)
    low, high = np.quantile(together, (TAIL, 1 - TAIL)) if len(together) else (0.0, 1.0)
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, BINS + 1)
    return [
        Histogram(
            layer,
            iteration,
            tuple(edges.tolist()),
            tuple(
                (
                    np.histogram(np.clip(of_moment, edges[0], edges[-1]), edges)[0]
                    / max(1, len(of_moment))
                ).tolist()
            ),
        )
        for iteration, of_moment in zip(iterations, finite, strict=True)
    ]


def _samples(data: Dataset) -> list[tuple[float, float, int]]:
    inputs, targets = data.train.inputs, data.train.targets
    count = inputs.shape[1]
    chosen = np.unique(np.linspace(0, count - 1, min(SHOWN_POINTS, count)).astype(int))
    classes = targets[0].astype(int) if len(targets) == 1 else targets.argmax(axis=0)
    return [(float(inputs[0, i]), float(inputs[1, i]), int(classes[i])) for i in chosen]
