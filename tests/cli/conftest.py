"""What the tests of the command line share: a working folder, a terminal, one way to call it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from initbench.cli import main


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Path:
    """A working folder that holds the module's ``FILES`` ({path: text}), and 80 columns.

    A CI system that runs these tests is hidden from them: `check` would write to its summary.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)
    files: dict[str, str] = getattr(request.module, "FILES", {})
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def invoke(*arguments: str, answer: str | None = None) -> Result:
    """Run `initbench ARGUMENTS` in this process; ``answer`` is what standard input holds."""
    return CliRunner().invoke(main, arguments, input=answer)


def lines(done: Result) -> list[str]:
    """The lines of standard output, without the blanks that pad a table's cells."""
    return [line.rstrip() for line in done.stdout.splitlines()]
