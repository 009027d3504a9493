"""A user's money: what is posted, what is held, what may be owed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from softix_proxy.domain.ledger import TransferKind


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
    """One transfer as the wallet sees it."""

    id: int
    """Also when it was posted, in microseconds."""
    kind: TransferKind
    amount_pico: int
    """Into the wallet; negative out of it."""
    balance_pico: int
    """Right after it."""
    reference: str | None
    note: str | None


class BalanceStore(Protocol):
    async def get(self, user_id: int) -> Wallet: ...

    async def set_credit(self, user_id: int, credit_pico: int) -> None: ...

    async def history(self, user_id: int, limit: int) -> Sequence[WalletEntry]:
        """The newest first."""
        ...
