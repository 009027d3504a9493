"""A listener for /metrics alone, for a Prometheus server on another machine. No client's requests come here."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from softix_proxy.domain.core.errors import Code, FailureError, RefusedError
from softix_proxy.domain.instance.sections import ServerSection
from softix_proxy.web.core.app_context import AppContext
from softix_proxy.web.monitoring import routes
from softix_proxy.web.router.app import App
from softix_proxy.web.router.middleware import add_request_id
from softix_proxy.web.router.request_context import RequestContext
from softix_proxy.web.router.route import Auth, Handler, Route
from softix_proxy.web.server.http_server import HttpServer, ListenerSettings

log = logging.getLogger("softix.web")
_SERVED = (routes.METRICS, "/healthz", "/readyz")
ROUTES: Sequence[Route] = tuple(
    replace(route, auth=Auth.PUBLIC)
    for route in routes.ROUTES
    if route.pattern in _SERVED and route.method in ("GET", "HEAD")
)
"""The routes of this listener. They are public, because the listener itself checks each request.

Clients that may read the metrics may read all pages here.
"""


class MetricsApp(App):
    """Serves the monitoring routes, and refuses every other request."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(context, ROUTES, _refuse, finish=(add_request_id,))

    def _choose(self, context: RequestContext) -> Handler:
        context.family = "openai"
        self.context.metrics_access.admit_there(context.request)
        route = context.place.entry.route(context.method, context.family)
        if route is None or context.request.raw_path.partition("?")[0] not in _SERVED:
            raise self._fallback(context)
        return route.handler


def _refuse(context: RequestContext) -> RefusedError:
    return RefusedError(Code.NOT_FOUND, f"Here are {', '.join(_SERVED)}, to be read by GET.")


async def listen(
    context: AppContext, listening: ListenerSettings, section: ServerSection, port: int
) -> Callable[[], Awaitable[object]]:
    """Opens the listener at a port, and returns the function that closes it. Raises FailureError."""
    app = MetricsApp(context)
    server = HttpServer(app.handle, context, replace(listening, host=section.metrics_host, port=port))
    try:
        url = await server.open()
    except FailureError as error:
        raise FailureError(error.message, "choose another server.metrics_port, or address in metrics_host") from None
    log.info("metrics are told at", extra={"url": f"{url}{routes.METRICS}"})
    return lambda: server.close(0, asyncio.Event())
