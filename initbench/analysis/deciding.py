"""Comparing until every row is decided: train, look, and train more seeds for what is open."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace

from initbench.analysis.comparison import Contest, Row, Target, compare
from initbench.analysis.contests import contests, problem
from initbench.analysis.sequential import MOST, Look, looks, more_seeds
from initbench.metrics import METRICS
from initbench.runs.records import Record
from initbench.spec import Experiment, InitializerChoice

#: A row over all looks: its problem's number, its config and its initializer. A sweep poses several
#: problems under one config's name, and a row that is decided in one may be open in another.
Who = tuple[int, str, str]
#: Trains experiments and returns their records, and whether all of them could be trained.
Train = Callable[[Sequence[Experiment]], tuple[Sequence[Record], bool]]


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
    number = _problem_numbers(experiments)
    records: list[Record] = []
    chosen: list[Record] = []
    decided: dict[Who, Row] = {}
    trained: dict[Who, int] = {}  # how many seeds a row has
    active = {
        (place, e.name, c.label)
        for e, place in zip(experiments, number, strict=True)
        for c in e.initializer
    }
    rows: list[Row] = []
    competing: list[Contest] = []
    for taken, look in enumerate(schedule, 1):
        say(f"look {taken} of {len(schedule)}: {look.seeds} seeds for {len(active)} rows")
        more, finished = train(_of_rows(experiments, number, active, trained, look.seeds))
        records += more
        if choosing and finished:
            more, finished = train(_of_rows(choosing, number, active, trained, look.seeds))
            chosen += more
        trained |= dict.fromkeys(active, look.seeds)
        competing = contests(experiments, records, chosen)
        worse = {who for who, row in decided.items() if row.standing == "worse"}
        tested = [
            replace(c, records=[r for r in c.records if (n, r.config, r.initializer) not in worse])
            for n, c in enumerate(competing)
        ]
        rows = compare(tested, metric, target, look.level)
        leaders = {_who(row) for row in rows if row.standing == "best"}
        for row in rows:
            if row.standing in ("worse", "as good"):
                decided.setdefault(_who(row), row)
        for who in leaders:  # with the seeds that it is given now, it is to be judged anew
            decided.pop(who, None)
        open_rows = {_who(row) for row in rows} - decided.keys() - leaders
        active = open_rows | leaders
        if not finished or not open_rows:
            break
    merged = _merged(rows, decided, metric)
    return Decided(competing, records, merged, tuple(schedule[:taken]), len(open_rows))


def _who(row: Row) -> Who:
    return row.problem, row.config, row.initializer


def _problem_numbers(experiments: Sequence[Experiment]) -> list[int]:
    """The number of each experiment's problem, in the order of :func:`contests`."""
    numbers: dict[Hashable, int] = {}
    return [numbers.setdefault(problem(e), len(numbers)) for e in experiments]


def _of_rows(
    experiments: Sequence[Experiment],
    number: Sequence[int],
    active: set[Who],
    trained: dict[Who, int],
    seeds: int,
) -> list[Experiment]:
    """The experiments with their active initializers alone, at the seeds that these still lack.

    A row that was as good at one look and the best at a later one lacks the seeds of both.
    """
    found = []
    for e, place in zip(experiments, number, strict=True):
        lacking: dict[int, list[InitializerChoice]] = {}
        for c in e.initializer:
            who = place, e.name, c.label
            if who in active:
                lacking.setdefault(trained.get(who, 0), []).append(c)
        for before, choices in lacking.items():
            added = more_seeds(e.seeds, max(seeds, len(e.seeds)))[before:]
            if added:
                update = {"initializer": tuple(choices), "seeds": added}
                found.append(e.model_copy(update=update))
    return found


def _merged(rows: Sequence[Row], decided: dict[Who, Row], metric: str) -> list[Row]:
    """The last look's rows, those that were decided before as they then were, ranked anew."""
    sign = METRICS[metric].sign

    def badness(row: Row) -> float:
        interval = row.metrics[metric]
        return sign * interval.estimate if interval else float("inf")

    merged = []
    for number in sorted({row.problem for row in (*rows, *decided.values())}):
        last = {_who(row): row for row in rows if row.problem == number}
        before = {who: row for who, row in decided.items() if row.problem == number}
        both = {**last, **before}
        ordered = sorted(both.values(), key=lambda row: (row.standing != "best", badness(row)))
        # A row that was decided at fewer seeds may have the better median there: still no row
        # ranks before the best one.
        least = badness(ordered[0]) if ordered[0].standing == "best" else -float("inf")
        scores = [max(least, badness(row)) for row in ordered]
        merged += [
            replace(row, rank=sum(other < score for other in scores) + 1)
            for row, score in zip(ordered, scores, strict=True)
        ]
    return merged
