from __future__ import annotations

import subprocess
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from initbench.runs.provenance import provenance


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_versions_blas_and_time() -> None:
    made = provenance()
    assert made.numpy == np.__version__
    assert made.blas
    assert made.cpu
    assert datetime.fromisoformat(made.created).utcoffset() is not None


def test_the_commit_and_whether_dirty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for state in ("clean", "dirty"):
        folder = tmp_path / state
        folder.mkdir()
        git(folder, "init", "-q")
        (folder / "file").write_text("one")
        git(folder, "add", "file")
        git(folder, "commit", "-qm", "one")
        if state == "dirty":
            (folder / "file").write_text("two")
        monkeypatch.chdir(folder)
        made = provenance()
        assert (made.commit, made.dirty) == (git(folder, "rev-parse", "HEAD"), state == "dirty")


def test_outside_of_a_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    made = provenance()
    assert (made.commit, made.dirty) == ("", False)
