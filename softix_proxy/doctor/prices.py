"""Finds models without a price that clients may request."""

from __future__ import annotations

from collections.abc import AsyncIterator

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, ok, warning
from softix_proxy.domain.pricing.price_changes import remedy
from softix_proxy.operations.catalog import models
from softix_proxy.operations.pricing import prices

_SHOWN = 10


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    missing = await prices.missing(context.storage)
    for item in missing[:_SHOWN]:
        name, asks = item.entry.full_name, item.asks.asks
        asked = f" (so far: {asks})" if asks else ""
        yield warning(
            f"{name} has no price: requests for it are refused{asked}",
            f"run: {remedy(name)} (or --free)",
        )
    if len(missing) > _SHOWN:
        yield warning(f"{len(missing) - _SHOWN} more models have no price", "see: softix prices missing")
    if not missing:
        yield ok(f"every active model has a price ({len(await models.list_all(context.storage))})")
