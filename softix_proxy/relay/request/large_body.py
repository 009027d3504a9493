"""Finds the members of a large body in steps, so that other requests are served meanwhile."""

from __future__ import annotations

import asyncio

from softix_proxy.dialects.core.fields import SCANNED_BYTES, scan_steps
from softix_proxy.dialects.core.scan import Scanned


async def scan(body: bytes) -> Scanned | None:
    """Returns what every reader of this body finds then without work, or None if the body is not large.

    It has to be kept for as long as the body is read, and let go of together with it. Raises RefusedError if the body
    is no valid JSON object.
    """
    if len(body) <= SCANNED_BYTES:
        return None
    steps = scan_steps(body)
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            found: Scanned = stop.value
            return found
        await asyncio.sleep(0)
