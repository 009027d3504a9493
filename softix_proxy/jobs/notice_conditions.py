"""Looks every minute for low balances and reached caps of which people are to be told. No request waits for it."""

from __future__ import annotations

import asyncio
import logging

from softix_proxy.domain.ports.storage import Storage
from softix_proxy.operations.notices import notice_conditions

log = logging.getLogger("softix.jobs")
_EVERY_S = 60


async def watch(storage: Storage, default_pico: int, every_s: float = _EVERY_S) -> None:
    """Looks again and again until it is cancelled. `default_pico` is what people are told at by default."""
    while True:
        try:
            await notice_conditions.check(storage, default_pico)
        except Exception as error:  # noqa: BLE001 - the daemon that serves requests must not end because of mail
            log.warning("could not look for low balances and caps", extra={"error": type(error).__name__})
        await asyncio.sleep(every_s)
