"""Fuzzers: whatever a file or an option holds, a command keeps to its contract.

`make test` tries a few cases of each kind, always the same; `make fuzz` tries thousands.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz import inputs
from tests.fuzz.conftest import cases, obeys

COMMANDS = (
    ("run", "--jobs", "1", "-q"),
    ("compare", "--jobs", "1", "-q", "--format", "json"),
    ("compare", "--jobs", "1", "-q", "--format", "markdown"),
    ("diagnose", "--format", "json"),
    ("diagnose",),
    ("check", "--quiet"),
)


def outside_results(folder: Path) -> set[str]:
    """The files of the folder that no command may make, change or remove."""
    return {
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.relative_to(folder).parts[0] != "results"
    }


def obeys_in(folder: Path, *arguments: str) -> None:
    """Run the command, which leaves the folder as it was but for its results."""
    before = outside_results(folder)
    obeys(*arguments)
    assert outside_results(folder) == before, arguments
    shutil.rmtree(folder / "results", ignore_errors=True)


@cases(40)
@given(config=inputs.configs(), command=st.sampled_from(COMMANDS))
def test_configs(place: Path, config: dict[str, Any], command: tuple[str, ...]) -> None:
    (place / "c.yaml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    obeys_in(place, command[0], "c.yaml", *command[1:])


TEXT = yaml.safe_dump(inputs.SMALL).encode()


@cases(30)
@given(damage=inputs.damages())
def test_texts_of_configs(place: Path, damage: inputs.Damage) -> None:
    (place / "c.yaml").write_bytes(damage(TEXT))
    obeys_in(place, "diagnose", "c.yaml")


OPTIONS = (
    "--set", "--seeds", "--initializer", "--metric", "--target", "--format", "--plugin", "--since",
    "--status", "--jobs", "--layers", "--activation", "--max-seeds", "--results", "--baseline",
)  # fmt: skip
WORDS = st.one_of(
    st.sampled_from(inputs.TEXTS),
    st.sampled_from(["3,", "0-2", "1e3", "-1", "test_accuracy@2", "train_loss=0.1", "c.yaml"]),
    st.sampled_from(
        ["layers=null", "sweep=null", "sweep.learning_rate=[0.1,0.2]", "dataset.noise=1e400",
         "initializer={name: normal, std: null}", "dtype=float16", "a.b.c=1", "=", "x="]
    ),
)  # fmt: skip
NAMES = (
    "run", "compare", "diagnose", "check", "show", "clean", "explain", "verify", "list", "schema",
)  # fmt: skip


@cases(30)
@given(
    command=st.sampled_from(NAMES),
    words=st.lists(WORDS, max_size=2),
    options=st.lists(st.tuples(st.sampled_from(OPTIONS), WORDS), max_size=3),
)
def test_options(
    place: Path, command: str, words: list[str], options: list[tuple[str, str]]
) -> None:
    (place / "c.yaml").write_bytes(TEXT)
    given = [part for option in options for part in option if "\x00" not in part]
    if "--results" in given or "--baseline" in given:
        return  # these name where to write
    obeys_in(place, command, *(word for word in words if "\x00" not in word), *given)


CSV = b"height,width,name,label\n" + b"".join(
    b"%d.5,%d,n%d,%s\n" % (i, i % 7, i % 3, [b"yes", b"no"][i % 2]) for i in range(24)
)


@cases(30)
@given(damage=inputs.damages(), target=st.sampled_from(["label", "width", "height", "é"]))
def test_tables(place: Path, damage: inputs.Damage, target: str) -> None:
    (place / "t.csv").write_bytes(damage(CSV))
    config = {
        **{key: value for key, value in inputs.SMALL.items() if key != "layers"},
        "width": 3, "depth": 1, "dataset": {"path": "t.csv", "target": target},
    }  # fmt: skip
    (place / "c.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    obeys_in(place, "run", "c.yaml", "--jobs", "1", "-q")


@cases(15)
@given(damage=inputs.damages())
def test_archives(place: Path, damage: inputs.Damage) -> None:
    np.savez(place / "a.npz", X=np.arange(40.0).reshape(20, 2), y=np.arange(20) % 2)
    (place / "a.npz").write_bytes(damage((place / "a.npz").read_bytes()))
    config = {**inputs.SMALL, "dataset": {"path": "a.npz"}}
    (place / "c.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    obeys_in(place, "run", "c.yaml", "--jobs", "1", "-q")


@pytest.fixture(scope="module")
def baseline(place: Path) -> bytes:
    """A baseline of the small config."""
    (place / "c.yaml").write_bytes(TEXT)
    assert obeys("baseline", "save", "c.yaml", "--baseline", "b.json", "-q").exit_code == 0
    return (place / "b.json").read_bytes()


@cases(20)
@given(
    damage=inputs.damages(),
    files=st.sampled_from([("b.json", "whole.json"), ("whole.json", "b.json")]),
)
def test_baselines(
    place: Path, baseline: bytes, damage: inputs.Damage, files: tuple[str, str]
) -> None:
    (place / "c.yaml").write_bytes(TEXT)
    (place / "b.json").write_bytes(damage(baseline))
    (place / "whole.json").write_bytes(baseline)
    obeys_in(place, "check", *files)
    obeys_in(place, "check", "c.yaml", "--baseline", "b.json", "-q")


@pytest.fixture(scope="module")
def store(place: Path) -> bytes:
    """A store with the small config's runs."""
    (place / "c.yaml").write_bytes(TEXT)
    assert obeys("run", "c.yaml", "--jobs", "1", "-q").exit_code == 0
    return (place / "results" / "runs.sqlite").read_bytes()


@cases(12)
@given(
    damage=inputs.damages(),
    command=st.sampled_from(
        [("show",), ("run", "c.yaml", "-q"), ("compare", "c.yaml", "-q"), ("clean", "c.yaml")]
    ),
)
def test_stores(place: Path, store: bytes, damage: inputs.Damage, command: tuple[str, ...]) -> None:
    (place / "c.yaml").write_bytes(TEXT)
    (place / "results").mkdir(exist_ok=True)
    (place / "results" / "runs.sqlite").write_bytes(damage(store))
    obeys_in(place, *command)
