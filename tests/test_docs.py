"""The docs say what is so: every example is run, every config loaded, every link followed.

A page's examples share one folder and run in the order of the page. A fenced block whose line
before ends in a file's name in backquotes and a colon is that file. ``python tests/test_docs.py``
runs all pages and writes the outputs that have changed into them; `make docs` calls it.

Words after a block's language direct this test:

- ``exit=2``: the command ends with this code;
- ``mask=WORD,WORD``: figures on lines with one of these words are not compared, since they differ
  between machines;
- ``silent``: the output is not shown; ``stdout``: messages on standard error are not;
- ``stored=baseline``: the results folder holds the runs of results/baseline.json, which `make test`
  trains anew in any case (`initbench check --all`);
- ``head=N``, ``tail=N``: only so many lines of the output are shown, and ``...`` for the others;
- ``planted=he_gain``: the commands run with a fault in the code;
- ``plugin=FILE``: the config names an initializer of this file of the page;
- ``fragment``: some keys of a config, not a whole one;
- ``skip=WHY``: not run, for one of the reasons in SKIPS.
"""

from __future__ import annotations

import contextlib
import glob
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from doctest import DocTestParser
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from pydantic import BaseModel

import initbench
from initbench import config
from initbench.cli import COMMANDS, main
from initbench.config.plugins import Allowed
from initbench.core.initializers import INITIALIZERS
from initbench.gate import baseline
from initbench.metrics import METRICS
from initbench.runs import store
from initbench.runs.provenance import provenance
from initbench.runs.records import Curve, Record
from initbench.spec import DATASET_MODELS, Experiment
from initbench.spec.expectations import Expectation, Gate

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS]
#: Columns of the terminal that the outputs were made for.
WIDTH = "80"
LANGUAGES = {"console", "pycon", "python", "yaml", "csv", "sh", "text"}
#: Why a block is not run.
SKIPS = {
    "make": "makes a virtual environment and installs into it; CI runs these targets",
    "install": "installs a package",
    "cluster": "needs machines of a cluster",
    "github": "GitHub runs it; here it is read as YAML",
    "charts": "needs the extra `report`, which pages do without; tests/report/charts draws these",
    "pytorch": "needs PyTorch, which pages do without; tests/models runs the same",
    "source": "a part of initbench's own source, with a row added",
}
#: What a `fragment` of a config is completed with.
REQUIRED = {
    "initializer": "initializer: he_normal\n",
    "layers": "layers: [2, 10, 5, 1]\n",
    "iterations": "iterations: 10\n",
    "learning_rate": "learning_rate: 0.01\n",
}
FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^ *```$", re.M | re.S)
NAMED = re.compile(r"`(?P<name>[\w./-]+\.(yaml|yml|py|csv))`:$")
FIGURE = re.compile(r"[-+]?\d[\d.,]*(e[-+]?\d+)?|[▏▎▍▌▋▊▉█·]+")
#: A figure of rounding's own size: how far twins end apart, how orthogonal a matrix is.
ROUNDING = re.compile(r"\d[\d.]*e-(1[3-9]|[2-9]\d)")
DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Block:
    """A fenced block: where its text stands in the page, and what its info string says."""

    page: Path
    start: int
    end: int
    language: str
    options: dict[str, str]
    name: str  # of the file that it is, or ""
    text: str

    def __str__(self) -> str:
        line = self.page.read_text(encoding="utf-8").count("\n", 0, self.start)
        return f"{self.page.name}:{line}"


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page."""
    content = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(content):
        language, _, words = match["info"].partition(" ")
        options = {key: value for key, _, value in (word.partition("=") for word in words.split())}
        named = NAMED.search(content[: match.start()].rstrip())
        text = re.sub(f"^{match['indent']}", "", match["text"], flags=re.M)
        name = named["name"] if named and language not in ("console", "pycon") else ""
        start, end = match.span("text")
        found.append(Block(page, start, end, language, options, name, text))
    return found


@contextlib.contextmanager
def stage() -> Iterator[None]:
    """An empty folder with a checkout's configs and baseline, and a terminal of WIDTH columns."""
    before, environment = Path.cwd(), dict(os.environ)
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "configs", Path(folder) / "configs")
        (Path(folder) / "results").mkdir()
        shutil.copy(ROOT / "results" / "baseline.json", Path(folder) / "results")
        os.chdir(folder)
        os.environ.update(COLUMNS=WIDTH)
        for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY", "FORCE_COLOR"):
            os.environ.pop(name, None)
        try:
            yield
        finally:
            os.chdir(before)
            os.environ.clear()
            os.environ.update(environment)


@contextlib.contextmanager
def planted(fault: str) -> Iterator[None]:
    """With a fault in the code: ``he_gain`` gives He's initializer the gain of LeCun's."""
    if not fault:
        yield
        return
    assert fault == "he_gain", fault
    right = INITIALIZERS["he_normal"]
    INITIALIZERS["he_normal"] = right._replace(draw=INITIALIZERS["lecun_normal"].draw)
    try:
        yield
    finally:
        INITIALIZERS["he_normal"] = right


def store_baseline() -> None:
    """Store the runs of the committed baseline, as if they had been trained here."""
    entries = []
    for row in baseline.load(Path("results/baseline.json")).values():
        for run in row.runs:
            last = [(run.metrics[name],) for name in METRICS]
            curve = Curve((0,), *last)  # type: ignore[arg-type]  # no metric of these is missing
            who = (run.id, row.config, row.initializer, dict(row.setting), run.seed, run.status)
            entries.append((Record(*who, curve, seconds=0.0), json.dumps(row.resolved)))
    with store.opened(Path("results")) as opened:
        opened.add(entries, provenance())


def script(arguments: list[str]) -> list[str]:
    """What a Python script of the page prints."""
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout.splitlines()


def console(block: Block) -> str:
    """The block with what its commands print now."""
    lines: list[str] = []
    if "stored" in block.options:
        store_baseline()
    for command in re.findall(r"^\$ ((?:.*\\\n)*.*)", block.text, re.M):
        program, *words = shlex.split(command.replace("\\\n", " "))
        if program == "python":
            lines += [f"$ {command}", *script(words)]
            continue
        assert program == "initbench", f"{block}: {program} is not run; say skip=WHY"
        arguments = [
            path for word in words for path in (sorted(glob.glob(word)) if "*" in word else [word])
        ]
        with planted(block.options.get("planted", "")):
            done = CliRunner().invoke(main, arguments)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == int(block.options.get("exit", "0")), f"{block}: {done.output}"
        output = done.stdout if "stdout" in block.options else done.output
        printed = [line.rstrip() for line in output.rstrip().split("\n")]
        if "head" in block.options:
            printed = [*printed[: int(block.options["head"])], "..."]
        if "tail" in block.options:
            printed = ["...", *printed[-int(block.options["tail"]) :]]
        if "silent" in block.options or not output.strip():
            printed = []
        lines += [*([""] if lines and lines[-1][:1] != "$" else []), f"$ {command}", *printed]
    return "\n".join(lines) + "\n"


def session(block: Block, names: dict[str, Any]) -> str:
    """The block of a Python session with what its statements print now."""
    text = ""
    for example in DocTestParser().get_examples(block.text):
        first, *others = example.source.splitlines()
        text += "".join(f"{line}\n" for line in [f">>> {first}", *(f"... {x}" for x in others)])
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(example.source, str(block), "single"), names)
        text += "".join(f"{line.rstrip()}\n" for line in printed.getvalue().rstrip().splitlines())
    return text


def loaded(block: Block) -> None:
    """Load a block as a config; a fragment with the keys that it lacks."""
    text = block.text
    if "fragment" in block.options:
        given = set(re.findall(r"^(\w+):", text, re.M))
        given |= {"layers"} if "width" in given else set()
        text += "".join(line for key, line in REQUIRED.items() if key not in given)
    path = Path(block.name or "example.yaml")
    path.write_text(text, encoding="utf-8")
    own = [block.options["plugin"]] if "plugin" in block.options else []
    assert config.load([path], (), Allowed(own))


def play(page: Path) -> list[tuple[Block, str]]:
    """Run a page's blocks in an empty folder; each block with its text as it must be now."""
    played = []
    names: dict[str, Any] = {"__name__": "__main__"}
    with stage():
        found = blocks(page)
        for block in found:  # a plugin may stand below the config that names it
            if block.name:
                Path(block.name).parent.mkdir(parents=True, exist_ok=True)
                Path(block.name).write_text(block.text, encoding="utf-8")
        for block in found:
            text = block.text
            if "skip" in block.options:
                if block.language == "yaml":
                    assert yaml.safe_load(text)
                elif block.language == "python":
                    compile(text, str(block), "exec")
            elif block.language == "console":
                text = console(block)
            elif block.language == "pycon":
                text = session(block, names)
            elif block.language == "python" and not block.name:
                exec(compile(text, str(block), "exec"), names)
            elif block.language == "yaml" and "exit" not in block.options:
                loaded(block)
            played.append((block, text))
    return played


def comparable(block: Block, text: str) -> list[str]:
    """The lines of a block, without what differs between days and machines."""
    words = [word for word in block.options.get("mask", "").split(",") if word]
    lines = [DAY.sub("DAY", line.rstrip()) for line in text.replace(os.sep, "/").splitlines()]
    masked = []
    for line in lines:
        figures = FIGURE if any(word in line for word in words) else ROUNDING
        if figures.search(line):
            line = re.sub(" +", " ", figures.sub("N", line))
        masked.append(line)
    return masked


@pytest.mark.skipif(os.name == "nt", reason="pages show paths as POSIX writes them")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_examples_print_what_the_page_shows(page: Path) -> None:
    for block, text in play(page):
        assert comparable(block, block.text) == comparable(block, text), f"{block}: run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_blocks_say_what_they_are(page: Path) -> None:
    for block in blocks(page):
        assert block.language in LANGUAGES, f"{block}: {block.language!r}"
        if block.language == "sh" or "skip" in block.options:
            assert block.options.get("skip") in SKIPS, str(block)


def prose(page: Path) -> str:
    """A page without its fenced blocks and comments."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    return re.sub("<!--.*?-->", "", text, flags=re.S)


def anchors(page: Path) -> set[str]:
    """What links to a page's headings may say after the #, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        if target.startswith(("http:", "https:")):
            continue
        name, _, anchor = target.partition("#")
        path = (page.parent / name).resolve() if name else page
        assert path.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(path), f"{page.name}: {target}"


def test_the_readme_is_a_page_and_leads_to_every_other() -> None:
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    linked = set(re.findall(r"\]\(docs/([\w-]+\.md)[^)]*\)", text))
    assert linked == {page.name for page in DOCS}
    assert {"your-own-data.md", "your-own-initializer.md", "gating.md", "diagnosing.md"} <= linked


def test_every_command_has_an_entry() -> None:
    reference = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    for name in COMMANDS:
        assert re.search(rf"^## initbench {name}\b", reference, re.M), name


def test_every_key_has_an_entry() -> None:
    reference = (ROOT / "docs" / "configs.md").read_text(encoding="utf-8")
    models: list[type[BaseModel]] = [Experiment, Expectation, Gate, *DATASET_MODELS.values()]
    for model in models:
        for key in model.model_fields:
            assert f"`{key}`" in reference, f"{model.__name__}: {key}"


def test_every_public_name_has_an_entry() -> None:
    reference = (ROOT / "docs" / "python-api.md").read_text(encoding="utf-8")
    for name in initbench.__all__:
        assert f"initbench.{name}" in reference, name


def rewrite(page: Path) -> bool:
    """Write what a page's examples print now, where it differs; whether anything did."""
    content = page.read_text(encoding="utf-8")
    for block, text in reversed(play(page)):
        if comparable(block, block.text) != comparable(block, text):
            content = content[: block.start] + text + content[block.end :]
    changed = content != page.read_text(encoding="utf-8")
    if changed:
        page.write_text(content, encoding="utf-8")
    return changed


if __name__ == "__main__":
    asked = [path.resolve() for path in map(Path, sys.argv[1:])] or PAGES
    for one in asked:
        sys.stdout.write(f"{one.name}: {'written' if rewrite(one) else 'as it was'}\n")
