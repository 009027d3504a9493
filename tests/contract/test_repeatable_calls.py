from __future__ import annotations

from dataclasses import replace

from softix_proxy.domain.access.repeatable_calls import RepeatableCall
from softix_proxy.domain.ports.storage import Storage

CALL = RepeatableCall("tok_one", b"key", "balance.add", b"request", "call_one", 5)


async def test_call_is_added_once_for_each_actor_and_key(storage: Storage) -> None:
    async with storage.writing() as unit:
        assert await unit.repeatable_calls.add(CALL)
        assert not await unit.repeatable_calls.add(replace(CALL, call_id="call_two"))
        assert await unit.repeatable_calls.add(replace(CALL, actor="tok_two"))
    calls = storage.reading().repeatable_calls
    assert await calls.find("tok_one", b"key") == CALL
    assert await calls.find("tok_one", b"other") is None


async def test_answer_is_kept_of_the_call_that_was_added(storage: Storage) -> None:
    async with storage.writing() as unit:
        await unit.repeatable_calls.add(CALL)
        await unit.repeatable_calls.keep_answer(replace(CALL, call_id="call_two"), b"of another")
        assert await unit.repeatable_calls.find("tok_one", b"key") == CALL
        await unit.repeatable_calls.keep_answer(CALL, b"sealed")
    assert await storage.reading().repeatable_calls.find("tok_one", b"key") == replace(CALL, answer=b"sealed")


async def test_old_calls_are_purged_at_most_so_many(storage: Storage) -> None:
    async with storage.writing() as unit:
        for number in range(4):
            await unit.repeatable_calls.add(replace(CALL, key_digest=bytes([number]), at_us=number))
        assert await unit.repeatable_calls.purge(3, 2) == 2
        assert await unit.repeatable_calls.purge(3, 2) == 1
        assert await unit.repeatable_calls.find("tok_one", bytes([3])) is not None
