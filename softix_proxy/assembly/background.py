"""Runs jobs beside a server until what they use is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any


def run_until_closed(stack: AsyncExitStack, job: Coroutine[Any, Any, None]) -> None:
    """Starts the job. When the stack closes, the job is cancelled before anything that was opened earlier is closed."""
    stack.push_async_callback(_ended, asyncio.create_task(job))


async def _ended(task: asyncio.Task[None]) -> None:
    """Cancels the task and waits for its end, because what it uses is about to be closed."""
    task.cancel()
    await asyncio.wait([task])
