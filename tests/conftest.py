"""Hypothesis' profiles, and the tests that need PyTorch, JAX or Keras: all marked, none forgotten.

CI tries the same examples each time, so that a change is judged by itself.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import settings

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "explore")

#: Set by `make frameworks`: a test of its that skips has failed, since nothing may be missing.
REQUIRE = "INITBENCH_REQUIRE_FRAMEWORKS"
#: Whoever asks for one of these fixtures is marked `frameworks`.
FRAMEWORK_FIXTURES = {"torch", "framework"}


@pytest.fixture(scope="session")
def torch() -> Any:
    """PyTorch; without it the test skips."""
    return pytest.importorskip("torch")


@pytest.hookimpl(tryfirst=True)  # before pytest selects by `-m frameworks`
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need a framework."""
    for item in items:
        if FRAMEWORK_FIXTURES & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.frameworks)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where frameworks are required, a marked test that skips fails with its reason."""
    report = yield
    if report.skipped and os.environ.get(REQUIRE) and item.get_closest_marker("frameworks"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but {REQUIRE} is set: {call.excinfo and call.excinfo.value}"
    return report
