"""Runs an operation on a thread of its own, so that the portal and the proxy answer others meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def apart(operation: Coroutine[Any, Any, T]) -> T:
    """Returns what the operation returns. It only reads, and works on thousands of rows between two waits.

    It gets a loop of its own. The database answers the loop that asks.
    """
    return await asyncio.to_thread(asyncio.run, operation)
