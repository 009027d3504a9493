"""Looks every minute for low balances and reached caps of which endpoints are to be told. No request waits for it."""

from __future__ import annotations

import asyncio
import logging

from softix_proxy.domain.ports.storage import Storage

log = logging.getLogger("softix.jobs")
_EVERY_S = 60


async def look(storage: Storage, default_pico: int) -> int:
    """Returns how many deliveries were added. Without an endpoint it looks no further."""
    if not await storage.reading().webhooks.any_enabled():
        return 0
    from softix_proxy.operations.notices import event_conditions  # late, because most daemons have no endpoint

    return await event_conditions.check(storage, default_pico)


async def watch(storage: Storage, default_pico: int, every_s: float = _EVERY_S) -> None:
    """Looks again and again until it is cancelled."""
    while True:
        try:
            await look(storage, default_pico)
        except Exception as error:  # noqa: BLE001 - the daemon that serves requests must not end because of events
            log.warning("could not look for events", extra={"error": type(error).__name__})
        await asyncio.sleep(every_s)
