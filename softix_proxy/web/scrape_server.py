"""A listener for /metrics alone, where no client's requests come: for a Prometheus on another machine."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import fields, replace

from aiohttp import web

from softix_proxy.domain.errors import Code, FailureError, RefusedError
from softix_proxy.domain.sections import ServerSection
from softix_proxy.web import errors, health, scrapes
from softix_proxy.web.app import App
from softix_proxy.web.connection import SERVER
from softix_proxy.web.routes import canonical
from softix_proxy.web.server import Listening, Server
from softix_proxy.web.visit import Visit

log = logging.getLogger("softix.web")
_PAGES = {"/metrics": health.metrics, "/healthz": health.healthz, "/readyz": health.readyz}


class ScrapeApp(App):
    """Serves what watches the daemon, and nothing that asks it for anything else."""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        request_id = self.new_request_id()
        page = _PAGES.get(canonical(request.raw_path.partition("?")[0]))
        try:
            self.scrapers.admit_there(request)
            if page is None or request.method not in ("GET", "HEAD"):
                raise RefusedError(Code.NOT_FOUND, f"Here are {', '.join(_PAGES)}, to be read by GET.")
            answer = await page(Visit(self.house, "openai", "", None, ""))
            response = web.Response(status=answer.status, body=answer.body)
            response.headers["Content-Type"] = answer.content_type
        except RefusedError as error:
            self.house.monitor.count_refusal("-", error.code)
            response = errors.answer("openai", error, request_id)
        response.headers["x-softix-request-id"] = request_id
        response.headers["Server"] = SERVER
        return response


async def listen(app: App, listening: Listening, section: ServerSection, port: int) -> Callable[[], Awaitable[object]]:
    """Opens it at a port; returns what closes it. Raises FailureError."""
    beside = ScrapeApp(**{each.name: getattr(app, each.name) for each in fields(app)})
    server = Server(beside, replace(listening, host=section.metrics_host, port=port))
    try:
        url = await server.open()
    except FailureError as error:
        raise FailureError(error.message, "choose another server.metrics_port, or address in metrics_host") from None
    log.info("metrics are told at", extra={"url": f"{url}{scrapes.PATH}"})
    return lambda: server.close(0, asyncio.Event())
