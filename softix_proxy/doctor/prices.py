"""Is there a price for every model that clients may ask for?"""

from __future__ import annotations

from collections.abc import AsyncIterator

from softix_proxy.doctor.findings import Observation, ok, warning
from softix_proxy.doctor.patient import Patient
from softix_proxy.domain.price_changes import remedy
from softix_proxy.operations import models, prices

_SHOWN = 10


async def find(patient: Patient) -> AsyncIterator[Observation]:
    missing = await prices.missing(patient.storage)
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
        yield ok(f"every active model has a price ({len(await models.list_all(patient.storage))})")
