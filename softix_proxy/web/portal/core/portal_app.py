"""Passes a request to the portal through its steps to its page. Every error becomes a page as well."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from aiohttp import web

from softix_proxy.web.portal.core import answers, error_pages
from softix_proxy.web.portal.core.device import device_of
from softix_proxy.web.portal.core.form_body import FORM_BYTES
from softix_proxy.web.portal.core.page import Answer, Content, PortalRoute
from softix_proxy.web.portal.core.page_exchange import PageExchange
from softix_proxy.web.portal.core.portal_context import PortalContext
from softix_proxy.web.portal.core.portal_router import PortalRouter
from softix_proxy.web.portal.core.steps import steps
from softix_proxy.web.server.client_address import peer_of

log = logging.getLogger("softix.portal")
_FAILED = 500
_CLIENT_CLOSED = 499  # nginx uses this status for a client that closed before the response; nobody reads it
_PLAIN = "text/plain; charset=utf-8"
_CLOSES = frozenset((408, 413))
"""The statuses after which the rest of a body would have to be read, so that the connection ends."""


class PortalApp:
    """Answers every request at the portal's port."""

    def __init__(self, context: PortalContext, routes: Sequence[PortalRoute]) -> None:
        self._context = context
        self._steps = steps(PortalRouter(routes))
        context.served = frozenset(route.pattern for route in routes if route.method == "GET")

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        return await self._respond(self._open(request))

    def _open(self, request: web.BaseRequest) -> PageExchange:
        context = self._context
        path, _, query = request.raw_path.partition("?")
        headers: dict[str, str] = {}
        for name, value in request.headers.items():
            lower = name.lower()
            headers[lower] = f"{headers[lower]}, {value}" if lower in headers else value
        return PageExchange(
            request=request,
            context=context,
            id=context.new_request_id(),
            now_us=context.clock.now_us(),
            method=request.method,
            raw_path=path,
            raw_query=query,
            headers=headers,
            address=context.client_addresses.of(peer_of(request), headers.get("x-forwarded-for")),
            device=device_of(headers.get("user-agent")),
        )

    async def _respond(self, exchange: PageExchange) -> web.StreamResponse:
        try:
            return await answers.send(exchange, await self._answer(exchange))
        except Exception as error:  # noqa: BLE001 - an error of any kind becomes a page
            return await self._tell(exchange, error)

    async def _answer(self, exchange: PageExchange) -> Answer:
        for step in self._steps:
            answer = await step(exchange)
            if answer is not None:
                return answer
        raise LookupError("no step has answered")

    async def _tell(self, exchange: PageExchange, error: Exception) -> web.StreamResponse:
        if exchange.request.transport is None:
            return web.Response(status=_CLIENT_CLOSED)
        page, retry_after_s = error_pages.error_answer(error, exchange.id, FORM_BYTES // 1024)
        if retry_after_s is not None:
            exchange.more_headers.append(("Retry-After", str(retry_after_s)))
        try:
            response = await answers.send(exchange, page)
        except Exception as again:  # noqa: BLE001 - the page for errors must not need what has failed
            log.error("an error page failed", extra={"request_id": exchange.id, "error": type(again).__name__})
            response = await answers.send(exchange, Content(b"softix failed.\n", _PLAIN, _FAILED))
        if page.status in _CLOSES:
            response.force_close()
        return response
