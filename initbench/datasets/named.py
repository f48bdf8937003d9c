"""The named data sets: two rings, half circles, spirals, blobs, and scikit-learn's real ones.

scikit-learn is imported when a data set is loaded: it alone takes most of a second.
"""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from initbench.spec.datasets import (
    BlobsDataset,
    CirclesDataset,
    DiabetesDataset,
    GeneratedDataset,
    MeasuredDataset,
    MoonsDataset,
    SpiralsDataset,
)

Array = NDArray[Any]
#: Features (N, I), and each sample's class (N,).
Samples = tuple[Array, Array]


def generated(choice: GeneratedDataset, count: int, state: int) -> Samples:
    """``count`` samples of a synthetic data set: (N, I) and classes (N,)."""
    if isinstance(choice, SpiralsDataset):
        return _spirals(choice, count, state)
    from sklearn.datasets import make_circles, make_moons

    if isinstance(choice, CirclesDataset):
        x, y = make_circles(count, noise=choice.noise, factor=choice.factor, random_state=state)
    else:
        x, y = make_moons(count, noise=cast(MoonsDataset, choice).noise, random_state=state)
    return x, y


def _spirals(choice: SpiralsDataset, count: int, state: int) -> Samples:
    """Arm c: radius t in (0, 1), angle 2 pi (turns t + c / classes), plus Gaussian noise."""
    rng = np.random.RandomState(state)
    y = np.arange(count) % choice.classes
    t = np.sqrt(rng.uniform(0, 1, count))
    angle = 2 * np.pi * (choice.turns * t + y / choice.classes)
    x = t * np.stack([np.cos(angle), np.sin(angle)])
    x += choice.noise * rng.standard_normal(x.shape)
    return x.T, y


def blobs(choice: BlobsDataset) -> tuple[Samples, Samples]:
    """Train and test samples, cut from one draw: both have the same centers."""
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
    """Features (N, I), target (N,), and whether the target is a class."""
    from sklearn import datasets

    x, y = getattr(datasets, f"load_{choice.name}")(return_X_y=True)
    return x, y, not isinstance(choice, DiabetesDataset)
