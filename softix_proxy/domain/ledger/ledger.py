"""The double-entry ledger: every posting is a transfer between two accounts, and nothing is ever changed."""

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
FEES, BANK = -11, -12
"""What the journal of a payment provider's report has beside cash. The ledger has no such accounts."""


@dataclass(frozen=True, slots=True)
class Transfer:
    id: int
    """The id, which is also the time of posting in microseconds. It increases strictly, together with usage rows."""
    from_account: int
    to_account: int
    amount_pico: int
    kind: TransferKind
    reference: str | None = None
    note: str | None = None


class Posting(NamedTuple):
    """A movement between a wallet and an account of the operator, with the provider's cost.

    It is one transfer, or one usage row that cost the user nothing, or the sum of several that are alike.
    """

    id: int
    """The time of posting in microseconds. For a sum, it is that of the last part."""
    kind: TransferKind | Literal["opening", "fee", "payout"]
    """The kind. `opening` sums up all earlier postings. A fee and a payout are of a payment provider's report."""
    account: int
    """The operator's account: CASH, REVENUE or ADJUSTMENTS. For a fee or payout it is FEES or BANK."""
    user_id: str
    """The public id of the user, or the name of the payment provider."""
    user_name: str
    wallet_pico: int
    """The amount that the wallet gained. Below 0, it is what the wallet paid. For a fee or payout, cash lost it."""
    cost_pico: int
    provider: str | None
    model: str | None
    """The name that the client requested."""
    requests: int
    input_tokens: int
    output_tokens: int
    request_id: int | None = None
    """This field and those below are set only if the posting is a single one."""
    usage_at_us: int | None = None
    reference: str | None = None
    note: str | None = None


class PostingBatch(NamedTuple):
    """Some postings that were read at once."""

    rows: int
    """The number of rows of usage and transfers from which they are made."""
    postings: Sequence[Posting]


@dataclass(frozen=True, slots=True)
class AccountBalance:
    name: str
    balance_pico: int


@dataclass(frozen=True, slots=True)
class LedgerViolation:
    """A fault in the ledger."""

    rule: str
    subject: str
    """The subject: a user's or key's public id, a request id, or a number."""
    detail: str


@dataclass(frozen=True, slots=True)
class VerificationResult:
    transfers: int
    usage_rows: int
    open_holds: int
    violations: tuple[LedgerViolation, ...]
    periods: int = 0
    """The number of closed periods that were verified too."""


class LedgerStore(Protocol):
    """Posts transfers, reads them back, and verifies that they add up."""

    async def post(self, transfer: Transfer) -> Transfer:
        """Posts a transfer. This is the only way into the ledger outside the hot path.

        `transfer.id` is ignored and assigned, and the wallets follow. Raises BadInputError if a wallet would hold, or
        the transfer moves, more than 64 bits. Raises NotFoundError if a user has no wallet.
        """
        ...

    async def correct(self, correction: Correction) -> UsageRow:
        """Posts the difference: usage row, transfer, balance, the key's spend and the sums of the day."""
        ...

    async def by_reference(self, reference: str) -> Transfer | None: ...

    async def accounts(self) -> Sequence[AccountBalance]:
        """Returns the balances of the operator's accounts, and the sum of all wallets."""
        ...

    def misdated(self, span: Span) -> AsyncIterator[Sequence[MisdatedPosting]]:
        """Yields what was posted in the span and not redated since, a day at a time."""
        ...

    async def closed_us(self) -> int:
        """Returns when the last closed period ends, or 0 if none is closed."""
        ...

    async def redate(self, misdated: MisdatedPosting, booked_us: int, note: str) -> bool:
        """Reverses the posting on its day and books it at that time. Returns False if this was done meanwhile."""
        ...

    async def first_posted(self, span: Span) -> int | None:
        """Returns when the first of all rows in the span was posted."""
        ...

    async def last_posted(self) -> int:
        """Returns when the last of all rows was posted, or 0 if there is none."""
        ...

    def postings(self, span: Span, user_id: int | None) -> AsyncIterator[PostingBatch]:
        """Yields the postings one by one in their order, in constant memory."""
        ...

    def sums(self, span: Span, user_id: int | None) -> AsyncIterator[PostingBatch]:
        """Yields sums by user, kind, provider and model.

        Each item sums up some consecutive rows, so the same group may come again.
        """
        ...

    async def verify(self) -> VerificationResult:
        """Verifies the ledger in constant memory, whatever the number of rows."""
        ...
