"""`initbench new`: writes a config to start from."""

from __future__ import annotations

import shlex

import click


@click.command("new")
@click.argument("name", default="first")
def command(name: str) -> None:
    """Write a config to start from, with comments.

    Writes NAME.yaml, by default first.yaml, with a comment on each key. NAME may begin with a
    folder, as in configs/first. A file that exists is never overwritten.
    """
    from initbench.cli.streams import tell
    from initbench.config.starter import write_starter

    path = write_starter(name)
    tell(f"wrote {path}; `initbench compare {shlex.quote(str(path))}` trains it")
