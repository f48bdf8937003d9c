"""Which initializers compete with each other: those whose experiments pose the same problem."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from initbench import datasets
from initbench.analysis.comparison import Contest
from initbench.runs.records import Record, RowKey
from initbench.spec import Experiment

#: Keys that tune the training on a problem, not the problem.
TUNED = ("learning_rate", "optimizer", "batch_size")


def problem(experiment: Experiment) -> Hashable:
    """The part of an experiment that others must share for their initializers to compete.

    A swept key that tunes training (TUNED) is no part of it, because each initializer may have its
    own best value. Each value of any other swept key is a problem of its own.
    """
    e = experiment
    tuned = sorted(key for key in e.sweep if key.partition(".")[0] in TUNED)
    parts = {"learning_rate": e.learning_rate, "optimizer": e.optimizer, "batch_size": e.batch_size}
    fixed = [value for key, value in parts.items() if not any(t.startswith(key) for t in tuned)]
    return (e.architecture.sizes, e.activation, e.dataset, e.iterations, e.dtype, *fixed, *tuned)


def contests(experiments: Sequence[Experiment], records: Sequence[Record]) -> list[Contest]:
    """One contest for each problem that has records, in the order of the experiments.

    A record finds its experiment by its config, initializer and setting.
    """
    posing: dict[Hashable, list[Experiment]] = {}
    problem_of: dict[RowKey, Hashable] = {}
    for e in experiments:
        posed = problem(e)
        posing.setdefault(posed, []).append(e)
        for choice in e.initializer:
            problem_of[RowKey.of(e.name, choice.label, e.setting)] = posed
    competing: dict[Hashable, list[Record]] = {}
    for record in records:
        competing.setdefault(problem_of[record.row], []).append(record)
    return [
        Contest(
            competing[posed],
            datasets.constant_loss(datasets.load(of_problem[0].dataset)),
            tuple(of_problem),
        )
        for posed, of_problem in posing.items()
        if posed in competing
    ]
