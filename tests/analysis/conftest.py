from __future__ import annotations

import math
from typing import Any

from initbench.analysis.comparison import Contest, Row, compare
from initbench.runs.records import Curve, Record

LN2 = math.log(2)


def record(
    losses: list[float],
    accuracy: float | None = 0.9,
    *,
    config: str = "c",
    seed: int = 0,
    setting: dict[str, Any] | None = None,
) -> Record:
    n = len(losses)
    accuracies = None if accuracy is None else (accuracy,) * n
    curve = Curve(tuple(range(n)), tuple(losses), accuracies, tuple(losses), accuracies)
    status = "ok" if math.isfinite(losses[-1]) else "diverged"
    return Record("", config, "zeros", setting or {}, seed, status, curve, 0.0)  # type: ignore[arg-type]


def rows_of(columns: dict[str, list[float]], metric: str = "train_loss") -> dict[str, Row]:
    """Rows by config, of one contest: a column of final losses over seeds 0, 1, ... each."""
    records = [
        record([1.0, loss], 1 - loss, config=name, seed=seed)
        for name, losses in columns.items()
        for seed, loss in enumerate(losses)
    ]
    return {row.config: row for row in compare([Contest(records, LN2)], metric)}
