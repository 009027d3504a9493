"""Writes sales invoices for Xero: Business → Invoices → Import.

The columns are those of Xero's own template (central.xero.com, "Import sales invoices"). Each item is one line, and the
lines of an invoice share its number. Dates are DD/MM/YYYY. Xero takes at most 500 invoices a file, so a file has at
most 500 lines. Negative amounts make a credit note. Earlier payments are prepayments in Xero, and are allocated there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from itertools import groupby
from typing import NamedTuple

from softix_proxy.domain.core.money import CURRENCY, format_cents
from softix_proxy.domain.ledger.ledger import REVENUE, Posting
from softix_proxy.exports.core import csv_text
from softix_proxy.exports.ledger.accounts import PLAIN, AccountNames, title
from softix_proxy.exports.ledger.cents import Cents
from softix_proxy.exports.ledger.form import CENTS, ExportFormat, ExportOptions, FilePiece

LINES_A_FILE = 500
COLUMNS = (
    *("*ContactName", "EmailAddress", "POAddressLine1", "POAddressLine2", "POAddressLine3", "POAddressLine4"),
    *("POCity", "PORegion", "POPostalCode", "POCountry", "*InvoiceNumber", "Reference", "*InvoiceDate", "*DueDate"),
    *("Total", "InventoryItemCode", "*Description", "*Quantity", "*UnitAmount", "Discount", "*AccountCode"),
    *("*TaxType", "TaxAmount", "TrackingName1", "TrackingOption1", "TrackingName2", "TrackingOption2"),
    *("Currency", "BrandingTheme"),
)
_HEAD = csv_text.line(COLUMNS)


def _used(postings: Iterable[Posting]) -> Iterator[Posting]:
    return (posting for posting in postings if posting.account == REVENUE)


class _Item(NamedTuple):
    posting: Posting
    cents: int


class Xero:
    """Writes postings as lines of Xero's sales invoices, in as many files as Xero's limit requires."""

    def __init__(self, options: ExportOptions) -> None:
        self._options = options
        self._cents = Cents()
        self._files = 0
        self._lines = LINES_A_FILE
        """The number of lines in the file that is being written."""

    def known(self, postings: Iterable[Posting]) -> None:
        for posting in _used(postings):
            self._item(posting)

    def feed(self, postings: Iterable[Posting]) -> Iterator[FilePiece]:
        """Writes the invoices. All postings of a customer's period must come at once, one customer after the other."""
        parts = groupby(_used(postings), lambda posting: (posting.user_id, self._options.day(posting.id)))
        for (user_id, day), alike in parts:
            items = [item for item in map(self._item, alike) if item.cents]
            for part, start in enumerate(range(0, len(items), LINES_A_FILE)):
                number = f"SX-{day:%Y%m%d}-{user_id}" + (f"-{part + 1}" if part else "")
                yield self._invoice(number, day, items[start : start + LINES_A_FILE])

    def end(self) -> Iterator[FilePiece]:
        if not self._files:
            yield FilePiece(self._next_file(), _HEAD)

    def _item(self, posting: Posting) -> _Item:
        return _Item(posting, self._cents.add(posting.user_id, -posting.wallet_pico))

    def _invoice(self, number: str, day: date, items: list[_Item]) -> FilePiece:
        """Returns one invoice. It is never divided between two files."""
        lines = [self._line(number, day, item) for item in items]
        if self._lines + len(lines) > LINES_A_FILE:
            self._lines = 0
            lines = [_HEAD, *lines]
            file = self._next_file()
        else:
            file = self._file()
        self._lines += len(items)
        return FilePiece(file, b"".join(lines))

    def _next_file(self) -> str:
        self._files += 1
        return self._file()

    def _file(self) -> str:
        return f"{self._options.stem}_{self._files:03d}.csv"

    def _line(self, number: str, day: date, item: _Item) -> bytes:
        shown = f"{day:%d/%m/%Y}"
        values = {
            "*ContactName": csv_text.text(item.posting.user_name),
            "*InvoiceNumber": number,
            "Reference": item.posting.user_id,
            "*InvoiceDate": shown,
            "*DueDate": shown,
            "*Description": csv_text.text(title(item.posting)),
            "*Quantity": "1",
            "*UnitAmount": format_cents(item.cents),
            "*AccountCode": self._options.chart["revenue"],
            "*TaxType": self._options.chart["tax"],
            "Currency": CURRENCY,
        }
        return csv_text.line(values.get(column, "") for column in COLUMNS)


FORM = ExportFormat(
    "csv",
    Xero,
    AccountNames({"revenue": "200", "tax": "Tax Exempt"}, PLAIN, "Tax on Sales"),
    CENTS,
    by_model=True,
    history=True,
    takes_costs=False,
    takes_opening=False,
    several=True,
)
