"""Describes CSV bills as data: the meaning of columns, the rows that count, and the names of models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from softix_proxy.domain.core.errors import BadInputError
from softix_proxy.domain.reporting.reconciliation import ProviderBillLine
from softix_proxy.imports import values
from softix_proxy.imports.tables import BillTable, TableRow

ColumnNames = Sequence[str]
"""The possible names of a column in lower case. The first one that the table has is used."""


@dataclass(frozen=True, slots=True)
class CsvBillLayout:
    """A kind of CSV bill. With `amount` it is compared in money, and otherwise in tokens."""

    title: str
    date: ColumnNames
    end: ColumnNames = ()
    """The column with the end of a line's time. The end must be within the day."""
    model: ColumnNames = ()
    amount: ColumnNames = ()
    divisor: int = 1
    """The number by which amounts are divided to be US dollars."""
    currency: ColumnNames = ()
    tokens: ColumnNames = ()
    """The columns whose counts are added up."""
    only: Mapping[str, ColumnNames] = field(default_factory=dict)
    """Column → patterns. A row is left out if its value in lower case fits none of them."""
    model_of: Callable[[str], str] = str
    """Converts the value of the column to the model's name."""
    marks: ColumnNames = ()
    """The columns that only such a table has."""

    def fits(self, columns: Sequence[str]) -> bool:
        return all(mark in columns for mark in self.marks)

    def lines(self, table: BillTable, name: str) -> Iterator[ProviderBillLine | None]:
        """Yields one line for each row, and None for a row that is left out. Raises BadInputError."""
        columns = _Columns(self, table.columns, name)
        return (self._line(row, columns) for row in table.rows)

    def _line(self, row: TableRow, columns: _Columns) -> ProviderBillLine | None:
        found, place = row.values, row.place
        for column, patterns in columns.only.items():
            if not any(fnmatchcase(found[column].strip().lower(), pattern) for pattern in patterns):
                return None
        if columns.amount and not found[columns.amount].strip():
            return None  # the row is a day without any cost, as in OpenAI's files
        day = values.day(_number(found[columns.date]), place._replace(column=columns.date))
        if columns.end:
            start, end = _number(found[columns.date]), _number(found[columns.end])
            values.require_within_a_day(start, end, place._replace(column=columns.end))
        if columns.currency:
            values.currency(found[columns.currency], place._replace(column=columns.currency))
        model = None
        if columns.model:
            model = values.name(found[columns.model], place._replace(column=columns.model))
        amount_pico, step_pico = None, 1
        if columns.amount:
            at = place._replace(column=columns.amount)
            amount_pico, step_pico = values.amount(found[columns.amount], at, self.divisor)
        counts = [values.tokens(found[column], place._replace(column=column)) for column in columns.tokens]
        return ProviderBillLine(
            day, self.model_of(model) if model else None, amount_pico, sum(counts) if counts else None, step_pico
        )


class _Columns:
    """The columns of one table. Raises BadInputError if the table lacks a column of the layout."""

    def __init__(self, form: CsvBillLayout, columns: Sequence[str], name: str) -> None:
        def find(names: ColumnNames) -> str:
            found = next((column for column in names if column in columns), "")
            if names and not found:
                raise BadInputError(
                    f"{name}, row 1: no column {names[0]!r}, which {form.title} should have",
                    "name the format with --format, or the columns with --mapping",
                )
            return found

        self.date = find(form.date)
        self.end = find(form.end)
        self.model = find(form.model)
        self.amount = find(form.amount)
        self.currency = find(form.currency)
        self.tokens = [find((column,)) for column in form.tokens]
        self.only = {find((column,)): patterns for column, patterns in form.only.items()}


def _number(text: str) -> str | int:
    """Converts seconds since 1970 to a number. A table has them as digits."""
    bare = text.strip()
    return int(bare) if bare.isascii() and bare.isdigit() and 9 <= len(bare) <= 11 else bare
