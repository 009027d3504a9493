"""Finds batches that should have ended long ago and for which money is held."""

from __future__ import annotations

from collections.abc import AsyncIterator

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, ok, warning
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.core.money import format_usd
from softix_proxy.operations.metering import batches

_LATE_US = 2 * DAY_US
"""The age of a late batch. Providers end a batch within a day."""
_SHOWN = 10


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    waited_for = await batches.list_all(context.storage)
    now_us = context.clock.now_us()
    late = [each for each in waited_for if now_us - each.batch.created_at_us >= _LATE_US]
    for summary in late[:_SHOWN]:
        batch, days = summary.batch, (now_us - summary.batch.created_at_us) // DAY_US
        yield warning(
            f"{summary.provider} has not ended a batch of {summary.user} in {days} days, "
            f"for which ${format_usd(summary.held_pico)} is held",
            f"softix serve asks for it as long as it runs; to give it up: softix batches settle "
            f"{format_request_id(batch.id)}",
        )
    if len(late) > _SHOWN:
        yield warning(f"{len(late) - _SHOWN} more batches are late", "see: softix batches list")
    if not late:
        yield ok(f"no batch is late ({len(waited_for)} waited for)")
