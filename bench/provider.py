"""A provider that costs as little as possible: raw HTTP on asyncio, one fixed answer.

A body with `"stream":true` gets a stream. The header `x-client-request-id: CHUNKS,EVERY_MS` says how long it is; every
proxy passes that one.
"""

from __future__ import annotations

import asyncio
import json
import re
from typing import cast

import uvloop

_USAGE = {"prompt_tokens": 12, "completion_tokens": 34, "total_tokens": 46}
_CHOICE = {"index": 0, "message": {"role": "assistant", "content": "x" * 900}, "finish_reason": "stop"}
_BODY = json.dumps(
    {"id": "c", "object": "chat.completion", "model": "m", "choices": [_CHOICE], "usage": _USAGE}
).encode()
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\nx-request-id: r\r\nopenai-version: 2020-10-01\r\n"
WHOLE = _HEAD % b"application/json" + b"content-length: %d\r\n\r\n" % len(_BODY) + _BODY
_STREAM = _HEAD % b"text/event-stream" + b"transfer-encoding: chunked\r\n\r\n"
_LENGTH = re.compile(rb"(?i)content-length: *(\d+)")
_PLAN = re.compile(rb"(?i)x-client-request-id: *(\d+),(\d+)")


def _frame(data: bytes) -> bytes:
    event = b"data: " + data + b"\n\n"
    return b"%x\r\n%s\r\n" % (len(event), event)


_DELTA = _frame(
    b'{"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"content":"word "}}]}'
)
_STOP = _frame(b'{"id":"c","model":"m","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}')
_LAST = _frame(b'{"id":"c","model":"m","choices":[],"usage":%s}' % json.dumps(_USAGE).encode())
_END = _STOP + _LAST + _frame(b"[DONE]") + b"0\r\n\r\n"


class Provider(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.parts: list[bytes] = []
        self.size = self.wanted = 0
        self.plan: tuple[int, int] | None = None

    def data_received(self, data: bytes) -> None:
        self.parts.append(data)
        self.size += len(data)
        if not self.wanted:
            head, found, _ = b"".join(self.parts).partition(b"\r\n\r\n")
            if not found:
                return
            length = _LENGTH.search(head)
            plan = _PLAN.search(head)
            self.plan = (int(plan[1]), int(plan[2])) if plan else None
            self.wanted = len(head) + 4 + (int(length[1]) if length else 0)
        if self.size >= self.wanted:
            self.parts, self.size, self.wanted = [], 0, 0
            if self.plan is not None:
                self.stream(*self.plan)
            else:
                self.transport.write(WHOLE)

    def stream(self, chunks: int, every_ms: int) -> None:
        loop = asyncio.get_running_loop()
        began_s, left = loop.time(), chunks
        self.transport.write(_STREAM)

        def step() -> None:
            nonlocal left
            if self.transport.is_closing():
                return
            left -= 1
            self.transport.write(_DELTA if left else _DELTA + _END)
            if left:
                loop.call_at(began_s + (chunks - left) * every_ms / 1000, step)

        step()


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Provider, "127.0.0.1", 0, backlog=4096)
    print(json.dumps({"url": f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"}), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
