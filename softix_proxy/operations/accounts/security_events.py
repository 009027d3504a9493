"""The operations on security events: what happened to an account, from where, and when."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.accounts.security_events import SecurityEvent, SecurityEventKind
from softix_proxy.domain.ports.storage import Storage, Unit


async def record(
    unit: Unit,
    kind: SecurityEventKind,
    account_id: int | None,
    *,
    address: str = "",
    device: str = "",
    subject: str = "",
) -> None:
    """Adds an event in the caller's transaction. `subject` is an id. An operator's command has no address."""
    await unit.security_events.add(
        SecurityEvent(
            id=0,
            at_us=unit.clock.now_us(),
            account_id=account_id,
            kind=kind,
            address=address,
            device=device,
            subject=subject,
        )
    )


async def list_all(storage: Storage, account_id: int | None = None, *, limit: int) -> Sequence[SecurityEvent]:
    """Returns the newest events of an account, or of all."""
    return await storage.reading().security_events.list(account_id, limit)
