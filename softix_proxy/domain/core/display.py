"""Shows text that others wrote on a terminal, so that none of it can act there.

A terminal obeys control characters: it changes its title, hides lines, or pastes. Characters for the direction of text
turn words around, line separators make one line look like two, and characters without width make two names look alike.
Such text is refused where it is typed in, and what is stored already is shown escaped: `\\x1b`, `\\u202e`.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

_ACTS = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""The Unicode categories of characters that act or that nobody sees: controls, formats, surrogates, separators."""
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
"""The characters of other categories that nobody sees."""
_LINES = re.compile(r"[^\n\t]+")


def visible(text: str) -> str:
    """Returns the text as one line in which no character acts. Ordinary text stays as it is."""
    if text.isprintable() and _BLANK.isdisjoint(text):
        return text
    return "".join(_escape(letter) if _is_hidden(letter) else letter for letter in text)


def visible_lines(text: str) -> str:
    """Returns the same for text of several lines and columns: line feeds and tabs stay."""
    return _LINES.sub(lambda part: visible(part[0]), text)


def as_json(value: Any) -> str:
    """Returns JSON in UTF-8, in which characters that act are escaped. It means exactly the same value."""
    text = json.dumps(value, ensure_ascii=False)
    if text.isprintable() and _BLANK.isdisjoint(text):
        return text
    return "".join(json.dumps(letter)[1:-1] if _is_hidden(letter) else letter for letter in text)


def is_one_line(text: str) -> bool:
    """Returns whether the text may be stored: one line that any terminal, file and database can hold."""
    return not any(map(_is_hidden, text))


def _is_hidden(letter: str) -> bool:
    return unicodedata.category(letter) in _ACTS or letter in _BLANK


def _escape(letter: str) -> str:
    number = ord(letter)
    if letter in "\n\r\t":
        return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}[letter]
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x1_0000 else f"\\U{number:08x}"
