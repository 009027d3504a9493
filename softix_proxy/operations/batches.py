"""What an operator can see of batches."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.batches import BatchSummary
from softix_proxy.domain.ports import Storage


async def list_all(storage: Storage, *, metered_too: bool = False) -> Sequence[BatchSummary]:
    """The newest first."""
    return await storage.reading().batches.summaries(all_of_them=metered_too)
