"""Experiments -> diagnoses: draw, measure, predict and judge, before training or during it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from initbench.core.architecture import fans
from initbench.core.arrays import Array
from initbench.core.meanfield import Prediction
from initbench.core.propagation import Measurement
from initbench.diagnosis.advice import advise
from initbench.diagnosis.findings import Findings, Layer, Pair
from initbench.diagnosis.measuring import draw_stack, joined, measurements
from initbench.diagnosis.predicting import Background, background
from initbench.diagnosis.rules import Condition, assess
from initbench.errors import PluginError
from initbench.runs import plan
from initbench.runs.plan import Run
from initbench.runs.records import RowKey
from initbench.spec import Experiment

#: A diagnosis takes a second or two: all its runs together may cost this many multiplications.
#: Where that is too little, fewer samples are measured, but no fewer than MIN_SAMPLES.
PRODUCTS = 6e9
MIN_SAMPLES, MAX_SAMPLES = 64, 512
#: A median over seeds needs no more seeds than MAX_SEEDS. Large networks differ less from one
#: another: an initializer is measured at the seeds whose networks have MAX_WEIGHTS weights
#: together, but at no fewer than MIN_SEEDS.
MAX_SEEDS, MIN_SEEDS = 32, 3
MAX_WEIGHTS = 50_000_000
#: Measured quantities that the last layer does not have, or a network that passes no signal on. The
#: median is over the seeds that have them.
MAY_BE_MISSING = frozenset({"cosine", "update_size", "flat", "dead", "distinct_units"})


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found about an initializer, which condition that is and why, and what to do.

    ``begins_at_layer`` counts from 1, and is None where no layer is to blame.
    """

    findings: Findings
    condition: Condition
    begins_at_layer: int | None
    reason: str
    advice: str


class Diagnosed(NamedTuple):
    """Diagnoses; why some networks could not be drawn; what initializers note about the others."""

    diagnoses: list[Diagnosis]
    failures: list[str]
    notes: list[str]


def diagnose(
    experiments: Sequence[Experiment],
    *,
    during: bool = False,
    report: Callable[[float], None] | None = None,
) -> Diagnosed:
    """Diagnose each initializer of each experiment over its seeds.

    Args:
        experiments: The configs, loaded.
        during: Train the networks too, and diagnose them at every log point.
        report: A function that is told the share of the work that is done.

    Returns:
        The diagnoses, in the order of the configs: one for each (config, initializer, setting), and
        ``during`` training one for each log point of it. Failures and notes are lines of text.
    """
    rows = _runs_to_measure(experiments)
    samples = _samples_to_measure(rows)
    total = sum(map(len, rows))
    every = Diagnosed([], [], [])
    done = 0

    def progress(runs: float) -> None:
        if report is not None:
            report((done + runs) / total)

    with threadpool_limits(1, user_api="blas"):
        for runs in rows:
            found = _diagnose_row(runs, samples, during, progress)
            every.diagnoses.extend(found.diagnoses)
            every.failures.extend(found.failures)
            every.notes.extend(found.notes)
            done += len(runs)
    return Diagnosed(every.diagnoses, _once(every.failures), _once(every.notes))


def _once(lines: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(lines))


def _runs_to_measure(experiments: Sequence[Experiment]) -> list[list[Run]]:
    """The first runs of each (config, initializer, setting), as many as are worth their time."""
    rows: dict[RowKey, list[Run]] = {}
    for run in plan.runs(experiments):
        row = rows.setdefault(run.row, [])
        affordable = MAX_WEIGHTS // run.experiment.architecture.parameter_count
        if len(row) < np.clip(affordable, MIN_SEEDS, MAX_SEEDS):
            row.append(run)
    return list(rows.values())


def _samples_to_measure(rows: Sequence[Sequence[Run]]) -> int:
    weights = sum(runs[0].experiment.architecture.parameter_count * len(runs) for runs in rows)
    return int(np.clip(PRODUCTS / (6 * weights), MIN_SAMPLES, MAX_SAMPLES))


def _diagnose_row(
    runs: Sequence[Run], samples: int, during: bool, progress: Callable[[float], None]
) -> Diagnosed:
    """Measure one initializer of a config, stack by stack; ``progress`` is told how many runs."""
    name = f"{runs[0].experiment.name}, {runs[0].initializer.label}"
    found = Diagnosed([], [], [])
    measured: dict[int, list[Measurement]] = {}
    shared: Background | None = None
    done = 0
    for stack in plan.stacks(runs, 1, lambda _: samples):
        networks, drawn = draw_stack(stack, samples)
        found.failures.extend(f"{name}: {reason}" for reason in drawn.failures.values())
        found.notes.extend(f"{name}: {note}" for note in drawn.notes.values())
        if len(networks.theta):
            try:
                shared = shared or background(networks)
            except PluginError as error:  # a plugin whose moments raise
                found.failures.append(f"{name}: {error}")
                return found
            for iteration, measurement in measurements(networks, during=during):
                measured.setdefault(iteration, []).append(measurement)
                progress(done + len(stack.runs) * iteration / networks.work.task.iterations)
        done += len(stack.runs)
    if shared is not None:
        for iteration, parts in sorted(measured.items()):
            findings = _findings(runs[0], shared, iteration, joined(parts))
            found.diagnoses.append(_diagnosis(findings))
    return found


def _diagnosis(findings: Findings) -> Diagnosis:
    assessment = assess(findings)
    return Diagnosis(
        findings=findings,
        condition=assessment.condition,
        begins_at_layer=assessment.begins_at_layer,
        reason=assessment.reason,
        advice=advise(findings, assessment),
    )


def _findings(run: Run, shared: Background, iteration: int, m: Measurement) -> Findings:
    """Medians over seeds. Theory is about drawn weights, and says nothing about trained ones."""
    median = {f.name: _median(f.name, getattr(m, f.name)) for f in fields(Measurement)}
    prediction, theory = (shared.prediction, shared.theory) if iteration == 0 else (None, None)
    return Findings(
        config=run.experiment.name,
        initializer=run.initializer.label,
        setting=run.experiment.setting,
        activation=run.experiment.activation.label,
        seeds=len(m.loss),
        samples=shared.samples,
        iteration=iteration,
        train_loss=float(median["loss"]),
        input_square=shared.input_square,
        input_cosine=shared.input_cosine,
        layers=tuple(_layers(median, prediction, shared)),
        theory=theory,
        jacobian=(
            float(median["jacobian_largest"]),
            float(median["jacobian_median"]),
            float(median["jacobian_smallest"]),
        ),
        born_dead=float(m.born_dead.mean()),
        steady=shared.steady,
    )


def _median(name: str, values: Array) -> Array:
    """The median over seeds. NaN counts as the worst, since overflow leaves it, except where it
    says that a quantity is missing.
    """
    if name not in MAY_BE_MISSING:
        return np.asarray(np.median(np.where(np.isnan(values), np.inf, values), axis=0))
    missing = np.isnan(values).all(axis=0)
    return np.where(missing, np.nan, np.nanmedian(np.where(missing, 0.0, values), axis=0))


def _layers(
    median: dict[str, Array], prediction: Prediction | None, shared: Background
) -> Iterator[Layer]:
    shapes, shape = shared.architecture.shapes, shared.shape
    saturates = shape.flat_below and shape.flat_above
    predicted = _predicted(prediction, median)

    def pair(name: str, index: int) -> Pair:
        theory = predicted.get(name)
        return Pair(None if theory is None else float(theory[index]), float(median[name][index]))

    for index, (units, _) in enumerate(shapes):
        flat = _known(median["flat"][index])
        output = index == len(shapes) - 1
        yield Layer(
            layer=index + 1,
            fan_in=fans(shapes[index])[0],
            units=units,
            preactivation_mean=float(median["preactivation_mean"][index]),
            preactivation_variance=pair("preactivation_variance", index),
            contrast=pair("contrast", index),
            activation_mean=float(median["activation_mean"][index]),
            activation_variance=float(median["activation_variance"][index]),
            gradient_variance=pair("gradient_variance", index),
            weight_gradient_variance=float(median["weight_gradient_variance"][index]),
            cosine=pair("cosine", index),
            effective_rank=float(median["effective_rank"][index]),
            saturated=flat if output or saturates else None,
            inactive=None if output or saturates else flat,
            dead=_known(median["dead"][index]),
            distinct_units=_known(median["distinct_units"][index]),
            update_size=_known(median["update_size"][index]),
        )


def _predicted(prediction: Prediction | None, median: dict[str, Array]) -> dict[str, Array]:
    """What theory predicts of each layer, (L,), by the name of the measured quantity.

    Theory knows how a gradient grows from layer to layer, and takes its size in the last layer from
    the measurement.
    """
    if prediction is None:
        return {}
    growth = np.cumprod(prediction.gradient_growth[::-1])[::-1]
    return {
        "preactivation_variance": prediction.variance,
        "contrast": prediction.variance * (1 - prediction.cosine),
        "gradient_variance": growth * median["gradient_variance"][-1],
        "cosine": prediction.cosine,
    }


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
