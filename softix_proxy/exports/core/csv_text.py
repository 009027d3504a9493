"""Makes lines of CSV by RFC 4180. No text in them is taken for a formula by a spreadsheet."""

from __future__ import annotations

import re
from collections.abc import Iterable

_SPECIAL = re.compile(r'[",\r\n]')
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""The first characters by which a spreadsheet recognizes a formula."""
_BREAKS = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]+")


def text(value: str | None) -> str:
    """Returns a name or note as one line that is not a formula."""
    plain = _BREAKS.sub(" ", value or "")
    return "'" + plain if plain.startswith(FORMULA_STARTS) else plain


def line(values: Iterable[str]) -> bytes:
    cells = list(values)
    if _SPECIAL.search(" ".join(cells)):
        cells = [_cell(cell) for cell in cells]
    return (",".join(cells) + "\r\n").encode()


def _cell(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if _SPECIAL.search(value) else value
