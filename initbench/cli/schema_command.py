"""`initbench schema`: the JSON Schema of a config, for editors."""

from __future__ import annotations

import click


@click.command("schema")
def command() -> None:
    """Print the JSON Schema of a config, for an editor to complete and check it."""
    from initbench.report.documents import json_text
    from initbench.spec import json_schema

    click.echo(json_text(json_schema()), nl=False)
