"""`initbench compare`: rank initializers that start from the same problem."""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path

import click

from initbench.cli import options


@click.command("compare")
@click.argument("configs", nargs=-1, metavar="[CONFIG...]", type=click.Path())
@click.option("--all", "everything", is_flag=True, help="Every config directly in configs/.")
@options.training
@options.execution
def command(
    configs: tuple[str, ...],
    everything: bool,
    overrides: list[tuple[str, str]],
    seeds: list[tuple[str, str]],
    jobs: int | None,
    results: Path,
    output_format: str,
    quiet: bool,
    execution: options.Execution,
) -> None:
    """Train configs and rank their initializers, a table for each problem they pose.

    Ranks by the median of the final train loss. Writes DIR/comparison.md, .csv (a row an
    initializer) and .json. Without a configs folder, --all takes the configs that initbench ships.
    """
    if bool(configs) == everything:
        raise click.UsageError("Name configs, or give --all; not both.")
    from initbench import config, plan, stats
    from initbench.cli.output import show
    from initbench.cli.training import finish, noted, train_all
    from initbench.report import documents, tables
    from initbench.results import prepare, save
    from initbench.spec import Experiment
    from initbench.store import opened

    experiments = config.load(configs or config.all_configs(), [*overrides, *seeds])
    prepare(results)
    with opened(results) as store:
        trained = train_all(experiments, jobs, quiet=quiet, execution=execution, store=store)
    summaries = stats.summarize(trained.records)

    # Rows are grouped by the problem that their config poses at their point of its sweep.
    posed: dict[tuple[str, str], Experiment] = {(e.name, repr(e.setting)): e for e in experiments}
    groups: dict[Hashable, list[stats.Summary]] = {}
    titles = []
    for summary in summaries:
        experiment = posed[summary.config, repr(summary.setting)]
        problem = plan.problem(experiment)
        if problem not in groups:
            titles.append(plan.describe([experiment]))
        groups.setdefault(problem, []).append(summary)
    ranked = stats.rank(groups.values(), "train_loss")
    shown = [
        noted(
            tables.ranking_table(title, [row for row in ranked if row.problem == number]),
            trained.records,
        )
        for number, title in enumerate(titles)
    ]

    written = []
    if trained.records:
        document = documents.compare_document(trained.records, summaries, ranked)
        texts = {
            "md": "\n".join(map(tables.markdown, shown)),
            "csv": tables.csv_text(*documents.ranked_rows(ranked)),
            "json": documents.json_text(document),
        }
        written = save(results, "comparison", texts, partial=trained.stopped_by is not None)
    show(
        output_format,
        shown,
        lambda: documents.compare_document(trained.records, summaries, ranked),
        lambda: documents.ranked_rows(ranked),
    )
    finish(trained, quiet=quiet, written=written)
