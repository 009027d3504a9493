"""The listening socket: opened, drained, closed."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import ssl
from dataclasses import dataclass

from aiohttp import http_parser, web

from softix_proxy.domain import open_files
from softix_proxy.domain.errors import FailureError
from softix_proxy.domain.sections import ServerSection
from softix_proxy.web.app import App
from softix_proxy.web.connection import Connection

log = logging.getLogger("softix.web")
_KEEP_ALIVE_S = 75
_LINGERING_S = 5
"""How long the rest of a refused body is read and dropped: a reset would take the refusal from who still sends."""
_BACKLOG = 1024
_ACCEPTED_AT_ONCE = 1
"""asyncio takes its backlog for this too; out of open files it would log and wait once for each."""
_MAX_HEADER_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Listening:
    host: str
    port: int
    tls: ssl.SSLContext | None
    tls_handshake_timeout_s: float
    header_timeout_s: float
    write_timeout_s: float
    max_connections: int

    @classmethod
    def of(cls, server: ServerSection, tls: ssl.SSLContext | None) -> Listening:
        return cls(
            host=server.host,
            port=server.port,
            tls=tls,
            tls_handshake_timeout_s=server.tls_handshake_timeout_s,
            header_timeout_s=server.header_timeout_s,
            write_timeout_s=server.write_timeout_s,
            max_connections=server.max_connections,
        )


class Server:
    def __init__(self, app: App, listening: Listening) -> None:
        if http_parser.HttpRequestParser.__module__ == "aiohttp.http_parser":
            raise FailureError("aiohttp's C parser is missing", "install aiohttp from a wheel; softix needs its checks")
        self._app = app
        self._listening = listening
        self._connections = Connections(app, listening)
        self._socket: asyncio.Server | None = None

    async def open(self) -> str:
        """Listens; returns the base URL. Raises FailureError."""
        where = self._listening
        try:
            self._socket = await asyncio.get_running_loop().create_server(
                self._connections,
                where.host,
                where.port,
                ssl=where.tls,
                ssl_handshake_timeout=where.tls_handshake_timeout_s if where.tls else None,
                backlog=_ACCEPTED_AT_ONCE,
            )
            for each in self._socket.sockets:
                with socket.socket(fileno=os.dup(each.fileno())) as same:
                    same.listen(_BACKLOG)
        except (OSError, UnicodeError) as error:  # a name of more than 63 letters cannot even be asked for
            reason = isinstance(error, OSError) and error.strerror
            raise FailureError(
                f"cannot listen on {where.host} port {where.port}: {reason or type(error).__name__}",
                "stop what uses the port, or choose another: softix serve --port N",
            ) from None
        port = self._socket.sockets[0].getsockname()[1]
        host = f"[{where.host}]" if ":" in where.host else where.host
        return f"{'https' if where.tls else 'http'}://{host}:{port}"

    def take(self, server: ServerSection) -> None:
        """What the operator set, for connections and requests to come; it goes on listening where it does."""
        self._app.take(server)
        self._connections.take(Listening.of(server, None), self._app.body_timeout_s)

    async def close(self, drain_s: float, now: asyncio.Event) -> int:
        """Takes no more; lets requests end for so long, or until `now`, and cuts the rest. Returns how many it cut.

        What is cut is settled before this returns.
        """
        self._app.house.monitor.draining = True
        self._app.house.sessions.wind_up()
        if self._socket is not None:
            self._socket.close()
        await self._connections.drain(self._app.running, drain_s, now)
        cut = list(self._app.running)
        for task in cut:
            task.cancel()
        if cut:
            await asyncio.wait(cut)
        await self._connections.shutdown(timeout=1)
        return len(cut)


def _room(listening: Listening) -> int:
    """Clients' connections at once. Raises FailureError where there is none."""
    room = open_files.clients()
    if room < listening.max_connections:
        log.warning(
            "server.max_connections is %d, but %d open files are enough for %d; %s",
            listening.max_connections,
            open_files.limit(),
            room,
            open_files.RAISE_IT,
        )
    return min(room, listening.max_connections)


class Connections(web.Server):
    """Makes a Connection for each client, up to a number."""

    def __init__(self, app: App, listening: Listening) -> None:
        super().__init__(
            app.handle,
            access_log=None,
            keepalive_timeout=_KEEP_ALIVE_S,
            lingering_time=min(_LINGERING_S, app.body_timeout_s),
            max_line_size=_MAX_HEADER_BYTES,
            max_field_size=_MAX_HEADER_BYTES,
            logger=logging.getLogger("softix.web.server"),
        )
        self._listening = listening
        self._most = _room(listening)
        self._new_request_id = app.new_request_id

    def __call__(self) -> Connection | Refusal:  # type: ignore[override] # a protocol is asked for, and both are
        if len(self.connections) >= self._most:
            return Refusal()
        return Connection(
            self,
            loop=self._loop,
            header_timeout_s=self._listening.header_timeout_s,
            write_timeout_s=self._listening.write_timeout_s,
            new_request_id=self._new_request_id,
            **self._kwargs,
        )

    def take(self, listening: Listening, body_timeout_s: float) -> None:
        self._listening = listening
        self._most = _room(listening)
        self._kwargs["lingering_time"] = min(_LINGERING_S, body_timeout_s)

    async def drain(self, running: set[asyncio.Task[web.StreamResponse]], drain_s: float, now: asyncio.Event) -> None:
        """Waits until none of these runs, for so long, or until `now`."""
        for connection in self.connections:
            if connection._current_request is None:  # noqa: SLF001 - idle: nothing will come of it
                connection.force_close()
        waiting_for_now = asyncio.create_task(now.wait())
        deadline_s = self._loop.time() + drain_s
        try:
            while running and not now.is_set() and (left_s := deadline_s - self._loop.time()) > 0:
                await asyncio.wait((*running, waiting_for_now), timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting_for_now.cancel()


class Refusal(asyncio.Protocol):
    """One client too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()
