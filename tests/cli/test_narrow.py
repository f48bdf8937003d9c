"""Every command's tables at 40 columns say what they say at 200, with nothing broken."""

from __future__ import annotations

import re

import pytest

from tests.cli.conftest import invoke

FILES = {
    "small.yaml": "initializer: [he_normal, zeros, {name: normal, std: 0.01}]\nlayers: [2, 4, 3, 1]"
    "\niterations: 60\nlog_every: 10\nlearning_rate: 0.1\nseeds: 6\n"
    "expect: [{metric: test_accuracy, min: 0.1}]\n",
    "sweep.yaml": "initializer: [he_normal, zeros]\nlayers: [2, 4, 1]\niterations: 20\n"
    "learning_rate: 0.1\nseeds: 3\nsweep: {learning_rate: [0.001, 0.01, 0.1, 1, 3]}\n",
}
COMMANDS = (
    "run small.yaml",
    "compare small.yaml",
    "compare sweep.yaml",
    "diagnose small.yaml",
    "diagnose small.yaml --during",
    "check small.yaml",
    "verify he_normal",
    "list",
    "list initializers",
    "explain glorot_uniform",
    "explain glorot_uniform --layer conv:64,64,3,groups=64",
    "show",
)
NUMBER = re.compile(r"(?<![\w.])[+-]?\d[\d,]*\.?\d*(?:e[+-]\d+)?(?![\w.])")


@pytest.mark.parametrize("command", COMMANDS)
def test_no_number_is_broken_and_no_line_too_long(
    command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for before in ("baseline save small.yaml", "run small.yaml"):
        assert invoke(*before.split()).exit_code == 0
    invoke(*command.split())  # trains
    texts = {}
    for width in (40, 200):
        monkeypatch.setenv("COLUMNS", str(width))
        done = invoke(*command.split())
        assert done.exit_code == 0, done.stderr
        texts[width] = done.stdout
    assert max(map(len, texts[40].splitlines())) <= 40
    narrow = set(NUMBER.findall(texts[40]))
    assert narrow
    assert narrow <= set(NUMBER.findall(texts[200]))
