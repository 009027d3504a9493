import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.upstream.http1_connection import Http1Connection

HEAD = b"POST / HTTP/1.1\r\nhost: a\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Connect = Callable[[Handler], Awaitable[Http1Connection]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    servers, connections = [], []

    async def to(handler: Handler) -> Http1Connection:
        server = await asyncio.start_server(handler, "127.0.0.1", 0)
        servers.append(server)
        port = server.sockets[0].getsockname()[1]
        _, connection = await asyncio.get_running_loop().create_connection(Http1Connection, "127.0.0.1", port)
        connections.append(connection)
        return connection

    yield to
    for connection in connections:
        connection.close()
    for server in servers:
        server.close()


def answering(*answers: bytes, close: bool = False) -> Handler:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer)
        if close:
            writer.close()

    return handle


async def whole(connection: Http1Connection) -> bytes:
    body = b""
    while chunk := await connection.chunk():
        body += chunk
    return body


@pytest.mark.parametrize(
    ("answer", "body", "again"),
    [
        (OK + b"content-length: 2\r\n\r\nab", b"ab", True),
        (OK + b"content-length: 0\r\n\r\n", b"", True),
        (OK + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\nx-trailer: 1\r\n\r\n", b"ab", True),
        (OK + b"content-length: 2\r\nconnection: close\r\n\r\nab", b"ab", False),
        (b"HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nab", b"ab", False),
        (b"HTTP/1.1 103 Early\r\nlink: x\r\n\r\n" * 3 + OK + b"content-length: 2\r\n\r\nab", b"ab", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b"", True),
        (OK + b"content-length: 2\r\n\r\nabHTTP/1.1 200 OK\r\n\r\n", b"ab", False),
    ],
)
async def test_response_is_read_to_its_end(connect: Connect, answer: bytes, body: bytes, again: bool) -> None:
    connection = await connect(answering(answer))
    await connection.exchange(HEAD, b"", 5)
    assert connection.status in (200, 204)
    assert all(name not in ("link", "x-trailer") for name, _ in connection.headers)
    assert await whole(connection) == body
    assert connection.rest() is again


async def test_response_that_ends_with_the_connection_is_read_whole(connect: Connect) -> None:
    connection = await connect(answering(OK + b"\r\nuntil the end", close=True))
    await connection.exchange(HEAD, b"", 5)
    assert await whole(connection) == b"until the end"
    assert not connection.rest()


@pytest.mark.parametrize(
    "answer",
    [
        OK + b"content-length: 9\r\n\r\nab",
        OK + b"transfer-encoding: chunked\r\n\r\n9\r\nab",
        OK + b"content-length: 2\r\ncontent-length: 3\r\n\r\nab",
        OK + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n",
        OK + b"x: a\r\n folded\r\ncontent-length: 0\r\n\r\n",
        OK + b"x: y\r\n" * 129 + b"\r\n",
        OK + b"x: " + b"y" * 70_000,
        b"HTTP/1.1 103 Early\r\n\r\n" * 4000,
        b"HTTP/1.1 101 Switching\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n",
        b"not http",
        b"",
    ],
)
async def test_response_that_is_cut_or_malformed_is_a_fault(connect: Connect, answer: bytes) -> None:
    connection = await connect(answering(answer, close=True))
    with pytest.raises(ProviderFault) as caught:
        await connection.exchange(HEAD, b"", 5)
        await whole(connection)
    assert (caught.value.code, caught.value.started) == (Code.PROVIDER_BROKE_OFF, True)
    assert not connection.rest()


async def test_response_that_stays_silent_times_out(connect: Connect) -> None:
    connection = await connect(answering(OK + b"content-length: 2\r\n\r\na"))
    await connection.exchange(HEAD, b"", 5)
    connection.listen(0.02)
    with pytest.raises(ProviderFault) as caught:
        await whole(connection)
    assert caught.value.code is Code.PROVIDER_TIMEOUT


async def test_responses_in_a_row_use_one_connection(connect: Connect) -> None:
    connection = await connect(answering(*(OK + b"content-length: 1\r\n\r\n%d" % number for number in range(3))))
    for number in range(3):
        await connection.exchange(HEAD, b"", 5)
        assert await whole(connection) == b"%d" % number and connection.rest()


async def test_request_on_a_lost_connection_has_not_started(connect: Connect) -> None:
    connection = await connect(answering(close=True))
    while connection.reusable:
        await asyncio.sleep(0)
    with pytest.raises(ProviderFault) as caught:
        await connection.exchange(HEAD, b"", 5)
    assert not caught.value.started


async def test_large_body_is_sent_without_filling_the_buffer(connect: Connect) -> None:
    got = bytearray()
    go_on = asyncio.Event()
    size = 8 * 1024 * 1024

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        await go_on.wait()
        while len(got) < size:
            got.extend(await reader.read(1 << 20))
        writer.write(OK + b"content-length: 0\r\n\r\n")

    connection = await connect(slow)
    body = bytes(range(256)) * (size // 256)
    sending = asyncio.create_task(connection.exchange(HEAD, body, 5))
    while connection._room is None:
        await asyncio.sleep(0)
    transport: Any = connection._transport
    assert transport.get_write_buffer_size() < size // 4
    go_on.set()
    await sending
    assert got == body and connection.rest()


async def test_response_before_the_whole_request_ends_the_connection(connect: Connect) -> None:
    async def early(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\ncontent-length: 0\r\n\r\n")
        await asyncio.Event().wait()

    connection = await connect(early)
    sending = asyncio.create_task(connection.exchange(HEAD, b"x" * 16 * 1024 * 1024, 5))
    await asyncio.wait_for(sending, 5)
    assert connection.status == 413 and not connection.rest()


async def test_slow_reader_pauses_the_provider(connect: Connect) -> None:
    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + b"content-length: %d\r\n\r\n" % (1 << 24) + b"x" * (1 << 24))

    connection = await connect(flood)
    await connection.exchange(HEAD, b"", 0.05)
    while not connection._paused:
        await asyncio.sleep(0)
    held = connection._waiting_bytes
    await asyncio.sleep(0.1)  # longer than the silence that the provider may keep
    assert connection._waiting_bytes == held < 1 << 20
    assert len(await whole(connection)) == 1 << 24


async def test_pour_passes_each_piece_as_it_comes(connect: Connect) -> None:
    head = OK + b"transfer-encoding: chunked\r\n\r\n"
    step = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(head + b"1\r\na\r\n")
        for piece in (b"1\r\nb\r\n", b"1\r\nc\r\n0\r\n\r\n"):
            await step.wait()
            step.clear()
            writer.write(piece)

    connection = await connect(handle)
    await connection.exchange(HEAD, b"", 5)
    got: list[bytes] = []

    def into(piece: bytes) -> bool:
        got.append(piece)
        step.set()
        return piece != b"b"

    assert await connection.pour(into) is True, "told to stop at b"
    assert await connection.pour(into) is False, "the end"
    assert got == [b"a", b"b", b"c"] and connection.rest()


async def test_pour_into_a_failing_sink_raises_its_error(connect: Connect) -> None:
    begun = asyncio.Event()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK + b"content-length: 2\r\n\r\n")
        await begun.wait()
        writer.write(b"ab")

    def into(_: bytes) -> bool:
        raise KeyError("sink")

    connection = await connect(handle)
    await connection.exchange(HEAD, b"", 5)
    pouring = asyncio.create_task(connection.pour(into))
    await asyncio.sleep(0)
    begun.set()
    with pytest.raises(KeyError):
        await pouring


async def test_pour_from_a_broken_connection_raises_a_fault(connect: Connect) -> None:
    connection = await connect(answering(OK + b"content-length: 9\r\n\r\nab", close=True))
    await connection.exchange(HEAD, b"", 5)
    got: list[bytes] = []
    with pytest.raises(ProviderFault) as fault:
        await connection.pour(lambda piece: got.append(piece) is None)
    assert fault.value.code is Code.PROVIDER_BROKE_OFF and got == [b"ab"]


class Rest:
    """What is still with the client."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = pieces
        self.size_bytes = sum(len(piece) for piece in pieces if isinstance(piece, bytes))

    async def chunks(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


async def test_rest_of_a_body_is_sent_as_it_comes(connect: Connect) -> None:
    got = asyncio.get_running_loop().create_future()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        got.set_result(await reader.readexactly(9))
        writer.write(OK + b"content-length: 0\r\n\r\n")

    connection = await connect(handle)
    await connection.exchange(HEAD, b"abc", 5, Rest(b"def", b"ghi"))
    assert await got == b"abcdefghi" and await whole(connection) == b"" and connection.rest()


async def test_response_before_the_rest_of_a_body_ends_the_connection(connect: Connect) -> None:
    connection = await connect(answering(OK + b"content-length: 2\r\n\r\nab"))

    class Late(Rest):
        async def chunks(self) -> AsyncIterator[bytes]:
            while not connection.status:
                await asyncio.sleep(0)
            yield b"never read"

    await connection.exchange(HEAD, b"", 5, Late())
    assert await whole(connection) == b"ab" and not connection.rest()


async def test_rest_of_a_body_that_fails_raises_its_error(connect: Connect) -> None:
    connection = await connect(answering())
    with pytest.raises(KeyError):
        await connection.exchange(HEAD, b"abc", 5, Rest(b"def", KeyError()))
