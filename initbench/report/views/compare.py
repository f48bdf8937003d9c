"""`initbench compare` -> a ranking a problem, a document, a CSV row an initializer."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import asdict

from initbench.analysis.best import LEVEL
from initbench.analysis.comparison import LEARNED_SHARE, Contest, Row, Target, judged
from initbench.analysis.intervals import BOOTSTRAP_SEED, CONFIDENCE, RESAMPLES, Interval
from initbench.analysis.overview import Matrix, matrices, scores
from initbench.analysis.paired import MIN_SEEDS
from initbench.analysis.sequential import Look
from initbench.analysis.summary import summarize
from initbench.metrics import METRICS
from initbench.report.views import regression
from initbench.report.views.overview import (
    disagreement_lines,
    matrix_fields,
    matrix_tables,
    scores_table,
)
from initbench.report.views.records import noted
from initbench.report.views.regression import BOTH, Scale, scale_of, short_cell
from initbench.report.views.rows import (
    ALONE,
    comparison_cells,
    name_cells,
    name_width,
    row_fields,
)
from initbench.report.views.run import run_document, scales_of
from initbench.report.views.screen import on_screen
from initbench.report.views.settings import settings_table
from initbench.report.views.texts import (
    DIVERGED,
    HEADINGS,
    INITIALIZER,
    RANGE_DIGITS,
    columns,
    difference_cell,
    interval_cell,
    loss_line,
    noted_runs,
    seeds,
)
from initbench.report.views.titles import data_notes
from initbench.report.views.view import Table, View
from initbench.runs.records import Record
from initbench.wording import counted

LEARNED = "runs\nlearned"
ITERATIONS = "iterations\nto target"
P_VALUE = "p"
STANDING = "standing"


def compare_view(
    titles: Sequence[str],
    contests: Sequence[Contest],
    records: Sequence[Record],
    rows: Sequence[Row],
    target: Target | None,
    here: str,
    looks: Sequence[Look] = (),
) -> View:
    """A ranking for each contest.

    Args:
        titles: What each contest is about, in words.
        contests: The records that compete.
        records: The records of all contests, in the order in which they were asked for.
        rows: What :func:`initbench.analysis.comparison.compare` says about the contests.
        target: The target that it counted iterations to.
        here: This machine's :attr:`~initbench.runs.provenance.Provenance.numerics`; tables say
            which records other arithmetic made.
        looks: The looks of a comparison that added seeds until its rows were decided.
    """
    scales = [scale_of(contest.experiments[0]) for contest in contests]
    notes = [data_notes(contest.experiments) for contest in contests]
    swept = matrices(contests, rows[0].metric) if rows else []
    scored = scores(rows)
    tables = []
    for number, (title, contest) in enumerate(zip(titles, contests, strict=True)):
        mine = [row for row in rows if row.problem == number]
        of_problem = [matrix for matrix in swept if matrix.problem == number]
        tables += problem_tables(title, contest, mine, of_problem, here, target, looks)
    tables += [scores_table(scored)] if scored else []
    return View(
        tuple(tables),
        lambda: {
            **run_document(
                records,
                summarize(records),
                scales_of([e for contest in contests for e in contest.experiments]),
            ),
            "notes": list(dict.fromkeys(itertools.chain(*notes))),
            "comparison": [
                {
                    **row_fields(row),
                    **regression.fields(scales[row.problem], row.metrics["test_loss"]),
                }
                for row in rows
            ],
            "matrices": [matrix_fields(matrix) for matrix in swept],
            "problems": [asdict(score) for score in scored],
            "looks": [asdict(look) for look in looks],
        },
        lambda: comparison_cells(rows),
    )


def problem_tables(
    title: str,
    contest: Contest,
    rows: Sequence[Row],
    swept: Sequence[Matrix],
    here: str,
    target: Target | None = None,
    looks: Sequence[Look] = (),
) -> list[Table]:
    """One problem's ranking, with the maps of its sweep below it."""
    scale, notes = scale_of(contest.experiments[0]), data_notes(contest.experiments)
    first, *others = comparison_tables(title, rows, target, looks, scale)
    judging = {
        (s.records[0].config, s.records[0].initializer): s.records
        for s in judged(contest, rows[0].metric)
    }
    groups = [judging[row.config, row.initializer] for row in rows]
    beside = HEADINGS[rows[0].metric]
    ranking = [on_screen(first, groups, rows[0].metric, beside), *others]
    said = [noted(t, contest.records, here, () if n else notes) for n, t in enumerate(ranking)]
    return [*said, *(table for matrix in swept for table in matrix_tables(matrix))]


def comparison_tables(
    title: str,
    rows: Sequence[Row],
    target: Target | None,
    looks: Sequence[Look] = (),
    scale: Scale | None = None,
) -> list[Table]:
    """One problem's initializers, the best first; after a sweep also what other settings did.

    ``scale`` is that of a regression.
    """
    difference = _difference_heading(rows[0].metric)
    cells = [
        {
            "#": f"{row.rank}{'*' if row.best_group else ''}",
            **name_cells(row, rows),
            **{HEADINGS[name]: interval_cell(name, row.metrics[name]) for name in _metrics(rows)},
            **({BOTH: short_cell(scale, row.metrics["test_loss"])} if scale else {}),
            LEARNED: f"{row.trained}/{row.runs}",
            **({ITERATIONS: _iterations(row.iterations_to_target)} if target else {}),
            difference: difference_cell(row.metric, row.difference) if row.difference else "",
            P_VALUE: "" if row.p_value is None else f"{row.p_value:.2g}",
            STANDING: row.standing or "",
        }
        for row in rows
    ]
    header, texts = columns(cells)
    table = Table(
        title,
        header,
        texts,
        frozenset(header) - {INITIALIZER, ALONE, STANDING},
        _caption(rows, target, looks, scale),
        name_width(header),
        _wide(rows, target, bool(scale)),
    )
    swept = [row for row in rows if row.settings]
    return [table, settings_table(swept)] if swept else [table]


def _metrics(rows: Sequence[Row]) -> list[str]:
    """The metrics that the task has."""
    return [name for name in METRICS if any(row.metrics[name] for row in rows)]


def _wide(rows: Sequence[Row], target: Target | None, in_units: bool) -> tuple[str, ...]:
    """The columns that 80 columns have no room for, the one that is shown first, first."""
    ranks = rows[0].metric
    others = [name for name in ("test_accuracy", "test_loss", "train_accuracy", "train_loss")
              if name in _metrics(rows) and name != ranks]  # fmt: skip
    kept = 0 if target or in_units else 1
    return (*(HEADINGS[name] for name in others[kept:][:1]), P_VALUE,
            *(HEADINGS[name] for name in others[kept:][1:]))  # fmt: skip


def _classified(rows: Sequence[Row]) -> bool:
    return any(row.metrics["test_accuracy"] for row in rows)


def _difference_heading(metric: str) -> str:
    known = METRICS[metric]
    what = "points" if known.unit else "difference"
    return f"{what}\nto best\n{'+' if known.smaller_is_better else '-'} is worse"


def _in_words(row: Row, rows: Sequence[Row]) -> str:
    (name,) = name_cells(row, rows).values()
    return name.replace("\n", " ")


def _iterations(interval: Interval | None) -> str:
    if interval is None:
        return "-"
    texts = [_count(x) for x in (interval.estimate, interval.low, interval.high)]
    return texts[0] if texts[1] == texts[2] else f"{texts[0]}\n{texts[1]}–{texts[2]}"


def _count(iterations: float) -> str:
    return f"{iterations:,.0f}" if math.isfinite(iterations) else "never"


def _caption(
    rows: Sequence[Row], target: Target | None, looks: Sequence[Look], scale: Scale | None
) -> str:
    """The legend: what the columns are, what the marks mean, and what runs had to say."""
    lines = [
        _ranking_line(rows, scale),
        *_standing_lines(rows),
        *_look_lines(rows, looks),
        *disagreement_lines(rows),
    ]
    lines.append(
        f"Learned: the run ended with a train loss at least {100 * LEARNED_SHARE:g} % below that "
        "of the best constant predictor."
    )
    if any(row.diverged for row in rows):
        lines.append(DIVERGED)
    if target:
        lines.append(_target_line(rows, target))
    lines += [
        f"{row.config}, {row.initializer}: {row.failed} of {row.runs} runs failed, and break the "
        f"pairs of their seeds: {'; '.join(row.reasons)}."
        for row in rows
        if row.failed
    ]
    return "\n".join(lines) + noted_runs(rows)


def _ranking_line(rows: Sequence[Row], scale: Scale | None) -> str:
    metric = METRICS[rows[0].metric]
    counts = sorted({row.runs for row in rows})
    interval = (
        f", then its {100 * CONFIDENCE:g} % interval (bootstrap, {RESAMPLES:,} resamples, seed "
        f"{BOOTSTRAP_SEED})"
        if max(counts) > 1
        else ""
    )
    loss = scale.legend if scale else loss_line(classified=_classified(rows))
    return f"#: rank by {metric.label}. Median over {seeds(counts)}{interval}. {loss}"


def _standing_lines(rows: Sequence[Row]) -> list[str]:
    """What differences, marks and standings mean, or why there are none."""
    if not any(row.trained for row in rows):
        return ["No run learned: no row is the best."]
    if len(rows) == 1:
        return []
    judged = [row for row in rows if row.best_group is not None]
    if len(judged) < 2:
        pairs = max((row.pairs for row in rows[1:]), default=0)
        return [
            f"{counted(pairs, 'paired seed')}: nothing can be told apart with fewer than "
            f"{MIN_SEEDS}; --seeds 10 gives intervals and marks."
        ]
    metric = METRICS[rows[0].metric]
    unit = " in percentage points" if metric.unit else ""
    lines = [
        f"Difference: the Hodges-Lehmann estimate{unit} over paired seeds, which need not equal "
        f"the difference of the medians, and its interval (permutation test, {100 * LEVEL:g} % for "
        "the whole table).",
        "*: the interval holds 0, so that the row cannot be told from the best. As good: the "
        f"interval is within {_least_words(rows)}, the least difference that counts.",
    ]
    waiting = [
        f"{_in_words(row, rows)} about {row.seeds_to_decide:,} seeds"
        for row in rows
        if row.seeds_to_decide
    ]
    if waiting:
        lines.append(f"Probably enough to decide: {', '.join(waiting)}.")
    return lines


def _look_lines(rows: Sequence[Row], looks: Sequence[Look]) -> list[str]:
    """What a comparison spent that added seeds until its rows were decided."""
    if not looks:
        return []
    spent = sum(row.runs for row in rows)
    fixed = len(rows) * looks[-1].seeds
    still = sum(row.standing == "undecided" for row in rows)
    outcome = f"{counted(still, 'row')} undecided" if still else "all rows decided"
    taken = f"{counted(len(looks), 'look')} at up to {looks[-1].seeds} seeds, {outcome}"
    if len(looks) == 1:
        return [f"{taken}."]
    return [
        f"{taken}: {spent:,} runs judge, and {looks[-1].seeds} seeds for every row were {fixed:,}. "
        f"Each row stands as at the look that decided it; the {100 * LEVEL:g} % are those of all "
        "looks together."
    ]


def _least_words(rows: Sequence[Row]) -> str:
    metric = METRICS[rows[0].metric]
    digits = metric.digits if metric.unit else RANGE_DIGITS
    least = sorted({row.least_difference for row in rows})
    words = " or ".join(dict.fromkeys(metric.difference_text(x, digits).lstrip("+") for x in least))
    return f"{words} points" if metric.unit else words


def _target_line(rows: Sequence[Row], target: Target) -> str:
    configs = [row.config for row in rows]
    alone = len(set(configs)) == len(rows)
    names = configs if alone else [_in_words(row, rows) for row in rows]
    reached = ", ".join(
        f"{name} {row.reached}/{row.runs}" for name, row in zip(names, rows, strict=True)
    )
    sign = "<=" if METRICS[target.metric].smaller_is_better else ">="
    return f"Target: {target.metric} {sign} {target.value:g}, reached by {reached}."
