"""Metrics: what is measured of a run, and what each number means. The only place that knows."""

from __future__ import annotations

#: The metrics of a record, and whether a smaller one is better: declared here, once.
METRICS: dict[str, bool] = {
    "train_loss": True,
    "train_accuracy": False,
    "test_loss": True,
    "test_accuracy": False,
}
