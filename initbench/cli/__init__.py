"""The command line: one file a command, each parse -> call -> print.

The group is the one error boundary: what a user can mend becomes a message and an exit
code here (0 fine, 1 a regression or failed expectation, 2 bad usage, config or input,
3 could not be evaluated, 130 interrupted).

Commands import what they need when they are called: `--help` waits for click alone.
"""

from __future__ import annotations

from importlib import import_module

import click

from initbench.errors import InitbenchError

INTERRUPTED = 130
COMMANDS = (
    "run", "compare", "check", "baseline", "diagnose", "explain", "verify", "show", "clean", "list",
    "schema",
)  # fmt: skip


class Commands(click.Group):
    """Finds a command's module by its name, and answers for its errors."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order of use, not of the alphabet."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The module's ``command``."""
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"initbench.cli.{name}_command").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """With the closest match for a misspelt command."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise click.UsageError(f"No such command {args[0]!r}.{hint}", ctx) from error

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; turn its errors into messages and exit codes."""
        try:
            return super().invoke(ctx)
        except InitbenchError as error:
            click.echo(f"{error}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="initbench", prog_name="initbench")
def main() -> None:
    """Benchmark weight initializers: train a network from each, and compare honestly."""
