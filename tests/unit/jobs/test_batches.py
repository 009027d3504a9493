from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from softix_proxy.domain.core.errors import Code, FailureError
from softix_proxy.domain.metering.batches import Batch
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.jobs import batches


def batch(number: int) -> Batch:
    return Batch(number, "openai", 1, "", 1, 1, f"b{number}", 1, 1)


class Storage:
    def __init__(self, *found: Batch | FailureError) -> None:
        self._found = found

    def reading(self) -> Any:
        return SimpleNamespace(batches=self)

    async def unmetered(self) -> list[Batch]:
        for each in self._found:
            if isinstance(each, FailureError):
                raise each
        return [each for each in self._found if isinstance(each, Batch)]


class Results:
    def __init__(self, *answers: bool | Exception) -> None:
        self.left = list(answers)
        self.asked: list[int] = []

    async def collect(self, one: Batch) -> bool:
        self.asked.append(one.id)
        answer = self.left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_batch_collection_continues_after_a_failed_batch() -> None:
    results: Any = Results(True, ProviderFault(Code.PROVIDER_TIMEOUT, started=True), KeyError(7), False)
    storage: Any = Storage(*map(batch, range(1, 5)))
    assert await batches.collect(storage, lambda: results) == 1
    assert results.asked == [1, 2, 3, 4]


async def test_batch_collection_ends_when_the_books_cannot_be_written() -> None:
    results: Any = Results(FailureError("the disk is full"), True)
    storage: Any = Storage(batch(1), batch(2))
    with pytest.raises(FailureError):
        await batches.collect(storage, lambda: results)
    assert results.asked == [1]


async def test_batch_collection_without_batches_makes_no_client() -> None:
    def never() -> Any:
        raise AssertionError

    storage: Any = Storage()
    assert await batches.collect(storage, never) == 0


async def test_batch_watch_continues_after_a_failure(caplog: pytest.LogCaptureFixture) -> None:
    storage: Any = Storage(FailureError("the disk is full"))
    task = asyncio.create_task(batches.watch(storage, lambda: None, 0))  # type: ignore[arg-type,return-value]
    while len(caplog.records) < 2:
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "could not look after batches" in caplog.text
