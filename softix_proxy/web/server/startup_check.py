"""Checks at start that aiohttp behaves as before, by a short exchange over a connection in memory.

`aiohttp_internals.check_names` checks that the names exist. This checks what they do, through softix's own classes: a
body that the server requests, a whole response, a stream, input that is no HTTP, and the end of the connection.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Awaitable, Callable

from aiohttp import web

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.web.server import request_body
from softix_proxy.web.server.aiohttp_internals import unfit
from softix_proxy.web.server.client_connection import ClientConnection
from softix_proxy.web.server.http_downstream import HttpDownstream

Connect = Callable[[Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]], ClientConnection]
"""Returns a connection whose requests this handler answers."""
_MOST_TURNS = 50
"""The most turns of the event loop until something is written. Each step here takes fewer than ten."""
_BODY_TIMEOUT_S = 5.0
_HEAD = b"POST /a HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 4\r\n\r\n"
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BODY = b"body"
_PACKED = zlib.compress(_BODY)
_COMPRESSED = b"POST /c HTTP/1.1\r\nhost: a\r\ncontent-encoding: deflate\r\ncontent-length: %d\r\n\r\n%b" % (
    len(_PACKED),
    _PACKED,
)
_STREAM = b"GET /b HTTP/1.1\r\nhost: a\r\n\r\n"
_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = b"\r\ntransfer-encoding: chunked\r\n"
_CHUNKS = b"\r\n\r\n5\r\nchunk\r\n0\r\n\r\n"
_SECRET = b"secret"
_NONSENSE = b"no %b is HTTP\r\n\r\n" % _SECRET


class _MemoryTransport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True

    abort = close
    write_eof = close

    def can_write_eof(self) -> bool:
        return True

    def pause_reading(self) -> None:
        """Does nothing, because nothing is read here."""

    resume_reading = pause_reading


async def check_behaviour(connect: Connect) -> None:
    """Runs the exchange. Raises FailureError if a step fails, or does not behave as before."""
    try:
        await _run(connect)
    except FailureError:
        raise
    except Exception as error:  # noqa: BLE001 - a release may fail in any way, and the operator needs the remedy
        raise unfit(f"an exchange fails with {type(error).__name__}") from None


async def _run(connect: Connect) -> None:
    connection, transport = connect(_answer), _MemoryTransport()
    gone: list[bool] = []
    connection.connection_made(transport)
    await asyncio.sleep(0)  # the connection's task begins, so that it can also end
    try:
        sent = await _exchange(connection, transport, _HEAD)
        _require(sent == _CONTINUE, "a body is not asked for as it was")
        sent = await _exchange(connection, transport, _BODY)
        head, _, body = sent.partition(b"\r\n\r\n")
        whole = head.startswith(_OK + b"x-a: b\r\n") and b"\r\ncontent-length: 4\r\n" in head and body == _BODY
        _require(whole, "a whole answer is not written as it was")
        _require(connection.is_idle and not transport.is_closing(), "a connection is not kept as it was")
        sent = await _exchange(connection, transport, _COMPRESSED)
        _require(sent.endswith(b"\r\n\r\n" + _BODY), "a compressed body is not left to softix")
        sent = await _exchange(connection, transport, _STREAM)
        streamed = sent.startswith(_OK) and _CHUNKED in sent.lower() and sent.endswith(_CHUNKS)
        _require(streamed, "a stream is not written as it was")
        connection.pause_writing()
        room = connection.room
        connection.resume_writing()
        _require(room is not None and room.done() and connection.room is None, "a slow client is not noticed as it was")
        connection.when_gone = lambda: gone.append(True)
        sent = await _exchange(connection, transport, _NONSENSE)
        _require(sent.split()[1:2] == [b"400"] and _SECRET not in sent, "what is no HTTP is not refused as it was")
        _require(transport.is_closing(), "a connection is not closed as it was")
    finally:
        connection.connection_lost(None)
    _require(gone == [True] and connection.transport is None, "the end of a connection is not noticed as it was")


async def _exchange(connection: ClientConnection, transport: _MemoryTransport, data: bytes) -> bytes:
    """Returns what is written in response, once nothing more comes."""
    transport.written = b""
    connection.data_received(data)
    for _ in range(_MOST_TURNS):
        before = len(transport.written)
        await asyncio.sleep(0)
        if before and len(transport.written) == before:
            break
    return transport.written


async def _answer(request: web.BaseRequest) -> web.StreamResponse:
    connection = request.protocol
    assert isinstance(connection, ClientConnection)  # noqa: S101 - the check is given no other
    downstream = HttpDownstream(request, connection, "")
    if request.method == "POST":
        body = await request_body.read(request, len(_PACKED), _BODY_TIMEOUT_S)
        await downstream.answer(200, [("x-a", "b")], body)
    else:
        await downstream.begin(200, [])
        downstream.send(b"chunk")
        await downstream.end()
    assert downstream.response is not None  # noqa: S101
    return downstream.response


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise unfit(otherwise)
