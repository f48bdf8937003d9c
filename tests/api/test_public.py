"""The public names of the package, and what importing it costs."""

from __future__ import annotations

import pytest

import initbench
from initbench import api, spec
from initbench.core import initializers
from tests.conftest import printed_by

NAMES = ["Experiment", "Initializer", "Moments", "check", "compare", "diagnose", "draw", "run"]


def test_the_public_names_are_these() -> None:
    assert initbench.__all__ == NAMES
    assert set(NAMES) <= set(dir(initbench))
    assert initbench.Experiment is spec.Experiment
    assert initbench.Initializer is initializers.Initializer
    assert initbench.Moments is initializers.Moments
    for name in api.__all__:
        assert getattr(initbench, name) is getattr(api, name)


@pytest.mark.parametrize("name", NAMES)
def test_each_has_a_docstring(name: str) -> None:
    assert getattr(initbench, name).__doc__


def test_other_names_are_unknown() -> None:
    with pytest.raises(AttributeError, match="module 'initbench' has no attribute 'trian'"):
        _ = initbench.trian  # type: ignore[attr-defined]


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, initbench\n"
        "heavy = {'numpy', 'scipy', 'sklearn', 'pydantic', 'yaml', 'rich', 'click'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
        "initbench.draw\n"
        "print('numpy' in sys.modules)\n"
    )
    assert printed_by(code).split("\n")[:2] == ["[]", "True"]
