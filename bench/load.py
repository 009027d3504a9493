"""The load, as a process of its own: raw sockets, so that it costs less than what it measures.

python -m bench.load '{"mode": "closed", "url": …, "key": …, "requests": 5000, "connections": 32}'
modes: closed (requests, connections, body_bytes) · open (rate, seconds) · streams (streams, chunks, every_ms)
`"path": "/v1/messages"` asks in another dialect, which has the same body.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit

import uvloop

_CHAT = "/v1/chat/completions"
_PIECES = {_CHAT: b'"delta":{"content"', "/v1/messages": b'"delta":{"type":"text_delta"'}
_BEGUN_PER_S = 500
"""Streams are begun at this pace."""
_END = b"0\r\n\r\n"


class Stream(asyncio.Protocol):
    """Counts the pieces that arrive."""

    def __init__(self, piece: bytes) -> None:
        self.piece = piece
        self.got = 0
        self.ended = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.got += data.count(self.piece)
        if data.endswith(_END) and not self.ended.done():
            self.ended.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)


class Load:
    def __init__(self, told: dict[str, Any]) -> None:
        self.told = told
        url = urlsplit(told["url"])
        self.place = (url.hostname, url.port)
        self.path = told.get("path", _CHAT)
        self.bad = 0
        self.times_ms: list[float] = []

    def request(self, stream: bool, body_bytes: int = 400) -> bytes:
        body = json.dumps(
            {
                "model": "gpt-bench",
                "max_tokens": 100,
                "messages": [{"role": "user", "content": "x" * body_bytes}],
                **({"stream": True} if stream else {}),
            }
        ).encode()
        more = self.told.get("headers", "")
        more += f"x-client-request-id: {self.told['chunks']},{self.told['every_ms']}\r\n" if stream else ""
        head = (
            f"POST {self.path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {self.told['key']}\r\n"
            f"content-type: application/json\r\nuser-agent: bench\r\n{more}content-length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    async def one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> None:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        self.bad += not head.startswith(b"http/1.1 200")
        if b"\r\ncontent-length:" in head:
            await reader.readexactly(int(head.split(b"\r\ncontent-length:")[1].split(b"\r")[0]))
        else:
            await reader.readuntil(b"0\r\n\r\n")

    async def closed(self) -> None:
        left = self.told["requests"]
        request = self.request(False, self.told.get("body_bytes", 400))

        async def client() -> None:
            nonlocal left
            reader, writer = await asyncio.open_connection(*self.place, limit=1 << 24)
            while left > 0:
                left -= 1
                await self.one(reader, writer, request)
            writer.close()

        await asyncio.gather(*(client() for _ in range(self.told["connections"])))

    async def open(self) -> None:
        loop = asyncio.get_running_loop()
        request = self.request(False)
        idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        began_s = loop.time() + 0.2

        async def at(moment_s: float) -> None:
            await asyncio.sleep(moment_s - loop.time())
            reader, writer = idle.pop() if idle else await asyncio.open_connection(*self.place)
            sent_s = perf_counter()  # the loop's own time counts in milliseconds
            await self.one(reader, writer, request)
            self.times_ms.append((perf_counter() - sent_s) * 1000)
            idle.append((reader, writer))

        count = int(self.told["rate"] * self.told["seconds"])
        await asyncio.gather(*(at(began_s + number / self.told["rate"]) for number in range(count)))

    async def streams(self) -> None:
        loop, request = asyncio.get_running_loop(), self.request(True)
        expected = self.told["chunks"]

        async def client(number: int) -> None:
            await asyncio.sleep(number / _BEGUN_PER_S)
            transport, stream = await loop.create_connection(lambda: Stream(_PIECES[self.path]), *self.place)
            sent_s = perf_counter()
            transport.write(request)
            await stream.ended
            self.times_ms.append((perf_counter() - sent_s) * 1000)
            self.bad += stream.got != expected
            transport.close()

        await asyncio.gather(*(client(number) for number in range(self.told["streams"])))

    async def run(self) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        await {"closed": self.closed, "open": self.open, "streams": self.streams}[self.told["mode"]]()
        times = sorted(self.times_ms) or [0.0]
        return {
            "seconds": loop.time() - began_s,
            "bad": self.bad,
            "p50_ms": times[len(times) // 2],
            "p99_ms": times[min(int(len(times) * 0.99), len(times) - 1)],
        }


if __name__ == "__main__":
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    print(json.dumps(uvloop.run(Load(json.loads(sys.argv[1])).run())))
