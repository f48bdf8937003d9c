"""Summaries -> tables of texts, and those -> Rich, Markdown and CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from initbench.stats import Ranked, Spread, Summary

if TYPE_CHECKING:
    from rich.console import RenderableType


DIVERGED = " A diverged run counts as loss inf."
HEADINGS = {
    "train_loss": "train\nloss",
    "train_accuracy": "train\nacc. %",
    "test_loss": "test\nloss",
    "test_accuracy": "test\nacc. %",
}


@dataclass(frozen=True, slots=True)
class Table:
    """Texts in rows under a header; ``numeric`` columns are set to the right.

    A cell's second line, where it has one, is a detail of the first: a range.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[str]
    caption: str = ""


def summary_table(title: str, summaries: Sequence[Summary]) -> Table:
    """A row an initializer: loss and accuracy over its seeds."""
    return _table(title, summaries, [{} for _ in summaries])


def ranking_table(title: str, ranked: Sequence[Ranked]) -> Table:
    """The same, ranked: one problem's initializers, the best first."""
    first = [{"#": str(row.rank), "config": row.summary.config} for row in ranked]
    return _table(title, [row.summary for row in ranked], first)


def _table(title: str, summaries: Sequence[Summary], first: Sequence[dict[str, str]]) -> Table:
    classified = any(summary.metrics["test_accuracy"] for summary in summaries)
    # Both losses and both accuracies do not fit in 80 columns; files have all four.
    metrics = (
        ["train_loss", "train_accuracy", "test_accuracy"]
        if classified
        else ["train_loss", "test_loss"]
    )
    rows = []
    for summary, leading in zip(summaries, first, strict=True):
        cells = {
            **leading,
            "initializer": summary.initializer,
            **{key: str(value) for key, value in summary.setting.items()},
            "diverged": f"{summary.diverged}/{summary.runs}",
        }
        cells |= {HEADINGS[name]: spread_cell(name, summary.metrics[name]) for name in metrics}
        rows.append(cells)
    header = tuple(dict.fromkeys(key for cells in rows for key in cells))
    counts = sorted({summary.runs for summary in summaries})
    seeds = f"{' or '.join(map(str, counts))} seed{'' if counts == [1] else 's'}"
    diverged = any(summary.diverged for summary in summaries)
    failures = "".join(
        f"\n{summary.config}, {summary.initializer}: {summary.failed} of {summary.runs} runs "
        f"failed: {'; '.join(summary.reasons)}."
        for summary in summaries
        if summary.failed
    )
    notes = "".join(
        f"\n{summary.config}, {summary.initializer}: {len(summary.notes)} of {summary.runs} runs: "
        f"{summary.notes[0]}{' (and others)' if len(set(summary.notes)) > 1 else ''}."
        for summary in summaries
        if summary.notes
    )
    return Table(
        title,
        header,
        tuple(tuple(cells.get(key, "") for key in header) for cells in rows),
        frozenset(header) - {"config", "initializer"},
        f"Median over {seeds}, and the range." + (DIVERGED if diverged else "") + failures + notes,
    )


def spread_cell(metric: str, spread: Spread | None) -> str:
    r"""A median, and under it the range where there is one to see; accuracies in percent.

    >>> spread_cell("train_loss", Spread(0.101941, 0.064811, 0.622594))
    '0.1019\n0.065–0.62'
    >>> spread_cell("test_accuracy", Spread(0.5, 0.5, 0.5))
    '50.0'
    """
    if spread is None:
        return "-"
    if metric.endswith("accuracy"):
        median, low, high = (f"{100 * x:.1f}" for x in (spread.median, spread.low, spread.high))
    else:
        median, low, high = f"{spread.median:.4g}", f"{spread.low:.2g}", f"{spread.high:.2g}"
    return median if low == high else f"{median}\n{low}–{high}"


def rich_table(table: Table) -> RenderableType:
    """For a terminal: title and caption take its whole width, whatever the table's."""
    from rich import box
    from rich.console import Group
    from rich.table import Table as RichTable
    from rich.text import Text

    rich = RichTable(box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    for name in table.header:
        rich.add_column(
            Text(name),
            justify="right" if name in table.numeric else "left",
            overflow="fold",
            no_wrap=name == "name",
        )
    for row in table.rows:
        rich.add_row(*map(Text, row))
    caption = [Text(table.caption + "\n", style="dim")] if table.caption else []
    return Group(Text(table.title, style="bold"), rich, *caption)


def markdown(table: Table) -> str:
    """A pipe table under its title, its caption below."""

    def line(cells: Iterable[str]) -> str:
        escaped = (cell.replace("|", "\\|").partition("\n") for cell in cells)
        inline = (f"{first} ({detail})" if detail else first for first, _, detail in escaped)
        return "| " + " | ".join(inline) + " |"

    rule = ("---:" if name in table.numeric else "---" for name in table.header)
    header = (name.replace("\n", " ") for name in table.header)
    lines = [line(header), line(rule), *(line(row) for row in table.rows)]
    parts = [f"**{table.title}**" if table.title else "", "\n".join(lines), table.caption]
    return "\n\n".join(part for part in parts if part) + "\n"


def csv_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """CSV with all digits; what is missing is empty."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows([["" if cell is None else cell for cell in row] for row in rows])
    return text.getvalue()
