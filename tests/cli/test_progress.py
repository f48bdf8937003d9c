"""The line that a terminal shows while runs train, and who does not see it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from initbench.cli.display import progress_line

pty = pytest.importorskip("pty", reason="needs a pseudo-terminal")

CONFIG = """
initializer: [he_normal, zeros]
layers: [2, 8, 1]
iterations: 2000
log_every: 50
learning_rate: 0.1
seeds: 4
"""


def test_it_is_one_line_that_fits() -> None:
    whole = progress_line(0.256, 1234, 5678, 30.0, "he_normal 0.102", 200)
    assert whole == "25 %, 1,234/5,678 runs, about 85 s left, best so far: he_normal 0.102"
    for width in range(1, 100):
        line = progress_line(0.256, 1234, 5678, 30.0, "he_normal 0.102", width)
        assert whole.startswith(line)
        assert len(line) <= max(width, len("25 %"))


def test_it_guesses_no_time_before_it_has_measured_a_pace() -> None:
    assert progress_line(0.5, 1, 2, 0.2, "", 80) == "50 %, 1/2 runs"
    assert progress_line(0.0, 0, 2, 60.0, "", 80) == "0 %, 0/2 runs"


def shown(folder: Path, *, columns: int, **environment: str) -> str:
    """What a run writes to a terminal of so many columns, on its standard error."""
    (folder / "c.yaml").write_text(CONFIG.replace("", ""))
    ours, theirs = pty.openpty()
    kept = {key: value for key, value in os.environ.items() if key not in ("CI", "TERM")}
    env = kept | {"COLUMNS": str(columns), "TERM": "xterm", **environment}
    command = [sys.executable, "-m", "initbench", "run", "c.yaml", "--jobs", "1", "--force"]
    done = subprocess.Popen(
        command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=theirs, text=True
    )
    os.close(theirs)
    parts = []
    try:
        while part := os.read(ours, 65536):
            parts.append(part)
    except OSError:  # how Linux says that the other end has closed
        pass
    os.close(ours)
    assert done.wait() == 0
    return b"".join(parts).decode()


def test_a_terminal_shows_runs_and_the_best_row(tmp_path: Path) -> None:
    text = shown(tmp_path, columns=80)
    assert re.search(r"\d+ %, \d+/8 runs", text)
    assert re.search(r"best so far: (he_normal|zeros) 0\.\d+", text)
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text).replace("\r", "\n").splitlines()
    assert max(map(len, lines)) <= 80


@pytest.mark.parametrize("environment", [{"CI": "true"}, {"TERM": "dumb"}], ids=str)
def test_logs_and_dumb_terminals_show_none(tmp_path: Path, environment: dict[str, str]) -> None:
    assert "%" not in shown(tmp_path, columns=80, **environment)
