"""Results -> pictures: the numbers that a chart draws, as tables, and the same numbers in words.

Nothing is drawn here, and no chart computes a number: :mod:`initbench.report.charts` draws them.
Numbers that are not finite are None, as in JSON.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from initbench.analysis.comparison import LEARNED_SHARE, Contest, Row, judged
from initbench.analysis.curves import curve_points, trained_shares
from initbench.analysis.intervals import median
from initbench.analysis.overview import Matrix
from initbench.analysis.selection import Selection
from initbench.analysis.summary import metric_values
from initbench.diagnosis.diagnose import Diagnosis
from initbench.diagnosis.portraits import spread
from initbench.files import finite_or_none
from initbench.metrics import METRICS
from initbench.report.views.texts import figure
from initbench.runs.records import Record
from initbench.wording import counted

#: A row of a picture's table: plain data.
Fields = dict[str, Any]
#: A table of few values that are far apart is drawn on a logarithmic axis.
DECADES_APART = 30.0
#: An axis of layers names at most so many of them.
MOST_TICKS = 10


@dataclass(frozen=True, slots=True)
class Picture:
    """What a chart draws, and says to who cannot see it.

    Attributes:
        kind: The name of the chart in :data:`initbench.report.charts.registry.CHARTS`.
        title: What it shows, in a line.
        series: The names of the rows that are compared, each of which has a colour and a line
            style; the same order in all pictures of a problem.
        tables: Rows of plain data by the name of the table.
        words: The numbers in sentences, for a screen reader.
        facts: What else the chart must know: labels, limits.
    """

    kind: str
    title: str
    series: tuple[str, ...]
    tables: Mapping[str, list[Fields]]
    words: str
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JudgedContest:
    """One problem of a comparison: what competes, how it was judged, and in which words.

    ``selections`` are the records that judge each initializer, in the order of the configs;
    ``rows`` are what the comparison says about them, the best first.
    """

    title: str
    contest: Contest
    metric: str
    rows: tuple[Row, ...]
    selections: tuple[Selection, ...]

    @classmethod
    def of(cls, title: str, contest: Contest, metric: str, rows: Sequence[Row]) -> JudgedContest:
        """A contest with the rows that are about it."""
        return cls(title, contest, metric, tuple(rows), tuple(judged(contest, metric)))

    @property
    def series(self) -> tuple[str, ...]:
        """A name for each selection: its initializer, and its config too if that is needed."""
        firsts = [selection.records[0] for selection in self.selections]
        labels = [record.initializer for record in firsts]
        if len(set(labels)) == len(labels):
            return tuple(labels)
        return tuple(f"{record.config}, {record.initializer}" for record in firsts)

    @property
    def named(self) -> list[tuple[str, Selection]]:
        """Each selection with its name."""
        return list(zip(self.series, self.selections, strict=True))

    def name(self, row: Row) -> str:
        """The name of a row of the comparison."""
        return self.name_of(row.config, row.initializer)

    def name_of(self, config: str, initializer: str) -> str:
        """The name of an initializer of a config."""
        return next(
            name
            for name, selection in self.named
            if (selection.records[0].config, selection.records[0].initializer)
            == (config, initializer)
        )


def curves(problem: JudgedContest, metric: str, *, log: bool | None = None) -> Picture:
    """A metric at each log point: its median over the seeds, and its middle half.

    ``log`` chooses the axis; by default it is logarithmic for a loss.
    """
    known = METRICS[metric]
    rows: list[Fields] = []
    last = []
    for name, selection in problem.named:
        points = curve_points(selection.records, metric)
        rows += [
            {
                "name": name,
                "iteration": point.iteration,
                "median": finite_or_none(point.median),
                "low": finite_or_none(point.low),
                "high": finite_or_none(point.high),
                "runs": point.runs,
            }
            for point in points
        ]
        if points:
            last.append(f"{name} {_metric_words(metric, points[-1].median)}")
    moments = sorted({row["iteration"] for row in rows}) or [0]
    return Picture(
        "curves",
        f"{known.label.capitalize()} while training",
        problem.series,
        {"curves": rows, "moments": [{"iteration": at} for at in moments]},
        f"Median {known.label} at the end: {'; '.join(last)}.",
        {
            "metric": metric,
            "label": _label(metric),
            "percent": known.unit == "%",
            "log": known.smaller_is_better if log is None else log,
            "iterations": moments,
        },
    )


def profile(problem: JudgedContest) -> Picture:
    """The share of each initializer's runs that have trained after so many iterations."""
    rows: list[Fields] = []
    words = []
    for name, selection in problem.named:
        shares = trained_shares(selection.records, problem.contest.constant_loss)
        rows += [{"name": name, "iteration": at, "share": share} for at, share in shares]
        if shares:
            words.append(f"{name} {100 * shares[-1][1]:.0f} %")
    return Picture(
        "profile",
        "Share of runs that have learned",
        problem.series,
        {"profile": rows},
        f"Share of runs whose train loss is {100 * LEARNED_SHARE:g} % below that of the best "
        f"constant predictor, at the end: {'; '.join(words)}.",
    )


def seeds(problem: JudgedContest) -> Picture:
    """Each run's final metric; a line joins the runs of a seed, which share data and batches."""
    metric = problem.metric
    rows: list[Fields] = []
    medians: list[Fields] = []
    words = []
    order = [problem.name(row) for row in problem.rows]
    for name, selection in problem.named:
        values = metric_values(selection.records, metric)
        medians.append({"name": name, "median": finite_or_none(median(values)) if values else None})
        rows += [
            {
                "name": name,
                "place": order.index(name),
                "seed": record.seed,
                "value": finite_or_none(record.metric(metric)),
                "status": record.status,
            }
            for record in selection.records
        ]
        words.append(f"{name}: {_range_words(metric, values)}{_lost_words(selection.records)}")
    shown = [row["value"] for row in rows if row["value"] is not None]
    return Picture(
        "seeds",
        f"{METRICS[metric].label.capitalize()} of each run",
        problem.series,
        {"seeds": rows, "medians": medians},
        f"Lowest, median and highest over the seeds. {'; '.join(words)}.",
        {
            "label": _label(metric),
            "percent": METRICS[metric].unit == "%",
            "log": _far_apart(shown) and METRICS[metric].smaller_is_better,
            "order": order,
        },
    )


def forest(problem: JudgedContest) -> Picture:
    """The paired difference of each row to the best one, with its interval."""
    rows: list[Fields] = []
    words = []
    differing = [row for row in problem.rows if row.difference is not None]
    for row in differing:
        one = row.difference
        assert one is not None
        rows.append(
            {
                "name": problem.name(row),
                "estimate": finite_or_none(one.estimate),
                "low": finite_or_none(one.low),
                "high": finite_or_none(one.high),
                "standing": row.standing or "not judged",
            }
        )
        bounds = " to ".join(f"{end:+.3g}" if math.isfinite(end) else "?" for end in
                             (one.low, one.high))  # fmt: skip
        words.append(f"{problem.name(row)} {one.estimate:+.3g} ({bounds}), {row.standing}")
    known = [
        end for row in rows for key in ("estimate", "low", "high") if (end := row[key]) is not None
    ]
    least = max((row.least_difference for row in differing), default=0.0)
    lowest, highest = min([-least, *known]), max([least, *known])
    room = 0.06 * (highest - lowest)
    lowest, highest = lowest - room, highest + room
    for fields in rows:  # an end without bound is drawn at the edge
        fields["from"] = lowest if fields["low"] is None else fields["low"]
        fields["to"] = highest if fields["high"] is None else fields["high"]
    best = problem.name(problem.rows[0]) if problem.rows else ""
    sign = "+" if METRICS[problem.metric].smaller_is_better else "-"
    return Picture(
        "forest",
        f"Difference to the best, {best}, over paired seeds",
        problem.series,
        {"forest": rows, "limits": [{"zero": 0.0, "low": -least, "high": least}]},
        f"Difference in {METRICS[problem.metric].label} to {best}, with its interval; {sign} is "
        f"worse. {'; '.join(words) or 'There is none'}.",
        {
            "label": f"difference in {METRICS[problem.metric].label} ({sign} is worse)",
            "order": [row["name"] for row in rows],
            "low": lowest,
            "high": highest,
            "percent": METRICS[problem.metric].unit == "%",
        },
    )


def sensitivity(problem: JudgedContest, matrix: Matrix) -> Picture:
    """Each initializer's metric at each value of a swept key."""
    metric = matrix.metric
    rows: list[Fields] = []
    words = []
    for row in matrix.rows:
        name = problem.name_of(row.config, row.initializer)
        for index, (value, cell) in enumerate(zip(matrix.values, row.cells, strict=True)):
            if cell is None:
                continue
            of_cell = None if cell.median is None else finite_or_none(cell.median)
            rows.append(
                {
                    "name": name,
                    "value": value if _number(value) else None,
                    "setting": str(value),
                    "median": of_cell,
                    "text": "inf" if of_cell is None else METRICS[metric].text(of_cell),
                    "trained": cell.trained,
                    "runs": cell.runs,
                    "best": index == row.best,
                }
            )
        if row.best is not None:
            cell = row.cells[row.best]
            assert cell is not None
            assert cell.median is not None
            words.append(
                f"{name} at {matrix.values[row.best]}: {METRICS[metric].text(cell.median)}"
            )
    key = matrix.key.replace("_", " ")
    fixed = "".join(f", {name} {value}" for name, value in matrix.fixed.items())
    medians = [row["median"] for row in rows if row["median"] is not None]
    return Picture(
        "sensitivity",
        f"{METRICS[metric].label.capitalize()} by {key}{fixed}",
        problem.series,
        {"sensitivity": rows},
        f"Best median {METRICS[metric].label} of each initializer: {'; '.join(words) or 'none'}.",
        {
            "label": _label(metric),
            "key": key,
            "settings": [str(value) for value in matrix.values],
            "numeric": all(map(_number, matrix.values)) and len(matrix.values) > 1,
            "log_key": all(_number(v) and v > 0 for v in matrix.values)
            and _far_apart([float(v) for v in matrix.values], 9),
            "log": _far_apart(medians) and METRICS[metric].smaller_is_better,
            "percent": METRICS[metric].unit == "%",
            "smaller_is_better": METRICS[metric].smaller_is_better,
        },
    )


def judged_diagnoses(
    problem: JudgedContest, diagnoses: Sequence[Diagnosis]
) -> list[tuple[str, Diagnosis]]:
    """The diagnosis of each row of a comparison, at the setting of a sweep that the row shows."""
    settings = {(row.config, row.initializer): row.setting for row in problem.rows}
    found = [(d, d.findings.config, d.findings.initializer) for d in diagnoses]
    return [
        (problem.name_of(config, initializer), d)
        for d, config, initializer in found
        if settings.get((config, initializer)) == d.findings.setting
    ]


def named_diagnoses(diagnoses: Sequence[Diagnosis]) -> list[tuple[str, Diagnosis]]:
    """Each diagnosis with a name: its initializer, and what else tells it from the others."""
    short = [d.findings.initializer for d in diagnoses]
    if len(set(short)) == len(short):
        return list(zip(short, diagnoses, strict=True))
    return [
        (
            ", ".join(
                [d.findings.config, d.findings.initializer]
                + [f"{key} {value}" for key, value in d.findings.setting.items()]
            ),
            d,
        )
        for d in diagnoses
    ]


def layers(series: tuple[str, ...], named: Sequence[tuple[str, Diagnosis]]) -> Picture:
    """The mean square of signal and gradient in each layer before training, beside theory."""
    rows: list[Fields] = []
    words = []
    for name, diagnosis in named:
        found = diagnosis.findings
        for layer in found.layers:
            for quantity, pair in (
                ("signal", layer.preactivation_variance),
                ("gradient", layer.gradient_variance),
            ):
                for source, value in (("theory", pair.predicted), ("measured", pair.measured)):
                    if value is not None:
                        rows.append(
                            {
                                "name": name,
                                "quantity": quantity,
                                "layer": layer.layer,
                                "source": source,
                                "value": finite_or_none(value),
                            }
                        )
        first, last = found.layers[0], found.layers[-1]
        words.append(
            f"{name}: signal {figure(first.preactivation_variance.measured)} to "
            f"{figure(last.preactivation_variance.measured)}, gradient "
            f"{figure(first.gradient_variance.measured)} to "
            f"{figure(last.gradient_variance.measured)}"
        )
    return Picture(
        "layers",
        "Signal and gradient in each layer before training",
        series,
        {"layers": rows},
        "Mean square in the first and in the last layer. A zero has no place on a logarithmic "
        f"axis. {'; '.join(words)}.",
        {"layers": spread(sorted({row["layer"] for row in rows}), MOST_TICKS) if rows else []},
    )


def _label(metric: str) -> str:
    return METRICS[metric].label


def _metric_words(metric: str, value: float) -> str:
    unit = f" {METRICS[metric].unit}" if METRICS[metric].unit else ""
    return f"{METRICS[metric].text(value)}{unit}"


def _range_words(metric: str, values: Sequence[float]) -> str:
    if not values:
        return "no run has a value"
    texts = [METRICS[metric].text(v) for v in (min(values), median(values), max(values))]
    return ", ".join(dict.fromkeys(texts))


def _lost_words(records: Sequence[Record]) -> str:
    """How many runs have no place on an axis."""
    lost = [
        f", {counted(count, 'run')} {status}"
        for status in ("diverged", "failed")
        if (count := sum(record.status == status for record in records))
    ]
    return "".join(lost)


def _far_apart(values: Sequence[float], ratio: float = DECADES_APART) -> bool:
    return bool(values) and min(values) > 0 and max(values) >= ratio * min(values)


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
