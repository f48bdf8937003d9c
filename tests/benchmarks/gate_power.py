"""How often does the gate raise a false alarm, and how often does it miss a fault?

The script prints what it measures:

1. kernels: the committed baseline, saved under one OpenBLAS kernel, is checked under each of five
   (in child processes, by OPENBLAS_CORETYPE).
2. alarms: 200 candidates that differ from their baseline in seeds alone, over the shipped configs
   (a fifth of their iterations at five times their learning rate), are checked.
3. offline: 200 pairs of saved files that differ in seeds alone, as `initbench run` writes them, are
   checked without training.
4. faults: faults are planted in this process, and each is checked in 20 disjoint sets of seeds.

    python gate_power.py [kernels] [alarms] [offline] [faults]
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
from sklearn.datasets import load_digits

from initbench import config
from initbench.config import plugins
from initbench.core.activations import ACTIVATIONS, leaky_relu
from initbench.core.architecture import Architecture
from initbench.core.engine import numpy_stack
from initbench.core.engine.protocol import Split, TrainingTask
from initbench.core.initializers import INITIALIZERS
from initbench.core.initializers.distributions import truncated_normal
from initbench.core.initializers.scaling import Family, member, variance_scaling
from initbench.core.optimizers import OPTIMIZERS
from initbench.gate import replay as gate
from initbench.gate.baseline import load
from initbench.gate.check import check_saved
from initbench.gate.outcomes import TWINS, RowOutcomes
from initbench.gate.training import row_outcomes
from initbench.gate.verdicts import WORDS
from initbench.runs import plan
from initbench.runs.records import RowKey
from initbench.runs.runner import Execution, train_afresh
from initbench.spec import Experiment

KERNELS = ("SkylakeX", "Haswell", "Nehalem", "Prescott", "Zen")
CONFIGS = Path(__file__).parents[2] / "configs"
BASELINE = Path(__file__).parents[2] / "results" / "baseline.json"
SEEDS = 10  # of a baseline, and as many to confirm
CANDIDATES = 200
POOL = 240  # seeds a config, of which each candidate and its baseline draw 40
SETS = 20
#: Configs, plugins and data files, until the script ends.
FOLDER = tempfile.TemporaryDirectory()


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


def seed_pools() -> list[RowOutcomes]:
    """The shipped configs, quicker, at POOL seeds each."""
    quicker = [("", "iterations=3000"), ("", "learning_rate=0.05"), ("", f"seeds={POOL}")]
    return outcomes(config.load(sorted(CONFIGS.glob("*.yaml")), quicker), twins=0)


def alarms() -> None:
    """At most 1 % of the candidates that differ in seeds alone may end as regressed or improved."""
    pools = seed_pools()
    found: Counter[str] = Counter()
    left: Counter[str] = Counter()
    rng = RandomState(0)
    for _ in range(CANDIDATES):
        known, candidates, repeats = [], [], []
        for pool in pools:
            drawn = rng.permutation(POOL)[: 4 * SEEDS].reshape(4, SEEDS)
            main, kept, other, again = (relabelled(pool, seeds) for seeds in drawn.tolist())
            known.append(replace(main, confirm=kept.runs))
            candidates.append(other)
            repeats.append(again)
        first, after = judged(known, candidates, repeats)
        found.update(first)
        left.update(after)
    print(f"  {CANDIDATES} candidates over {len(pools)} configs")
    for word in ("regressed", "improved"):
        print(f"  {word}: {found[word]} before confirmation, {left[word]} after it")


def offline() -> None:
    """At most 1 % of the pairs of files that differ in seeds alone may end in such a verdict."""
    pools = seed_pools()
    left: Counter[str] = Counter()
    rng = RandomState(1)
    for _ in range(CANDIDATES):
        sides: tuple[dict[RowKey, RowOutcomes], ...] = ({}, {})
        for pool in pools:
            drawn = rng.permutation(POOL)[: 2 * SEEDS].reshape(2, SEEDS)
            for side, seeds in zip(sides, drawn.tolist(), strict=True):
                side[pool.key] = relabelled(pool, seeds)
        left.update({verdict.verdict for verdict in check_saved(*sides).verdicts})
    print(f"  {CANDIDATES} pairs over {len(pools)} configs")
    for word in ("regressed", "improved"):
        print(f"  {word}: {left[word]}")


def relabelled(pool: RowOutcomes, seeds: Sequence[int]) -> RowOutcomes:
    """Some of a pool's runs under the seeds 0, 1, ..., as if another code had drawn them."""
    runs = tuple(replace(pool.runs[old], seed=new) for new, old in enumerate(seeds))
    return replace(pool, runs=runs)


def judged(
    known: Sequence[RowOutcomes], candidates: Sequence[RowOutcomes], repeats: Sequence[RowOutcomes]
) -> tuple[set[str], set[str]]:
    """The verdicts before confirmation, and those after it."""
    baseline = {group.key: group for group in known}
    verdicts = gate.judge(baseline, candidates, {})
    found = gate.to_confirm(verdicts)
    confirmed = gate.confirmed(
        verdicts, baseline, [group for group in repeats if group.key in found], {}
    )
    return {verdict.verdict for verdict in verdicts}, {verdict.verdict for verdict in confirmed}


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
#: With slopes between 0 and 1, which relu lacks.
TANH = DEEP.replace("deep", "tanh") + "activation: tanh\n"
OWN = DEEP.replace("deep", "own")
TABLE = """
name: table
initializer: {initializer}
layers: [64, 32, 10]
dataset: {{name: file, path: digits.csv, target: digit}}
iterations: 100
learning_rate: 0.5
log_every: 100
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
    """What is planted, in which problem, and whether it is real: whether it makes a net worse.

    ``plant`` is a context in which the fault is there. It may give another experiment to train.
    """

    what: str
    problem: str
    plant: Callable[[Experiment], Any]
    real: bool
    initializer: str = "he_normal"
    seeds: int = SEEDS


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


def times(hyperparameter: str, factor: float) -> Callable[[Experiment], Any]:
    """The optimizer takes a hyperparameter for ``factor`` times what the config says."""

    def plant(experiment: Experiment) -> Any:
        name = experiment.optimizer.name
        step = OPTIMIZERS[name].step

        def off(*arrays: Any, **others: Any) -> None:
            right = others[hyperparameter]
            step(*arrays, **{**others, hyperparameter: right * right.dtype.type(factor)})

        return planted(OPTIMIZERS, name, step=off)

    return plant


def biases(architecture: Architecture, keep: Any) -> None:
    for view in architecture.views(keep):
        view[..., -1] = 0


def first_layer(architecture: Architecture, keep: Any) -> None:
    architecture.views(keep)[0][:] = 0


def frozen(experiment: Experiment, *, clear: Callable[[Architecture, Any], None]) -> Any:
    """What ``clear`` sets to 0 gets no gradient."""
    name = experiment.optimizer.name
    step = OPTIMIZERS[name].step
    architecture = experiment.architecture
    keep = architecture.zeros(1)
    keep[:] = 1
    clear(architecture, keep)

    def without(theta: Any, gradient: Any, *rest: Any, **others: Any) -> None:
        gradient *= keep
        step(theta, gradient, *rest, **others)

    return planted(OPTIMIZERS, name, step=without)


def leaky(_: Experiment) -> Any:
    def apply(z: Any, slope: Any) -> None:
        leaky_relu(z, slope, negative_slope=0.001)

    return planted(ACTIVATIONS, "relu", apply=apply, binary_slope=False)


@contextmanager
def half_the_samples(_: Experiment) -> Iterator[None]:
    """The second half of the train samples is in no batch; losses are still those of all."""
    batches = numpy_stack._batches

    def of_half(task: TrainingTask, seeds: Sequence[int]) -> Any:
        samples = slice(task.train.inputs.shape[1] // 2)
        half = Split(task.train.inputs[:, samples], task.train.targets[:, samples])
        return batches(replace(task, train=half), seeds)

    numpy_stack._batches = of_half
    try:
        yield
    finally:
        numpy_stack._batches = batches


def squared_slope(_: Experiment) -> Any:
    right = ACTIVATIONS["tanh"].apply

    def apply(z: Any, slope: Any) -> None:
        right(z, slope)
        slope *= slope

    return planted(ACTIVATIONS, "tanh", apply=apply)


def smaller_last_layer(rng: RandomState, shape: tuple[int, int], dtype: Any, **_: object) -> Any:
    drawn = variance_scaling(rng, shape, dtype, scale=2.0, distribution="normal")
    return drawn * drawn.dtype.type(0.9 if shape[0] == 10 else 1)  # 10 classes


def own_initializer(factor: float) -> str:
    return (
        "def own(rng, shape, dtype):\n"
        f"    std = {factor} * (2 / shape[1]) ** 0.5\n"
        "    return (std * rng.standard_normal(shape)).astype(dtype)\n"
    )


def table(labels: Any) -> str:
    pixels = load_digits().data
    header = ",".join(f"pixel{i}" for i in range(pixels.shape[1]))
    rows = (
        ",".join(f"{x:g}" for x in row) + f",{label}"
        for row, label in zip(pixels, labels, strict=True)
    )
    return "\n".join([f"{header},digit", *rows]) + "\n"


@contextmanager
def smaller_own_initializer(_: Experiment) -> Iterator[Experiment]:
    yield loaded(OWN.format(initializer="own"), plugin=own_initializer(0.2))


@contextmanager
def shuffled_labels(_: Experiment) -> Iterator[Experiment]:
    labels = RandomState(0).permutation(load_digits().target)
    yield loaded(TABLE.format(initializer="he_normal"), data=table(labels))


def he_times(scale: float) -> Callable[[Experiment], Any]:
    draw = partial(member, family=Family(scale, "fan_in"), distribution="normal")
    return initializer("he_normal", draw)


FAULTS = [
    Fault("He's gain sqrt(1 / fan_in), 13 layers", DEEP, he_times(1.0), True),
    Fault("He's gain sqrt(4 / fan_in), 13 layers", DEEP, he_times(4.0), True),
    Fault("fans swapped, 64-256-16-10", WIDE, initializer("he_normal", swapped), True),
    Fault("bias gradient dropped", CIRCLES, partial(frozen, clear=biases), True),
    Fault("learning rate 3 times too small", DEEP, times("learning_rate", 1 / 3), True),
    Fault("learning rate 3 times too large", FAST, times("learning_rate", 3.0), True),
    Fault("another stream of weights", CIRCLES, initializer("he_normal", another_seed), False),
    Fault("weights rounded to float32", CIRCLES, initializer("he_normal", single), False),
    Fault("relu leaks 0.001", CIRCLES, leaky, False),
    Fault("learning rate 0.1 % off", CIRCLES, times("learning_rate", 1.001), False),
    Fault(
        "truncated normal not widened", CIRCLES,
        initializer("he_truncated_normal", uncorrected), False, "he_truncated_normal",
    ),
    Fault(
        "last layer 0.9 times as large", DEEP,
        initializer("he_normal", smaller_last_layer), False,
    ),
    Fault("half of the train samples unused", DEEP, half_the_samples, True),
    Fault("momentum 0.8 in place of 0.9", DEEP, times("momentum", 8 / 9), True),
    Fault("activation's slope squared, tanh", TANH, squared_slope, True, "lecun_normal"),
    Fault("first layer frozen", DEEP, partial(frozen, clear=first_layer), True),
    Fault("plugin's std 0.2 times as large", OWN, smaller_own_initializer, True, "own"),
    Fault("labels of a data file shuffled", TABLE, shuffled_labels, True),
    Fault("3 seeds, He's gain sqrt(0.002 / fan_in)", CIRCLES, he_times(0.002), True, seeds=3),
]  # fmt: skip


def faults() -> None:
    """At least 95 % of the faulty candidates must be seen, as regressed where the net is worse."""
    sound: dict[tuple[str, str], tuple[Experiment, RowOutcomes]] = {}
    for fault in FAULTS:
        key = fault.problem, fault.initializer
        if key not in sound:
            text = fault.problem.format(initializer=fault.initializer)
            experiment = loaded(text, own_initializer(1.0), table(load_digits().target))
            (known,) = outcomes([experiment], TWINS)
            sound[key] = experiment, known
        experiment, known = sound[key]
        with fault.plant(experiment) as other:
            (faulty,) = outcomes([other or experiment], 0)
        words: Counter[str] = Counter()
        for number in range(SETS):
            start = 2 * SEEDS * number
            main, kept = (
                slice(start + part * SEEDS, start + part * SEEDS + fault.seeds) for part in (0, 1)
            )
            _, after = judged(
                [replace(known, runs=known.runs[main], confirm=known.runs[kept])],
                [replace(faulty, runs=faulty.runs[main])],
                [replace(faulty, runs=faulty.runs[kept])],
            )
            words[min(after, key=WORDS.index)] += 1
        effect = "real " if fault.real else "small"
        print(f"  {effect} {fault.what:40} {dict(words)}", flush=True)


def loaded(text: str, plugin: str = own_initializer(1.0), data: str = "") -> Experiment:
    """The experiment of a config beside a plugin file and a data file."""
    path = Path(tempfile.mkdtemp(dir=FOLDER.name)) / "fault.yaml"
    path.write_text(f"{text}seeds: {2 * SEEDS * SETS}\n", encoding="utf-8")
    own = path.with_name("own.py")
    own.write_text(plugin, encoding="utf-8")
    path.with_name("digits.csv").write_text(data, encoding="utf-8")
    (experiment,) = config.load([path], (), plugins.Allowed([own]))
    return experiment


if __name__ == "__main__":
    for part in (kernels, alarms, offline, faults):
        if part.__name__ in sys.argv[1:] or len(sys.argv) == 1:
            began = time.perf_counter()
            print(f"{part.__name__}: {part.__doc__}", flush=True)
            part()
            print(f"  {time.perf_counter() - began:.0f} s", flush=True)
