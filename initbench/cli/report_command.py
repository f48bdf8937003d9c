"""`initbench report`: one HTML page of configs, which opens without a network."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from initbench.cli import options, streams
from initbench.metrics import METRICS

METRIC = "train_loss"


@click.command("report")
@click.argument("configs", nargs=-1, metavar="[CONFIG...]", type=click.Path())
@options.everything
@click.option(
    "-o", "--output", "path", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
    help="File to write. Default: DIR/report.html.",
)  # fmt: skip
@click.option("--open", "opens", is_flag=True, help="Open the page in a browser.")
@click.option("--title", default="Weight initializers compared", help="Heading of the page.")
@click.option(
    "--metric", type=options.Word(list(METRICS)), default=METRIC, show_default=True,
    help="Metric to rank by.",
)  # fmt: skip
@options.drawing
@click.pass_context
def command(
    ctx: click.Context,
    configs: tuple[str, ...],
    everything: bool,
    path: Path | None,
    opens: bool,
    title: str,
    metric: str,
    seed: int | None,
    overrides: list[tuple[str, str]],
    seeds: list[tuple[str, str]],
    results: Path,
    plugin_files: tuple[Path, ...],
    trust_plugins: bool,
    quiet: bool,
    jobs: int | None,
) -> None:
    """Write a page of configs: ranking, charts, diagnosis.

    The page is one HTML file, which loads nothing and opens anywhere. Its charts answer to the
    pointer and to its legend, and a slider shows the networks of one seed while they train.

    Stored runs are taken from DIR, and missing ones are trained. One run of each initializer is
    trained again for its weights, which no store holds.
    """
    paths = options.named_or_all(configs, everything=everything)
    target = path or results / "report.html"
    from initbench import config
    from initbench.api import flows
    from initbench.cli.display import say, share_done, watch
    from initbench.config.plugins import Allowed
    from initbench.runs.runner import Execution

    given = [
        *(["--all"] if everything else configs),
        *(["--metric", metric] if metric != METRIC else []),
        *(["--seed", str(seed)] if seed is not None else []),
        *(word for _, text in overrides for word in ("--set", text)),
        *_seeds_option(ctx),
        *(word for file in plugin_files for word in ("--plugin", str(file))),
        *(["--trust-plugins"] if trust_plugins else []),
        *(["--results", str(results)] if results != Path("results") else []),
        *(["-o", str(path)] if path is not None else []),
        *(["--title", title] if options.given("title") else []),
    ]
    experiments = config.load(paths, [*overrides, *seeds], Allowed(plugin_files, trust_plugins))
    result = flows.report(
        experiments,
        target,
        title=title,
        command=shlex.join(["initbench", "report", *given]),
        metric=metric,
        seed=seed,
        execution=Execution(jobs),
        results=results,
        watch=watch(quiet=quiet),
        say=say(quiet=quiet),
        share=partial(share_done, enabled=not quiet),
    )
    if not quiet:
        streams.tell(f"wrote {target}\n{result.summary}")
    if opens:
        click.launch(target.resolve().as_uri())
    if result.failure is not None:
        raise result.failure


def _seeds_option(ctx: click.Context) -> Sequence[str]:
    """--seeds as it was written, which messages about it name."""
    places: list[tuple[str, str]] = ctx.params["seeds"]
    return [word for place, _ in places for word in place.split(" ", 1)]
