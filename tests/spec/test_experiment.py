"""An experiment: defaults, seeds, and values that do not go together."""

from __future__ import annotations

import re
from typing import Any

import pytest
from pydantic import ValidationError

from initbench import spec
from initbench.spec import fields
from tests.spec.conftest import experiment


def test_an_experiment_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        experiment().iterations = 3  # type: ignore[misc]


def test_defaults_are_the_article_s() -> None:
    held = experiment()
    assert (held.activation.name, held.optimizer.name, held.dataset) == (
        "relu", "gd", spec.CirclesDataset()
    )  # fmt: skip
    assert (held.batch_size, held.seeds, held.dtype, held.log_every) == (
        None, tuple(range(10)), "float64", 1000
    )  # fmt: skip
    assert held.dataset.parameters == {
        "resplit": False, "validation": None, "judged_on": "test",
        "train_samples": 300, "test_samples": 100, "train_random_state": 1,
        "test_random_state": 2, "noise": 0.05, "factor": 0.8,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("seeds", "held"),
    [
        (1, (0,)),
        (3, (0, 1, 2)),
        ([7], (7,)),
        ([5, 3], (5, 3)),
        ([0, fields.MAX_SEED], (0, fields.MAX_SEED)),
        (spec.MAX_SEEDS, tuple(range(spec.MAX_SEEDS))),
    ],
    ids=lambda value: str(value)[:12],
)
def test_seeds_are_a_count_or_a_list(seeds: object, held: tuple[int, ...]) -> None:
    assert experiment(seeds=seeds).seeds == held


@pytest.mark.parametrize(
    "seeds",
    [0, -1, spec.MAX_SEEDS + 1, True, 1.0, "3", None, [], [-1], [fields.MAX_SEED + 1], [True],
     [1, 1], list(range(spec.MAX_SEEDS + 1)), {"n": 1}],
    ids=lambda value: str(value)[:12],
)  # fmt: skip
def test_seeds_that_are_neither(seeds: object) -> None:
    with pytest.raises(ValidationError) as caught:
        experiment(seeds=seeds)
    assert {error["loc"][0] for error in caught.value.errors()} == {"seeds"}


def test_seeds_given_twice_are_named_without_delay() -> None:
    twice = [seed // 2 for seed in range(spec.MAX_SEEDS)]
    with pytest.raises(ValidationError, match="lists 0, 1, 2, 3, 4 twice; keep one of each"):
        experiment(seeds=twice)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"initializer": {"name": "uniform", "low": 1.0}}, "low must be below high"),
        (
            {"initializer": {"name": "uniform", "low": -1e308, "high": 1e308}},
            "high - low must be finite, got low -1e\\+308 and high 1e\\+308",
        ),
        ({"initializer": ["he_normal", "kaiming_normal"]}, "lists he_normal twice; keep one"),
        (
            {"initializer": {"name": "sparse", "connections": 3, "sparsity": 0.5}},
            "connections and sparsity both say how sparse; keep one",
        ),
        (
            {"initializer": {"name": "orthogonal", "gain": "torch"}, "activation": "gelu"},
            "PyTorch's calculate_gain has no value for gelu, only for identity, .*gain: exact",
        ),
        ({"iterations": 100_000, "log_every": 1}, "would log 100,001 points .* at least 2$"),
    ],
)
def test_values_that_do_not_go_together(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError) as caught:
        experiment(**changes)
    error, *_ = caught.value.errors()  # without an item, the list is found too short as well
    assert re.search(says, str(error["ctx"]["error"]))


def test_log_points_at_the_limit() -> None:
    assert experiment(iterations=99_999, log_every=1).log_every == 1
    assert experiment(iterations=100_000, log_every=2).log_every == 2


def test_sizes_wait_for_the_data() -> None:
    assert experiment().architecture.sizes == (2, 3, 1)
    with pytest.raises(ValueError, match="load the config with"):
        _ = experiment(layers=None, width=3, depth=2).architecture.sizes
