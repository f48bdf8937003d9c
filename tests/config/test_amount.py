"""What a config asks for is counted before it is made, and mistakes without end are cut short."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from initbench import config
from initbench.errors import MAX_LISTED, ConfigError

CONFIG = """\
initializer: [he_normal, zeros]
layers: [2, 3, 1]
iterations: 3
learning_rate: 0.1
"""


def problem(folder: Path, text: str) -> str:
    (folder / "c.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        config.load([folder / "c.yaml"])
    return str(caught.value).replace(f"{folder}/", "")


def test_a_sweep_times_its_seeds_is_refused_with_the_figure_and_the_way_out(tmp_path: Path) -> None:
    rates = ", ".join(str(i) for i in range(1, 10_001))
    text = f"{CONFIG}seeds: 100000\nsweep: {{learning_rate: [{rates}]}}\n"
    assert problem(tmp_path, text) == (
        "c.yaml:6:1: sweep: asks for 2,000,000,000 runs (10,000 settings x 2 initializers x "
        "100,000 seeds), more than max_runs, 1,000,000; ask for fewer, or allow them with "
        "max_runs: 2000000000 (--set max_runs=2000000000)"
    )


def test_seeds_times_initializers_are_refused_too(tmp_path: Path) -> None:
    text = f"{CONFIG}seeds: 6\nmax_runs: 10\n"
    assert problem(tmp_path, text).startswith(
        "c.yaml:5:1: seeds: asks for 12 runs (2 initializers x 6 seeds), more than max_runs, 10;"
    )


def test_max_runs_allows_them(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(f"{CONFIG}seeds: 6\nmax_runs: 10\n")
    (experiment,) = config.load([tmp_path / "c.yaml"], [("", "max_runs=12")])
    assert len(experiment.seeds) == 6


def test_a_sweep_of_too_many_keys(tmp_path: Path) -> None:
    swept = "".join(f"  k{i}: [1]\n" for i in range(50_000))
    assert problem(tmp_path, f"{CONFIG}sweep:\n{swept}") == (
        "c.yaml:5:1: sweep: has 50,000 keys, at most 32 are allowed; remove keys"
    )


@pytest.mark.parametrize(
    "many",
    [
        "".join(f"k{i}: 1\n" for i in range(20_000)),
        "expect:\n" + "- {metric: nope}\n" * 20_000,
        "name: x\n" * 20_000,
    ],
    ids=["unknown keys", "wrong items", "one key again and again"],
)
def test_mistakes_without_end_are_cut_short(tmp_path: Path, many: str) -> None:
    begun = time.process_time()
    lines = problem(tmp_path, CONFIG + many).splitlines()
    # The closest names of all of them would take a minute; these take a second.
    assert time.process_time() - begun < 10
    assert len(lines) == MAX_LISTED + 1
    assert lines[-1] == "more problems are not listed; mend these first"


def test_a_long_word_is_shown_in_part(tmp_path: Path) -> None:
    said = problem(tmp_path, CONFIG.replace("he_normal", "x" * 100_000))
    assert len(said) < 300
