"""A command that is asked to end keeps what is finished, says so, and never prints a traceback."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from contextlib import closing
from pathlib import Path
from threading import Timer

import pytest

from initbench import signals
from initbench.runs import database, store

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals between processes are POSIX")

#: Its spirals need no scikit-learn, whose import takes longest.
CONFIG = """
initializer: zeros
layers: [2, 8, 1]
dataset: {name: spirals, train_samples: 50, test_samples: 20}
iterations: 3000
log_every: 1000
learning_rate: 0.1
seeds: 4000
"""
#: Whoever started the tests may have told their children to ignore Ctrl-C.
AS_A_TERMINAL_STARTS = """
import signal, sys
for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(each, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
"""
COMMAND = f"""{AS_A_TERMINAL_STARTS}
import runpy
runpy.run_module("initbench", run_name="__main__", alter_sys=True)
"""


def start(code: str, *arguments: str, folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def stored_runs(folder: Path) -> int:
    try:
        with closing(sqlite3.connect(folder / "results" / store.FILE, timeout=10)) as connection:
            return int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])
    except sqlite3.OperationalError:  # not made yet
        return 0


@pytest.mark.parametrize(
    ("number", "jobs", "group"),
    [
        (signal.SIGTERM, "1", False),
        (signal.SIGTERM, "2", True),
        (signal.SIGHUP, "2", True),
        (signal.SIGINT, "2", False),
    ],
)
def test_what_is_finished_is_kept(tmp_path: Path, number: int, jobs: str, group: bool) -> None:
    """The signal comes to the driver alone, or to all its processes, as a terminal sends it."""
    (tmp_path / "many.yaml").write_text(CONFIG)
    with start(COMMAND, "run", "many.yaml", "--jobs", jobs, folder=tmp_path) as command:
        while not stored_runs(tmp_path) and command.poll() is None:
            time.sleep(0.02)
        (os.killpg if group else os.kill)(command.pid, number)
        output, errors = command.communicate(timeout=60)
    assert command.returncode == 128 + number, errors
    wrote, finished, last = errors.splitlines()
    assert wrote == "wrote results/many.partial.csv, results/many.partial.json"
    assert finished == f"{stored_runs(tmp_path):,} of 4,000 runs finished"
    assert last == "interrupted"
    assert "zeros" in output


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    code = f"""{AS_A_TERMINAL_STARTS}
import time
from initbench import signals
signals.BEFORE_ENDING.append(lambda: print("cleaned", flush=True))
with signals.stopping():
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        print("leaving", flush=True)
        time.sleep(60)
"""
    with start(code, folder=tmp_path) as command:
        assert command.stdout is not None
        for word in ("ready", "leaving"):
            assert command.stdout.readline() == f"{word}\n"
            command.send_signal(signal.SIGINT)
        output, errors = command.communicate(timeout=30)
    assert (command.returncode, output, errors) == (130, "cleaned\n", "interrupted\n")


def test_a_signal_while_python_imports_is_no_traceback(tmp_path: Path) -> None:
    moments = random.Random(14)
    for _ in range(6):
        with start(COMMAND, "list", "initializers", folder=tmp_path) as command:
            time.sleep(moments.uniform(0.05, 0.5))
            command.terminate()
            _, errors = command.communicate(timeout=30)
        # It came before the command line was there, while it worked, or after its end.
        assert command.returncode in (-signal.SIGTERM, 143, 0)
        assert errors in ("", "interrupted\n")


def test_a_signal_that_a_module_turns_into_an_error_is_no_traceback(tmp_path: Path) -> None:
    """As compiled modules do that are being loaded: `ImportError: initialization failed`."""
    code = f"""{AS_A_TERMINAL_STARTS}
from initbench import cli
@cli.main.command("load")
def load():
    try:
        signal.raise_signal(signal.SIGTERM)
    except KeyboardInterrupt:
        raise ImportError("initialization failed")
cli.Commands.get_command = lambda self, ctx, name: load
cli.main(["load"])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (143, "interrupted\n")


def test_a_terminal_that_is_gone_does_not_change_the_exit_code(tmp_path: Path) -> None:
    """Whoever closes a terminal cannot be shown what was finished."""
    code = f"""{AS_A_TERMINAL_STARTS}
from initbench import cli
@cli.main.command("wait")
def wait():
    try:
        signal.raise_signal(signal.SIGHUP)
    except KeyboardInterrupt:
        print("what was finished")
cli.Commands.get_command = lambda self, ctx, name: wait
cli.main(["wait"])
"""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=tmp_path, stdout=full, check=False,
            stderr=subprocess.PIPE, text=True, timeout=60,
        )  # fmt: skip
    assert done.returncode == 129, done.stderr
    assert done.stderr.startswith("standard output: cannot be written")


def test_ignored_signals_stay_ignored(tmp_path: Path) -> None:
    """What `nohup` asks for."""
    code = """
    import signal
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    from initbench import signals
    with signals.stopping(), signals.deferred():
        signal.raise_signal(signal.SIGHUP)
    print("alive")
    """
    with start(textwrap.dedent(code), folder=tmp_path) as command:
        assert command.communicate(timeout=30) == ("alive\n", "")


def test_a_deferred_signal_is_heard_at_the_end() -> None:
    done = []
    before = signal.getsignal(signal.SIGTERM)

    def work() -> None:
        with signals.deferred():
            signal.raise_signal(signal.SIGTERM)
            done.append("the whole block")
        done.append("what follows")

    with pytest.raises(signals.Stopped) as stopped, signals.stopping():
        work()
    assert done == ["the whole block"]
    assert stopped.value.exit_code == 143
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_signal_while_an_object_is_freed_is_not_lost(tmp_path: Path) -> None:
    code = f"""{AS_A_TERMINAL_STARTS}
from initbench import signals
class Object:
    def __del__(self):
        signal.raise_signal(signal.SIGTERM)
with signals.stopping():
    Object()
    print("went on", flush=True)
"""
    with start(code, folder=tmp_path) as command:
        output, errors = command.communicate(timeout=30)
    assert (command.returncode, output, errors) == (143, "", "interrupted\n")


def test_a_signal_is_heard_while_the_store_is_locked(tmp_path: Path) -> None:
    with store.opened(tmp_path):
        pass
    with closing(sqlite3.connect(tmp_path / store.FILE)) as other:
        other.execute("BEGIN IMMEDIATE")
        ctrl_c = Timer(0.2, signal.raise_signal, [signal.SIGINT])
        begun = time.monotonic()
        ctrl_c.start()
        with pytest.raises(signals.Stopped), signals.stopping(), store.opened(tmp_path) as opened:
            opened.remove(store.Filter())
        assert time.monotonic() - begun < database.PATIENCE / 2
        ctrl_c.join()
