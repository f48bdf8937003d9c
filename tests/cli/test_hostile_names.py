"""A hostile name goes through every command in every format, and each output is parsed again.

The name is a parameter of a plugin's initializer, so that it stands in labels, reasons, notes and
files. What reads the outputs is not ours: the parsers of JSON, CSV, XML, HTML and Markdown.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from markdown_it import MarkdownIt

import initbench
from initbench.printable import hidden
from tests.cli.conftest import invoke
from tests.conftest import POSIX_WORDS

#: Escape sequences, a bidirectional override, Rich's markup, CI's commands, tags, cells, formulas.
HOSTILE = (
    "=1+1|\x1b]0;owned\x07\x9b31m\u202e[/foo][link=a]x[/link]\n::error::no\n##[group]y\ufffe"
    "<script>alert(1)</script><!--`*_&lt;$\\input{x}%[a](b)"
)
PLUGIN = f"""\
import numpy as np

TEXT = {HOSTILE!r}


def own(rng, shape, dtype, *, text: str = "x"):
    return (rng.standard_normal(shape) / np.sqrt(shape[1])).astype(dtype)


def broken(rng, shape, dtype, *, text: str = "x"):
    raise LookupError(TEXT)
"""
SETTINGS = "layers: [2, 3, 1]\niterations: 4\nlog_every: 2\nlearning_rate: 0.1\nseeds: 2\n"
OWN = json.dumps({"name": "own", "text": HOSTILE})
FILES = {
    "own.py": PLUGIN,
    "fine.yaml": f"initializer: [{OWN}, zeros]\nexpect:\n  - "
    + json.dumps({"metric": "test_accuracy", "initializer": f"own(text={HOSTILE})", "min": 1})
    + f"\n{SETTINGS}",
    "failing.yaml": f"initializer: [{OWN}, {OWN.replace('own', 'broken')}]\n{SETTINGS}",
}
WITH = ("--plugin", "own.py")
COMMANDS = {
    "run": ("run", "fine.yaml", *WITH),
    "compare": ("compare", "fine.yaml", *WITH),
    "check": ("check", "results/baseline.json", "results/fine.json"),
    "diagnose": ("diagnose", "failing.yaml", *WITH),
    "explain": ("explain", OWN, *WITH),
    "verify": ("verify", OWN, *WITH),
    "show": ("show",),
    "list": ("list", *WITH),
}
FORMATS = ("table", "json", "csv", "markdown", "latex")
GATE_FORMATS = ("junit", "github", "customBiggerIsBetter")


@pytest.fixture(scope="module", autouse=True)
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder and a baseline, which commands of this module find in their own folder."""
    folder = tmp_path_factory.mktemp("hostile")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for arguments in (
            ("baseline", "save", "fine.yaml", "--set", "learning_rate=1"),
            ("run", "fine.yaml"),
            ("run", "failing.yaml"),
        ):
            assert invoke(*arguments, "--jobs", "1", *WITH).exit_code in (0, 1)
    return folder


def harmless(text: str) -> None:
    """Nothing in a text for people is hidden, or a command to a CI system."""
    assert hidden(text.replace("\n", "")) == []
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())
    assert "##[" not in text


class Tags(HTMLParser):
    """The tags of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.data = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.tags.add(tag)

    def handle_comment(self, data: str) -> None:  # noqa: ARG002
        self.tags.add("!--")

    def handle_data(self, data: str) -> None:
        self.data += data


def read_table(text: str) -> None:
    harmless(text)
    assert "owned" not in text or r"\x1b]0;owned\x07" in text.replace("\n", "")


def read_json(text: str) -> None:
    harmless(text)
    assert json.loads(text)


def read_csv(text: str) -> None:
    harmless(text)
    header, *rows = csv.reader(io.StringIO(text))
    assert rows
    assert {len(row) for row in rows} == {len(header)}
    for cell in (cell for row in [header, *rows] for cell in row):
        assert not cell.startswith(("=", "+", "@")) or cell == ""
        assert not cell.startswith("-") or re.fullmatch(r"-(inf|[0-9.e-]+)", cell)


def read_markdown(text: str) -> None:
    harmless(text)
    html = MarkdownIt("commonmark").enable("table").render(text)
    read = Tags(html)
    assert read.tags <= {"p", "strong", "table", "thead", "tbody", "tr", "th", "td"}
    assert "owned" not in text or r"\x1b]0;owned\x07" in read.data


def read_latex(text: str) -> None:
    harmless(text)
    commands = set(re.findall(r"\\([a-zA-Z]+)", text))
    assert commands <= {
        "begin", "end", "centering", "caption", "toprule", "midrule", "bottomrule", "par",
        "footnotesize", "textbf", "textbackslash", "textasciicircum", "textasciitilde", "textless",
        "textgreater", "textbar", "textquotedbl",
    }  # fmt: skip
    assert not re.search(r"(?<!\\)[%$]", text)


def read_junit(text: str) -> None:
    suites = ElementTree.fromstring(text)
    names = [case.get("name") for case in suites.iter("testcase")]
    assert any(name and r"\x1b]0;owned" in name for name in names)


def read_github(text: str) -> None:
    lines = text.splitlines()
    assert lines
    assert all(re.fullmatch(r"::(error|warning|notice) [^:]*::.*", line) for line in lines)
    assert hidden(text.replace("\n", "")) == []
    assert len(lines) == text.count("\n")


READERS: dict[str, Callable[[str], object]] = {
    "table": read_table, "json": read_json, "csv": read_csv, "markdown": read_markdown,
    "latex": read_latex, "junit": read_junit, "github": read_github,
    "customBiggerIsBetter": json.loads,
}  # fmt: skip


@pytest.mark.parametrize(
    ("command", "output_format"),
    [(name, each) for name in COMMANDS for each in FORMATS]
    + [("check", each) for each in GATE_FORMATS],
)
def test_each_output_is_read_again(
    command: str, output_format: str, stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(stored)
    done = invoke(*COMMANDS[command], "--format", output_format)
    assert done.exit_code in (0, 1, 3), done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    READERS[output_format](done.stdout)
    harmless(done.stderr)


def test_files_are_read_again(stored: Path) -> None:
    read_json((stored / "results/failing.json").read_text(encoding="utf-8"))
    text = (stored / "results/failing.csv").read_text(encoding="utf-8")
    assert hidden(text.replace("\n", "")) == []
    reasons = [row["reason"] for row in csv.DictReader(io.StringIO(text))]
    assert any("<script>" in reason for reason in reasons)


def test_html_is_read_again(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(stored)
    result = initbench.run("failing.yaml", plugins=["own.py"], jobs=1)
    html = result._repr_html_()
    assert not {"script", "!--"} & Tags(html).tags
    assert "<script>alert(1)</script>" in Tags(html).data
    for text in (html, str(result)):
        assert hidden(text.replace("\n", "")) == []


NAMES = {
    'name: "a\\eb"': "must be a plain file name",
    'name: "a\\u202eb"': "holds \\u202e, which nobody sees; choose another",
    'name: "a\\u2028b"': "holds \\u2028, which nobody sees; choose another",
    "name: " + 70 * "史": "has 210 bytes, and a name of files may have 200; choose another",
    "name: con": "is no name of a file on Windows; choose another",
    "name: a.": "is no name of a file on Windows; choose another",
    "name: runs": "is the name of initbench's own results; choose another",
    '"\\e]0;owned": 1': "holds \\x1b, which nobody sees; remove it",
    '"x\\n::error::y": 1': "holds \\n, which nobody sees; remove it",
}


@pytest.mark.parametrize("line", NAMES)
def test_names_are_refused_before_training(line: str, folder: Path) -> None:
    (folder / "named.yaml").write_text(f"initializer: zeros\n{SETTINGS}{line}\n", encoding="utf-8")
    done = invoke("run", "named.yaml")
    assert done.exit_code == 2
    assert NAMES[line] in done.stderr
    assert all(text.startswith("named.yaml:7:") for text in done.stderr.splitlines())
    harmless(done.stderr)
    assert not (folder / "results").exists()


@POSIX_WORDS
@pytest.mark.parametrize("name", ["a\x1b]0;x\x07.yaml", "a\n::error::b.yaml", "a\udcff.yaml"])
def test_a_file_with_a_hostile_name(name: str, folder: Path) -> None:
    (folder / name).write_text(f"initializer: zeros\n{SETTINGS}", encoding="utf-8")
    done = invoke("run", name)
    assert done.exit_code == 2
    assert len(done.stderr.splitlines()) == 1
    harmless(done.stderr)
    assert not (folder / "results").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "--\x1b]0;x"), ("\x1b[31m",), ("run", "\x1b[31m.yaml"), ("explain", "\x1b[31m"),
        ("run", "fine.yaml", "--set", "a\n::error::b=1"), ("show", "\x1b[31m"),
        ("list", "\n::error::x"), ("check", "fine.yaml", "--baseline", "\x1b[31m.json"),
    ],
)  # fmt: skip
def test_arguments_are_not_obeyed(arguments: tuple[str, ...]) -> None:
    done = invoke(*arguments)
    assert done.exit_code in (2, 3)
    harmless(done.stderr)
