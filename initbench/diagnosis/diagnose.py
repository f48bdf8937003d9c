"""Experiments -> diagnoses: draw, measure, predict and judge, before training or during it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal, NamedTuple

import numpy as np
from threadpoolctl import threadpool_limits

from initbench import datasets
from initbench.core.architecture import fans
from initbench.core.arrays import Array
from initbench.core.meanfield import Prediction
from initbench.core.propagation import Measurement
from initbench.diagnosis.advice import Remedy, remedies
from initbench.diagnosis.calibration import SHARES, SLOWER, Share
from initbench.diagnosis.cautions import constant_features, seeds_in_data, shared_stream
from initbench.diagnosis.findings import Findings, Layer, Pair
from initbench.diagnosis.measuring import draw_stack, joined, measurements
from initbench.diagnosis.predicting import Background, background, unpredicted
from initbench.diagnosis.rules import (
    ADVISED,
    BOUNDS,
    FAMILIES,
    WORDS,
    Assessment,
    Condition,
    Family,
    assess,
    slow,
)
from initbench.errors import PluginError
from initbench.runs import plan
from initbench.runs.plan import Run
from initbench.runs.records import RowKey
from initbench.spec import Experiment

#: A diagnosis takes a second or two: all its runs together may cost this many multiplications.
#: Where that is too little, fewer samples are measured, but no fewer than MIN_SAMPLES.
PRODUCTS = 6e9
MIN_SAMPLES, MAX_SAMPLES = 64, 384
#: A median over seeds needs no more seeds than MAX_SEEDS. Large networks differ less from one
#: another: an initializer is measured at the seeds whose networks have MAX_WEIGHTS weights
#: together, but at no fewer than MIN_SEEDS.
MAX_SEEDS, MIN_SEEDS = 32, 3
MAX_WEIGHTS = 50_000_000
#: A remedy is tried at as many seeds as have so many weights together, MIN_SEEDS at most.
TRIAL_WEIGHTS = 100_000
#: Measured quantities that the last layer does not have, or a network that passes no signal on. The
#: median is over the seeds that have them.
MAY_BE_MISSING = frozenset({"cosine", "update_size", "moved", "flat", "dead", "distinct_units"})


#: Weights that have moved by less than this share of their norm have hardly left their start, and a
#: loss above this share of the best constant's has learned little.
HARDLY_MOVED, UNLEARNED = 0.5, 0.5


#: Networks will not train in the usual time, will need several times as long, or train.
Degree = Literal["will not train", "slow", "healthy"]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found about an initializer, which condition that is and why, and what to do.

    ``condition`` is that under the config's optimizer, and ``by_family`` under each family of
    optimizers. ``degree`` says whether networks will fail to train, train slowly, or train.
    ``begins_at_layer`` counts from 1, and is None where no layer is to blame. ``share`` counts the
    starts of this condition in the benchmark, and how many of them failed; it is None where there
    was none, and during training. ``slower`` is how many times the iterations of others slow
    starts took there. ``remedy`` holds what ``advice`` recommends, as keys of a config
    with their new values. ``cautions`` are sentences about the data that a reader should know.
    """

    findings: Findings
    condition: Condition
    by_family: dict[Family, Condition]
    degree: Degree
    begins_at_layer: int | None
    reason: str
    share: Share | None
    slower: float | None
    advice: str
    remedy: dict[str, Any]
    cautions: tuple[str, ...] = ()


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


@np.errstate(all="ignore")  # what explodes overflows, in theory and measured: that is the finding
def _diagnose_row(
    runs: Sequence[Run], samples: int, during: bool, progress: Callable[[float], None]
) -> Diagnosed:
    """Measure one initializer of a config, stack by stack; ``progress`` is told how many runs."""
    name = f"{runs[0].experiment.name}, {runs[0].initializer.label}"
    found = Diagnosed([], [], [])
    measured: dict[int, list[Measurement]] = {}
    shared: Background | None = None
    alike: list[int] = []
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
            alike += seeds_in_data(networks)
            for iteration, measurement in measurements(networks, during=during):
                measured.setdefault(iteration, []).append(measurement)
                progress(done + len(stack.runs) * iteration / networks.work.task.iterations)
        done += len(stack.runs)
    if shared is not None:
        inputs = datasets.load(runs[0].experiment.dataset).train.inputs
        cautions = tuple(filter(None, [constant_features(inputs), shared_stream(alike)]))
        for iteration, parts in sorted(measured.items()):
            findings = _findings(runs[0], shared, iteration, joined(parts))
            found.diagnoses.append(_diagnosis(runs, findings, cautions))
    return found


def _diagnosis(runs: Sequence[Run], findings: Findings, cautions: tuple[str, ...]) -> Diagnosis:
    assessed = {family: assess(findings, bounds) for family, bounds in BOUNDS.items()}
    own = FAMILIES[findings.optimizer]
    assessment = assessed[own]
    degree: Degree = "will not train"
    if assessment.condition == "healthy":
        degree = "slow" if slow(findings, BOUNDS[own]) else "healthy"
    share = SHARES[own].get(assessment.condition) if findings.iteration == 0 else None
    advice, remedy = _advise(runs, findings, assessment)
    return Diagnosis(
        findings=findings,
        condition=assessment.condition,
        by_family={family: one.condition for family, one in assessed.items()},
        degree=degree,
        begins_at_layer=assessment.begins_at_layer,
        reason=assessment.reason
        + _elsewhere(assessed, own)
        + _record(share)
        + (_slowness(SLOWER[own]) if degree == "slow" else "")
        + _progress(findings),
        slower=SLOWER[own] if degree == "slow" else None,
        share=share,
        advice=advice,
        remedy=remedy,
        cautions=cautions,
    )


def _elsewhere(assessed: dict[Family, Assessment], own: Family) -> str:
    """Which optimizers the condition is about, where under others it would be another."""
    others = [
        f"under {WORDS[family]} it is {one.condition}"
        for family, one in assessed.items()
        if one.condition != assessed[own].condition
    ]
    return f" That is under {WORDS[own]}; {'; '.join(others)}." if others else ""


def _slowness(times: float) -> str:
    return f" Slow starts took about {times:.0f} times the iterations of others."


def _progress(findings: Findings) -> str:
    """How far training has come, and how far the weights have gone for it."""
    moved = [layer.moved for layer in findings.layers if layer.moved is not None]
    times = findings.first_loss_ratio
    if findings.iteration == 0 or not moved or times is None or not math.isfinite(times):
        return ""
    words = (
        f" The layers' weights have moved by {min(moved):.2g} to {max(moved):.2g} of their norm at "
        f"the start, and the loss is {times:.2g} of the best constant's"
    )
    if max(moved) < HARDLY_MOVED and times > UNLEARNED:
        words += ": the networks have hardly left their start, and learned little"
    return words + "."


def _record(share: Share | None) -> str:
    """How many starts of this condition failed in the benchmark."""
    if share is None:
        return ""
    return (
        f" {share.momentum} of {share.starts} such starts failed to train under momentum, "
        f"{share.adam} of {share.starts} under Adam."
    )


def _advise(
    runs: Sequence[Run], findings: Findings, assessment: Assessment
) -> tuple[str, dict[str, Any]]:
    """The first remedy whose own start comes out healthy, in words and as keys of a config."""
    if assessment.condition == "healthy" or findings.iteration > 0:
        return "", {}
    tried = 0
    for remedy in remedies(runs[0].experiment, findings, assessment.condition):
        outcome = _try(runs, remedy)
        if outcome is None:
            continue
        tried += 1
        if outcome == "healthy":
            return f"{remedy.words}: that start was measured too, and is healthy.", remedy.changes
    return (
        f"No remedy is known: none of {tried} other starts, activations, optimizers and sizes that "
        "were measured is healthy.",
        {},
    )


def changed(experiment: Experiment, changes: dict[str, Any]) -> Experiment:
    """A settled experiment with keys of its config changed, checked as a config's are."""
    any_config = {"name": "any", "initializer": "zeros", "layers": [1, 1], "iterations": 1}
    checked = Experiment.model_validate(any_config | {"learning_rate": 1.0} | changes)
    return experiment.model_copy(update={key: getattr(checked, key) for key in changes})


def _try(runs: Sequence[Run], remedy: Remedy) -> Condition | None:
    """The condition after a remedy, of a few seeds; None where it changes nothing or cannot be."""
    first = runs[0]
    posed = changed(first.experiment, remedy.changes)
    initializer = posed.initializer[0] if "initializer" in remedy.changes else first.initializer
    if remedy.changes.keys() == {"initializer"} and initializer.label == first.initializer.label:
        return None
    count = int(np.clip(TRIAL_WEIGHTS // posed.architecture.parameter_count, 1, MIN_SEEDS))
    trial = [
        Run(plan.experiment_at(posed, run.seed), initializer, run.seed) for run in runs[:count]
    ]
    parts: list[Measurement] = []
    for stack in plan.stacks(trial, 1, lambda _: MIN_SAMPLES):
        networks, _ = draw_stack(stack, MIN_SAMPLES)
        if not len(networks.theta):
            return None
        parts.extend(m for _, m in measurements(networks, during=False))
    findings = _findings(trial[0], unpredicted(networks), 0, joined(parts))
    return assess(findings, ADVISED[FAMILIES[findings.optimizer]]).condition


def _findings(run: Run, shared: Background, iteration: int, m: Measurement) -> Findings:
    """Medians over seeds. Theory is about drawn weights, and says nothing about trained ones."""
    median = {f.name: _median(f.name, getattr(m, f.name)) for f in fields(Measurement)}
    prediction, theory = (shared.prediction, shared.theory) if iteration == 0 else (None, None)
    return Findings(
        config=run.experiment.name,
        initializer=run.initializer.label,
        setting=run.experiment.setting,
        activation=run.experiment.activation.label,
        optimizer=run.experiment.optimizer.name,
        seeds=len(m.loss),
        samples=shared.samples,
        iteration=iteration,
        train_loss=float(median["loss"]),
        constant_loss=datasets.constant_loss(datasets.load(run.experiment.dataset)),
        input_square=shared.input_square,
        input_cosine=shared.input_cosine,
        input_spread=shared.input_spread,
        layers=tuple(_layers(median, prediction, shared)),
        theory=theory,
        jacobian=(
            float(median["jacobian_largest"]),
            float(median["jacobian_median"]),
            float(median["jacobian_smallest"]),
        ),
        born_dead=float(m.born_dead.mean()),
    )


def _median(name: str, values: Array) -> Array:
    """The median over seeds. NaN counts as the worst, since overflow leaves it, except where it
    says that a quantity is missing.
    """
    if not np.isnan(values).any():  # nanmedian takes ten times as long
        return np.asarray(np.median(values, axis=0))
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
            activation_contrast=float(median["activation_contrast"][index]),
            weight_square=float(median["weight_square"][index]),
            gradient_variance=pair("gradient_variance", index),
            weight_gradient_variance=float(median["weight_gradient_variance"][index]),
            cosine=pair("cosine", index),
            effective_rank=float(median["effective_rank"][index]),
            saturated=flat if output or saturates else None,
            inactive=None if output or saturates else flat,
            dead=_known(median["dead"][index]),
            distinct_units=_known(median["distinct_units"][index]),
            update_size=_known(median["update_size"][index]),
            moved=_known(median["moved"][index]),
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
