"""What the fuzzers share: how many cases they try, and what every command must keep to."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest
from click.testing import Result
from hypothesis import HealthCheck, settings

from tests.cli.conftest import invoke

#: Cases that each fuzzer tries: few in `make test`, thousands in `make fuzz`.
CASES = int(os.environ.get("INITBENCH_FUZZ_CASES", "0"))
#: The exit codes of the contract, without that of an interrupt.
EXIT_CODES = {0, 1, 2, 3}
#: Seconds of the processor after which a command has hung. The inputs are small.
PATIENCE = 10.0


#: How many commands ended with each exit code.
ENDED: Counter[int] = Counter()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the fuzzers tried, where thousands were asked for."""
    if CASES:
        codes = ", ".join(f"{count:,} with {code}" for code, count in sorted(ENDED.items()))
        terminalreporter.write_line(f"fuzz: {ENDED.total():,} commands ended: {codes}")


def cases(short: int) -> settings:
    """Hypothesis' settings for ``short`` cases, or for as many as the environment asks."""
    return settings(
        max_examples=CASES or short,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working folder for all cases of a module, as long as Hypothesis draws them."""
    folder = tmp_path_factory.mktemp("fuzz")
    before = Path.cwd()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
            patch.delenv(name, raising=False)
        os.chdir(folder)
        yield folder
        os.chdir(before)


def obeys(*arguments: str) -> Result:
    """Run `initbench ARGUMENTS`, and hold what holds for every input.

    No exception leaves the command, its exit code is one of the contract's, a failure has a
    message, and it ends.
    """
    begun = time.process_time()
    with _limit(arguments):
        done = invoke(*arguments)
    assert time.process_time() - begun < PATIENCE, arguments
    raised = done.exception
    if raised is not None and not isinstance(raised, SystemExit):
        raise AssertionError(f"{arguments} raised {raised!r}") from raised
    ENDED[done.exit_code] += 1
    assert done.exit_code in EXIT_CODES, (arguments, done.exit_code)
    assert "Traceback" not in done.output, (arguments, done.output)
    assert done.exit_code in (0, 1) or done.stderr.strip(), (arguments, "says nothing")
    return done


class HangError(BaseException):
    """A command did not end; no handler for errors may catch it."""


@contextmanager
def _limit(arguments: tuple[str, ...]) -> Iterator[None]:
    """Ends a command that hangs, on systems that have alarms."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def hang(_: int, frame: FrameType | None) -> None:
        raise HangError(arguments, frame)

    before = signal.signal(signal.SIGALRM, hang)
    signal.alarm(int(6 * PATIENCE))  # a busy machine is no hang
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
