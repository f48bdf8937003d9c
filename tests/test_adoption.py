"""A repository that is not initbench's own: the action's steps, the hooks, three lines of YAML.

The steps' scripts are read out of action.yml and run by bash, in a folder with a config, a plugin
and GitHub's variables.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from initbench.cli import main
from tests.cli.conftest import invoke

ROOT = Path(__file__).parent.parent
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
CONFIG = """\
initializer: mine
layers: [2, 10, 5, 1]
iterations: 300
learning_rate: 0.3
seeds: 4
plugins: [../own.py]
"""
PLUGIN = """\
def mine(rng, shape, dtype):
    return (FACTOR * rng.standard_normal(shape) * (2 / shape[1]) ** 0.5).astype(dtype)
"""
#: Stands for what is installed: `initbench` runs the code of this checkout, and pip nothing.
INITBENCH = """\
#!/bin/sh
exec "{python}" -c "from initbench.cli import main; main()" "$@"
"""
PYTHON = """\
#!/bin/sh
echo "$@" >> "{log}"
"""


@dataclass(frozen=True)
class Repository:
    """A foreign repository on GitHub's runner."""

    folder: Path
    temporary: Path
    environment: dict[str, str]

    def run(self, script: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        # GitHub calls bash in this way: https://docs.github.com/actions, "shell".
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.folder, env={**self.environment, **environment},
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def action(self, **inputs: str) -> list[subprocess.CompletedProcess[str]]:
        """Run the action's scripts with these inputs until one fails."""
        assert inputs.keys() <= ACTION["inputs"].keys()
        values = {f"inputs.{name}": str(row["default"]) for name, row in ACTION["inputs"].items()}
        values |= {f"inputs.{name}": value for name, value in inputs.items()}
        values |= {"github.action_path": str(ROOT), "runner.temp": str(self.temporary)}
        done = []
        for step in ACTION["runs"]["steps"]:
            if "run" not in step:
                continue
            assert step["shell"] == "bash"
            assert "${{" not in step["run"]  # an input would be a part of the script
            environment = {
                key: re.sub(r"\$\{\{ (\S+) \}\}", lambda match: values[match[1]], text)
                for key, text in step["env"].items()
            }
            done.append(self.run(step["run"], environment))
            if done[-1].returncode:
                break
        return done


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    if shutil.which("bash") is None or os.name == "nt":
        pytest.skip("needs bash, which GitHub's runners have")
    programs, folder, temporary = (tmp_path / name for name in ("bin", "repository", "temp"))
    for path in (programs, folder / "gate", temporary):
        path.mkdir(parents=True)
    for name, text in (
        ("initbench", INITBENCH.format(python=sys.executable)),
        ("python", PYTHON.format(log=tmp_path / "pip.log")),
    ):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    (folder / "gate" / "own.yaml").write_text(CONFIG)
    (folder / "own.py").write_text(PLUGIN.replace("FACTOR", "1.0"))
    return Repository(
        folder,
        temporary,
        {
            **os.environ,
            "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(folder),
            "GITHUB_STEP_SUMMARY": str(temporary / "summary.md"),
        },
    )


def test_a_foreign_repository_gates_its_own_initializer(repository: Repository) -> None:
    own = {
        "configs": "gate/own.yaml", "baseline": "gate/baseline.json", "options": "--trust-plugins"
    }  # fmt: skip
    *_, missing = repository.action(**own)
    assert missing.returncode == 3
    assert "::error title=initbench%3A error::gate/baseline.json: no such file" in missing.stderr
    save = "initbench baseline save gate/own.yaml --baseline gate/baseline.json --trust-plugins"
    assert repository.run(save, {}).returncode == 0

    installed, checked = repository.action(**own)
    assert (installed.returncode, checked.returncode) == (0, 0), checked.stderr
    pip = (repository.folder.parent / "pip.log").read_text().splitlines()[-1]
    assert shlex.split(pip) == ["-m", "pip", "install", str(ROOT)]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"]["initbench"] == "initbench.__main__:main"
    assert "::" not in checked.stderr
    summary = repository.temporary / "summary.md"
    assert summary.read_text().startswith("**Against gate/baseline.json: 4 ok**")

    (repository.folder / "own.py").write_text(PLUGIN.replace("FACTOR", "0.002"))
    summary.unlink()
    _, checked = repository.action(**own)
    assert checked.returncode == 1
    assert "::error file=gate/own.yaml,line=1,col=14,title=initbench%3A regressed::" in (
        checked.stderr
    )
    assert "regressed" in summary.read_text()
    candidate = repository.temporary / "initbench-candidate.json"
    again = repository.run(f"initbench check gate/baseline.json {candidate}", {})
    assert again.returncode == 1, again.stderr

    (repository.folder / "gate" / "own.yaml").write_text(CONFIG.replace("0.3", "none"))
    _, checked = repository.action(**own)
    assert checked.returncode == 2
    assert "::error file=gate/own.yaml,line=4,col=16,title=" in checked.stderr


def test_what_was_trained_is_kept_whether_it_regressed_or_not() -> None:
    *_, check, keep = ACTION["runs"]["steps"]
    assert keep["uses"].startswith("actions/upload-artifact@")
    assert keep["with"]["path"] == check["env"]["CANDIDATE"]
    assert keep["if"] == "${{ !cancelled() }}"


def test_the_workflow_in_the_docs_gates_in_three_lines() -> None:
    page = (ROOT / "docs" / "gating.md").read_text(encoding="utf-8")
    block = re.findall(r"^ *```yaml skip=github\n(.*?)^ *```", page, re.M | re.S)[0]
    assert len(block[block.index("steps:\n") :].strip().splitlines()) == 1 + 3
    (job,) = yaml.safe_load(block)["jobs"].values()
    checkout, gate = job["steps"]
    assert checkout == {"uses": "actions/checkout@v4"}
    assert re.search(r"/initbench@", gate["uses"])
    assert gate["with"].keys() <= ACTION["inputs"].keys()


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: str(hook["id"]))
def test_hooks_are_commands(hook: dict[str, Any]) -> None:
    """The keys are those that pre-commit asks for: https://pre-commit.com/#new-hooks."""
    assert {"id", "name", "entry", "language"} <= hook.keys()
    assert hook["language"] == "python"
    program, name, *options = shlex.split(" ".join([hook["entry"], *hook.get("args", [])]))
    assert program == "initbench"
    command = main.get_command(click.Context(main), name)
    assert command is not None
    files = [] if hook.get("pass_filenames") is False else ["configs/he.yaml"]
    command.make_context(name, [*options, *files])
    assert re.search(hook["files"], "configs/he.yaml")


def test_hooks_pass_and_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "configs").mkdir()
    config = tmp_path / "configs" / "he.yaml"
    text = "initializer: zeros\nlayers: [2, 4, 1]\niterations: 50\nlearning_rate: 0.1\nseeds: 6\n"
    config.write_text(text)
    assert invoke("baseline", "save", "--all", "-q").exit_code == 0
    validate, check = (
        shlex.split(" ".join([hook["entry"], *hook.get("args", [])]))[1:] for hook in HOOKS
    )
    assert invoke(*validate, "configs/he.yaml").exit_code == 0
    done = invoke(*check, "--candidate", "quick.json")
    assert done.exit_code == 0
    (row,) = json.loads(Path("quick.json").read_text())["groups"]
    assert [run["seed"] for run in row["runs"]] == [0, 1]
    config.write_text(text.replace("50", "51"))
    assert invoke(*check).exit_code == 3
    config.write_text(text.replace("50", "x"))
    assert invoke(*validate, "configs/he.yaml").exit_code == 2
