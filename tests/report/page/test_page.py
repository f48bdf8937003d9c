"""The page of a comparison, without a browser."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from initbench.cli import main

pytest.importorskip("altair", reason="the page needs the extra `report`")

SMALL = (
    "initializer: [he_normal, zeros]\nlayers: [2, 4, 3, 1]\niterations: 40\nlog_every: 10\n"
    "learning_rate: 0.5\nseeds: 6\n"
)
#: What a description may hold, and as much of it as a file's name may.
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
NAME = "& 'q' [x](y) {{datum}} ${1}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    (folder / "a.yaml").write_text(SMALL)
    hostile = SMALL.replace("[he_normal, zeros]", "lecun_normal")
    (folder / f"{NAME}.yaml").write_text(f"{hostile}description: {json.dumps(SCRIPT)}\n")
    return folder


def report(folder: Path, *arguments: str) -> str:
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        done = CliRunner().invoke(main, ["report", *arguments])
        assert done.exit_code == 0, done.output
    return (folder / "results/report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(folder: Path) -> str:
    return report(folder, "a.yaml", f"{NAME}.yaml")


class Seen(HTMLParser):
    """The page's elements and their attributes, and the texts of its headings."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[str] = []
        self.commands: list[str] = []
        self._into: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._into = {"code": self.commands}.get(tag, self.headings if tag[0] == "h" else None)

    def handle_data(self, data: str) -> None:
        if self._into is not None and data.strip():
            self._into.append(data.strip())
        self._into = None


def seen(page: str) -> Seen:
    parser = Seen()
    parser.feed(page)
    return parser


def embedded(page: str, name: str) -> Any:
    (text,) = re.findall(rf'<script type="application/json" id="{name}">(.*?)</script>', page, re.S)
    return json.loads(text)


def test_its_data_are_those_of_the_json_format(page: str, folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        done = CliRunner().invoke(
            main, ["compare", "a.yaml", f"{NAME}.yaml", "--format", "json", "-q"]
        )
    document = json.loads(done.stdout)
    for record in document["records"]:
        del record["seconds"], record["cached"]
    assert embedded(page, "document") == document


def test_its_bytes_are_the_same_again_and_few(page: str, folder: Path) -> None:
    assert report(folder, "a.yaml", f"{NAME}.yaml") == page
    assert len(page.encode()) < 1_200_000


def test_it_can_ask_for_nothing(page: str) -> None:
    elements = seen(page).elements
    assert not [e for e in elements if e[0] in ("img", "iframe", "object", "embed", "base")]
    for tag, attributes in elements:
        address = attributes.get("src") or attributes.get("href") or "#"
        assert address.startswith(("#", "data:")), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")]
    (policy,) = [a["content"] for _, a in elements if "http-equiv" in a]
    assert policy is not None
    assert policy.startswith("default-src 'none';")
    assert "url(" not in re.sub(r"<script.*?</script>", "", page, flags=re.S)


def test_what_users_write_is_text(page: str) -> None:
    assert SCRIPT not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    scripts = [attributes for tag, attributes in seen(page).elements if tag == "script"]
    assert len(scripts) == 4  # the document, the charts, the library and the page's own


def test_it_names_the_command_that_makes_it_again(page: str) -> None:
    (command,) = seen(page).commands
    assert command == "initbench report a.yaml '& '\"'\"'q'\"'\"' [x](y) {{datum}} ${1}.yaml'"


def test_headings_and_charts_have_words(page: str) -> None:
    found = seen(page)
    for heading in ("Ranking", "Learning curves", "Diagnosis", "Where the numbers come from"):
        assert heading in found.headings
    charts = [attributes for _, attributes in found.elements if "data-chart" in attributes]
    assert len(charts) > 12
    assert all(one["role"] == "img" and one["aria-label"] for one in charts)
    losses = [record["train_loss"] for record in embedded(page, "document")["records"]]
    assert all(losses)
    (label,) = {one["aria-label"] for one in charts if one["data-chart"] == "p0_seeds_0_0"}
    assert label is not None
    assert f"{min(losses):.4g}" in label


def test_a_page_of_several_problems_has_a_section_for_each(folder: Path) -> None:
    (folder / "other.yaml").write_text(
        SMALL.replace("[2, 4, 3, 1]", "[4, 3]") + "dataset: iris\n"
        "sweep: {learning_rate: [0.1, 0.5]}\n"
    )
    page = report(folder, "a.yaml", "other.yaml", "--seed", "1", "--set", "seeds=2")
    found = seen(page)
    assert found.headings.count("Ranking") == 2
    assert found.headings.count("The sweep") == 1
    assert "seed 1," in page
    (command,) = found.commands
    assert command == "initbench report a.yaml other.yaml --seed 1 --set seeds=2"


def test_bad_seeds_and_files_are_explained(folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.chdir(folder)
        done = CliRunner().invoke(main, ["report", "a.yaml", "--seed", "77"])
        assert (done.exit_code, "seed 77 is not among" in done.stderr) == (2, True)
        done = CliRunner().invoke(main, ["report"])
        assert (done.exit_code, "Name configs, or give --all" in done.stderr) == (2, True)
