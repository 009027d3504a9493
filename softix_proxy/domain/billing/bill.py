"""Documents for customers: what an invoice, a statement, a credit note or a receipt says, and the records behind it.

An issued document is frozen: who sold, who bought, and every figure as it was then.
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
    """What a customer who pays afterwards owes for a period."""
    STATEMENT = "statement"
    """What a prepaid customer used in a period, and what became of the balance. Nothing is due."""
    CREDIT_NOTE = "credit-note"
    """Takes an invoice back, or a part of it. Its amounts are positive."""
    RECEIPT = "receipt"
    """Money came in. Of a prepaid customer it is a sale of credit, and has the tax."""


@dataclass(frozen=True, slots=True)
class Party:
    """Who sells or buys, as the document says it. What is not known is empty."""

    name: str
    address: tuple[str, ...] = ()
    postcode: str = ""
    city: str = ""
    country: str = ""
    """Two letters, ISO 3166."""
    vat_id: str = ""
    tax_id: str = ""
    """A number of the tax office that is no VAT id."""
    registration_id: str = ""
    """In the register of companies."""
    email: str = ""
    reference: str = ""
    """What the buyer wants to read: a cost centre, an order number."""


@dataclass(frozen=True, slots=True)
class Customer:
    """What stands on a user's documents; what is not set is as configured for all."""

    user_id: int
    party: Party
    category: Category | None = None
    rate: Decimal | None = None
    """In percent."""
    reason: str = ""
    """Why no tax is charged."""


@dataclass(frozen=True, slots=True)
class DocumentLine:
    """Amounts are in USD. `net` has two decimals, `exact` is the ledger's."""

    description: str
    quantity: int
    """Negative where something is taken back."""
    per: int
    """The prices are for so many."""
    price: Decimal
    """With the mark-up; never negative."""
    net: Decimal
    exact: Decimal
    unit_price: Decimal | None = None
    """Without the mark-up; None where no price list stands behind it."""
    markup: str = ""
    """As in `7.5%`."""
    unit: str = "C62"
    """A code of UN/ECE Recommendation 20."""


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
    """Two decimals each. Lines and net are the same, since nothing is allowed or charged on the whole."""

    net: Decimal
    tax: Decimal
    gross: Decimal
    paid: Decimal
    due: Decimal


@dataclass(frozen=True, slots=True)
class LedgerNote:
    """How the document's cents are those of the ledger: charged + carried_in = net + carried_on, to the pico-dollar.

    Signs are the ledger's: of a credit note, `charged` is negative and the net counts as negative.
    """

    charged: Decimal
    carried_in: Decimal
    carried_on: Decimal


@dataclass(frozen=True, slots=True)
class BalanceStatement:
    """A balance over a period, exact."""

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
    """As in `2026-10`."""
    first_day: date | None
    """Of what was used; a receipt is of no time."""
    last_day: date | None
    currency: str
    seller: Party
    buyer: Party
    user: str
    """The public id."""
    lines: tuple[DocumentLine, ...]
    totals: DocumentTotals
    tax: DocumentTax | None
    """None where the document is of no sale: a statement, or the receipt of a payment for invoices."""
    ledger: LedgerNote | None
    """None for a receipt."""
    account: BalanceStatement | None = None
    """Of a statement."""
    about: tuple[DocumentReference, ...] = ()
    """The documents that it corrects."""
    payment: str = ""
    """How it was paid, or where to pay: a reference, an IBAN."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """A document as it is stored."""

    id: int
    user_id: int
    document: Document
    span: Span | None
    covers: bool
    """It is the one that says what the user used in that period."""
    issued_at_us: int
    about_id: int | None = None
    """The bill that this one corrects."""
    cancels: bool = False
    """As a whole."""
    transfer_id: int | None = None
    """The payment that it is the receipt of."""
    exact_pico: int | None = None
    """What it says of the ledger's charges; of a receipt None."""
    carried_pico: int | None = None
    """What this document owes to the ledger, or has too much, for the next one of this user to settle."""


@dataclass(frozen=True, slots=True)
class UsageSum:
    """Charged requests of a user that are alike in what makes their price."""

    user_id: int
    model_id: int
    model: str
    """`provider/model`."""
    price_id: int | None
    service_tier: str
    band_tokens: int
    """As many input tokens as choose the band of the price that applied to each."""
    markup: Fraction
    label: str
    """`interrupted` or `limited_to_hold` where the charge is not what the price makes of the quantities; else empty."""
    fee_pico: int
    """For each request; part of its charge."""
    rows: int
    meters: Meters
    charge_pico: int


@dataclass(frozen=True, slots=True)
class CorrectionSum:
    """Corrections that were posted in a period, of requests of one model in one earlier month or document."""

    user_id: int
    model: str
    about_id: int | None
    """The document that has the corrected requests; None where there is none."""
    month: str
    """Of the corrected requests, in UTC."""
    note: str
    """Where all have the same."""
    rows: int
    charge_pico: int


@dataclass(frozen=True, slots=True)
class Payment:
    """A transfer between the operator and a wallet."""

    id: int
    user_id: int
    kind: str
    amount_pico: int
    """Into the wallet; negative out of it."""
    reference: str | None
    note: str | None


class BillStore(Protocol):
    """Keeps documents and customers, and sums up what goes into a document."""

    async def customer(self, user_id: int) -> Customer | None: ...

    async def set_customer(self, customer: Customer) -> None: ...

    def usage_sums(self, span: Span, user_id: int | None, steps: Sequence[int]) -> AsyncIterator[UsageSum]:
        """What was charged, in constant memory: sums of some consecutive rows each, so what is alike may come again.

        `steps` are the numbers of input tokens above which some price changes.
        """
        ...

    def correction_sums(self, span: Span, user_id: int | None, at: Calendar) -> AsyncIterator[CorrectionSum]:
        """What was corrected, likewise, by the months of a calendar."""
        ...

    async def payments(self, span: Span, user_id: int | None) -> Sequence[Payment]:
        """Top-ups and adjustments, the oldest first."""
        ...

    async def charged_since(self, instant_us: int, user_id: int | None) -> Mapping[int, int]:
        """User → what was charged from that instant on, in pico-USD."""
        ...

    async def add(self, bill: StoredDocument, series: str) -> StoredDocument:
        """Gives it its id and the next number of the series, without a gap: within the transaction that keeps it.

        Raises ConflictError where a document covers that time already, or the receipt was issued.
        """
        ...

    async def find(self, number: str) -> StoredDocument | None: ...

    async def get(self, bill_id: int) -> StoredDocument: ...

    async def list(self, user_id: int | None = None, period: str | None = None) -> Sequence[StoredDocument]:
        """In the order in which they were issued."""
        ...

    async def of_period(self, user_id: int, span: Span) -> Sequence[StoredDocument]:
        """All that touch that time and are not cancelled; receipts apart."""
        ...

    async def cancelled_by(self, bill_id: int) -> StoredDocument | None: ...

    async def receipted(self, transfer_ids: Sequence[int]) -> frozenset[int]:
        """Those of these transfers that have a receipt."""
        ...

    async def carried_pico(self, user_id: int) -> int:
        """What the last document of a user left over."""
        ...
