"""Closes what a dead process left open: an intent without a settlement may have reached the provider."""

from __future__ import annotations

import asyncio
import logging
from typing import Literal

from softix_proxy.domain.errors import FailureError
from softix_proxy.domain.ports import Journal
from softix_proxy.domain.settlement import Orphan, Settlement
from softix_proxy.domain.usage import Source

log = logging.getLogger("softix.jobs")
_STATUS = 503
_ERROR = "interrupted"
_LOOK_EVERY_S = 30


async def close_orphans(journal: Journal, charge: Literal["nothing", "bound"], *, at_start: bool) -> int:
    """Writes each one's usage row, releases its hold; returns how many. Twice changes nothing."""
    closed = 0
    while orphans := await journal.orphans(at_start=at_start):
        await asyncio.gather(*(journal.settle(_settlement(orphan, charge)) for orphan in orphans))
        closed += len(orphans)
    if closed:
        log.warning("closed requests that a dead process left open", extra={"count": closed})
    return closed


async def watch(journal: Journal, charge: Literal["nothing", "bound"]) -> None:
    """For as long as it is let: another process on the same database may die."""
    while True:
        await asyncio.sleep(_LOOK_EVERY_S)
        try:
            await close_orphans(journal, charge, at_start=False)
        except FailureError as error:
            log.warning("could not look for requests of dead processes", extra={"error": type(error).__name__})


def _settlement(orphan: Orphan, charge: Literal["nothing", "bound"]) -> Settlement:
    """The hold stays in the row: the most that the provider may ask for it."""
    return Settlement(
        intent=orphan.intent,
        hold_pico=orphan.hold_pico,
        tokens_held=0,
        source=Source.INTERRUPTED,
        status_code=_STATUS,
        charge_pico=orphan.hold_pico if charge == "bound" else 0,
        error=_ERROR,
    )
