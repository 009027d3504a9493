import asyncio
from typing import Any

import pytest
from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from support.playbook import Exchange

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.web.server.http_server import HttpServer, ListenerSettings

ASK = b'{"model":"llama","messages":[]}'
HEALTHZ = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"


async def test_connection_above_the_limit_is_closed_without_a_response(opened: Any) -> None:
    async with opened(max_connections=1) as place:
        reached = asyncio.Event()
        place.upstream.answer = reached.set
        _, first = await asyncio.open_connection("127.0.0.1", place.port)
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: ada\r\ncontent-length: %d\r\n\r\n"
        first.write(head % len(ASK) + ASK)
        await reached.wait()
        second_reader, second = await asyncio.open_connection("127.0.0.1", place.port)
        second.write(HEALTHZ)
        try:
            assert await second_reader.read() == b""
        except ConnectionError:
            pass
        assert place.context.running, "the request in work goes on"
        first.close()
        second.close()


async def answer_nothing(request: web.BaseRequest) -> web.StreamResponse:
    raise AssertionError("nobody asks here")


async def test_server_open_on_a_used_port_is_refused(place: Any) -> None:
    listening = ListenerSettings("127.0.0.1", place.port, None, 5, 5, 5, 10)
    with pytest.raises(FailureError, match=rf"^cannot listen on 127\.0\.0\.1 port {place.port}: ") as failure:
        await HttpServer(answer_nothing, place.context, listening).open()
    assert failure.value.remedy == "stop what uses the port, or choose another: softix serve --port N"


async def test_server_with_a_release_that_lacks_a_name_is_refused(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(RequestHandler, "_request_count")
    with pytest.raises(FailureError, match="RequestHandler has no _request_count") as refused:
        HttpServer(answer_nothing, place.context, ListenerSettings("127.0.0.1", 0, None, 5, 5, 5, 10))
    assert refused.value.remedy.startswith("install the release that softix was tested with: pip install aiohttp==")


@pytest.mark.parametrize("patient", [True, False])
async def test_running_request_at_close_is_finished_or_cut_and_settled_once(place: Any, patient: bool) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    class Slow(Exchange):
        async def chunk(self) -> bytes:
            reached.set()
            await go_on.wait()
            return await super().chunk()

    place.upstream.answer = Slow(b"{}")
    asked = asyncio.create_task(place.ask("POST", "/v1/chat/completions", data=ASK))
    await reached.wait()
    stopping = asyncio.create_task(place.server.close(10 if patient else 0, asyncio.Event()))
    await asyncio.sleep(0)
    if patient:
        go_on.set()
    assert await stopping == (0 if patient else 1)
    assert len(place.journal.settlements) == 1 and not place.context.running
    if patient:
        assert (await asked)[0] == 200
    else:
        assert place.journal.settlements[0].error == "shutting_down"
        with pytest.raises(Exception):  # noqa: B017 - the connection is gone, in whichever way
            await asked


async def test_running_request_after_a_second_stop_is_cut_at_once(place: Any) -> None:
    reached, now = asyncio.Event(), asyncio.Event()
    place.upstream.answer = reached.set
    asked = asyncio.create_task(place.ask("POST", "/v1/chat/completions", data=ASK))
    await reached.wait()
    stopping = asyncio.create_task(place.server.close(1000, now))
    await asyncio.sleep(0)
    now.set()
    assert await asyncio.wait_for(stopping, 10) == 1
    await asyncio.gather(asked, return_exceptions=True)
