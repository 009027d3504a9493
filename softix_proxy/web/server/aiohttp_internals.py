"""The only module that uses private parts of aiohttp. A check at start examines all of them.

A release of aiohttp may change such a name without notice. The range in pyproject.toml stays open for its security
patches. So softix refuses to start on a release that is not as this file needs it (docs/decisions/0022).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

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
    from aiohttp.http_exceptions import HttpProcessingError
    from aiohttp.web_protocol import RequestHandler
except ImportError as error:
    raise unfit(f"{error.name or 'a module'} lacks a name") from None

__all__ = [
    "TESTED",
    "AbstractStreamWriter",
    "HttpProcessingError",
    "HttpProtocol",
    "check_names",
    "rfc822_formatted_time",
    "send_continue",
    "unfit",
]


class HttpProtocol(RequestHandler):
    """The server's side of one connection in aiohttp, with public names for what softix has to know of it."""

    __slots__ = ()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        return self._current_request is None

    def data_received(self, data: bytes) -> None:
        requests_before = self._request_count
        super().data_received(data)
        if self._request_count != requests_before:
            self.head_received()
        elif not self._request_in_progress:
            self.head_begun()

    def head_received(self) -> None:
        """Handles the moment when the head of a request is complete."""

    def head_begun(self) -> None:
        """Handles bytes that complete no head while no request is being answered."""

    def resume_reading(self, resume_parser: bool = True) -> None:
        """Resumes reading only if it was paused.

        aiohttp calls this after each body, and would make the socket and the parser look again.
        """
        if self._reading_paused or self._buffer_paused:
            super().resume_reading(resume_parser)


async def send_continue(request: web.BaseRequest) -> None:
    """Sends `100 Continue` as aiohttp does for its own handlers. It does not count as the beginning of the response."""
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0


_ATTRIBUTES: Mapping[type, tuple[str, ...]] = {
    RequestHandler: (
        "_buffer_paused",
        "_current_request",
        "_loop",
        "_reading_paused",
        "_request_count",
        "_request_in_progress",
        "transport",
    ),
    web.BaseRequest: ("content", "keep_alive", "protocol", "raw_path", "transport", "version", "writer"),
    web.StreamResponse: ("keep_alive", "prepared", "reason", "status"),
    web.Server: ("connections",),
    AbstractStreamWriter: ("output_size",),
}
"""The attributes that each class must have."""
_ARGUMENTS: Mapping[tuple[type, str], tuple[str, ...]] = {
    (RequestHandler, "connection_made"): ("self", "transport"),
    (RequestHandler, "connection_lost"): ("self", "exc"),
    (RequestHandler, "data_received"): ("self", "data"),
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
_OPTIONS = (
    "access_log",
    "auto_decompress",
    "keepalive_timeout",
    "lingering_time",
    "logger",
    "loop",
    "max_field_size",
    "max_line_size",
)
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
