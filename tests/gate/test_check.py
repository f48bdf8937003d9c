"""Two saved files, one judged against the other: what is absent, and what chance alone does."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.random import RandomState
from scipy.stats import binom

from initbench.errors import BaselineError
from initbench.gate import baseline
from initbench.gate.check import check_saved
from initbench.gate.outcomes import RowOutcomes, RunOutcome
from initbench.gate.verdicts import exit_code
from initbench.metrics import METRICS
from initbench.runs.records import RowKey
from initbench.spec.expectations import Gate


def row(losses: Any, config: str = "he", first: int = 0) -> RowOutcomes:
    runs = tuple(
        RunOutcome(
            first + seed, f"{config}{seed}", "ok",
            {"train_loss": float(x), "train_accuracy": 1 - float(x) / 10,
             "test_loss": float(x), "test_accuracy": 1 - float(x) / 10},
        )
        for seed, x in enumerate(losses)
    )  # fmt: skip
    return RowOutcomes(config, "he_normal", {}, runs)


def keyed(*rows: RowOutcomes) -> dict[RowKey, RowOutcomes]:
    return {one.key: one for one in rows}


LOSSES = np.linspace(0.1, 0.2, 10)


@pytest.mark.parametrize(
    ("candidate", "reason"),
    [
        ({}, "the baseline has it and the candidate does not"),
        (keyed(row(LOSSES[:8])), "the baseline has seeds 8, 9 and the candidate does not"),
    ],
)
def test_what_the_candidate_lacks_is_missing(candidate: Any, reason: str) -> None:
    verdicts = check_saved(keyed(row(LOSSES)), candidate).verdicts
    assert (verdicts[0].verdict, verdicts[0].reason) == ("missing", reason)
    assert exit_code(verdicts, strict=False) == 3


def test_what_is_worse_at_every_seed_is_regressed_without_seeds_to_confirm() -> None:
    worse = check_saved(keyed(row(LOSSES)), keyed(row(LOSSES + 0.1))).verdicts
    assert {v.verdict for v in worse if v.metric.endswith("loss")} == {"regressed"}
    assert exit_code(worse, strict=False) == 1


def test_files_that_differ_by_chance_alone_do_not_regress() -> None:
    """At most 1 % of pairs of six configs are promised; a right gate fails here once in 10^5."""
    rng, pairs, alarms = RandomState(0), 60, 0
    for _ in range(pairs):
        files = [
            keyed(*(row(rng.lognormal(-2, 0.5, 10), f"c{config}") for config in range(6)))
            for _ in range(2)
        ]
        alarms += any(v.verdict == "regressed" for v in check_saved(*files).verdicts)
    assert alarms <= binom.ppf(1 - 1e-5, pairs, 0.01)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("test_accuracy", 17), ("test_accuracy", math.nan), ("train_loss", -1),
        ("train_loss", {"a": 1}), ("train_loss", "0.1"), ("train_loss", int("9" * 400)),
        ("status", "splendid"), ("status", None), ("train_loss", True),
    ],
)  # fmt: skip
def test_values_that_no_run_has_are_refused(tmp_path: Path, field: str, value: object) -> None:
    record = {
        "config": "he", "initializer": "he_normal", "setting": {}, "seed": 0, "id": "a",
        "status": "ok", "train_loss": 0.1, "train_accuracy": 0.9, "test_loss": 0.1,
        "test_accuracy": 0.9,
    }  # fmt: skip
    path = tmp_path / "b.json"
    path.write_text(json.dumps({"records": [{**record, field: value}]}))
    with pytest.raises(BaselineError, match=rf"^{path}: records\[0\]\.{field}: must"):
        baseline.load(path)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        ({"config": None}, r"records\[0\].config: must be a valid string, got None"),
        ({"initializer": 5}, r"records\[0\].initializer: must be a valid string, got 5"),
        ({"setting": []}, r"records\[0\].setting: must be .* got \[\]"),
        ({"seed": 1.5}, r"records\[0\].seed: must be a valid integer, got 1.5"),
        ({"seed": 1}, "he, he_normal: seed 1 is there twice"),
        ({"train_accuracy": None}, "he, he_normal: seed 0 has no train_accuracy, and other seeds"),
        ({"seed": "x", "id": 3, "status": ""}, r"\.seed: .*\.id: .*\.status: must be 'ok'"),
    ],
)
def test_a_result_that_no_run_wrote_is_refused_with_every_field(
    tmp_path: Path, spoil: dict[str, Any], message: str
) -> None:
    fields = {"config": "he", "initializer": "he_normal", "setting": {}, "status": "ok"}
    metrics = dict.fromkeys(METRICS, 0.5)
    records = [{**fields, **metrics, "seed": seed, "id": str(seed)} for seed in (0, 1)]
    records[0] |= spoil
    path = tmp_path / "b.json"
    path.write_text(json.dumps({"records": records}))
    with pytest.raises(BaselineError, match=message) as caught:
        baseline.load(path)
    assert "; write it again with `initbench run`" in str(caught.value)


def test_what_only_one_side_has_is_missing() -> None:
    def without(name: str, side: RowOutcomes) -> RowOutcomes:
        runs = [replace(run, metrics={**run.metrics, name: None}) for run in side.runs]
        return replace(side, runs=tuple(runs))

    whole, lacking = row(LOSSES), without("train_accuracy", row(LOSSES))
    for sides in ((whole, lacking), (lacking, whole)):
        (verdict,) = check_saved(*map(keyed, sides)).verdicts
        assert (verdict.verdict, verdict.reason) == (
            "missing",
            "only one of the two has train_accuracy",
        )


def test_a_baseline_whose_run_failed_is_nothing_to_compare_with() -> None:
    whole = row(LOSSES)
    empty = replace(whole.runs[0], status="failed", metrics=dict.fromkeys(METRICS))
    verdicts = check_saved(
        keyed(replace(whole, runs=(empty, *whole.runs[1:]))), keyed(whole)
    ).verdicts
    assert [v.verdict for v in verdicts] == ["missing"]
    assert "the baseline's run at seed 0 failed" in verdicts[0].reason


def test_rows_are_found_whatever_their_order() -> None:
    files = keyed(row(LOSSES, "a"), row(LOSSES, "b"))
    turned = keyed(row(LOSSES, "b"), replace(row(LOSSES, "a"), runs=row(LOSSES, "a").runs[::-1]))
    assert {v.verdict for v in check_saved(files, turned).verdicts} == {"ok"}


def test_the_saved_gate_counts_where_two_files_are_judged() -> None:
    """Losses 1.5 times as large regress by default, and not where the config allows twice them."""
    saved, worse = row(LOSSES), row(LOSSES + 0.1)
    allowed = replace(worse, gate=Gate(loss=2.0, accuracy=1.0))
    for candidate, word in ((worse, "regressed"), (allowed, "changed")):
        verdicts = check_saved(keyed(saved), keyed(candidate)).verdicts
        assert {v.verdict for v in verdicts if v.metric == "train_loss"} == {word}
    text = baseline.text([replace(saved, gate=Gate(loss=2.0)), row(LOSSES, "other")])
    assert text.count('"gate"') == 1


def test_ten_pairs_to_one_side_are_not_enough_between_two_files() -> None:
    losses = np.geomspace(0.1, 0.5, 10)
    verdicts = check_saved(keyed(row(losses)), keyed(row(1.1 * losses))).verdicts
    (verdict,) = [v for v in verdicts if v.metric == "train_loss"]
    assert verdict.verdict == "not_confirmed"
    assert "10 of 10 pairs to one side are too few to do without: 12 of 12" in verdict.reason
    assert "rank-sum test: p = 0.37, at most 0.0011" in verdict.reason  # SciPy's


@pytest.mark.parametrize(
    ("seeds", "better", "word"),
    [(11, 0, "not_confirmed"), (12, 0, "regressed"), (20, 2, "regressed")],
)
def test_twelve_unanimous_pairs_are_enough_between_two_files(
    seeds: int, better: int, word: str
) -> None:
    losses = np.geomspace(0.1, 0.5, seeds)
    factors = np.where(np.arange(seeds) < better, 0.9, 1.1)
    verdicts = check_saved(keyed(row(losses)), keyed(row(factors * losses))).verdicts
    (verdict,) = [v for v in verdicts if v.metric == "train_loss"]
    assert verdict.verdict == word


def test_a_probable_cause_is_named_where_something_is_known_to_differ() -> None:
    def made(numpy: str, digest: str, losses: Any) -> RowOutcomes:
        return replace(
            row(losses),
            resolved={"initializer": {"name": "own", "sha256": digest}, "dtype": "float64"},
            provenance={"initbench": "1", "numpy": numpy, "blas": "openblas 1 Zen"},
        )

    known = made("1.0", "a" * 64, LOSSES)
    other = check_saved(keyed(known), keyed(made("2.0", "b" * 64, LOSSES + 0.1))).verdicts
    cause = "the source of the initializer (aaaaaaa -> bbbbbbb), NumPy (1.0 -> 2.0)"
    assert all(f"; probable cause: {cause}" in verdict.reason for verdict in other)
    same = check_saved(keyed(known), keyed(made("1.0", "a" * 64, LOSSES + 0.1))).verdicts
    assert not any("probable cause" in verdict.reason for verdict in same)
