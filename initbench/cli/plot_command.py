"""`initbench plot`: draws a figure of configs for a paper, as SVG, PNG or PDF."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click

from initbench.cli import options, streams
from initbench.metrics import METRICS
from initbench.report.kinds import FORMS, KINDS

#: Points in each unit of a width.
UNITS = {"in": 72.0, "cm": 72 / 2.54, "mm": 7.2 / 2.54, "pt": 1.0}
#: A narrower figure has no room for axes, and a wider one is no page.
NARROWEST, WIDEST = 72.0, 2880.0


def _width(ctx: click.Context, param: click.Parameter, value: str) -> float:
    """A length such as ``3.3in``, in points."""
    number, unit = value[:-2], value[-2:]
    try:
        points = float(number) * UNITS[unit]
    except (KeyError, ValueError):
        points = 0.0
    if not NARROWEST <= points <= WIDEST:
        raise click.BadParameter(
            f"must be a length from 1in to 40in in in, cm, mm or pt, as in 3.3in, got {value!r}"
        )
    return points


def _file(ctx: click.Context, param: click.Parameter, value: Path) -> Path:
    if value.suffix.lstrip(".").lower() not in FORMS:
        raise click.BadParameter(f"must end in .svg, .png or .pdf, got {str(value)!r}")
    return value


#: Click reads the backspace: it keeps the lines that follow apart.
HELP = """Draw a figure of configs for a paper.

\b
KIND is one of:
{kinds}

Stored runs are taken from DIR, and missing ones are trained. boundary and activations train one run
of each initializer again, because no store holds weights.
""".format(kinds="\n".join(f"  {kind:<12} {shows}" for kind, shows in KINDS.items()))


@click.command("plot", help=HELP)
@click.argument("kind", type=options.Word(list(KINDS)), metavar="KIND")
@click.argument("configs", nargs=-1, required=True, metavar="CONFIG...", type=click.Path())
@click.option(
    "-o", "--output", "path", required=True, metavar="FIGURE", callback=_file,
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to write, which ends in .svg, .png or .pdf.",
)  # fmt: skip
@click.option(
    "--width", default="6.5in", metavar="LENGTH", show_default=True, callback=_width,
    help="Width of the whole figure in in, cm, mm or pt: 3.3in for a column of a paper.",
)  # fmt: skip
@click.option(
    "--font", default="Helvetica, Arial, sans-serif", metavar="NAME", show_default=True,
    help="Font of the paper.",
)  # fmt: skip
@click.option(
    "--font-size", type=click.FloatRange(min=4, max=24), default=8.0, metavar="POINTS",
    show_default=True, help="Size of the text in points.",
)  # fmt: skip
@click.option(
    "--metric", type=options.Word(list(METRICS)), default="train_loss", show_default=True,
    help="Metric to rank by, which curves, seeds, forest and sensitivity show.",
)  # fmt: skip
@click.option(
    "--scale", type=options.Word(["log", "linear"]),
    help="Axis of curves; by default logarithmic for a loss.",
)  # fmt: skip
@options.drawing
def command(
    kind: str,
    configs: tuple[str, ...],
    path: Path,
    width: float,
    font: str,
    font_size: float,
    metric: str,
    scale: str | None,
    seed: int | None,
    overrides: list[tuple[str, str]],
    seeds: list[tuple[str, str]],
    results: Path,
    plugin_files: tuple[Path, ...],
    trust_plugins: bool,
    quiet: bool,
    jobs: int | None,
) -> None:
    """Draw a figure."""
    from initbench import config
    from initbench.api import flows
    from initbench.cli.display import say, share_done, watch
    from initbench.config.plugins import Allowed
    from initbench.runs.runner import Execution

    experiments = config.load(configs, [*overrides, *seeds], Allowed(plugin_files, trust_plugins))
    result = flows.plot(
        experiments,
        kind,
        path,
        width,
        font=font,
        font_size=font_size,
        metric=metric,
        log=None if scale is None else scale == "log",
        seed=seed,
        execution=Execution(jobs),
        results=results,
        watch=watch(quiet=quiet),
        say=say(quiet=quiet),
        share=partial(share_done, enabled=not quiet),
    )
    if not quiet:
        streams.tell(f"wrote {path}\n{result.summary}")
    if result.failure is not None:
        raise result.failure
