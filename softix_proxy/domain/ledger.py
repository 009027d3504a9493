"""Double entry: every posting is a transfer between two accounts, and nothing is ever changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["top-up", "adjustment", "charge", "correction"]
CASH, REVENUE, ADJUSTMENTS = -1, -2, -3
"""The operator's accounts. A user's wallet is the account with the user's id."""


@dataclass(frozen=True, slots=True)
class Transfer:
    id: int
    """Also when it was posted, in microseconds; strictly increasing, shared with usage rows."""
    from_account: int
    to_account: int
    amount_pico: int
    kind: Kind
    reference: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    name: str
    balance_pico: int


@dataclass(frozen=True, slots=True)
class Violation:
    """Something in the books that must not be."""

    rule: str
    subject: str
    """What it concerns: a user's or key's public id, a request id, or a number."""
    detail: str


@dataclass(frozen=True, slots=True)
class Verdict:
    transfers: int
    usage_rows: int
    open_holds: int
    violations: tuple[Violation, ...]
    periods: int = 0
    """Closed ones that were proved too."""


class LedgerStore(Protocol):
    async def post(self, transfer: Transfer) -> Transfer:
        """The one way into the ledger outside the hot path: `transfer.id` is ignored and given, the wallets follow.

        Raises BadInputError where a wallet would hold, or the transfer moves, more than 64 bits; NotFoundError
        where a user has no wallet.
        """
        ...

    async def by_reference(self, reference: str) -> Transfer | None: ...

    async def accounts(self) -> Sequence[Account]:
        """The operator's, and the sum of all wallets."""
        ...

    async def verify(self) -> Verdict:
        """Constant memory, whatever the number of rows."""
        ...
