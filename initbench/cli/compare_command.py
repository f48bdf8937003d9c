"""`initbench compare`: rank initializers that start from the same problem."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from initbench.cli import options
from initbench.metrics import METRICS

if TYPE_CHECKING:
    from initbench.runs.records import Record
    from initbench.spec import Experiment


@click.command("compare")
@click.argument("configs", nargs=-1, metavar="[CONFIG...]", type=click.Path())
@click.option("--all", "everything", is_flag=True, help="Every config directly in configs/.")
@click.option(
    "--metric",
    type=click.Choice(list(METRICS)),
    default="train_loss",
    show_default=True,
    help="What ranks.",
)
@click.option(
    "--target",
    metavar="METRIC=VALUE",
    callback=options.target,
    help="Also count iterations until METRIC is as good as VALUE, as in test_accuracy=0.9.",
)
@options.training
@options.execution
def command(
    configs: tuple[str, ...],
    everything: bool,
    metric: str,
    target: tuple[str, float] | None,
    overrides: list[tuple[str, str]],
    seeds: list[tuple[str, str]],
    jobs: int | None,
    results: Path,
    plugin_files: tuple[Path, ...],
    output_format: str,
    quiet: bool,
    execution: options.Execution,
) -> None:
    """Train configs and rank their initializers, a table for each problem they pose.

    Ranks by the median of a metric, with its interval and the paired difference to the best, and
    marks what cannot be told from the best. Under a sweep each initializer stands at its own best
    setting. Writes DIR/comparison.md, .csv (a row an initializer) and .json. Without a configs
    folder, --all takes the configs that initbench ships.
    """
    if bool(configs) == everything:
        raise click.UsageError("Name configs, or give --all; not both.")
    from initbench import config, datasets
    from initbench.analysis import comparison as stats
    from initbench.cli.output import show
    from initbench.cli.training import finish, train_all
    from initbench.config import plugins
    from initbench.errors import ConfigError, Place, Problem
    from initbench.files import ensure_writable, write_results
    from initbench.report.render import TEXTS
    from initbench.report.views import titles
    from initbench.report.views.compare import compare_view
    from initbench.runs import plan
    from initbench.runs.provenance import provenance
    from initbench.runs.records import setting_key
    from initbench.runs.store import opened

    model = plugins.experiment(plugin_files)
    experiments = config.load(configs or config.all_configs(), [*overrides, *seeds], model)
    asked = {f"--metric {metric}": metric}
    if target:
        asked[f"--target {target[0]}={target[1]:g}"] = target[0]
    if unknown := [
        Problem(Place(option), e.name, f"its task has no {name}; it has {' and '.join(known)}")
        for e in experiments
        for option, name in asked.items()
        if name not in (known := datasets.metrics(datasets.load(e.dataset)))
    ]:
        raise ConfigError(list(dict.fromkeys(unknown)))  # of a sweep's points each once
    ensure_writable(results)
    with opened(results) as store:
        trained = train_all(experiments, jobs, quiet=quiet, execution=execution, store=store)

    # Initializers compete that start from the same problem; records find theirs by their config
    # at its point of its sweep.
    problems: dict[Hashable, list[Experiment]] = {}
    for experiment in experiments:
        problems.setdefault(plan.problem(experiment), []).append(experiment)
    posed = {(e.name, setting_key(e.setting)): plan.problem(e) for e in experiments}
    fought: dict[Hashable, list[Record]] = {}
    for record in trained.records:
        fought.setdefault(posed[record.config, setting_key(record.setting)], []).append(record)
    contests = [
        stats.Contest(fought[problem], datasets.constant_loss(datasets.load(of_problem[0].dataset)))
        for problem, of_problem in problems.items()
        if problem in fought
    ]
    reach = stats.Target(*target) if target else None
    rows = stats.compare(contests, metric, reach)
    described = [titles.problem(problems[problem]) for problem in problems if problem in fought]
    here = provenance().numerics
    view = compare_view(described, contests, trained.records, rows, reach, here)

    written = []
    if trained.records:
        endings = {"md": "markdown", "csv": "csv", "json": "json"}
        texts = {ending: TEXTS[name](view) for ending, name in endings.items()}
        partial = trained.stopped_by is not None
        written = write_results(results, "comparison", texts, partial=partial)
    show(output_format, view)
    finish(trained, quiet=quiet, written=written)
