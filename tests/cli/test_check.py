"""`initbench baseline save` and `check`, as CI meets them: verdicts, exit codes, formats."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn
from xml.etree import ElementTree

import pytest
from click.testing import Result

from initbench.core.initializers import INITIALIZERS
from initbench.core.initializers.scaling import Family, member
from initbench.gate import baseline as baselines
from tests.cli.conftest import invoke, lines
from tests.conftest import POSIX_WORDS

HE = """
initializer: he_normal
layers: [2, 10, 5, 1]
iterations: 500
learning_rate: 0.3
seeds: 8
"""
ZEROS = HE.replace("he_normal", "zeros") + "expect:\n  - {metric: test_accuracy, value: 0.5}\n"
FILES = {"configs/he.yaml": HE, "configs/zeros.yaml": ZEROS}


@pytest.fixture(scope="module")
def baseline() -> list[str]:
    """The text of the two configs' baseline, from the first test that asks for it on."""
    return []


@pytest.fixture
def saved(folder: Path, baseline: list[str]) -> Path:
    """The baseline file, saved."""
    path = folder / "results/baseline.json"
    if not baseline:
        assert invoke("baseline", "save", "--all", "-q").exit_code == 0
        baseline.append(path.read_text())
    path.parent.mkdir(exist_ok=True)
    path.write_text(baseline[0])
    return path


def verdicts(done: Result) -> dict[str, str]:
    rows = json.loads(done.stdout)["verdicts"]
    return {f"{row['config']} {row['metric']}": row["verdict"] for row in rows}


def plant(monkeypatch: pytest.MonkeyPatch, scale: float) -> None:
    """He's variance becomes scale / fan_in."""
    draw = partial(member, family=Family(scale, "fan_in"), distribution="normal")
    monkeypatch.setitem(INITIALIZERS, "he_normal", INITIALIZERS["he_normal"]._replace(draw=draw))


@POSIX_WORDS
@pytest.mark.usefixtures("saved")
def test_nothing_has_changed() -> None:
    done = invoke("check", "--all")
    assert done.exit_code == 0
    assert lines(done) == [
        "Against results/baseline.json: 9 ok",
        "",
        "          config",
        " verdict  (initializer)  metric",
        " ────────────────────────────────────────────────",
        " ok       he             all 4 metrics unchanged",
        "          he_normal",
        " ok       zeros          all 4 metrics unchanged,",
        "                         1 expectation met",
        "",
    ]
    assert done.stderr == ""


@POSIX_WORDS
def test_a_saved_baseline_says_what_it_holds(folder: Path) -> None:
    done = invoke("baseline", "save", "configs/he.yaml")
    assert done.exit_code == 0
    assert done.stderr == ("wrote results/baseline.json: 8 runs with 8 twins each, 8 to confirm\n")
    done = invoke("baseline", "save", "configs/zeros.yaml")
    assert done.stderr.endswith("8 to confirm; 1 other row kept\n")
    assert invoke("check", "--all").exit_code == 0
    document = json.loads((folder / "results/baseline.json").read_text())
    assert [group["config"] for group in document["groups"]] == ["he", "zeros"]
    he, zeros = document["groups"]
    assert [run["seed"] for run in he["runs"]] == [*range(8)]
    assert [run["seed"] for run in he["confirm"]] == [*range(8, 16)]
    assert max(run["spread"]["train_loss"] for run in he["runs"]) > 0
    assert {run["spread"]["train_loss"] for run in zeros["runs"]} == {0.0}


def test_the_same_baseline_is_saved_twice(saved: Path) -> None:
    """But for when: the file's diffs are of what changed."""
    before = saved.read_text().splitlines()
    invoke("baseline", "save", "--all", "-q")
    after = saved.read_text().splitlines()
    changed = [line for line in before if line not in after]
    assert all(line.startswith(('"digest"', '"provenance"')) for line in changed)


@POSIX_WORDS
@pytest.mark.usefixtures("saved")
def test_a_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, 0.01)
    done = invoke("check", "--all", "--format", "json")
    assert done.exit_code == json.loads(done.stdout)["exit_code"] == 1
    found = verdicts(done)
    assert found["he train_loss"] == "regressed"
    assert found["zeros train_loss"] == "ok"
    row = next(v for v in json.loads(done.stdout)["verdicts"] if v["verdict"] == "regressed")
    assert row["reason"].endswith("; the seeds kept to confirm it show it too")
    assert row["difference"]["low"] > 0
    table = invoke("check", "--all")
    assert table.exit_code == 1
    assert "Against results/baseline.json: " in table.stdout


@pytest.mark.usefixtures("saved")
def test_a_finding_on_the_main_seeds_alone_is_not_confirmed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sound = INITIALIZERS["he_normal"].draw

    def draw(rng: Any, shape: tuple[int, int], dtype: Any, **_: object) -> Any:
        weights = sound(rng, shape, dtype)
        main_seeds = {float(sound(type(rng)(seed), (10, 2), dtype)[0, 0]) for seed in range(8)}
        unlucky = draw.unlucky  # type: ignore[attr-defined]
        if shape == (10, 2):
            unlucky = draw.unlucky = float(weights[0, 0]) in main_seeds  # type: ignore[attr-defined]
        return weights * 0.01 if unlucky else weights

    draw.unlucky = False  # type: ignore[attr-defined]
    row = INITIALIZERS["he_normal"]._replace(draw=draw)
    monkeypatch.setitem(INITIALIZERS, "he_normal", row)
    done = invoke("check", "--all", "--format", "json", "--jobs", "1")
    assert done.exit_code == 0
    assert verdicts(done)["he train_loss"] == "not_confirmed"


@pytest.mark.usefixtures("saved")
def test_a_small_change_fails_only_with_strict(monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, 2.0001)
    done = invoke("check", "configs/he.yaml", "--format", "json")
    assert (done.exit_code, verdicts(done)["he train_loss"]) == (0, "changed")
    assert invoke("check", "configs/he.yaml", "--strict").exit_code == 1


@POSIX_WORDS
@pytest.mark.usefixtures("saved")
def test_an_expectation_that_fails(folder: Path) -> None:
    (folder / "configs/zeros.yaml").write_text(ZEROS.replace("0.5}", "0.6}"))
    done = invoke("check", "--all", "--format", "github")
    assert done.exit_code == 1
    assert done.stdout == (
        "::error file=configs/zeros.yaml,line=8,col=5,title=initbench%3A expectation failed::"
        "expectation failed: zeros, test_accuracy: the median is 50 %25, and must be 60 %25 within "
        "0 points\n"
    )


@pytest.mark.usefixtures("saved")
def test_a_config_that_changed_is_stale(folder: Path) -> None:
    (folder / "configs/he.yaml").write_text(HE.replace("0.3", "0.2"))
    done = invoke("check", "--all", "--format", "json")
    assert done.exit_code == 3
    assert verdicts(done)["he None"] == "stale"
    assert "learning_rate 0.3 -> 0.2" in done.stdout
    assert invoke("check", "configs/zeros.yaml").exit_code == 0


@pytest.mark.usefixtures("saved")
def test_what_has_no_baseline_is_missing(folder: Path) -> None:
    (folder / "configs/new.yaml").write_text(HE)
    done = invoke("check", "--all", "--format", "json")
    assert (done.exit_code, verdicts(done)["new None"]) == (3, "missing")
    done = invoke("check", "configs/he.yaml", "--seeds", "9", "--format", "json")
    assert (done.exit_code, verdicts(done)["he None"]) == (3, "missing")
    assert invoke("check", "configs/he.yaml", "--seeds", "3").exit_code == 0


@POSIX_WORDS
@pytest.mark.usefixtures("saved")
def test_a_baseline_of_what_is_no_more_is_said(folder: Path) -> None:
    (folder / "configs/zeros.yaml").unlink()
    done = invoke("check", "--all")
    assert done.exit_code == 0
    assert done.stderr == (
        "results/baseline.json: holds zeros, which --all no longer names; save it anew\n"
    )


@POSIX_WORDS
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no such file; `initbench baseline save CONFIG...` makes one"),
        ("", "is empty; save it again with `initbench baseline save CONFIG...`, naming"),
        ("{", "is not JSON, or is cut off"),
    ],
)
def test_a_broken_baseline_never_passes(saved: Path, content: str | None, message: str) -> None:
    if content is None:
        saved.unlink()
    else:
        saved.write_text(content)
    done = invoke("check", "--all")
    assert done.exit_code == 3
    assert done.stderr.startswith(f"results/baseline.json: {message}")


def test_an_edited_baseline_never_passes(saved: Path) -> None:
    saved.write_text(saved.read_text().replace('"test_accuracy": 0.5', '"test_accuracy": 0.4', 1))
    done = invoke("check", "--all")
    assert done.exit_code == 3
    assert "does not match its digest" in done.stderr
    # Saving one config must not bless the others.
    assert invoke("baseline", "save", "configs/he.yaml").exit_code == 3
    assert invoke("baseline", "save", "--all", "-q").exit_code == 0


def test_two_files_are_judged_without_training(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, 0.01)
    assert invoke("baseline", "save", "--all", "--baseline", "b.json", "-q").exit_code == 0
    monkeypatch.setattr("initbench.runs.execute.execute", lambda *_: pytest.fail("trained"))
    done = invoke("check", "results/baseline.json", "b.json", "--format", "json")
    assert done.exit_code == 1
    assert verdicts(done)["he train_loss"] == "regressed"
    assert invoke("check", "b.json", "b.json").exit_code == 0
    assert verdicts(invoke("check", "b.json", str(saved), "--format", "json"))[
        "he train_loss"
    ] == "improved"  # fmt: skip


def test_results_of_run_are_judged_too() -> None:
    invoke("run", "configs/he.yaml", "--results", "before", "-q")
    invoke("run", "configs/he.yaml", "--results", "after", "-q")
    assert invoke("check", "before/he.json", "after/he.json").exit_code == 0
    invoke("run", "configs/he.yaml", "--results", "after", "-q", "--set", "dataset.noise=0.2")
    done = invoke("check", "before/he.json", "after/he.json")
    assert done.exit_code == 3


@pytest.mark.parametrize(
    "arguments",
    [[], ["--all", "configs/he.yaml"], ["a.json"], ["a.json", "b.yaml"], ["a.json"] * 3],
)
def test_usage(arguments: list[str]) -> None:
    assert invoke("check", *arguments).exit_code == 2


def test_a_run_that_fails_is_a_regression_and_no_baseline(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> NoReturn:
        raise ZeroDivisionError("by a plugin")

    row = INITIALIZERS["he_normal"]._replace(draw=broken)
    monkeypatch.setitem(INITIALIZERS, "he_normal", row)
    done = invoke("check", "--all", "--format", "json", "--jobs", "1")
    assert (done.exit_code, verdicts(done)["he None"]) == (1, "regressed")
    before = saved.read_text()
    done = invoke("baseline", "save", "--all", "--jobs", "1")
    assert (done.exit_code, done.stderr) == (
        1,
        "runs failed; no baseline was saved:\n"
        "he, he_normal: raised ZeroDivisionError: by a plugin\n",
    )
    assert saved.read_text() == before


@POSIX_WORDS
@pytest.mark.usefixtures("saved")
def test_on_github_annotations_and_the_summary_come_by_themselves(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "configs/he.yaml").write_text(HE.replace("0.3", "0.2"))
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "summary.md"))
    done = invoke("check", "--all", "--quiet")
    assert done.stderr.startswith("::error file=configs/he.yaml,line=2,col=14,title=")
    assert (folder / "summary.md").read_text() == invoke(
        "check", "--all", "--format", "markdown"
    ).stdout


@pytest.mark.usefixtures("saved")
def test_every_format_is_what_its_readers_take() -> None:
    suites = ElementTree.fromstring(invoke("check", "--all", "--format", "junit").stdout)
    assert sum(int(suite.attrib["tests"]) for suite in suites) == 9
    bigger = json.loads(invoke("check", "--all", "--format", "customBiggerIsBetter").stdout)
    assert {row["name"] for row in bigger} == {
        f"{name} {metric}"
        for name in ("he he_normal", "zeros")
        for metric in ("train_accuracy", "test_accuracy")
    }
    assert all(row.keys() >= {"name", "unit", "value"} for row in bigger)
    assert invoke("check", "--all", "--format", "github").stdout == ""


def test_a_baseline_that_cannot_be_written_is_said_before_training(folder: Path) -> None:
    (folder / "file").write_text("")
    done = invoke("baseline", "save", "--all", "--baseline", "file/baseline.json")
    assert (done.exit_code, done.stderr) == (
        2, "file: cannot be written: File exists; choose another file with --baseline\n"
    )  # fmt: skip


def test_configs_that_share_runs_are_judged_each(folder: Path) -> None:
    (folder / "configs/he.yaml").unlink()
    (folder / "configs/again.yaml").write_text(ZEROS)
    assert invoke("baseline", "save", "--all", "-q").exit_code == 0
    done = invoke("check", "--all", "--format", "json")
    assert done.exit_code == 0
    rows = json.loads(done.stdout)["verdicts"]
    assert {(row["config"], row["verdict"]) for row in rows} == {("again", "ok"), ("zeros", "ok")}


def test_a_baseline_of_other_arithmetic_says_so(folder: Path, saved: Path) -> None:
    known = baselines.load(saved).values()
    made = {"numpy": "1.0", "blas": "another"}
    (folder / "old.json").write_text(
        baselines.text(replace(group, provenance=made) for group in known)
    )
    done = invoke("check", "old.json", str(saved))
    assert done.exit_code == 0
    assert "The baseline was made with NumPy 1.0, another, the candidate with NumPy" in done.stdout
    assert done.stdout.count("The baseline was made") == 1


OWN = """
def mine(rng, shape, dtype, *, scale: float = 2.0):
    \"\"\"Normal of variance scale / fan_in.\"\"\"
    return (FACTOR * rng.standard_normal(shape) * (scale / shape[1]) ** 0.5).astype(dtype)
"""


@pytest.mark.parametrize(
    ("change", "exit_code", "words"),
    [
        (("Normal of", "A normal of"), 0, {"ok"}),
        (("FACTOR", "0.002"), 1, {"regressed"}),
    ],
)
def test_an_initializer_of_ones_own_is_judged_when_its_file_changes(
    folder: Path, change: tuple[str, str], exit_code: int, words: set[str]
) -> None:
    (folder / "own.py").write_text(OWN.replace("FACTOR", "1.0"))
    (folder / "own.yaml").write_text(
        "initializer: mine\nlayers: [2, 10, 5, 1]\niterations: 300\nlearning_rate: 0.1\nseeds: 4\n"
    )
    own = ("own.yaml", "--plugin", "own.py", "--baseline", "own.json")
    saved = invoke("baseline", "save", *own)
    assert "own: 4 seeds are too few for statistics, which takes 6." in saved.stderr
    (folder / "own.py").write_text(OWN.replace(*change).replace("FACTOR", "1.0"))
    done = invoke("check", *own)
    assert done.exit_code == exit_code
    assert "the source of the initializer has changed since the baseline" in " ".join(
        done.stdout.split()
    )
    judged = json.loads(invoke("check", *own, "--format", "json").stdout)["verdicts"]
    assert {verdict["verdict"] for verdict in judged} & {"ok", "regressed", "stale"} == words
