"""The events that matter to a person's security: the portal shows them, and they are purged by age."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

SecurityEventKind = Literal[
    "signed_in",
    "sign_in_failed",
    "signed_out",
    "registered",
    "email_verified",
    "email_changed",
    "password_changed",
    "password_reset",
    "factor_added",
    "factor_removed",
    "recovery_code_used",
    "session_ended",
    "key_created",
    "key_revoked",
    "member_added",
    "member_removed",
    "role_changed",
]


@dataclass(frozen=True, slots=True)
class SecurityEvent:
    id: int
    at_us: int
    account_id: int | None
    kind: SecurityEventKind
    address: str = field(repr=False)
    """The client's network address. It is personal data, so it is purged."""
    device: str
    subject: str = ""
    """The id of what was changed, and never free text."""
    version: str = ""
    """That of the browser. The store takes it from the transaction, as it does with TLS."""
    tls: str = ""


class SecurityEventStore(Protocol):
    """Stores what happened to accounts, until it is purged."""

    async def add(self, event: SecurityEvent) -> None:
        """Adds an event. `event.id` is ignored and assigned."""
        ...

    async def list(self, account_id: int | None, limit: int, before_id: int | None = None) -> Sequence[SecurityEvent]:
        """Returns events of an account, or of all, the newest first: those before that number, if one is given."""
        ...

    async def has_seen(self, account_id: int, device: str | None = None) -> bool:
        """Returns whether the account signed in from this kind of device before, or from any."""
        ...

    async def purge(self, before_us: int, most: int) -> int:
        """Removes events that happened before, at most so many. Returns their number."""
        ...
