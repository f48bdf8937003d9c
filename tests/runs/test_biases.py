"""Biases and initializers by layer in whole runs: identities, first losses, the train split."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import entropy

from initbench import config, datasets
from initbench.core.losses import LOSSES
from initbench.runs import identity, plan
from initbench.runs.execute import draw_work, prepare
from initbench.runs.records import Record
from initbench.runs.replay import weights
from initbench.runs.runner import Execution, train, train_afresh
from initbench.spec import Experiment

HEAD = {"hidden": "he_normal", "output": "zeros"}


def loaded(folder: Path, **keys: Any) -> list[Experiment]:
    base = {"initializer": "he_normal", "layers": [2, 4, 1], "iterations": 2, "learning_rate": 1}
    lines = [f"{key}: {config_text(value)}" for key, value in (base | {"seeds": 1} | keys).items()]
    (folder / "c.yaml").write_text("\n".join(line for line in lines if "None" not in line))
    return config.load([folder / "c.yaml"])


def config_text(value: Any) -> str:
    return str(value).replace("'", "")


def ids(folder: Path, **keys: Any) -> list[str]:
    return identity.identities(plan.runs(loaded(folder, **keys)), datasets.fingerprint)


def records(folder: Path, **keys: Any) -> list[Record]:
    return train_afresh(plan.runs(loaded(folder, **keys)), Execution(jobs=1))


@pytest.mark.parametrize(
    ("initializer", "known"),
    [
        ("he_normal", "c03bf0a852e310b4"),
        ("torch_default", "78b43f72fcda42d4"),
        ({"name": "normal", "std": 0.1, "dialect": "torch"}, "5008e647a7054b34"),
        ("lsuv", "ef9e905704682077"),
    ],
)
def test_runs_of_before_are_found(initializer: Any, known: str, tmp_path: Path) -> None:
    """These identities are of the time before there was a key for biases."""
    assert ids(tmp_path, initializer=initializer) == [known]
    assert ids(tmp_path, initializer=initializer, bias="initializer") == [known]
    same = {"hidden": initializer, "output": initializer}
    assert ids(tmp_path, initializer=same) == [known]
    zeros = ids(tmp_path, initializer=initializer, bias="zeros") == [known]
    assert zeros == (initializer != "torch_default")  # which draws biases


def test_what_all_layers_have_is_one_identity_however_it_is_written(tmp_path: Path) -> None:
    equal: list[list[dict[str, Any]]] = [
        [{"bias": "prior"}, {"bias": {"output": "prior"}}, {"bias": {"2": "prior", "1": 0}}],
        [{"bias": "none"}, {"bias": {"hidden": "none", "output": "none"}}],
        [
            {"bias": 0.5},
            {"bias": {"name": "constant", "value": 0.5}},
            {"bias": {"1": 0.5, "2": 0.5}},
        ],
        [{"initializer": HEAD}, {"initializer": {"first": "he_normal", "2": "zeros"}}],
    ]
    for same in equal:
        assert len({tuple(ids(tmp_path, **keys)) for keys in same}) == 1


def test_every_other_start_has_an_identity_of_its_own(tmp_path: Path) -> None:
    starts: list[dict[str, Any]] = [
        {}, {"bias": "none"}, {"bias": "prior"}, {"bias": 1}, {"bias": "torch_default"},
        {"bias": {"hidden": "none"}}, {"bias": {"output": "none"}}, {"bias": {"hidden": 1}},
        {"initializer": HEAD}, {"initializer": "zeros"}, {"initializer": HEAD, "bias": "none"},
    ]  # fmt: skip
    assert len({tuple(ids(tmp_path, **keys)) for keys in starts}) == len(starts)


@pytest.mark.parametrize("dataset", ["digits", "wine", "circles", "breast_cancer", "diabetes"])
def test_a_zero_head_starts_at_the_loss_of_knowing_nothing(dataset: str, tmp_path: Path) -> None:
    """log C at biases of 0, and the entropy of the class shares at the prior."""
    sizes: dict[str, Any] = {"layers": None, "width": 5, "depth": 2, "dataset": dataset}
    data = datasets.load(loaded(tmp_path, **sizes)[0].dataset)
    targets = data.train.targets
    if data.task == "regression":
        expected = {"zeros": (targets**2).mean(), "prior": targets.var()}
    else:
        shares = targets.mean(axis=1)
        shares = np.array([1 - shares[0], shares[0]]) if len(shares) == 1 else shares
        expected = {"zeros": math.log(len(shares)), "prior": entropy(shares)}
    for bias, loss in expected.items():
        for record in records(tmp_path, initializer=HEAD, bias=bias, seeds=2, **sizes):
            # Rounding of a sum over the samples, each within a few ulps.
            assert record.curve.train_loss[0] == pytest.approx(loss, rel=1e-13)


def test_the_prior_is_of_the_samples_that_a_run_trains_on(tmp_path: Path) -> None:
    """Not of the test or validation samples, and of each seed's own split."""
    split = "{name: wine, resplit: true, validation: 0.2, test_fraction: 0.4}"
    keys: dict[str, Any] = {"layers": [13, 3], "dataset": split, "bias": "prior", "seeds": 3}
    runs = plan.runs(loaded(tmp_path, **keys))
    found = []
    for stack in plan.stacks(runs, 1, lambda _: 64):
        (run,) = stack.runs
        work, draws = draw_work(prepare(stack))
        (layer,) = work.task.architecture.views(draws.theta)
        shares = datasets.load(run.experiment.dataset).train.targets.mean(axis=1)
        np.testing.assert_allclose(layer[0, :, -1], np.log(shares), rtol=1e-15)
        found.append(layer[0, :, -1].tolist())
    whole = datasets.load(loaded(tmp_path, layers=[13, 3], dataset="wine")[0].dataset)
    everything = np.concatenate([whole.train.targets, whole.test.targets], axis=1).mean(axis=1)
    assert not any(np.allclose(one, np.log(everything), rtol=1e-6) for one in found)


def test_a_class_without_samples_counts_half_of_one() -> None:
    targets = np.zeros((3, 10))
    targets[0, :4], targets[1, 4:] = 1, 1
    assert LOSSES["cross_entropy"].prior(targets) == pytest.approx(np.log([0.4, 0.6, 0.05]))
    assert LOSSES["binary_cross_entropy"].prior(np.ones((1, 10))) == pytest.approx([math.log(19)])
    assert LOSSES["mean_squared_error"].prior(np.array([[1.0, 2.0]])) == pytest.approx([1.5])


def test_all_biases_in_one_command_are_those_alone(tmp_path: Path) -> None:
    """Bit for bit, in stacks with others and in workers; and a layer without biases gets none."""
    choices = [*("zeros", "none", "prior"), 0.5, "torch_default", {"hidden": "none", "output": 1}]
    keys: dict[str, Any] = {
        "initializer": ["he_normal", HEAD, {"hidden": "torch_default", "output": "zeros"}],
        "dataset": "wine", "layers": [13, 6, 3], "seeds": 2, "iterations": 20, "log_every": 10,
        "learning_rate": 0.1, "optimizer": "adam",
    }  # fmt: skip
    experiments = loaded(tmp_path, **keys, sweep={"bias": choices})
    together = train(experiments, Execution(jobs=2)).records
    alone = [record for bias in choices for record in records(tmp_path, **keys, bias=bias)]
    assert [r.curve for r in together] == [r.curve for r in alone]
    assert [r.id for r in together] == [r.id for r in alone]
    assert len({r.id for r in together}) == len(together) == 36
    runs = plan.runs(experiments)
    for one in weights(together, {r.id: run for r, run in zip(together, runs, strict=True)}):
        assert one.reproduced
        bias = one.setting["bias"]
        trained = [bool(layer.biases[-1].any()) for layer in one.layers]
        assert trained == [bias != "none" and not isinstance(bias, dict), bias != "none"]
