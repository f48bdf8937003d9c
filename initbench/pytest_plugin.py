"""pytest's fixture ``assert_init``; nothing is imported until a test asks for it."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.fixture
def assert_init() -> Callable[..., None]:
    """:func:`initbench.torch.assert_init`; without PyTorch the test skips."""
    pytest.importorskip("torch")
    from initbench.torch import assert_init as check

    return check
