"""Every mistake's whole message, at its place; any other text loads or is refused in that way."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from initbench import config, spec
from initbench.config.sweep import UNSWEPT
from initbench.core.initializers import INITIALIZERS
from initbench.errors import ConfigError, Problem
from initbench.spec import Experiment
from tests.config.conftest import BASE, NO_SIZES, refusal, refused

KNOWN = ", ".join(Experiment.model_fields)


def mistakes() -> list[tuple[str, str]]:
    """(a line of a config, the whole message), of data/config_mistakes.txt."""
    models: dict[str, Iterable[str]] = {
        "<initializers>": INITIALIZERS, "<datasets>": spec.DATASET_MODELS,
        "<biases>": spec.BIAS_MODELS,
    }  # fmt: skip
    names = {mark: ", ".join(known) for mark, known in models.items()} | {"<keys>": KNOWN}
    table: list[tuple[str, str]] = []
    path = Path(__file__).parent / "data" / "config_mistakes.txt"
    for row in path.read_text(encoding="utf-8").splitlines():
        if row.startswith("  "):
            for mark, known in names.items():
                row = row.replace(mark, known)
            line, message = table.pop()
            table.append((line, f"{message}\nx.yaml:{row.strip()}".lstrip()))
        elif row and not row.startswith("#"):
            table.append((row, ""))
    return table


MISTAKES = [
    *mistakes(),
    *(
        (f"sweep: {{{key}: [1]}}", f"x.yaml:5:9: sweep.{key}: {key} cannot be swept; remove it")
        for key in sorted(UNSWEPT)
    ),
]


@pytest.mark.parametrize(("line", "message"), MISTAKES, ids=[line[:40] for line, _ in MISTAKES])
def test_a_mistake_s_whole_message(line: str, message: str) -> None:
    key = line.split(":")[0]
    given = [line if own.startswith(f"{key}:") else own for own in BASE.splitlines()]
    assert refusal("\n".join(given if line in given else [*given, line])) == message


@pytest.mark.parametrize(
    "name", ["../x", "a/b", "a\\b", ".hidden", "", "x" * 101, "a:b", " a", "a\n"]
)
def test_names_that_would_leave_the_results(name: str) -> None:
    shown = repr(name) if len(name) < 50 else repr(name)[:48] + "..."
    assert refusal(BASE + f"name: {json.dumps(name)}\n") == (
        "x.yaml:5:7: name: must be a plain file name of at most 100 characters without separators, "
        f"got the text {shown}; results are written under it"
    )


@pytest.mark.parametrize(
    "name", ["x.partial", "x.PARTIAL", "comparison.partial", "a.partial.partial"]
)
def test_names_of_interrupted_results(name: str) -> None:
    """`x.partial.csv` is removed when the config `x` completes."""
    message = f"x.yaml:5:7: name: {name!r} ends in .partial, as the results of a command that was"
    assert refusal(BASE + f"name: {name}\n").startswith(message)
    assert "ends in .partial" in refusal(BASE, name=f"{name}.yaml")


@pytest.mark.parametrize("name", [*sorted(spec.RESERVED_NAMES), "Comparison"])
def test_names_of_initbench_s_own(name: str) -> None:
    message = f"name: {name!r} is the name of initbench's own results; choose another"
    assert refusal(BASE + f"name: {name}\n") == f"x.yaml:5:7: {message}"
    assert refusal(BASE, name=f"{name}.yaml") == f"{name}.yaml:1:1: {message}"


def test_all_mistakes_of_all_files_in_the_order_of_their_places() -> None:
    Path("b.yaml").write_text(
        "seeds: 0\ninitializer: [zeros, {name: normal, std: x}]\nseeds: 1\nx: 1\n"
    )
    Path("a.yaml").write_text(BASE + "log_every: 0\n")
    assert refused(["b.yaml", "none.yaml", "a.yaml"]).splitlines() == [
        "b.yaml:1:1: iterations: is missing; write e.g. `iterations: 15000`",
        "b.yaml:1:1: learning_rate: is missing; write e.g. `learning_rate: 0.01`",
        "b.yaml:2:42: initializer[1].std: must be a number, got the text 'x'",
        "b.yaml:3:1: seeds: is given twice, first in line 1; keep one",
        f"b.yaml:4:1: x: unknown key; known: {KNOWN}",
        "none.yaml: no such file",
        "a.yaml:5:12: log_every: must be at least 1, got 0",
    ]


def test_missing_sizes() -> None:
    needed = "the network's sizes are missing; add layers (as in [2, 10, 5, 1]), or width and depth"
    for text in ("", "width: 3\n", "depth: 3\n"):
        assert refusal(NO_SIZES + text) == f"x.yaml:1:1: {needed}"


def loads_or_says_where(content: bytes) -> None:
    problems: tuple[Problem, ...] = ()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "fuzz.yaml"
        path.write_bytes(content)
        try:
            loaded = config.load([path])
        except ConfigError as error:
            loaded, problems = [], error.problems
    assert bool(loaded) != bool(problems)
    for problem in problems:
        assert problem.place.source == str(path)
        assert all((problem.place.line, problem.place.column, problem.message))


NAMES = [
    "name", "std", "mean", "low", "high", "noise", "value", "metric", "min", "max", "path", "a.csv",
    "hidden", "output", "first", "prior", "none", "1",
    "target", "test_loss", "turns", "dataset.noise", "optimizer.beta1", "kaiming_normal_", ".",
]  # fmt: skip
MODELS = spec.INITIALIZER_MODELS | spec.ACTIVATION_MODELS | spec.OPTIMIZER_MODELS
WORDS = st.sampled_from([*NAMES, *Experiment.model_fields, *MODELS, *spec.DATASET_MODELS])
KEYS = WORDS | st.text(max_size=3)
EXTREMES = st.sampled_from([10**9, 2**64, 10**200, 1e308, -1e308, "9" * 5000])
SCALARS = st.none() | st.booleans() | st.floats() | st.dates() | st.integers(-3, 300) | EXTREMES
VALUES = st.recursive(
    SCALARS | KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
REAL = {"initializer": "zeros", "width": 2, "depth": 2, "iterations": 3, "learning_rate": 0.1}
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@given(
    changes=st.dictionaries(KEYS, VALUES, max_size=4),
    whole=st.booleans(),
    cut=st.sampled_from([*REAL, "none"]),
)
@FUZZ
def test_any_mapping_loads_or_is_refused_with_its_place(
    changes: dict[str, Any], whole: bool, cut: str
) -> None:
    kept = {key: value for key, value in REAL.items() if key != cut} if whole else {}
    text = yaml.safe_dump(kept | changes, allow_unicode=True)
    loads_or_says_where(text.encode("utf-8", "replace"))


@given(
    st.lists(
        st.sampled_from(
            [*"abe019 \n\t[]{},:-#&*!|>'\"%@`?\\_.~é\u2028\x00", ": ", "\n- ", "\\U", "seeds"]
        )
    )
)
@FUZZ
def test_any_text(tokens: list[str]) -> None:
    loads_or_says_where("".join(tokens).encode())


@given(st.binary(max_size=60), st.booleans())
@FUZZ
def test_any_bytes(content: bytes, after: bool) -> None:
    loads_or_says_where((BASE.encode() if after else b"") + content)
