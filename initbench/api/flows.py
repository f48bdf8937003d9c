"""Experiments -> results: what each command does between parsing its options and printing.

The Python API and the command line both call these functions.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

from initbench import datasets
from initbench.analysis import comparison as statistics
from initbench.analysis.comparison import Target
from initbench.analysis.contests import contests, with_validation
from initbench.analysis.deciding import compare_until_decided
from initbench.analysis.summary import summarize
from initbench.api.folder import refusal, refusing, writable
from initbench.api.pages import page_of
from initbench.api.pictures import Gallery, asked, drawing, judged_contests
from initbench.api.results import Comparison, DiagnosisResult, RunResult
from initbench.diagnosis import diagnose as diagnosis
from initbench.errors import ConfigError, FailedRunsError, Place, Problem
from initbench.files import (
    ANOTHER_FOLDER,
    ensure_writable,
    runs_held,
    write_file,
    write_results,
)
from initbench.report.render import TEXTS
from initbench.report.views import titles
from initbench.report.views.compare import compare_view
from initbench.report.views.diagnose import diagnose_view
from initbench.report.views.run import run_view
from initbench.runs import identity, plan, runner
from initbench.runs.provenance import provenance
from initbench.runs.records import Record
from initbench.runs.replay import Moments, Weights, weights
from initbench.runs.runner import (
    USUAL,
    Execution,
    Say,
    Share,
    Trained,
    Watch,
    silent,
    unshared,
    unwatched,
)
from initbench.runs.store import Filter, Request, existing, opened
from initbench.spec import Experiment
from initbench.wording import counted

#: The advice where a figure or a page cannot be written.
ANOTHER_FILE = "another file with -o"


def run(
    experiments: Sequence[Experiment],
    execution: Execution = USUAL,
    results: Path | None = None,
    *,
    keep: Moments | None = None,
    watch: Watch = unwatched,
    say: Say = silent,
    share: Share = unshared,
) -> RunResult:
    """Train the experiments; with ``results``, by way of that folder's store, and write tables.

    ``keep`` says at which moments weights are kept, which takes a second training; ``share`` shows
    how much of it is done.
    """
    trained = _train(experiments, execution, results, watch, say)
    results = writable(results, say)
    here = provenance().numerics
    written: list[Path] = []
    for name in dict.fromkeys(experiment.name for experiment in experiments):
        records = [record for record in trained.records if record.config == name]
        if results is None or not records:
            continue
        of_config = [experiment for experiment in experiments if experiment.name == name]
        view = run_view(of_config, records, here)
        texts = {ending: TEXTS[ending](view) for ending in ("csv", "json")}
        partial = len(records) < len(plan.runs(of_config))
        if not partial:
            _say_what_is_replaced(results, name, len(records), say)
        written += write_results(results, name, texts, partial=partial)
    kept: list[Weights] = []
    if keep is not None and trained.stopped_by is None:
        planned = plan.runs(experiments)
        ids = identity.identities(planned, datasets.fingerprint)
        with share() as tell:
            kept = weights(trained.records, dict(zip(ids, planned, strict=True)), keep, tell)
        _say_what_differs(kept, trained.records, here, say)
        written += [] if results is None else [_write_weights(results / "weights", kept)]
    return RunResult(
        view=run_view(experiments, trained.records, here),
        records=tuple(trained.records),
        rows=tuple(summarize(trained.records)),
        summary=trained.summary,
        written=tuple(written),
        stopped_by=trained.stopped_by,
        failure=trained.failure,
        weights=tuple(kept),
        experiments=tuple(experiments),
    )


def compare(
    experiments: Sequence[Experiment],
    metric: str = "train_loss",
    target: tuple[str, float] | None = None,
    execution: Execution = USUAL,
    results: Path | None = None,
    *,
    until_decided: bool = False,
    max_seeds: int | None = None,
    watch: Watch = unwatched,
    say: Say = silent,
) -> Comparison:
    """Train the experiments and rank their initializers, problem by problem.

    ``target`` is a metric and a value that runs are to reach. With ``results``, runs are looked up
    and stored in that folder, and the tables are written. With ``until_decided`` seeds are added
    where rows are undecided, up to ``max_seeds``.
    """
    compared = _compared(
        experiments, metric, target, execution, results,
        until_decided=until_decided, max_seeds=max_seeds, watch=watch, say=say,
    )  # fmt: skip
    records = compared.records
    results = writable(results, say)
    if results is None or not records:
        return compared
    endings = {"md": "markdown", "csv": "csv", "json": "json"}
    texts = {ending: TEXTS[name](compared.view) for ending, name in endings.items()}
    partial = compared.stopped_by is not None
    if partial:
        texts["md"] = f"**Partial: {compared.summary}.**\n\n{texts['md']}"
    else:
        _say_what_is_replaced(results, "comparison", len(records), say)
    written = write_results(results, "comparison", texts, partial=partial)
    return replace(compared, written=tuple(written))


def _compared(
    experiments: Sequence[Experiment],
    metric: str,
    target: tuple[str, float] | None,
    execution: Execution,
    results: Path | None,
    *,
    until_decided: bool = False,
    max_seeds: int | None = None,
    watch: Watch,
    say: Say,
) -> Comparison:
    """Train the experiments and rank their initializers, but write no tables."""
    reach = Target(*target) if target else None
    _refuse_unknown_metrics(experiments, metric, reach)
    experiments, choosing = with_validation(experiments, metric)
    if choosing:
        say(
            "settings are chosen on validation samples, taken from the train samples: the runs "
            "train twice, once to choose and once to be judged on the test samples"
        )
    parts: list[Trained] = []

    def train(more: Sequence[Experiment]) -> tuple[Sequence[Record], bool]:
        parts.append(_train(more, execution, results, watch, say))
        return parts[-1].records, parts[-1].stopped_by is None

    if until_decided:
        decided = compare_until_decided(experiments, metric, reach, train, max_seeds, say, choosing)
        competing, rows, looked = decided.contests, decided.rows, decided.looks
        records = decided.records
    else:
        judged, finished = train(experiments)
        records = list(judged)
        chosen = train(choosing)[0] if choosing and finished else ()
        competing, looked = contests(experiments, records, chosen), ()
        rows = statistics.compare(competing, metric, reach)
    trained = _joined(parts)
    problems = judged_contests(competing, metric, rows)
    view = compare_view(
        [problem.title for problem in problems],
        competing,
        records,
        rows,
        reach,
        provenance().numerics,
        looked,
    )
    return Comparison(
        view=view,
        records=tuple(records),
        rows=tuple(rows),
        problems=problems,
        summary=trained.summary,
        written=(),
        stopped_by=trained.stopped_by,
        failure=trained.failure,
    )


def plot(
    experiments: Sequence[Experiment],
    kind: str,
    path: Path,
    width: float,
    *,
    font: str,
    font_size: float,
    metric: str = "train_loss",
    log: bool | None = None,
    seed: int | None = None,
    execution: Execution = USUAL,
    results: Path | None = None,
    watch: Watch = unwatched,
    say: Say = silent,
    share: Share = unshared,
) -> Comparison:
    """Compare the experiments, and draw a figure of one kind into a file.

    ``width`` is in points. The file's ending says whether it is an SVG, a PNG or a PDF.
    """
    figure = drawing()
    ensure_writable(path.parent, ANOTHER_FILE)
    compared = _compared(experiments, metric, None, execution, results, watch=watch, say=say)
    if compared.stopped_by is not None:
        raise compared.stopped_by
    with share() as tell:
        galleries = [Gallery(problem, seed, tell) for problem in compared.problems]
        content = figure.figure(
            asked(galleries, kind, metric, log=log),
            path.suffix.lstrip(".").lower(),
            width,
            font=font,
            font_size=font_size,
        )
    write_file(path, content, ANOTHER_FILE)
    return compared


def report(
    experiments: Sequence[Experiment],
    path: Path,
    *,
    title: str,
    command: str,
    metric: str = "train_loss",
    seed: int | None = None,
    execution: Execution = USUAL,
    results: Path,
    watch: Watch = unwatched,
    say: Say = silent,
    share: Share = unshared,
) -> Comparison:
    """Compare the experiments, and write a page about them; ``command`` makes it again."""
    drawing()
    from initbench.report.page.compose import compose

    ensure_writable(path.parent, ANOTHER_FILE)
    compared = _compared(experiments, metric, None, execution, results, watch=watch, say=say)
    if compared.stopped_by is not None:
        raise compared.stopped_by
    ids = tuple(record.id for record in compared.records)
    with existing(results) as store:
        made = [stored.provenance for stored in store.select(Filter(ids=ids))]
    with share() as tell:
        galleries = [Gallery(problem, seed, tell) for problem in compared.problems]
        text = compose(page_of(compared, galleries, made, command, title))
    write_file(path, text, ANOTHER_FILE)
    return compared


def diagnose(
    experiments: Sequence[Experiment],
    *,
    during: bool = False,
    report: Callable[[float], None] | None = None,
) -> DiagnosisResult:
    """Diagnose each initializer; with ``during`` also train, and diagnose at each log point."""
    found, failures, notes = diagnosis.diagnose(experiments, during=during, report=report)
    error = None
    if failures:
        error = FailedRunsError("some networks could not be drawn:\n" + "\n".join(failures))
    view = diagnose_view(found, experiments, during=during)
    return DiagnosisResult(
        view=view, rows=tuple(found), notes=(*titles.data_notes(experiments), *notes), failure=error
    )


def _joined(parts: Sequence[Trained]) -> Trained:
    """The records of several trainings, in their order."""
    return Trained(
        [record for part in parts for record in part.records],
        sum(part.asked for part in parts),
        parts[-1].stopped_by,
    )


def _train(
    experiments: Sequence[Experiment],
    execution: Execution,
    results: Path | None,
    watch: Watch,
    say: Say,
) -> Trained:
    if results is not None and (why := refusal(results)):
        with existing(results) as store:
            return runner.train(experiments, execution, store, watch=refusing(why), say=say)
    with nullcontext() if results is None else opened(results) as store:
        trained = runner.train(experiments, execution, store, watch=watch, say=say)
        if store is not None:
            store.note((record.id, Request.of(record)) for record in trained.records)
        return trained


def _write_weights(folder: Path, kept: Sequence[Weights]) -> Path:
    """Write a file for each run, named for its id, and return the folder."""
    ensure_writable(folder)
    for one in kept:
        write_file(folder / f"{one.id}.npz", one.npz(), ANOTHER_FOLDER)
    return folder


def _say_what_differs(
    kept: Sequence[Weights], records: Sequence[Record], here: str, say: Say
) -> None:
    """Say whose weights are not the stored record's own, because other arithmetic made it."""
    made = {record.id: record.numerics for record in records}
    elsewhere = sorted({made[one.id] for one in kept if not one.reproduced})
    if elsewhere:
        count = counted(sum(not one.reproduced for one in kept), "run")
        say(
            f"the weights of {count} are of a replay whose last digits differ from the stored "
            f"record: it was made with {' and with '.join(elsewhere)}, and the replay with {here}"
        )


def _say_what_is_replaced(results: Path, name: str, runs: int, say: Say) -> None:
    """Say so where files of more runs are about to be replaced: a short trial, say."""
    held = runs_held(results, name)
    if held is not None and held > runs:
        say(
            f"{results / name}.* held {counted(held, 'run')} and now hold {runs:,}; "
            f"`initbench show --results {shlex.quote(str(results))}` shows which runs are stored"
        )


def _refuse_unknown_metrics(
    experiments: Sequence[Experiment], metric: str, target: Target | None
) -> None:
    """Raise ConfigError where a task has no such metric, before an hour is spent on training."""
    asked = {f"--metric {metric}": metric}
    if target:
        asked[f"--target {target.metric}={target.value:g}"] = target.metric
    problems = [
        Problem(Place(option), e.name, f"its task has no {name}; it has {' and '.join(known)}")
        for e in experiments
        for option, name in asked.items()
        if name not in (known := datasets.metrics(datasets.load(e.dataset)))
    ]
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))  # of a sweep's points each once
