"""The proof that the books are right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from softix_proxy.domain.ledger import AccountBalance, VerificationResult
from softix_proxy.domain.ports import Storage
from softix_proxy.operations import periods


async def verify(storage: Storage) -> VerificationResult:
    """The open books on one snapshot, so that a running daemon does not disturb it; then what is closed."""
    async with storage.snapshot() as unit:
        verdict = await unit.ledger.verify()
    closed, found = await periods.verify(storage.reading())
    return replace(verdict, violations=(*verdict.violations, *found), periods=closed)


async def accounts(storage: Storage) -> Sequence[AccountBalance]:
    """They add up to zero."""
    async with storage.snapshot() as unit:
        return await unit.ledger.accounts()
