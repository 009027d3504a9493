"""The connections to providers: each belongs to one API key, and must be silent to be used again.

A surplus answer on a pooled connection would be taken for the answer to the next request. One that comes while the
connection is idle is noticed; of one that comes after the next request was sent nothing tells, so that request must at
least be the same key's.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from operator import itemgetter
from socket import SOCK_STREAM
from typing import NamedTuple

import aiohappyeyeballs

from softix_proxy.domain import open_files
from softix_proxy.domain.errors import Code
from softix_proxy.domain.upstream import ProviderFault
from softix_proxy.upstream.sockets import OutOfFilesError, Trust, open_socket
from softix_proxy.upstream.wire import Wire

_KEEP_IDLE_S = 60.0
_SWEEP_S = 15.0
_CLOSED_SHARE = 4
"""When there are too many, a quarter of the idle ones is closed at once, so that not each new one has to look."""
_FALLBACK_S = 0.25
"""Before the next address is tried beside the first: RFC 8305."""


class PoolKey(NamedTuple):
    """Where a connection leads, and whose it is."""

    host: str
    port: int
    tls: bool
    key_id: int | None
    """None: anyone's."""


@dataclass(slots=True)
class _Idle:
    wire: Wire
    since_s: float


class ConnectionPool:
    """To be made within the running event loop."""

    def __init__(self, trust: Trust, limit: int, most: int) -> None:
        """`limit` is for each place; 0 is none. Of more than `most` in all, those that are idle are closed."""
        self._trust = trust
        self._most = most
        self._limit = limit
        self._loop = asyncio.get_running_loop()
        self._idle: dict[PoolKey, list[_Idle]] = {}
        self._taken: dict[PoolKey, asyncio.Semaphore] = {}
        self._busy: set[Wire] = set()
        self._sweeper: asyncio.TimerHandle | None = None

    async def take(self, place: PoolKey, connect_timeout_s: float) -> Wire:
        """One that is idle and silent, or a new one. Raises ProviderFault."""
        if self._limit:
            await self._room(place, connect_timeout_s)
        idle = self._idle.get(place)
        while idle:
            wire = idle.pop().wire
            if wire.silent:
                self._busy.add(wire)
                return wire
            wire.close()
        idle_now = sum(map(len, self._idle.values()))
        if idle_now and len(self._busy) + idle_now >= self._most:
            self._close_idle(-(-idle_now // _CLOSED_SHARE))
        try:
            wire = await self._connected(place, connect_timeout_s)
        except BaseException:
            self._leave(place)
            raise
        self._busy.add(wire)
        return wire

    def give(self, place: PoolKey, wire: Wire) -> None:
        """Back after use; closed if its answer was not read to the end, or anything else speaks against it."""
        self._busy.discard(wire)
        self._leave(place)
        if not wire.rest():
            wire.close()
            return
        self._idle.setdefault(place, []).append(_Idle(wire, self._loop.time()))
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)

    def close(self) -> None:
        if self._sweeper is not None:
            self._sweeper.cancel()
        for wire in (*self._busy, *(idle.wire for each in self._idle.values() for idle in each)):
            wire.close()
        self._idle.clear()

    async def _room(self, place: PoolKey, timeout_s: float) -> None:
        """Raises ProviderFault where all are in use for too long."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._taken.setdefault(place, asyncio.Semaphore(self._limit)).acquire()
        except TimeoutError:
            raise ProviderFault(Code.PROVIDER_BUSY, started=False) from None

    def _leave(self, place: PoolKey) -> None:
        if self._limit:
            self._taken[place].release()

    def _close_idle(self, count: int) -> None:
        """Those that have rested longest."""
        rested = ((each.since_s, place) for place, idle in self._idle.items() for each in idle)
        for _, place in sorted(rested, key=itemgetter(0))[:count]:
            self._idle[place].pop(0).wire.close()
            if not self._idle[place]:
                del self._idle[place]

    async def _connected(self, place: PoolKey, timeout_s: float) -> Wire:
        try:
            return await self._connect(place, timeout_s)
        except ProviderFault as fault:
            if fault.code is not Code.OUT_OF_FILES or not self._idle:
                raise
        self._close_idle(sum(map(len, self._idle.values())))
        await asyncio.sleep(0)  # in which they are closed
        return await self._connect(place, timeout_s)

    async def _connect(self, place: PoolKey, timeout_s: float) -> Wire:
        try:
            async with asyncio.timeout(timeout_s):
                trust = await self._trust.context() if place.tls else None
                found = await self._loop.getaddrinfo(place.host, place.port, type=SOCK_STREAM)
                socket = await aiohappyeyeballs.start_connection(
                    found, happy_eyeballs_delay=_FALLBACK_S, socket_factory=open_socket, loop=self._loop
                )
                _, wire = await self._loop.create_connection(
                    Wire,
                    sock=socket,
                    ssl=trust,
                    server_hostname=place.host if place.tls else None,
                )
        except (OSError, ssl.SSLError, UnicodeError, OutOfFilesError) as error:  # TimeoutError is an OSError
            ours = isinstance(error, OutOfFilesError) or open_files.are_used_up(error)
            raise ProviderFault(Code.OUT_OF_FILES if ours else Code.PROVIDER_UNREACHABLE, started=False) from None
        return wire

    def _sweep(self) -> None:
        self._sweeper = None
        oldest_s = self._loop.time() - _KEEP_IDLE_S
        for place, idle in list(self._idle.items()):
            kept = [each for each in idle if each.since_s > oldest_s and each.wire.reusable]
            for each in idle:
                if each not in kept:
                    each.wire.close()
            if kept:
                self._idle[place] = kept
            else:
                del self._idle[place]
        if self._idle:
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)
