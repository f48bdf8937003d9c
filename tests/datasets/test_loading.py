"""Data sets that cannot be held or computed with, and the loss of a constant predictor."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import sklearn.datasets
from scipy.optimize import minimize

from initbench import datasets
from initbench.core.losses import LOSS_OF_TASK, LOSSES
from initbench.errors import DataError
from tests.datasets.conftest import dataset


@pytest.mark.parametrize(
    ("name", "parameter"),
    [("circles", "noise"), ("spirals", "turns"), ("blobs", "cluster_std")],
)
def test_numbers_that_overflow(name: str, parameter: str) -> None:
    with pytest.raises(DataError) as caught:
        dataset(name, **{parameter: 1e308})
    message = f"{name} holds numbers that are too large to compute with; scale them down"
    assert str(caught.value) == message


def test_data_larger_than_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sklearn.datasets, "make_blobs", Mock(side_effect=MemoryError))
    with pytest.raises(DataError) as caught:
        dataset("blobs", train_samples=200, random_state=11)
    assert str(caught.value) == "blobs does not fit in memory; use fewer samples"


@pytest.mark.parametrize("name", ["circles", "breast_cancer", "digits", "diabetes"])
def test_the_constant_loss_is_least_of_all_constant_logits(name: str) -> None:
    """Against the engine's own losses, minimised by SciPy over one logit an output."""
    data = dataset(name)
    loss = LOSSES[LOSS_OF_TASK[data.task]]
    targets = data.train.targets

    def mean(logits: Any) -> float:
        repeated = np.repeat(np.asarray(logits)[None, :, None], targets.shape[1], axis=2)
        return float(loss.value(repeated, targets).mean())

    found = minimize(mean, np.zeros(len(targets)), tol=1e-10)
    assert datasets.constant_loss(data) == pytest.approx(found.fun, abs=1e-8)
