"""`initbench run` -> a table a config, a document of records and summaries, a CSV row a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from initbench.analysis.summary import Spread, Summary, by_row, summarize
from initbench.files import envelope, finite_or_none
from initbench.metrics import METRICS
from initbench.report.views import regression, titles
from initbench.report.views.records import noted, record_cells, record_fields
from initbench.report.views.regression import Scale, scale_of
from initbench.report.views.screen import on_screen
from initbench.report.views.texts import (
    DIVERGED,
    HEADINGS,
    columns,
    loss_line,
    noted_runs,
    seeds,
    setting_heading,
    spread_cell,
)
from initbench.report.views.view import Table, View
from initbench.runs.records import Record, setting_key
from initbench.spec import Experiment

DIVERGED_RUNS = "runs\ndiverged"

#: The scale of each regression by its config and the key of its setting.
Scales = Mapping[tuple[str, str], Scale]
NO_SCALES: Scales = {}


def run_view(experiments: Sequence[Experiment], records: Sequence[Record], here: str) -> View:
    """Loss and accuracy of the records, in a table for each config that has any.

    Args:
        experiments: The experiments that were run, which give the tables their titles.
        records: Their records, in any number: those that finished.
        here: This machine's :attr:`~initbench.runs.provenance.Provenance.numerics`; tables say
            which records other arithmetic made.
    """
    summaries = summarize(records)
    tables = []
    for name in dict.fromkeys(experiment.name for experiment in experiments):
        mine = [record for record in records if record.config == name]
        if not mine:
            continue
        of_config = [experiment for experiment in experiments if experiment.name == name]
        rows = [summary for summary in summaries if summary.config == name]
        scales = scales_of(of_config)
        table = summary_table(f"{name}: {titles.problem(of_config)}", rows, scales)
        table = on_screen(table, by_row(mine), "train_loss", HEADINGS["train_loss"])
        tables.append(noted(table, mine, here, titles.data_notes(of_config)))
    return View(
        tuple(tables),
        lambda: {
            **run_document(records, summaries, scales_of(experiments)),
            "notes": list(titles.data_notes(experiments)),
            # `check` judges two such documents by the least changes of their configs.
            "gates": {e.name: e.gate.model_dump() for e in experiments},
        },
        lambda: record_cells(records),
    )


def scales_of(experiments: Sequence[Experiment]) -> Scales:
    """The scales of those experiments that are regressions."""
    found = {(e.name, setting_key(e.setting)): scale_of(e) for e in experiments}
    return {key: scale for key, scale in found.items() if scale is not None}


def summary_table(title: str, summaries: Sequence[Summary], scales: Scales = NO_SCALES) -> Table:
    """A row for each initializer, and setting of a sweep: loss and accuracy over its seeds.

    ``scales`` are those of regressions, by config and setting.
    """
    classified = any(summary.metrics["test_accuracy"] for summary in summaries)
    metrics = list(METRICS) if classified else ["train_loss", "test_loss"]
    rows = []
    for summary in summaries:
        cells = {
            "initializer": summary.initializer,
            **{setting_heading(key): str(value) for key, value in summary.setting.items()},
            DIVERGED_RUNS: f"{summary.diverged}/{summary.runs}",
        }
        cells |= {HEADINGS[name]: spread_cell(name, summary.metrics[name]) for name in metrics}
        if scales:
            cells |= regression.cells(scales[_key(summary)], summary.metrics["test_loss"])
        rows.append(cells)
    counts = sorted({summary.runs for summary in summaries})
    legend = [
        f"Median over {seeds(counts)}, then the range from the lowest to the highest. "
        + _loss_words(scales, classified=classified),
        *([DIVERGED] if any(summary.diverged for summary in summaries) else []),
    ]
    failures = "".join(
        f"\n{summary.config}, {summary.initializer}: {summary.failed} of {summary.runs} runs "
        f"failed: {'; '.join(summary.reasons)}."
        for summary in summaries
        if summary.failed
    )
    return Table(
        title,
        *columns(rows),
        frozenset(key for cells in rows for key in cells) - {"initializer"},
        "\n".join(legend) + failures + noted_runs(summaries),
        ("initializer", 16),
        (HEADINGS["test_loss"],) if classified else (),  # 80 columns have no room for all four
    )


def _key(summary: Summary) -> tuple[str, str]:
    return summary.config, setting_key(summary.setting)


def _loss_words(scales: Scales, *, classified: bool) -> str:
    """What the loss is; where the data are swept, their targets may have several units."""
    legends = {scale.legend for scale in scales.values()}
    return legends.pop() if len(legends) == 1 else loss_line(classified=classified)


def run_document(
    records: Sequence[Record], summaries: Sequence[Summary], scales: Scales = NO_SCALES
) -> dict[str, Any]:
    """What `run --format json` prints of the records."""
    return envelope(
        records=[record_fields(record) for record in records],
        summary=[_summary_fields(summary, scales) for summary in summaries],
    )


def _summary_fields(summary: Summary, scales: Scales) -> dict[str, Any]:
    return {
        "config": summary.config,
        "initializer": summary.initializer,
        "setting": summary.setting,
        "runs": summary.runs,
        "diverged": summary.diverged,
        "failed": summary.failed,
        "reasons": list(summary.reasons),
        "notes": list(summary.notes),
        **{name: _spread_fields(summary.metrics[name]) for name in METRICS},
        **regression.fields(scales.get(_key(summary)), summary.metrics["test_loss"]),
    }


def _spread_fields(spread: Spread | None) -> dict[str, Any] | None:
    if spread is None:
        return None
    return {
        "median": finite_or_none(spread.median),
        "low": finite_or_none(spread.low),
        "high": finite_or_none(spread.high),
    }
