"""Tells of those who guess API keys."""

from __future__ import annotations

from collections.abc import AsyncIterator

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, ok, warning
from softix_proxy.domain.core.clock import DAY_US

_SHOWN = 3
_MOST = 5000


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    """Counts the invalid keys of the last day. Networks that were slowed down are named."""
    since_us = context.clock.now_us() - DAY_US
    found = await context.storage.reading().technical_data.guesses(since_us, _MOST)
    failed, slowed = sum(each.failed for each in found), sum(each.slowed for each in found)
    counts = f"{failed} invalid API keys were tried in a day, and {slowed} further ones were refused unread"
    most = [each for each in found if each.slowed][:_SHOWN]
    if not found:
        yield ok("nobody has tried an invalid API key in a day")
    elif not most:
        yield ok(counts)
    else:
        named = ", ".join(f"{each.network or 'others'}: {each.failed + each.slowed}" for each in most)
        yield warning(
            f"{counts}; the most by network: {named}",
            "give keys the networks that they are used from (softix keys update --allow-ip), or block the network in "
            "front of softix; if it is a client of yours, give it its new key",
        )
