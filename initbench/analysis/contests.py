"""Which initializers compete with each other: those whose experiments pose the same problem."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from initbench import datasets
from initbench.analysis.comparison import Contest
from initbench.metrics import METRICS
from initbench.runs.records import Record, RowKey
from initbench.spec import Experiment

#: The share of the train samples that choose a sweep's settings, where the config has none.
VALIDATION = 0.2
#: Keys that tune the start or the training on a problem, not the problem.
TUNED = ("learning_rate", "optimizer", "batch_size", "bias")


def problem(experiment: Experiment) -> Hashable:
    """The part of an experiment that others must share for their initializers to compete.

    A swept key that tunes training (TUNED) is no part of it, because each initializer may have its
    own best value. Each value of any other swept key is a problem of its own. Biases belong to a
    start, as weights do: those of configs without a sweep of them compete.
    """
    e = experiment
    tuned = sorted(key for key in e.sweep if key.partition(".")[0] in TUNED)
    parts = {"learning_rate": e.learning_rate, "optimizer": e.optimizer, "batch_size": e.batch_size}
    fixed = [value for key, value in parts.items() if not any(t.startswith(key) for t in tuned)]
    # Curves of any density compete, unless the density is what a sweep tells apart.
    logged = [e.log_every] if "log_every" in e.sweep else []
    return (
        e.architecture.sizes, e.activation, e.dataset, e.iterations, e.dtype,
        *logged, *fixed, *tuned,
    )  # fmt: skip


def with_validation(
    experiments: Sequence[Experiment], metric: str
) -> tuple[list[Experiment], list[Experiment]]:
    """The experiments that judge a comparison, and those that choose the settings of its sweep.

    A setting is never chosen on the test samples: where a sweep is ranked by a test metric, the
    same runs are judged on validation samples, which are taken from the train samples of both. The
    second list is empty where nothing is chosen, or a train metric chooses.
    """
    tuned = any(key.partition(".")[0] in TUNED for e in experiments for key in e.sweep)
    if METRICS[metric].split != "test" or not tuned:
        return list(experiments), []

    def judged_on(e: Experiment, part: str) -> Experiment:
        share = e.dataset.validation or VALIDATION
        dataset = e.dataset.model_copy(update={"validation": share, "judged_on": part})
        return e.model_copy(update={"dataset": dataset})

    return (
        [judged_on(e, "test") for e in experiments],
        [judged_on(e, "validation") for e in experiments],
    )


def contests(
    experiments: Sequence[Experiment], records: Sequence[Record], choosing: Sequence[Record] = ()
) -> list[Contest]:
    """One contest for each problem that has records, in the order of the experiments.

    A record finds its experiment by its config, initializer and setting. ``choosing`` are records
    of the same runs judged on validation samples.
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
            [record for record in choosing if problem_of[record.row] == posed],
        )
        for posed, of_problem in posing.items()
        if posed in competing
    ]
