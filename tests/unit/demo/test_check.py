from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from softix_proxy.demo import check
from softix_proxy.demo.server import DemoServer
from softix_proxy.domain.core.errors import FailureError

WHOLE = {"choices": [{"message": {"content": "Hello."}}]}
ID = {"x-softix-request-id": "req_1"}


@pytest.fixture
async def serve() -> object:
    """Starts a server with these two answers; the proxy itself stands in the quickstart's test."""
    started: list[TestServer] = []

    async def start(whole: web.Response, stream: web.Response) -> str:
        async def handle(request: web.Request) -> web.Response:
            return whole if request.path == "/v1/chat/completions" else stream

        app = web.Application()
        app.router.add_post("/{any:.*}", handle)
        server = TestServer(app)
        await server.start_server()
        started.append(server)
        return str(server.make_url(""))

    yield start
    for server in started:
        await server.close()


Serve = Callable[[web.Response, web.Response], Awaitable[str]]
STREAM = "event: content_block_delta\n\nevent: content_block_delta\n\nevent: message_stop\n\n"


async def test_check_of_a_working_proxy_reports_both_requests(serve: Serve) -> None:
    url = await serve(web.json_response(WHOLE, headers=ID), web.Response(text=STREAM, headers=ID))
    whole, streamed = await check.run(url, "sk-any")
    assert (whole.request_id, whole.pieces) == ("req_1", 1)
    assert (streamed.request_id, streamed.pieces) == ("req_1", 2)


@pytest.mark.parametrize(
    ("whole", "stream", "told"),
    [
        (web.Response(status=502), web.Response(), r"plain request failed \(status 502\)"),
        (web.json_response({"choices": [{"message": {"content": ""}}]}), web.Response(), "plain answer is empty"),
        (web.json_response(WHOLE, headers=ID), web.Response(status=429), r"streamed request failed \(status 429\)"),
        (web.json_response(WHOLE, headers=ID), web.Response(text=STREAM[:40]), "stream has no end"),
    ],
)
async def test_check_of_a_failing_proxy_names_the_failure(
    serve: Serve, whole: web.Response, stream: web.Response, told: str
) -> None:
    with pytest.raises(FailureError, match=told):
        await check.run(await serve(whole, stream), "sk-any")


async def test_check_of_an_unreachable_proxy_raises_a_failure(demo: DemoServer) -> None:
    await demo.close()
    with pytest.raises(FailureError, match="did not answer: Client"):
        await check.run(demo.base_url, "sk-any")
