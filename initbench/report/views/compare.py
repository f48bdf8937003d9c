"""`initbench compare` -> a ranking a problem, a document, a CSV row an initializer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from initbench.analysis.comparison import LEARNED_SHARE, Contest, Row, Target
from initbench.analysis.intervals import BOOTSTRAP_SEED, CONFIDENCE, RESAMPLES, Interval, median
from initbench.analysis.standing import SIGNIFICANCE, seeds_to_tell
from initbench.analysis.summary import summarize
from initbench.files import finite_or_none
from initbench.metrics import METRICS
from initbench.report.views.records import interval_fields, noted
from initbench.report.views.run import run_document
from initbench.report.views.texts import (
    DIVERGED,
    HEADINGS,
    INITIALIZER,
    columns,
    difference_cell,
    interval_cell,
    loss_line,
    noted_runs,
    seeds,
    setting_heading,
)
from initbench.report.views.view import Cells, Table, View
from initbench.runs.records import Record

#: The column that names a row, where all rows are one config's.
ALONE = "initializer"
LEARNED = "runs\nlearned"
ITERATIONS = "iterations\nto target"


def compare_view(
    titles: Sequence[str],
    contests: Sequence[Contest],
    records: Sequence[Record],
    rows: Sequence[Row],
    target: Target | None,
    here: str,
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
    """
    tables = [
        noted(table, contest.records, here)
        for number, (title, contest) in enumerate(zip(titles, contests, strict=True))
        for table in comparison_tables(
            title, [row for row in rows if row.problem == number], target
        )
    ]
    return View(
        tuple(tables),
        lambda: {
            **run_document(records, summarize(records)),
            "comparison": [row_fields(row) for row in rows],
        },
        lambda: comparison_cells(rows),
    )


def comparison_tables(title: str, rows: Sequence[Row], target: Target | None) -> list[Table]:
    """One problem's initializers, the best first; after a sweep also what other settings did."""
    difference = _difference_heading(rows[0].metric)
    cells = [
        {
            "#": f"{row.rank}{'*' if row.best_group else ''}",
            **_name(row, rows),
            **{
                HEADINGS[name]: interval_cell(name, row.metrics[name])
                for name in _metrics(rows, target)
            },
            LEARNED: f"{row.trained}/{row.runs}",
            **({ITERATIONS: _iterations(row.iterations_to_target)} if target else {}),
            difference: difference_cell(row.metric, row.difference) if row.rank > 1 else "",
        }
        for row in rows
    ]
    header, texts = columns(cells)
    table = Table(
        title,
        header,
        texts,
        frozenset(header) - {INITIALIZER, ALONE},
        _caption(rows, target),
        _widths(header),
    )
    swept = [row for row in rows if row.settings]
    return [table, _settings_table(swept)] if swept else [table]


def _widths(header: Sequence[str]) -> tuple[str, int]:
    """The column of names, and the width that the others leave it in 80 columns."""
    return (INITIALIZER, 16) if INITIALIZER in header else (ALONE, 13)


def _metrics(rows: Sequence[Row], target: Target | None) -> list[str]:
    """The metrics that fit in 80 columns, with the one that ranks; files have all four."""
    if not _classified(rows):
        return ["train_loss", "test_loss"]
    ranks = rows[0].metric
    # The first of these are left out first.
    shown = [name for name in ("train_accuracy", "train_loss", "test_accuracy") if name != ranks]
    shown = [ranks, *shown[-1 if target else -2 :]]
    return [name for name in METRICS if name in shown]


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


def _caption(rows: Sequence[Row], target: Target | None) -> str:
    """The legend: what the columns are, what the marks mean, and what runs had to say."""
    counts = sorted({row.runs for row in rows})
    metric = METRICS[rows[0].metric]
    lines = [
        f"#: rank by {metric.label}. Median over {seeds(counts)}, then its "
        f"{100 * CONFIDENCE:g} % interval (bootstrap, {RESAMPLES:,} resamples, seed "
        f"{BOOTSTRAP_SEED}). Differences are paired by seed"
        f"{', in percentage points' if metric.unit else ''}. "
        + loss_line(classified=_classified(rows)),
    ]
    if any(row.best_group is not None for row in rows[1:]):
        lines.append(
            "*: the best, and every row that cannot be told from it (Wilcoxon signed-rank test, "
            f"Holm-adjusted p above {SIGNIFICANCE:g})."
        )
    pairs = [row.pairs for row in rows if row.pairs]  # none, where all runs failed
    needed = seeds_to_tell(pairs)
    if len(pairs) > 1 and min(pairs) < needed:
        lines.append(
            f"{min(pairs)} paired seeds cannot tell {len(pairs)} rows apart: that takes at least "
            f"{needed}."
        )
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
    (chosen_by,) = {row.chosen_by for row in rows[:1]}
    unit = f" in {known.label}{', in percentage points' if known.unit else ''}"
    what = f"Worse by: the median of the differences{unit}, paired by seed; + is worse.\n"
    if all(row.apart for row in rows):
        how = f"{chosen_by} seeds chose each setting, the others judge it."
    else:
        how = (
            "The same seeds chose each setting and judge it, which flatters the choice: "
            "9 seeds or more keep them apart."
        )
    return Table(
        "Each initializer's best setting, and how much worse the others are",
        header,
        texts,
        frozenset(header) - {INITIALIZER, ALONE},
        what + how,
        _widths(header),
    )


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
        "apart": row.apart,
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
        "iterations_to_target", "reached",
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
            ]
        )  # fmt: skip
    return Cells(header, cells)
