r"""Texts as an output can hold them: nothing in them is hidden, nothing is obeyed, nothing is lost.

Names, paths and reasons come from users, their files and their plugins. A terminal obeys escape
sequences (``\x1b]0;`` sets its title), a bidirectional override shows a text in another order, and
a CI system runs lines of a log. What a format itself obeys is escaped where the format is written,
in :mod:`initbench.report.render`.
"""

from __future__ import annotations

import codecs
import re
import unicodedata

#: The name of :func:`nearest` as a handler of encoding errors.
NEAREST = "initbench.nearest"
#: Unicode's categories of what has no shape of its own: controls, formats such as bidirectional
#: overrides, halves of surrogate pairs, and separators of lines and paragraphs.
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
#: Persian, Indian scripts and emoji are written with these formats: the joiners of letters.
_JOINERS = frozenset("\u200c\u200d")
#: What an encoding without a character of ours writes in its place, as wide where there is room.
_NEAREST = {
    **dict.fromkeys("─━╌╸╺–—−‐‑", "-"),
    **dict.fromkeys("│┃║", "|"),
    **dict.fromkeys("┌┐└┘├┤┬┴┼┏┓┗┛", "+"),
    **dict.fromkeys("█▉▊▋", "#"),
    **dict.fromkeys("▌▍▎▏", ":"),
    **dict.fromkeys("‘’‚", "'"),
    **dict.fromkeys("“”„", '"'),
    "·": ".", "…": "..", "×": "x", "≤": "<=", "≥": ">=", "→": "->", "ß": "ss", "ø": "o", "æ": "ae",
}  # fmt: skip
#: What GitHub, Azure and TeamCity take for a command: a line that begins with ``::``, and ``##[``
#: or ``##vso[`` wherever it stands.
_COMMAND = re.compile(r"^(\s*)(?=::)|(?<=#)(?=#\w*\[)", re.MULTILINE)


def hidden(text: str) -> list[str]:
    r"""The characters of a text that nobody sees, as Python escapes them, each once.

    >>> hidden("he\x1b\u202e"), hidden("Xavier–Glorot")
    (['\\x1b', '\\u202e'], [])
    """
    return [_escape(character) for character in dict.fromkeys(text) if _is_hidden(character)]


def visible(text: str, *, lines: bool = True) -> str:
    r"""A text with an escape in the place of each hidden character.

    Args:
        text: What a user, a file or a plugin has named or said.
        lines: Whether line ends stay. Where a text must not begin a line, they are escaped too.

    >>> print(visible("a\x1b[31m\nb", lines=False))
    a\x1b[31m\nb
    """
    if text.isprintable():
        return text
    return "".join(
        _escape(each) if _is_hidden(each) and not (lines and each == "\n") else each
        for each in text
    )


def inert(text: str) -> str:
    r"""A log's text in which no line is a command to a CI system: a backslash parts its mark.

    >>> print(inert("::error::no\nas ::this\n##[group]"))
    \::error::no
    as ::this
    #\#[group]
    """
    return _COMMAND.sub(lambda match: f"{match[0]}\\", text)


def nearest(error: UnicodeError) -> tuple[str, int]:
    """A handler of encoding errors: it writes the nearest ASCII for what an encoding lacks.

    >>> "Saxe, Köln: 0.1–0.2 ─ 0.3…0.4 史".encode("ascii", NEAREST).decode()
    'Saxe, Koln: 0.1-0.2 - 0.3..0.4 ?'
    """
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(map(_ascii, lacking)), error.end


codecs.register_error(NEAREST, nearest)


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN and character not in _JOINERS


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def _ascii(character: str) -> str:
    if character in _NEAREST:
        return _NEAREST[character]
    if _is_hidden(character):
        return _escape(character)
    parts = unicodedata.normalize("NFKD", character)  # ö is o and a diaeresis
    return "".join(part for part in parts if part.isascii()) or "?"
