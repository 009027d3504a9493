"""The client of one request, to which the relay responds. It implements `relay.core.inbound.Client`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import hdrs, web
from multidict import CIMultiDict

from softix_proxy.domain.core.headers import Header, Headers
from softix_proxy.relay.core.inbound import ClientGoneError
from softix_proxy.web.server.client_connection import SERVER, ClientConnection
from softix_proxy.web.server.fast_response import FastResponse

_WITHOUT_BODY = frozenset((204, 304))


class HttpDownstream:
    """The client of one request. `response` is the response that the server has to finish when the request is done."""

    def __init__(self, request: web.BaseRequest, connection: ClientConnection, request_id: str) -> None:
        self._request = request
        self._connection = connection
        self._request_id = request_id
        self._chunked = False
        self.response: web.StreamResponse | None = None

    @property
    def begun(self) -> bool:
        return self.response is not None

    @property
    def gone(self) -> bool:
        transport = self._connection.transport
        return transport is None or transport.is_closing()

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        if status in _WITHOUT_BODY:
            self.response = web.Response(status=status, headers=CIMultiDict(self._complete(headers)))
        else:
            self.response = FastResponse(status, self._complete(headers), body)
        if self._connection.is_last:
            self.response.force_close()

    async def begin(self, status: int, headers: Headers) -> None:
        self.response = web.StreamResponse(status=status, headers=CIMultiDict(self._complete(headers)))
        if self._connection.is_last:
            self.response.force_close()
        try:
            await self.response.prepare(self._request)
            self._chunked = hdrs.TRANSFER_ENCODING in self.response.headers
        except ConnectionError:
            raise ClientGoneError from None

    def send(self, data: bytes) -> bool:
        """Writes as the response's own `write` would, but without its layers, which cost as much as the system call."""
        transport = self._connection.transport
        if transport is None or transport.is_closing():
            return False
        transport.write(b"%x\r\n%b\r\n" % (len(data), data) if self._chunked else data)
        return self._connection.room is None

    async def caught_up(self) -> None:
        transport, room = self._connection.transport, self._connection.room
        if room is not None:
            await asyncio.shield(room)
        if transport is None or transport.is_closing():
            raise ClientGoneError

    async def end(self) -> None:
        assert self.response is not None  # noqa: S101
        try:
            await self.response.write_eof()
        except ConnectionError:
            raise ClientGoneError from None

    def cut(self) -> None:
        self._connection.force_close()

    def forget(self) -> None:
        """Stops reporting the end of the connection."""
        self._connection.when_gone = None

    def when_gone(self, notice: Callable[[], None]) -> None:
        if self._connection.transport is None:
            notice()
        self._connection.when_gone = notice

    def _complete(self, headers: Headers) -> list[Header]:
        return [*headers, ("x-softix-request-id", self._request_id), ("server", SERVER)]
