"""Standard output and error of any encoding, on a full disk, and without a reader."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from initbench.cli import main

FILES = {
    "small.yaml": "initializer: [he_normal, zeros]\nlayers: [2, 4, 1]\niterations: 20\n"
    "learning_rate: 0.1\nseeds: 4\n",
    "köln.yaml": "initializer: zeros\nlayers: [2, 4, 1]\niterations: 20\n"
    "learning_rate: 0.1\nseeds: 2\n",
}
ENCODINGS = ("ascii", "latin-1", "cp437")


def invoke(encoding: str, *arguments: str) -> Result:
    return CliRunner(charset=encoding).invoke(main, arguments)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    "arguments",
    [("run", "köln.yaml"), ("compare", "small.yaml"), ("diagnose", "small.yaml"), ("list",),
     ("run", "köln.yaml", "--format", "csv"), ("compare", "small.yaml", "--format", "markdown"),
     ("run", "nö.yaml")],
    ids=" ".join,
)  # fmt: skip
def test_an_encoding_changes_characters_alone(encoding: str, arguments: tuple[str, ...]) -> None:
    invoke("utf-8", *arguments)  # trains
    usual, done = invoke("utf-8", *arguments), invoke(encoding, *arguments)
    assert done.exit_code == usual.exit_code
    assert done.exception is None or isinstance(done.exception, SystemExit)
    for ours, theirs in ((done.stdout, usual.stdout), (done.stderr, usual.stderr)):
        assert "?" not in ours.replace("did you mean", "").rstrip("?\n")
        assert len(ours.splitlines()) == len(theirs.splitlines())


def test_the_table_in_ascii() -> None:
    done = invoke("ascii", "run", "small.yaml")
    assert [line.rstrip() for line in done.stdout.splitlines()][:10] == [
        "small: circles (one split), 2-4-1 relu, gd, learning rate 0.1, 20 iterations,",
        "full batch, float64",
        "",
        "                                       train                  test",
        "                  runs      train   accuracy       test   accuracy",
        " initializer  diverged       loss          %       loss          %",
        " -----------------------------------------------------------------",
        " he_normal         0/4     0.7089       49.7     0.7095       49.5",
        "                        0.68-0.75  46.3-51.3  0.69-0.76  44.0-52.0",
        " zeros             0/4     0.6931       50.0     0.6931       50.0",
    ]


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("arguments", [("run", "köln.yaml", "--format", "json"), ("schema",)])
def test_json_holds_every_character_in_any_encoding(
    encoding: str, arguments: tuple[str, ...]
) -> None:
    invoke("utf-8", *arguments)
    usual, done = invoke("utf-8", *arguments), invoke(encoding, *arguments)
    assert json.loads(done.stdout) == json.loads(usual.stdout)
    assert done.stdout.isascii()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_verdict_does_not_depend_on_the_encoding(encoding: str) -> None:
    invoke("utf-8", "baseline", "save", "small.yaml")
    worse = ("check", "small.yaml", "--set", "learning_rate=10")
    for arguments in (("check", "small.yaml"), worse):
        usual, done = invoke("utf-8", *arguments), invoke(encoding, *arguments)
        assert done.exit_code == usual.exit_code
        for output_format in ("junit", "github"):
            shown = invoke(encoding, *arguments, "--format", output_format)
            assert shown.exit_code == usual.exit_code


def initbench(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A shell's command line, in which `$I` is initbench."""
    variables = {
        **{key: value for key, value in os.environ.items() if not key.startswith("LC_")},
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "I": f"{sys.executable} -c 'from initbench.cli import main; main()'",
        **environment,
    }
    return subprocess.run(
        ["bash", "-c", command.replace("$I", variables["I"])], env=variables, text=True,
        capture_output=True, timeout=60, check=False,
    )  # fmt: skip


needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
FULL = "standard output: cannot be written: No space left on device\n"


@needs_full
def test_a_full_disk_ends_a_command_with_a_message_and_3() -> None:
    done = initbench("$I list losses >/dev/full; echo $?; $I --help >/dev/full; echo $?")
    assert (done.stdout, done.stderr) == ("3\n3\n", 2 * FULL)


@needs_full
def test_a_full_disk_is_no_regression() -> None:
    done = initbench("$I list losses 2>/dev/full; echo $?; $I lists 2>/dev/full; echo $?")
    assert done.stderr == ""
    assert done.stdout.splitlines()[0] == "losses"
    assert done.stdout.splitlines()[-2:] == ["0", "2"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGPIPE")
def test_a_reader_that_has_gone_is_met_quietly() -> None:
    done = initbench("for x in 'list' --help; do $I $x | :; echo ${PIPESTATUS[0]}; done")
    assert (done.stdout, done.stderr) == ("141\n141\n", "")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such locale")
def test_the_posix_locale() -> None:
    done = initbench(
        "$I list initializers", LC_ALL="POSIX", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0"
    )
    assert done.returncode == 0
    assert done.stderr == ""
    assert "Glorot" in done.stdout
    assert "Saxe" in done.stdout
    assert done.stdout.isascii()
