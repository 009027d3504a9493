"""The only module that uses private parts of aiohttp. A check at start examines all of them.

A release of aiohttp may change such a name without notice. The range in pyproject.toml stays open for its security
patches. So softix refuses to start on a release that is not as this file needs it (docs/decisions/0022).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import aiohttp
from aiohttp import web

from softix_proxy.domain.core.errors import FailureError

TESTED = "3.14.5"
"""The release with which all tests were run."""


def unfit(what: str) -> FailureError:
    return FailureError(
        f"aiohttp {aiohttp.__version__} is not as softix needs it: {what}",
        f"install the release that softix was tested with: pip install aiohttp=={TESTED}",
    )


try:
    from aiohttp import http_parser
    from aiohttp.abc import AbstractStreamWriter
    from aiohttp.helpers import rfc822_formatted_time
    from aiohttp.http import HttpVersion10, HttpVersion11
    from aiohttp.http import RawRequestMessage as RequestHead
    from aiohttp.http_exceptions import HttpProcessingError
    from aiohttp.streams import EMPTY_PAYLOAD, StreamReader
    from aiohttp.web_protocol import RequestHandler
    from aiohttp.web_protocol import _ErrInfo as ErrorInfo
except ImportError as error:
    raise unfit(f"{error.name or 'a module'} lacks a name") from None

__all__ = [
    "MAX_LINE_BYTES",
    "TESTED",
    "AbstractStreamWriter",
    "HeadRefusedError",
    "HttpProcessingError",
    "HttpProtocol",
    "HttpVersion10",
    "HttpVersion11",
    "RequestHead",
    "check_names",
    "rfc822_formatted_time",
    "send_continue",
    "unfit",
]


MAX_LINE_BYTES = 16 * 1024
"""The longest URL, and the longest header."""
_LINE_KEPT_BYTES = MAX_LINE_BYTES + 256
"""What is kept of a head that comes in parts: more than the longest request line."""
_MAX_HEAD_BYTES = 64 * 1024
"""The largest head that comes in parts. aiohttp alone would take 128 headers of the longest kind."""
_PIECE_BYTES = 16 * 1024
"""The most that is parsed in one turn of the event loop, if it may have many chunks.

A chunk of one byte takes six, and about a microsecond.
"""
_LINE_BYTES = 16
"""The average length of lines below which data may have many chunks."""
_FRAMED_BYTES = 64 * 1024
"""The size from which a chunked body must not be mostly framing."""
_DISCARDED_BYTES = 64 * 1024 * 1024
"""The most that is read of a refused body. It is the default of the largest body."""


class HeadRefusedError(Exception):
    """A head that softix refuses. `message` is for the client, and quotes nothing of the request."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class HttpProtocol(RequestHandler):
    """The server's side of one connection in aiohttp, with public names for what softix has to know of it."""

    __slots__ = (
        "_answered",
        "_body",
        "_checked",
        "_discarded_bytes",
        "_discarding",
        "_framed_bytes",
        "_head_bytes",
        "_line",
        "_next_piece",
        "_pieces",
        "is_broken",
        "lingering_s",
    )

    def __init__(self, *args: Any, lingering_s: float, **kwargs: Any) -> None:
        super().__init__(*args, lingering_time=0, **kwargs)
        self.lingering_s = lingering_s
        """The longest time for which the rest of a refused body is dropped before the connection closes."""
        self.is_broken = False
        """Whether what came cannot be understood, so that nothing after it can be."""
        self._answered = 0
        self._checked = 0
        """The number of requests whose heads were checked."""
        self._line = b""
        """The beginning of a head that is not complete. It has at least the first line, once that is here."""
        self._head_bytes = 0
        self._body: StreamReader = EMPTY_PAYLOAD
        """The body of the newest request."""
        self._framed_bytes: int | None = None
        """The bytes that came of a chunked body, with its framing. None if no such body is on its way."""
        self._pieces: deque[bytes] = deque()
        """The pieces that are parsed in later turns of the event loop."""
        self._next_piece: asyncio.Handle | None = None
        self._discarding: asyncio.Future[None] | None = None
        """Set while the rest of a refused body is dropped. It is done when the client has closed, or sent too much."""
        self._discarded_bytes = 0

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self._request_count == self._answered

    @property
    def requests_begun(self) -> int:
        return self._request_count

    def data_received(self, data: bytes) -> None:
        if self._discarding is not None:
            self._discard(self._discarding, len(data))
        elif self._pieces and data:
            self._pieces.append(data)
        elif len(data) > _PIECE_BYTES and data.count(b"\n") * _LINE_BYTES > len(data):
            self._parse_later(data)
        else:
            self._parse(data)

    def _parse(self, data: bytes) -> None:
        at_start = self._request_count == self._answered or self._body.is_eof()
        super().data_received(data)
        new = self._request_count - self._checked
        if new:
            self._check_heads(self._line + data if self._line else data, new, 0 if at_start else -1)
        elif at_start:
            if not (self._upgraded or self._close or self._force_close):
                self._take_part_of_head(data)
        elif self._framed_bytes is not None:
            self._check_chunks(len(data))

    def check_head(self, head: RequestHead, raw: bytes, start: int) -> None:
        """Raises HeadRefusedError for a head that the parser lets pass and softix does not.

        `raw` has the bytes of its first line, from `start` on, or anywhere if that is -1.
        """

    def head_received(self) -> None:
        """Handles the moment when the head of a request is complete."""

    def head_begun(self) -> None:
        """Handles bytes that complete no head while no request is being answered."""

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Sends the response. If the body was not read to its end, drops the rest for a while, and then closes.

        A reset would hide the response from a client that still sends. What is dropped is not even parsed.
        """
        is_whole = request.content.is_eof() and not self.is_broken
        if not is_whole:
            resp.force_close()
        tail = self._message_tail
        found = await super().finish_response(request, resp, start_time)
        new = self._request_count - self._checked
        if new:  # they came behind the request for an upgrade that was declined
            self._check_heads(tail, new, 0)
        self._answered += 1
        if self._request_count == self._answered:
            self._body = EMPTY_PAYLOAD
            if self._line:
                self.head_begun()
        if not is_whole and self.transport is not None:
            await self._discard_rest(self.transport)
        return found

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._pieces.clear()
        if self._discarding is not None and not self._discarding.done():
            self._discarding.set_result(None)

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Resumes reading only if it was paused.

        aiohttp calls this after each body, and would make the socket and the parser look again.
        """
        if self._reading_paused or self._buffer_paused:
            super().resume_reading(resume_parser)

    def _resume_transport_reading(self) -> None:
        """Goes on with the pieces that are here before it reads more."""
        if self._pieces:
            self._schedule_piece()
        else:
            super()._resume_transport_reading()

    def _check_heads(self, raw: bytes, new: int, start: int) -> None:
        """Checks the new requests. The first begins in `raw` at `start`, or nobody knows where if that is -1."""
        messages = self._messages
        self._checked, self._line, self._head_bytes = self._request_count, b"", 0
        while new:
            head, self._body = messages[-new]
            if isinstance(head, ErrorInfo):  # the parser has refused it
                break
            try:
                self.check_head(head, raw, start)
            except HeadRefusedError as error:
                self._refuse(error, new)
                break
            self._framed_bytes = 0 if head.chunked else None
            new -= 1
            if new:  # the client did not wait for the response
                start = _start_of_next(head, raw, start)
        self.head_received()

    def _take_part_of_head(self, data: bytes) -> None:
        if len(self._line) < _LINE_KEPT_BYTES:
            self._line += data
        self._head_bytes += len(data)
        if self._head_bytes > _MAX_HEAD_BYTES:
            self._request_count += 1
            self._checked = self._request_count
            self._refuse(HeadRefusedError("The request's headers are too large.", 431), 0)
            self.head_received()
        elif data and self._request_count == self._answered:
            self.head_begun()

    def _refuse(self, error: HeadRefusedError, last: int) -> None:
        """Puts an error in the place of the last requests, and takes nothing after it."""
        for _ in range(last):
            self._messages.pop()
        self._body, self._framed_bytes = EMPTY_PAYLOAD, None
        self._messages.append((ErrorInfo(status=error.status, exc=error, message=""), EMPTY_PAYLOAD))
        self._close = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _check_chunks(self, size_bytes: int) -> None:
        """Fails a body that is mostly framing. Its chunks have fewer than two bytes on average."""
        self._framed_bytes = (self._framed_bytes or 0) + size_bytes
        if self._body.is_eof():
            self._framed_bytes = None
        elif self._framed_bytes > _FRAMED_BYTES and self._body.total_raw_bytes * 4 < self._framed_bytes:
            self._framed_bytes = None
            self._close = True
            self._body.set_exception(web.RequestPayloadError("its chunks are too small"))

    def _parse_later(self, data: bytes) -> None:
        """Parses data with many line ends in pieces, because the time for a chunk does not depend on its size."""
        self._pieces.extend(data[start : start + _PIECE_BYTES] for start in range(0, len(data), _PIECE_BYTES))
        self._pause_transport_reading()
        self._schedule_piece()

    def _schedule_piece(self) -> None:
        if self._next_piece is None:
            self._next_piece = self._loop.call_soon(self._parse_piece)

    def _parse_piece(self) -> None:
        self._next_piece = None
        if not self._pieces or self._discarding is not None:
            return
        self._parse(self._pieces.popleft())
        if not (self._reading_paused or self._buffer_paused):
            self._resume_transport_reading()

    async def _discard_rest(self, transport: asyncio.Transport) -> None:
        self._discarding = self._loop.create_future()
        self._pieces.clear()
        if transport.can_write_eof():
            transport.write_eof()  # a client that waits for the end of the response need not wait for the time-out
        if not transport.is_closing() and not transport.is_reading():
            transport.resume_reading()
        with suppress(TimeoutError):
            async with asyncio.timeout(self.lingering_s):
                await self._discarding

    def _discard(self, until: asyncio.Future[None], size_bytes: int) -> None:
        self._discarded_bytes += size_bytes
        if self._discarded_bytes > _DISCARDED_BYTES and not until.done():
            until.set_result(None)


def _start_of_next(head: RequestHead, raw: bytes, start: int) -> int:
    """Returns where the next head begins, or -1 if only a parser can find the end of this request."""
    if start < 0 or head.chunked:
        return -1
    while raw[start : start + 1] in (b"\r", b"\n"):
        start += 1
    return raw.find(b"\r\n\r\n", start) + len(b"\r\n\r\n") + int(head.headers.get("Content-Length", 0))


async def send_continue(request: web.BaseRequest) -> None:
    """Sends `100 Continue` as aiohttp does for its own handlers. It does not count as the beginning of the response."""
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0


_ATTRIBUTES: Mapping[type, tuple[str, ...]] = {
    RequestHandler: (
        "_buffer_paused",
        "_close",
        "_force_close",
        "_loop",
        "_message_tail",
        "_messages",
        "_reading_paused",
        "_request_count",
        "_upgraded",
        "_waiter",
        "transport",
    ),
    web.BaseRequest: ("content", "keep_alive", "protocol", "raw_path", "transport", "version", "writer"),
    web.StreamResponse: ("keep_alive", "prepared", "reason", "status"),
    StreamReader: ("is_eof", "set_exception", "total_raw_bytes"),
    web.Server: ("connections",),
    AbstractStreamWriter: ("output_size",),
}
"""The attributes that each class must have."""
_ARGUMENTS: Mapping[tuple[type, str], tuple[str, ...]] = {
    (RequestHandler, "_pause_transport_reading"): ("self",),
    (RequestHandler, "_resume_transport_reading"): ("self",),
    (RequestHandler, "connection_made"): ("self", "transport"),
    (RequestHandler, "connection_lost"): ("self", "exc"),
    (RequestHandler, "data_received"): ("self", "data"),
    (RequestHandler, "finish_response"): ("self", "request", "resp", "start_time"),
    (RequestHandler, "force_close"): ("self",),
    (RequestHandler, "handle_error"): ("self", "request", "status", "exc", "message"),
    (RequestHandler, "keep_alive"): ("self", "val"),
    (RequestHandler, "log_debug"): ("self",),
    (RequestHandler, "log_exception"): ("self",),
    (RequestHandler, "pause_writing"): ("self",),
    (RequestHandler, "resume_reading"): ("self", "resume_parser"),
    (RequestHandler, "resume_writing"): ("self",),
    (web.Server, "__call__"): ("self",),
    (web.Server, "shutdown"): ("self", "timeout"),
    (web.StreamResponse, "force_close"): ("self",),
    (web.StreamResponse, "prepare"): ("self", "request"),
    (web.StreamResponse, "write_eof"): ("self", "data"),
}
"""The methods that softix overrides or calls, with all their positional arguments."""
_OPTIONS = ("access_log", "keepalive_timeout", "lingering_time", "logger", "loop", "max_field_size", "max_line_size")
"""The options with which a connection is made."""


def check_names() -> None:
    """Raises FailureError if a name or a signature is not as it is used here. `startup_check` tests what they do."""
    if http_parser.HttpRequestParser.__module__ == "aiohttp.http_parser":
        raise FailureError("aiohttp's C parser is missing", "install aiohttp from a wheel; softix needs its checks")
    missing = next(_missing(), None)
    if missing is not None:
        raise unfit(missing)


def _missing() -> Iterator[str]:
    for owner, names in _ATTRIBUTES.items():
        yield from (f"{owner.__name__} has no {name}" for name in names if not hasattr(owner, name))
    for (owner, name), wanted in _ARGUMENTS.items():
        function = getattr(owner, name, None)
        code = getattr(function, "__code__", None)
        if code is None:
            yield f"{owner.__name__} has no method {name}"
        elif code.co_varnames[: code.co_argcount] != wanted:
            yield f"{owner.__name__}.{name} takes other arguments"
    code = RequestHandler.__init__.__code__
    named = code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]
    yield from (f"a connection takes no {option}" for option in _OPTIONS if option not in named)
