"""Lists batches, and settles one about which the provider reports nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from softix_proxy.dialects.batches import TIER
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.metering.batches import Batch, BatchSummary
from softix_proxy.domain.metering.settlement import InterruptedCharge, Settlement, interrupted
from softix_proxy.domain.ports.storage import Journal, Storage

_ERROR, _STATUS = "lost", 404
_AT_ONCE = 256


async def list_all(storage: Storage, *, metered_too: bool = False) -> Sequence[BatchSummary]:
    """Returns the batches, the newest first."""
    return await storage.reading().batches.summaries(all_of_them=metered_too)


async def find(storage: Storage, name: str) -> BatchSummary:
    """Returns a batch that is not metered, by its id or by the provider's name for it.

    Raises NotFoundError, ConflictError.
    """
    found = [
        summary
        for summary in await list_all(storage)
        if name in (summary.batch.remote_id, format_request_id(summary.batch.id))
    ]
    if not found:
        raise NotFoundError(f"no batch {name!r} is waited for", "see: softix batches list --all")
    if len(found) > 1:
        raise ConflictError(f"several batches are called {name!r}", "name its id: softix batches list --json")
    return found[0]


async def settle(storage: Storage, journal: Journal, batch: Batch, charge: InterruptedCharge) -> Sequence[Settlement]:
    """Settles the requests of the batch that were not metered, as requests with an unknown result."""
    lines = await storage.reading().batches.open_lines(batch.id)
    settlements = [interrupted(line.intent, line.hold_pico, charge, _STATUS, _ERROR, TIER) for line in lines]
    for start in range(0, len(settlements), _AT_ONCE):
        await asyncio.gather(*map(journal.settle, settlements[start : start + _AT_ONCE]))
    async with storage.writing() as unit:
        await unit.batches.finish(batch.id, unit.clock.now_us())
    return settlements
