"""A data file that changes or goes while runs train: an error, and nothing wrong is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from initbench import config
from initbench.api import flows
from initbench.api.results import RunResult
from initbench.errors import DataError
from initbench.runs.execute import Progress
from initbench.runs.plan import Stack
from initbench.runs.runner import Execution

TEXT = "a,b,y\n" + "".join(f"{i * 7 % 13},{i / 3:.3f},{i % 2}\n" for i in range(40))
#: More splits than are kept in memory: the file is read again while the runs train.
CONFIG = """
initializer: he_normal
layers: [2, 3, 1]
iterations: 20
log_every: 10
learning_rate: 0.1
seeds: 2
dataset: {name: file, path: data.csv, target: y}
sweep: {dataset.split_random_state: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]}
"""


def run(folder: Path, results: str, change: Callable[[], object], jobs: int = 1) -> RunResult:
    @contextmanager
    def watch(_: Sequence[Stack]) -> Iterator[Callable[[Progress], None]]:
        change()
        yield lambda _: None

    (folder / "c.yaml").write_text(CONFIG)
    experiments = config.load([folder / "c.yaml"])
    return flows.run(experiments, Execution(jobs=jobs), folder / results, watch=watch)


@pytest.mark.parametrize("jobs", [1, 2])
def test_nothing_wrong_is_stored(tmp_path: Path, jobs: int) -> None:
    path = tmp_path / "data.csv"
    path.write_text(TEXT)
    with pytest.raises(DataError, match="has changed since this command first read it"):
        run(tmp_path, "r", lambda: path.write_text(TEXT.replace("0.333", "9.333")), jobs)
    path.write_text(TEXT)
    right = run(tmp_path, "other", lambda: None)
    stored = run(tmp_path, "r", lambda: None)
    assert [r.curve for r in stored.records] == [r.curve for r in right.records]
    with pytest.raises(DataError, match="cannot be read: No such file or directory"):
        run(tmp_path, "gone", path.unlink, jobs)


def test_a_file_of_the_same_bytes_has_not_changed(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text(TEXT)
    assert len(run(tmp_path, "r", lambda: path.write_text(TEXT)).records) == 24
