"""A validation split: taken from the train samples, never from the test samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from initbench import datasets, spec
from initbench.analysis.contests import VALIDATION, with_validation
from initbench.runs import identity, plan
from initbench.spec import Experiment

NAMES = sorted(set(spec.DATASET_MODELS) - {"file"})


def load(name: str, **parameters: Any) -> datasets.Dataset:
    return datasets.load(spec.DATASET_MODELS[name](name=name, **parameters))


@pytest.mark.parametrize("name", NAMES)
def test_three_parts_are_disjoint_and_complete(name: str) -> None:
    """Without scaling, so that samples can be told by their numbers."""
    plain = (
        {"standardize": "none"} if "standardize" in spec.DATASET_MODELS[name].model_fields else {}
    )
    whole = load(name, **plain)
    judged = load(name, **plain, validation=0.2)
    chosen = load(name, **plain, validation=0.2, judged_on="validation")
    assert np.array_equal(judged.test.inputs, whole.test.inputs)
    assert np.array_equal(judged.train.inputs, chosen.train.inputs)
    train, held = (
        {tuple(sample) for sample in split.inputs.T} for split in (judged.train, chosen.test)
    )
    every = {tuple(sample) for sample in whole.train.inputs.T}
    assert train | held == every
    count = whole.train.inputs.shape[1]
    assert chosen.test.inputs.shape[1] == pytest.approx(0.2 * count, abs=1)
    assert judged.train.inputs.shape[1] + chosen.test.inputs.shape[1] == count
    if whole.task != "regression":
        shares = [split.targets.mean(axis=1) for split in (judged.train, chosen.test)]
        assert shares[0] == pytest.approx(shares[1], abs=0.05)


def test_scaling_is_fitted_on_what_is_trained_on() -> None:
    judged = load("wine", validation=0.3)
    assert judged.train.inputs.mean(axis=1) == pytest.approx(np.zeros(13), abs=1e-12)
    assert judged.train.inputs.std(axis=1) == pytest.approx(np.ones(13))


def test_the_samples_to_judge_on_must_be_there() -> None:
    with pytest.raises(ValidationError, match=r"add validation, as in 0\.2"):
        spec.CirclesDataset(judged_on="validation")


def experiment(**keys: Any) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "c", "initializer": "he_normal", "layers": [2, 3, 1], "iterations": 5,
            "learning_rate": 0.1, **keys,
        }
    )  # fmt: skip


def test_a_test_metric_never_chooses_on_the_test_samples() -> None:
    swept = [experiment(sweep={"learning_rate": [0.1]})]
    (judged,), (chosen,) = with_validation(swept, "test_accuracy")
    assert (judged.dataset.validation, judged.dataset.judged_on) == (VALIDATION, "test")
    assert (chosen.dataset.validation, chosen.dataset.judged_on) == (VALIDATION, "validation")
    own = [
        experiment(sweep={"learning_rate": [0.1]}, dataset={"name": "circles", "validation": 0.4})
    ]
    assert with_validation(own, "test_loss")[0][0].dataset.validation == 0.4
    assert with_validation(swept, "train_loss") == (swept, [])
    assert with_validation([experiment()], "test_loss") == ([experiment()], [])


def test_without_it_an_identity_does_not_know_of_it() -> None:
    (run, *_) = plan.runs([experiment()])
    known = identity.resolved(run, None)["dataset"]
    assert not {"validation", "judged_on", "resplit"} & known.keys()
    (other, *_) = plan.runs([experiment(dataset={"name": "circles", "validation": 0.2})])
    assert identity.identity(run, None) != identity.identity(other, None)
