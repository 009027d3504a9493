"""Tells the database how the targets fare, off the hot path, for `softix routes` in another process."""

from __future__ import annotations

import asyncio
import logging

from softix_proxy.domain.core.errors import OperatorError
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.relay.routing.target_pool import TargetPool

log = logging.getLogger("softix.jobs")
_EVERY_S = 2


async def tell(target_pool: TargetPool, storage: Storage, slot: int) -> None:
    """In place of what was told before. Raises FailureError."""
    target_pool.changed = False
    async with storage.writing() as unit:
        await unit.routes.report(slot, target_pool.stats())


async def watch(target_pool: TargetPool, storage: Storage, slot: int) -> None:
    """For as long as it is let. At its start too, since whose slot this was is dead; later only what is new."""
    target_pool.changed = True
    while True:
        if target_pool.changed:
            try:
                await tell(target_pool, storage, slot)
            except OperatorError as error:
                log.warning("could not tell how targets fare", extra={"error": type(error).__name__})
        await asyncio.sleep(_EVERY_S)
