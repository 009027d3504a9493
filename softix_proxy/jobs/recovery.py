"""Closes requests that a dead process left open: an intent without a settlement may have reached the provider."""

from __future__ import annotations

import asyncio
import logging

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.metering.settlement import InterruptedCharge, interrupted
from softix_proxy.domain.ports.storage import Journal

log = logging.getLogger("softix.jobs")
_STATUS = 503
_ERROR = "interrupted"
_LOOK_EVERY_S = 30


async def close_orphans(journal: Journal, charge: InterruptedCharge, *, at_start: bool) -> int:
    """Writes the usage row of each request, and releases its hold. Returns how many. A second call changes nothing."""
    closed = 0
    while orphans := await journal.orphans(at_start=at_start):
        settlements = (interrupted(each.intent, each.hold_pico, charge, _STATUS, _ERROR) for each in orphans)
        await asyncio.gather(*map(journal.settle, settlements))
        closed += len(orphans)
    if closed:
        log.warning("closed requests that a dead process left open", extra={"count": closed})
    return closed


async def watch(journal: Journal, charge: InterruptedCharge) -> None:
    """Looks for such requests until it is cancelled, because another process on the same database may die."""
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        try:
            await close_orphans(journal, charge, at_start=False)
        except FailureError as error:
            log.warning("could not look for requests of dead processes", extra={"error": type(error).__name__})
