"""Clients that have just connected: each gets a place in the table before anything else is done for it.

A TLS handshake counts from its first moment, so that thousands of unfinished ones keep nobody out.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterable
from typing import Protocol, cast

from softix_proxy.domain.access.networks import client_network
from softix_proxy.web.server.client_address import ClientAddresses, end_of
from softix_proxy.web.server.client_connection import ClientConnection
from softix_proxy.web.server.connection_table import ConnectionSlot, ConnectionTable

TlsContext = Callable[[], ssl.SSLContext]
"""Returns the context for the next handshake, so that a new certificate needs no new listener."""
_OUT_OF_FILES_S = 1.0
"""The time for which nobody is accepted if there is no open file left. asyncio has the same."""


class AcceptContext(Protocol):
    """What acceptors share: the table of connections, and how a client is served."""

    @property
    def table(self) -> ConnectionTable: ...

    @property
    def client_addresses(self) -> ClientAddresses: ...

    @property
    def tls_handshake_timeout_s(self) -> float: ...

    def connect(self, slot: ConnectionSlot) -> ClientConnection: ...


class PendingConnection:
    """Holds the place of a client whose connection is not set up yet. `end` is called if it has to make room."""

    is_idle = True
    requests_begun = 0

    def __init__(self, end: Callable[[], object]) -> None:
        self._end = end

    def close_at_once(self) -> None:
        self._end()


def admit(context: AcceptContext, peer: str, end: Callable[[], object]) -> ConnectionSlot | None:
    """Returns the place of a client, or None if there is none. `end` is called if it has to give it up again."""
    is_limited = not context.client_addresses.trust(peer)
    return context.table.admit(client_network(peer), PendingConnection(end), is_limited=is_limited)


class PlainAcceptor(asyncio.Protocol):
    """The protocol of a connection without TLS, until a ClientConnection takes over at once."""

    def __init__(self, context: AcceptContext) -> None:
        self._context = context

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast("asyncio.Transport", transport)  # a listener of TCP makes no other
        slot = admit(self._context, end_of(stream, "peername"), stream.abort)
        if slot is None:
            stream.close()
            return
        connection = self._context.connect(slot)
        stream.set_protocol(connection)
        connection.connection_made(stream)


class TlsAcceptor:
    """Accepts clients at sockets that listen, and does the handshakes."""

    def __init__(self, context: AcceptContext, tls: TlsContext) -> None:
        self._context = context
        self._tls = tls
        self._sockets: list[socket.socket] = []
        self.loop = asyncio.get_running_loop()
        self.handshakes: set[asyncio.Task[None]] = set()

    def open(self, sockets: Iterable[socket.socket]) -> None:
        """Takes the sockets, and accepts one client in each turn of the event loop."""
        for each in sockets:
            each.setblocking(False)
            self._sockets.append(each)
            self.loop.add_reader(each, self._accept, each)

    def close(self) -> None:
        for each in self._sockets:
            self.loop.remove_reader(each)
            each.close()
        self._sockets.clear()
        for task in self.handshakes:
            task.cancel()

    def _accept(self, listening: socket.socket) -> None:
        try:
            accepted, address = listening.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return
        except OSError:
            self.loop.remove_reader(listening)
            self.loop.call_later(_OUT_OF_FILES_S, self._accept_again, listening)
            return
        accepted.setblocking(False)
        slot = admit(self._context, address[0], accepted.close)
        if slot is None:
            accepted.close()
            return
        task = asyncio.create_task(self._shake_hands(accepted, slot))
        slot.holder = PendingConnection(task.cancel)
        self.handshakes.add(task)
        task.add_done_callback(self.handshakes.discard)

    def _accept_again(self, listening: socket.socket) -> None:
        if listening in self._sockets:
            self.loop.add_reader(listening, self._accept, listening)

    async def _shake_hands(self, accepted: socket.socket, slot: ConnectionSlot) -> None:
        """Ends without a word if there is no handshake in time: no TLS, another version, or not the right client."""
        try:
            transport, _ = await self.loop.connect_accepted_socket(
                lambda: self._context.connect(slot),
                accepted,
                ssl=self._tls(),
                ssl_handshake_timeout=self._context.tls_handshake_timeout_s,
            )
        except BaseException as error:
            slot.leave()
            accepted.close()
            if not isinstance(error, OSError):
                raise
        else:
            if not slot.is_open:  # it had to make room in this very moment
                transport.abort()
