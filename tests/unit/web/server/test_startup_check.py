from __future__ import annotations

import asyncio
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import http_writer, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.web_protocol import RequestHandler

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.web.server import startup_check
from softix_proxy.web.server.http_server import ConnectionFactory, HttpServer, ListenerSettings

LISTENING = ListenerSettings("127.0.0.1", 0, None, 5, 5, 5, 10)


def requests() -> Any:
    return SimpleNamespace(body_timeout_s=5.0, running=set(), new_request_id=lambda: "req_0", stop_taking=lambda: None)


async def check() -> None:
    factory: list[ConnectionFactory] = []

    def connect(handle: Any) -> Any:
        factory.append(ConnectionFactory(handle, requests(), LISTENING, most=1))
        return factory[0].connect_alone()

    await startup_check.check_behaviour(connect)
    for _ in range(5):
        await asyncio.sleep(0)
    assert factory[0].connections == []


async def test_startup_check_with_the_installed_release_passes_and_leaves_no_task() -> None:
    before = asyncio.all_tasks()
    await check()
    assert asyncio.all_tasks() == before


def late_headers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The head of a stream goes with its first piece."""
    monkeypatch.setattr(web.StreamResponse, "_send_headers_immediately", False, raising=False)


def other_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def write_eof(self: Any, chunk: bytes = b"") -> None: ...

    monkeypatch.setattr(http_writer.StreamWriter, "write_eof", write_eof)


def deaf_to_slow_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    from softix_proxy.web.server.client_connection import ClientConnection

    monkeypatch.setattr(ClientConnection, "pause_writing", BaseProtocol.pause_writing)


def deaf_to_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    from softix_proxy.web.server.client_connection import ClientConnection

    monkeypatch.setattr(ClientConnection, "connection_lost", RequestHandler.connection_lost)


def quoting(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of a request is aiohttp's own, which quotes it."""
    from softix_proxy.web.server.client_connection import ClientConnection

    monkeypatch.setattr(ClientConnection, "handle_error", RequestHandler.handle_error)


def failing_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def connection_lost(self: Any, exc: BaseException | None) -> None:
        raise AttributeError("secret")

    monkeypatch.setattr(RequestHandler, "connection_lost", connection_lost)


def failing_at_input(monkeypatch: pytest.MonkeyPatch) -> None:
    def data_received(self: Any, data: bytes) -> None:
        raise TypeError("secret")

    monkeypatch.setattr(RequestHandler, "data_received", data_received)


CHANGES = {
    late_headers: "a stream",
    other_end: "a stream",
    deaf_to_slow_clients: "a slow client",
    deaf_to_the_end: "the end of a connection",
    quoting: "what is no HTTP",
    failing_at_the_end: "AttributeError",
    failing_at_input: "TypeError",
}


@pytest.fixture(params=list(CHANGES), ids=lambda change: change.__name__)
def changed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    request.param(monkeypatch)
    yield CHANGES[request.param]


async def test_startup_check_with_a_release_that_behaves_differently_is_refused(changed: str) -> None:
    with pytest.raises(FailureError, match=changed) as refused:
        await check()
    assert "pip install aiohttp==" in refused.value.remedy


async def test_server_open_with_a_release_that_behaves_differently_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(request: web.BaseRequest) -> web.StreamResponse:
        raise AssertionError("nobody asks here")

    late_headers(monkeypatch)
    server = HttpServer(nothing, requests(), LISTENING)
    with pytest.raises(FailureError, match="is not as softix needs it"):
        await server.open()
    assert server._socket is None
