"""Removes what has ended of accounts, once an hour: sessions, links, and counts of attempts."""

from __future__ import annotations

import asyncio
import logging

from softix_proxy.domain.core.errors import OperatorError
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.operations.accounts import expiry

log = logging.getLogger("softix.jobs")
_EVERY_S = 3600


async def watch(storage: Storage) -> None:
    """Removes until it is cancelled. It begins at once, because a process may not live for an hour."""
    while True:
        try:
            await expiry.purge(storage)
        except OperatorError as error:
            log.warning("could not remove what has ended of accounts", extra={"error": type(error).__name__})
        await asyncio.sleep(_EVERY_S)
