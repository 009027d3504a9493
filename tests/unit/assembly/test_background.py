from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

from softix_proxy.assembly.background import run_until_closed


async def test_job_runs_until_the_stack_closes_and_ends_before_what_it_uses() -> None:
    told: list[str] = []
    begun = asyncio.Event()

    async def job() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            told.append("job")

    async with AsyncExitStack() as stack:
        stack.callback(told.append, "database")
        run_until_closed(stack, job())
        await begun.wait()
    assert told == ["job", "database"]
