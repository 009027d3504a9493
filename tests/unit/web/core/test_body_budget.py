from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest
from support.playbook import Exchange

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.web.core.body_budget import BodyBudget

HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: %b\r\n"


async def test_key_above_its_share_waits_for_its_own_bodies_only() -> None:
    budget, order = BodyBudget(100), list[str]()

    async def receive(name: str, key: str, size: int, until: asyncio.Event) -> None:
        async with budget.share(key, f"address of {key}", size, 10):
            order.append(name)
            await until.wait()

    first, rest = asyncio.Event(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(receive("ada 1", "ada", 40, first))
        group.create_task(receive("ada 2", "ada", 40, rest))
        group.create_task(receive("ada 3", "ada", 5, rest))
        group.create_task(receive("bob 1", "bob", 50, rest))
        for _ in range(5):
            await asyncio.sleep(0)
        assert order == ["ada 1", "bob 1"] and budget.taken_bytes == 90, "the third waits behind the second"
        first.set()
        for _ in range(10):
            await asyncio.sleep(0)
        assert order == ["ada 1", "bob 1", "ada 2", "ada 3"]
        rest.set()
    assert budget.taken_bytes == 0 and not budget._rooms


async def test_address_above_its_share_waits_whatever_keys_it_has() -> None:
    budget = BodyBudget(100)
    async with budget.share("ada", "192.0.2.1", 30, 1), budget.share("bob", "192.0.2.2", 30, 1):
        with pytest.raises(RefusedError) as refused:
            async with budget.share("eve", "192.0.2.1", 30, 0.01):
                raise AssertionError("it has 30 of 50 already")
        assert (refused.value.code, refused.value.retry_after_s) == (Code.CONCURRENCY_LIMITED, 1)
        async with budget.share("eve", "192.0.2.3", 40, 0.01):
            assert budget.taken_bytes == 100
    assert budget.taken_bytes == 0 and not budget._rooms


async def test_body_above_the_share_takes_all_of_it() -> None:
    budget = BodyBudget(100)
    async with budget.share("ada", "192.0.2.1", 10**9, 1):
        assert budget.taken_bytes == 50
    assert budget.taken_bytes == 0


async def test_receiver_that_is_cancelled_while_it_waits_leaves_nothing_behind() -> None:
    budget = BodyBudget(100)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(budget.share("ada", "192.0.2.1", 50, 1))

        async def wait(size: int) -> None:
            async with budget.share("ada", "192.0.2.1", size, 10):
                pass

        waiting = [asyncio.create_task(wait(size)) for size in (50, 1)]
        await asyncio.sleep(0)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    assert budget.taken_bytes == 0 and not budget._rooms


async def test_bodies_of_one_key_are_received_one_after_the_other_without_a_refusal(place: Any) -> None:
    place.context.bodies.most_bytes = 1_000_000
    place.upstream.answer = Exchange(b"{}")
    body = b'{"model":"llama","messages":[],"x":"%b"}' % (b"y" * 400_000)
    slow_reader, slow = await asyncio.open_connection("127.0.0.1", place.port)
    slow.write(HEAD % b"ada" + b"content-length: %d\r\n\r\n" % len(body) + body[:1000])
    async with asyncio.timeout(10):
        while not place.context.bodies.taken_bytes:
            await asyncio.sleep(0.005)
    other_reader, other = await asyncio.open_connection("127.0.0.1", place.port)
    other.write(HEAD % b"ada" + b"transfer-encoding: chunked\r\n\r\n" + b"%x\r\n" % len(body) + body)
    small_reader, small = await asyncio.open_connection("127.0.0.1", place.port)
    small.write(HEAD % b"ada" + b"content-length: 31\r\n\r\n" + b'{"model":"llama",')
    await asyncio.sleep(0)
    small.write(b'"messages":[]}')
    async with asyncio.timeout(10):
        await small_reader.readline()
        assert len(place.upstream.calls) == 1, "a small body is in the buffers already"
        other.write(b"\r\n0\r\n\r\n")  # not sooner, since a body that is here whole takes no share
        slow.write(body[1000:])
        await slow_reader.readline()
        await other_reader.readline()
        assert [call.body for call in place.upstream.calls[1:]] == [body, body]
        while place.context.bodies.taken_bytes:
            await asyncio.sleep(0.005)
    for writer in (slow, other, small):
        writer.close()
