"""How an export writes each row of usage as a line of text: which column stands where, and how its value is encoded.

A layout is data, so that a database may make the lines itself, which is several times as quick. What it makes is
byte for byte what `lines` makes here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from softix_proxy.domain.metering.usage import UsageRow
from softix_proxy.exports.core.csv_text import FORMULA_STARTS
from softix_proxy.exports.metering.columns import ColumnValue, UsageColumn


class Encoding(StrEnum):
    """How a value stands in a line of an export."""

    BARE = "bare"
    """As it is: a number, or text of ours without any special character. Absent: nothing."""
    CSV_TEXT = "csv-text"
    """In quotes as RFC 4180 has it, and no formula to a spreadsheet. Absent: empty."""
    JSON_BARE = "json-bare"
    """As it is; absent: `null`."""
    JSON_TEXT = "json-text"
    """A JSON string; absent: `null`."""


class Cell(NamedTuple):
    before: str
    """What stands before the value in each line."""
    column: UsageColumn
    encoding: Encoding


@dataclass(frozen=True, slots=True)
class Layout:
    """A format of export in which each row is a line. Implements `domain.metering.usage.LineLayout`."""

    header: str
    cells: tuple[Cell, ...]
    end: str
    """What ends each line."""

    def lines(self, rows: Sequence[UsageRow]) -> bytes:
        steps = [(cell.before, _ENCODE[cell.encoding], cell.column.value) for cell in self.cells]
        return "".join(
            ["".join([before + encode(value(row)) for before, encode, value in steps]) + self.end for row in rows]
        ).encode()


def _bare(value: ColumnValue) -> str:
    return "" if value is None else _json_bare(value)


def _csv_text(value: ColumnValue) -> str:
    text = "" if value is None else str(value)
    guard = "'" if text.startswith(FORMULA_STARTS) else ""
    return f'"{guard}{text.replace(_QUOTE, _QUOTE * 2)}"'


def _json_bare(value: ColumnValue) -> str:
    return str(value) if type(value) in (int, str) else json.dumps(value)


def _json_text(value: ColumnValue) -> str:
    return json.dumps(value, ensure_ascii=False)


_QUOTE = '"'
_ENCODE: Mapping[Encoding, Callable[[ColumnValue], str]] = {
    Encoding.BARE: _bare,
    Encoding.CSV_TEXT: _csv_text,
    Encoding.JSON_BARE: _json_bare,
    Encoding.JSON_TEXT: _json_text,
}
