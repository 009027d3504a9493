"""Works on a large body in steps, so that other requests are served meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import TypeVar

from softix_proxy.dialects.request.fields import SCANNED_BYTES, scan_steps
from softix_proxy.dialects.request.scan import Scanned

T = TypeVar("T")


async def scan(body: bytes) -> Scanned | None:
    """Returns what every reader of this body finds then without work, or None if the body is not large.

    It has to be kept for as long as the body is read, and let go of together with it. Raises RefusedError if the body
    is no valid JSON object.
    """
    return None if len(body) <= SCANNED_BYTES else await in_turns(scan_steps(body))


async def in_turns(steps: Generator[None, None, T]) -> T:
    """Takes the steps, and serves others after each. Returns what the last one returns."""
    while True:
        try:
            next(steps)
        except StopIteration as stop:
            found: T = stop.value
            return found
        await asyncio.sleep(0)
