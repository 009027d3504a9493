"""Writes journal entries as a table for programs that use cents.

Each entry has two lines, in the program's own columns.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from softix_proxy.domain.core.money import format_cents
from softix_proxy.domain.ledger.ledger import Posting
from softix_proxy.exports.core import csv_text
from softix_proxy.exports.ledger.accounts import PLAIN, AccountNames, ChartOfAccounts, JournalLeg, legs, title
from softix_proxy.exports.ledger.cents import Cents
from softix_proxy.exports.ledger.form import CENTS, ExportFormat, ExportOptions, FilePiece


class JournalLine(NamedTuple):
    """One line of a journal entry: an account with its debit or credit."""

    entry: str
    """The id of the entry, which all its lines share. No other entry has it in any export with the same cut."""
    first: bool
    """Whether this is the first line of its entry."""
    day: date
    leg: JournalLeg
    """The leg, in cents."""
    what: str
    chart: ChartOfAccounts

    @property
    def account(self) -> str:
        return self.chart[self.leg.role]

    @property
    def party(self) -> str:
        return self.leg.party[1] if self.leg.party else ""

    @property
    def debit(self) -> str:
        return format_cents(self.leg.amount) if self.leg.amount > 0 else ""

    @property
    def credit(self) -> str:
        return format_cents(-self.leg.amount) if self.leg.amount < 0 else ""


class JournalColumn(NamedTuple):
    name: str
    value: Callable[[JournalLine], str]
    free: bool = False
    """Whether the column has names and notes, which must not be taken for formulas."""


@dataclass(frozen=True, slots=True)
class JournalLayout:
    columns: tuple[JournalColumn, ...]
    names: dict[str, str]
    example: str


def form(table: JournalLayout) -> ExportFormat:
    names = AccountNames(table.names, PLAIN, table.example)
    return ExportFormat("csv", lambda options: JournalTable(table, options), names, CENTS, history=True)


class JournalTable:
    """Writes postings as a table of journal lines, for programs that import such tables."""

    def __init__(self, table: JournalLayout, options: ExportOptions) -> None:
        self._columns = table.columns
        self._options = options
        self._file = f"{options.stem}.csv"
        self._cents = Cents()
        self._numbered: tuple[date | None, int] = (None, 0)
        self._head = csv_text.line(column.name for column in table.columns)

    def known(self, postings: Iterable[Posting]) -> None:
        for posting in postings:
            self._legs(posting)

    def feed(self, postings: Iterable[Posting]) -> Iterator[FilePiece]:
        text = b"".join([line for posting in postings for line in self._entry(posting)])
        if self._head or text:
            yield FilePiece(self._file, self._head + text)
            self._head = b""

    def end(self) -> Iterator[FilePiece]:
        yield from self.feed(())

    def _legs(self, posting: Posting) -> list[JournalLeg]:
        gained = self._cents.add((posting.user_id, posting.account), posting.wallet_pico)
        cost = self._cents.add(posting.provider, posting.cost_pico) if self._options.costs else 0
        return list(legs(posting, gained, cost))

    def _entry(self, posting: Posting) -> Iterator[bytes]:
        sides = self._legs(posting)
        if not sides:
            return
        day = self._options.day(posting.id)
        number = self._numbered[1] + 1 if self._numbered[0] == day else 1
        self._numbered = (day, number)
        entry, what = f"{self._options.prefix}{day:%y%m%d}-{number}", f"{posting.user_name}, {title(posting)}"
        for place, leg in enumerate(sides):
            line = JournalLine(entry, place == 0, day, leg, what, self._options.chart)
            yield csv_text.line(
                csv_text.text(column.value(line)) if column.free else column.value(line) for column in self._columns
            )
