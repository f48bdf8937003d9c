from __future__ import annotations

import math

from initbench.gate.outcomes import RowOutcomes, confirm_seeds, run_outcome
from initbench.gate.verdicts import Verdict
from initbench.runs.records import NO_CURVE, Curve, Record, Status


def test_confirm_seeds_are_as_many_others() -> None:
    assert confirm_seeds(range(10)) == tuple(range(10, 20))
    assert confirm_seeds([2**32 - 1, 0]) == (1, 2)


def test_a_row_is_found_in_whatever_order_its_sweep_names_the_keys() -> None:
    one = {"learning_rate": 0.1, "batch_size": 16}
    other = dict(reversed(one.items()))
    assert list(one) != list(other)
    keys = {RowOutcomes("c", "zeros", setting, ()).key for setting in (one, other)}
    keys |= {Verdict("c", "zeros", setting, "", "ok", "").key for setting in (one, other)}
    assert len(keys) == 1


def record(loss: float, status: Status = "ok") -> Record:
    curve = NO_CURVE if status == "failed" else Curve((0,), (loss,), None, (loss,), None)
    return Record("id", "c", "zeros", {}, 0, status, curve, 0.0)


def test_the_spread_is_of_the_twin_that_ended_furthest_away() -> None:
    outcome = run_outcome(record(1.0), [record(1.0), record(0.75), record(1.125)])
    assert outcome.spread is not None
    assert (outcome.spread["train_loss"], outcome.spread["train_accuracy"]) == (0.25, None)
    assert run_outcome(record(1.0)).spread is None
    lost = run_outcome(record(1.0), [record(math.nan, "failed")])
    assert lost.spread is not None
    assert lost.spread["train_loss"] == math.inf
