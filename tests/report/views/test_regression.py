"""R squared and the error of a regression, against scikit-learn's metrics in the target's unit."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from sklearn.datasets import load_diabetes
from sklearn.metrics import r2_score, root_mean_squared_error

from initbench import datasets
from initbench.analysis.intervals import Interval
from initbench.analysis.summary import Spread
from initbench.report.views.regression import Scale, cells, fields, scale_of, short_cell
from initbench.spec import Experiment
from initbench.spec.datasets import DiabetesDataset


def experiment(dataset: object) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "c", "initializer": "zeros", "layers": [10, 1], "iterations": 1,
            "learning_rate": 0.1, "dataset": dataset,
        }
    )  # fmt: skip


def test_both_are_scikit_learn_s() -> None:
    scale = scale_of(experiment("diabetes"))
    assert scale is not None
    data = datasets.load(DiabetesDataset())
    standard = data.test.targets[0]
    _, y = load_diabetes(return_X_y=True)
    assert np.sort((standard * scale.unit)[:, None] + y).size  # the unit is the target's
    predicted = standard + np.random.RandomState(0).normal(0, 0.7, len(standard))
    loss = float(np.mean((predicted - standard) ** 2))
    assert scale.r_squared(loss) == pytest.approx(r2_score(standard, predicted))
    raw, raw_predicted = standard * scale.unit + 150, predicted * scale.unit + 150
    assert scale.r_squared(loss) == pytest.approx(r2_score(raw, raw_predicted))
    assert scale.error(loss) == pytest.approx(root_mean_squared_error(raw, raw_predicted))
    assert all(np.isclose(y, value).any() for value in raw - 150 + _mean())


def _mean() -> float:
    """The mean of the target over the train samples of the default split."""
    from sklearn.model_selection import train_test_split

    _, y = load_diabetes(return_X_y=True)
    train, _ = train_test_split(y, test_size=0.25, random_state=0)
    return float(train.mean())


def test_classes_and_splits_of_each_seed_have_no_scale() -> None:
    assert scale_of(experiment("breast_cancer")) is None
    assert scale_of(experiment({"name": "diabetes", "resplit": True})) is None


SCALE = Scale("price", 20.0, 1.25)


def test_a_higher_loss_is_a_lower_r_squared() -> None:
    spread = Spread(0.25, 0.05, 1.0)
    assert list(cells(SCALE, spread).values()) == ["0.800\n0.200–0.960", "10\n4.47–20"]
    assert fields(SCALE, spread) == {
        "test_r_squared": {"median": 0.8, "low": pytest.approx(0.2), "high": pytest.approx(0.96)},
        "test_error": {"median": 10, "low": pytest.approx(math.sqrt(20)), "high": 20},
    }
    assert fields(None, spread) == {}
    assert set(fields(SCALE, None).values()) == {None}


@pytest.mark.parametrize(
    ("loss", "texts"),
    [
        (Interval(0.25, -math.inf, math.inf), ["0.800", "10"]),
        (Spread(math.inf, 0.25, math.inf), ["-inf\n-inf–0.800", "inf\n10–inf"]),
        (Spread(1.25, 1.25, 1.25), ["0.000", "22.4"]),
        (Spread(1e9, 1e9, 1e9), ["-8e+08", "632,456"]),
        (Spread(1e99, 1e99, 1e99), ["-8e+98", "6.32e+50"]),
        (None, ["-", "-"]),
    ],
)
def test_ends_that_are_not_numbers(loss: Spread | Interval | None, texts: list[str]) -> None:
    assert list(cells(SCALE, loss).values()) == texts
    assert short_cell(SCALE, loss).split("\n")[0] == texts[0].split("\n")[0]
    json.dumps(fields(SCALE, loss), allow_nan=False)
