"""`initbench verify`, whole: planted faults are found and named, honest initializers pass."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest

from initbench.core.initializers import INITIALIZERS
from tests.cli.conftest import invoke, lines

verify = partial(invoke, "verify")


class Fault(NamedTuple):
    """What is wrong with an initializer that is to draw N(0, 2 / fan_in), and what shows it."""

    body: str
    shown: set[str]
    words: str = ""


VARIANCES = {"variance, tall", "variance, wide"}
FAULTS = {
    "fans swapped": Fault(
        "rng.standard_normal(shape) * math.sqrt(2 / shape[0])",
        VARIANCES,
        "as if the fans were swapped",
    ),
    "gain missing": Fault(
        "rng.standard_normal(shape) * math.sqrt(1 / shape[1])",
        VARIANCES,
        "as if a gain of sqrt(2) were missing",
    ),
    "truncated without correction": Fault(
        "truncated(rng, shape) * math.sqrt(2 / shape[1])",
        VARIANCES,
        "as if truncated without correction",
    ),
    "variance as standard deviation": Fault(
        "rng.standard_normal(shape) * (2 / shape[1])",
        VARIANCES,
        "as if the standard deviation were the variance",
    ),
    "the same matrix for every layer": Fault(
        "math.sqrt(2 / shape[1]) * copy.deepcopy(rng).standard_normal(shape)",
        {"independence, layers"},
    ),
    "the same matrix for every seed": Fault(
        "math.sqrt(2 / shape[1]) * np.random.RandomState(0).standard_normal(shape)",
        {"independence, seeds", "independence, layers"},
        "every seed has the same weights (without chance? declare them fixed)",
    ),
    "NumPy's global state": Fault(
        "np.random.standard_normal(shape) * math.sqrt(2 / shape[1])",
        {"global random state", "determinism"},
        "draws changed numpy.random's",
    ),
    "Python's global state": Fault(
        "(random.seed(int(rng.randint(1000))), "
        "rng.standard_normal(shape) * math.sqrt(2 / shape[1]))[1]",
        {"global random state"},
        "draws changed random's",
    ),
    "fresh entropy": Fault(
        "np.random.default_rng().standard_normal(shape) * math.sqrt(2 / shape[1])",
        {"determinism"},
        "a seed's weights differ from call to call",
    ),
    "a state of its own": Fault(
        "rng.standard_normal(shape) * math.sqrt(2 / shape[1]) * (1 + 1e-12 * next(calls))",
        {"determinism"},
        "a seed's weights differ from call to call",
    ),
    "absolute values": Fault(
        "abs(rng.standard_normal(shape)) * math.sqrt(2 / shape[1])",
        {"mean, tall", "mean, wide", "symmetry, tall", "symmetry, wide"},
    ),
}
PLUGIN = """\
import copy, itertools, math, random
import numpy as np

calls = itertools.count()

def truncated(generator, shape):
    weights = generator.standard_normal(shape)
    while (outside := abs(weights) > 2).any():
        weights[outside] = generator.standard_normal(outside.sum())
    return weights

def own(rng, shape, dtype):
    return np.asarray({body}, dtype)

def own_law(shape):
    return 0, math.sqrt(2 / shape[1])
"""


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(folder: Path, name: str) -> None:
    fault = FAULTS[name]
    (folder / "own.py").write_text(PLUGIN.format(body=fault.body))
    done = verify("--plugin", "own.py", "--format", "json")
    document = json.loads(done.stdout)
    failed = {check["check"]: check["words"] for check in document["checks"] if not check["ok"]}
    assert failed.keys() == fault.shown
    assert fault.words in failed.values()
    assert (done.exit_code, document["ok"]) == (1, False)
    assert done.stderr.startswith(f"{len(failed)} of {len(document['checks'])} checks failed:\n")


def test_the_same_without_a_fault_passes(folder: Path) -> None:
    body = "rng.standard_normal(shape) * math.sqrt(2 / shape[1])"
    (folder / "own.py").write_text(PLUGIN.format(body=body))
    done = verify("--plugin", "own.py", "--format", "json")
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout)["ok"] is True


def test_all_pass() -> None:
    done = verify("--all", "--format", "json")
    assert done.exit_code == 0
    document = json.loads(done.stdout)
    assert {check["initializer"].partition("(")[0] for check in document["checks"]} >= set(
        INITIALIZERS
    )
    for check in document["checks"]:
        assert check.keys() == {
            "initializer", "check", "statistic", "low", "high", "ok", "words"
        }  # fmt: skip
    assert (document["ok"], document["false_alarm"]) == (True, 1e-6)


def test_the_table(folder: Path) -> None:
    (folder / "own.py").write_text(
        "import numpy as np\n\n"
        "def twos(rng, shape, dtype):\n    return np.full(shape, 2, dtype)\n\n"
        "def twos_law(shape):\n    return 2, 0, 2, 2\n\n"
        "def late(rng, shape, dtype):\n    raise LookupError('no such table')\n"
    )
    done = verify("zeros", "twos", "late", "--plugin", "own.py")
    assert done.exit_code == 1
    assert lines(done) == [
        "48 seeds of 40-100-40-100-40 networks",
        "",
        "                                                              at     at",
        " initializer  check                            statistic   least   most  result",
        " ──────────────────────────────────────────────────────────────────────────────",
        *(
            line
            for name in ("zeros", "twos")
            for line in (
                f" {name:11}  shape, dtype, finite                     0       0      0  ok",
                f" {name:11}  global random state                      0       0      0  ok",
                f" {name:11}  determinism                              0       0      0  ok",
                f" {name:11}  fixed                                    0       0      0  ok",
                f" {name:11}  mean, tall                               0  -1e-09  1e-09  ok",
                f" {name:11}  variance, tall                           0  -1e-09  1e-09  ok",
                f" {name:11}  bounds, tall                             0       -  1e-06  ok",
                f" {name:11}  mean, wide                               0  -1e-09  1e-09  ok",
                f" {name:11}  variance, wide                           0  -1e-09  1e-09  ok",
                f" {name:11}  bounds, wide                             0       -  1e-06  ok",
            )
        ),
        " late         shape, dtype, finite                    49       0      0  FAILED",
        "              raised LookupError: no such",
        "              table (own.py:10)",
        " late         global random state                      0       0      0  ok",
        "",
        "1 of 22 checks failed. If all initializers draw what they declare, the chance",
        "that any check fails is below 1e-06.",
        "Mean and bounds are in standard deviations from the declared mean; variance is",
        "over the declared one; symmetry is the share of weights above the declared mean,",
        "less the share below.",
        "late declares no law: its mean, variance, bounds and symmetry were not tested.",
        "",
    ]
    assert done.stderr == (
        "1 of 22 checks failed:\n"
        "late: shape, dtype, finite: raised LookupError: no such table (own.py:10)\n"
    )


def test_csv_has_a_row_a_check() -> None:
    done = verify("zeros", "--format", "csv")
    header, first, *others = done.stdout.splitlines()
    assert header == "initializer,check,statistic,low,high,ok,words"
    assert first == 'zeros,"shape, dtype, finite",0.0,0,0,True,'
    assert len(others) == 9


def test_a_name_may_carry_parameters() -> None:
    done = verify("{name: uniform, low: 2, high: 4}", "--format", "json")
    assert (done.exit_code, done.stderr) == (0, "")
    checks = json.loads(done.stdout)["checks"]
    assert {check["initializer"] for check in checks} == {"uniform(low=2, high=4)"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Name initializers, give --all, or your own by --plugin FILE."),
        (["--all", "he_normal"], "Name initializers, or give --all; not both."),
        (["he_norml"], "he_norml: initializer: unknown name 'he_norml'; did you mean 'he_normal'?"),
        (["constant"], "constant: initializer.value: is missing"),
        (["--plugin", "none.py"], "none.py: cannot be read: No such file or directory; a plugin"),
    ],
)
def test_bad_usage_exits_2_with_a_message(arguments: list[str], message: str) -> None:
    done = verify(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
