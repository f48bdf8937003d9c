"""`initbench check`: train afresh and judge against the baseline."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from initbench.cli import options

if TYPE_CHECKING:
    from initbench.errors import Place
    from initbench.gate.verdicts import Verdict

FORMATS = (
    "table", "json", "markdown", "junit", "github", "customBiggerIsBetter", "customSmallerIsBetter"
)  # fmt: skip


@click.command("check")
@click.argument("configs", nargs=-1, metavar="[CONFIG...]", type=click.Path())
@click.option("--all", "everything", is_flag=True, help="Every config directly in configs/.")
@click.option("--strict", is_flag=True, help="Fail on `changed`, too.")
@options.gating
@click.option(
    "--format",
    "output_format",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="What standard output holds; custom... is what github-action-benchmark reads.",
)
@click.pass_context
def command(
    ctx: click.Context,
    configs: tuple[str, ...],
    everything: bool,
    strict: bool,
    baseline: Path,
    overrides: list[tuple[str, str]],
    seeds: list[tuple[str, str]],
    plugin_files: tuple[Path, ...],
    jobs: int | None,
    quiet: bool,
    output_format: str,
) -> None:
    """Train configs afresh, at the baseline's seeds, and say what has changed.

    Judges each config's own `expect`; then whether a run moved by more than machines differ;
    then whether that is worse, beyond chance and beyond the config's `gate`, and again on other
    seeds. Exits with 1 for a regression or a failed expectation, with 3 where there is no
    baseline for a config, or one of another config. `check A.json B.json` judges two saved
    files, B against A, and trains nothing.
    """
    if bool(configs) == everything:
        raise click.UsageError("Name configs, or give --all; not both.")
    offline = any(name.endswith(".json") for name in configs)
    if offline and not (len(configs) == 2 and all(name.endswith(".json") for name in configs)):
        raise click.UsageError("Without training, `check` takes two files: A.json B.json.")
    from initbench.cli.output import show
    from initbench.files import json_text
    from initbench.gate.verdicts import exit_code
    from initbench.report.render.benchmark_action import benchmark_action
    from initbench.report.render.github import github
    from initbench.report.render.junit import junit
    from initbench.report.render.markdown import markdown_view
    from initbench.report.views.check import check_view

    places: dict[tuple[str, str | int], Place] = {}
    if offline:
        baseline = Path(configs[0])
        verdicts, notes = _judge_files(baseline, Path(configs[1]))
    else:
        verdicts, notes, places = _train_and_judge(
            configs, baseline, [*overrides, *seeds], plugin_files, jobs, quiet=quiet
        )
    code = exit_code(verdicts, strict=strict)
    view = check_view(verdicts, code, str(baseline), notes)
    match output_format:
        case "junit":
            click.echo(junit(verdicts, strict=strict), nl=False)
        case "github":
            click.echo(github(verdicts, places, strict=strict), nl=False)
        case "customBiggerIsBetter" | "customSmallerIsBetter":
            smaller = output_format == "customSmallerIsBetter"
            click.echo(json_text(benchmark_action(verdicts, smaller=smaller)), nl=False)
        case _:
            show(output_format, view)
    if os.environ.get("GITHUB_ACTIONS") and output_format != "github":
        # The runner reads annotations from either stream.
        click.echo(github(verdicts, places, strict=strict), nl=False, err=True)
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with open(summary, "a", encoding="utf-8") as file:
                file.write(markdown_view(view))
        except OSError as error:  # which changes no verdict
            click.echo(f"{summary}: cannot be written: {error.strerror}", err=True)
    ctx.exit(code)


def _judge_files(baseline: Path, candidate: Path) -> tuple[list[Verdict], list[str]]:
    """Replay and statistics of two saved files, the second against the first; and notes."""
    from initbench.gate import baseline as saved
    from initbench.gate import replay as gate

    known, judged = saved.load(baseline), saved.load(candidate)
    verdicts = gate.judge(known, judged.values(), {})
    found = gate.to_confirm(verdicts)
    repeats = [
        replace(group, runs=group.confirm)
        for key, group in judged.items()
        if key in found and group.confirm
    ]
    notes = gate.other_numerics(known, judged.values())
    return gate.confirmed(verdicts, known, repeats, {}), notes


def _train_and_judge(
    configs: tuple[str, ...],
    baseline: Path,
    overrides: list[tuple[str, str]],
    plugin_files: tuple[Path, ...],
    jobs: int | None,
    *,
    quiet: bool,
) -> tuple[list[Verdict], list[str], dict[tuple[str, str | int], Place]]:
    """Verdicts on fresh runs, expectations first; notes; where each row stands in its config."""
    from initbench import config
    from initbench.cli import gating
    from initbench.config import plugins
    from initbench.gate import baseline as saved
    from initbench.gate import expectations as expected
    from initbench.gate import replay as gate
    from initbench.runs import plan

    paths = [Path(path) for path in configs or config.all_configs()]
    experiments = config.load(paths, overrides, plugins.experiment(plugin_files))
    known = saved.load(baseline)
    gates = {experiment.name: experiment.gate for experiment in experiments}
    runs = plan.runs(experiments)
    records = gating.train(runs, jobs, quiet=quiet)
    groups = gating.groups(runs, records)
    judged = gate.judge(known, groups, gates)
    if found := gate.to_confirm(judged):
        firsts = {gating.key(run): run for run in runs if gating.key(run) in found}
        again = [
            replace(run, seed=kept.seed)
            for key, run in firsts.items()
            for kept in known[key].confirm
        ]
        repeats = gating.groups(again, gating.train(again, jobs, quiet=quiet))
        judged = gate.confirmed(judged, known, repeats, gates)

    verdicts: list[Verdict] = []
    places: dict[tuple[str, str | int], Place] = {}
    documents = {
        document.data["name"]: document
        for document in (config.read_config(path, overrides) for path in paths)
    }
    for e in experiments:
        mine = [r for r in records if r.config == e.name and r.setting == e.setting]
        verdicts += expected.judge_expectations(e, mine)
        place = documents[e.name].place
        for index, choice in enumerate(e.initializer):
            places[e.name, choice.label] = place(("initializer", index))
        for index in range(len(e.expect)):
            places[e.name, index] = place(("expect", index))
    if not configs and not quiet:
        for name in sorted({group.config for group in known.values()} - documents.keys()):
            message = f"{baseline}: holds {name}, which --all no longer names; save it anew"
            click.echo(message, err=True)
    return [*verdicts, *judged], gate.other_numerics(known, groups), places
