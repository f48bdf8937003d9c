"""Does a comparison keep its level, how much does it see, and does it contradict itself?

Prints three tables: how often a table of equal rows tells some row from the best (5 % is promised),
how often a row that is worse is told from the best, and how many of the simulated rows have a mark,
an interval and a p-value that do not agree (none may). docs/comparing.md shows them.

    python tests/benchmarks/best.py [--quick] [--processes N]

A quarter of an hour in two processes; --quick is a smoke test.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.random import RandomState
from scipy.stats import beta

from initbench.analysis.best import LEVEL, compare_with_best
from initbench.analysis.paired import MIN_SEEDS
from initbench.core.arrays import Array

#: (rows, seeds) of a table, and how many tables are simulated of each kind of noise.
SHAPES = {(2, 10): 4000, (6, 10): 3600, (6, 20): 1500, (12, 10): 1500, (35, 12): 1200}
#: Shifts of the worse row, in standard deviations of the paired difference.
SHIFTS = (0.5, 0.75, 1.0, 1.25)
POWER_TABLES = 800


def normal(rng: RandomState, shape: tuple[int, int]) -> Array:
    """Independent noise and an effect of the seed that all rows share."""
    return rng.standard_normal(shape) + rng.standard_normal(shape[1])


def lognormal(rng: RandomState, shape: tuple[int, int]) -> Array:
    """Skewed, as losses are."""
    return np.exp(rng.standard_normal(shape))


def cauchy(rng: RandomState, shape: tuple[int, int]) -> Array:
    """Heavy tails."""
    return rng.standard_cauchy(shape)


def accuracies(rng: RandomState, shape: tuple[int, int]) -> Array:
    """Of 100 test samples: many ties and differences of 0. Negated, so that smaller is better."""
    return -rng.binomial(100, 0.95, shape) / 100


def diverging(rng: RandomState, shape: tuple[int, int]) -> Array:
    """Three runs of ten diverge."""
    return np.where(rng.random_sample(shape) < 0.3, np.inf, rng.standard_normal(shape))


NOISES: tuple[Callable[[RandomState, tuple[int, int]], Array], ...] = (
    normal, lognormal, cauchy, accuracies, diverging
)  # fmt: skip


class Outcome(NamedTuple):
    """Of one simulated table: was any row told from the best, was the last, what contradicted."""

    any_told: bool
    last_told: bool
    rows: int
    contradictions: int


def simulate(
    noise: Callable[[RandomState, tuple[int, int]], Array],
    shape: tuple[int, int],
    shift: float,
    seed: int,
) -> Outcome:
    """One table, its last row worse by ``shift`` deviations of a paired normal difference."""
    table = noise(RandomState(seed), shape)
    table[-1] += shift * math.sqrt(2)
    _, differences = compare_with_best(table)
    judged = [one for one in differences if one.pairs >= MIN_SEEDS]
    wrong = [
        one
        for one in judged
        if not one.told_apart == (not one.low <= 0 <= one.high) == (one.p_value <= LEVEL)
        or not one.low <= one.estimate <= one.high
    ]
    told = [bool(one.told_apart) for one in differences]
    return Outcome(any(told), told[-1], len(judged), len(wrong))


def upper_bound(hits: int, tries: int) -> float:
    """The exact one-sided 95 % bound of a share (Clopper and Pearson 1934)."""
    return float(beta.ppf(0.95, hits + 1, tries - hits)) if hits < tries else 1.0


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description="Level, power and consistency of comparisons.")
    parser.add_argument("--quick", action="store_true", help="a fiftieth of the tables")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    divisor = 50 if options.quick else 1
    rows = contradictions = 0
    with ProcessPoolExecutor(options.processes) as pool:

        def outcomes(
            noise: Callable[[RandomState, tuple[int, int]], Array],
            shape: tuple[int, int],
            shift: float,
            tables: int,
        ) -> list[Outcome]:
            nonlocal rows, contradictions
            work = partial(simulate, noise, shape, shift)
            found = list(pool.map(work, range(tables), chunksize=20))
            rows += sum(one.rows for one in found)
            contradictions += sum(one.contradictions for one in found)
            return found

        names = " | ".join(noise.__name__ for noise in NOISES)
        print(f"Level, % (95 % upper bound):\n\n| rows, seeds | tables | {names} |")
        print("|---" * (len(NOISES) + 2) + "|", flush=True)
        for shape, count in SHAPES.items():
            tables = max(10, count // divisor)
            cells = []
            for noise in NOISES:
                hits = sum(one.any_told for one in outcomes(noise, shape, 0.0, tables))
                cells.append(f"{100 * hits / tables:.1f} ({100 * upper_bound(hits, tables):.1f})")
            print(f"| {shape[0]}, {shape[1]} | {tables} | {' | '.join(cells)} |", flush=True)
        shifts = " | ".join(f"{shift:g}" for shift in SHIFTS)
        print(f"\nPower, %, by shift in deviations:\n\n| rows, seeds | {shifts} |")
        print("|---" * (len(SHIFTS) + 1) + "|", flush=True)
        for shape in ((2, 10), (6, 10), (6, 20), (12, 10), (35, 12)):
            tables = max(10, POWER_TABLES // divisor // (4 if shape[0] > 12 else 1))
            seen = [
                sum(one.last_told for one in outcomes(normal, shape, shift, tables)) / tables
                for shift in SHIFTS
            ]
            texts = " | ".join(f"{100 * share:.0f}" for share in seen)
            print(f"| {shape[0]}, {shape[1]} | {texts} |", flush=True)
    print(f"\n{contradictions} contradictions in {rows:,} simulated rows.")


if __name__ == "__main__":
    main()
