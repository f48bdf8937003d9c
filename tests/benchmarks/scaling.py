"""What a second worker is worth, what the store costs, and whether memory grows with the runs.

Ratios, measured in turns, round after round, so that a busy moment of the machine falls on all;
the median of a round's ratios is what counts. One worker is one process of its own, as two are,
so that a ratio compares like with like. Workers are up before the clock starts.

    python tests/benchmarks/scaling.py [--quick]
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import perf_counter

from initbench import config, datasets
from initbench.runs import execute, identity, plan, store
from initbench.runs import workers as executors
from initbench.spec import Experiment

CONFIG = """
initializer: he_normal
layers: [2, 10, 5, 1]
iterations: {iterations}
learning_rate: 0.01
seeds: {seeds}
"""


def main() -> int:
    """Measure, print, and return the exit code."""
    parser = argparse.ArgumentParser(description="Measure workers, the store and memory.")
    parser.add_argument("--quick", action="store_true", help="few short runs: a smoke test")
    parser.add_argument("--driver", type=int, metavar="RUNS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.driver:
        print(peak_of_a_driver(options.driver))
        return 0
    rounds, iterations, many = (1, 200, 1000) if options.quick else (5, 3000, 10_000)

    one = throughput(experiments(iterations, 256), rounds)
    print("throughput of two workers, as a multiple of one's (targets: 1.8 and 1.6)")
    for name, ratios in one.items():
        print(f"  {name:<12}{statistics.median(ratios):.2f}   of {spread(ratios)}")
    shares = [store_share(many) for _ in range(rounds)]
    print(f"time that the store adds to {many:,} runs of 50 iterations (target: below 10 %)")
    print(f"  {statistics.median(shares):.1%}   of {spread(shares)}")
    few_runs, many_runs = (driver_peak(runs) for runs in (many // 10, many))
    print(f"peak memory of the driver at {many // 10:,} and at {many:,} runs")
    print(f"  {few_runs:.0f} MiB and {many_runs:.0f} MiB: {many_runs / few_runs:.2f} times")
    return 0


def spread(values: list[float]) -> str:
    return ", ".join(f"{value:.3g}" for value in sorted(values))


def experiments(iterations: int, seeds: int) -> list[Experiment]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.yaml"
        path.write_text(CONFIG.format(iterations=iterations, seeds=seeds))
        return config.load([path])


def samples(experiment: Experiment) -> int:
    return int(datasets.load(experiment.dataset).train.inputs.shape[1])


def throughput(work: list[Experiment], rounds: int) -> dict[str, list[float]]:
    """Time of one process by the time of two, and of two Dask workers."""
    runs = plan.runs(work)
    stacks = plan.stacks(runs, 2, samples)
    identities = identity.identities(runs, datasets.fingerprint)

    def seconds(workers: executors.Workers) -> float:
        start = perf_counter()
        done = list(execute.execute(stacks, identities, workers, lambda _: None))
        assert sum(len(batch.records) for batch in done) == len(runs)
        return perf_counter() - start

    ratios: dict[str, list[float]] = {"processes": [], "Dask": []}
    with (
        closing(executors.Processes(1)) as alone,
        closing(executors.Processes(2)) as pair,
        closing(executors.Dask(None, 2)) as dask,
    ):
        for workers in (alone, pair, dask):  # starts processes, imports, loads code
            seconds(workers)
        for _ in range(rounds):
            first = seconds(alone)
            ratios["processes"].append(first / seconds(pair))
            ratios["Dask"].append(first / seconds(dask))
    return ratios


def store_share(runs: int) -> float:
    """Time spent in the store, as a share of the rest: identities, settings, look-up, writing."""
    from initbench.runs import runner

    work = experiments(50, runs)
    inside = 0.0

    def timed(function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **keywords: object) -> object:
            nonlocal inside
            start = perf_counter()
            result = function(*arguments, **keywords)
            inside += perf_counter() - start
            return result

        return call

    kept = identity.identities, identity.settings
    identity.identities, identity.settings = timed(kept[0]), timed(kept[1])  # type: ignore[assignment]
    try:
        with tempfile.TemporaryDirectory() as folder:
            start = perf_counter()
            with store.opened(Path(folder)) as opened:
                inside += perf_counter() - start
                opened.add = timed(opened.add)  # type: ignore[method-assign,assignment]
                select = opened.select
                opened.select = timed(lambda chosen: list(select(chosen)))  # type: ignore[method-assign,assignment]
                start = perf_counter()
                runner.train(work, runner.Execution(jobs=1), opened)
                total = perf_counter() - start
    finally:
        identity.identities, identity.settings = kept
    return inside / (total - inside)


def driver_peak(runs: int) -> float:
    """MiB that a driver of so many runs has held at most; in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, "--driver", str(runs)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return float(done.stdout)


def peak_of_a_driver(runs: int) -> float:
    """`run` as the command line does it, tables and files too."""
    from click.testing import CliRunner

    from initbench.cli import main as command

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "many.yaml"
        path.write_text(CONFIG.format(iterations=50, seeds=runs))
        arguments = ["run", str(path), "--results", folder, "--quiet", "--jobs", "1"]
        assert CliRunner().invoke(command, arguments).exit_code == 0
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    sys.exit(main())
