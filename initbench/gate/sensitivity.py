"""A baseline's rows -> which changes their seeds are too few to see, and how many would see them.

Where runs repeat to the last digits, replay sees every change, and any number of seeds will do to
see that something moved. Statistics must say whether that is worse, and alone sees anything where
rounding sends the runs far apart.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from initbench.analysis.intervals import median
from initbench.analysis.paired import MIN_SEEDS
from initbench.gate.outcomes import RowOutcomes
from initbench.gate.replay import GATE_CONFIDENCE, floors_of, tolerance_of
from initbench.metrics import METRICS, Metric
from initbench.spec.expectations import Gate
from initbench.wording import counted

#: Quantiles of the normal distribution: of the gate's interval, and of 9 cases in 10.
_quantile = NormalDist().inv_cdf
CONFIDENT, POWERFUL = _quantile((1 + GATE_CONFIDENCE) / 2), _quantile(0.9)
#: The standard error of a normal sample's median, as a multiple of the mean's: sqrt(pi / 2).
MEDIAN_TO_MEAN = math.sqrt(math.pi / 2)
#: The quartiles of a normal distribution lie this many standard deviations apart.
QUARTILES_APART = _quantile(0.75) - _quantile(0.25)
#: A number of seeds above this is as good as none.
MANY_SEEDS = 10_000


class Blind(NamedTuple):
    """A metric of a row whose runs rounding moves by more than the ``least`` change that counts.

    ``seen`` is the change from which on its seeds see one, and ``seeds`` the number that would see
    ``least``; both are inf where a quarter of the runs diverges.
    """

    row: RowOutcomes
    metric: Metric
    rounding: float
    least: float
    seen: float
    seeds: float


def unseen_changes(rows: Iterable[RowOutcomes]) -> list[str]:
    """Sentences for each config whose seeds are too few: what they do not see, and what would."""
    by_config: dict[str, list[RowOutcomes]] = {}
    for row in rows:
        by_config.setdefault(row.config, []).append(row)
    return [text for of_config in by_config.values() for text in _of_config(of_config)]


def _of_config(rows: Sequence[RowOutcomes]) -> list[str]:
    texts = []
    count, gate = min(len(row.runs) for row in rows), rows[0].gate or Gate()
    if count < MIN_SEEDS:
        be = "is" if count == 1 else "are"
        texts.append(
            f"{rows[0].config}: {counted(count, 'seed')} {be} too few for statistics, which takes "
            f"{MIN_SEEDS}. Where the code moved the runs, `check` calls a median regressed that is "
            f"worse by more than {100 * gate.loss:g} % of a loss or "
            f"{METRICS['test_accuracy'].change(gate.accuracy)} of accuracy. It can tell no smaller "
            f"change from chance, and confirms no improvement; with {MIN_SEEDS} seeds it can."
        )
    # An accuracy may move by a sample on any machine; what moves it by more moves the loss too.
    exact = [metric for metric in METRICS.values() if metric.floor == "rounding"]
    blind = [found for row in rows for metric in exact if (found := _blind(row, metric))]
    if blind:
        texts.append(_sentence(max(blind, key=lambda one: one.seeds)))
    return texts


def _blind(row: RowOutcomes, metric: Metric) -> Blind | None:
    """What the row's seeds do not see of a metric; None where they see all that counts."""
    runs = [run for run in (*row.runs, *row.confirm) if run.metrics[metric.name] is not None]
    if not runs:
        return None
    values = [run.value(metric.name) for run in runs]
    least = (row.gate or Gate()).least_change(metric, median(values))
    floors = floors_of(metric, row)
    rounding = median([tolerance_of(run, metric.name, floors) for run in row.runs])
    if rounding <= least:
        return None
    low, high = np.quantile(values, [0.25, 0.75], method="nearest")
    spread = float(high - low) / QUARTILES_APART if math.isfinite(high) else math.inf
    # Rounding makes two samples of what were pairs, so that both medians vary.
    error = (CONFIDENT + POWERFUL) * MEDIAN_TO_MEAN * math.sqrt(2) * spread
    seen = error / math.sqrt(len(row.runs))
    if seen <= least:
        return None
    seeds = max(MIN_SEEDS, (error / least) ** 2) if least else math.inf
    return Blind(
        row, metric, rounding, least, seen if len(row.runs) >= MIN_SEEDS else rounding, seeds
    )


def _sentence(blind: Blind) -> str:
    metric, count = blind.metric, counted(len(blind.row.runs), "seed")
    start = (
        f"{blind.row.config}, {blind.row.initializer}, {metric.label}: rounding alone may move a "
        f"run by {metric.change(blind.rounding)}"
    )
    if math.isinf(blind.seen):
        return (
            f"{start}, and a quarter of the runs diverges: no number of seeds is sure to see more."
        )
    enough = (
        f"about {counted(math.ceil(blind.seeds), 'seed')} would"
        if blind.seeds <= MANY_SEEDS
        else f"no number below {MANY_SEEDS:,} would"
    )
    return (
        f"{start}. {count} see a change from about {metric.change(blind.seen)} on, and not "
        f"{metric.change(blind.least)}, the least that the gate counts; {enough}."
    )
