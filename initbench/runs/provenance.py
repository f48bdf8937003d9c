"""Where numbers were made: versions, BLAS kernel, CPU and git commit, kept beside every result."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

from initbench.core.engine.blas import blas


@dataclass(frozen=True, slots=True)
class Provenance:
    """What may move a run's last bits, and what else one wants to know about an old result."""

    initbench: str
    python: str
    numpy: str
    blas: str  # library, version and kernel: "openblas 0.3.31 SkylakeX"
    cpu: str
    commit: str  # of the git checkout that the command ran in; "" outside of one
    dirty: bool  # whether that checkout had changes
    created: str  # UTC, ISO 8601, to the second

    @property
    def numerics(self) -> str:
        """The NumPy and BLAS that made the numbers: where they differ, last bits may differ."""
        return f"NumPy {self.numpy}, {self.blas}"


def provenance() -> Provenance:
    """The provenance of what this process makes now."""
    commit, dirty = _checkout(Path.cwd())
    return Provenance(
        initbench=version("initbench"),
        python=platform.python_version(),
        numpy=version("numpy"),
        blas=blas(),
        cpu=_cpu(),
        commit=commit,
        dirty=dirty,
        created=now(),
    )


def now() -> str:
    """This moment, as ``Provenance.created`` holds it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


@cache
def version(distribution: str) -> str:
    """The version of an installed distribution, read once, because every stack asks for it."""
    return metadata.version(distribution)


@cache
def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.partition(":")[2].strip() for line in lines if line.startswith("model n"))
    except (OSError, StopIteration):  # no Linux, or an architecture that names no model
        return platform.processor() or platform.machine()


#: Settings of a checkout that say how its files were written, and that run nothing.
_HOW_FILES_ARE_WRITTEN = (
    r"^core\.(filemode|symlinks|ignorecase|autocrlf|eol|checkstat|trustctime|precomposeunicode)$"
)


@cache
def _checkout(folder: Path) -> tuple[str, bool]:
    """The commit of the checkout around the folder, and whether its tracked files have changes.

    Whoever made the checkout wrote its .git/config, which may name programs: monitors, filters,
    hooks, helpers that fetch. Git runs none of them here. ``rev-parse`` only looks up names, and
    ``status`` works in an empty repository of ours, which borrows the checkout's files, index and
    objects, and has neither its settings nor the user's. It takes no lock and writes no index.
    """
    try:
        names = ("--show-toplevel", "--git-path", "index", "--git-path", "objects")
        commit, *paths = _git(folder, "rev-parse", "HEAD", *names).split("\n")
        tree, index, objects = (str(folder / path) for path in paths)
        with TemporaryDirectory(prefix="initbench-") as empty:
            _make_repository(Path(empty), commit)
            borrowed = {
                "GIT_DIR": empty,
                "GIT_WORK_TREE": tree,
                "GIT_INDEX_FILE": index,
                "GIT_OBJECT_DIRECTORY": objects,
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_OPTIONAL_LOCKS": "0",
            }
            options = ("--porcelain", "--untracked-files=no", "--ignore-submodules=all")
            settings = [part for pair in _settings(folder) for part in ("-c", pair)]
            changes = _git(Path(tree), *settings, "status", *options, **borrowed)
    except (OSError, subprocess.SubprocessError, ValueError):  # no checkout, no commit, no git
        return "", False
    return commit, bool(changes)


def _make_repository(folder: Path, commit: str) -> None:
    """The least that git takes for a repository, with ``commit`` checked out."""
    (folder / "objects").mkdir()
    (folder / "refs").mkdir()
    (folder / "HEAD").write_text(f"{commit}\n", encoding="ascii")
    if len(commit) == 64:
        sha256 = "[core]\nrepositoryformatversion = 1\n[extensions]\nobjectFormat = sha256\n"
        (folder / "config").write_text(sha256, encoding="ascii")


def _settings(folder: Path) -> list[str]:
    """KEY=VALUE of each setting of the checkout that says how its files were written."""
    try:
        found = _git(folder, "config", "--null", "--get-regexp", _HOW_FILES_ARE_WRITTEN)
    except subprocess.CalledProcessError:  # there are none
        return []
    return [pair.replace("\n", "=", 1) for pair in found.split("\0") if pair]


def _git(folder: Path, *arguments: str, **environment: str) -> str:
    done = subprocess.run(  # noqa: S603  # arguments of ours, and settings that run nothing
        ["git", *arguments],  # noqa: S607  # git is wherever the user has it
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=True,
        timeout=10,
    )
    return done.stdout.strip()
