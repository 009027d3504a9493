"""Tells the database how the targets fare, off the hot path, for `softix routes` in another process."""

from __future__ import annotations

import asyncio
import logging

from softix_proxy.domain.errors import OperatorError
from softix_proxy.domain.ports import Storage
from softix_proxy.relay.fleet import Fleet

log = logging.getLogger("softix.jobs")
_EVERY_S = 2


async def tell(fleet: Fleet, storage: Storage, slot: int) -> None:
    """In place of what was told before. Raises FailureError."""
    fleet.changed = False
    async with storage.writing() as unit:
        await unit.routes.report(slot, fleet.vitals())


async def watch(fleet: Fleet, storage: Storage, slot: int) -> None:
    """For as long as it is let. At its start too, since whose slot this was is dead; later only what is new."""
    fleet.changed = True
    while True:
        if fleet.changed:
            try:
                await tell(fleet, storage, slot)
            except OperatorError as error:
                log.warning("could not tell how targets fare", extra={"error": type(error).__name__})
        await asyncio.sleep(_EVERY_S)
