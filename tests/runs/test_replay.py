"""Replays: runs trained again, to look at their weights."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

import initbench
from initbench import datasets
from initbench.api.sources import experiments_of
from initbench.core.arrays import Array
from initbench.core.engine.numpy_stack import evaluate
from initbench.errors import InitbenchError
from initbench.runs import identity, plan
from initbench.runs.execute import prepare
from initbench.runs.plan import Run
from initbench.runs.records import Record
from initbench.runs.replay import replay, weights
from initbench.runs.runner import Execution, train

CONFIG: dict[str, Any] = {
    "initializer": ["he_normal", "zeros", {"name": "normal", "std": 30}],
    "layers": [2, 5, 1],
    "iterations": 45,
    "log_every": 20,
    "learning_rate": 0.5,
    "seeds": [4, 1],
}


def trained(**keys: Any) -> tuple[list[Record], dict[str, Run]]:
    merged = {key: value for key, value in {**CONFIG, **keys}.items() if value is not None}
    experiments = experiments_of(merged)
    runs = plan.runs(experiments)
    ids = identity.identities(runs, datasets.fingerprint)
    records = train(experiments, Execution(jobs=1)).records
    return records, dict(zip(ids, runs, strict=True))


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"batch_size": 32, "optimizer": "adam"},
        {"dtype": "float32"},
        {"dataset": {"name": "moons", "resplit": True}},
        {
            "sweep": {"learning_rate": [0.1, 0.5], "width": [3, 4]},
            "depth": 2,
            "width": 3,
            "layers": None,
        },
    ],
    ids=str,
)
def test_a_replay_makes_the_same_numbers_at_every_log_point(keys: dict[str, Any]) -> None:
    records, runs = trained(**keys)

    def look(run: Run, iteration: int, layers: Sequence[Array]) -> tuple[int, float]:
        """The train loss, computed from the weights that are seen."""
        task = prepare(plan.Stack((run,), (0,))).task
        theta = task.architecture.zeros(1)
        for view, layer in zip(task.architecture.views(theta), layers, strict=True):
            view[0] = layer
        return iteration, float(evaluate(task, theta, task.train)[0][0])

    replayed = replay([runs[record.id] for record in records], look)
    assert [one.curve for one in replayed] == [record.curve for record in records]
    for one, record in zip(replayed, records, strict=True):
        assert [at for at, _ in one.seen] == list(record.curve.iteration)
        assert [loss for _, loss in one.seen] == list(record.curve.train_loss)


def test_weights_begin_as_drawn_and_are_out_by_in() -> None:
    records, runs = trained()
    kept = weights(records, runs, "logged")
    assert [(w.initializer, w.seed) for w in kept[:3]] == [
        ("he_normal", 4), ("he_normal", 1), ("zeros", 4)
    ]  # fmt: skip
    for one in kept:
        assert one.reproduced
        assert one.iterations == (0, 20, 40, 45)
        assert [layer.weights.shape for layer in one.layers] == [(4, 5, 2), (4, 1, 5)]
        assert [layer.biases.shape for layer in one.layers] == [(4, 5), (4, 1)]
    drawn = initbench.draw("he_normal", (5, 2), seed=4)
    assert np.array_equal(kept[0].layers[0].weights[0], drawn)
    assert not kept[2].layers[0].weights.any()


def test_only_the_ends_are_kept_unless_all_are_asked_for() -> None:
    records, runs = trained()
    ends, logged = weights(records, runs)[0], weights(records, runs, "logged")[0]
    assert ends.iterations == (0, 45)
    for few, many in zip(ends.layers, logged.layers, strict=True):
        assert np.array_equal(few.weights, many.weights[[0, -1]])


def test_a_diverged_run_is_seen_up_to_the_point_that_showed_it() -> None:
    regression = {"name": "diabetes"}
    records, runs = trained(
        initializer=["he_normal", "zeros"], layers=[10, 5, 1], dataset=regression, learning_rate=9
    )
    diverged = [record for record in records if record.status == "diverged"]
    assert diverged
    for one in weights(diverged, runs, "logged"):
        record = next(r for r in diverged if r.id == one.id)
        assert one.iterations == record.curve.iteration
        assert one.reproduced


def test_a_replay_of_other_numbers_says_so() -> None:
    records, runs = trained(initializer="he_normal")
    record = records[0]
    other = runs[records[1].id]
    (one,) = weights([record], {record.id: other})
    assert not one.reproduced


def test_an_npz_file_holds_all_of_it() -> None:
    records, runs = trained(initializer="he_normal")
    one = weights(records, runs)[0]
    with np.load(io.BytesIO(one.npz())) as file:
        assert file["iterations"].tolist() == [0, 45]
        assert np.array_equal(file["layer2.weights"], one.layers[1].weights)
        assert np.array_equal(file["layer2.biases"], one.layers[1].biases)
        assert str(file["id"]) == records[0].id
        assert str(file["initializer"]) == "he_normal"
        assert int(file["seed"]) == 4
        assert bool(file["reproduced"])
    assert one.npz() == one.npz()


def test_the_api_gives_weights_where_they_are_asked_for() -> None:
    assert initbench.run(CONFIG).weights == ()
    kept = initbench.run(CONFIG, weights="logged").weights
    assert len(kept) == 6
    with pytest.raises(InitbenchError, match="weights: must be ends or logged"):
        initbench.run(CONFIG, weights="all")  # type: ignore[arg-type]
