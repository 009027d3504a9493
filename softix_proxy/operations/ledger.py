"""The proof that the books are right."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.ledger import Account, Verdict
from softix_proxy.domain.ports import Storage


async def verify(storage: Storage) -> Verdict:
    """On one snapshot, so that a running daemon does not disturb it."""
    async with storage.snapshot() as unit:
        return await unit.ledger.verify()


async def accounts(storage: Storage) -> Sequence[Account]:
    """They add up to zero."""
    async with storage.snapshot() as unit:
        return await unit.ledger.accounts()
