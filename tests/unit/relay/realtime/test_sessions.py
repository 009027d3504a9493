from __future__ import annotations

import asyncio

import pytest
from support.books import NOW_US
from support.talk import Talking

from softix_proxy.dialects.openai.realtime import REALTIME
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.relay.core.inbound import Inbound


async def test_realtime_sessions_on_shutdown_end_when_idle_and_finish_running_responses() -> None:
    talking = Talking()
    async with asyncio.TaskGroup() as group:
        task = group.create_task(talking.run())
        talking.guest.put("response.create")
        await talking.line.told()
        talking.line.begins("one")
        await talking.guest.told()
        talking.sessions.wind_up()
        talking.guest.put("response.create")
        assert (await talking.guest.told())["error"]["code"] == "shutting_down"
        talking.line.ends("one")
        assert (await talking.guest.told())["type"] == "response.done"
        assert (await talking.guest.told())["error"]["code"] == "shutting_down"
    assert task.result() is Code.SHUTTING_DOWN and talking.guest.closed == 1001
    assert talking.settled() == [("provider", 150, None)]
    resting = Talking()
    async with asyncio.TaskGroup() as group:
        group.create_task(resting.run())
        resting.line.put("session.created")
        await resting.guest.told()
        resting.sessions.wind_up()
        assert (await resting.guest.told())["error"]["code"] == "shutting_down"
    assert resting.settled() == [("none", 0, None)]


async def test_realtime_sessions_slow_down_whoever_tries_keys() -> None:
    stage = Talking()
    sessions = stage.sessions

    async def fields() -> bytes:
        return b'{"model":"llama"}'

    async def guessed() -> Code:
        request = Inbound(5, "req_5", REALTIME, REALTIME.path, [], "guessed", "10.1.2.3", NOW_US, 0, fields)
        with pytest.raises(RefusedError) as refused:
            await sessions.serve(request, stage.guest)
        return refused.value.code

    assert await guessed() is Code.INVALID_API_KEY
    for _ in range(30):
        sessions.lifecycle.guesses.failed("10.1.2.3", 0)
    assert await guessed() is Code.RATE_LIMITED
