from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from support.portal import Portal

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.web.portal.portal_listener import portal_server


async def test_portal_on_a_used_port_is_refused_in_the_words_of_its_settings(portal: Portal) -> None:
    settings = portal.context.settings
    taken = replace(settings.portal, port=int(portal.url.rpartition(":")[2]))
    with pytest.raises(FailureError, match=r"the portal cannot listen on 127\.0\.0\.1 port") as refused:
        await portal_server(portal.context, taken, settings.server, None).open()
    assert refused.value.remedy == "stop what uses the port, or choose another portal.port"


async def test_portal_has_its_own_limit_of_connections(portal: Portal) -> None:
    settings = portal.context.settings
    server = portal_server(portal.context, replace(settings.portal, port=0, max_connections=1), settings.server, None)
    port = int((await server.open()).rpartition(":")[2])
    connections: list[Any] = []
    reading: set[asyncio.Task[bytes]] = set()
    try:
        for _ in range(2):
            connections.append(await asyncio.open_connection("127.0.0.1", port))
            connections[-1][1].write(b"GET /healthz HTTP/1.1\r\nhost: x\r\n")
            await connections[-1][1].drain()
        reading = {asyncio.create_task(reader.read(1)) for reader, _ in connections}
        ended, waiting = await asyncio.wait(reading, timeout=30, return_when=asyncio.FIRST_COMPLETED)
        assert ([task.result() for task in ended], len(waiting)) == ([b""], 1), "one of the two is closed"
    finally:
        for task in reading:
            task.cancel()
        for _, writer in connections:
            writer.close()
        await server.close(0, asyncio.Event())
