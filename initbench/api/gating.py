"""The gate's flows: a check against a baseline, of two saved files, and saving a baseline."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from initbench.api.results import CheckResult
from initbench.files import ensure_writable, locked, write_file
from initbench.gate import baseline as baselines
from initbench.gate import check as gate
from initbench.gate.check import Judgement
from initbench.gate.outcomes import TWINS, RowOutcomes
from initbench.gate.sensitivity import unseen_changes
from initbench.gate.training import baseline_of
from initbench.gate.verdicts import exit_code
from initbench.report.views import titles
from initbench.report.views.check import check_view
from initbench.runs import runner
from initbench.runs.runner import USUAL, Execution, Say, Watch, silent, unwatched
from initbench.spec import Experiment

#: The advice where a baseline cannot be written.
ANOTHER_BASELINE = "another file with --baseline"
#: The advice where what was trained cannot be written.
ANOTHER_CANDIDATE = "another file with --candidate"
#: Seeds of each config that a quick check trains.
QUICK_SEEDS = 2


def check(
    experiments: Sequence[Experiment],
    baseline: Path,
    execution: Execution = USUAL,
    *,
    strict: bool = False,
    quick: bool = False,
    candidate: Path | None = None,
    watch: Watch = unwatched,
    say: Say = silent,
) -> CheckResult:
    """Train the experiments afresh, and judge them against a baseline file.

    ``quick`` trains QUICK_SEEDS of each config's seeds and leaves out its expectations, which are
    about all of them. What was trained is written to ``candidate``, a file as a baseline is one.
    """
    known = baselines.load(baseline)
    if candidate is not None:
        ensure_writable(candidate.parent, ANOTHER_CANDIDATE)
    if quick:
        few = [{"seeds": e.seeds[:QUICK_SEEDS], "expect": ()} for e in experiments]
        experiments = [e.model_copy(update=u) for e, u in zip(experiments, few, strict=True)]
    judgement = gate.check(
        experiments,
        known,
        lambda runs: runner.train_afresh(runs, execution, watch=watch, say=say),
    )
    if candidate is not None:
        write_file(candidate, baselines.text(judgement.candidates), ANOTHER_CANDIDATE)
    unnamed = {row.config for row in known.values()} - {e.name for e in experiments}
    notes = (*judgement.notes, *titles.data_notes(experiments))
    judgement = replace(judgement, notes=notes)
    save = baselines.save_command(baseline)
    return _check_result(judgement, baseline, tuple(sorted(unnamed)), save, strict=strict)


def check_files(baseline: Path, candidate: Path, *, strict: bool = False) -> CheckResult:
    """Judge one saved file against another; nothing is trained."""
    judgement = gate.check_saved(baselines.load(baseline), baselines.load(candidate))
    return _check_result(judgement, baseline, (), "", strict=strict)


@dataclass(frozen=True, slots=True)
class SavedBaseline:
    """How many runs a baseline was saved of, and how many of its rows were there before.

    ``warnings`` say which changes the seeds of a config are too few to see.
    """

    runs: int
    to_confirm: int
    kept: int
    twins: int = TWINS
    warnings: tuple[str, ...] = ()


def save_baseline(
    experiments: Sequence[Experiment],
    baseline: Path,
    execution: Execution = USUAL,
    *,
    anew: bool = False,
    watch: Watch = unwatched,
    say: Say = silent,
) -> SavedBaseline:
    """Train the experiments and write what came out as a baseline.

    Their rows replace those of the same configs in the file; ``anew`` drops all the others too.
    """
    if not anew:
        _rows_of_others(experiments, baseline)  # an unreadable file is said before training
    ensure_writable(baseline.parent, ANOTHER_BASELINE)
    rows = baseline_of(
        experiments, lambda runs: runner.train_afresh(runs, execution, watch=watch, say=say)
    )
    with locked(baseline.parent):  # another process may have saved its rows meanwhile
        kept = [] if anew else _rows_of_others(experiments, baseline)
        write_file(baseline, baselines.text([*kept, *rows]), ANOTHER_BASELINE)
    return SavedBaseline(
        runs=sum(len(row.runs) for row in rows),
        to_confirm=sum(len(row.confirm) for row in rows),
        kept=len(kept),
        warnings=tuple(unseen_changes(rows)),
    )


def _rows_of_others(experiments: Sequence[Experiment], baseline: Path) -> list[RowOutcomes]:
    """The rows of a baseline file, if there is one, that are not of the experiments."""
    if not os.path.exists(baseline):  # False too where the name is too long for a file
        return []
    names = {experiment.name for experiment in experiments}
    return [row for row in baselines.load(baseline).values() if row.config not in names]


def _check_result(
    judgement: Judgement, baseline: Path, unnamed: tuple[str, ...], save: str, *, strict: bool
) -> CheckResult:
    code = exit_code(judgement.verdicts, strict=strict)
    view = check_view(judgement.verdicts, code, str(baseline), judgement.notes, save)
    return CheckResult(
        view=view, rows=judgement.verdicts, exit_code=code, unnamed=unnamed, save=save
    )
