"""Looks every minute for abuse, and once an hour removes what no rule sees any more. No request waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a daemon starts without the rules
    from softix_proxy.operations.abuse.evaluation import AbuseWatch

log = logging.getLogger("softix.jobs")
_EVERY_S = 60
_LOOKS_AN_HOUR = 60


async def watch(make: Callable[[], AbuseWatch], every_s: float = _EVERY_S) -> None:
    """Looks until it is cancelled. It does not begin at the start, which has enough to do."""
    looks, made = 0, None
    while True:
        await asyncio.sleep(every_s)
        try:
            made = made or make()
            await made.look()
            if looks % _LOOKS_AN_HOUR == 0:
                await made.purge()
        except Exception as error:  # noqa: BLE001 - the daemon that serves requests must not end because of alerts
            log.warning("could not look for abuse", extra={"error": type(error).__name__})
        looks += 1
