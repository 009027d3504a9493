"""One client's connection. It adds the deadlines that aiohttp lacks, and keeps content out of errors."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from aiohttp import web

from softix_proxy.web.server import head_rules
from softix_proxy.web.server.aiohttp_internals import (
    HeadRefusedError,
    HttpProcessingError,
    HttpProtocol,
    RequestHead,
)
from softix_proxy.web.server.connection_table import ConnectionSlot

log = logging.getLogger("softix.web")
SERVER = "softix"
"""The server's name. It replaces that of aiohttp, which reveals versions."""
_INVALID = "This is not a valid HTTP request."
_OF_THE_CLIENT = (HeadRefusedError, HttpProcessingError, web.RequestPayloadError)
"""The errors for input that is no HTTP, or not encoded as it says.

Anybody could fill the log with them without a key.
"""


class ClientConnection(HttpProtocol):
    """A connection that closes when a request's head comes too slowly, or when the client has not read for too long.

    `when_gone` is called once when the connection is lost. The code that handles a request sets it and clears it.
    """

    __slots__ = (
        "_header_timeout_s",
        "_header_timer",
        "_new_request_id",
        "_slot",
        "_stream",
        "_write_timeout_s",
        "_write_timer",
        "is_last",
        "room",
        "tls",
        "when_gone",
    )

    def __init__(
        self,
        *args: Any,
        slot: ConnectionSlot,
        header_timeout_s: float,
        write_timeout_s: float,
        new_request_id: Callable[[], str],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self._slot = slot
        self._stream: asyncio.Transport | None = None
        """The transport until it is closed, even if aiohttp has let go of it and something is left to be sent."""
        self._new_request_id = new_request_id
        self._header_timeout_s = header_timeout_s
        self._write_timeout_s = write_timeout_s
        self._header_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self.is_last = False
        """Whether the next response ends the connection, because the daemon will stop soon."""
        self.when_gone: Callable[[], None] | None = None
        self.tls = ""
        """The version of TLS, such as `TLSv1.3`. Empty without TLS."""
        self.room: asyncio.Future[None] | None = None
        """The future that is done when the client has read what it was sent. None while the client keeps up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._stream = self.transport
        secured = transport.get_extra_info("ssl_object")
        if secured is not None:
            self.tls = secured.version() or ""
        self._slot.holder = self
        self._await_head()

    def check_head(self, head: RequestHead, raw: bytes, start: int) -> None:
        head_rules.check(head, raw, start)

    def head_received(self) -> None:
        if self._header_timer is not None:
            self._stop_header_timer()
            self._slot.end_head()

    def head_begun(self) -> None:
        self._slot.begin_head()
        if self._header_timer is None:
            self._await_head()

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_header_timer()
        self._stop_write_timer()
        super().connection_lost(exc)
        self._stream = None
        self._slot.leave()
        self._make_room()
        if self.when_gone is not None:
            self.when_gone()

    def close_at_once(self) -> None:
        """Closes the connection at once. A client that no longer listens could delay an orderly end."""
        stream = self._stream
        self.force_close()
        if stream is not None:
            stream.abort()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.room = self.loop.create_future()
        if self._write_timer is None:
            self._write_timer = self.loop.call_later(self._write_timeout_s, self._drop)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_write_timer()
        self._make_room()

    def handle_error(
        self, request: web.BaseRequest, status: int = 500, exc: BaseException | None = None, message: str | None = None
    ) -> web.StreamResponse:
        """Responds with a fixed text, because aiohttp's own would quote the request."""
        if status >= 500 and not isinstance(exc, _OF_THE_CLIENT):
            log.error("a request failed inside the server", extra={"error": type(exc).__name__})
        told = exc.message if isinstance(exc, HeadRefusedError) else _INVALID
        self.is_broken = True
        self.keep_alive(False)
        answer = web.json_response(
            {"error": {"message": told, "type": "invalid_request_error"}},
            status=status,
            headers={"x-softix-request-id": self._new_request_id(), "Server": SERVER},
        )
        answer.force_close()
        return answer

    def log_exception(self, *args: Any, exc_info: object = None, **kwargs: Any) -> None:
        """Logs only the name of the error, because aiohttp's own text would quote the request.

        The client's own mistakes get a response, and are not logged as errors.
        """
        if not isinstance(exc_info, _OF_THE_CLIENT):
            log.error("a connection failed inside the server", extra={"error": type(exc_info).__name__})

    def log_debug(self, *args: Any, **kwargs: Any) -> None:
        """Logs nothing, because the text would quote the request."""

    def _make_room(self) -> None:
        room, self.room = self.room, None
        if room is not None and not room.done():
            room.set_result(None)

    def _await_head(self) -> None:
        self._header_timer = self.loop.call_later(self._header_timeout_s, self._drop)

    def _drop(self) -> None:
        if self._stream is not None:
            self._stream.abort()

    def _stop_header_timer(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _stop_write_timer(self) -> None:
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None


def tls_of(request: web.BaseRequest) -> str:
    """Returns the version of TLS of the request's connection, or an empty text without TLS."""
    connection = request.protocol
    return connection.tls if isinstance(connection, ClientConnection) else ""
