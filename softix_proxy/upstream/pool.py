"""The pool of connections to providers: none is used again on which something arrived meanwhile.

A surplus answer on an idle connection would be taken for the answer to the next request, which is another caller's
(aiohttp issue 13656). Relies on private names, so aiohttp is pinned and the provocation is a test.
"""

from __future__ import annotations

import select
from typing import TYPE_CHECKING

import aiohttp

if TYPE_CHECKING:
    from aiohttp.client_proto import ResponseHandler
    from aiohttp.client_reqrep import ConnectionKey
    from aiohttp.connector import Connection
    from aiohttp.tracing import Trace


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
