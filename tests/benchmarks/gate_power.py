"""How often does the gate raise a false alarm, and how often does it miss a fault?

The script prints what it measures:

1. kernels: the committed baseline, saved under one OpenBLAS kernel, is checked under each of five
   (in child processes, by OPENBLAS_CORETYPE).
2. alarms: 200 candidates that differ from their baseline in seeds alone, over the shipped configs
   (a fifth of their iterations at five times their learning rate), are checked.
3. faults: faults are planted in this process, and each is checked in 20 disjoint sets of seeds.

    python gate_power.py [kernels] [alarms] [faults]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.random import RandomState

from initbench import config
from initbench.core.activations import ACTIVATIONS, leaky_relu
from initbench.core.initializers import INITIALIZERS
from initbench.core.initializers.distributions import truncated_normal
from initbench.core.initializers.scaling import Family, member, variance_scaling
from initbench.core.optimizers import OPTIMIZERS
from initbench.gate import replay as gate
from initbench.gate.baseline import load
from initbench.gate.outcomes import TWINS, RowOutcomes
from initbench.gate.training import row_outcomes
from initbench.gate.verdicts import WORDS
from initbench.runs import plan
from initbench.runs.runner import Execution, train_afresh
from initbench.spec import Experiment

KERNELS = ("SkylakeX", "Haswell", "Nehalem", "Prescott", "Zen")
CONFIGS = Path(__file__).parents[2] / "configs"
BASELINE = Path(__file__).parents[2] / "results" / "baseline.json"
SEEDS = 10  # of a baseline, and as many to confirm
CANDIDATES = 200
POOL = 240  # seeds a config, of which each candidate and its baseline draw 40
SETS = 20


def kernels() -> None:
    """No kernel may turn a verdict into `changed`."""
    saved = {str((group.provenance or {})["blas"]) for group in load(BASELINE).values()}
    print(f"  the baseline was saved under {', '.join(saved)}")
    for kernel in KERNELS:
        configs = map(str, sorted(CONFIGS.glob("*.yaml")))
        code = "from initbench.cli import main; main()"
        done = subprocess.run(
            [sys.executable, "-c", code, "check", *configs, "--baseline", str(BASELINE),
             "--format=json", "--quiet", "--jobs=1"],
            env={**os.environ, "OPENBLAS_CORETYPE": kernel},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode < 0:
            print(f"  {kernel:10} this CPU has no such instructions")
            continue
        counts = Counter(verdict["verdict"] for verdict in json.loads(done.stdout)["verdicts"])
        print(f"  {kernel:10} exit {done.returncode}, {dict(counts)}", flush=True)


def alarms() -> None:
    """At most 1 % of the candidates that differ in seeds alone may end as regressed."""
    quicker = [("", "iterations=3000"), ("", "learning_rate=0.05"), ("", f"seeds={POOL}")]
    experiments = config.load(sorted(CONFIGS.glob("*.yaml")), quicker)
    pools = outcomes(experiments, twins=0)
    words: Counter[str] = Counter()
    found = 0
    rng = RandomState(0)
    for _ in range(CANDIDATES):
        known, candidates, repeats = [], [], []
        for pool in pools:
            drawn = rng.permutation(POOL)[: 4 * SEEDS].reshape(4, SEEDS)
            main, kept, other, again = (relabelled(pool, seeds) for seeds in drawn.tolist())
            known.append(replace(main, confirm=kept.runs))
            candidates.append(other)
            repeats.append(again)
        first, verdict = judged(known, candidates, repeats)
        found += "regressed" in first
        words[verdict] += 1
    print(f"  {CANDIDATES} candidates over {len(pools)} configs: {found} with a finding, after")
    print(f"  confirmation {words['regressed']} regressed: {dict(words)}")


def relabelled(pool: RowOutcomes, seeds: Sequence[int]) -> RowOutcomes:
    """Some of a pool's runs under the seeds 0, 1, ..., as if another code had drawn them."""
    runs = tuple(replace(pool.runs[old], seed=new) for new, old in enumerate(seeds))
    return replace(pool, runs=runs)


def judged(
    known: Sequence[RowOutcomes], candidates: Sequence[RowOutcomes], repeats: Sequence[RowOutcomes]
) -> tuple[set[str], str]:
    """All verdicts before confirmation, and the worst one after it."""
    baseline = {group.key: group for group in known}
    verdicts = gate.judge(baseline, candidates, {})
    found = gate.to_confirm(verdicts)
    confirmed = gate.confirmed(
        verdicts, baseline, [group for group in repeats if group.key in found], {}
    )
    worst = min((verdict.verdict for verdict in confirmed), key=WORDS.index)
    return {verdict.verdict for verdict in verdicts}, worst


def outcomes(experiments: Sequence[Experiment], twins: int) -> list[RowOutcomes]:
    """Train every run, and the twins of those in the first half of each set of seeds."""
    runs = plan.runs(experiments)
    nudged = [
        replace(run, nudge=k)
        for run in runs
        if run.seed % (2 * SEEDS) < SEEDS
        for k in range(1, twins + 1)
    ]
    every = [*runs, *nudged]
    return row_outcomes(every, train_afresh(every, Execution(jobs=1)))


DEEP = """
name: deep
initializer: {initializer}
width: 32
depth: 12
dataset: {{name: digits, standardize: global, test_fraction: 0.5}}
optimizer: momentum
batch_size: 64
iterations: 120
learning_rate: 0.005
dtype: float32
log_every: 120
"""
#: Near the largest learning rate that trains.
FAST = DEEP.replace("120", "200").replace("0.005", "0.02").replace("deep", "fast")
WIDE = """
name: wide
initializer: {initializer}
layers: [64, 256, 16, 10]
dataset: {{name: digits, standardize: global, test_fraction: 0.5}}
optimizer: momentum
batch_size: 64
iterations: 60
learning_rate: 0.05
dtype: float32
log_every: 60
"""
CIRCLES = """
name: circles
initializer: {initializer}
layers: [2, 10, 5, 1]
iterations: 1500
learning_rate: 0.1
log_every: 1500
"""


class Fault(NamedTuple):
    """What is planted, in which problem, and whether it is real: whether it makes a net worse."""

    what: str
    problem: str
    plant: Callable[[Experiment], Any]
    real: bool
    initializer: str = "he_normal"


@contextmanager
def planted(registry: dict[str, Any], name: str, **fields: Any) -> Iterator[None]:
    """Give a registry's row other fields while the context is open."""
    row = registry[name]
    registry[name] = row._replace(**fields)
    try:
        yield
    finally:
        registry[name] = row


def initializer(name: str, draw: Callable[..., Any]) -> Callable[[Experiment], Any]:
    return lambda _: planted(INITIALIZERS, name, draw=draw)


def swapped(rng: RandomState, shape: tuple[int, int], dtype: Any, **_: object) -> Any:
    drawn = variance_scaling(rng, shape[::-1], dtype, scale=2.0, distribution="normal")
    return drawn.reshape(shape)


def another_seed(rng: RandomState, shape: tuple[int, int], dtype: Any, **_: object) -> Any:
    rng.standard_normal()
    return variance_scaling(rng, shape, dtype, scale=2.0, distribution="normal")


def single(rng: RandomState, shape: tuple[int, int], dtype: Any, **_: object) -> Any:
    drawn = variance_scaling(rng, shape, np.float32, scale=2.0, distribution="normal")
    return drawn.astype(dtype)


def uncorrected(rng: RandomState, shape: tuple[int, int], dtype: Any, **_: object) -> Any:
    return truncated_normal(rng, shape, dtype, std=np.sqrt(2 / shape[1]))


def rate_times(factor: float) -> Callable[[Experiment], Any]:
    def plant(experiment: Experiment) -> Any:
        name = experiment.optimizer.name
        step = OPTIMIZERS[name].step

        def off(*arrays: Any, learning_rate: Any, **others: Any) -> None:
            step(*arrays, learning_rate=learning_rate * learning_rate.dtype.type(factor), **others)

        return planted(OPTIMIZERS, name, step=off)

    return plant


def no_bias_gradient(experiment: Experiment) -> Any:
    name = experiment.optimizer.name
    step = OPTIMIZERS[name].step
    architecture = experiment.architecture
    keep = architecture.zeros(1)
    keep[:] = 1
    for view in architecture.views(keep):
        view[..., -1] = 0

    def without(theta: Any, gradient: Any, *rest: Any, **others: Any) -> None:
        gradient *= keep
        step(theta, gradient, *rest, **others)

    return planted(OPTIMIZERS, name, step=without)


def leaky(_: Experiment) -> Any:
    def apply(z: Any, slope: Any) -> None:
        leaky_relu(z, slope, negative_slope=0.001)

    return planted(ACTIVATIONS, "relu", apply=apply, binary_slope=False)


def he_times(scale: float) -> Callable[[Experiment], Any]:
    draw = partial(member, family=Family(scale, "fan_in"), distribution="normal")
    return initializer("he_normal", draw)


FAULTS = [
    Fault("He's gain sqrt(1 / fan_in), 13 layers", DEEP, he_times(1.0), True),
    Fault("He's gain sqrt(4 / fan_in), 13 layers", DEEP, he_times(4.0), True),
    Fault("fans swapped, 64-256-16-10", WIDE, initializer("he_normal", swapped), True),
    Fault("bias gradient dropped", CIRCLES, no_bias_gradient, True),
    Fault("learning rate 3 times too small", DEEP, rate_times(1 / 3), True),
    Fault("learning rate 3 times too large", FAST, rate_times(3.0), True),
    Fault("another stream of weights", CIRCLES, initializer("he_normal", another_seed), False),
    Fault("weights rounded to float32", CIRCLES, initializer("he_normal", single), False),
    Fault("relu leaks 0.001", CIRCLES, leaky, False),
    Fault("learning rate 0.1 % off", CIRCLES, rate_times(1.001), False),
    Fault(
        "truncated normal not widened", CIRCLES,
        initializer("he_truncated_normal", uncorrected), False, "he_truncated_normal",
    ),
]  # fmt: skip


def faults() -> None:
    """At least 95 % of the faulty candidates must be seen, as regressed where the net is worse."""
    sound: dict[tuple[str, str], tuple[Experiment, RowOutcomes]] = {}
    for fault in FAULTS:
        key = fault.problem, fault.initializer
        if key not in sound:
            experiment = loaded(fault.problem.format(initializer=fault.initializer))
            (known,) = outcomes([experiment], TWINS)
            sound[key] = experiment, known
        experiment, known = sound[key]
        with fault.plant(experiment):
            (faulty,) = outcomes([experiment], 0)
        words: Counter[str] = Counter()
        for number in range(SETS):
            start = 2 * SEEDS * number
            main, kept = (
                slice(start + part * SEEDS, start + (part + 1) * SEEDS) for part in (0, 1)
            )
            _, worst = judged(
                [replace(known, runs=known.runs[main], confirm=known.runs[kept])],
                [replace(faulty, runs=faulty.runs[main])],
                [replace(faulty, runs=faulty.runs[kept])],
            )
            words[worst] += 1
        effect = "real " if fault.real else "small"
        print(f"  {effect} {fault.what:40} {dict(words)}", flush=True)


def loaded(text: str) -> Experiment:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fault.yaml"
        path.write_text(f"{text}seeds: {2 * SEEDS * SETS}\n", encoding="utf-8")
        (experiment,) = config.load([path])
    return experiment


if __name__ == "__main__":
    for part in (kernels, alarms, faults):
        if part.__name__ in sys.argv[1:] or len(sys.argv) == 1:
            began = time.perf_counter()
            print(f"{part.__name__}: {part.__doc__}", flush=True)
            part()
            print(f"  {time.perf_counter() - began:.0f} s", flush=True)
