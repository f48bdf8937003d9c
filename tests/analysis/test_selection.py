"""Settings of a sweep: no seed judges what it chose, and a choice is a trained one."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initbench.analysis.comparison import Contest, Row, compare
from initbench.analysis.selection import FOLDS, select_setting
from initbench.runs.records import Record
from tests.analysis.conftest import LN2, record


def sweep(losses: dict[Any, list[float]], key: str = "rate") -> list[Record]:
    """Records of one initializer: swept value -> a final loss a seed."""
    return [
        record([loss], seed=seed, setting={key: value})
        for value, of_value in losses.items()
        for seed, loss in enumerate(of_value)
    ]


def row_of(losses: dict[Any, list[float]], key: str = "rate") -> Row:
    (row,) = compare([Contest(sweep(losses, key), LN2)])
    return row


def test_a_seed_is_judged_at_the_setting_that_the_others_choose() -> None:
    """Seeds 0 to 2 are better at 1, by little; without one of them the others choose 2."""
    losses = {1: [0.1, 0.1, 0.1, 0.3, 0.3], 2: [0.2, 0.2, 0.2, 0.2, 0.2]}
    row = row_of(losses)
    assert (row.setting, row.chosen_by, row.apart) == ({"rate": 1}, 5, True)
    selection = select_setting(sweep(losses), "train_loss", lambda _: True)
    judged = {one.seed: one.setting["rate"] for one in selection.records}
    # Of the four others at 1, median 0.2 ties with 2's, and the first setting is taken.
    assert judged == {0: 1, 1: 1, 2: 1, 3: 1, 4: 1}
    luckier = {1: [0.1, 0.1, 0.1, 0.3, 0.3], 2: [0.19, 0.19, 0.19, 0.19, 0.19]}
    selection = select_setting(sweep(luckier), "train_loss", lambda _: True)
    judged = {one.seed: one.setting["rate"] for one in selection.records}
    assert selection.setting == {"rate": 1}
    assert judged == {0: 2, 1: 2, 2: 2, 3: 1, 4: 1}
    assert selection.agreeing == 2


@given(st.integers(2, 25), st.integers(2, 4), st.randoms(use_true_random=False))
def test_a_seeds_own_result_never_moves_its_setting(seeds: int, settings: int, random: Any) -> None:
    losses = {
        rate: [random.random() for _ in range(seeds)] for rate in range(1, settings + 1)
    }  # fmt: skip
    before = select_setting(sweep(losses), "train_loss", lambda _: True)
    seed = random.randrange(seeds)
    fold = set(range(seed % FOLDS, seeds, FOLDS))
    for of_rate in losses.values():
        for judge in fold:
            of_rate[judge] = random.random()
    after = select_setting(sweep(losses), "train_loss", lambda _: True)
    settings_at = [
        {one.seed: one.setting for one in selection.records if one.seed in fold}
        for selection in (before, after)
    ]
    assert settings_at[0] == settings_at[1]
    assert [one.seed for one in after.records] == list(range(seeds))


def test_a_setting_that_trains_comes_before_one_that_does_not() -> None:
    """At 2 the median is lower than at 1, but most runs end where a constant would."""
    row = row_of({1: [0.60, 0.62, 0.61, 0.63], 2: [0.01, 0.01, 0.6931, 0.6931]})
    assert row.setting == {"rate": 2}  # half of them trained
    row = row_of({1: [0.60, 0.65, 0.61, 0.63], 2: [0.01, 0.69, 0.6931, 0.67]}, "x")
    assert (row.setting, row.trained) == ({"x": 1}, 4)


def test_worse_by_is_never_negative() -> None:
    row = row_of({1: [0.5, 0.5, 0.5], 2: [0.4, 0.6, 0.9], 3: [math.inf, math.inf, 0.1]})
    worse = {s.setting["rate"]: s.worse_by for s in row.settings}
    assert worse == {1: 0.0, 2: pytest.approx(0.1), 3: math.inf}


def test_one_seed_chooses_and_judges_and_says_so() -> None:
    row = row_of({1: [0.5], 2: [0.4]})
    assert (row.setting, row.runs, row.chosen_by, row.apart) == ({"rate": 2}, 1, 1, False)


def test_an_edge_of_the_grid_names_the_value_to_add() -> None:
    def beyond(best: float) -> Any:
        rates = (0.1, 1.0, 10.0)
        records = sweep({rate: [0.1 if rate == best else 0.5] * 3 for rate in rates})
        return select_setting(records, "train_loss", lambda _: True).beyond

    assert beyond(1.0) == ()
    assert beyond(0.1) == (("rate", 0.01),)
    assert beyond(10.0) == (("rate", 100.0),)
    words = sweep({"gd": [0.1] * 3, "adam": [0.5] * 3}, "optimizer")
    assert select_setting(words, "train_loss", lambda _: True).beyond == ()


def test_of_a_sweep_cut_short_every_seed_is_judged_where_it_has_run() -> None:
    """Of the better setting only three seeds finished: the others are judged at the other one."""
    better = [record([0.1], seed=seed, setting={"rate": 1}) for seed in range(3)]
    worse = [record([0.2], seed=seed, setting={"rate": 2}) for seed in range(9)]
    (row,) = compare([Contest([*better, *worse], LN2)])
    assert (row.setting, row.runs, row.chosen_by) == ({"rate": 1}, 9, 9)


def test_validation_samples_choose_and_test_samples_judge() -> None:
    """Rate 2 has the lower test loss, rate 1 the lower loss on the validation samples."""
    records = sweep({1: [0.5] * 4, 2: [0.4] * 4})
    choosing = sweep({1: [0.2] * 4, 2: [0.3] * 4})
    selection = select_setting(records, "test_loss", lambda _: True, choosing)
    assert (selection.setting, selection.on_validation) == ({"rate": 1}, True)
    assert [one.metric("test_loss") for one in selection.records] == [0.5] * 4
    assert {s.setting["rate"]: s.worse_by for s in selection.settings} == {
        1: 0.0, 2: pytest.approx(0.1),
    }  # fmt: skip
    alone = select_setting(records, "test_loss", lambda _: True)
    assert (alone.setting, alone.on_validation) == ({"rate": 2}, False)
