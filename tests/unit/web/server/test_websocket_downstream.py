from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import WSMessage, WSMsgType, web

from softix_proxy.domain.core.errors import RefusedError
from softix_proxy.relay.core.inbound import ClientGoneError
from softix_proxy.web.server.websocket_downstream import WebSocketDownstream


class Socket:
    def __init__(self, *messages: WSMessage) -> None:
        self.messages = list(messages)
        self.sent: list[tuple[bytes, WSMsgType]] = []
        self.closed_with: list[int] = []
        self.failure: Exception | None = None

    async def receive(self) -> WSMessage:
        return self.messages.pop(0)

    async def send_frame(self, message: bytes, kind: WSMsgType) -> None:
        if self.failure is not None:
            raise self.failure
        self.sent.append((message, kind))

    async def close(self, *, code: int) -> None:
        self.closed_with.append(code)


def downstream(socket: Any = None, connection: Any = None) -> WebSocketDownstream:
    request: Any = None
    made = WebSocketDownstream(request, connection, "req_7")
    made.response = socket
    return made


def message(kind: WSMsgType, data: Any) -> WSMessage:
    return WSMessage(kind, data, None)  # type: ignore[call-arg]


async def test_websocket_receive_with_a_message_that_is_not_text_raises_an_error() -> None:
    client = downstream(
        Socket(message(WSMsgType.TEXT, b"{}"), message(WSMsgType.BINARY, b"x"), message(WSMsgType.CLOSE, 1000))
    )
    assert await client.receive() == b"{}"
    with pytest.raises(RefusedError):
        await client.receive()
    with pytest.raises(ClientGoneError):
        await client.receive()


@pytest.mark.parametrize("failure", [ConnectionResetError(), RuntimeError()])
async def test_websocket_send_to_a_disconnected_client_raises_client_gone(failure: Exception) -> None:
    socket = Socket()
    client = downstream(socket)
    await client.send(b"{}")
    await client.close(1001)
    assert socket.sent == [(b"{}", WSMsgType.TEXT)] and socket.closed_with == [1001]
    socket.failure = failure
    with pytest.raises(ClientGoneError):
        await client.send(b"{}")


async def test_websocket_accept_with_a_reset_connection_raises_client_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def prepare(self: Any, request: Any) -> None:
        await asyncio.sleep(0)
        raise ConnectionResetError

    monkeypatch.setattr(web.WebSocketResponse, "prepare", prepare)
    client = downstream()
    with pytest.raises(ClientGoneError):
        await client.accept()
    assert client.response is not None and client.response.headers["x-softix-request-id"] == "req_7"


def test_websocket_cut_and_forget_close_and_release_the_connection() -> None:
    closed: list[bool] = []
    connection = SimpleNamespace(force_close=lambda: closed.append(True), when_gone=print)
    client = downstream(connection=connection)
    client.cut()
    client.forget()
    assert closed == [True] and connection.when_gone is None
