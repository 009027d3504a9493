"""Meters batches that have ended.

So every batch is charged and its hold is released, even if nobody fetches its results.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from softix_proxy.domain.core.errors import OperatorError
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.ports.upstream import ProviderFault

if TYPE_CHECKING:
    from softix_proxy.relay.batch.results import Results

log = logging.getLogger("softix.jobs")


async def collect(storage: Storage, results: Callable[[], Results]) -> int:
    """Asks the provider about each batch that is not metered. Returns how many are metered now. Raises FailureError."""
    metered = 0
    for batch in await storage.reading().batches.unmetered():
        try:
            metered += await results().collect(batch)
        except ProviderFault as fault:
            log.warning("could not ask after a batch", extra={"batch": batch.remote_id, "error": fault.code.value})
        except OperatorError:
            raise
        except Exception as error:  # noqa: BLE001 - a problem with one batch is no reason to skip the others
            log.warning("could not meter a batch", extra={"batch": batch.remote_id, "error": type(error).__name__})
    return metered


async def watch(storage: Storage, results: Callable[[], Results], every_s: float) -> None:
    """Collects batches again and again until it is cancelled."""
    while True:
        try:
            await collect(storage, results)
        except OperatorError as error:
            log.warning("could not look after batches", extra={"error": type(error).__name__})
        await asyncio.sleep(every_s)
