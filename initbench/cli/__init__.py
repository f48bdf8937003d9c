"""The command line. Each command has a module, which parses options, calls, and prints.

What they call is the library (:mod:`initbench.api`). The group is the only place that turns errors
into messages and exit codes: 0 for success, 1 for a regression or a failed expectation, 2 for wrong
usage, config or input, 3 for what could not be evaluated, and 128 and the signal's number for what
a signal ended: 130 for Ctrl-C.

A command imports what it needs when it is called, so that ``--help`` waits for click alone.
"""

from __future__ import annotations

import io
import sys
from importlib import import_module
from typing import Any

import click

from initbench import signals
from initbench.cli import streams
from initbench.errors import InitbenchError

INTERRUPTED = 130
COMMANDS = (
    "new", "validate", "run", "compare", "report", "plot", "check", "baseline", "diagnose",
    "explain", "verify", "show", "clean", "list", "schema",
)  # fmt: skip


class Commands(click.Group):
    """Finds a command's module by its name, and turns its errors into messages and exit codes."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The commands in the order of their use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """The ``command`` of the command's module."""
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"initbench.cli.{name}_command").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command; a misspelt one is answered with the closest match."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from initbench.cli.options import did_you_mean

            hint = did_you_mean(args[0], COMMANDS)
            raise click.UsageError(f"No such command {args[0]!r}.{hint}", ctx) from error

    def invoke(self, ctx: click.Context) -> object:
        """Run a command; an interrupt ends it as :meth:`main` says."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:  # click would print an empty line
            raise click.Abort from None

    def main(self, *args: Any, **options: Any) -> Any:
        """Run the command line, and turn its errors into messages and exit codes.

        Whatever comes of a command that a signal has asked to end, the exit code is the signal's.
        """
        with streams.guarded(), signals.stopping() as heard:
            try:
                code = self._exit_code(*args, **options)
            except signals.Stopped:  # it came while an error was told
                code = INTERRUPTED
            except Exception:
                if not heard:
                    raise
                # Compiled modules turn a signal that comes while they load into errors of theirs.
                streams.tell("interrupted")
                code = INTERRUPTED
        sys.exit(128 + heard[0] if heard else code)

    def _exit_code(self, *args: Any, **options: Any) -> int:
        try:
            code = super().main(*args, **{**options, "standalone_mode": False})
        except InitbenchError as error:
            streams.tell(str(error))
            return error.exit_code
        except MemoryError as error:
            size = f" ({error})" if str(error) else ""  # NumPy says it, Python itself does not
            streams.tell(
                f"memory ran out{size}; use smaller layers, fewer samples or a smaller batch"
            )
            return InitbenchError.exit_code
        except click.ClickException as error:
            text = io.StringIO()
            error.show(text)
            streams.tell(text.getvalue().rstrip("\n"))
            return error.exit_code
        except click.Abort:
            streams.tell("interrupted")
            return INTERRUPTED
        return code if isinstance(code, int) else 0


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="initbench", prog_name="initbench")
def main() -> None:
    """Benchmark weight initializers: train networks from each, and compare them honestly."""
