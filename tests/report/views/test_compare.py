from __future__ import annotations

import dataclasses
import math

import pytest

from initbench.analysis import comparison as stats
from initbench.analysis.comparison import Contest, Row, Target
from initbench.files import json_text
from initbench.metrics import METRICS
from initbench.report.render.markdown import markdown_table
from initbench.report.views import compare as comparison
from initbench.report.views import rows as ranked
from initbench.runs.records import NO_CURVE, Curve, Record
from tests.report.conftest import Rendered


def record(config: str, seed: int, loss: float, rate: float | None = None) -> Record:
    curve = Curve((0, 10), (0.7, loss), (0.5, 1 - loss), (0.7, loss), (0.5, 1 - loss))
    setting = {} if rate is None else {"learning_rate": rate}
    status = "ok" if math.isfinite(loss) else "diverged"
    return Record("", config, f"{config}_normal", setting, seed, status, curve, 0.0)  # type: ignore[arg-type]


def rows(seeds: int = 8, target: Target | None = None) -> list[Row]:
    records = [record("he", seed, 0.1 + seed / 100) for seed in range(seeds)]
    records += [record("glorot", seed, 0.11 + (seeds - seed) / 100) for seed in range(seeds)]
    records += [record("zeros", seed, math.log(2)) for seed in range(seeds)]
    return stats.compare([Contest(records, math.log(2))], "train_loss", target)


def test_a_comparison_at_80_columns(rendered: Rendered) -> None:
    (table,) = comparison.comparison_tables("the problem", rows(), None)
    assert rendered(table, 80) == (
        "the problem\n"
        "\n"
        "                                    test            difference\n"
        "     config             train   accuracy     runs      to best\n"
        "  #  (initializer)       loss          %  learned   + is worse  standing\n"
        " ────────────────────────────────────────────────────────────────────────\n"
        " 1*  he                 0.135       86.5      8/8               best\n"
        "     he_normal      0.11–0.16  84.0–89.0\n"
        " 2*  glorot             0.155       84.5      8/8        +0.02  undecided\n"
        "     glorot_normal  0.13–0.18  82.0–87.0           -0.02…+0.06\n"
        "  3  zeros             0.6931       30.7      0/8       +0.558  worse\n"
        "     zeros_normal                                  +0.53…+0.59\n"
        "\n"
        "#: rank by train loss. Median over 8 seeds, then its 95 % interval (bootstrap,\n"
        "10,000 resamples, seed 0). Loss is in nats.\n"
        "Difference: the Hodges-Lehmann estimate over paired seeds, which need not equal\n"
        "the difference of the medians, and its interval (permutation test, 5 % for the\n"
        "whole table).\n"
        "*: the interval holds 0, so that the row cannot be told from the best. As good:\n"
        "the interval is within 0.0068, the least difference that counts.\n"
        "Probably enough to decide: glorot glorot_normal about 33 seeds.\n"
        "Learned: the run ended with a train loss at least 5 % below that of the best\n"
        "constant predictor.\n"
    )


def test_with_few_seeds_nothing_is_told_apart() -> None:
    (table,) = comparison.comparison_tables("the problem", rows(5), None)
    assert [row[0] for row in table.rows] == ["1", "2", "3"]
    assert (
        "5 paired seeds: nothing can be told apart with fewer than 6; --seeds 10 gives intervals "
        "and marks." in table.caption
    )
    assert "Hodges" not in table.caption


def test_a_caption_counts_no_pairs_of_an_initializer_that_failed() -> None:
    records = [record(name, seed, 0.1) for name in ("he", "glorot") for seed in range(5)]
    failed = [
        Record("", "own", "own", {}, seed, "failed", NO_CURVE, 0.0, "it raised")
        for seed in range(5)
    ]
    found = stats.compare([Contest([*records, *failed], 0.7)])
    (table,) = comparison.comparison_tables("the problem", found, None)
    assert "5 paired seeds: nothing can be told apart with fewer than 6" in table.caption


def test_iterations_to_a_target() -> None:
    target = Target("test_accuracy", 0.86)
    (table,) = comparison.comparison_tables("the problem", rows(target=target), target)
    at = table.header.index(comparison.ITERATIONS)
    assert [row[at] for row in table.rows] == ["10\n10–never", "never\n10–never", "never"]
    assert (
        "Target: test_accuracy >= 0.86, reached by he 5/8, glorot 3/8, zeros 0/8." in table.caption
    )


def test_what_settings_would_have_cost() -> None:
    records = [
        record("he", seed, loss, rate)
        for seed in range(9)
        for rate, loss in ((0.1, 0.2), (0.2, 0.1), (0.4, math.inf))
    ]
    found = stats.compare([Contest(records, 0.7)], "train_loss")
    _, table = comparison.comparison_tables("the problem", found, None)
    assert markdown_table(table) == (
        "**Each initializer's best setting, and how much worse the others are**\n"
        "\n"
        "| initializer | learning rate | settings tried | next best worse by | "
        "median worse by | worst worse by |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |\n"
        "| he_normal | 0.2 | 3 | +0.1 | +inf | +inf |\n"
        "\n"
        "Worse by: the difference of the medians in train loss; + is worse.\n"
        "9 seeds chose each setting that is shown; in the ranking each seed is judged at the "
        "setting that the other seeds choose, so that none judges its own choice.\n"
    )


def test_the_median_of_two_other_settings_is_their_mean() -> None:
    records = [
        record("he", seed, loss, rate)
        for seed in range(9)
        for rate, loss in ((0.1, 0.2), (0.2, 0.1), (0.4, 0.4))
    ]
    _, table = comparison.comparison_tables(
        "the problem", stats.compare([Contest(records, 0.7)]), None
    )
    assert table.rows[0][-3:] == ("+0.1", "+0.2", "+0.3")


def test_rows_of_one_config_reach_a_target_by_their_initializer() -> None:
    records = [
        dataclasses.replace(record(name, seed, loss), config="m")
        for name, loss in (("he", 0.1), ("glorot", 0.2))
        for seed in range(2)
    ]
    target = Target("train_loss", 0.15)
    (table,) = comparison.comparison_tables(
        "the problem", stats.compare([Contest(records, 0.7)], target=target), target
    )
    assert "reached by he_normal 2/2, glorot_normal 0/2." in table.caption


def test_fields_of_a_row() -> None:
    fields = ranked.row_fields(rows()[1])
    assert json_text(fields)  # nothing that JSON cannot hold
    assert fields["config"] == "glorot"
    assert fields["rank"] == 2
    assert fields["best_group"] is True
    assert fields["trained_share"] == 1.0
    assert fields["iterations_to_target"] is None
    assert fields["difference"].keys() == {"estimate", "low", "high"}
    assert fields["median"] == pytest.approx(0.155)
    last = ranked.row_fields(rows(target=Target("test_accuracy", 0.99))[2])
    assert (last["iterations_to_target"], last["reached"], last["trained"]) == (None, 0, 0)


def test_a_csv_has_a_row_an_initializer() -> None:
    header, cells = ranked.comparison_cells(rows())
    assert len(cells) == 3
    named = [dict(zip(header, row, strict=True)) for row in cells]
    assert {f"{name}_median" for name in METRICS} < named[0].keys()
    assert (named[0]["rank"], named[2]["trained"], named[2]["best_group"]) == (1, 0, False)
