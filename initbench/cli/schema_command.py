"""`initbench schema`: prints the JSON Schema of a config, for editors."""

from __future__ import annotations

from pathlib import Path

import click

from initbench.cli import options, streams


@click.command("schema")
@options.plugins
def command(plugin_files: tuple[Path, ...]) -> None:
    """Print the JSON Schema of a config, for an editor.

    With it an editor completes keys and names, and marks mistakes while you write.
    """
    from initbench.config import plugins
    from initbench.files import json_text
    from initbench.spec import json_schema, with_initializers

    model = with_initializers(plugins.load(plugin_files))
    streams.write(json_text(json_schema(model)))
