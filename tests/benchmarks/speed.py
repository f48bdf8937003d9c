"""How fast initbench trains, beside JAX, PyTorch, scikit-learn and a loop in C.

All contenders run in one process, on one thread pinned to one core. They start from the
same weights and must reach the same parameters, or nothing is timed (exit code 1). Then
they take turns, round after round, so that a busy moment of the machine falls on all; the
minimum is what to compare, the median says how busy the machine was.

    python tests/benchmarks/speed.py [--quick] [--json FILE]

The frameworks come with ``pip install initbench[bench]``; without one its rows are skipped.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

import in_initbench
import numpy as np
import threadpoolctl
from task import Task, Trainer, article, digits, start

#: Read when the libraries are loaded: main() starts the script again with these set.
ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
CHECKED_ITERATIONS = 200
#: float32 trajectories part by rounding alone: there the check finds other work, not other bits.
TOLERANCES = {"float64": 1e-9, "float32": 1e-3}

OURS = "initbench"
#: (name, module, function, runs), a row of a table each.
ARTICLE_ROWS = [
    *((OURS, "in_initbench", "stacked", runs) for runs in (1, 16, 64)),
    *(("JAX, samples first", "in_jax", "samples_first", runs) for runs in (1, 16, 64)),
    *(("JAX, features first", "in_jax", "features_first", runs) for runs in (1, 16, 64)),
    *(("PyTorch, stacked", "in_torch", "stacked", runs) for runs in (1, 16, 64)),
    ("PyTorch, plain", "in_torch", "plain", 1),
    ("scikit-learn", "in_sklearn", "mlp", 1),
    ("C, fused by hand", "in_c", "loop", 1),
]
DIGITS_ROWS = [
    *((OURS, "in_initbench", "stacked", runs) for runs in (1, 8)),
    ("PyTorch, plain", "in_torch", "plain", 1),
    ("PyTorch, stacked", "in_torch", "stacked", 8),
]


@dataclass
class Row:
    """A contender on a task: what it took, or why it was skipped."""

    task: str
    contender: str
    runs: int
    skipped: str | None = None
    microseconds: list[float] = field(default_factory=list)  # per run and iteration, a round each

    @property
    def best(self) -> float:
        return min(self.microseconds)

    @property
    def median(self) -> float:
        return statistics.median(self.microseconds)


class Target(NamedTuple):
    """A bound on ``above / below``, each a contender and its number of runs."""

    task: str
    above: tuple[str, int]
    below: tuple[str, int]
    at_least: bool
    bound: float


TARGETS = [
    Target("article", ("JAX, samples first", 64), (OURS, 64), True, 1.7),
    Target("article", ("JAX, features first", 64), (OURS, 64), True, 1.7),
    Target("article", ("PyTorch, stacked", 64), (OURS, 64), True, 3.4),
    Target("article", (OURS, 64), ("C, fused by hand", 1), False, 2.6),
    *(
        Target(f"digits {dtype}", (peer, runs), (OURS, runs), True, 1)
        for dtype in ("float64", "float32")
        for peer, runs in (("PyTorch, plain", 1), ("PyTorch, stacked", 8))
    ),
]


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description="Compare initbench's speed with its peers'.")
    parser.add_argument("--quick", action="store_true", help="few short rounds: a smoke test")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every round here, too")
    options = parser.parse_args()
    if any(os.environ.get(name) != value for name, value in ONE_THREAD.items()):
        again = [sys.executable, *sys.argv]
        return subprocess.run(again, env={**os.environ, **ONE_THREAD}, check=False).returncode
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})

    rounds, seconds = (3, 0.03) if options.quick else (30, 0.1)
    tasks = [(article(), ARTICLE_ROWS)]
    tasks += [(digits(dtype), DIGITS_ROWS) for dtype in (np.float64, np.float32)]
    rows: list[Row] = []
    for task, table in tasks:
        try:
            measured = measure(task, table, rounds, seconds)
        except UnequalError as error:
            print(f"{task.name}: {error}", file=sys.stderr)
            return 1
        print(f"## {task.name}\n\n{markdown(measured)}\n", flush=True)
        rows += measured
    facts = machine()
    print("; ".join(f"{name}: {value}" for name, value in facts.items()), "\n")
    print(*(outcome(target, rows) for target in TARGETS), sep="\n")
    if options.json:
        document = {"machine": facts, "rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(document, indent=2) + "\n")
    return 0


class UnequalError(Exception):
    """Two contenders did different work."""


def measure(
    task: Task, table: list[tuple[str, str, str, int]], rounds: int, seconds: float
) -> list[Row]:
    """Check the contenders against initbench, then time them by turns, ``seconds`` a turn."""
    rows, timed = [], []
    for name, module, function, runs in table:
        row = Row(task.name, name, runs)
        rows.append(row)
        trainer = load(module, function)
        if isinstance(trainer, str):
            row.skipped = trainer
            continue
        theta = start(task, runs)
        check(task, name, trainer, runs)
        _, once = trainer(task, theta, CHECKED_ITERATIONS)
        iterations = max(10, round(seconds / once * CHECKED_ITERATIONS))
        trainer(task, theta, iterations)  # warm-up; JAX compiles for this length
        timed.append((row, trainer, theta, iterations))
    for _ in range(rounds):
        for row, trainer, theta, iterations in timed:
            _, took = trainer(task, theta, iterations)
            row.microseconds.append(took / (row.runs * iterations) * 1e6)
    return rows


def load(module: str, function: str) -> Trainer | str:
    """The contender, or why there is none here."""
    if module == "in_c" and shutil.which("cc") is None:
        return "no C compiler"
    try:
        trainer: Trainer = getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        if error.name not in ("jax", "torch"):
            raise
        return "not installed (pip install initbench[bench])"
    return trainer


def check(task: Task, name: str, trainer: Trainer, runs: int) -> None:
    """Raise UnequalError unless ``trainer`` ends where initbench does."""
    theta, dtype = start(task, runs), np.dtype(task.dtype).name
    expected, _ = in_initbench.stacked(task, theta, CHECKED_ITERATIONS)
    got, _ = trainer(task, theta, CHECKED_ITERATIONS)
    moved, apart = np.abs(expected - theta).max(), np.abs(got - expected).max()
    if not (apart <= TOLERANCES[dtype] < moved):
        raise UnequalError(
            f"{name}, {runs} runs: after {CHECKED_ITERATIONS} iterations its parameters are "
            f"{apart:.1e} from initbench's, which moved by {moved:.1e}; "
            f"at most {TOLERANCES[dtype]:.0e} is rounding"
        )


def markdown(rows: list[Row]) -> str:
    """The table: microseconds a run and iteration, and how many times initbench's."""
    ours = {row.runs: row for row in rows if row.contender == OURS}
    lines = [
        "| contender | runs | µs/run-iteration: min | median | ratio to initbench: min | median |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        cells = [f"skipped: {row.skipped}", "", "", ""]
        if not row.skipped:
            base = ours[row.runs]
            figures = (row.best, row.median, row.best / base.best, row.median / base.median)
            cells = [f"{figure:.2f}" for figure in figures]
        lines.append(f"| {' | '.join([row.contender, str(row.runs), *cells])} |")
    return "\n".join(lines)


def outcome(target: Target, rows: list[Row]) -> str:
    """A line that says in words whether ``target`` is met."""
    best = {(row.task, row.contender, row.runs): row.best for row in rows if not row.skipped}
    above, below = (best.get((target.task, *side)) for side in (target.above, target.below))
    words = " / ".join(f"{name} ({runs})" for name, runs in (target.above, target.below))
    bound = f"at {'least' if target.at_least else 'most'} {target.bound}"
    if above is None or below is None:
        return f"- {target.task}, {words}: {bound} is the target: skipped"
    ratio = above / below
    met = ratio >= target.bound if target.at_least else ratio <= target.bound
    return (
        f"- {target.task}, {words}: {ratio:.2f}; {bound} is the target: "
        f"{'met' if met else 'not met'}"
    )


def machine() -> dict[str, str]:
    """What the figures hold for."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0].partition(":")[2].strip() if names else model
    blas = {
        f"{library['internal_api']} {library['version']} {library.get('architecture', '')}".strip()
        for library in threadpoolctl.threadpool_info()
        if library["user_api"] == "blas"
    }
    facts = {"CPU": model, "BLAS": ", ".join(sorted(blas)), "Python": platform.python_version()}
    for package in ("numpy", "scipy", "scikit-learn", "jax", "torch"):
        with suppress(PackageNotFoundError):
            facts[package] = version(package)
    return facts


if __name__ == "__main__":
    sys.exit(main())
