"""Arranges a document for readers: every text and figure in its place, for any renderer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from softix_proxy.domain.billing.bill import Document, DocumentKind, DocumentLine, Party
from softix_proxy.domain.billing.taxes import RULES

_TITLES = {
    DocumentKind.INVOICE: "Invoice",
    DocumentKind.STATEMENT: "Statement",
    DocumentKind.CREDIT_NOTE: "Credit note",
    DocumentKind.RECEIPT: "Receipt",
}
_DUE = {DocumentKind.CREDIT_NOTE: "Credited"}
COLUMNS = ("Item", "Quantity", "Unit price", "Mark-up", "Amount")
"""The names of the columns. The first one has text, and the others have figures."""
LEDGER = "Against the ledger, exact"
MINUS = "\N{MINUS SIGN}"
_PER = {1_000_000: " / 1M", 1000: " / 1,000", 1: ""}


@dataclass(frozen=True, slots=True)
class Pair:
    label: str
    value: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class View:
    title: str
    number: str
    seller: tuple[str, ...]
    """The lines about the seller. The first one is the name."""
    buyer: tuple[str, ...]
    facts: tuple[Pair, ...]
    """The dates and references."""
    rows: tuple[tuple[str, ...], ...]
    """The rows. Each has as many cells as COLUMNS."""
    totals: tuple[Pair, ...]
    account: tuple[Pair, ...]
    notes: tuple[str, ...]
    ledger: tuple[Pair, ...]
    footer: str


def view(document: Document) -> View:
    return View(
        title=_TITLES[document.kind],
        number=document.number,
        seller=tuple(_address(document.seller)),
        buyer=tuple(_buyer(document.buyer)),
        facts=tuple(_facts(document)),
        rows=tuple(_row(line) for line in document.lines),
        totals=tuple(_totals(document)),
        account=tuple(_account(document)),
        notes=tuple(_notes(document)),
        ledger=tuple(_ledger(document)),
        footer=" · ".join((*_address(document.seller), *_ids(document.seller))),
    )


def amount(number: Decimal) -> str:
    """Formats an amount: `-1234.5` → `−1,234.50`. Further decimals are kept."""
    places = max(2, -int(number.as_tuple().exponent))
    return f"{number:,.{places}f}".replace("-", MINUS)


def day(when: date) -> str:
    return f"{when.day} {when:%B %Y}"


def _address(party: Party) -> Iterator[str]:
    yield party.name
    yield from party.address
    city = f"{party.postcode} {party.city}".strip()
    if city:
        yield city
    if party.country:
        yield party.country


def _ids(party: Party) -> Iterator[str]:
    if party.vat_id:
        yield f"VAT id {party.vat_id}"
    if party.tax_id:
        yield f"Tax number {party.tax_id}"
    if party.registration_id:
        yield f"Register {party.registration_id}"
    if party.email:
        yield party.email


def _buyer(party: Party) -> Iterator[str]:
    yield from _address(party)
    if party.vat_id:
        yield f"VAT id {party.vat_id}"


def _facts(document: Document) -> Iterator[Pair]:
    yield Pair("Number", document.number)
    yield Pair("Date", day(document.issued_on))
    if document.first_day and document.last_day:
        yield Pair("Period", f"{day(document.first_day)} – {day(document.last_day)}")
    for about in document.about:
        yield Pair("Corrects", f"{about.number} of {day(about.issued_on)}")
    if document.due_on:
        yield Pair("Due", day(document.due_on))
    if document.buyer.reference:
        yield Pair("Your reference", document.buyer.reference)
    yield Pair("Customer", document.user)


def _row(line: DocumentLine) -> tuple[str, ...]:
    price = "" if line.unit_price is None else f"{amount(line.unit_price)}{_PER[line.per]}"
    quantity = f"{line.quantity:,}".replace("-", MINUS)
    return line.description, quantity, price, line.markup, amount(line.net)


def _totals(document: Document) -> Iterator[Pair]:
    totals, tax = document.totals, document.tax
    if tax is not None:
        yield Pair("Net", amount(totals.net))
        yield Pair(f"Tax {tax.rate:f} %" if tax.rate else f"Tax ({RULES[tax.category].name})", amount(tax.amount))
    yield Pair(f"Total {document.currency}", amount(totals.gross), strong=True)
    if totals.paid:
        yield Pair("Paid", amount(-totals.paid))
    yield Pair(_DUE.get(document.kind, "To pay"), amount(totals.due), strong=True)


def _account(document: Document) -> Iterator[Pair]:
    account = document.account
    if account is None:
        return
    yield Pair("Balance before", amount(account.opening))
    yield Pair("Paid in", amount(account.paid_in))
    if account.adjusted:
        yield Pair("Adjusted", amount(account.adjusted))
    yield Pair("Used", amount(-account.used))
    yield Pair("Balance after", amount(account.closing), strong=True)


def _notes(document: Document) -> Iterator[str]:
    yield from document.notes
    if document.tax is not None and document.tax.reason:
        yield document.tax.reason + "."
    if document.kind is DocumentKind.STATEMENT:
        yield "This is a statement of a prepaid balance, and no invoice."
    if document.kind is DocumentKind.INVOICE and document.due_on:
        where = f" to {document.payment}" if document.payment else ""
        due = f"{amount(document.totals.due)} {document.currency}"
        yield f"Please pay {due} by {day(document.due_on)}{where}, quoting {document.number}."
    elif document.payment:
        yield document.payment + "."


def _ledger(document: Document) -> Iterator[Pair]:
    """Yields the exact amounts, as they are in the books."""
    if document.ledger is None:
        return
    yield Pair("Charged", amount(document.ledger.charged))
    yield Pair("Carried from earlier documents", amount(document.ledger.carried_in))
    yield Pair("Carried to the next document", amount(document.ledger.carried_on))
