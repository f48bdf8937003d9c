"""`initbench compare` -> a ranking a problem, a document, a CSV row an initializer."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from initbench.analysis.best import LEVEL
from initbench.analysis.comparison import LEARNED_SHARE, Contest, Row, Target
from initbench.analysis.intervals import BOOTSTRAP_SEED, CONFIDENCE, RESAMPLES, Interval, median
from initbench.analysis.overview import Matrix, matrices, scores
from initbench.analysis.paired import MIN_SEEDS
from initbench.analysis.sequential import Look
from initbench.analysis.summary import summarize
from initbench.files import finite_or_none
from initbench.metrics import METRICS
from initbench.report.views import regression
from initbench.report.views.overview import (
    disagreement_lines,
    matrix_fields,
    matrix_tables,
    scores_table,
)
from initbench.report.views.records import interval_fields, noted
from initbench.report.views.regression import BOTH, Scale, scale_of, short_cell
from initbench.report.views.run import run_document, scales_of
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
    setting_heading,
)
from initbench.report.views.titles import data_notes
from initbench.report.views.view import Cells, Table, View
from initbench.runs.records import Record
from initbench.wording import counted

#: The column that names a row, where all rows are one config's.
ALONE = "initializer"
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
    ranking = comparison_tables(title, rows, target, looks, scale)
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
            **_name(row, rows),
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
        _widths(header),
        _wide(rows, target, bool(scale)),
    )
    swept = [row for row in rows if row.settings]
    return [table, _settings_table(swept)] if swept else [table]


def _widths(header: Sequence[str]) -> tuple[str, int]:
    """The column of names, and the width that the others leave it in 80 columns."""
    return (INITIALIZER, 16) if INITIALIZER in header else (ALONE, 13)


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


def _name(row: Row, rows: Sequence[Row]) -> dict[str, str]:
    if len({other.config for other in rows}) == 1:
        return {ALONE: row.initializer}
    same = row.initializer == row.config
    return {INITIALIZER: row.initializer if same else f"{row.config}\n{row.initializer}"}


def _in_words(row: Row, rows: Sequence[Row]) -> str:
    (name,) = _name(row, rows).values()
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


def _settings_table(rows: Sequence[Row]) -> Table:
    """What each initializer's other settings would have cost, which is its sensitivity."""
    metric = rows[0].metric
    known = METRICS[metric]
    cells = []
    for row in rows:
        worse = sorted(s.worse_by for s in row.settings if s.setting != row.setting)
        cells.append(
            {
                **_name(row, rows),
                **{setting_heading(key): str(value) for key, value in row.setting.items()},
                "settings\ntried": str(len(row.settings)),
                **{
                    f"{name}\nworse by": difference_cell(metric, Interval(x, x, x))
                    for name, x in (
                        ("next best", worse[0]),
                        ("median", median(worse)),
                        ("worst", worse[-1]),
                    )
                },
            }
        )
    header, texts = columns(cells)
    unit = f" in {known.label}{', in percentage points' if known.unit else ''}"
    lines = [
        f"Worse by: the difference of the medians{unit}; + is worse.",
        *_choice_lines(rows),
        *(line for row in rows for line in _hints(row)),
    ]
    return Table(
        "Each initializer's best setting, and how much worse the others are",
        header,
        texts,
        frozenset(header) - {INITIALIZER, ALONE},
        "\n".join(lines),
        _widths(header),
    )


def _choice_lines(rows: Sequence[Row]) -> list[str]:
    chosen_by = sorted({row.chosen_by for row in rows})
    if not all(row.apart for row in rows):
        return [
            "One seed chose each setting and judges it, which flatters the choice: two seeds or "
            "more keep them apart."
        ]
    where = ""
    if any(row.on_validation for row in rows):
        where = " on validation samples, which no run trains on,"
    return [
        f"{seeds(chosen_by)} chose{where} each setting that is shown; in the ranking each seed is "
        "judged at the setting that the other seeds choose, so that none judges its own choice."
    ]


def _hints(row: Row) -> list[str]:
    """What the sweep leaves open: a better setting that did not learn, an edge of the grid."""
    sign = METRICS[row.metric].sign
    shown = next(s.median for s in row.settings if s.setting == row.setting)
    better = [s for s in row.settings if sign * s.median < sign * shown]
    hints = [
        f"{row.initializer}: {_setting_words(s.setting)} has the better median, "
        f"{METRICS[row.metric].text(s.median)}, but fewer than half of its runs learned."
        for s in better
    ]
    for key, value in row.beyond:
        edge = "smallest" if value < row.setting[key] else "largest"
        tried = f"{key} {row.setting[key]:g} is the {edge} value tried"
        hints.append(f"{row.initializer}: {tried}; add {value:g}.")
    return hints


def _setting_words(setting: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in setting.items())


def row_fields(row: Row) -> dict[str, Any]:
    """One row of a comparison in JSON: its rank, its metrics and its difference to the best."""
    ranks = row.metrics[row.metric]
    return {
        "config": row.config,
        "initializer": row.initializer,
        "setting": row.setting,
        "problem": row.problem,
        "rank": row.rank,
        "metric": row.metric,
        "median": ranks and finite_or_none(ranks.estimate),
        "low": ranks and finite_or_none(ranks.low),
        "high": ranks and finite_or_none(ranks.high),
        "metrics": {name: interval_fields(row.metrics[name]) for name in METRICS},
        "difference": interval_fields(row.difference),
        "pairs": row.pairs,
        "p_value": row.p_value,
        "best_group": row.best_group,
        "standing": row.standing,
        "least_difference": finite_or_none(row.least_difference),
        "seeds_to_decide": row.seeds_to_decide,
        "runs": row.runs,
        "diverged": row.diverged,
        "failed": row.failed,
        "trained": row.trained,
        "trained_share": row.trained / row.runs,
        "iterations_to_target": row.iterations_to_target
        and finite_or_none(row.iterations_to_target.estimate),
        "reached": row.reached,
        "settings": [
            {
                **asdict(s),
                "median": finite_or_none(s.median),
                "worse_by": finite_or_none(s.worse_by),
            }
            for s in row.settings
        ],
        "chosen_by": row.chosen_by,
        "agreeing": row.agreeing,
        "apart": row.apart,
        "on_validation": row.on_validation,
        "beyond": dict(row.beyond),
    }


def comparison_cells(rows: Sequence[Row]) -> Cells:
    """Header and rows of a CSV with one row an initializer."""
    swept = list(dict.fromkeys(key for row in rows for key in row.setting))
    moments = ("estimate", "low", "high")
    ends = ("median", "low", "high")
    header = [
        "problem", "rank", "best_group", "config", "initializer", *swept,
        "runs", "diverged", "failed", "trained",
        *(f"{name}_{end}" for name in METRICS for end in ends),
        "metric", *(f"difference_{moment}" for moment in moments), "pairs", "p_value",
        "iterations_to_target", "reached", "standing", "seeds_to_decide",
    ]  # fmt: skip
    cells = []
    for row in rows:
        intervals = [row.metrics[name] for name in METRICS]
        cells.append(
            [
                row.problem, row.rank, row.best_group, row.config, row.initializer,
                *(row.setting.get(key) for key in swept),
                row.runs, row.diverged, row.failed, row.trained,
                *(i and getattr(i, moment) for i in intervals for moment in moments),
                row.metric,
                *(row.difference and getattr(row.difference, moment) for moment in moments),
                row.pairs, row.p_value,
                row.iterations_to_target and row.iterations_to_target.estimate, row.reached,
                row.standing, row.seeds_to_decide,
            ]
        )  # fmt: skip
    return Cells(header, cells)
