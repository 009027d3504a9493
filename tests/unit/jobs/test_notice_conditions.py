from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.jobs import notice_conditions as job


async def test_watch_looks_again_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    looks: list[int] = []
    enough = asyncio.Event()

    async def check(storage: Any, default_pico: int) -> int:
        looks.append(default_pico)
        if len(looks) == 3:
            enough.set()
        raise FailureError("no disk") if len(looks) == 1 else RuntimeError

    monkeypatch.setattr(job.notice_conditions, "check", check)
    books: Any = None
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        watching = group.create_task(job.watch(books, 5, every_s=0))
        await enough.wait()
        watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching
    assert looks == [5, 5, 5]
