"""The audit: which operator did what to what, as a chain of hashes.

An entry has ids only. So a person can be erased and the chain stays whole, and a missing or changed entry shows.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from typing import Protocol


class AuditAction(StrEnum):
    """What an operator did in the portal."""

    CHANGE_USER = "change_user"
    DISABLE_USER = "disable_user"
    ENABLE_USER = "enable_user"
    ADD_BALANCE = "add_balance"
    ADJUST_BALANCE = "adjust_balance"
    SET_CREDIT_LIMIT = "set_credit_limit"
    CHANGE_KEY = "change_key"
    REVOKE_KEY = "revoke_key"
    DISABLE_PROVIDER = "disable_provider"
    ENABLE_PROVIDER = "enable_provider"
    DISABLE_MODEL = "disable_model"
    ENABLE_MODEL = "enable_model"
    DISABLE_ROUTE = "disable_route"
    ENABLE_ROUTE = "enable_route"
    APPROVE_PRICES = "approve_prices"
    REJECT_PRICES = "reject_prices"
    APPROVE_REFUND = "approve_refund"
    REFUSE_REFUND = "refuse_refund"
    RETRY_MAIL = "retry_mail"
    SET_ROLE = "set_role"
    DISABLE_ACCOUNT = "disable_account"
    ENABLE_ACCOUNT = "enable_account"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    id: int
    """The number in the chain. The first has 1, and none is missing."""
    at_us: int
    actor: str
    """The public id of the operator's account."""
    action: AuditAction
    subject: str
    """The public id of what was changed, or the name of a model. It is never free text."""
    sha256: bytes = b""
    """The hash of the entry before and of this one."""


FIRST = bytes(32)
"""What stands for the hash before the first entry."""


def chained(previous_sha256: bytes, entry: AuditEntry) -> AuditEntry:
    """Returns the entry with its hash: SHA-256 of the hash before and of the entry's values as a JSON array."""
    told = json.dumps([entry.id, entry.at_us, entry.actor, entry.action, entry.subject], ensure_ascii=True)
    return replace(entry, sha256=sha256(previous_sha256 + told.encode()).digest())


class AuditStore(Protocol):
    """Stores the audit. Nothing in it is changed or removed, and triggers of the database refuse it."""

    async def add(self, actor: str, action: AuditAction, subject: str) -> AuditEntry:
        """Adds the next entry of the chain, within the transaction of what was done."""
        ...

    async def changed_rows(self) -> int:
        """Returns how many rows this transaction has changed so far. It only ever grows."""
        ...

    async def page(self, before_id: int | None, limit: int) -> Sequence[AuditEntry]:
        """Returns the newest entries, or those before that number, the newest first."""
        ...

    def entries(self) -> AsyncIterator[Sequence[AuditEntry]]:
        """Yields all entries, the oldest first, some at a time."""
        ...
