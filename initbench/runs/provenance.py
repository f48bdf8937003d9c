"""Where numbers were made: versions, BLAS kernel, CPU and git commit, kept beside every result."""

from __future__ import annotations

import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path

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


@cache
def _checkout(folder: Path) -> tuple[str, bool]:
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        return commit, bool(_git(folder, "status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.SubprocessError):
        return "", False


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603  # fixed arguments: the two calls above
        ["git", *arguments],  # noqa: S607  # git is wherever the user has it
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
        timeout=10,
    )
    return done.stdout.strip()
