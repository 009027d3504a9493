from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import pytest
from aiohttp import web
from support.open_files import used_up
from support.playbook import LAB, SECRET

from softix_proxy.domain.catalog.providers import ProviderKey
from softix_proxy.domain.core.errors import Code, FailureError
from softix_proxy.domain.instance.sections import UpstreamSection
from softix_proxy.domain.ports.upstream import ProviderFault, UpstreamRequest, WebSocketRefusedError
from softix_proxy.upstream.client import UpstreamLimits
from softix_proxy.upstream.websocket_client import ProviderWebSockets

LIMITS = UpstreamLimits(5, 5, 5, 0, 0)
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class Vault:
    """Opens nothing but what was sealed for the test."""

    def open_secret(self, sealed: bytes, *place: str) -> str:
        if sealed != b"sealed":
            raise FailureError("it does not open")
        return SECRET


@contextlib.asynccontextmanager
async def calling(handler: Handler) -> AsyncIterator[tuple[ProviderWebSockets, Callable[..., UpstreamRequest]]]:
    listening = await asyncio.get_running_loop().create_server(web.Server(handler), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    lines = ProviderWebSockets(Vault(), LIMITS)  # type: ignore[arg-type]

    def call(sealed: bytes = b"sealed", base_url: str = url, **headers: str) -> UpstreamRequest:
        lab = replace(LAB, base_url=base_url, sealed_key=sealed)
        key = ProviderKey("prv_lab", "main", sealed)
        return UpstreamRequest(1, lab, "/v1/realtime?model=a%2Fb", list(headers.items()), b"", stream=True, key=key)

    try:
        yield lines, call
    finally:
        await lines.close()
        listening.close()


async def test_websocket_passes_messages_both_ways_with_the_provider_s_key() -> None:
    seen: list[tuple[str, str]] = []

    async def echo(request: web.BaseRequest) -> web.StreamResponse:
        seen.append((request.path_qs, request.headers["authorization"]))
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(await socket.receive_str())
        await socket.close(code=1001)
        return socket

    async with calling(echo) as (lines, call):
        line = await lines.open(call(authorization="Bearer of the client"))
        await line.send(b'{"type":"x"}')
        assert await line.receive() == b'{"type":"x"}'
        assert await line.receive() is None and line.close_code == 1001
        line.abort()
    assert seen == [("/v1/realtime?model=a%2Fb", f"Bearer {SECRET}")]


async def test_websocket_that_breaks_or_sends_no_text_raises_a_fault() -> None:
    async def broken(request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_bytes(b"not a text")
        assert request.transport is not None
        request.transport.abort()
        return socket

    async with calling(broken) as (lines, call):
        line = await lines.open(call())
        for _ in range(2):
            with pytest.raises(ProviderFault) as caught:
                await line.receive()
            assert caught.value.code is Code.PROVIDER_BROKE_OFF
        line.abort()


@pytest.mark.parametrize("status", [200, 307, 401, 404, 429, 503])
async def test_websocket_handshake_that_is_refused_raises_with_its_status(status: int) -> None:
    calls = 0

    async def refuse(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        return web.Response(status=status, headers={"location": str(request.url), "Retry-After": "7"})

    async with calling(refuse) as (lines, call):
        with pytest.raises(WebSocketRefusedError) as caught:
            await lines.open(call())
    refused = caught.value
    assert (refused.status, dict(refused.headers)["retry-after"], refused.__cause__, calls) == (status, "7", None, 1)
    assert SECRET not in repr(refused)


async def test_websocket_that_cannot_be_opened_raises_a_fault_that_has_not_started() -> None:
    async def never(request: web.BaseRequest) -> web.StreamResponse:
        raise AssertionError("it was called")

    async with calling(never) as (lines, call):
        for broken, code in (
            (call(sealed=b"other"), Code.PROVIDER_REFUSED),
            (call(base_url="http://127.0.0.1:1"), Code.PROVIDER_UNREACHABLE),
            (call(base_url="http://169.254.169.254"), Code.PROVIDER_UNREACHABLE),
            (call(base_url=""), Code.PROVIDER_UNREACHABLE),
            (call(**{"x-thing": "a\r\nb: c"}), Code.PROVIDER_UNREACHABLE),
        ):
            with pytest.raises(ProviderFault) as caught:
                await lines.open(broken)
            assert caught.value.code is code and not caught.value.started


async def test_websocket_after_new_timeouts_uses_them_and_open_ones_stay() -> None:
    async def echo(request: web.BaseRequest) -> web.StreamResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            await socket.send_str(message.data)
        return socket

    async with calling(echo) as (lines, call):
        before = await lines.open(call())
        lines.take(UpstreamSection(connect_timeout_s=7))
        after = await lines.open(call())
        assert lines._session is not None and lines._session.timeout.sock_connect == 7
        for line in (before, after):
            await line.send(b"still there")
            assert await line.receive() == b"still there"
        earlier, later = [*lines._earlier, lines._session]
    assert earlier.closed and later.closed


async def test_websocket_when_out_of_files_raises_a_fault_that_is_not_the_provider_s() -> None:
    async def nobody(_: web.BaseRequest) -> web.StreamResponse:
        answer = web.Response(status=500)
        answer.force_close()
        return answer

    async with calling(nobody) as (lines, call):
        with pytest.raises(WebSocketRefusedError):
            await lines.open(call())  # what is imported and read at the first use
        with used_up(), pytest.raises(ProviderFault) as fault:
            await lines.open(call())
    assert (fault.value.code, fault.value.started) == (Code.OUT_OF_FILES, False)
