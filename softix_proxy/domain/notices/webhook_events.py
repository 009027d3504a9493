"""The events of which programs are told by webhooks, and the fields that each of them has.

An event has ids, amounts and names, as messages to people have. It never has content. `docs/webhooks.md` has this
table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple


class EventKind(StrEnum):
    """The kinds of events. A receiver knows them as `type`, and chooses among them."""

    BALANCE_LOW = "balance.low"
    CAP_REACHED = "cap.reached"
    CAP_SHARE = "cap.share"
    BUDGET_REACHED = "budget.reached"
    PERIOD_CLOSED = "period.closed"
    INVOICE_ISSUED = "invoice.issued"
    INVOICE_PAID = "invoice.paid"
    RECEIPT_ISSUED = "receipt.issued"
    PAYMENT_RECEIVED = "payment.received"
    PAYMENT_FAILED = "payment.failed"
    PAYMENT_REFUNDED = "payment.refunded"
    PAYMENT_DISPUTED = "payment.disputed"
    AUTO_TOP_UP_PAUSED = "auto_top_up.paused"
    KEY_CREATED = "key.created"
    KEY_REVOKED = "key.revoked"
    PROVIDER_FAILING = "provider.failing"
    PROVIDER_RECOVERED = "provider.recovered"
    ABUSE_SUSPECTED = "abuse.suspected"
    WEBHOOK_TEST = "webhook.test"


class EventContent(NamedTuple):
    """What an event of a kind says."""

    meaning: str
    fields: tuple[str, ...]
    """The members of `data`. One that does not apply is left out."""
    is_of_organisation: bool = True
    """Whether it is about one organisation. If not, only endpoints of the whole instance get it."""


_OF = ("organisation", "organisation_name")
_KEY = (*_OF, "key", "key_name")
_PAYMENT = (*_OF, "payment", "amount_usd", "live", "document")
_DOCUMENT = (*_OF, "document", "amount_usd", "issued_on")
EVENTS: Mapping[EventKind, EventContent] = {
    EventKind.BALANCE_LOW: EventContent(
        "A prepaid balance fell to `mail.low_balance_usd`, or below.", (*_OF, "balance_usd", "threshold_usd")
    ),
    EventKind.CAP_REACHED: EventContent(
        "A key has spent its cap of a period, or all but a twentieth of it.",
        (*_KEY, "cap_usd", "period", "period_began_at"),
    ),
    EventKind.CAP_SHARE: EventContent(
        "A share of a cap is spent at which people are told: see `--alert` of `softix keys limits`.",
        (*_KEY, "models", "percent", "cap_usd", "period", "period_began_at"),
    ),
    EventKind.BUDGET_REACHED: EventContent(
        "A part of a budget is spent.",
        (*_OF, "budget", "budget_name", "percent", "limit_usd", "period", "period_began_at"),
    ),
    EventKind.PERIOD_CLOSED: EventContent(
        "A period was closed, and nothing is posted into it any more.",
        ("period", "from", "to", "zone", "rows"),
        is_of_organisation=False,
    ),
    EventKind.INVOICE_ISSUED: EventContent("An invoice was issued.", (*_DOCUMENT, "due_on")),
    EventKind.INVOICE_PAID: EventContent(
        "A payment was posted whose reference is the number of an invoice, and it covers the invoice.",
        (*_OF, "document", "amount_usd"),
    ),
    EventKind.RECEIPT_ISSUED: EventContent("A billing run issued the receipt of a payment.", _DOCUMENT),
    EventKind.PAYMENT_RECEIVED: EventContent("A payment by Stripe gave its credit.", _PAYMENT),
    EventKind.PAYMENT_FAILED: EventContent("A payment by Stripe failed.", _PAYMENT),
    EventKind.PAYMENT_REFUNDED: EventContent("Money of a payment went back.", _PAYMENT),
    EventKind.PAYMENT_DISPUTED: EventContent("A bank took the money of a payment back.", _PAYMENT),
    EventKind.AUTO_TOP_UP_PAUSED: EventContent(
        "Automatic top-ups stopped. A person has to start them again.", (*_PAYMENT, "reason")
    ),
    EventKind.KEY_CREATED: EventContent("An API key was issued.", _KEY),
    EventKind.KEY_REVOKED: EventContent("An API key was revoked.", _KEY),
    EventKind.PROVIDER_FAILING: EventContent(
        "Requests to a provider failed so often in a row that softix pauses it.",
        ("provider", "provider_name", "models", "error"),
        is_of_organisation=False,
    ),
    EventKind.PROVIDER_RECOVERED: EventContent(
        "A provider that was failing answers again.", ("provider", "provider_name"), is_of_organisation=False
    ),
    EventKind.ABUSE_SUSPECTED: EventContent("A rule against abuse noticed something.", (*_KEY, "rule", "text")),
    EventKind.WEBHOOK_TEST: EventContent("`softix webhooks test` sent it.", ("endpoint",), is_of_organisation=False),
}
CHOSEN = tuple(kind for kind in EventKind if kind is not EventKind.WEBHOOK_TEST)
"""The kinds that an endpoint can choose among."""


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """Something that happened, of which endpoints are told."""

    kind: EventKind
    data: Mapping[str, Any] = field(repr=False)
    user_id: int | None = None
    """The organisation that it is about. None means the whole instance."""
    once: str = ""
    """The name of its cause. A second event of the name is dropped."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event that waits for its deliveries, or had them."""

    id: int
    public_id: str
    """The `webhook-id`, which is the same at each attempt and for each endpoint."""
    event: WebhookEvent
    at_us: int
