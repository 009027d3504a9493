"""Verifies that the books are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from softix_proxy.domain.ledger.ledger import AccountBalance, VerificationResult
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.operations.ledger import periods


async def verify(storage: Storage) -> VerificationResult:
    """Verifies the open books, and then the closed periods.

    It reads the open books on one snapshot, so that it does not disturb a running daemon.
    """
    async with storage.snapshot() as unit:
        verdict = await unit.ledger.verify()
    closed, found = await periods.verify(storage.reading())
    return replace(verdict, violations=(*verdict.violations, *found), periods=closed)


async def accounts(storage: Storage) -> Sequence[AccountBalance]:
    """Returns the balances of all accounts. Their sum is zero."""
    async with storage.snapshot() as unit:
        return await unit.ledger.accounts()
