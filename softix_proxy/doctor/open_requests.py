"""Finds requests that a dead process left open."""

from __future__ import annotations

from asyncio import to_thread
from collections.abc import AsyncIterator

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, ok, warning
from softix_proxy.domain.core.money import format_usd


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    left = await to_thread(context.health.abandoned)
    if left:
        held = format_usd(sum(orphan.hold_pico for orphan in left))
        yield warning(
            f"a dead process left requests open ({len(left)}), which hold ${held}",
            "softix serve closes them when it starts, and within a minute if it runs",
        )
    else:
        yield ok("no request was left open by a dead process")
