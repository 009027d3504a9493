"""A provider that speaks HTTP/1.1 badly, on raw sockets, as a process of its own.

Every answer carries the number that this server gave to the request it belongs to, and echoes the request's
`x-test-id`, so that a test can tell whose answer a caller got; what nobody asked for carries the id `SURPLUS`.

The mode is the last label of the model's name (`hostile.surplus`), else the header `x-hostile`:

    plain             a good answer                          surplus           two answers in one segment
    surplus-later     a second answer once it is idle        surplus-bytes     a few bytes too many
    timeout-408       a 408 once it is idle                  early             answers before it has read the body
    early-close       …and closes                            two-lengths       content-length twice, different
    both-framings     content-length and chunked             header-garbage    a header line without a colon
    bare-cr           a CR within a header                   split-header      a folded line in a header
    endless-headers   headers without end, up to 8 MiB       endless-line      one header line without end
    flood-1xx         a thousand 103s, then the answer       endless-1xx       nothing but 103s, up to 8 MiB
    after-hang-up     keeps writing when nobody reads        bad-chunk         a chunk size that is no number
    short-chunk       a chunk that is longer than it says    http-0-9          a body without a head
    no-status         a status line without a status         slow-head         the head, a byte at a time
    huge-length       content-length of 2**63                upgrade-101       switches protocols unasked
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any

LIMIT_BYTES = 8 << 20
_LENGTH = re.compile(rb"(?im)^content-length: *(\d+)")
_TEST_ID = re.compile(rb"(?im)^x-test-id: *([^\r\n]*)")
_MODE = re.compile(rb"(?im)^x-hostile: *([a-z0-9-]+)")
_MODEL = re.compile(rb'"model" *: *"[^"]*?hostile\.([a-z0-9-]+)"')


@dataclass
class Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    head: bytes = b""
    body: bytes = b""

    @property
    def test_id(self) -> str:
        found = _TEST_ID.search(self.head)
        return found[1].decode() if found else ""

    @property
    def mode(self) -> str:
        found = _MODEL.search(self.body) or _MODE.search(self.head)
        return found[1].decode() if found else "plain"

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()


@dataclass
class Books:
    modes: list[str] = field(default_factory=list)
    surplus_sent: int = 0


def answer(number: int, test_id: str) -> bytes:
    """A chat completion that says whose it is."""
    usage = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
    choice = {"index": 0, "message": {"role": "assistant", "content": f"for {test_id}"}, "finish_reason": "stop"}
    body = {"id": f"chatcmpl-{number}", "object": "chat.completion", "created": 1, "model": "hostile"}
    return json.dumps({**body, "choices": [choice], "usage": usage}).encode()


def http(body: bytes, *more: bytes, status: bytes = b"200 OK", length: int | None = None) -> bytes:
    sized = b"content-length: %d" % (len(body) if length is None else length)
    lines = (b"HTTP/1.1 " + status, b"content-type: application/json", sized, *more)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


SURPLUS = http(answer(0, "SURPLUS"))


class Hostile:
    def __init__(self) -> None:
        self.books = Books()
        self.served = 0
        self._sent = asyncio.Event()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(reader, writer)
        try:
            while await self._read_head(connection):
                await self._exchange(connection)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _read_head(self, connection: Connection) -> bool:
        connection.body = b""
        try:
            connection.head = await connection.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        return True

    async def _read_body(self, connection: Connection) -> None:
        if found := _LENGTH.search(connection.head):
            connection.body = await connection.reader.readexactly(int(found[1]))
        elif b"transfer-encoding: chunked" in connection.head.lower():
            connection.body = b""
            while size := int((await connection.reader.readline()).split(b";")[0], 16):
                connection.body += (await connection.reader.readexactly(size + 2))[:-2]
            await connection.reader.readline()

    async def _exchange(self, connection: Connection) -> None:
        early = (found := _MODE.search(connection.head)) is not None and found[1].startswith(b"early")
        if not early:
            await self._read_body(connection)
        if b" /_control/" in connection.head.split(b"\r\n")[0]:
            await self._control(connection)
            return
        self.served += 1
        mode = connection.mode
        self.books.modes.append(mode)
        good = http(answer(self.served, connection.test_id))
        await MODES[mode](self, connection, good)
        if early:
            await self._read_body(connection)

    async def _control(self, connection: Connection) -> None:
        wanted = int(connection.head.split(b" ", 2)[1].rpartition(b"/")[2])
        while self.books.surplus_sent < wanted:
            await self._sent.wait()
        await connection.send(http(json.dumps(asdict(self.books)).encode()))

    def surplus_sent(self) -> None:
        self.books.surplus_sent += 1
        self._sent.set()
        self._sent = asyncio.Event()

    async def late(self, connection: Connection, data: bytes) -> None:
        """Sends when the caller has its answer and the connection is idle, of which nothing tells the server."""
        await asyncio.sleep(0.03)
        await connection.send(data)
        self.surplus_sent()


Mode = Callable[[Hostile, Connection, bytes], Awaitable[None]]


def raw(*parts: bytes, close: bool = True) -> Mode:
    """A mode that sends this, then closes; `GOOD` stands for a good answer."""

    async def send(_: Hostile, connection: Connection, good: bytes) -> None:
        await connection.send(b"".join(good if part is GOOD else part for part in parts))
        if close:
            connection.writer.close()

    return send


def endless(start: bytes, part: bytes) -> Mode:
    """Goes on until the other side closes, or for 8 MiB."""

    async def send(_: Hostile, connection: Connection, good: bytes) -> None:
        await connection.send(start)
        for _number in range(LIMIT_BYTES // (len(part) * 64)):
            await connection.send(part * 64)
        connection.writer.close()

    return send


def late(data: bytes) -> Mode:
    async def send(server: Hostile, connection: Connection, good: bytes) -> None:
        await connection.send(good)
        await server.late(connection, data)

    return send


async def surplus(server: Hostile, connection: Connection, good: bytes) -> None:
    await connection.send(good + SURPLUS)
    server.surplus_sent()


async def slow_head(_: Hostile, connection: Connection, good: bytes) -> None:
    for index in range(60):
        await connection.send(good[index : index + 1])
        await asyncio.sleep(0.002)
    await connection.send(good[60:])


async def after_hang_up(server: Hostile, connection: Connection, good: bytes) -> None:
    """Half an answer, then the rest and a surplus one when the caller has gone (or is as good as gone)."""
    await connection.send(good[:-10])
    try:
        await asyncio.wait_for(connection.reader.read(1), 2)
    except TimeoutError:
        pass
    server.surplus_sent()
    await connection.send(good[-10:] + SURPLUS)


GOOD = b"GOOD"
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
CHUNKED = OK + b"transfer-encoding: chunked\r\n"
HINT = b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
MODES: dict[str, Mode] = {
    "plain": raw(GOOD, close=False),
    "early": raw(GOOD, close=False),
    "early-close": raw(GOOD),
    "surplus": surplus,
    "surplus-later": late(SURPLUS),
    "surplus-bytes": raw(GOOD, b"HTTP/1.1 200", close=False),
    "timeout-408": late(http(b"{}", b"connection: close", status=b"408 Request Timeout")),
    "two-lengths": raw(OK, b"content-length: 2\r\ncontent-length: 40\r\n\r\n{}", SURPLUS),
    "both-framings": raw(CHUNKED, b"content-length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n", SURPLUS),
    "header-garbage": raw(OK, b"this line has no colon\r\n\x00\x01: x\r\ncontent-length: 2\r\n\r\n{}"),
    "bare-cr": raw(OK, b"x-odd: a\rset-cookie: b=c\r\ncontent-length: 2\r\n\r\n{}"),
    "split-header": raw(OK, b"x-odd: a\r\n set-cookie: b=c\r\ncontent-length: 2\r\n\r\n{}"),
    "endless-headers": endless(OK, b"x-more: and more\r\n"),
    "endless-line": endless(OK + b"x-more: ", b"and more and more "),
    "flood-1xx": raw(HINT * 1000, GOOD, close=False),
    "endless-1xx": endless(b"", HINT),
    "after-hang-up": after_hang_up,
    "bad-chunk": raw(CHUNKED, b"\r\n2\r\n{}\r\nzz\r\n"),
    "short-chunk": raw(CHUNKED, b'\r\n2\r\n{"a": 1}\r\n0\r\n\r\n'),
    "http-0-9": raw(b"<html>hello</html>\r\n"),
    "no-status": raw(b"HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}"),
    "slow-head": slow_head,
    "huge-length": raw(OK, b"content-length: 9223372036854775808\r\n\r\n{}"),
    "upgrade-101": raw(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", GOOD),
}


async def serve() -> None:
    """Tells its URL in one line on standard output; ends when standard input does."""
    server = await asyncio.start_server(Hostile().connected, "127.0.0.1", 0, limit=1 << 20)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    told: dict[str, Any] = {"url": url, "modes": list(MODES)}
    print(json.dumps(told), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.buffer.read)


if __name__ == "__main__":
    asyncio.run(serve())
