"""What is said of the data: constant features, and weights that are rows of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from initbench import config
from initbench.diagnosis.cautions import constant_features, shared_stream
from initbench.diagnosis.diagnose import diagnose

CONFIG = """
initializer: INITIALIZER
width: 20
depth: 2
dataset: {name: file, path: data.npz, target: y, standardize: STANDARDIZE}
iterations: 10
learning_rate: 0.1
seeds: [0, 1]
"""


def cautions(folder: Path, x: np.ndarray, initializer: str, standardize: str) -> tuple[str, ...]:
    y = np.arange(len(x)) % 2
    np.savez(folder / "data.npz", x=x, y=y)
    path = folder / "data.yaml"
    path.write_text(CONFIG.replace("INITIALIZER", initializer).replace("STANDARDIZE", standardize))
    found, failures, _ = diagnose(config.load([path]))
    assert failures == []
    return found[0].cautions


@pytest.mark.parametrize("initializer", ["he_normal", "glorot_normal"])
def test_a_data_set_from_the_stream_of_a_seed_is_noticed(tmp_path: Path, initializer: str) -> None:
    x = np.random.RandomState(0).standard_normal((200, 12))
    (caution,) = cautions(tmp_path, x, initializer, "none")
    assert caution.startswith("At seed 0 the first layer's weights are rows of the data")
    assert "Leave such seeds out, or draw the data with another seed." in caution


@pytest.mark.parametrize("initializer", ["he_normal", "he_uniform", "orthogonal", "zeros"])
@pytest.mark.parametrize("features", [1, 2, 12])
def test_other_data_give_no_alarm(tmp_path: Path, initializer: str, features: int) -> None:
    """At one or two features rows of any data lie along some weights: that is chance."""
    x = np.random.RandomState(12345).standard_normal((200, features))
    assert cautions(tmp_path, x, initializer, "features") == ()


def test_constant_features_are_counted() -> None:
    x = np.random.RandomState(7).standard_normal((5, 40))
    assert constant_features(x) == ""
    x[[1, 3]] = 4.0
    assert constant_features(x) == (
        "2 of 5 features are constant on the train samples and cannot tell inputs apart: inputs "
        "differ in 3 features."
    )
    x[:] = 1.0
    assert constant_features(x).startswith("All 5 features are constant on the train samples")


def test_no_seeds_no_sentence() -> None:
    assert shared_stream([]) == ""
    assert shared_stream([0, 3]).startswith("At seeds 0, 3 ")
