"""The verdicts, by table: which change of which runs is called what."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initbench.gate import replay
from initbench.gate.outcomes import RowOutcomes, RunOutcome
from initbench.gate.verdicts import Verdict
from initbench.metrics import METRICS
from initbench.spec.expectations import Gate

LOSSES = [0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55]
RESOLVED = {"dtype": "float64", "learning_rate": 0.1, "dataset": {"name": "circles", "noise": 0.05}}


def run(seed: int, loss: float, accuracy: float | None = 0.9, spread: float = 0.0) -> RunOutcome:
    metrics = {name: loss if name.endswith("loss") else accuracy for name in METRICS}
    status: Any = "ok" if math.isfinite(loss) else "diverged"
    return RunOutcome(seed, f"id {seed}", status, metrics, dict.fromkeys(METRICS, spread))


def group(losses: Sequence[float], first_seed: int = 0, **fields: Any) -> RowOutcomes:
    runs = tuple(run(first_seed + i, loss) for i, loss in enumerate(losses))
    defaults: dict[str, Any] = {"resolved": RESOLVED, "samples": {"train": 300, "test": 100}}
    return RowOutcomes("he", "he_normal", {}, runs, **(defaults | fields))


def judge(
    baseline: RowOutcomes, candidate: RowOutcomes, limits: Gate | None = None
) -> list[Verdict]:
    return replay.judge({baseline.key: baseline}, [candidate], {"he": limits or Gate()})


def words(verdicts: list[Verdict]) -> dict[str, str]:
    return {verdict.metric: verdict.verdict for verdict in verdicts}


def loss_verdict(before: Sequence[float], after: Sequence[float], **fields: Any) -> str:
    return words(judge(group(before, **fields), group(after)))["train_loss"]


def scaled(factor: float) -> list[float]:
    return [factor * loss for loss in LOSSES]


@pytest.mark.parametrize(
    ("after", "verdict"),
    [
        (LOSSES, "ok"),
        (scaled(1 + 1e-14), "ok"),  # 45 units in the last place
        (scaled(1 + 1e-13), "changed"),
        (scaled(1.04), "changed"),  # worse at every seed, by less than 5 %
        (scaled(1.2), "regressed"),
        (scaled(0.8), "improved"),
        ([*LOSSES[:9], math.inf], "changed"),  # one of ten diverges
        ([math.inf] * 10, "regressed"),
        ([loss + (0.3 if seed % 2 else -0.09) for seed, loss in enumerate(LOSSES)], "changed"),
    ],
)
def test_verdicts(after: list[float], verdict: str) -> None:
    assert loss_verdict(LOSSES, after) == verdict


def test_runs_that_diverged_before_and_still_do_are_as_they_were() -> None:
    before = [*LOSSES[:9], math.inf]
    assert loss_verdict(before, before) == "ok"
    assert loss_verdict([math.inf] * 10, [math.inf] * 10) == "ok"
    assert loss_verdict([math.inf] * 10, LOSSES) == "improved"


def test_a_run_may_move_by_a_multiple_of_its_twins_spread() -> None:
    sensitive = RowOutcomes(
        "he", "he_normal", {}, tuple(run(i, x, spread=1e-3) for i, x in enumerate(LOSSES)),
        resolved=RESOLVED,
    )  # fmt: skip
    within = replay.SPREAD_MULTIPLE * 1e-3 * 0.99
    assert words(judge(sensitive, group([x + within for x in LOSSES])))["train_loss"] == "ok"
    beyond = replay.SPREAD_MULTIPLE * 1e-3 * 1.01
    assert words(judge(sensitive, group([x + beyond for x in LOSSES])))["train_loss"] != "ok"


def test_statistics_sees_what_chaos_hides() -> None:
    """Runs that rounding sends anywhere have a tolerance that lets everything pass."""
    chaotic = tuple(run(i, x, spread=1.0) for i, x in enumerate(LOSSES))
    baseline = replace(group(LOSSES), runs=chaotic)
    assert words(judge(baseline, group(scaled(1.2))))["train_loss"] == "regressed"
    back_and_forth = [x + (0.05 if i % 2 else -0.05) for i, x in enumerate(LOSSES)]
    assert words(judge(baseline, group(back_and_forth)))["train_loss"] == "ok"


@pytest.mark.parametrize(("by", "verdict"), [(0.01, "ok"), (-0.01, "ok"), (0.02, "changed")])
def test_one_sample_may_lie_on_the_boundary(by: float, verdict: str) -> None:
    moved = [run(i, x, 0.9 + (by if i == 3 else 0)) for i, x in enumerate(LOSSES)]
    candidate = replace(group(LOSSES), runs=tuple(moved))
    assert words(judge(group(LOSSES), candidate))["test_accuracy"] == verdict


def test_an_accuracy_must_fall_by_more_than_the_minimum() -> None:
    def of(accuracy: float, limits: Gate) -> str:
        runs = tuple(run(i, x, accuracy) for i, x in enumerate(LOSSES))
        candidate = RowOutcomes(
            "he", "he_normal", {}, runs, (), RESOLVED, {"train": 300, "test": 1000}
        )
        return words(judge(group(LOSSES), candidate, limits))["test_accuracy"]

    assert of(0.89, Gate()) == "changed"  # by exactly 0.01
    assert of(0.88, Gate()) == "regressed"
    assert of(0.88, Gate(accuracy=0.05)) == "changed"
    assert of(0.92, Gate()) == "improved"


@pytest.mark.parametrize("seeds", [1, 3, 5])
def test_a_collapse_is_a_regression_however_few_the_seeds(seeds: int) -> None:
    """Replay shows that the code moved the runs, so that the worse median is not chance."""
    (verdict, *_) = judge(group(LOSSES[:seeds]), group(scaled(3)[:seeds]))
    assert verdict.verdict == "regressed"
    assert f"{seeds} seed" in verdict.reason
    assert "cannot confirm it by statistics (6 can)" in verdict.reason


def test_five_seeds_do_not_tell_what_is_small_or_better() -> None:
    assert loss_verdict(LOSSES[:5], scaled(1.01)[:5]) == "changed"
    assert loss_verdict(LOSSES[:5], scaled(0.5)[:5]) == "changed"
    (verdict, *_) = judge(group(LOSSES[:5]), group(scaled(1.01)[:5]))
    assert "5 seeds cannot tell better from worse, it takes 6" in verdict.reason
    assert loss_verdict(LOSSES[:6], scaled(3)[:6]) == "regressed"


def test_an_improvement_is_confirmed_as_a_regression_is() -> None:
    known = {group(LOSSES).key: group(LOSSES, confirm=group(LOSSES).runs)}
    better = judge(known[group(LOSSES).key], group(scaled(0.5)))
    again = replay.confirmed(better, known, [group(scaled(0.5))], {})
    assert words(again)["train_loss"] == "improved"
    chance = replay.confirmed(better, known, [group(LOSSES)], {})
    assert words(chance)["train_loss"] == "not_confirmed"


def test_a_loss_that_is_next_to_nothing_does_not_regress() -> None:
    assert loss_verdict([0.0] * 8, [1e-9] * 8) == "changed"
    assert loss_verdict([0.0] * 8, [1e-5] * 8) == "regressed"


@pytest.mark.parametrize(("key", "what"), replay.DIGESTS.items())
def test_a_changed_file_is_named_and_its_runs_are_judged(key: str, what: str) -> None:
    outer, _, inner = key.partition(".")
    before = group(LOSSES, resolved={"dtype": "float64", outer: {inner: "a" * 64}})
    after = {"dtype": "float64", outer: {inner: "b" * 64}}
    same, worse = group(LOSSES, resolved=after), group(scaled(3), resolved=after)
    assert words(judge(before, same))["train_loss"] == "ok"
    assert words(judge(before, worse))["train_loss"] == "regressed"
    (note,) = replay.changed_files({before.key: before}, [same])
    assert what in note
    assert "aaaaaaa -> bbbbbbb" in note


def test_a_group_or_a_seed_without_a_baseline_is_missing() -> None:
    assert words(replay.judge({}, [group(LOSSES)], {})) == {"": "missing"}
    (verdict,) = judge(group(LOSSES[:8]), group(LOSSES))
    assert (verdict.verdict, verdict.reason) == (
        "missing", "seeds 8, 9 are not in the baseline"
    )  # fmt: skip
    assert words(judge(group(LOSSES), group(LOSSES[:8])))["train_loss"] == "ok"


def test_another_config_is_stale_field_by_field() -> None:
    other = {"dtype": "float64", "learning_rate": 0.2, "dataset": {"name": "circles"}, "seeds": 1}
    (verdict,) = judge(group(LOSSES), group(LOSSES, resolved=other))
    assert verdict.verdict == "stale"
    assert verdict.reason == (
        "the config is not what the baseline ran: learning_rate 0.1 -> 0.2, dataset.noise 0.05 "
        "-> (none), seeds (none) -> 1"
    )


def test_documents_without_fields_are_compared_by_identity() -> None:
    plain = group(LOSSES, resolved=None)
    other = RowOutcomes(
        "he", "he_normal", {}, (RunOutcome(0, "another", "ok", plain.runs[0].metrics),)
    )
    (verdict,) = judge(plain, other)
    assert (verdict.verdict, verdict.reason) == (
        "stale",
        "the config is not what the baseline ran: the identity differs at seed 0",
    )


def test_runs_that_fail_are_a_regression() -> None:
    failed = RunOutcome(3, "id", "failed", dict.fromkeys(METRICS), reason="ValueError: no")
    candidate = group(LOSSES)
    runs = (*candidate.runs[:3], failed, *candidate.runs[4:])
    (verdict,) = judge(group(LOSSES), RowOutcomes("he", "he_normal", {}, runs, resolved=RESOLVED))
    assert (verdict.verdict, verdict.reason) == (
        "regressed", "1 of 10 runs failed: ValueError: no"
    )  # fmt: skip
    assert not replay.to_confirm([verdict])  # nothing to confirm


def test_a_finding_is_confirmed_on_other_seeds_or_passes() -> None:
    baseline = group(LOSSES, confirm=group(LOSSES, 10).runs)
    found = judge(baseline, group(scaled(1.2)))
    assert replay.to_confirm(found) == {baseline.key}

    def after(repeats: list[RowOutcomes]) -> dict[str, str]:
        return words(replay.confirmed(found, {baseline.key: baseline}, repeats, {}))

    assert after([group(scaled(1.2), 10)])["train_loss"] == "regressed"
    assert after([group(LOSSES, 10)])["train_loss"] == "not_confirmed"
    assert after([group(scaled(1.04), 10)])["train_loss"] == "not_confirmed"
    # What cannot be repeated stays a regression, and so does what fails altogether.
    assert after([])["train_loss"] == "regressed"
    failing = RowOutcomes(
        "he", "he_normal", {}, (RunOutcome(10, "", "failed", {}),), resolved=RESOLVED
    )
    assert after([failing])["train_loss"] == "regressed"
    assert after([group(LOSSES, 10)])["train_accuracy"] == "ok"


@settings(deadline=None)
@given(
    st.lists(st.floats(1e-6, 1e6) | st.just(math.inf), min_size=6, max_size=12),
    st.floats(1e-3, 1e3),
    st.permutations(range(6)),
)
def test_units_and_the_order_of_seeds_change_no_verdict(
    losses: list[float], factor: float, order: list[int]
) -> None:
    rng = np.random.RandomState(len(losses))
    after = [loss * f for loss, f in zip(losses, rng.uniform(0.5, 2, len(losses)), strict=True)]
    before, candidate = group(losses), group(after)
    first = words(judge(before, candidate))
    shuffled = [*(candidate.runs[i] for i in order), *candidate.runs[6:]]
    assert words(judge(before, replace(candidate, runs=tuple(shuffled)))) == first
    power = 2.0 ** round(math.log2(factor))  # exact
    grown = judge(group([power * x for x in losses]), group([power * x for x in after]))
    assert {v.metric: v.verdict for v in grown if v.metric.endswith("loss")} == {
        metric: word for metric, word in first.items() if metric.endswith("loss")
    }
