"""What the tests of configs share: an empty working folder, a config, and what load says of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from initbench import config
from initbench.errors import ConfigError
from initbench.spec import Experiment

BASE = "initializer: he_normal\nlayers: [2, 3, 1]\niterations: 10\nlearning_rate: 0.1\n"
NO_SIZES = BASE.replace("layers: [2, 3, 1]\n", "")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder, so that messages hold short names."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def load(text: str, *overrides: str, name: str = "x.yaml") -> list[Experiment]:
    Path(name).write_text(text, encoding="utf-8")
    return config.load([name], [(f"--set {item}", item) for item in overrides])


def refusal(text: str, *, name: str = "x.yaml") -> str:
    Path(name).write_text(text, encoding="utf-8")
    return refused([name])


def refused(paths: Sequence[str | Path], overrides: Sequence[tuple[str, str]] = ()) -> str:
    with pytest.raises(ConfigError) as caught:
        config.load(paths, overrides)
    return str(caught.value)
