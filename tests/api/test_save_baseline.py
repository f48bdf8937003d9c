"""Several commands that save to one baseline file lose none of each other's rows."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from initbench import config
from initbench.api import gating
from initbench.files import write_file
from initbench.gate import baseline as baselines
from initbench.gate.training import baseline_of

CONFIG = "initializer: zeros\nlayers: [2, 3, 1]\niterations: 2\nlearning_rate: 0.1\nseeds: 2\n"


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot lock a folder")
def test_two_that_save_at_once_keep_each_others_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ["a", "b", "c"]
    trained = threading.Barrier(len(names), timeout=30)

    def train_together(*arguments: Any) -> Any:
        rows = baseline_of(*arguments)
        trained.wait()  # nobody has written yet
        return rows

    def write_slowly(*arguments: Any) -> None:
        time.sleep(0.05)
        write_file(*arguments)

    monkeypatch.setattr(gating, "baseline_of", train_together)
    monkeypatch.setattr(gating, "write_file", write_slowly)
    for name in names:
        (tmp_path / f"{name}.yaml").write_text(CONFIG)
    experiments = [config.load([tmp_path / f"{name}.yaml"]) for name in names]
    file = tmp_path / "baseline.json"
    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(lambda one: gating.save_baseline(one, file), experiments))
    assert [row.config for row in baselines.load(file)] == names
    assert {path.name for path in tmp_path.iterdir()} == {
        "baseline.json", *(f"{name}.yaml" for name in names)
    }  # fmt: skip
