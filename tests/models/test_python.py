"""`initbench.torch` and pytest's fixture."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

pytest.importorskip("torch")
import torch  # skipped above without it

import initbench.torch
from initbench.pytest_plugin import assert_init  # noqa: F401  # a fixture
from tests.models import zoo

pytestmark = pytest.mark.frameworks

LAWS = {
    "*c_proj.weight": "normal(std=0.02/sqrt(2*2))",
    "*ln_*": "auto",
    "*.bias": "zeros",
    "*": "normal(std=0.02)",
}


def test_fixture_names_parameter_law_and_both_deviations(
    assert_init: Callable[..., None],  # noqa: F811
) -> None:
    assert_init(partial(zoo.Gpt2, scaled=True, layers=2), LAWS)
    with pytest.raises(AssertionError, match=r"h\.0\.attn_c_proj\.weight: normal.*says 0\.01"):
        assert_init(partial(zoo.Gpt2, scaled=False, layers=2), LAWS)


def test_a_model_is_looked_at_as_it_is() -> None:
    model = zoo.gpt2()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    checks = initbench.torch.verify(model, {"*": "any"}).checks
    assert all(one.ok for one in checks)
    found = initbench.torch.diagnose(model, torch.randint(0, 5000, (2, 16)))
    assert (found.condition, found.seeds) == ("healthy", 1)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
