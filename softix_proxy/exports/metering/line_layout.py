"""Defines how an export writes each usage row as a line: the position of each column and the encoding of its value.

A layout is data, so a database may make the lines itself, which is several times as quick. Its lines are byte for byte
those that `lines` makes here.
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
    """The encoding of a value in a line of an export."""

    BARE = "bare"
    """The value as it is: a number, or softix's own text without special characters. A missing value is empty."""
    CSV_TEXT = "csv-text"
    """The value in quotes by RFC 4180, and never a formula for a spreadsheet. A missing value is empty."""
    JSON_BARE = "json-bare"
    """The value as it is. A missing value is `null`."""
    JSON_TEXT = "json-text"
    """A JSON string. A missing value is `null`."""


class Cell(NamedTuple):
    before: str
    """The text before the value in each line."""
    column: UsageColumn
    encoding: Encoding


@dataclass(frozen=True, slots=True)
class Layout:
    """A format of export in which each row is a line. It implements `domain.metering.usage.LineLayout`."""

    header: str
    cells: tuple[Cell, ...]
    end: str
    """The text that ends each line."""

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
