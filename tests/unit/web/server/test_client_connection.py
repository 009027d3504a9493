import asyncio
from typing import Any

import pytest
from support.playbook import SSE, Exchange

from softix_proxy.web.server import startup_check

WAIT_S = 10


async def closed(reader: asyncio.StreamReader) -> bytes:
    """What came until the end."""
    try:
        return await asyncio.wait_for(reader.read(), WAIT_S)
    except ConnectionError:
        return b""


@pytest.mark.parametrize("start", [b"", b"GET /healthz HT", b"GET /healthz HTTP/1.1\r\nhost: x\r\n"])
async def test_connection_without_a_complete_header_is_closed_after_the_timeout(opened: Any, start: bytes) -> None:
    async with opened(header_timeout_s=0.05) as place:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        writer.write(start)
        assert await closed(reader) == b""
        writer.close()


async def test_idle_connection_after_the_header_timeout_is_kept(opened: Any) -> None:
    async with opened(header_timeout_s=0.05) as place:
        reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
        for _ in range(2):
            writer.write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
            assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200")
        writer.close()


async def test_client_that_does_not_read_is_disconnected_after_the_write_timeout(opened: Any) -> None:
    async with opened(write_timeout_s=0.05) as place:
        place.upstream.answer = Exchange(*[b"data: " + b"x" * 1_000_000 + b"\n\n"] * 30, headers=SSE)
        _, writer = await asyncio.open_connection("127.0.0.1", place.port, limit=1000)
        body = b'{"model":"llama","messages":[],"stream":true}'
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-api-key: ada\r\ncontent-length: %d\r\n\r\n"
        writer.write(head % len(body) + body)
        async with asyncio.timeout(WAIT_S):
            while not place.journal.settlements:
                await asyncio.sleep(0.005)
        assert place.journal.settlements[0].error == "client_hung_up" and len(place.journal.settlements) == 1
        writer.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"canary canary canary\r\n\r\n",
        b"GET / HTTP/1.1\r\nauthorization: Bearer canary\x00\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\ncontent-length: canary\r\n\r\n",
    ],
)
async def test_invalid_request_bytes_are_refused_without_being_quoted(
    place: Any, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port)
    writer.write(sent)
    answer = await closed(reader)
    assert b" 400 " in answer.splitlines()[0] and b"canary" not in answer and "canary" not in caplog.text
    assert not [record for record in caplog.records if record.levelname == "ERROR"]  # anybody could fill the log so
    assert b"Server: softix\r\n" in answer and b"x-softix-request-id: req_" in answer
    writer.close()


async def test_request_whose_body_comes_before_its_handler_runs_is_not_timed_as_a_head(place: Any) -> None:
    """The event loop may read the body in the turn between the head and the first step of its handler."""
    connection = place.server._connections.connect_alone()
    transport = _MemoryTransport()
    connection.connection_made(transport)
    await asyncio.sleep(0)
    connection.data_received(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: ada\r\ncontent-length: 9\r\n\r\n")
    connection.data_received(b"{")
    assert connection._header_timer is None and not connection.is_idle
    connection.connection_lost(None)


async def test_connection_that_was_let_go_with_an_unread_answer_is_dropped_after_the_write_timeout(opened: Any) -> None:
    async with opened(write_timeout_s=0.05) as place:
        connection = place.server._connections.connect_alone()
        transport = _MemoryTransport()
        connection.connection_made(transport)
        await asyncio.sleep(0)
        connection.pause_writing()
        connection.force_close()
        assert connection.transport is None and not transport.aborted
        async with asyncio.timeout(WAIT_S):
            await transport.has_aborted.wait()
        connection.connection_lost(None)


class _MemoryTransport(startup_check._MemoryTransport):
    """Knows whether it was closed or aborted."""

    def __init__(self) -> None:
        super().__init__()
        self.has_aborted = asyncio.Event()

    @property
    def aborted(self) -> bool:
        return self.has_aborted.is_set()

    def abort(self) -> None:
        self.has_aborted.set()
