import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from support.books import StoppedClock, make_database
from support.playbook import LAB, MODEL, SHEET

from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.errors import FailureError
from softix_proxy.domain.pricing import Rate
from softix_proxy.domain.routes import RouteLeg
from softix_proxy.jobs import target_health
from softix_proxy.relay.fleet import Care, Fleet, Outcome
from softix_proxy.relay.plan import Target
from softix_proxy.storage.storage import SqliteStorage

TARGET = Target(MODEL, LAB, Rate(1, SHEET), ENDPOINTS["chat_completions"], RouteLeg(1))


def fleet() -> Fleet:
    return Fleet(StoppedClock(), Care(), lambda most: 0)


def fail(at: Fleet) -> None:
    berth = at.enter(TARGET, 1)
    assert berth is not None
    berth.leave(Outcome.FAILED, "provider_fault")


async def test_what_changed_is_told(tmp_path: Path) -> None:
    database = await make_database(tmp_path).open()
    storage, at = SqliteStorage(database), fleet()
    fail(at)
    assert at.changed
    await target_health.tell(at, storage, 3)
    [told] = await storage.reading().routes.reported()
    assert (told.slot, told.vitals.failures, told.vitals.last_error) == (3, 1, "provider_fault")
    assert not at.changed
    await database.close()


async def test_the_watch_outlives_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[int] = []
    again = asyncio.Event()

    class Failing:
        @asynccontextmanager
        async def writing(self) -> AsyncIterator[Any]:
            told.append(1)
            if len(told) == 2:
                again.set()
            raise FailureError("the disk is full", "make room")
            yield

    monkeypatch.setattr(target_health, "_EVERY_S", 0)
    at = fleet()
    task = asyncio.create_task(target_health.watch(at, Failing(), 0))  # type: ignore[arg-type]
    while not told:
        await asyncio.sleep(0)
    fail(at)
    async with asyncio.timeout(10):
        await again.wait()
    task.cancel()
