"""Summaries -> tables of texts, and those -> Rich, Markdown and CSV."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

from initbench.analysis.comparison import Row, Spread, Summary
from initbench.analysis.paired import Interval
from initbench.metrics import METRICS

if TYPE_CHECKING:
    from rich.console import RenderableType


DIVERGED = " A diverged run counts as loss inf."
HEADINGS = {
    "train_loss": "train\nloss",
    "train_accuracy": "train\nacc. %",
    "test_loss": "test\nloss",
    "test_accuracy": "test\nacc. %",
}
#: Significant digits of a range's ends, where the metric is not in percent.
RANGE_DIGITS = 2


@dataclass(frozen=True, slots=True)
class Table:
    """Texts in rows under a header; ``numeric`` columns are set to the right.

    A cell's second line, where it has one, is a detail of the first: a range. On a terminal, the
    texts of the ``names`` column are cut at their joints where they are longer than its width.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: frozenset[str]
    caption: str = ""
    names: tuple[str, int] = ("", 0)


def summary_table(title: str, summaries: Sequence[Summary]) -> Table:
    """A row an initializer: loss and accuracy over its seeds."""
    classified = any(summary.metrics["test_accuracy"] for summary in summaries)
    # Both losses and both accuracies do not fit in 80 columns; files have all four.
    metrics = (
        ["train_loss", "train_accuracy", "test_accuracy"]
        if classified
        else ["train_loss", "test_loss"]
    )
    rows = []
    for summary in summaries:
        cells = {
            "initializer": summary.initializer,
            **{key: str(value) for key, value in summary.setting.items()},
            "diverged": f"{summary.diverged}/{summary.runs}",
        }
        cells |= {HEADINGS[name]: spread_cell(name, summary.metrics[name]) for name in metrics}
        rows.append(cells)
    counts = sorted({summary.runs for summary in summaries})
    diverged = any(summary.diverged for summary in summaries)
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
        f"Median over {seeds(counts)}, and the range."
        + (DIVERGED if diverged else "")
        + failures
        + noted_runs(summaries),
    )


def columns(
    rows: Sequence[Mapping[str, str]],
) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Header and rows of cells by their column's name; a row may lack some."""
    header = tuple(dict.fromkeys(key for cells in rows for key in cells))
    return header, tuple(tuple(cells.get(key, "") for key in header) for cells in rows)


def seeds(counts: Sequence[int]) -> str:
    """Counts in words: ``5 or 10 seeds``."""
    return f"{' or '.join(map(str, counts))} seed{'' if list(counts) == [1] else 's'}"


def spread_cell(metric: str, spread: Spread | None) -> str:
    r"""A median, and under it the range where there is one to see; accuracies in percent.

    >>> spread_cell("train_loss", Spread(0.101941, 0.064811, 0.622594))
    '0.1019\n0.065–0.62'
    >>> spread_cell("test_accuracy", Spread(0.5, 0.5, 0.5))
    '50.0'
    """
    return "-" if spread is None else _ranged(metric, spread.median, spread.low, spread.high)


def interval_cell(metric: str, interval: Interval | None) -> str:
    """The same of a median and its interval."""
    return "-" if interval is None else _ranged(metric, *astuple(interval))


def _ranged(metric: str, median: float, low: float, high: float) -> str:
    known = METRICS[metric]
    digits = None if known.unit else RANGE_DIGITS
    texts = [known.text(median), known.text(low, digits), known.text(high, digits)]
    return texts[0] if low == high else f"{texts[0]}\n{texts[1]}–{texts[2]}"


def figure(value: float) -> str:
    """Four digits; - for what is not finite."""
    return f"{value:.4g}" if math.isfinite(value) else "-"


def rich_table(table: Table) -> RenderableType:
    """For a terminal: title and caption take its whole width, whatever the table's."""
    from rich import box
    from rich.console import Group
    from rich.table import Table as RichTable
    from rich.text import Text

    rich = RichTable(box=box.SIMPLE_HEAD, collapse_padding=True, pad_edge=False)
    column, width = table.names
    for name in table.header:
        rich.add_column(
            Text(name),
            justify="right" if name in table.numeric else "left",
            overflow="fold",
            no_wrap=name in ("name", "verdict", column),
        )
    for row in table.rows:
        cells = zip(table.header, row, strict=True)
        rich.add_row(*(Text(cut(cell, width) if key == column else cell) for key, cell in cells))
    caption = [Text(table.caption + "\n", style="dim")] if table.caption else []
    return Group(Text(table.title, style="bold"), rich, *caption)


def cut(name: str, width: int) -> str:
    r"""A name's lines, those that are longer than ``width`` cut at their last joint before that.

    >>> cut("autoinit(input_variance=0.4)", 16).split("\n")
    ['autoinit(input_', 'variance=0.4)']
    """
    lines = []
    for line in name.split("\n"):
        rest = line
        while len(rest) > width:
            joints = [m.end() for m in re.finditer(r"[_(=, ]", rest) if m.end() <= width]
            if not joints:
                break
            lines.append(rest[: joints[-1]])
            rest = rest[joints[-1] :]
        lines.append(rest)
    return "\n".join(lines)


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


def noted_runs(rows: Iterable[Summary | Row]) -> str:
    """Lines that say what initializers had to say of runs that trained."""
    return "".join(
        f"\n{row.config}, {row.initializer}: {len(row.notes)} of {row.runs} runs: "
        f"{row.notes[0]}{' (and others)' if len(set(row.notes)) > 1 else ''}."
        for row in rows
        if row.notes
    )
