"""The pool of connections to providers. Each belongs to one API key, and must be silent to be used again.

A surplus response on a pooled connection would be taken for the response to the next request. If it comes while the
connection is idle, the pool notices it. If it comes after the next request was sent, nothing reveals it. So that
request must at least belong to the same key.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from operator import itemgetter
from socket import SOCK_STREAM
from typing import NamedTuple

import aiohappyeyeballs

from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.instance import open_files
from softix_proxy.domain.ports.upstream import ProviderFault
from softix_proxy.upstream.http1_connection import Http1Connection
from softix_proxy.upstream.sockets import OutOfFilesError, Trust, open_socket

_KEEP_IDLE_S = 60.0
_SWEEP_S = 15.0
_CLOSED_SHARE = 4
"""The part of the idle connections that is closed at once if there are too many connections.

It is a quarter, so that not every new connection has to look for idle ones.
"""
_FALLBACK_S = 0.25
"""The delay before the next address is tried beside the first: RFC 8305."""


class PoolKey(NamedTuple):
    """The address to which a connection leads, and its owner."""

    host: str
    port: int
    tls: bool
    key_id: int | None
    """The API key that owns the connection. None means that all keys share it."""


@dataclass(slots=True)
class _Idle:
    connection: Http1Connection
    since_s: float


class ConnectionPool:
    """The pool of connections. It must be created within the running event loop."""

    def __init__(self, trust: Trust, limit: int, most: int) -> None:
        """Takes the limits.

        `limit` is for each place, and 0 means none. Above `most` in all, idle connections are closed.
        """
        self._trust = trust
        self._most = most
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._idle: dict[PoolKey, list[_Idle]] = {}
        self._taken: dict[PoolKey, asyncio.Semaphore] = {}
        self._busy: set[Http1Connection] = set()
        self._sweeper: asyncio.TimerHandle | None = None

    async def take(self, place: PoolKey, connect_timeout_s: float) -> Http1Connection:
        """Returns a connection that is idle and silent, or a new one. Raises ProviderFault."""
        if self._limit:
            await self._room(place, connect_timeout_s)
        idle = self._idle.get(place)
        while idle:
            connection = idle.pop().connection
            if connection.silent:
                self._busy.add(connection)
                return connection
            connection.close()
        idle_now = sum(map(len, self._idle.values()))
        if idle_now and len(self._busy) + idle_now >= self._most:
            self._close_idle(-(-idle_now // _CLOSED_SHARE))
        try:
            connection = await self._connected(place, connect_timeout_s)
        except BaseException:
            self._leave(place)
            raise
        self._busy.add(connection)
        return connection

    def give(self, place: PoolKey, connection: Http1Connection) -> None:
        """Returns a connection to the pool. It is closed if its response was not read to the end, or if it is unfit."""
        self._busy.discard(connection)
        self._leave(place)
        if not connection.rest():
            connection.close()
            return
        self._idle.setdefault(place, []).append(_Idle(connection, self._loop.time()))
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)

    def close(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        for connection in (*self._busy, *(idle.connection for each in self._idle.values() for idle in each)):
            connection.close()
        self._idle.clear()

    async def _room(self, place: PoolKey, timeout_s: float) -> None:
        """Waits until a connection may be used. Raises ProviderFault if all are in use for too long."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._taken.setdefault(place, asyncio.Semaphore(self._limit)).acquire()
        except TimeoutError:
            raise ProviderFault(Code.PROVIDER_BUSY, started=False) from None

    def _leave(self, place: PoolKey) -> None:
        if self._limit:
            self._taken[place].release()

    def _close_idle(self, count: int) -> None:
        """Closes the connections that have been idle longest."""
        rested = ((each.since_s, place) for place, idle in self._idle.items() for each in idle)
        for _, place in sorted(rested, key=itemgetter(0))[:count]:
            self._idle[place].pop(0).connection.close()
            if not self._idle[place]:
                del self._idle[place]

    async def _connected(self, place: PoolKey, timeout_s: float) -> Http1Connection:
        try:
            return await self._connect(place, timeout_s)
        except ProviderFault as fault:
            if fault.code is not Code.OUT_OF_FILES or not self._idle:
                raise
        self._close_idle(sum(map(len, self._idle.values())))
        await asyncio.sleep(0)  # they are closed in this turn of the event loop
        return await self._connect(place, timeout_s)

    async def _connect(self, place: PoolKey, timeout_s: float) -> Http1Connection:
        try:
            async with asyncio.timeout(timeout_s):
                trust = await self._trust.context() if place.tls else None
                found = await self._loop.getaddrinfo(place.host, place.port, type=SOCK_STREAM)
                socket = await aiohappyeyeballs.start_connection(
                    found, happy_eyeballs_delay=_FALLBACK_S, socket_factory=open_socket, loop=self._loop
                )
                _, connection = await self._loop.create_connection(
                    Http1Connection,
                    sock=socket,
                    ssl=trust,
                    server_hostname=place.host if place.tls else None,
                )
        except (OSError, ssl.SSLError, UnicodeError, OutOfFilesError) as error:  # TimeoutError is an OSError
            ours = isinstance(error, OutOfFilesError) or open_files.are_used_up(error)
            raise ProviderFault(Code.OUT_OF_FILES if ours else Code.PROVIDER_UNREACHABLE, started=False) from None
        return connection

    def _sweep(self) -> None:
        self._sweeper = None
        oldest_s = self._loop.time() - _KEEP_IDLE_S
        for place, idle in list(self._idle.items()):
            kept = [each for each in idle if each.since_s > oldest_s and each.connection.reusable]
            for each in idle:
                if each not in kept:
                    each.connection.close()
            if kept:
                self._idle[place] = kept
            else:
                del self._idle[place]
        if self._idle:
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)
