from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from support.books import NOW_US, StoppedClock, make_database

from softix_proxy.domain.access.repeatable_calls import RepeatableCall
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.jobs import account_expiry
from softix_proxy.operations.accounts import expiry
from softix_proxy.storage.sqlite.unit import SqliteStorage


async def test_what_has_ended_is_removed_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = await make_database(tmp_path, StoppedClock()).open()
    storage = SqliteStorage(database)
    async with storage.writing() as unit:
        for number, age_days in enumerate((0, 2)):
            call = RepeatableCall("tok_one", bytes([number]), "keys.create", b"", "call", NOW_US - age_days * DAY_US)
            await unit.repeatable_calls.add(call)
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        raise asyncio.CancelledError

    monkeypatch.setattr(asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await account_expiry.watch(storage)
    monkeypatch.undo()
    assert waits == [3600]
    calls = storage.reading().repeatable_calls
    assert await calls.find("tok_one", b"\x00") is not None and await calls.find("tok_one", b"\x01") is None
    await database.close()


async def test_failure_is_logged_by_its_class_and_tried_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[Any] = []

    async def purge(storage: Any) -> None:
        tries.append(storage)
        raise FailureError("the disk is full")

    async def sleep(seconds: float) -> None:
        if len(tries) == 2:
            raise asyncio.CancelledError

    monkeypatch.setattr(expiry, "purge", purge)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    nothing: Any = None
    with pytest.raises(asyncio.CancelledError):
        await account_expiry.watch(nothing)
    assert [record.__dict__["error"] for record in caplog.records] == ["FailureError", "FailureError"]
