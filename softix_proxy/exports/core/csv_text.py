"""Lines of CSV made in Python: RFC 4180, and no text that a spreadsheet takes for a formula."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SPECIAL = re.compile(r'[",\r\n]')
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What a text begins with that a spreadsheet takes for a formula."""
_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


def text(value: str | None) -> str:
    """Names and notes: one line, and no formula."""
    plain = _BREAKS.sub(" ", value or "")
    return "'" + plain if plain.startswith(FORMULA_STARTS) else plain


def line(values: Iterable[str]) -> bytes:
    cells = list(values)
    if _SPECIAL.search(" ".join(cells)):
        cells = [_cell(cell) for cell in cells]
    return (",".join(cells) + "\r\n").encode()


def _cell(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if _SPECIAL.search(value) else value
