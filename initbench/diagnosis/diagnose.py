"""Experiments -> Diagnoses: draw, measure, predict and judge, before training or during it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from initbench.core import draw as start
from initbench.core import meanfield
from initbench.core.engine.network import layer_views, parameter_count
from initbench.core.engine.train import Problem, Split, train
from initbench.core.meanfield import Activation, Prediction
from initbench.core.propagation import Measurement, mean_cosine, measure
from initbench.diagnosis.rules import Diagnosis, Findings, Layer, Pair, Steady, Theory, judge
from initbench.errors import PluginError
from initbench.runs import plan
from initbench.runs.execute import Drawn, Work, draw, prepare
from initbench.runs.plan import Run, Stack
from initbench.runs.records import RowKey
from initbench.spec import Experiment

Array = NDArray[Any]

#: A diagnosis takes a second or two: so many multiplications in all, shared among its runs by
#: measuring fewer samples of each, though no fewer than MIN_SAMPLES.
PRODUCTS = 6e9
MIN_SAMPLES, MAX_SAMPLES = 64, 512
#: A median over seeds needs no more of them than this; large networks, which differ less from one
#: another, are measured at as many as have so many weights, though no fewer than MIN_SEEDS.
MAX_SEEDS, MIN_SEEDS = 32, 3
MAX_WEIGHTS = 50_000_000
#: Weights whose mean is further from 0 than this share of their root mean square, and as drawn than
#: this many standard errors, have another mean than 0: theory, which supposes that, says nothing.
MEAN_SHARE, MEAN_ERRORS = 0.1, 5.0
#: What the last layer does not have, or a network that passes nothing on: the median is of the
#: seeds that do.
MAY_BE_MISSING = frozenset({"cosine", "update_size", "flat", "dead", "distinct_units"})
#: Beyond this, to either side, an activation that saturates there has done so.
FAR = 40.0


@dataclass(frozen=True, slots=True)
class Shape:
    """What the verdict needs to know of an activation: where it is flat, and how steep at most."""

    phi: Activation
    steepest: float
    flat_below: bool
    flat_above: bool
    zero_below: bool


def diagnose(
    experiments: Sequence[Experiment],
    *,
    during: bool = False,
    report: Callable[[float], None] | None = None,
) -> tuple[list[Diagnosis], list[str], list[str]]:
    """Diagnose each initializer of each experiment over its seeds.

    Also, in words, why networks failed, and what initializers have to say of those that did not.

    A Diagnosis for each (config, initializer, setting), in the order of the configs; with
    ``during``, which trains, one for each log point of each. ``report`` is told the share done.
    """
    groups: dict[RowKey, list[Run]] = {}
    for run in plan.runs(experiments):
        key = RowKey.of(run.experiment.name, run.initializer.label, run.experiment.setting)
        group = groups.setdefault(key, [])
        most = MAX_WEIGHTS // parameter_count(run.experiment.sizes)
        if len(group) < np.clip(most, MIN_SEEDS, MAX_SEEDS):
            group.append(run)
    total = sum(map(len, groups.values()))
    weights = sum(parameter_count(g[0].experiment.sizes) * len(g) for g in groups.values())
    samples = int(np.clip(PRODUCTS / (6 * weights), MIN_SAMPLES, MAX_SAMPLES))
    diagnoses: list[Diagnosis] = []
    failures: list[str] = []
    notes: list[str] = []
    done = 0
    with threadpool_limits(1, user_api="blas"):
        for group in groups.values():
            measured: dict[int, list[Measurement]] = {}
            shared = None
            for stack in plan.stacks(group, 1, lambda _: samples):
                part, drawn = _part(stack, samples)
                name = f"{group[0].experiment.name}, {group[0].initializer.label}"
                failures += [f"{name}: {reason}" for reason in drawn.failures.values()]
                notes += [f"{name}: {note}" for note in drawn.notes.values()]
                if len(part.theta):
                    try:
                        shared = shared or _shared(part)
                    except PluginError as error:  # a user's law that is none
                        failures.append(f"{name}: {error}")
                        break
                    for iteration, measurement in _measurements(part, during=during):
                        measured.setdefault(iteration, []).append(measurement)
                        if report is not None:
                            share = iteration / part.work.problem.iterations
                            report((done + len(stack.runs) * share) / total)
                done += len(stack.runs)
            if shared is not None:
                for iteration, parts in sorted(measured.items()):
                    findings = _findings(group[0], shared, iteration, _joined(parts))
                    diagnoses.append(Diagnosis(findings, judge(findings)))
    return diagnoses, list(dict.fromkeys(failures)), list(dict.fromkeys(notes))


@dataclass(frozen=True, slots=True)
class Law:
    """Of each layer, (L,): variances about 0 of weights and biases, and whether the mean is 0."""

    weight_variance: Array
    bias_variance: Array
    centred: bool


@dataclass(frozen=True, slots=True)
class Part:
    """A stack that is drawn: its work, its parameters, and the samples to measure it on."""

    work: Work
    theta: Array
    split: Split
    shape: Shape


def _part(stack: Stack, samples: int) -> tuple[Part, Drawn]:
    drawn = draw(prepare(stack))
    work, theta = drawn.work, drawn.theta
    train_split = work.problem.train
    count = train_split.inputs.shape[1]
    # Evenly spaced: a file may be sorted by class.
    chosen = np.unique(np.linspace(0, count - 1, min(samples, count)).astype(int))
    split = Split(train_split.inputs[:, chosen], train_split.targets[:, chosen])
    return Part(work, theta, split, _shape(work.problem)), drawn


def _measurements(part: Part, *, during: bool) -> Iterator[tuple[int, Measurement]]:
    work, theta = part.work, part.theta

    def now() -> Measurement:
        return measure(work.problem, theta, part.split, work.hyperparameters, part.shape.steepest)

    if not during:
        yield 0, now()
        return
    for point in train(work.problem, theta, work.seeds, work.hyperparameters):
        yield point.iteration, now()  # train moves theta in place


def _joined(measurements: Sequence[Measurement]) -> Measurement:
    """The runs of several stacks as one."""
    return Measurement(
        **{
            field.name: np.concatenate([getattr(m, field.name) for m in measurements])
            for field in fields(Measurement)
        }
    )


def _shape(problem: Problem) -> Shape:
    phi = meanfield.elementwise(problem.apply, problem.slope_dtype)
    slope = np.abs(phi(np.linspace(-FAR, FAR, 8001))[1])
    value, ends = phi(np.array([-FAR, FAR]))
    steepest = float(slope.max())
    below, above = (bool(abs(end) < 1e-6 * steepest) for end in ends)
    return Shape(phi, steepest, below, above, below and value[0] == 0)


@dataclass(frozen=True, slots=True)
class Shared:
    """What all findings of an initializer share: its data, and what theory says of its law."""

    shape: Shape
    sizes: tuple[int, ...]
    samples: int
    input_square: float
    input_cosine: float
    prediction: Prediction | None
    theory: Theory | None
    steady: Steady


def _shared(part: Part) -> Shared:
    """From a group's first stack."""
    sizes, shape = part.work.problem.sizes, part.shape
    square = float((part.split.inputs**2).mean())
    cosine = float(mean_cosine(part.split.inputs[None])[0])
    law = _law(part.work, part.theta)
    prediction = None
    if law.centred:
        prediction = meanfield.predict(
            shape.phi, sizes, law.weight_variance, law.bias_variance, square, cosine
        )
    scale, change = meanfield.steady_scale(shape.phi, len(sizes) - 1, square)
    fan_in = np.array(sizes[:-1])
    steady = meanfield.predict(
        shape.phi, sizes, scale / fan_in, np.zeros(len(fan_in)), square, cosine
    )
    return Shared(
        shape=shape,
        sizes=sizes,
        samples=part.split.inputs.shape[1],
        input_square=square,
        input_cosine=cosine,
        prediction=prediction,
        theory=_theory(law, prediction, shape, sizes),
        steady=Steady(scale, change, math.sqrt(float(steady.log_length_variance[-1]))),
    )


def _findings(run: Run, shared: Shared, iteration: int, m: Measurement) -> Findings:
    """Medians over seeds; trained weights are of no law, and theory says nothing of them."""
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
        layers=tuple(_layers(median, prediction, shared.shape, shared.sizes)),
        theory=theory,
        jacobian=(
            float(median["jacobian_largest"]),
            float(median["jacobian_median"]),
            float(median["jacobian_smallest"]),
        ),
        born_dead=float(m.born_dead.mean()),
        steady=shared.steady,
    )


def _law(work: Work, theta: Array) -> Law:
    """The initializer's own law; where it has none (data-driven ones), the weights as drawn."""
    known = start.laws(work.chosen[0], work.network)
    mean, variance, errors, biases = [], [], [], []
    for law, view in zip(known, layer_views(theta, work.network.sizes), strict=True):
        weights = view[:, :, :-1].astype(np.float64)
        mean.append(weights.mean() if law is None else law.mean)
        variance.append((weights**2).mean() if law is None else law.mean**2 + law.std**2)
        errors.append(MEAN_ERRORS / math.sqrt(weights.size) if law is None else 0.0)
        biases.append((view[:, :, -1].astype(np.float64) ** 2).mean())
    size = np.sqrt(variance)
    centred = np.abs(mean) <= np.maximum(errors, MEAN_SHARE) * size
    return Law(np.array(variance), np.array(biases), bool(centred.all()))


def _median(name: str, values: Array) -> Array:
    """Over seeds. NaN is what overflow leaves, the worst, where it does not mean "has none"."""
    if name not in MAY_BE_MISSING:
        return np.asarray(np.median(np.where(np.isnan(values), np.inf, values), axis=0))
    missing = np.isnan(values).all(axis=0)
    return np.where(missing, np.nan, np.nanmedian(np.where(missing, 0.0, values), axis=0))


def _layers(
    median: dict[str, Array], prediction: Prediction | None, shape: Shape, sizes: Sequence[int]
) -> Iterator[Layer]:
    last = len(sizes) - 1
    saturates = shape.flat_below and shape.flat_above
    predicted: dict[str, Array] = {}
    if prediction is not None:
        growth = np.cumprod(prediction.gradient_growth[::-1])[::-1]
        predicted = {
            "preactivation_variance": prediction.variance,
            "contrast": prediction.variance * (1 - prediction.cosine),
            "gradient_variance": growth * median["gradient_variance"][-1],
            "cosine": prediction.cosine,
        }

    def pair(name: str, index: int) -> Pair:
        theory = predicted.get(name)
        return Pair(None if theory is None else float(theory[index]), float(median[name][index]))

    for index in range(last):
        flat = _known(median["flat"][index])
        output = index == last - 1
        yield Layer(
            layer=index + 1,
            fan_in=sizes[index],
            units=sizes[index + 1],
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


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _theory(
    law: Law, prediction: Prediction | None, shape: Shape, sizes: Sequence[int]
) -> Theory | None:
    """Of the network as if it went on for ever as its hidden layers are in the median."""
    if prediction is None or len(sizes) < 3:
        return None
    # Layers that an activation feeds: hidden ones, or where there is but one, the last.
    inner = slice(1, -1) if len(sizes) > 3 else slice(1, None)
    sigma_w2 = float(np.median((np.array(sizes[:-1]) * law.weight_variance)[inner]))
    sigma_b2 = float(np.median(law.bias_variance[inner]))
    first = float(prediction.variance[0])
    limit = meanfield.limit(shape.phi, sigma_w2, sigma_b2, first)
    unbiased = not law.bias_variance.any()
    return Theory(
        sigma_w2=sigma_w2,
        sigma_b2=sigma_b2,
        fixed_variance=limit.q,
        fixed_cosine=limit.c,
        chi_1=limit.chi_1,
        xi_q=limit.xi_q,
        xi_c=limit.xi_c,
        reach=limit.reach,
        length_spread=math.sqrt(float(prediction.log_length_variance[-1])),
        born_dead=meanfield.born_dead(sizes) if shape.zero_below and unbiased else None,
    )
