from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from initbench import files as results
from initbench.errors import ResultsError
from tests.conftest import POSIX_WORDS


def test_files_are_written_whole(tmp_path: Path) -> None:
    paths = results.write_results(tmp_path, "he", {"csv": "a\n", "json": "é\n"})
    assert [path.name for path in paths] == ["he.csv", "he.json"]
    assert (tmp_path / "he.json").read_bytes() == "é\n".encode()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["he.csv", "he.json"]


def test_a_partial_result_stands_beside_the_complete_one_until_the_next(tmp_path: Path) -> None:
    results.write_results(tmp_path, "he", {"csv": "complete"})
    results.write_results(tmp_path, "he", {"csv": "half"}, partial=True)
    assert (tmp_path / "he.csv").read_text() == "complete"
    assert (tmp_path / "he.partial.csv").read_text() == "half"
    results.write_results(tmp_path, "he", {"csv": "again"})
    assert [path.name for path in tmp_path.iterdir()] == ["he.csv"]


def test_an_interrupt_while_writing_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "he.csv"
    path.write_text("old")

    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        results.write_atomically(path, "new")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["he.csv"]


@pytest.mark.skipif(os.name == "nt", reason="modes of files are POSIX")
def test_the_umask_is_respected(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        results.write_atomically(tmp_path / "x.csv", "")
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "x.csv").stat().st_mode) == 0o640


@POSIX_WORDS
def test_a_folder_that_cannot_be_is_refused_before_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "results"
    with pytest.raises(ResultsError) as refused:
        results.ensure_writable(folder)
    assert str(refused.value) == (
        f"{folder}: cannot be written: Not a directory; choose another folder with --results"
    )


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "he.csv").mkdir()  # a folder in the file's place
    with pytest.raises(ResultsError, match=r"he\.csv: cannot be written: .*--results"):
        results.write_results(tmp_path, "he", {"csv": ""})
    assert [path.name for path in tmp_path.iterdir()] == ["he.csv"]
