"""The layout of usage as CSV: RFC 4180, with a header and CRLF. No text is taken for a formula by a spreadsheet."""

from __future__ import annotations

from softix_proxy.exports.metering.columns import COLUMNS, ColumnKind
from softix_proxy.exports.metering.line_layout import Cell, Encoding, Layout

_ENCODING = {ColumnKind.NUMBER: Encoding.BARE, ColumnKind.CODE: Encoding.BARE, ColumnKind.TEXT: Encoding.CSV_TEXT}

LAYOUT = Layout(
    header=",".join(column.name for column in COLUMNS) + "\r\n",
    cells=tuple(Cell("," if number else "", column, _ENCODING[column.kind]) for number, column in enumerate(COLUMNS)),
    end="\r\n",
)
