"""How a comparison adds seeds until its rows are decided, without looking too often for free.

Each look at the data may tell a row from the best by chance. The chance is therefore spent in
parts: with the share t of the seeds at hand, LEVEL ln(1 + (e - 1) t) has been spent (Lan and DeMets
1983, Biometrika 70: the spending function of Pocock's type), and a look tests at what it adds. The
parts add up to LEVEL, so that over all looks together at most 5 % of tables whose rows are all
equal deny any row its mark, whatever the looks have in common.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice

from initbench.analysis.best import LEVEL

#: From one look to the next the number of seeds grows by this factor.
GROWTH = 2
#: As many times the seeds of the config are trained at most, unless --max-seeds says otherwise.
MOST = 8


@dataclass(frozen=True, slots=True)
class Look:
    """A look at the data: how many seeds each row has that is still undecided, and its level."""

    seeds: int
    level: float


def looks(first: int, most: int) -> list[Look]:
    """The looks from ``first`` seeds to ``most``, the number doubled each time.

    >>> [(look.seeds, round(look.level, 4)) for look in looks(10, 40)]
    [(10, 0.0179), (20, 0.0131), (40, 0.019)]
    """
    sizes = [first]
    while sizes[-1] < most:
        sizes.append(min(GROWTH * sizes[-1], most))
    spent = [0.0, *(_spent(size / sizes[-1]) for size in sizes)]
    return [
        Look(size, after - before)
        for size, before, after in zip(sizes, spent, spent[1:], strict=False)
    ]


def more_seeds(seeds: Sequence[int], number: int) -> tuple[int, ...]:
    """``seeds``, and the smallest that are not among them, ``number`` in all.

    >>> more_seeds([0, 1, 5], 5)
    (0, 1, 5, 2, 3)
    """
    return (*seeds, *islice(_unused(seeds), number - len(seeds)))


def _unused(seeds: Sequence[int]) -> Iterator[int]:
    taken = set(seeds)
    return (seed for seed in count() if seed not in taken)


def _spent(share: float) -> float:
    return LEVEL * math.log(1 + (math.e - 1) * share)
