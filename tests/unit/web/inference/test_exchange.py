from __future__ import annotations

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from softix_proxy.domain.core.errors import Code, FailureError, RefusedError
from softix_proxy.relay.core.inbound import ClientGoneError
from softix_proxy.web.core.key_shares import KeyShares
from softix_proxy.web.inference import exchange
from softix_proxy.web.server.http_downstream import HttpDownstream


class Client:
    def __init__(self, response: Any = None) -> None:
        self.response = response
        self.story: list[str] = []

    def cut(self) -> None:
        self.story.append("cut")

    def forget(self) -> None:
        self.story.append("forgotten")


def context(*, draining: bool = False) -> Any:
    app = SimpleNamespace(running=set(), monitor=SimpleNamespace(draining=draining), key_shares=KeyShares(1))
    return SimpleNamespace(app=app, public_id="req_7", request=None, credential="ada")


async def run(error: Exception | None, response: Any = None) -> tuple[Any, Client, Any]:
    asked, client = context(), Client(response)

    async def serving() -> None:
        assert asked.app.running == {asyncio.current_task()}
        with pytest.raises(RefusedError):
            asked.app.key_shares.check("ada")
        if error is not None:
            raise error

    answer: Any
    try:
        answer = await exchange.run(asked, client, serving())  # type: ignore[arg-type]
    except Exception as raised:
        answer = raised
    assert not asked.app.running and client.story[-1] == "forgotten"
    asked.app.key_shares.check("ada")
    return answer, client, asked


async def test_exchange_while_running_registers_its_task_and_returns_the_response() -> None:
    answer, client, _ = await run(None, "the answer")
    assert answer == "the answer" and client.story == ["forgotten"]


async def test_exchange_with_a_disconnected_client_cuts_the_connection() -> None:
    answer, client, _ = await run(ClientGoneError())
    assert answer.status == 499 and client.story == ["cut", "forgotten"]


@pytest.mark.parametrize("begun", [None, "a stream"])
@pytest.mark.parametrize("error", [RefusedError(Code.NOT_FOUND, "x"), FailureError("x", "y")])
async def test_exchange_with_a_refusal_raises_it(error: Exception, begun: Any) -> None:
    answer, client, _ = await run(error, begun)
    assert answer is error and client.story == ["forgotten"]


async def test_exchange_with_a_fault_before_the_response_raises_it() -> None:
    error = KeyError("canary")
    answer, client, _ = await run(error)
    assert answer is error and client.story == ["forgotten"]


async def test_exchange_with_a_fault_during_the_response_cuts_the_connection(caplog: pytest.LogCaptureFixture) -> None:
    answer, client, _ = await run(KeyError("canary"), "a stream")
    assert answer == "a stream" and client.story == ["cut", "forgotten"]
    [record] = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert (record.__dict__["request_id"], record.__dict__["error"]) == ("req_7", "KeyError")


def test_exchange_while_softix_stops_is_refused() -> None:
    with pytest.raises(RefusedError) as refused:
        exchange.downstream_of(context(draining=True), HttpDownstream)
    assert refused.value.code is Code.SHUTTING_DOWN and refused.value.retry_after_s == 1
