from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from initbench.files import envelope
from initbench.report.render import TEXTS
from initbench.report.render.csv import csv_text
from initbench.report.render.html import html_table
from initbench.report.render.markdown import markdown_table
from initbench.report.views.view import Cells, Table, View
from tests.report.conftest import Rendered

SCRIPT = "<script>alert(1)</script>"


#: A text of a user's, and what Markdown calls it.
TEXTS_OF_USERS = {
    "a|b": "a\\|b",
    "a\nb": "a (b)",
    "a\nb|c\nd": "a (b\\|c d)",
    '"quoted", comma': '"quoted", comma',
    "[bold]no markup[/]": "[bold]no markup[/]",
    "&amp; 'x' <= 1": "\\&amp; 'x' <= 1",
    SCRIPT: "\\<script>alert(1)\\</script>",
}


@pytest.mark.parametrize("text", TEXTS_OF_USERS)
def test_texts_survive_every_format(text: str, rendered: Rendered) -> None:
    table = Table("t", ("key",), ((text,),), frozenset())
    assert list(csv.reader(io.StringIO(csv_text(Cells(["key"], [[text]]))))) == [["key"], [text]]
    assert text.partition("\n")[0] in rendered(table)
    assert Read(html_table(table)).cells == ["key", text.replace("\n", "|", 1).replace("\n", "")]
    *_, rule, row = markdown_table(table).splitlines()
    assert (rule, row) == ("| --- |", f"| {TEXTS_OF_USERS[text]} |")


class Read(HTMLParser):
    """The tags of a text, and what its table's cells say; a second line stands after a bar."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.cells: list[str] = []
        self.outside = ""
        self._open = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag in ("td", "th"):
            self.cells.append("")
            self._open = True
        elif tag == "small":
            self.cells[-1] += "|"

    def handle_endtag(self, tag: str) -> None:
        self._open = self._open and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self._open:
            self.cells[-1] += data.replace("\n", "")
        else:
            self.outside += data


TABLE = Table(
    "the title",
    ("#", "name", "train\nloss"),
    (("1", "he\nhe_normal", "0.1019\n0.065–0.62"), ("2", "zeros", "0.6931")),
    frozenset({"#", "train\nloss"}),
    "a legend\nof two lines",
)


def test_html_is_a_table_that_a_screen_reader_can_read() -> None:
    right, left = (f' style="text-align: {side}"' for side in ("right", "left"))
    assert html_table(TABLE) == (
        '<figure class="initbench">\n'
        "<table>\n"
        "<caption>the title</caption>\n"
        f'<thead><tr><th scope="col"{right}>#</th><th scope="col"{left}>name</th>'
        f'<th scope="col"{right}>train loss</th></tr></thead>\n'
        "<tbody>\n"
        f'<tr><td{right}>1</td><th scope="row"{left}>he<br><small>he_normal</small></th>'
        f"<td{right}>0.1019<br><small>0.065–0.62</small></td></tr>\n"
        f'<tr><td{right}>2</td><th scope="row"{left}>zeros</th><td{right}>0.6931</td></tr>\n'
        "</tbody>\n"
        "</table>\n"
        "<figcaption>a legend<br>\nof two lines</figcaption>\n"
        "</figure>\n"
    )


def test_a_users_text_is_never_markup_in_html() -> None:
    plain = Read(html_table(TABLE))
    spoilt = Table(
        SCRIPT, (SCRIPT, "name", '"><img src=x onerror=alert(1)>'),
        ((SCRIPT, f"{SCRIPT}\n{SCRIPT}", "&lt;b&gt;\nx"), ("2", "'zeros'", "0.6931")),
        frozenset({SCRIPT}), f"{SCRIPT}\n{SCRIPT}",
    )  # fmt: skip
    found = Read(html_table(spoilt))
    assert found.tags == plain.tags
    assert {name for name, _ in found.attributes} == {"class", "scope", "style"}
    assert found.cells[3:6] == [SCRIPT, f"{SCRIPT}|{SCRIPT}", "&lt;b&gt;|x"]
    assert found.outside.count(SCRIPT) == 3


def test_a_users_text_is_no_html_in_markdown() -> None:
    spoilt = replace(TABLE, title=f"a {SCRIPT}", caption=f"{SCRIPT}: loss <= 0.1 and 1 < 2")
    text = markdown_table(spoilt)
    assert "**a \\<script>alert(1)\\</script>**" in text
    assert text.endswith("\\<script>alert(1)\\</script>: loss <= 0.1 and 1 < 2\n")


def test_every_format_prints_its_shape_of_a_view() -> None:
    document, cells = envelope(a=[0.1 + 0.2, None]), Cells(["a", "b"], [[None, 1.5]])
    view = View((TABLE, TABLE), lambda: document, lambda: cells)
    texts = {name: text(view) for name, text in TEXTS.items()}
    assert texts.keys() == {"json", "csv", "markdown", "html", "latex"}
    assert json.loads(texts["json"]) == document
    assert list(document) == ["initbench", "a"]
    assert "0.30000000000000004" in texts["json"]
    assert texts["csv"] == "a,b\n,1.5\n"
    assert texts["markdown"] == f"{markdown_table(TABLE)}\n{markdown_table(TABLE)}"
    assert texts["html"] == 2 * html_table(TABLE)
