"""What the API takes for configs, how it refuses them, and what its results can do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

import initbench
from initbench import config, datasets
from initbench.api.sources import experiments_of
from initbench.errors import ConfigError, FailedRunsError, InitbenchError
from initbench.runs import identity, plan
from initbench.runs.execute import Progress
from initbench.runs.plan import Stack
from initbench.spec import Experiment

CONFIG: dict[str, Any] = {
    "initializer": ["he_normal", {"name": "normal", "std": 0.5}],
    "layers": [2, 6, 1],
    "iterations": 20,
    "learning_rate": 0.3,
    "seeds": 2,
}
#: Initializers of a user's own, one of which raises.
OWN = """
def broken(rng, shape, dtype):
    raise ValueError("no")
"""


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def identities(experiments: list[Experiment]) -> list[str]:
    return identity.identities(plan.runs(experiments), datasets.fingerprint)


def test_a_file_a_dict_and_an_experiment_are_the_same_runs() -> None:
    text = "".join(f"{key}: {value}\n" for key, value in CONFIG.items()).replace("'", "")
    Path("x.yaml").write_text(text)
    expected = identities(config.load(["x.yaml"]))
    assert len(set(expected)) == 4
    assert identities(experiments_of("x.yaml")) == expected
    assert identities(experiments_of(Path("x.yaml"))) == expected
    assert identities(experiments_of(CONFIG)) == expected
    assert identities(experiments_of(Experiment(**CONFIG, name="x"))) == expected
    settled = config.load(["x.yaml"])[0]
    assert identities(experiments_of([settled])) == expected


def test_a_sweep_in_a_dict_is_a_grid() -> None:
    swept = {**CONFIG, "sweep": {"learning_rate": [0.1, 0.2], "layers": [[2, 3, 1], [2, 4, 1]]}}
    experiments = experiments_of(swept)
    assert [e.setting["learning_rate"] for e in experiments] == [0.1, 0.1, 0.2, 0.2]
    assert identities(experiments) == identities(experiments_of(Experiment(**swept, name="x")))


def test_dicts_are_named_by_their_place_unless_they_have_a_name() -> None:
    experiments = experiments_of([CONFIG, {**CONFIG, "iterations": 5}, {**CONFIG, "name": "own"}])
    assert [e.name for e in experiments] == ["config", "config 2", "own"]


def test_the_callers_dict_stays_as_it_is() -> None:
    given = {**CONFIG, "dataset": "circles"}
    experiments_of(given, {"dataset.noise": 0.5})
    assert given == {**CONFIG, "dataset": "circles"}


def test_numpy_values_and_paths_are_plain_data() -> None:
    Path("data.csv").write_text("a,b,y\n" + "1,2,0\n2,1,1\n" * 20)
    given = {
        **CONFIG,
        "learning_rate": np.float64(0.1),
        "layers": np.array([2, 6, 1]),
        "dataset": {"name": "file", "path": Path("data.csv"), "target": "y"},
    }
    seeds: Any = [np.int64(3)]
    (e,) = experiments_of(given, seeds=seeds)
    assert (e.learning_rate, e.layers, e.seeds) == (0.1, (2, 6, 1), (3,))


@pytest.mark.parametrize(
    ("changes", "options", "message"),
    [
        (
            {"initializer": "he_norml"},
            {},
            "config: initializer: unknown name 'he_norml'; did you mean 'he_normal'?",
        ),
        ({"iterations": 0}, {}, "config: iterations: must be at least 1, got 0"),
        ({}, {"set": {"learning_rate": -1}}, "set learning_rate=-1: learning_rate: must be above"),
        ({}, {"set": "learning_rate=x"}, "set learning_rate=x: learning_rate: must be a number"),
        ({}, {"seeds": 0}, "seeds=0: seeds: must be a count from 1 to 100,000 or a list of seeds"),
        ({"layers": {1}}, {}, "config: must be plain data: set is neither a number, a text"),
    ],
)
def test_mistakes_meet_the_messages_of_a_file(
    changes: dict[str, Any], options: dict[str, Any], message: str
) -> None:
    mistaken = {**CONFIG, **changes}
    with pytest.raises(InitbenchError) as refused:
        initbench.run(mistaken, **options)
    assert str(refused.value).startswith(message)


def test_all_mistakes_are_told_at_once() -> None:
    mistaken = {**CONFIG, "iterations": 0, "learning_rate": "x"}
    with pytest.raises(ConfigError) as refused:
        initbench.run(mistaken)
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"metric": "loss"}, "metric: must be train_loss, train_accuracy, test_loss or "),
        ({"target": ("test_accuracy", 90)}, "target: must be METRIC=VALUE, as in test_accuracy"),
    ],
)
def test_metrics_are_checked_before_training(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InitbenchError) as refused:
        initbench.compare(CONFIG, **options)
    assert str(refused.value).startswith(message)


def test_nothing_is_read_or_written_unless_a_folder_is_named() -> None:
    result = initbench.run(CONFIG)
    assert result.summary == "4 runs: 0 from results, 4 trained"
    assert initbench.compare(CONFIG).written == result.written == ()
    assert list(Path().iterdir()) == []


def test_failed_runs_are_records_and_fail_fast_raises() -> None:
    Path("own.py").write_text(OWN)
    broken = {**CONFIG, "initializer": ["zeros", "broken"]}
    result = initbench.run(broken, plugins=["own.py"], jobs=1)
    assert [record.status for record in result.records] == ["ok", "ok", "failed", "failed"]
    assert str(result.failure).startswith("2 of 4 runs failed:\nconfig, broken: raised ValueError")
    assert result.stopped_by is None
    with pytest.raises(FailedRunsError, match="raised ValueError: no"):
        initbench.run(broken, plugins=["own.py"], jobs=1, fail_fast=True)


def test_an_interrupt_is_raised_and_finished_runs_are_kept() -> None:
    wider = {**CONFIG, "layers": [2, 9, 1]}

    @contextmanager
    def interrupting(stacks: Sequence[Stack]) -> Iterator[Callable[[Progress], None]]:
        def report(news: Progress) -> None:
            if news.stack is stacks[1]:
                raise KeyboardInterrupt

        assert len(stacks) == 2
        yield report

    with pytest.raises(KeyboardInterrupt):
        initbench.run([CONFIG, wider], results="results", jobs=1, watch=interrupting)
    again = initbench.run([CONFIG, wider], results="results", jobs=1)
    assert again.summary == "8 runs: 4 from results, 4 trained"


def test_results_show_in_a_terminal_and_in_a_notebook(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    result = initbench.run(CONFIG)
    html = result._repr_html_()
    assert html.count("<table>") == 1
    assert "he_normal" in html
    console = Console(width=80, record=True, file=StringIO())
    console.print(result)
    assert console.export_text() == str(result)
    with pytest.raises(AttributeError):
        result.summary = "other"  # type: ignore[misc]


def test_workers_do_not_run_a_script_again() -> None:
    """A script without a guard calls the API at its top level, where a worker would import it."""
    Path("script.py").write_text(
        f"import initbench\nprint('begun')\nprint(initbench.run({CONFIG}, jobs=2).summary)\n"
    )
    done = subprocess.run(
        [sys.executable, "script.py"], capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.stdout, done.stderr) == ("begun\n4 runs: 0 from results, 4 trained\n", "")
