"""`initbench run`: train configs and show loss and accuracy."""

from __future__ import annotations

from pathlib import Path

import click

from initbench.cli import options


@click.command("run")
@click.argument("configs", nargs=-1, required=True, metavar="CONFIG...", type=click.Path())
@options.training
@options.execution
def command(
    configs: tuple[str, ...],
    overrides: list[tuple[str, str]],
    seeds: list[tuple[str, str]],
    jobs: int | None,
    results: Path,
    plugin_files: tuple[Path, ...],
    output_format: str,
    quiet: bool,
    execution: options.Execution,
) -> None:
    """Train each config's initializers at each of its seeds.

    Prints a table of loss and accuracy for each config, median [lowest, highest] over seeds, and
    writes it to DIR/NAME.csv (a row a run) and DIR/NAME.json (everything, curves too).
    """
    from initbench import config
    from initbench.cli.output import show
    from initbench.cli.training import finish, train_all
    from initbench.config import plugins
    from initbench.files import ensure_writable, write_results
    from initbench.report.render import TEXTS
    from initbench.report.views.run import run_view
    from initbench.runs import plan
    from initbench.runs.provenance import provenance
    from initbench.runs.store import opened

    experiments = config.load(configs, [*overrides, *seeds], plugins.experiment(plugin_files))
    ensure_writable(results)
    with opened(results) as store:
        trained = train_all(experiments, jobs, quiet=quiet, execution=execution, store=store)
    here = provenance().numerics

    written = []
    for name in dict.fromkeys(experiment.name for experiment in experiments):
        records = [record for record in trained.records if record.config == name]
        if not records:
            continue
        of_config = [experiment for experiment in experiments if experiment.name == name]
        view = run_view(of_config, records, here)
        texts = {ending: TEXTS[ending](view) for ending in ("csv", "json")}
        partial = len(records) < len(plan.runs(of_config))
        written += write_results(results, name, texts, partial=partial)
    show(output_format, run_view(experiments, trained.records, here))
    finish(trained, quiet=quiet, written=written)
