"""Where each row of a comparison stands against the best: the one place that decides it.

The interval of a row's difference, its p-value and its mark come from here together, and from here
alone, as does the number of seeds that they need.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from initbench.analysis.intervals import Interval, median_interval
from initbench.analysis.paired import MIN_SEEDS, holm, seeds_needed, signed_rank_p
from initbench.core.arrays import Array

#: A row is told from the best where its p-value, adjusted by Holm for the number of rows, is at
#: most this.
SIGNIFICANCE = 0.05


@dataclass(frozen=True, slots=True)
class Standing:
    """A row against the best row, over the ``pairs`` seeds at which both have the metric.

    ``difference`` is the row less the best, None without pairs. ``p_value`` is adjusted for the
    number of rows, None for the best row and where there are too few seeds for a test.
    ``best_group`` says that the row cannot be told from the best; None where there are too few
    seeds to say.
    """

    pairs: int
    difference: Interval | None
    p_value: float | None
    best_group: bool | None


def standings(differences: Sequence[Array]) -> list[Standing]:
    """Each row's standing, from its paired differences to the best row, which comes first."""
    enough = seeds_to_tell(map(len, differences))
    testable = [len(of_row) >= enough for of_row in differences]
    tested = [row for row in range(1, len(differences)) if testable[row]]
    adjusted = holm([signed_rank_p(differences[row]) for row in tested])
    p_values = dict(zip(tested, adjusted, strict=True))
    return [
        Standing(
            pairs=len(of_row),
            difference=median_interval(of_row) if len(of_row) else None,
            p_value=p_values.get(row),
            best_group=(row == 0 or p_values[row] > SIGNIFICANCE) if testable[row] else None,
        )
        for row, of_row in enumerate(differences)
    ]


def seeds_to_tell(pairs: Iterable[int]) -> int:
    """The number of paired seeds below which no row could be told from the best, whatever its runs.

    ``pairs`` counts each row's, the best row's own included. A row whose every run failed has none:
    it is in no test, and asks the others for no more seeds.

    >>> seeds_to_tell([10, 10]), seeds_to_tell([10, 10, 0]), seeds_to_tell([10] * 6)
    (6, 6, 8)
    """
    rows = sum(count > 0 for count in pairs)
    return max(MIN_SEEDS, seeds_needed(rows - 1, SIGNIFICANCE))
