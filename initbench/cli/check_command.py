"""`initbench check`: trains configs afresh, and judges them against the baseline."""

from __future__ import annotations

import os
from pathlib import Path

import click

from initbench.cli import options, streams

FORMATS = (
    "table", "json", "csv", "markdown", "latex", "junit", "github", "customBiggerIsBetter",
    "customSmallerIsBetter",
)  # fmt: skip


@click.command("check")
@click.argument("configs", nargs=-1, metavar="[CONFIG...]", type=click.Path())
@options.everything
@click.option(
    "--strict", is_flag=True, help="Also fail where runs changed, even if not for the worse."
)
@click.option(
    "--quick", is_flag=True, help="Only ask whether the first two seeds of each config moved."
)
@click.option(
    "--candidate",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Also write what was trained to FILE, for `initbench check BASELINE FILE`.",
)
@options.gating
@click.option(
    "--format",
    "output_format",
    type=options.Word(FORMATS),
    default="table",
    show_default=True,
    help="Format of standard output; github-action-benchmark reads the custom ones.",
)
@click.pass_context
def command(
    ctx: click.Context,
    configs: tuple[str, ...],
    everything: bool,
    strict: bool,
    quick: bool,
    candidate: Path | None,
    baseline: Path,
    overrides: list[tuple[str, str]],
    seeds: list[tuple[str, str]],
    plugin_files: tuple[Path, ...],
    trust_plugins: bool,
    jobs: int | None,
    quiet: bool,
    output_format: str,
) -> None:
    """Train configs afresh and judge them against the baseline.

    Each config's own `expect` is judged first. Then check asks whether a run moved by more than
    machines differ, whether the runs got worse by more than chance and more than the config's
    `gate` allows, and whether the other seeds of the baseline confirm that.

    Exits with 1 for a regression or a failed expectation, and with 3 where the baseline is missing
    or was saved of another config. `initbench check A.json B.json` judges the saved file B against
    A, and trains nothing.
    """
    offline = any(name.endswith(".json") for name in configs)
    if offline and not (len(configs) == 2 and all(name.endswith(".json") for name in configs)):
        raise click.UsageError("Without training, `check` takes two files: A.json B.json.")
    if offline and (quick or candidate or overrides or seeds or plugin_files or trust_plugins):
        raise click.UsageError("Two saved files are judged as they are: give no such options.")
    paths = options.named_or_all(configs, everything=everything)
    from initbench import config
    from initbench.api import gating
    from initbench.api.sources import places_of
    from initbench.cli.display import say, watch
    from initbench.cli.output import annotated, show
    from initbench.config.plugins import Allowed
    from initbench.files import json_text
    from initbench.report.render.benchmark_action import benchmark_action
    from initbench.report.render.github import github
    from initbench.report.render.junit import junit
    from initbench.report.render.markdown import markdown_view
    from initbench.runs.runner import Execution

    places, root = {}, os.environ.get("GITHUB_WORKSPACE")
    with annotated(output_format):
        if offline:
            result = gating.check_files(Path(configs[0]), Path(configs[1]), strict=strict)
        else:
            settings = [*overrides, *seeds]
            allowed = Allowed(plugin_files, trust_plugins)
            experiments = config.load(paths, settings, allowed, judged=True)
            places = places_of(experiments, paths, settings)
            result = gating.check(
                experiments,
                baseline,
                Execution(jobs),
                strict=strict,
                quick=quick,
                candidate=candidate,
                watch=watch(quiet=quiet),
                say=say(quiet=quiet),
            )
    if everything and not quiet:
        for name in result.unnamed:
            message = f"{baseline}: holds {name}, which --all no longer names; save it anew"
            streams.tell(message)
    annotations = github(result.rows, places, strict=strict, root=root, save=result.save)
    match output_format:
        case "junit":
            streams.write_text(junit(result.rows, strict=strict))
        case "github":
            streams.write(annotations)
        case "customBiggerIsBetter" | "customSmallerIsBetter":
            smaller = output_format == "customSmallerIsBetter"
            streams.write(json_text(benchmark_action(result.rows, smaller=smaller)))
        case _:
            show(output_format, result.view)
    if os.environ.get("GITHUB_ACTIONS") and output_format != "github":
        # GitHub's runner reads annotations from both streams.
        streams.write(annotations, err=True)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with open(summary, "a", encoding="utf-8") as file:
                file.write(markdown_view(result.view))
        except OSError as error:  # the verdicts hold without it
            streams.tell(f"{summary}: cannot be written: {error.strerror}")
    ctx.exit(result.exit_code)
