"""Passes an HTTP request to its handler. The steps that all requests share are in `middleware`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace

from aiohttp import web

from softix_proxy.domain.core.errors import RefusedError
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.web.core.app_context import AppContext
from softix_proxy.web.router.credentials import read_credential, read_protocol_credential, refuse_key_in
from softix_proxy.web.router.middleware import (
    GUARDS,
    Finish,
    add_cost_headers,
    add_request_id,
    answer_error,
    close_last_connection,
    compose,
)
from softix_proxy.web.router.path_patterns import PathPatterns
from softix_proxy.web.router.path_resolver import PathResolver, without_azures
from softix_proxy.web.router.request_context import RequestContext, wants_websocket
from softix_proxy.web.router.route import WEBSOCKET, Handler, Route
from softix_proxy.web.server.client_address import peer_of

Fallback = Callable[[RequestContext], RefusedError]
"""Returns the refusal of a request that no route serves."""


class App:
    """Chooses the handler of each request, and runs it within the shared steps."""

    def __init__(
        self,
        context: AppContext,
        routes: Iterable[Route],
        fallback: Fallback,
        *,
        deployable: Iterable[str] = (),
        finish: Sequence[Finish] = (add_request_id, add_cost_headers, close_last_connection),
    ) -> None:
        guarded = [replace(route, handler=GUARDS[route.auth](route.handler)) for route in routes]
        self.context = context
        self._resolver = PathResolver(PathPatterns(guarded), deployable)
        self._fallback = fallback
        self._serve = compose(self._choose, answer_error, finish)

    def handle(self, request: web.BaseRequest) -> Awaitable[web.StreamResponse]:
        return self._serve(self._open(request))

    def _open(self, request: web.BaseRequest) -> RequestContext:
        app = self.context
        started_ns, started_at_us = app.clock.monotonic_ns(), app.clock.now_us()
        number = app.ids.next(started_at_us)
        headers = [(name.lower(), value) for name, value in request.headers.items()]
        named = dict(headers)
        raw_path, _, query = request.raw_path.partition("?")
        place = self._resolver.resolve(raw_path)
        method = request.method
        if method == "GET" and wants_websocket(named):
            method = WEBSOCKET
        return RequestContext(
            request,
            app,
            number,
            format_request_id(number),
            started_ns,
            started_at_us,
            method,
            headers,
            named,
            place,
            query,
            app.client_addresses.of(peer_of(request), named.get("x-forwarded-for")),
        )

    def _choose(self, context: RequestContext) -> Handler:
        """Returns the handler of the route that serves the request. Raises RefusedError if there is none."""
        route = context.place.entry.by_method.get(context.method)
        if context.query or route is None or route.family is None or route.method == WEBSOCKET:
            return self._choose_with_care(context)
        context.credential = read_credential(context.named)
        context.family, context.label = route.family, route.label
        return route.handler

    def _choose_with_care(self, context: RequestContext) -> Handler:
        """Does the same for a request with a query, and for routes that depend on the client."""
        place, query = context.place, context.query
        context.family = place.family(context.named)
        route = place.entry.route(context.method, context.family)
        context.credential = read_credential(context.named)
        if route is not None and route.method == WEBSOCKET:
            context.credential = context.credential or read_protocol_credential(context.named)
        if query:
            refuse_key_in(query, context.credential)
            context.query = query = without_azures(query) if place.of_azure else query
        nearest = route or place.entry.by_method.get("POST")
        if nearest is None:
            raise self._fallback(context)
        if nearest.check_query is not None:
            nearest.check_query(query)
        context.family = nearest.family or context.family
        context.label = nearest.label
        if route is None:
            raise self._fallback(context)
        return route.handler
