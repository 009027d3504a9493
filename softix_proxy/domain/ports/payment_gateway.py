"""The port to the payment provider. It collects the money; softix never sees a card."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.ledger.payments import FetchedPayment, OnlinePayment


class GatewayError(FailureError):
    """The payment provider did not answer, or refused. It has the provider's code, and never what was sent."""

    def __init__(self, message: str, remedy: str = "", *, code: str = "") -> None:
        super().__init__(message, remedy)
        self.code = code


class RightMissingError(GatewayError):
    """The key may not do this. A restricted key has only the rights that were ticked."""


class DeclinedError(GatewayError):
    """The bank or the provider refused for good: the same request would be refused again."""


class CustomerGoneError(DeclinedError):
    """The provider does not have this customer, or has it no longer. A new one can be made."""


class WebhookRefusedError(Exception):
    """A message to the webhook that is not Stripe's, or that cannot be checked. It has no part of the message."""

    def __init__(self, reason: str, status: int) -> None:
        super().__init__(reason)
        self.status = status


class EventHint(NamedTuple):
    """What an event is about. Nothing else of it is believed."""

    id: str
    is_live: bool
    session_id: str | None = None
    intent_id: str | None = None


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """What the provider shall collect."""

    payment: OnlinePayment
    customer_id: str
    description: str
    tax_name: str = ""
    """The name of the tax that softix added, such as `VAT 19%`."""
    return_url: str = ""
    """Where the person comes back to. Empty for an automatic payment."""
    tax_by_provider: bool = False
    tax_code: str | None = None
    saves_method: bool = False
    """Whether the method is kept for automatic top-ups."""


class GatewayAccount(NamedTuple):
    """The operator's own account at the provider. What the key may not know of it is an empty text, or None."""

    id: str
    is_live: bool
    can_charge: bool | None
    default_currency: str
    country: str


class PaymentGateway(Protocol):
    """Each method raises GatewayError if the provider does not answer or refuses.

    It is a CustomerGoneError if there is no such customer. In `fetch`, that only means that nothing is found.
    """

    @property
    def is_live(self) -> bool: ...

    async def fetch(self, payment: OnlinePayment, customer_id: str | None) -> FetchedPayment:
        """Fetches the payment with its refunds and disputes. A payment that the provider does not know is open.

        If its ids are not known yet, it is looked for among those of the customer, by its public id.
        """
        ...

    async def owner(self, hint: EventHint) -> str | None:
        """Fetches what the event is about, and returns the public id of our payment in it. None if there is none."""
        ...

    async def make_customer(self, claim: str, name: str, email: str, user: str) -> str:
        """Makes a customer, once for each claim. Returns the provider's id."""
        ...

    async def open_checkout(self, order: PaymentOrder) -> tuple[str, str]:
        """Opens a page for the payment, once for each payment. Returns the provider's id and the page's address."""
        ...

    async def portal_url(self, customer_id: str, return_url: str) -> str:
        """Returns the address of the provider's page where a customer manages cards."""
        ...

    async def charge(self, order: PaymentOrder) -> None:
        """Charges the saved method, once for each payment. Raises DeclinedError if it was refused."""
        ...

    async def refund(self, payment: OnlinePayment, request: str, amount_cents: int) -> None:
        """Sends money back, once for each request."""
        ...

    def events(self, since_us: int) -> AsyncIterator[EventHint]:
        """Yields what happened since then, the oldest first."""
        ...

    async def account(self) -> GatewayAccount:
        """Returns the account of the key. A restricted key that may not look it up is no error."""
        ...

    async def make_webhook(self, url: str) -> str:
        """Makes the endpoint for events. Returns its secret, which the provider tells only now."""
        ...
