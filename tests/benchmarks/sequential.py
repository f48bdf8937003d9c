"""Adding seeds until rows are decided: does the level hold over all looks, and what is saved?

Simulates comparisons that start with 10 seeds and end at 40. Prints how often a table of equal
rows tells any row from the best (5 % is promised for all looks together), and for one worse row how
often it is seen and how many seeds that takes, beside a fixed number of 40.

    python tests/benchmarks/sequential.py [--quick]
"""

from __future__ import annotations

import argparse
import math

import numpy as np
from best import NOISES, upper_bound
from numpy.random import RandomState

from initbench.analysis.best import compare_with_best
from initbench.analysis.sequential import looks
from initbench.core.arrays import Array

FIRST, MOST = 10, 40
#: The least difference that counts, in standard deviations of the noise.
LEAST = 1.0


def decide(values: Array) -> tuple[set[int], float]:
    """The rows that are told from the best at any look, and the mean number of seeds of a row."""
    seen = np.full(values.shape, np.nan)
    active, worse = set(range(len(values))), set[int]()
    for look in looks(FIRST, MOST):
        for row in active:
            seen[row, : look.seeds] = values[row, : look.seeds]
        tested = [row for row in range(len(values)) if row not in worse]
        best, differences = compare_with_best(seen[tested], level=look.level)
        for row, one in zip(tested, differences, strict=True):
            if row == tested[best]:
                continue
            if one.told_apart:
                worse.add(row)
            if one.told_apart or (one.low >= -LEAST and one.high <= LEAST):
                active.discard(row)
        active.add(tested[best])
        if active == {tested[best]}:
            break
    return worse, float(np.count_nonzero(~np.isnan(seen)) / len(values))


def main() -> None:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description="Level and savings of --until-decided.")
    parser.add_argument("--quick", action="store_true", help="a twentieth of the tables")
    tables = 50 if parser.parse_args().quick else 1000
    names = " | ".join(noise.__name__ for noise in NOISES)
    print(f"Level over all looks, % (95 % upper bound), {tables} tables:\n\n| rows | {names} |")
    print("|---" * (len(NOISES) + 1) + "|", flush=True)
    for rows in (2, 6, 12):
        cells = []
        for noise in NOISES:
            found = [decide(noise(RandomState(seed), (rows, MOST))) for seed in range(tables)]
            hits = sum(bool(worse) for worse, _ in found)
            cells.append(f"{100 * hits / tables:.1f} ({100 * upper_bound(hits, tables):.1f})")
        print(f"| {rows} | {' | '.join(cells)} |", flush=True)
    print(
        "\nOne of two rows is worse, by deviations of the paired difference:\n\n"
        f"| shift | seen, % | mean seeds | seen at {MOST} seeds, % |\n|---|---|---|---|"
    )
    for shift in (0.5, 0.75, 1.0, 1.5, 2.0):
        seen = fixed = 0
        spent = []
        for seed in range(tables):
            values = NOISES[0](RandomState(seed), (2, MOST))
            values[1] += shift * math.sqrt(2)
            worse, seeds = decide(values)
            seen += 1 in worse
            spent.append(seeds)
            fixed += bool(compare_with_best(values)[1][1].told_apart)
        print(
            f"| {shift:g} | {100 * seen / tables:.0f} | {np.mean(spent):.1f} | "
            f"{100 * fixed / tables:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
