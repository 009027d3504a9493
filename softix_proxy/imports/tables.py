"""Reads foreign CSV files row by row in constant memory, whatever their size and content."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO, NamedTuple

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.imports.values import FilePosition, shown

MOST_LINE_BYTES = 1 << 20
MOST_FILE_BYTES = 8 << 30
MOST_COLUMNS = 2000
"""The most columns of a file. AWS's reports have several hundred."""


class TableRow(NamedTuple):
    place: FilePosition
    values: Mapping[str, str]
    """Column in lower case → the cell's text."""


class BillTable(NamedTuple):
    columns: Sequence[str]
    """The columns in lower case, in order."""
    rows: Iterator[TableRow]


def read(file: BinaryIO, name: str) -> BillTable:
    """Reads the header, and the rows as they are requested. Raises BadInputError, now or at a row."""
    reader = csv.reader(_lines(file, name), strict=True)
    header = _next(reader, name)
    if header is None:
        raise BadInputError(f"{name} is empty", "export it again")
    columns = [column.strip().lower() for column in header]
    twice = sorted({column for column in columns if columns.count(column) > 1}) if len(columns) <= MOST_COLUMNS else []
    if len(columns) > MOST_COLUMNS or twice:
        what = f"two columns are called {shown(twice[0])}" if twice else "too many columns"
        raise BadInputError(f"{name}, row 1: {what}", "export it again, and do not edit it")
    return BillTable(columns, _rows(reader, name, columns))


def _rows(reader: Iterator[list[str]], name: str, columns: Sequence[str]) -> Iterator[TableRow]:
    number = 1
    while (values := _next(reader, name)) is not None:
        number += 1
        if not any(values):
            continue
        place = FilePosition(name, number)
        if len(values) != len(columns):
            raise place.wrong(f"{len(values)} values under {len(columns)} columns")
        yield TableRow(place, dict(zip(columns, values, strict=True)))


def _next(reader: Iterator[list[str]], name: str) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error as error:
        line = getattr(reader, "line_num", 0)
        raise BadInputError(f"{name}, line {line}: not CSV ({error})", "export it again, and do not edit it") from None


def _lines(file: BinaryIO, name: str) -> Iterator[str]:
    read_bytes = number = 0
    while line := file.readline(MOST_LINE_BYTES + 1):
        number += 1
        read_bytes += len(line)
        if len(line) > MOST_LINE_BYTES or read_bytes > MOST_FILE_BYTES:
            raise BadInputError(f"{name}, line {number}: too long", "this is no provider's bill")
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise BadInputError(f"{name}, line {number}: not UTF-8", "save it as UTF-8") from None
