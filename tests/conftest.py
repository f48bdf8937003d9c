"""What all tests share: one BLAS thread, Hypothesis' profiles, marks for systems and frameworks.

CI tries the same examples each time, so that a change is judged by itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from hypothesis import settings
from threadpoolctl import threadpool_limits

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("explore", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "explore")

#: Set by `make frameworks`: a test of its that skips has failed, since nothing may be missing.
REQUIRE = "INITBENCH_REQUIRE_FRAMEWORKS"
#: Whoever asks for one of these fixtures is marked `frameworks`.
FRAMEWORK_FIXTURES = {"torch", "framework"}
#: How the reason of a skip for lack of one begins, where a test imports it by itself.
NOT_FOUND = tuple(f"could not import '{name}'" for name in ("torch", "jax", "keras"))

#: For a test that compares a message which names a path or quotes the system.
POSIX_WORDS = pytest.mark.skipif(
    os.name == "nt", reason="Windows writes paths with backslashes, and its errors in other words"
)


def printed_by(code: str) -> str:
    """What the code prints in a Python of its own, which has imported nothing yet."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Products this small gain nothing from BLAS threads, and wait long for them on busy cores."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="session")
def torch() -> Any:
    """PyTorch on one thread; without it the test skips."""
    module = pytest.importorskip("torch")
    module.set_num_threads(1)
    return module


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
    """A marked test that skips fails where frameworks are required; an unmarked one always does."""
    report = yield
    reason = str(call.excinfo.value) if report.skipped and call.excinfo else ""
    if item.get_closest_marker("frameworks"):
        if report.skipped and os.environ.get(REQUIRE):
            report.outcome = "failed"
            report.longrepr = f"skipped, but {REQUIRE} is set: {reason}"
    elif reason.startswith(NOT_FOUND):
        report.outcome = "failed"
        report.longrepr = f"{reason}; a test asks for the fixture `torch`, which marks it"
    return report
