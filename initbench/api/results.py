"""What the Python API returns: frozen results that print as tables, in a notebook as HTML."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from initbench.analysis.comparison import Row
from initbench.analysis.summary import Summary
from initbench.api.pictures import Gallery, asked, drawing, known_metric, problems_of
from initbench.diagnosis.diagnose import Diagnosis
from initbench.errors import InitbenchError
from initbench.gate.verdicts import Verdict
from initbench.report.render.html import html_view
from initbench.report.render.rich import rich_view
from initbench.report.views.pictures import JudgedContest, layers, named_diagnoses
from initbench.report.views.view import View
from initbench.runs.records import Record
from initbench.runs.replay import Weights
from initbench.spec import Experiment

if TYPE_CHECKING:
    import altair
    from rich.console import RenderableType

#: The axis of curves.
Scale = Literal["log", "linear"]
#: The width of a chart in inches: a page's column.
WIDTH = 6.5


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Result:
    """What all results share: ``print(result)`` shows tables, a notebook shows them as HTML."""

    view: View

    def to_dict(self) -> dict[str, Any]:
        """Plain data with all digits: what the command's ``--format json`` prints."""
        return self.view.document()

    def __rich__(self) -> RenderableType:
        return rich_view(self.view)

    def __str__(self) -> str:
        from rich.console import Console

        text = io.StringIO()
        Console(file=text).print(self)
        return text.getvalue()

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_view(self.view)


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class TrainingResult(Result):
    """What the results of training have in common.

    Attributes:
        records: One Record a run, in the order of configs, initializers and seeds.
        summary: How many runs were trained, and how many came from results, in words.
        written: The files that were written; none unless ``results`` was given.
        stopped_by: What ended the training before all runs had finished, or None.
        failure: ``stopped_by``, or else the error that names the runs that failed, or None.
    """

    records: tuple[Record, ...]
    summary: str
    written: tuple[Path, ...]
    stopped_by: KeyboardInterrupt | InitbenchError | None
    failure: KeyboardInterrupt | InitbenchError | None


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class RunResult(TrainingResult):
    """What :func:`initbench.run` returns: a :class:`TrainingResult` with medians and ranges.

    Attributes:
        rows: One Summary for each initializer of each config, at each point of its sweep.
        weights: The weights of each run that did not fail, where they were asked for.
        experiments: What was run, a point of a sweep each.
    """

    rows: tuple[Summary, ...]
    weights: tuple[Weights, ...]
    experiments: tuple[Experiment, ...]

    def plot(
        self,
        kind: str,
        *,
        metric: str = "train_loss",
        seed: int | None = None,
        scale: Scale | None = None,
        width: float = WIDTH,
    ) -> altair.VConcatChart:
        """A chart of the runs, which a notebook shows; as :meth:`Comparison.plot` draws it.

        Args:
            kind: Any but ``forest``: differences belong to :func:`initbench.compare`.
            metric: The metric of ``curves``, ``seeds`` and ``sensitivity``. It also says which
                point of a sweep the other kinds show of each initializer: its best.
            seed: As in :meth:`Comparison.plot`.
            scale: As in :meth:`Comparison.plot`.
            width: As in :meth:`Comparison.plot`.

        Raises:
            InitbenchError: As :meth:`Comparison.plot`.
        """
        if kind == "forest":
            raise InitbenchError(
                "kind: a forest shows differences, and runs are not compared; draw it from the "
                "result of initbench.compare"
            )
        problems = problems_of(self.experiments, self.records, known_metric(metric))
        return _chart([Gallery(problem, seed) for problem in problems], kind, metric, scale, width)


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Comparison(TrainingResult):
    """What :func:`initbench.compare` returns: a :class:`TrainingResult` with a ranking.

    Attributes:
        rows: One Row for each initializer of each problem, the best of each problem first.
        problems: The problems, each with the records that judge its initializers.
    """

    rows: tuple[Row, ...]
    problems: tuple[JudgedContest, ...]

    def plot(
        self,
        kind: str,
        *,
        metric: str | None = None,
        seed: int | None = None,
        scale: Scale | None = None,
        width: float = WIDTH,
    ) -> altair.VConcatChart:
        """A chart of the comparison, which a notebook shows; `initbench plot` makes the same.

        Args:
            kind: ``curves``, ``boundary``, ``layers``, ``seeds``, ``forest``, ``profile``,
                ``sensitivity`` or ``activations``. Those that look into networks train a run of
                each initializer again.
            metric: The metric of ``curves``; by default the one that ranks.
            seed: The seed of ``boundary`` and ``activations``; by default the one that is most
                typical of the best initializer.
            scale: The axis of ``curves``; by default logarithmic for a loss.
            width: The width in inches.

        Returns:
            An ``altair.VConcatChart``, whose methods ``save`` and ``properties`` go on from here.

        Raises:
            InitbenchError: There is no such kind, it does not apply to these data, or Altair is
                not installed.
        """
        galleries = [Gallery(problem, seed) for problem in self.problems]
        return _chart(galleries, kind, metric, scale, width)


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class DiagnosisResult(Result):
    """What :func:`initbench.diagnose` returns.

    Attributes:
        rows: One Diagnosis for each initializer of each config, and with ``during`` for each log
            point.
        notes: What initializers report of networks that were drawn, in words.
        failure: The error that names the networks that could not be drawn, or None.
    """

    rows: tuple[Diagnosis, ...]
    notes: tuple[str, ...]
    failure: InitbenchError | None

    def plot(self, kind: str = "layers", *, width: float = WIDTH) -> altair.VConcatChart:
        """A chart of signal and gradient in each layer before training, which a notebook shows.

        Args:
            kind: ``layers``; the other kinds show runs, which a diagnosis has none of.
            width: The width in inches.

        Raises:
            InitbenchError: The kind is another, no network could be drawn, or Altair is not
                installed.
        """
        if kind != "layers":
            raise InitbenchError(
                f"kind: a diagnosis draws layers, got {kind!r}; the results of initbench.run and "
                "initbench.compare draw the other kinds"
            )
        figure = drawing()
        named = named_diagnoses([row for row in self.rows if row.findings.iteration == 0])
        if not named:
            raise InitbenchError("there is nothing to draw: no network could be drawn")
        picture = layers(tuple(name for name, _ in named), named)
        chart: altair.VConcatChart = figure.chart([picture], width * figure.POINTS)
        return chart


def _chart(
    galleries: Sequence[Gallery], kind: str, metric: str | None, scale: Scale | None, width: float
) -> altair.VConcatChart:
    figure = drawing()
    log = None if scale is None else scale == "log"
    pictures = asked(galleries, kind, metric, log=log)
    chart: altair.VConcatChart = figure.chart(pictures, width * figure.POINTS)
    return chart


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class CheckResult(Result):
    """What :func:`initbench.check` returns.

    Attributes:
        rows: One Verdict for each expectation, then for each metric of each initializer.
        exit_code: 0 where all is well, 1 for a regression or a failed expectation, 3 where
            something could not be judged.
        unnamed: Configs that the baseline holds and this check did not name.
        save: The command that saves the baseline again; "" where two saved files were judged.
    """

    rows: tuple[Verdict, ...]
    exit_code: int
    unnamed: tuple[str, ...]
    save: str = ""

    @property
    def ok(self) -> bool:
        """Whether the exit code is 0."""
        return self.exit_code == 0
