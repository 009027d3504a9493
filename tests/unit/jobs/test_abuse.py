from __future__ import annotations

import asyncio
from typing import Any

from softix_proxy.jobs import abuse


class Watch:
    """Fails the first time, and counts what it is asked."""

    def __init__(self) -> None:
        self.looks, self.purges = 0, 0
        self.again = asyncio.Event()

    async def look(self) -> int:
        self.looks += 1
        if self.looks == 1:
            raise OSError("no disk")
        self.again.set()
        return 0

    async def purge(self) -> int:
        self.purges += 1
        return 0


async def test_watch_over_abuse_continues_after_a_failure() -> None:
    watch: Any = Watch()
    task = asyncio.create_task(abuse.watch(lambda: watch, every_s=0))
    async with asyncio.timeout(10):
        await watch.again.wait()
    task.cancel()
    await asyncio.wait([task])
    assert watch.looks >= 2
    assert watch.purges <= 1, "once an hour"
