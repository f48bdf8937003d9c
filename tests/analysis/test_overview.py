"""What stands beside a ranking: matrices of sweeps, scores over problems, disagreements."""

from __future__ import annotations

import dataclasses
import math

from initbench.analysis.comparison import Contest, compare
from initbench.analysis.overview import MatrixCell, disagreement, matrices, scores
from initbench.report.views.overview import matrix_tables
from initbench.runs.records import Record
from tests.analysis.conftest import LN2, record


def of(name: str, loss: float, seed: int, setting: dict[str, object]) -> Record:
    return dataclasses.replace(record([loss], seed=seed, setting=setting), initializer=name)


def test_a_matrix_has_a_row_an_initializer_and_a_column_a_value() -> None:
    losses = {("he", 0.1): 0.3, ("he", 1.0): 0.2, ("zeros", 0.1): LN2, ("zeros", 1.0): math.inf}
    records = [
        of(name, loss, seed, {"learning_rate": rate})
        for (name, rate), loss in losses.items()
        for seed in range(3)
    ]
    (matrix,) = matrices([Contest(records, LN2)], "train_loss")
    assert (matrix.key, matrix.values, matrix.fixed) == ("learning_rate", (0.1, 1.0), {})
    he, zeros = matrix.rows
    assert (he.cells, he.best) == ((MatrixCell(0.3, 3, 3), MatrixCell(0.2, 3, 3)), 1)
    assert (zeros.cells, zeros.best) == ((MatrixCell(LN2, 0, 3), MatrixCell(math.inf, 0, 3)), None)


def test_the_best_of_a_row_is_a_setting_at_which_half_of_the_runs_trained() -> None:
    records = [
        of("he", loss, seed, {"learning_rate": 1.0}) for seed, loss in enumerate((0.1, 1, 1))
    ]
    records += [of("he", 0.5, seed, {"learning_rate": 0.1}) for seed in range(3)]
    records += [of("he", 0.2, seed, {"learning_rate": 9.0}) for seed in range(2)]
    records += [of("he", math.inf, 2, {"learning_rate": 9.0})]
    (matrix,) = matrices([Contest(records, LN2)], "train_loss")
    assert matrix.rows[0].best == matrix.values.index(9.0)
    (matrix,) = matrices([Contest(records[:6], LN2)], "train_loss")
    assert matrix.rows[0].best == matrix.values.index(0.1)


def test_nine_columns_are_two_tables_and_the_best_is_marked_in_its_own() -> None:
    records = [of("he", 0.5 - rate / 100, 0, {"learning_rate": rate}) for rate in range(1, 10)]
    (matrix,) = matrices([Contest(records, LN2)], "train_loss")
    first, second = matrix_tables(matrix)
    assert (len(first.header), len(second.header)) == (9, 2)
    assert (set(first.strong), set(second.strong)) == (set(), {(0, 1)})
    assert second.rows[0][1].startswith("> 0.41")


def test_problems_that_share_no_initializer_have_no_summary() -> None:
    assert scores(compare([contest({"he": 0.1}), contest({"xavier": 0.1})])) == []


def test_of_two_keys_the_longer_makes_columns_and_the_other_matrices() -> None:
    records = [
        of("he", rate + size / 100, 0, {"batch_size": size, "learning_rate": rate})
        for size in (8, 16)
        for rate in (0.1, 0.2, 0.3)
    ]
    found = matrices([Contest(records, LN2)], "train_loss")
    assert [(m.key, len(m.values), m.fixed) for m in found] == [
        ("learning_rate", 3, {"batch_size": 8}), ("learning_rate", 3, {"batch_size": 16}),
    ]  # fmt: skip


def test_without_a_choice_there_is_no_matrix() -> None:
    records = [of("he", 0.1, seed, {}) for seed in range(3)]
    assert matrices([Contest(records, LN2)], "train_loss") == []
    assert matrices([Contest([of("he", 0.1, 0, {"dtype": "float64"})], LN2)], "train_loss") == []


def contest(losses: dict[str, float]) -> Contest:
    return Contest(
        [of(name, loss + seed / 1000, seed, {}) for name, loss in losses.items()
         for seed in range(8)], LN2,
    )  # fmt: skip


def test_wins_are_told_by_the_marks() -> None:
    rows = compare([
        contest({"he": 0.1, "xavier": 0.1, "zeros": LN2}),
        contest({"he": 0.3, "xavier": 0.2, "zeros": LN2}),
    ])  # fmt: skip
    found = {s.name: (s.wins, s.ties, s.losses, s.mean_rank, s.problems) for s in scores(rows)}
    assert found == {
        "he": (1, 2, 1, 1.5, 2), "xavier": (3, 1, 0, 1.0, 2), "zeros": (0, 1, 3, 3.0, 2),
    }  # fmt: skip
    assert next(iter(scores(rows))).name == "xavier"
    assert scores([row for row in rows if row.problem == 0]) == []


def test_train_and_test_may_disagree_about_the_best() -> None:
    records = []
    for name, (train, test) in {"he": (0.1, 0.5), "xavier": (0.2, 0.4)}.items():
        for seed in range(3):
            one = of(name, train, seed, {})
            records.append(
                dataclasses.replace(one, curve=dataclasses.replace(one.curve, test_loss=(test,)))
            )
    rows = compare([Contest(records, LN2)])
    found = disagreement(rows)
    assert found is not None
    metric, first, other = found
    assert (metric, first.initializer, other.initializer) == ("test_loss", "he", "xavier")
    assert disagreement(compare([contest({"he": 0.1, "zeros": LN2})])) is None
    assert disagreement([dataclasses.replace(row, trained=0) for row in rows]) is None
