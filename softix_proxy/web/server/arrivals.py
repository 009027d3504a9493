"""A client that has just connected: it gets its place, does the TLS handshake if there is one, and may then ask."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Protocol, cast

from softix_proxy.domain.access.networks import client_network
from softix_proxy.web.server.client_address import ClientAddresses, end_of
from softix_proxy.web.server.client_connection import ClientConnection
from softix_proxy.web.server.connection_table import ConnectionSlot, ConnectionTable

TlsContext = Callable[[], ssl.SSLContext]
"""Returns the context for the next handshake, so that a new certificate needs no new listener."""


class Reception(Protocol):
    """What arrivals share: the table of connections, and how a client is served."""

    @property
    def table(self) -> ConnectionTable: ...

    @property
    def client_addresses(self) -> ClientAddresses: ...

    @property
    def handshakes(self) -> set[asyncio.Task[None]]: ...

    @property
    def tls(self) -> TlsContext | None: ...

    @property
    def tls_handshake_timeout_s(self) -> float: ...

    def connect(self, slot: ConnectionSlot) -> ClientConnection: ...


class Arrival(asyncio.Protocol):
    """The protocol of a connection until a ClientConnection takes over.

    It has its place from the first moment. During the handshake it is idle, and makes room if there is none left.
    """

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._slot: ConnectionSlot | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast("asyncio.Transport", transport)  # a listener of TCP makes no other
        reception, peer = self._reception, end_of(stream, "peername")
        is_limited = not reception.client_addresses.trust(peer)
        slot = reception.table.admit(client_network(peer), stream.abort, is_limited=is_limited)
        if slot is None:
            stream.close()
            return
        self._slot = slot
        if reception.tls is None:
            self._serve(stream, slot)
            return
        stream.pause_reading()  # the handshake reads from the first byte
        task = asyncio.create_task(self._shake_hands(stream, slot, reception.tls()))
        reception.handshakes.add(task)
        task.add_done_callback(reception.handshakes.discard)

    def data_received(self, data: bytes) -> None:
        """Keeps what came right behind the handshake, before `_shake_hands` went on."""
        self._early.append(data)

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._slot is not None:
            self._slot.leave()

    async def _shake_hands(self, stream: asyncio.Transport, slot: ConnectionSlot, context: ssl.SSLContext) -> None:
        """Ends without a word if there is no handshake in time: no TLS, another version, or not the right client."""
        loop, timeout_s = asyncio.get_running_loop(), self._reception.tls_handshake_timeout_s
        secure: asyncio.Transport | None = None
        try:
            secure = await loop.start_tls(stream, self, context, server_side=True, ssl_handshake_timeout=timeout_s)
        except OSError:
            pass
        finally:
            if secure is None or not slot.is_open:
                slot.leave()
                stream.abort()
        if secure is not None and slot.is_open:
            self._serve(secure, slot)

    def _serve(self, stream: asyncio.Transport, slot: ConnectionSlot) -> None:
        self._slot = None  # it is the connection's now
        connection = self._reception.connect(slot)
        stream.set_protocol(connection)
        connection.connection_made(stream)
        early, self._early = self._early, []
        for data in early:
            connection.data_received(data)
