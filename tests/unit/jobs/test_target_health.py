import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from support.books import StoppedClock, make_database
from support.playbook import LAB, MODEL, SHEET

from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.pricing.rates import Rate
from softix_proxy.domain.routing.routes import RouteLeg
from softix_proxy.jobs import target_health
from softix_proxy.relay.core.plan import Target
from softix_proxy.relay.routing.target_pool import AttemptOutcome, BreakerSettings, TargetPool
from softix_proxy.storage.sqlite.unit import SqliteStorage

TARGET = Target(MODEL, LAB, Rate(1, SHEET), ENDPOINTS["chat_completions"], RouteLeg(1))


def target_pool() -> TargetPool:
    return TargetPool(StoppedClock(), BreakerSettings(), lambda most: 0)


def fail(at: TargetPool) -> None:
    lease = at.enter(TARGET, 1)
    assert lease is not None
    lease.leave(AttemptOutcome.FAILED, "provider_fault")


async def test_target_health_report_writes_what_changed(tmp_path: Path) -> None:
    database = await make_database(tmp_path).open()
    storage, at = SqliteStorage(database), target_pool()
    fail(at)
    assert at.changed
    await target_health.tell(at, storage, 3)
    [told] = await storage.reading().routes.reported()
    assert (told.slot, told.stats.failures, told.stats.last_error) == (3, 1, "provider_fault")
    assert not at.changed
    await database.close()


async def test_target_health_watch_continues_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
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
    at = target_pool()
    task = asyncio.create_task(target_health.watch(at, Failing(), 0))  # type: ignore[arg-type]
    while not told:
        await asyncio.sleep(0)
    fail(at)
    async with asyncio.timeout(10):
        await again.wait()
    task.cancel()
