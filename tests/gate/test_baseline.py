from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from initbench.errors import BaselineError
from initbench.gate import baseline, reading
from initbench.gate.outcomes import RowOutcomes, RunOutcome
from initbench.metrics import METRICS

SPREAD = {"train_loss": 1e-17, "train_accuracy": 0.0, "test_loss": 0.1 + 0.2, "test_accuracy": 0.0}
METRIC_VALUES = dict(zip(METRICS, (0.1, 0.9, 0.2, 0.8), strict=True))
GROUP = RowOutcomes(
    "he", "he_normal", {"learning_rate": 0.1},
    (
        RunOutcome(0, "ab", "ok", METRIC_VALUES, SPREAD),
        RunOutcome(1, "cd", "ok", METRIC_VALUES, SPREAD),
    ),
    (RunOutcome(2, "ef", "ok", METRIC_VALUES),),
    {"learning_rate": 0.1}, {"train": 300, "test": 100}, {"numpy": "2.4"},
)  # fmt: skip


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "baseline.json"
    path.write_text(baseline.text([GROUP]), encoding="utf-8")
    return path


def test_the_file_is_text_a_line_a_run(path: Path) -> None:
    lines = path.read_text().splitlines()
    assert lines[1] == '"initbench_baseline": 1,'
    assert lines[2].startswith('"digest": "')
    assert lines[11] == (
        '{"seed": 0, "id": "ab", "status": "ok", "train_loss": 0.1, "train_accuracy": 0.9, '
        '"test_loss": 0.2, "test_accuracy": 0.8, "spread": {"train_loss": 1e-17, '
        '"train_accuracy": 0.0, "test_loss": 0.30000000000000004, "test_accuracy": 0.0}},'
    )
    assert sum(line.startswith('{"seed"') for line in lines) == 3


def test_the_order_of_groups_and_runs_is_the_file_s_own() -> None:
    other = RowOutcomes("a", "zeros", {}, (GROUP.runs[1], GROUP.runs[0]))
    one, two = baseline.text([GROUP, other]), baseline.text([other, GROUP])
    assert one == two
    assert one.index('"config": "a"') < one.index('"config": "he"')


LOSS = st.floats(0, allow_infinity=False)


@settings(deadline=None)
@given(LOSS | st.just(math.inf), st.floats(0, 1) | st.none(), st.text())
def test_what_is_saved_is_loaded_to_the_last_digit(
    loss: float, accuracy: float | None, name: str
) -> None:
    metrics = {m: loss if m.endswith("loss") else accuracy for m in METRICS}
    saved = RowOutcomes(
        name, "zeros", {}, (RunOutcome(0, "", "ok", metrics, metrics),), (), {}, {}, {}
    )
    document = json.loads(baseline.text([saved]))
    assert reading.saved_rows(document) == [saved]


def test_loading_gives_back_the_groups(path: Path) -> None:
    assert baseline.load(path) == {GROUP.key: GROUP}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda _: "", "is empty"),
        (lambda text: text[: len(text) // 2], "is not JSON, or is cut off"),
        (lambda text: text.replace("0.9", "0.99"), "does not match its digest: it was edited"),
        (lambda text: text.replace('"digest": "', '"digest": "0'), "does not match its digest"),
        (lambda text: text.replace('"seed": 1', '"seed": 7'), "does not match its digest"),
        (lambda text: text.replace("0.1", "NaN", 1), "does not match its digest"),
        (lambda text: text.replace('"digest"', '"hash"'), "does not match its digest"),
        (lambda text: text.replace('baseline": 1', 'baseline": 2'), "is version 2"),
        (lambda _: "[]", "is not a baseline"),
        (lambda _: "{}", "is neither a baseline nor a result"),
        (lambda _: '{"records": [{"config": "a"}]}', "records[0].train_loss: Field required; "),
        (lambda _: '{"records": 3}', "records: must be a valid list, got 3; write it again with"),
        (lambda _: "[" * 100_000, "is not JSON, or is cut off"),
    ],
)
def test_a_spoilt_file_is_refused_with_the_way_out(path: Path, spoil: Any, message: str) -> None:
    path.write_text(spoil(path.read_text()))
    with pytest.raises(BaselineError) as caught:
        baseline.load(path)
    assert str(caught.value).startswith(f"{path}: {message}")
    assert caught.value.exit_code == 3


def test_no_file_no_text_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(BaselineError, match="no such file; `initbench baseline save CONFIG"):
        baseline.load(tmp_path / "none.json")
    with pytest.raises(BaselineError, match="cannot be read: "):
        baseline.load(tmp_path)
    (tmp_path / "b.json").write_bytes(b"\xff\xfe")
    with pytest.raises(BaselineError, match="is not UTF-8"):
        baseline.load(tmp_path / "b.json")


def test_a_result_of_run_is_a_baseline_without_spread(tmp_path: Path) -> None:
    record = {"config": "c", "initializer": "zeros", "setting": {}, "seed": 4, "id": "x",
              "status": "diverged", "reason": "", "train_loss": None, "train_accuracy": 0.5,
              "test_loss": 0.25, "test_accuracy": 0.5}  # fmt: skip
    path = tmp_path / "c.json"
    path.write_text(json.dumps({"records": [record]}))
    (group,) = baseline.load(path).values()
    assert group.runs[0].metrics["train_loss"] == math.inf
    assert (group.runs[0].seed, group.runs[0].spread, group.confirm) == (4, None, ())
