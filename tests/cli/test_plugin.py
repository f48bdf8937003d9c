"""Initializers of one's own in `run`, `compare`, `list` and `schema`, whole commands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import invoke, lines
from tests.conftest import POSIX_WORDS

ROOT = Path(__file__).parent.parent.parent
PLUGIN = """\
import math

import numpy as np


def he_laplace(rng, shape, dtype, *, scale: float = 2.0):
    \"\"\"Laplace of variance scale / fan_in.\"\"\"
    return rng.laplace(0, math.sqrt(scale / 2 / shape[1]), shape).astype(dtype)


def he(rng, shape, dtype):
    return (rng.standard_normal(shape) * np.sqrt(2 / shape[1])).astype(dtype)


def broken(rng, shape, dtype):
    raise LookupError("no such table")


def flat(rng, shape, dtype):
    return np.zeros(shape[0], dtype)


def hollow(rng, shape, dtype):
    return np.full(shape, np.nan, dtype)


def coarse(rng, shape, dtype):
    return np.zeros(shape, np.float16)
"""
CONFIG = """
initializer: [zeros, broken, flat, hollow, coarse]
layers: [2, 4, 1]
iterations: 20
learning_rate: 0.1
seeds: 2
"""


FILES = {"own.py": PLUGIN, "small.yaml": CONFIG}


@POSIX_WORDS
def test_the_rows_of_others_come_out() -> None:
    done = invoke("compare", "small.yaml", "--plugin", "own.py")
    assert done.exit_code == 1
    assert lines(done) == [
        "circles (one split), 2-4-1 relu, gd, learning rate 0.1, 20 iterations, full",
        "batch, float64",
        "",
        "                                     test           difference",
        "                  train    test  accuracy     runs     to best",
        " #  initializer    loss    loss         %  learned  + is worse  p  standing",
        " ──────────────────────────────────────────────────────────────────────────",
        " 1  zeros        0.6931  0.6931      50.0      0/2",
        " 2  broken            -       -         -      0/2",
        " 2  flat              -       -         -      0/2",
        " 2  hollow            -       -         -      0/2",
        " 2  coarse            -       -         -      0/2",
        "",
        "#: rank by train loss. Median over 2 seeds, then its 95 % interval (bootstrap,",
        "10,000 resamples, seed 0). Loss is in nats.",
        "No run learned: no row is the best.",
        "Learned: the run ended with a train loss at least 5 % below that of the best",
        "constant predictor.",
        "small, broken: 2 of 2 runs failed, and break the pairs of their seeds: raised",
        "LookupError: no such table (own.py:16).",
        "small, flat: 2 of 2 runs failed, and break the pairs of their seeds: the weights",
        "of layer 1 must have shape (4, 2), (fan_out, fan_in), got (4,).",
        "small, hollow: 2 of 2 runs failed, and break the pairs of their seeds: the",
        "weights of layer 1 must be finite, got 8 of 8 not.",
        "small, coarse: 2 of 2 runs failed, and break the pairs of their seeds: the",
        "weights of layer 1 must be float64, got float16.",
        "",
    ]
    assert done.stderr == (
        "wrote results/comparison.md, results/comparison.csv, results/comparison.json\n"
        "10 runs: 0 from results, 10 trained\n"
        "8 of 10 runs failed:\n"
        "small, broken: raised LookupError: no such table (own.py:16)\n"
        "small, flat: the weights of layer 1 must have shape (4, 2), (fan_out, fan_in), "
        "got (4,)\n"
        "small, hollow: the weights of layer 1 must be finite, got 8 of 8 not\n"
        "small, coarse: the weights of layer 1 must be float64, got float16\n"
    )


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_its_records_are_those_of_the_same_initializer_built_in(jobs: str) -> None:
    done = invoke(
        "run", "small.yaml", "--plugin", "own.py", "--jobs", jobs, "--format", "json",
        "--set", "initializer=[he, he_normal]",
    )  # fmt: skip
    assert done.exit_code == 0
    records = json.loads(done.stdout)["records"]
    own, ours = (
        [record["curve"] for record in records if record["initializer"] == name]
        for name in ("he", "he_normal")
    )
    assert len(own) == 2
    assert own == ours


def test_identities_follow_the_file_s_text(folder: Path) -> None:
    def identities() -> dict[str, str]:
        done = invoke(
            "run", "small.yaml", "--plugin", "own.py", "--seeds", "3,", "--format", "json",
            "--set", "initializer=[he_laplace, zeros]",
        )  # fmt: skip
        return {r["initializer"]: r["id"] for r in json.loads(done.stdout)["records"]}

    before = identities()
    (folder / "own.py").write_text(PLUGIN.replace("/ 2 /", "/ 3 /"))
    after = identities()
    assert before["he_laplace"] != after["he_laplace"]
    assert before["zeros"] == after["zeros"]


def test_parameters_in_a_config(folder: Path) -> None:
    wrong = CONFIG.replace("zeros, broken, flat, hollow, coarse", "{name: he_laplace, scale: x}")
    (folder / "small.yaml").write_text(wrong)
    done = invoke("run", "small.yaml", "--plugin", "own.py")
    assert done.stderr == (
        "small.yaml:2:41: initializer[0].scale: must be a number, got the text 'x'\n"
    )


def test_list_and_schema_know_it() -> None:
    rows = json.loads(invoke("list", "--plugin", "own.py", "--format", "json").stdout)
    assert rows["initializers"][-6] == {
        "name": "he_laplace",
        "aliases": [],
        "formula": "Laplace of variance scale / fan_in",
        "reference": "own.py",
        "parameters": [
            {
                "name": "scale",
                "default": "2",
                "values": "number",
                "meaning": "",
                "schema": {"type": "number"},
            }
        ],
    }
    assert (
        "HeLaplaceInitializer" in json.loads(invoke("schema", "--plugin", "own.py").stdout)["$defs"]
    )


def test_stored_runs_are_found_by_their_config() -> None:
    own = ["--plugin", "own.py"]
    Path("own.yaml").write_text(CONFIG.replace("[zeros, broken, flat, hollow, coarse]", "he"))
    invoke("run", "own.yaml", *own)
    shown = invoke("show", "own.yaml", *own, "--format", "json")
    assert [run["initializer"] for run in json.loads(shown.stdout)["runs"]] == ["he", "he"]


@pytest.mark.parametrize("command", ["run", "compare"])
def test_a_file_that_is_no_plugin_trains_nothing(folder: Path, command: str) -> None:
    (folder / "empty.py").write_text("")
    done = invoke(command, "small.yaml", "--plugin", "empty.py")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("empty.py: defines no initializer; write one as `def NAME(")
    assert not (folder / "results").exists()


def test_the_docs_example(folder: Path) -> None:
    section = (ROOT / "docs" / "your-own-initializer.md").read_text(encoding="utf-8")
    for name, language in (("own.py", "python"), ("tails.yaml", "yaml")):
        block = section.partition(f"```{language}")[2].partition("\n")[2]
        (folder / name).write_text(block.partition("```")[0])
    assert invoke("verify", "--plugin", "own.py").exit_code == 0
    done = invoke("compare", "tails.yaml", "--plugin", "own.py", "--format", "json")
    shown = json.loads(done.stdout)["comparison"]
    assert [f"{row['median']:.4g}" for row in shown] == ["0.02274", "0.02492", "0.02556"]
    assert all(row["best_group"] for row in shown)
    assert all(f" {row['rank']}*  {row['initializer']} " in section for row in shown)


LAWLESS = """\
def lawless(rng, shape, dtype):
    return rng.standard_normal(shape).astype(dtype)


def lawless_law(shape):
    raise LookupError("no such law")
"""


@pytest.mark.parametrize("command", ["diagnose", "verify"])
def test_a_law_that_raises_costs_its_initializer_only(folder: Path, command: str) -> None:
    (folder / "own.py").write_text(LAWLESS)
    (folder / "small.yaml").write_text(
        CONFIG.replace("zeros, broken, flat, hollow, coarse", "zeros, lawless")
    )
    what = ["small.yaml"] if command == "diagnose" else ["zeros", "lawless"]
    done = invoke(command, *what, "--plugin", "own.py", "--format", "json")
    assert done.exit_code == 1
    assert "lawless_law raised LookupError: no such law" in done.stderr
    rows = json.loads(done.stdout)["diagnoses" if command == "diagnose" else "checks"]
    assert "zeros" in {row["initializer"] for row in rows}
