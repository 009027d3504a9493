"""Looks for parts of budgets and caps that were reached, and has people told of them."""

from __future__ import annotations

import asyncio
import logging

from softix_proxy.domain.core.errors import OperatorError
from softix_proxy.domain.ports.storage import Storage

log = logging.getLogger("softix.jobs")
_EVERY_S = 10


async def look(storage: Storage) -> int:
    """Returns the number of messages that were added. Raises FailureError."""
    told = 0
    if await storage.reading().budgets.untold(1):
        from softix_proxy.operations.metering import budget_alerts  # late, because most daemons have no budget

        told += await budget_alerts.tell(storage)
    if await storage.reading().caps.untold(1):
        from softix_proxy.operations.metering import cap_alerts  # late, for the same reason

        told += await cap_alerts.tell(storage)
    return told


async def watch(storage: Storage) -> None:
    """Looks again and again until it is cancelled. It does not begin at the start, which has enough to do."""
    while True:
        await asyncio.sleep(_EVERY_S)
        try:
            await look(storage)
        except OperatorError as error:
            log.warning("could not look after budgets and caps", extra={"error": type(error).__name__})
