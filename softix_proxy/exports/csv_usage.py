"""Usage as CSV: RFC 4180, with a header, CRLF, and no text that a spreadsheet takes for a formula."""

from __future__ import annotations

from softix_proxy.exports.columns import COLUMNS, Kind
from softix_proxy.exports.line_layout import Cell, Encoding, Layout

_ENCODING = {Kind.NUMBER: Encoding.BARE, Kind.CODE: Encoding.BARE, Kind.TEXT: Encoding.CSV_TEXT}

LAYOUT = Layout(
    header=",".join(column.name for column in COLUMNS) + "\r\n",
    cells=tuple(Cell("," if number else "", column, _ENCODING[column.kind]) for number, column in enumerate(COLUMNS)),
    end="\r\n",
)
