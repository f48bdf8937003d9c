"""Named data sets: synthetic ones, and the real ones that scikit-learn ships.

Each function imports scikit-learn by itself, since that takes most of a second.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from initbench.core.arrays import Array
from initbench.spec.datasets import (
    BlobsDataset,
    CirclesDataset,
    DiabetesDataset,
    GeneratedDataset,
    MeasuredDataset,
    MoonsDataset,
    SpiralsDataset,
)

#: Features (N, I), and each sample's class (N,).
Samples = tuple[Array, Array]


def generated(choice: GeneratedDataset, count: int, state: int) -> Samples:
    """``count`` samples of a synthetic data set, drawn from a random state."""
    if isinstance(choice, SpiralsDataset):
        return _spirals(choice, count, state)
    from sklearn.datasets import make_circles, make_moons

    if isinstance(choice, CirclesDataset):
        x, y = make_circles(count, noise=choice.noise, factor=choice.factor, random_state=state)
    else:
        x, y = make_moons(count, noise=cast(MoonsDataset, choice).noise, random_state=state)
    return x, y


def _spirals(choice: SpiralsDataset, count: int, state: int) -> Samples:
    """Spirals: on the arm of class c a sample has radius t in (0, 1), t^2 uniform, and angle
    2 pi (turns t + c / classes); Gaussian noise is added to both coordinates.
    """
    rng = np.random.RandomState(state)
    y = np.arange(count) % choice.classes
    t = np.sqrt(rng.uniform(0, 1, count))
    angle = 2 * np.pi * (choice.turns * t + y / choice.classes)
    x = t * np.stack([np.cos(angle), np.sin(angle)])
    x += choice.noise * rng.standard_normal(x.shape)
    return x.T, y


def blobs(choice: BlobsDataset) -> tuple[Samples, Samples]:
    """Train and test samples, cut from one draw so that both have the same centers."""
    from sklearn.datasets import make_blobs

    x, y = make_blobs(
        choice.train_samples + choice.test_samples,
        n_features=choice.features,
        centers=choice.centers,
        cluster_std=choice.cluster_std,
        random_state=choice.random_state,
    )
    cut = choice.train_samples
    return (x[:cut], y[:cut]), (x[cut:], y[cut:])


def measured(choice: MeasuredDataset) -> tuple[Array, Array, bool]:
    """A real data set: features (N, I), target (N,), and whether the target is a class."""
    from sklearn import datasets

    x, y = getattr(datasets, f"load_{choice.name}")(return_X_y=True)
    return x, y, not isinstance(choice, DiabetesDataset)
