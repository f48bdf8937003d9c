"""`initbench plot`, and `run --weights`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.cli.conftest import invoke

FILES = {
    "small.yaml": (
        "initializer: [he_normal, zeros]\nlayers: [2, 4, 1]\niterations: 20\n"
        "log_every: 10\nlearning_rate: 0.1\nseeds: 2\n"
    )
}


def test_a_figure_is_written_from_stored_runs(folder: Path) -> None:
    pytest.importorskip("altair", reason="figures need the extra `report`")
    done = invoke("plot", "curves", "small.yaml", "-o", "figures/loss.svg", "--width", "85mm")
    assert done.exit_code == 0, done.output
    assert done.stderr == "wrote figures/loss.svg\n4 runs: 0 from results, 4 trained\n"
    svg = (folder / "figures/loss.svg").read_text()
    assert 'width="240.94pt"' in svg[:300]
    again = invoke("plot", "curves", "small.yaml", "-o", "figures/loss.svg", "--width", "85mm")
    assert again.stderr == "wrote figures/loss.svg\n4 runs: 4 from results, 0 trained\n"
    assert (folder / "figures/loss.svg").read_text() == svg


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("-o", "loss.tex"), "must end in .svg, .png or .pdf, got 'loss.tex'"),
        (("-o", "loss.svg", "--width", "3"), "must be a length from 1in to 40in"),
        (("-o", "loss.svg", "--width", "infin"), "must be a length from 1in to 40in"),
        (("-o", "loss.svg", "--width", "nanin"), "must be a length from 1in to 40in"),
        ((), "Missing option '-o' / '--output'"),
    ],
    ids=str,
)
def test_a_wrong_option_is_explained(arguments: tuple[str, ...], message: str) -> None:
    done = invoke("plot", "curves", "small.yaml", *arguments)
    assert done.exit_code == 2
    assert message in " ".join(done.stderr.split())


def test_without_altair_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("initbench.report.charts")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "altair", None)
    done = invoke("plot", "curves", "small.yaml", "-o", "loss.svg")
    assert done.exit_code == 2
    assert done.stderr == (
        "charts need Altair, vl-convert and pikepdf; try: pip install 'initbench[report]'\n"
    )
    assert not Path("results").exists()  # nothing was trained


def test_run_writes_first_and_last_weights(folder: Path) -> None:
    done = invoke("run", "small.yaml", "--weights")
    assert done.exit_code == 0, done.output
    assert "results/small.json, results/weights\n" in done.stderr
    files = sorted((folder / "results/weights").glob("*.npz"))
    assert len(files) == 4
    for path in files:
        with np.load(path) as file:
            assert path.stem == str(file["id"])
            assert file["layer1.weights"].shape == (2, 4, 2)
            assert bool(file["reproduced"])
            zeros = str(file["initializer"]) == "zeros"
            assert file["layer1.weights"][0].any() != zeros
