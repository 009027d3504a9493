"""Writes the health of targets to the database, off the hot path, for `softix routes` in another process."""

from __future__ import annotations

import asyncio
import logging

from softix_proxy.domain.core.errors import OperatorError
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.relay.routing.target_pool import TargetPool

log = logging.getLogger("softix.jobs")
_EVERY_S = 2


async def tell(target_pool: TargetPool, storage: Storage, slot: int) -> None:
    """Replaces the earlier report, and tells endpoints of providers that fail. Raises FailureError."""
    target_pool.changed = False
    async with storage.writing() as unit:
        await unit.routes.report(slot, target_pool.stats())
        if await unit.webhooks.any_enabled():
            from softix_proxy.operations.notices import event_conditions  # late, because most daemons have no endpoint

            await event_conditions.note_providers(unit)


async def watch(target_pool: TargetPool, storage: Storage, slot: int) -> None:
    """Reports until it is cancelled.

    It reports at its start too, since the previous process in this slot is dead. Later it reports only changes.
    """
    target_pool.changed = True
    while True:
        if target_pool.changed:
            try:
                await tell(target_pool, storage, slot)
            except OperatorError as error:
                log.warning("could not tell how targets fare", extra={"error": type(error).__name__})
        await asyncio.sleep(_EVERY_S)
