"""Promises: an expectation that no run can show is refused before training, with its place.

A command that judges expectations asks for this; one that only trains does not, since it may be
given other seeds and fewer iterations.
"""

from __future__ import annotations

from collections.abc import Sequence

from initbench import datasets
from initbench.config.document import Document
from initbench.errors import Problem
from initbench.metrics import METRICS, parse_metric
from initbench.spec import Experiment
from initbench.spec.expectations import Expectation


def broken_promises(
    document: Document, experiment: Experiment, data: datasets.Dataset
) -> list[Problem]:
    """A problem for each expectation that cannot be judged, or that nothing can fulfil."""
    problems = []
    for index, expectation in enumerate(experiment.expect):
        for key, message in (
            *_metric(expectation, experiment, data),
            *_seeds(expectation, experiment),
            *_bounds(expectation),
            *_point(expectation, experiment),
        ):
            place = document.place(("expect", index, key))
            problems.append(Problem(place, f"expect[{index}].{key}", message))
    return problems


def _metric(
    e: Expectation, experiment: Experiment, data: datasets.Dataset
) -> list[tuple[str, str]]:
    metric, iteration = parse_metric(e.metric)
    known = datasets.metrics(data)
    if metric.name not in known:
        return [
            (
                "metric",
                f"{experiment.dataset.name} is a {data.task} task, which has no {metric.name}; "
                f"write one of {', '.join(known)}",
            )
        ]
    last, every = experiment.iterations, experiment.log_every
    if iteration is None or iteration == last or (iteration % every == 0 and iteration < last):
        return []
    nearest = min(round(iteration / every) * every, last)
    return [
        (
            "metric",
            f"nothing is logged at iteration {iteration}: log_every is {every} and there are "
            f"{last:,} iterations; write {metric.name}@{nearest}, or change log_every",
        )
    ]


def _seeds(e: Expectation, experiment: Experiment) -> list[tuple[str, str]]:
    if e.seed is not None and e.seed not in experiment.seeds:
        return [("seed", f"seed {e.seed} is not trained; add it to seeds, or write another one")]
    if e.at_least is not None and e.at_least > len(experiment.seeds):
        return [
            (
                "at_least",
                f"must be at most {len(experiment.seeds)}, the number of seeds, got {e.at_least}",
            )
        ]
    return []


def _bounds(e: Expectation) -> list[tuple[str, str]]:
    """Values that the metric cannot have."""
    metric = METRICS[parse_metric(e.metric).metric.name]
    low, high = metric.valid_range
    found = []
    for key in ("min", "max", "value", "target"):
        value = getattr(e, key)
        if value is None or metric.is_valid(value):
            continue
        between = f"from {low:g} to {high:g}" if not metric.can_be_infinite else f"at least {low:g}"
        percent = metric.unit == "%" and 1 < value <= 100
        hint = f"; write {value / 100:g} for {value:g} %" if percent else ""
        found.append((key, f"{metric.label} is {between}, got {value:g}{hint}"))
    return found


def unmatched_points(document: Document, points: Sequence[Experiment]) -> list[Problem]:
    """A problem for each expectation whose ``where`` is no point of the sweep."""
    return [
        Problem(
            document.place(("expect", index, "where")),
            f"expect[{index}].where",
            f"the sweep has no point with {', '.join(f'{k}: {v}' for k, v in expectation.where)}; "
            "write values that are in sweep",
        )
        for index, expectation in enumerate(points[0].expect)
        if all(set(dict(expectation.where)) <= set(point.sweep) for point in points)
        if not any(expectation.is_about(point.setting) for point in points)
    ]


def _point(e: Expectation, experiment: Experiment) -> list[tuple[str, str]]:
    """Keys of ``where`` that are not swept; see :func:`unmatched_points` for their values."""
    if unknown := [key for key, _ in e.where if key not in experiment.sweep]:
        swept = f"; sweep has {', '.join(experiment.sweep)}" if experiment.sweep else ""
        return [("where", f"{unknown[0]} is not swept{swept or '; the config has no sweep'}")]
    return []
