"""What the Python API returns: frozen results that print as tables, in a notebook as HTML."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from initbench.analysis.comparison import Row
from initbench.analysis.summary import Summary
from initbench.diagnosis.diagnose import Diagnosis
from initbench.errors import InitbenchError
from initbench.gate.verdicts import Verdict
from initbench.report.render.html import html_view
from initbench.report.render.rich import rich_view
from initbench.report.views.view import View
from initbench.runs.records import Record

if TYPE_CHECKING:
    from rich.console import RenderableType


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
    """

    rows: tuple[Summary, ...]


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Comparison(TrainingResult):
    """What :func:`initbench.compare` returns: a :class:`TrainingResult` with a ranking.

    Attributes:
        rows: One Row for each initializer of each problem, the best of each problem first.
    """

    rows: tuple[Row, ...]


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


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class CheckResult(Result):
    """What :func:`initbench.check` returns.

    Attributes:
        rows: One Verdict for each expectation, then for each metric of each initializer.
        exit_code: 0 where all is well, 1 for a regression or a failed expectation, 3 where
            something could not be judged.
        unnamed: Configs that the baseline holds and this check did not name.
    """

    rows: tuple[Verdict, ...]
    exit_code: int
    unnamed: tuple[str, ...]

    @property
    def ok(self) -> bool:
        """Whether the exit code is 0."""
        return self.exit_code == 0
