"""Comparing until every row is decided: train, look, and train more seeds for what is open."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from initbench.analysis.comparison import Contest, Row, Target, compare
from initbench.analysis.contests import contests
from initbench.analysis.sequential import MOST, Look, looks, more_seeds
from initbench.metrics import METRICS
from initbench.runs.records import Record
from initbench.spec import Experiment

#: A row over all looks: its config and its initializer.
Who = tuple[str, str]
#: Trains experiments and returns their records; None where the training was cut short.
Train = Callable[[Sequence[Experiment]], Sequence[Record] | None]


@dataclass(frozen=True, slots=True)
class Decided:
    """What a comparison came to that added seeds.

    Attributes:
        contests: The records of every problem, all looks together.
        records: All records that judge, in the order in which they were trained.
        rows: Each row as at the look that decided it, or as at the last one.
        looks: The looks that were taken.
        undecided: How many rows are still open.
    """

    contests: list[Contest]
    records: list[Record]
    rows: list[Row]
    looks: tuple[Look, ...]
    undecided: int


def compare_until_decided(
    experiments: Sequence[Experiment],
    metric: str,
    target: Target | None,
    train: Train,
    most: int | None = None,
    say: Callable[[str], None] = lambda _: None,
    choosing: Sequence[Experiment] = (),
) -> Decided:
    """Look at growing numbers of seeds, until no row is undecided or ``most`` seeds are trained.

    The best row of each problem and the rows that are undecided get more seeds, under a sweep at
    all settings, from which each seed's own is chosen. A row that is told from the best leaves the
    test; one that is as good stays in it with the seeds that it has. ``choosing`` are the
    experiments that choose settings on validation samples.
    """
    first = max(len(e.seeds) for e in experiments)
    schedule = looks(first, max(first, most or MOST * first))
    records: list[Record] = []
    chosen: list[Record] = []
    decided: dict[Who, Row] = {}
    active: set[Who] = {(e.name, c.label) for e in experiments for c in e.initializer}
    rows: list[Row] = []
    competing: list[Contest] = []
    for taken, look in enumerate(schedule, 1):
        say(f"look {taken} of {len(schedule)}: {look.seeds} seeds for {len(active)} rows")
        before = schedule[taken - 2].seeds if taken > 1 else 0
        more = train(_of_rows(experiments, active, before, look.seeds))
        records += more or ()
        if choosing and more is not None:
            more = train(_of_rows(choosing, active, before, look.seeds))
            chosen += more or ()
        competing = contests(experiments, records, chosen)
        worse = {who for who, row in decided.items() if row.standing == "worse"}
        tested = [replace(c, records=[r for r in c.records if _who(r) not in worse])
                  for c in competing]  # fmt: skip
        rows = compare(tested, metric, target, look.level)
        leaders = {(row.config, row.initializer) for row in rows if row.standing == "best"}
        for row in rows:
            who = row.config, row.initializer
            if row.standing in ("worse", "as good") and who not in decided:
                decided[who] = row
        open_rows = {(row.config, row.initializer) for row in rows} - decided.keys() - leaders
        active = open_rows | leaders
        if more is None or not open_rows:
            break
    merged = _merged(rows, decided, metric)
    return Decided(competing, records, merged, tuple(schedule[:taken]), len(open_rows))


def _who(record: Record) -> Who:
    return record.config, record.initializer


def _of_rows(
    experiments: Sequence[Experiment], active: set[Who], before: int, seeds: int
) -> list[Experiment]:
    """The experiments with their active initializers alone, at the seeds that this look adds."""
    found = []
    for e in experiments:
        choices = tuple(c for c in e.initializer if (e.name, c.label) in active)
        added = more_seeds(e.seeds, max(seeds, len(e.seeds)))[before if before else 0 :]
        if choices and added:
            found.append(e.model_copy(update={"initializer": choices, "seeds": added}))
    return found


def _merged(rows: Sequence[Row], decided: dict[Who, Row], metric: str) -> list[Row]:
    """The last look's rows, those that were decided before as they then were, ranked anew."""
    sign = METRICS[metric].sign

    def badness(row: Row) -> float:
        interval = row.metrics[metric]
        return sign * interval.estimate if interval else float("inf")

    merged = []
    for problem in sorted({row.problem for row in (*rows, *decided.values())}):
        last = {(row.config, row.initializer): row for row in rows if row.problem == problem}
        before = {who: row for who, row in decided.items() if row.problem == problem}
        leader = next((who for who, row in last.items() if row.standing == "best"), None)
        both = {**last, **before}
        if leader is not None:
            both[leader] = last[leader]
        ordered = sorted(both.values(), key=lambda row: (row.standing != "best", badness(row)))
        scores = [badness(row) for row in ordered]
        merged += [
            replace(row, rank=sum(other < badness(row) for other in scores) + 1) for row in ordered
        ]
    return merged
