"""The balance of a user: the posted amount, the held amount, and the credit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from softix_proxy.domain.ledger.ledger import TransferKind


@dataclass(frozen=True, slots=True)
class Wallet:
    user_id: int
    posted_pico: int
    held_pico: int
    credit_pico: int

    @property
    def available_pico(self) -> int:
        return self.posted_pico - self.held_pico + self.credit_pico


@dataclass(frozen=True, slots=True)
class WalletEntry:
    """One transfer from the point of view of the wallet."""

    id: int
    """The id, which is also the time of posting in microseconds."""
    kind: TransferKind
    amount_pico: int
    """The amount that goes into the wallet. It is negative if it goes out."""
    balance_pico: int
    """The balance right after the transfer."""
    reference: str | None
    note: str | None


class BalanceStore(Protocol):
    async def get(self, user_id: int) -> Wallet: ...

    async def set_credit(self, user_id: int, credit_pico: int) -> None: ...

    async def history(self, user_id: int, limit: int) -> Sequence[WalletEntry]:
        """Returns the entries, the newest first."""
        ...
