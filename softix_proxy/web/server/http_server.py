"""The listening socket: it is opened, drained and closed here."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.instance import open_files
from softix_proxy.domain.instance.sections import ServerSection
from softix_proxy.web.server import startup_check
from softix_proxy.web.server.acceptor import PendingConnection, PlainAcceptor, TlsAcceptor, TlsContext
from softix_proxy.web.server.aiohttp_internals import MAX_LINE_BYTES, check_names
from softix_proxy.web.server.client_address import ClientAddresses
from softix_proxy.web.server.client_connection import ClientConnection
from softix_proxy.web.server.connection_table import ConnectionSlot, ConnectionTable

log = logging.getLogger("softix.web")
_KEEP_ALIVE_S = 75
_LINGERING_S = 5
"""The longest time for which the rest of a refused body is read and dropped.

A reset would hide the refusal from a client that still sends.
"""
_BACKLOG = 1024
_ACCEPTED_AT_ONCE = 1
"""The connections accepted in one turn. asyncio uses its backlog for this.

With more, asyncio would log and wait once for each when files run out.
"""


@dataclass(frozen=True, slots=True)
class ListenerSettings:
    """The address, the limits and the deadlines of the listening socket."""

    host: str
    port: int
    tls: TlsContext | None
    tls_handshake_timeout_s: float
    header_timeout_s: float
    write_timeout_s: float
    max_connections: int
    max_connections_per_address: int = 0
    """The most of one client. 0 stands for the share that `open_files.share` names."""
    owner: str = ""
    """Who cannot listen, for the error that says so. Nobody has to be named if the process has one listener."""
    remedy: str = "stop what uses the port, or choose another: softix serve --port N"

    @classmethod
    def of(cls, server: ServerSection, tls: TlsContext | None) -> ListenerSettings:
        return cls(
            host=server.host,
            port=server.port,
            tls=tls,
            tls_handshake_timeout_s=server.tls_handshake_timeout_s,
            header_timeout_s=server.header_timeout_s,
            write_timeout_s=server.write_timeout_s,
            max_connections=server.max_connections,
            max_connections_per_address=server.max_connections_per_address,
        )


class RunningRequests(Protocol):
    """The requests that are served, as the listening socket sees them.

    `web.core.app_context.AppContext` implements it.
    """

    body_timeout_s: float
    client_addresses: ClientAddresses

    @property
    def running(self) -> set[asyncio.Task[web.StreamResponse]]: ...

    def new_request_id(self) -> str: ...

    def take(self, server: ServerSection) -> None: ...

    def stop_taking(self) -> None: ...


Handle = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


class HttpServer:
    """The HTTP server of the daemon, from opening to closing."""

    def __init__(self, handle: Handle, requests: RunningRequests, listening: ListenerSettings) -> None:
        """Prepares the server. Raises FailureError if aiohttp is not as softix needs it."""
        check_names()
        self._requests = requests
        self._listening = listening
        self._connections = ConnectionFactory(handle, requests, listening, _room(listening))
        self._socket: asyncio.Server | None = None
        self._tls_acceptor: TlsAcceptor | None = None

    async def open(self) -> str:
        """Starts to listen, and returns the base URL. Raises FailureError."""
        where = self._listening
        await startup_check.check_behaviour(self._connect)
        try:
            self._socket = await asyncio.get_running_loop().create_server(
                self._connections,
                where.host,
                where.port,
                backlog=_ACCEPTED_AT_ONCE,
                start_serving=where.tls is None,
            )
            sockets = [socket.socket(fileno=os.dup(each.fileno())) for each in self._socket.sockets]
            for each in sockets:
                each.listen(_BACKLOG)
        except (OSError, UnicodeError) as error:  # a name of more than 63 letters cannot even be looked up
            reason = isinstance(error, OSError) and error.strerror
            message = f"cannot listen on {where.host} port {where.port}: {reason or type(error).__name__}"
            raise FailureError(f"{where.owner} {message}".lstrip(), where.remedy) from None
        port = sockets[0].getsockname()[1]
        if where.tls is None:
            for each in sockets:
                each.close()
        else:
            self._tls_acceptor = TlsAcceptor(self._connections, where.tls)
            self._tls_acceptor.open(sockets)
        host = f"[{where.host}]" if ":" in where.host else where.host
        return f"{'https' if where.tls else 'http'}://{host}:{port}"

    def _connect(self, handle: Handle) -> ClientConnection:
        return ConnectionFactory(handle, self._requests, self._listening, most=1).connect_alone()

    def take(self, server: ServerSection) -> None:
        """Applies the operator's settings to later connections and requests. The address stays as it is."""
        self._requests.take(server)
        self._connections.take(ListenerSettings.of(server, None), self._requests.body_timeout_s)

    async def leave(self, lame_duck_s: float, now: asyncio.Event) -> None:
        """Serves on for this long, or until `now`, and closes each connection after its next response.

        So clients connect anew, and a balancer that has seen that this daemon is leaving sends them elsewhere.
        """
        self._connections.make_last()
        with suppress(TimeoutError):
            async with asyncio.timeout(lame_duck_s):
                await now.wait()

    async def close(self, drain_s: float, now: asyncio.Event) -> int:
        """Stops taking requests, lets those that run end, and cuts the rest. Returns how many it cut.

        It waits for `drain_s`, or until `now`. Requests that are cut are settled before this returns.
        """
        self._requests.stop_taking()
        if self._tls_acceptor is not None:
            self._tls_acceptor.close()
        if self._socket is not None:
            self._socket.close()
        await self._connections.drain(self._requests.running, drain_s, now)
        cut = list(self._requests.running)
        for task in cut:
            task.cancel()
        if cut:
            await asyncio.wait(cut)
        await self._connections.shutdown(timeout=1)
        return len(cut)


def _room(listening: ListenerSettings) -> int:
    """Returns how many clients can be connected at once. Raises FailureError if there is no room for any."""
    room = open_files.connections(listening.max_connections)
    if room < listening.max_connections:
        log.warning(
            "server.max_connections is %d, but %d open files are enough for %d; %s",
            listening.max_connections,
            open_files.limit(),
            room,
            open_files.RAISE_IT,
        )
    return room


class ConnectionFactory(web.Server):
    """Makes a ClientConnection for each client that the table of connections admits."""

    def __init__(self, handle: Handle, requests: RunningRequests, listening: ListenerSettings, most: int) -> None:
        super().__init__(handle)
        self._event_loop = asyncio.get_running_loop()
        self._options = {
            "access_log": None,
            "auto_decompress": False,  # `inflate` does it, once it is known whose body this is
            "keepalive_timeout": _KEEP_ALIVE_S,
            "lingering_s": min(_LINGERING_S, requests.body_timeout_s),
            "max_line_size": MAX_LINE_BYTES,
            "max_field_size": MAX_LINE_BYTES,
            "logger": logging.getLogger("softix.web.server"),
        }
        self._listening = listening
        self._requests = requests
        self._new_request_id = requests.new_request_id
        self._is_leaving = False
        self.table = ConnectionTable(most, open_files.share(most, listening.max_connections_per_address))

    @property
    def client_addresses(self) -> ClientAddresses:
        return self._requests.client_addresses

    @property
    def tls_handshake_timeout_s(self) -> float:
        return self._listening.tls_handshake_timeout_s

    def __call__(self) -> PlainAcceptor:  # type: ignore[override] # it becomes such a connection once it is admitted
        return PlainAcceptor(self)

    def connect_alone(self) -> ClientConnection:
        """Returns a connection that came over no socket."""
        slot = self.table.admit("", PendingConnection(lambda: None))
        assert slot is not None  # noqa: S101 - the table is empty
        return self.connect(slot)

    def connect(self, slot: ConnectionSlot) -> ClientConnection:
        made = ClientConnection(
            self,
            loop=self._event_loop,
            slot=slot,
            header_timeout_s=self._listening.header_timeout_s,
            write_timeout_s=self._listening.write_timeout_s,
            new_request_id=self._new_request_id,
            **self._options,
        )
        made.is_last = self._is_leaving
        return made

    def make_last(self) -> None:
        """Has each connection, of now and of later, end after its next response."""
        self._is_leaving = True
        for connection in self.connections:
            assert isinstance(connection, ClientConnection)  # noqa: S101 - the factory makes no other
            connection.is_last = True

    def take(self, listening: ListenerSettings, body_timeout_s: float) -> None:
        self._listening = listening
        self.table.most = _room(listening)
        self.table.most_of_one = open_files.share(self.table.most, listening.max_connections_per_address)
        self._options["lingering_s"] = min(_LINGERING_S, body_timeout_s)

    async def drain(self, running: set[asyncio.Task[web.StreamResponse]], drain_s: float, now: asyncio.Event) -> None:
        """Waits until none of these tasks runs, for at most `drain_s`, or until `now`."""
        for connection in self.connections:
            assert isinstance(connection, ClientConnection)  # noqa: S101 - the factory makes no other
            if connection.is_idle:  # no request will come of this connection
                connection.force_close()
        waiting_for_now = asyncio.create_task(now.wait())
        deadline_s = self._event_loop.time() + drain_s
        try:
            while running and not now.is_set() and (left_s := deadline_s - self._event_loop.time()) > 0:
                await asyncio.wait((*running, waiting_for_now), timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting_for_now.cancel()
