"""The documents for customers: invoices, statements, credit notes and receipts, and the records behind them.

An issued document is frozen: the seller, the buyer, and every figure stay as they were then.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

from softix_proxy.domain.billing.taxes import Category
from softix_proxy.domain.core.spans import Span
from softix_proxy.domain.pricing.meters import Meters

if TYPE_CHECKING:
    from softix_proxy.domain.core.calendar import Calendar


class DocumentKind(StrEnum):
    INVOICE = "invoice"
    """The amount that a postpaid customer owes for a period."""
    STATEMENT = "statement"
    """The usage of a prepaid customer in a period, and its effect on the balance. Nothing is due."""
    CREDIT_NOTE = "credit-note"
    """The reversal of an invoice, or of a part of it. Its amounts are positive."""
    RECEIPT = "receipt"
    """The confirmation of a payment. For a prepaid customer it is a sale of credit, and states the tax."""


@dataclass(frozen=True, slots=True)
class Party:
    """The seller or the buyer, as the document names it. Unknown fields are empty."""

    name: str
    address: tuple[str, ...] = ()
    postcode: str = ""
    city: str = ""
    country: str = ""
    """The country as two letters, ISO 3166."""
    vat_id: str = ""
    tax_id: str = ""
    """A number of the tax office that is no VAT id."""
    registration_id: str = ""
    """The number in the register of companies."""
    email: str = ""
    reference: str = ""
    """The buyer's reference: a cost centre, an order number."""


@dataclass(frozen=True, slots=True)
class Customer:
    """The details of a user for documents. A field that is not set is as configured for all."""

    user_id: int
    party: Party
    category: Category | None = None
    rate: Decimal | None = None
    """The tax rate in percent."""
    reason: str = ""
    """The reason why no tax is charged."""


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """One line of a document. Amounts are in USD. `net` has two decimals, and `exact` is the ledger's amount."""

    description: str
    quantity: int
    """The quantity. It is negative if something is reversed."""
    per: int
    """The number of units to which the prices refer."""
    price: Decimal
    """The price with the mark-up. It is never negative."""
    net: Decimal
    exact: Decimal
    unit_price: Decimal | None = None
    """The price without the mark-up. It is None if the line is not based on a price list."""
    markup: str = ""
    """The mark-up, such as `7.5%`."""
    unit: str = "C62"
    """The unit, as a code of UN/ECE Recommendation 20."""


@dataclass(frozen=True, slots=True)
class DocumentTax:
    category: Category
    rate: Decimal
    basis: Decimal
    amount: Decimal
    reason: str = ""
    reason_code: str = ""


@dataclass(frozen=True, slots=True)
class DocumentTotals:
    """The totals, with two decimals each.

    The sum of the lines equals the net, since there are no allowances or charges on the whole.
    """

    net: Decimal
    tax: Decimal
    gross: Decimal
    paid: Decimal
    due: Decimal


@dataclass(frozen=True, slots=True)
class LedgerNote:
    """The relation of the document's cents to the ledger: charged + carried_in = net + carried_on, to the pico-dollar.

    The signs are the ledger's: for a credit note, `charged` is negative and the net counts as negative.
    """

    charged: Decimal
    carried_in: Decimal
    carried_on: Decimal


@dataclass(frozen=True, slots=True)
class BalanceStatement:
    """The exact balance over a period."""

    opening: Decimal
    paid_in: Decimal
    adjusted: Decimal
    used: Decimal
    closing: Decimal


@dataclass(frozen=True, slots=True)
class DocumentReference:
    number: str
    issued_on: date


@dataclass(frozen=True, slots=True)
class Document:
    number: str
    kind: DocumentKind
    issued_on: date
    due_on: date | None
    period: str
    """The period, such as `2026-10`."""
    first_day: date | None
    """The first day of the usage. It is None for a receipt, which has no period."""
    last_day: date | None
    currency: str
    seller: Party
    buyer: Party
    user: str
    """The public id of the user."""
    lines: tuple[DocumentLine, ...]
    totals: DocumentTotals
    tax: DocumentTax | None
    """None if the document is of no sale: a statement, or the receipt of a payment for invoices."""
    ledger: LedgerNote | None
    """None if the document is a receipt."""
    account: BalanceStatement | None = None
    """The balance, for a statement."""
    about: tuple[DocumentReference, ...] = ()
    """The documents that it corrects."""
    payment: str = ""
    """The way it was paid or is to be paid: a reference, an IBAN."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as it is stored."""

    id: int
    user_id: int
    document: Document
    span: Span | None
    covers: bool
    """Whether this document is the one that states the user's usage of that period."""
    issued_at_us: int
    about_id: int | None = None
    """The bill that this one corrects."""
    cancels: bool = False
    """Whether it cancels that bill as a whole."""
    transfer_id: int | None = None
    """The payment for which it is the receipt."""
    exact_pico: int | None = None
    """The part of the ledger's charges that it contains. It is None for a receipt."""
    carried_pico: int | None = None
    """The amount that this document has too little or too much against the ledger.

    The next document of this user settles it.
    """


@dataclass(frozen=True, slots=True)
class UsageSum:
    """The sum of charged requests of a user that have the same price."""

    user_id: int
    model_id: int
    model: str
    """The model as `provider/model`."""
    price_id: int | None
    service_tier: str
    band_tokens: int
    """A number of input tokens that chooses the band of the price that applied to each."""
    markup: Fraction
    label: str
    """The reason why the charge is not price times quantity: `interrupted`, `limited_to_balance` or `limited_to_hold`.

    It is empty if the charge is price times quantity.
    """
    fee_pico: int
    """The fee for each request, which is part of its charge."""
    rows: int
    meters: Meters
    charge_pico: int


@dataclass(frozen=True, slots=True)
class CorrectionSum:
    """The sum of corrections that were posted in a period.

    They are of requests of one model in one earlier month or document.
    """

    user_id: int
    model: str
    about_id: int | None
    """The document that contains the corrected requests. It is None if there is none."""
    month: str
    """The month of the corrected requests, in UTC."""
    note: str
    """The note, if all have the same."""
    rows: int
    charge_pico: int


@dataclass(frozen=True, slots=True)
class Payment:
    """A transfer between the operator and a wallet."""

    id: int
    user_id: int
    kind: str
    amount_pico: int
    """The amount that goes into the wallet. It is negative if it goes out."""
    reference: str | None
    note: str | None


class BillStore(Protocol):
    """Stores documents and customers, and sums up the contents of documents."""

    async def customer(self, user_id: int) -> Customer | None: ...

    async def set_customer(self, customer: Customer) -> None: ...

    def usage_sums(self, span: Span, user_id: int | None, steps: Sequence[int]) -> AsyncIterator[UsageSum]:
        """Yields the charges in constant memory.

        Each item sums up some consecutive rows, so the same group may come again. `steps` are the numbers of input
        tokens above which some price changes.
        """
        ...

    def correction_sums(self, span: Span, user_id: int | None, at: Calendar) -> AsyncIterator[CorrectionSum]:
        """Yields the corrections likewise, by the months of a calendar."""
        ...

    async def payments(self, span: Span, user_id: int | None) -> Sequence[Payment]:
        """Returns top-ups and adjustments, the oldest first."""
        ...

    async def charged_since(self, instant_us: int, user_id: int | None) -> Mapping[int, int]:
        """Returns user → the charges from that instant on, in pico-USD."""
        ...

    async def add(self, bill: StoredDocument, series: str) -> StoredDocument:
        """Stores a document with an id and the next number of the series.

        The numbers have no gap, because they are given within the transaction that stores the document. Raises
        ConflictError if a document covers that time already, or the receipt was issued.
        """
        ...

    async def find(self, number: str) -> StoredDocument | None: ...

    async def get(self, bill_id: int) -> StoredDocument: ...

    async def list(self, user_id: int | None = None, period: str | None = None) -> Sequence[StoredDocument]:
        """Returns the documents in the order in which they were issued."""
        ...

    async def page(
        self, user_id: int | None, period: str | None, before_id: int | None, limit: int
    ) -> Sequence[StoredDocument]:
        """Returns documents, the newest first: those before that number, if one is given."""
        ...

    async def of_period(self, user_id: int, span: Span) -> Sequence[StoredDocument]:
        """Returns all documents that touch that time and are not cancelled, except receipts."""
        ...

    async def cancelled_by(self, bill_id: int) -> StoredDocument | None: ...

    async def of_transfer(self, transfer_id: int) -> StoredDocument | None:
        """Returns the document of a payment."""
        ...

    async def receipted(self, transfer_ids: Sequence[int]) -> frozenset[int]:
        """Returns those of these transfers that have a receipt."""
        ...

    async def carried_pico(self, user_id: int) -> int:
        """Returns the amount that the last document of a user carries to the next."""
        ...
