"""Files of configs: what loads, loads as it was meant."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import initbench
from initbench import config, spec
from initbench.core.initializers import INITIALIZERS
from initbench.errors import ConfigError
from tests.config.conftest import BASE, load, refused
from tests.conftest import POSIX_WORDS

CONFIGS = Path(initbench.__file__).parent.parent / "configs"


def test_a_name_is_the_file_s_stem_or_its_own() -> None:
    assert load(BASE, name="big.small.yaml")[0].name == "big.small"
    assert [load(BASE + f"name: {n}\n")[0].name for n in ("a b", "x" * 100)] == ["a b", "x" * 100]


def test_two_configs_of_one_name() -> None:
    load(BASE, name="a.yaml")
    load(BASE + "name: a\n", name="b.yaml")
    why = "is also the name of a.yaml, whose results it would overwrite; give one another name"
    assert refused(["a.yaml", "b.yaml"]) == f"b.yaml: name: 'a' {why}"


@POSIX_WORDS
def test_files_that_cannot_be_read(folder: Path) -> None:
    load(BASE, name="glorot.yaml")
    for name in ("sub", "empty", "sub/z.yaml"):
        (folder / name).mkdir()
    paths = ["gloort.yaml", "nowhere/x.yaml", "sub", "empty", "glorot.yaml/x.yaml"]
    assert refused(paths).splitlines() == [
        "gloort.yaml: no such file; did you mean 'glorot.yaml'?",
        "nowhere/x.yaml: no such file",
        "sub: is a folder; name its configs, as in sub/z.yaml",
        "empty: is a folder; name its configs",
        "glorot.yaml/x.yaml: cannot be read: Not a directory",
    ]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all files")
def test_a_file_without_permission() -> None:
    load(BASE)
    Path("x.yaml").chmod(0)
    assert refused(["x.yaml"]) == "x.yaml: cannot be read: Permission denied"


@pytest.mark.parametrize("path", sorted(CONFIGS.rglob("*.yaml")), ids=lambda path: path.stem)
def test_a_shipped_config_asks_a_question_and_loads(path: Path) -> None:
    assert re.match("# .*[?]\n", path.read_text(encoding="utf-8"))
    assert config.load([path])[0].name == path.stem


@pytest.mark.parametrize(
    ("name", "loss", "accuracy"),
    [
        ("zeros", 0.6931471805599453, 0.5),
        ("random_large", 0.38278397192120406, 0.86),
        ("he", 0.07357895962677366, 0.96),
    ],
)
def test_the_article_s_numbers_are_expected(name: str, loss: float, accuracy: float) -> None:
    (experiment,) = config.load([CONFIGS / f"{name}.yaml"])
    held = {(e.metric, e.seed): e for e in experiment.expect}
    assert held["train_loss@14000", 3].value == loss
    assert held["train_loss@14000", 3].atol <= 2e-4
    assert held["test_accuracy", 3].value == accuracy
    assert (experiment.architecture.sizes, experiment.iterations) == ((2, 10, 5, 1), 15000)
    assert (experiment.learning_rate, experiment.dataset) == (0.01, spec.CirclesDataset())


def test_the_catalogue_has_every_initializer() -> None:
    (experiment,) = config.load([CONFIGS / "catalogue" / "catalogue.yaml"])
    assert {choice.name for choice in experiment.initializer} == set(INITIALIZERS)


def test_all_configs_are_those_of_the_folder(folder: Path) -> None:
    assert config.all_configs() == sorted(CONFIGS.glob("*.yaml"))
    (folder / "configs").mkdir()
    with pytest.raises(
        ConfigError, match=r"^configs: holds no config \(\*\.yaml\); name configs, or add some$"
    ):
        config.all_configs()
    for name in ("b.yml", "a.yaml", "c.yxml"):
        (folder / "configs" / name).touch()
    assert config.all_configs() == [Path("configs/a.yaml"), Path("configs/b.yml")]
