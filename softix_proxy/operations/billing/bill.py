"""The operations on documents for customers: set a customer's details, list and find documents, and credit one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from softix_proxy.domain.access.users import User
from softix_proxy.domain.billing.bill import (
    Customer,
    DocumentKind,
    DocumentReference,
    LedgerNote,
    Party,
    StoredDocument,
)
from softix_proxy.domain.billing.invoicing import CENT_PICO, ZERO, usd
from softix_proxy.domain.billing.seller import Billing
from softix_proxy.domain.billing.taxes import parse_category, parse_country, parse_rate, parse_vat_id
from softix_proxy.domain.core.calendar import calendar
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.access import users
from softix_proxy.operations.core.shown_names import name_of

_MAX_TEXT = 200
_OF_THE_TAX = ("country", "vat_id")
_MAX_LINES = 5


async def customer_of(unit: Unit, user: User) -> Customer:
    """Returns the customer's stored details.

    If none are stored, they are made from the e-mail address and the name by which people know the user.
    """
    known = await unit.bill.customer(user.id)
    return known or Customer(user.id, Party(name=await name_of(unit, user.id), email=user.email))


async def customer(storage: Storage, reference: str) -> tuple[User, Customer]:
    unit = storage.reading()
    user = await users.find(unit, reference)
    return user, await customer_of(unit, user)


async def set_customer(
    storage: Storage,
    billing: Billing,
    user: str,
    *,
    by_customer: bool = False,
    address: Sequence[str] = (),
    country: str | None = None,
    vat_id: str | None = None,
    tax_category: str | None = None,
    tax_rate: str | None = None,
    tax_reason: str | None = None,
    **texts: str | None,
) -> tuple[User, Customer]:
    """Changes the details that are given. An empty text removes a value. Issued documents stay as they are.

    `texts` are further fields of Party. With `by_customer`, country and VAT id stay as they are if the operator has
    decided the tax, which depends on them. Raises NotFoundError, and BadInputError, also for tax details with which no
    document could be issued and no payment begun.
    """
    changes: dict[str, Any] = {name: _line(text) for name, text in texts.items() if text is not None}
    if changes.get("name") == "":
        raise BadInputError("a customer has a name", "leave out --name, or give one")
    if address:
        changes["address"] = tuple(_line(one) for one in address if one)
        if len(changes["address"]) > _MAX_LINES:
            raise BadInputError(f"an address has at most {_MAX_LINES} lines", "join some of them")
    if country is not None:
        changes["country"] = parse_country(country) if country else ""
    if vat_id is not None:
        changes["vat_id"] = parse_vat_id(vat_id) if vat_id else ""
    taxed: dict[str, Any] = {}
    if tax_category is not None:
        taxed["category"] = parse_category(tax_category) if tax_category else None
    if tax_rate is not None:
        taxed["rate"] = parse_rate(tax_rate) if tax_rate else None
    if tax_reason is not None:
        taxed["reason"] = _line(tax_reason)
    async with storage.writing() as unit:
        owner = await users.find(unit, user)
        known = await customer_of(unit, owner)
        if by_customer and is_tax_decided(known):
            changes = {name: value for name, value in changes.items() if name not in _OF_THE_TAX}
        changed = replace(known, party=replace(known.party, **changes), **taxed)
        if taxed:
            billing.treatment(changed)
        await unit.bill.set_customer(changed)
        return owner, changed


def is_tax_decided(customer: Customer) -> bool:
    """Returns whether the operator has decided how a customer is taxed, which depends on country and VAT id."""
    return customer.category is not None


def _line(text: str) -> str:
    if len(text) > _MAX_TEXT or not text.isprintable():
        raise BadInputError("what stands on a document is a line of at most 200 characters", "shorten it")
    return text.strip()


async def list_all(
    storage: Storage, *, user: str | None = None, period: str | None = None, kind: DocumentKind | None = None
) -> Sequence[StoredDocument]:
    """Returns the documents in the order in which they were issued. Raises NotFoundError."""
    unit = storage.reading()
    user_id = (await users.find(unit, user)).id if user is not None else None
    return [one for one in await unit.bill.list(user_id, period) if kind in (None, one.document.kind)]


async def page(
    storage: Storage,
    *,
    user: str | None = None,
    period: str | None = None,
    before: str | None = None,
    limit: int = 50,
) -> Sequence[StoredDocument]:
    """Returns documents, the newest first: those before the one of this number, if one is given.

    Raises NotFoundError.
    """
    unit = storage.reading()
    user_id = (await users.find(unit, user)).id if user is not None else None
    before_id = (await find(unit, before)).id if before else None
    return await unit.bill.page(user_id, period, before_id, limit)


async def show(storage: Storage, number: str) -> StoredDocument:
    return await find(storage.reading(), number)


async def find(unit: Unit, number: str) -> StoredDocument:
    """Returns the document with this number. Raises NotFoundError."""
    found = await unit.bill.find(number)
    if found is None:
        raise NotFoundError(f"no bill {number!r}", "see: softix bill list")
    return found


async def credit(storage: Storage, billing: Billing, number: str, note: str) -> StoredDocument:
    """Reverses a whole invoice by a credit note.

    The period of the invoice can then be billed anew. The ledger stays as it is. Raises NotFoundError and
    BadInputError. Raises ConflictError if the document is no invoice or was reversed before.
    """
    if not (0 < len(note) <= _MAX_TEXT and note.isprintable()):
        raise BadInputError("a note is one line of 1 to 200 characters", "say why it is taken back: --note")
    async with storage.writing() as unit:
        bill = await find(unit, number)
        invoice = bill.document
        if invoice.kind is not DocumentKind.INVOICE or bill.exact_pico is None:
            raise ConflictError(f"{number} is a {invoice.kind.value}", "only an invoice is credited")
        earlier = await unit.bill.cancelled_by(bill.id)
        if earlier is not None:
            raise ConflictError(f"{number} was credited by {earlier.document.number}", "see: softix bill list")
        now_us = unit.clock.now_us()
        issued_on = calendar(billing.zone).date(now_us)
        carried_in_pico = await unit.bill.carried_pico(bill.user_id)
        carried_on_pico = carried_in_pico - bill.exact_pico + int(invoice.totals.net.scaleb(2)) * CENT_PICO
        document = replace(
            invoice,
            kind=DocumentKind.CREDIT_NOTE,
            issued_on=issued_on,
            due_on=None,
            totals=replace(invoice.totals, paid=ZERO, due=invoice.totals.gross),
            ledger=LedgerNote(usd(-bill.exact_pico), usd(carried_in_pico), usd(carried_on_pico)),
            about=(DocumentReference(invoice.number, invoice.issued_on),),
            payment="",
            notes=(f"Takes back invoice {invoice.number} as a whole: {note}",),
        )
        draft = StoredDocument(
            id=0,
            user_id=bill.user_id,
            document=document,
            span=bill.span,
            covers=False,
            issued_at_us=now_us,
            about_id=bill.id,
            cancels=True,
            exact_pico=-bill.exact_pico,
            carried_pico=carried_on_pico,
        )
        return await unit.bill.add(draft, billing.series(DocumentKind.CREDIT_NOTE, issued_on.year))
