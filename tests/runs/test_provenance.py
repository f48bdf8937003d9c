from __future__ import annotations

import os
import subprocess
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from initbench.runs import provenance as module
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


def files_of(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below the folder with its time of change, so that a rewritten one is seen."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path): (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


@pytest.mark.skipif(os.name == "nt", reason="the programs are shell scripts")
@pytest.mark.parametrize("changed", [False, True])
def test_a_checkout_of_somebody_else_runs_nothing_and_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: bool
) -> None:
    """Its settings name a program wherever git can run one when it looks at a checkout."""
    folder, ran = tmp_path / "theirs", tmp_path / "ran"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "file").write_text("one")
    (folder / "module").mkdir()
    git(folder / "module", "init", "-q")
    git(folder / "module", "commit", "-qm", "inner", "--allow-empty")
    (folder / ".gitattributes").write_text("* filter=evil diff=evil text\n")
    git(folder, "-c", "advice.addEmbeddedRepo=false", "add", ".")
    git(folder, "commit", "-qm", "one")
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho $0 $@ >> {ran}\ncat\n")
    program.chmod(0o755)
    hooks = folder / ".git" / "hooks"
    for hook in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        (hooks / hook).write_text(program.read_text())
        (hooks / hook).chmod(0o755)
    for repository in (folder, folder / "module"):
        for key in (
            "core.fsmonitor", "core.pager", "core.editor", "core.sshCommand", "core.askPass",
            "core.alternateRefsCommand", "core.gitProxy", "filter.evil.clean",
            "filter.evil.smudge", "filter.evil.process", "diff.evil.command", "diff.evil.textconv",
            "diff.external", "gpg.program", "credential.helper", "alias.status", "alias.rev-parse",
            "pager.status", "remote.origin.uploadpack",
        ):  # fmt: skip
            git(repository, "config", key, f"!{program}" if "alias" in key else str(program))
        git(repository, "config", "filter.evil.required", "true")
        git(repository, "config", "status.submoduleSummary", "true")
        git(repository, "config", "remote.origin.url", str(tmp_path))
        git(repository, "config", "remote.origin.promisor", "true")
        git(repository, "config", "extensions.partialClone", "origin")
    # Its time differs from the index's, so that git has to read it.
    (folder / "file").write_text("two" if changed else "one")
    os.utime(folder / "file", (1, 1))
    before = files_of(folder)
    monkeypatch.chdir(folder)
    made = provenance()
    assert not ran.exists(), ran.read_text()
    assert files_of(folder) == before
    assert (len(made.commit), made.dirty) == (40, changed)
    # The test can fail: git's own status runs what the settings say.
    subprocess.run(["git", "status"], capture_output=True, check=False)
    assert ran.exists()


@pytest.mark.parametrize("kind", ["sha256", "worktree", "subfolder", "packed", "crlf"])
def test_checkouts_of_every_kind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "-q", *(["--object-format=sha256"] if kind == "sha256" else []))
    if kind == "crlf":
        git(folder, "config", "core.autocrlf", "true")
    (folder / "sub").mkdir()
    (folder / "sub" / "file").write_bytes(b"one\r\n" if kind == "crlf" else b"one\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    if kind == "packed":
        git(folder, "gc", "-q")
    if kind == "worktree":
        git(folder, "worktree", "add", "-q", str(tmp_path / "other"))
        folder = tmp_path / "other"
    if kind == "subfolder":
        folder /= "sub"
    for dirty in (False, True):
        file = next(folder.glob("**/file"))
        if dirty:
            file.write_text("two\n")
        os.utime(file, (1, 1))
        monkeypatch.chdir(folder)
        module._checkout.cache_clear()
        made = provenance()
        assert (made.commit, made.dirty) == (git(folder, "rev-parse", "HEAD"), dirty)
