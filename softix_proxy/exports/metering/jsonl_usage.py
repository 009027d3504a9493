"""The layout of usage as JSON lines. Each line is an object. Counts are numbers, and money is decimal strings."""

from __future__ import annotations

from softix_proxy.exports.metering.columns import COLUMNS, ColumnKind
from softix_proxy.exports.metering.line_layout import Cell, Encoding, Layout

_ENCODING = {
    ColumnKind.NUMBER: Encoding.JSON_BARE,
    ColumnKind.CODE: Encoding.JSON_TEXT,
    ColumnKind.TEXT: Encoding.JSON_TEXT,
}

LAYOUT = Layout(
    header="",
    cells=tuple(
        Cell(f'{"," if number else "{"}"{column.name}":', column, _ENCODING[column.kind])
        for number, column in enumerate(COLUMNS)
    ),
    end="}\n",
)
