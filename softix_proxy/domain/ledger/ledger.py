"""Double entry: every posting is a transfer between two accounts, and nothing is ever changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from softix_proxy.domain.core.spans import Span

if TYPE_CHECKING:
    from softix_proxy.domain.ledger.redating import MisdatedPosting
    from softix_proxy.domain.metering.usage import Correction, UsageRow

TransferKind = Literal["top-up", "adjustment", "charge", "correction"]
CASH, REVENUE, ADJUSTMENTS = -1, -2, -3
"""The operator's accounts. A user's wallet is the account with the user's id."""


@dataclass(frozen=True, slots=True)
class Transfer:
    id: int
    """Also when it was posted, in microseconds; strictly increasing, shared with usage rows."""
    from_account: int
    to_account: int
    amount_pico: int
    kind: TransferKind
    reference: str | None = None
    note: str | None = None


class Posting(NamedTuple):
    """What moved between a wallet and an account of the operator, and what the provider asks for it.

    One transfer, or one usage row that cost the user nothing; or the sum of some that are alike.
    """

    id: int
    """When it was posted, in microseconds; of a sum, the last moment of what it adds up."""
    kind: TransferKind | Literal["opening"]
    """`opening`: all that was before."""
    account: int
    """The operator's: CASH, REVENUE or ADJUSTMENTS."""
    user_id: str
    """Public id."""
    user_name: str
    wallet_pico: int
    """What the wallet gained; below 0, what it paid."""
    cost_pico: int
    provider: str | None
    model: str | None
    """The name that was asked for."""
    requests: int
    input_tokens: int
    output_tokens: int
    request_id: int | None = None
    """This and what follows only where it is one."""
    usage_at_us: int | None = None
    reference: str | None = None
    note: str | None = None


class PostingBatch(NamedTuple):
    """Some postings that were read at once."""

    rows: int
    """From how many rows of usage and transfers they are made."""
    postings: Sequence[Posting]


@dataclass(frozen=True, slots=True)
class AccountBalance:
    name: str
    balance_pico: int


@dataclass(frozen=True, slots=True)
class LedgerViolation:
    """Something in the books that must not be."""

    rule: str
    subject: str
    """What it concerns: a user's or key's public id, a request id, or a number."""
    detail: str


@dataclass(frozen=True, slots=True)
class VerificationResult:
    transfers: int
    usage_rows: int
    open_holds: int
    violations: tuple[LedgerViolation, ...]
    periods: int = 0
    """Closed ones that were proved too."""


class LedgerStore(Protocol):
    """Posts transfers, reads them back, and proves that they add up."""

    async def post(self, transfer: Transfer) -> Transfer:
        """The one way into the ledger outside the hot path: `transfer.id` is ignored and given, the wallets follow.

        Raises BadInputError where a wallet would hold, or the transfer moves, more than 64 bits; NotFoundError
        where a user has no wallet.
        """
        ...

    async def correct(self, correction: Correction) -> UsageRow:
        """Posts the difference: usage row, transfer, balance, the key's spend and the sums of the day."""
        ...

    async def by_reference(self, reference: str) -> Transfer | None: ...

    async def accounts(self) -> Sequence[AccountBalance]:
        """The operator's, and the sum of all wallets."""
        ...

    def misdated(self, span: Span) -> AsyncIterator[Sequence[MisdatedPosting]]:
        """What was posted in the span and not redated since, a day at a time."""
        ...

    async def closed_us(self) -> int:
        """When the last closed period ends; 0 where none is closed."""
        ...

    async def redate(self, misdated: MisdatedPosting, booked_us: int, note: str) -> bool:
        """Takes it back on its day and books it at that time; False where that was done meanwhile."""
        ...

    async def first_posted(self, span: Span) -> int | None:
        """When the first of all rows in the span was posted."""
        ...

    async def last_posted(self) -> int:
        """When the last of all rows was posted; 0 where there is none."""
        ...

    def postings(self, span: Span, user_id: int | None) -> AsyncIterator[PostingBatch]:
        """One by one in their order, in constant memory."""
        ...

    def sums(self, span: Span, user_id: int | None) -> AsyncIterator[PostingBatch]:
        """Added up by user, kind, provider and model, some consecutive rows at once: what is alike may come again."""
        ...

    async def verify(self) -> VerificationResult:
        """Constant memory, whatever the number of rows."""
        ...
