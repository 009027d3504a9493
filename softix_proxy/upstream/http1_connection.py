"""One connection to a provider: HTTP/1.1, one request at a time, parsed by llhttp.

It is written for the relay in place of a general client, which costs six times the CPU. If anything comes that was not
requested (a second response, bytes after a response, an upgrade), the connection is never used again.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Callable
from typing import cast

import httptools

from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.core.headers import Header
from softix_proxy.domain.ports.upstream import BodyRemainder, ProviderFault

_MAX_HEAD_BYTES = 64 * 1024
"""The most bytes before the body of the final response: informational responses, status line and headers."""
_MAX_HEADERS = 128
_HIGH_WATER_BYTES = 256 * 1024
_SLICE_BYTES = 256 * 1024
_FIRST_FINAL = 200
_WITHOUT_BODY = frozenset((204, 304))
_FRAMING = frozenset(("content-length", "transfer-encoding"))


class Http1Connection(asyncio.Protocol):
    """A connection: `exchange` starts a request, and `chunk` reads its response.

    A fault in between ends the connection.
    """

    def __init__(self) -> None:
        self.status = 0
        self.headers: list[Header] = []
        self.complete = True
        """Whether the last response came to its end, with nothing after it."""
        self.reusable = True
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._arrivals = select.poll()
        self._parser = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._waiting_bytes = 0
        self._waiter: asyncio.Future[None] | None = None
        self._into: Callable[[bytes], bool] | None = None
        self._refused = False
        self._error: Exception | None = None
        self._room: asyncio.Future[None] | None = None
        self._fault: ProviderFault | None = None
        self._head_bytes = 0
        self._in_head = True
        self._until_close = False
        self._paused = False
        self._silence_s = 0.0
        self._heard_s = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_s = 0.0
        """The time at which the timer fires. It may be sooner than necessary."""

    # The relay calls these methods.

    async def exchange(self, head: bytes, body: bytes, silence_s: float, rest: BodyRemainder | None = None) -> None:
        """Sends a request and returns with the head of its response.

        Raises ProviderFault, and whatever `rest` raises.
        """
        self.status, self.headers, self.complete = 0, [], False
        self._in_head, self._head_bytes, self._until_close = True, 0, False
        if self._transport is None or self._transport.is_closing():
            raise ProviderFault(Code.PROVIDER_UNREACHABLE, started=False)
        self.listen(silence_s)
        await self._send(head, body)
        if rest is not None:
            await self._pass_on(rest)
        while self._in_head:
            await self._wait()

    async def chunk(self) -> bytes:
        """Returns what has arrived, or empty bytes at the end. Raises ProviderFault."""
        while not self._parts:
            if self.complete:
                return b""
            await self._wait()
        return self._take()

    async def pour(self, into: Callable[[bytes], bool]) -> bool:
        """Passes on what arrives, within the callback that brought it, until `into` returns False.

        Returns False at the end of the body.
        """
        self._refused, self._error = False, None
        while True:
            while self._parts:
                if not into(self._take()):
                    return True
            if self.complete:
                return False
            self._into = into
            try:
                await self._wait()
            finally:
                self._into = None
            if self._error is not None:
                raise self._error
            if self._refused:
                return True

    def listen(self, silence_s: float) -> None:
        """Sets how long the provider may be silent from now on."""
        self._silence_s, self._heard_s = silence_s, self._loop.time()
        if self._timer is None or self._timer_s > self._heard_s + silence_s:
            self._set_timer(self._heard_s + silence_s)

    def rest(self) -> bool:
        """Returns whether the connection may be used again after a response."""
        return self.complete and self.reusable and not self._parts and self._transport is not None

    def close(self) -> None:
        self._fail(Code.PROVIDER_BROKE_OFF)

    @property
    def silent(self) -> bool:
        """Whether it is open and nothing came since the last response, neither here nor into the kernel's buffer."""
        if not self.reusable or self._transport is None or self._transport.is_closing():
            return False
        return not self._arrivals.poll(0)

    async def _send(self, head: bytes, body: bytes) -> None:
        """Sends slices, each as soon as there is room, so that a large body is not held a second time."""
        if len(body) <= _SLICE_BYTES:
            self._write(head + body)
            return
        self._write(head)
        view = memoryview(body)
        for start in range(0, len(body), _SLICE_BYTES):
            if self._room is not None:
                await self._room
            if not self._in_head:
                self.reusable = False  # the provider answered before it read everything
                return
            self._heard_s = self._loop.time()
            self._write(view[start : start + _SLICE_BYTES])

    async def _pass_on(self, rest: BodyRemainder) -> None:
        """Sends the rest of a body as it comes from the client."""
        async for chunk in rest.chunks():
            if self._room is not None:
                await self._room
            if not self._in_head:
                self.reusable = False
                return
            self._heard_s = self._loop.time()
            self._write(chunk)

    def _write(self, data: bytes | memoryview) -> None:
        if self._transport is None:
            raise self._fault or ProviderFault(Code.PROVIDER_BROKE_OFF, started=True)
        self._transport.write(data)

    def _take(self) -> bytes:
        parts, self._parts, self._waiting_bytes = self._parts, [], 0
        if self._paused and self._transport is not None:
            self._paused = False
            self._heard_s = self._loop.time()
            self._transport.resume_reading()
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _pour(self, into: Callable[[bytes], bool]) -> None:
        try:
            if into(self._take()):
                return
        except Exception as error:  # noqa: BLE001 - the error belongs to the waiting caller
            self._error = error
        self._into, self._refused = None, True
        self._wake()

    async def _wait(self) -> None:
        if self._fault is not None:
            raise self._fault
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _set_timer(self, when_s: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timer_s = self._loop.call_at(when_s, self._look), when_s

    def _look(self) -> None:
        """Checks whether the provider has been silent for too long.

        A timer for each request and chunk would cost more than checking again when the time is up.
        """
        self._timer = None
        if self.complete:
            return
        if self._paused:  # the client is slow, not the provider
            self._heard_s = self._loop.time()
        late_s = self._heard_s + self._silence_s
        if late_s > self._loop.time():
            self._set_timer(late_s)
        else:
            self._fail(Code.PROVIDER_TIMEOUT)

    def _fail(self, code: Code) -> None:
        if self._fault is None:
            self._fault = ProviderFault(code, started=True)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._transport is not None:
            self._transport.abort()
            self._transport = None
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(self._fault)
        if self._room is not None and not self._room.done():
            self._room.set_exception(self._fault)

    # The event loop calls these methods.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transports have no common base class
        self._arrivals.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        if self.complete:  # nobody requested this
            self.reusable = False
            self.close()
            return
        self._heard_s = self._loop.time()
        if self._in_head:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(Code.PROVIDER_BROKE_OFF)
            return
        if self._in_head and self._head_bytes > _MAX_HEAD_BYTES:
            self._fail(Code.PROVIDER_BROKE_OFF)
        elif self._into is not None and self._parts:
            self._pour(self._into)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self.reusable = False
        if exc is None and self._until_close and not self._in_head:
            self.complete = True
            self._wake()
        else:
            self._fail(Code.PROVIDER_BROKE_OFF)

    def pause_writing(self) -> None:
        self._room = self._loop.create_future()

    def resume_writing(self) -> None:
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    # The parser calls these methods.

    def on_message_begin(self) -> None:
        if self.complete:
            self.reusable = False  # a second response, which the next request must not get

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # otherwise it is a trailer, or belongs to a second response
            self.headers.append((name.decode("latin-1").lower(), value.decode("utf-8", "surrogateescape")))
            if len(self.headers) > _MAX_HEADERS:
                raise ValueError("too many headers")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if not self._in_head:
            return
        if status < _FIRST_FINAL:
            self.headers.clear()
            return
        self.status, self._in_head = status, False
        self._until_close = status not in _WITHOUT_BODY and not any(name in _FRAMING for name, _ in self.headers)
        self._wake()
        if self._room is not None and not self._room.done():
            self._room.set_result(None)  # a sender that is still busy sees the response

    def on_body(self, data: bytes) -> None:
        if self.complete:
            return
        self._parts.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes > _HIGH_WATER_BYTES and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        if self._into is None:
            self._wake()

    def on_message_complete(self) -> None:
        if self._in_head or self.complete:
            return
        self.complete = True
        self.reusable = self.reusable and self._parser.should_keep_alive()
        self._wake()
