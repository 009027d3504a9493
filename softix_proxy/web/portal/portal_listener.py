"""The listener of the portal. It has the limits of the proxy's own listener, and its own table of connections."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import MappingProxyType

from aiohttp import web

from softix_proxy.domain.accounts.portal_section import PortalSection
from softix_proxy.domain.instance.sections import ServerSection
from softix_proxy.web.portal.core.portal_app import PortalApp
from softix_proxy.web.portal.core.portal_context import PortalContext
from softix_proxy.web.portal.route_table import ROUTES
from softix_proxy.web.server.acceptor import TlsContext
from softix_proxy.web.server.http_server import Handle, HttpServer, ListenerSettings

_WRITE_TIMEOUT_S = 30.0
_HEADER_TIMEOUT_S = 10.0


def portal_server(
    context: PortalContext,
    portal: PortalSection,
    server: ServerSection,
    tls: TlsContext | None,
    beside: Mapping[str, Handle] = MappingProxyType({}),
) -> HttpServer:
    """Returns the server of the portal, which does not listen yet. `beside` is what answers below other paths.

    It is the class that serves the proxy, and not aiohttp's own `AppRunner`, because only it bounds the time of a
    request's head, the connections of one network, and what of a request can be in an error (docs/decisions/0037).
    """
    listening = ListenerSettings(
        host=portal.host,
        port=portal.port,
        tls=tls,
        tls_handshake_timeout_s=server.tls_handshake_timeout_s,
        header_timeout_s=_HEADER_TIMEOUT_S,
        write_timeout_s=_WRITE_TIMEOUT_S,
        max_connections=portal.max_connections,
        owner="the portal",
        remedy="stop what uses the port, or choose another portal.port",
    )
    return HttpServer(_by_path(PortalApp(context, ROUTES).handle, beside, context.running), context, listening)


def _by_path(pages: Handle, beside: Mapping[str, Handle], running: set[asyncio.Task[web.StreamResponse]]) -> Handle:
    """Returns what passes each request on by its path, and keeps its task among those that run."""

    async def handle(request: web.BaseRequest) -> web.StreamResponse:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine of the event loop runs in a task
        running.add(task)
        try:
            return await next((one for path, one in beside.items() if request.raw_path.startswith(path)), pages)(
                request
            )
        finally:
            running.discard(task)

    return handle
