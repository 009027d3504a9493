"""The requests for refunds. The money is held from the request on, so that nobody can spend it meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class RefundState(StrEnum):
    """How far a request for a refund is."""

    REQUESTED = "requested"
    """A user asked, and no operator has answered."""
    APPROVED = "approved"
    """The provider is asked, or works on it."""
    REFUNDED = "refunded"
    REFUSED = "refused"
    """An operator refused it. The money is in the balance again."""
    FAILED = "failed"
    """The provider could not send the money back. It is in the balance again."""


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """A request for a refund of one payment, or of a part of it."""

    id: int
    public_id: str
    """`rfd_` and letters. It is the idempotency key at the provider, and in the refund's metadata."""
    payment_id: int
    amount_cents: int
    """What goes back, with the tax."""
    state: RefundState
    created_at_us: int
    account_id: int | None = None
    """The person who asked. None for an operator's refund."""
    refund_id: str | None = None
    """The provider's id, once it has the refund."""
    answered_at_us: int | None = None

    @property
    def holds(self) -> bool:
        """Whether it takes money from the payment as long as the provider does not know of it."""
        return self.state in (RefundState.REQUESTED, RefundState.APPROVED, RefundState.REFUNDED)

    @property
    def is_open(self) -> bool:
        return self.state in (RefundState.REQUESTED, RefundState.APPROVED)


class RefundRequestStore(Protocol):
    """Stores requests for refunds."""

    async def add(self, request: RefundRequest) -> RefundRequest:
        """Adds a request. `request.id` is ignored and assigned."""
        ...

    async def find(self, public_id: str) -> RefundRequest | None: ...

    async def of_payment(self, payment_id: int) -> Sequence[RefundRequest]:
        """Returns the requests of a payment, the oldest first."""
        ...

    async def list(self, state: RefundState | None, user_id: int | None) -> Sequence[RefundRequest]:
        """Returns requests, the oldest first."""
        ...

    async def update(self, request: RefundRequest) -> None: ...
