"""Which initializers compete: those of experiments that pose the same problem."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from initbench import datasets
from initbench.analysis.contests import contests, problem, with_validation
from initbench.runs.records import NO_CURVE, Record
from initbench.spec import Experiment


def experiment(**changes: Any) -> Experiment:
    fields: dict[str, Any] = {
        "initializer": ["he_normal", "zeros"],
        "layers": [2, 4, 1],
        "iterations": 10,
        "learning_rate": 0.1,
        "seeds": 1,
        "name": "a",
        **changes,
    }
    return Experiment(**fields)


def swept(**sweep: list[Any]) -> list[Experiment]:
    """An experiment for each value of the one key that is swept."""
    ((key, values),) = sweep.items()
    return [experiment(**{key: value, "sweep": {key: [value]}}) for value in values]


def records(e: Experiment) -> list[Record]:
    return [
        Record("", e.name, choice.label, e.setting, seed, "failed", NO_CURVE, 0.0)
        for choice in e.initializer
        for seed in e.seeds
    ]


def test_configs_of_one_problem_compete_and_others_do_not() -> None:
    one, other = experiment(), experiment(name="b", initializer="ones")
    apart = experiment(name="c", layers=[2, 5, 1])
    every = [record for e in (apart, one, other) for record in records(e)]
    found = contests([apart, one, other], every)
    assert [contest.experiments for contest in found] == [(apart,), (one, other)]
    assert [[r.initializer for r in contest.records] for contest in found] == [
        ["he_normal", "zeros"],
        ["he_normal", "zeros", "ones"],
    ]
    loss = datasets.constant_loss(datasets.load(one.dataset))
    assert [contest.constant_loss for contest in found] == [loss, loss]


def test_a_problem_without_records_is_no_contest() -> None:
    one, apart = experiment(), experiment(name="c", layers=[2, 5, 1])
    assert [contest.experiments for contest in contests([one, apart], records(apart))] == [(apart,)]
    assert contests([one, apart], []) == []


def test_the_points_of_a_tuning_sweep_compete_and_those_of_another_do_not() -> None:
    for points, number in (
        (swept(learning_rate=[0.1, 0.2]), 1),
        (swept(iterations=[5, 10]), 2),
        (swept(log_every=[5, 10]), 2),
    ):
        every = [record for e in points for record in records(e)]
        assert len(contests(points, every)) == number


def test_a_record_belongs_to_an_experiment() -> None:
    (record, *_) = records(experiment())
    with pytest.raises(KeyError):
        contests([experiment()], [replace(record, config="another")])


def test_the_problem_of_configs_that_differ_in_words_is_one() -> None:
    assert problem(experiment()) == problem(experiment(name="b", description="words", seeds=3))


def test_biases_compete_as_weights_do() -> None:
    """They belong to a start; a sweep of them is a setting, which validation samples choose."""
    plain, none = experiment(), experiment(name="b", bias="none")
    assert problem(plain) == problem(none)
    one, other = swept(bias=["zeros", "prior"])
    assert problem(one) == problem(other) != problem(plain)
    judging, choosing = with_validation([one, other], "test_loss")
    assert [e.dataset.judged_on for e in (*judging, *choosing)] == [
        "test", "test", "validation", "validation",
    ]  # fmt: skip
