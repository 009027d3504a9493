"""The pool of connections to providers: each belongs to one API key, and must be silent to be used again.

A surplus answer on a pooled connection would be taken for the answer to the next request (aiohttp issue 13656). One
that comes while the connection is idle is noticed; of one that comes after the next request was sent nothing tells,
so that request must at least be the same key's. Relies on private names: aiohttp is pinned, the provocation is a test.
"""

from __future__ import annotations

import select
from contextvars import ContextVar
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ConnectionKey
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace


owner: ContextVar[int | None] = ContextVar("owner", default=None)
"""The key whose request is being sent; None where connections are shared."""


class OwnedRequest(aiohttp.ClientRequest):
    @property
    def connection_key(self) -> ConnectionKey:
        """With the owner in the place of what matters only to a proxy, and there is none."""
        return super().connection_key._replace(proxy_headers_hash=owner.get())


class CleanPool(aiohttp.TCPConnector):
    async def _get(self, key: ConnectionKey, traces: list[Trace]) -> Connection | None:
        idle = self._conns.get(key)
        while idle and not is_clean(idle[0][0]):
            idle.popleft()[0].abort()
        if idle is not None and not idle:
            del self._conns[key]
        return await super()._get(key, traces)


def is_clean(protocol: ResponseHandler) -> bool:
    """Whether nothing has arrived since the last answer, neither here nor in the kernel's buffer."""
    if protocol.should_close or protocol.transport is None:
        return False
    socket = protocol.transport.get_extra_info("socket")
    if socket is None or socket.fileno() < 0:
        return False
    poll = select.poll()
    poll.register(socket.fileno(), select.POLLIN)
    return not poll.poll(0)
