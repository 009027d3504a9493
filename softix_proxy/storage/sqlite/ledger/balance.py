"""The wallets. They are caches of their entries and of the open holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.domain.ledger.balance import Wallet, WalletEntry
from softix_proxy.storage.sqlite.core.database import DatabaseSession
from softix_proxy.storage.sqlite.core.record_mapping import RecordMapping, selected

_WALLET = RecordMapping(Wallet, "user_id", "posted_pico", "held_pico", "credit_pico")
_ENTRY = RecordMapping(
    WalletEntry,
    "id",
    "kind",
    "reference",
    "note",
    amount_pico=selected("iif(to_account = ?1, amount_pico, -amount_pico)"),
    given={"balance_pico": 0},
)


class SqliteBalanceStore:
    """Reads wallets."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    async def get(self, user_id: int) -> Wallet:
        row = await self._session.one(f"SELECT {_WALLET.select()} FROM wallets WHERE user_id = ?", user_id)
        if row is None:
            raise NotFoundError(f"no wallet of the user with the number {user_id}")
        return _WALLET.read(row)

    async def set_credit(self, user_id: int, credit_pico: int) -> None:
        await self._session.update("wallets", {"credit_pico": credit_pico}, "user_id = ?", user_id)

    async def history(self, user_id: int, limit: int) -> Sequence[WalletEntry]:
        """Reads the history from the newest transfer backwards.

        Charges have no index, so that writing them stays cheap.
        """
        rows = await self._session.all(
            f"SELECT {_ENTRY.select()} FROM transfers WHERE from_account = ?1 OR to_account = ?1"
            " ORDER BY id DESC LIMIT ?2",
            user_id,
            limit,
        )
        balance_pico = (await self.get(user_id)).posted_pico
        entries = []
        for entry in _ENTRY.read_all(rows):
            entries.append(replace(entry, balance_pico=balance_pico))
            balance_pico -= entry.amount_pico
        return entries
