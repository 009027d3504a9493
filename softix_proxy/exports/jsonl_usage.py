"""Usage as JSON, an object a line: numbers where they are counts, decimal strings where they are money."""

from __future__ import annotations

from softix_proxy.exports.columns import COLUMNS, Kind
from softix_proxy.exports.line_layout import Cell, Encoding, Layout

_ENCODING = {Kind.NUMBER: Encoding.JSON_BARE, Kind.CODE: Encoding.JSON_TEXT, Kind.TEXT: Encoding.JSON_TEXT}

LAYOUT = Layout(
    header="",
    cells=tuple(
        Cell(f'{"," if number else "{"}"{column.name}":', column, _ENCODING[column.kind])
        for number, column in enumerate(COLUMNS)
    ),
    end="}\n",
)
