"""Handlers of requests that go to a provider. Each has one endpoint, and all use the same life of a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from aiohttp import web

from softix_proxy.dialects.core import queries
from softix_proxy.dialects.core.base import Endpoint
from softix_proxy.dialects.core.deployments import with_model
from softix_proxy.dialects.gemini.endpoint import GeminiEndpoint
from softix_proxy.dialects.request.charsets import require_utf8
from softix_proxy.domain.core.headers import values_of
from softix_proxy.domain.metering.usage_tags import HEADER
from softix_proxy.relay.core.inbound import Inbound
from softix_proxy.web.inference import exchange
from softix_proxy.web.router.request_context import RequestContext
from softix_proxy.web.router.route import Handler
from softix_proxy.web.server.form_upload import FormUpload
from softix_proxy.web.server.http_downstream import HttpDownstream

ReadBody = Callable[[], Awaitable[bytes]]


def forwarding(endpoint: Endpoint) -> Handler:
    """Returns the handler of an endpoint that has a path of its own."""
    return partial(_forward, endpoint)


def forwarding_for_model(template: GeminiEndpoint) -> Handler:
    """Returns the handler of an endpoint with the model in its path. The route has checked the query."""

    def handle(context: RequestContext) -> Awaitable[web.StreamResponse]:
        return _forward(template.of(context.name, ""), context)

    return handle


def _forward(endpoint: Endpoint, context: RequestContext) -> Awaitable[web.StreamResponse]:
    require_utf8(context.named.get("content-type", ""))
    client = exchange.downstream_of(context, HttpDownstream)
    query = queries.passing(context.query, endpoint.family) if context.query else ""
    read, upload = context.read_body, None
    if endpoint.form_fields is not None:
        app = context.app
        upload = FormUpload(context.request, endpoint.form_fields, app.max_body_bytes, app.body_timeout_s)
        read = partial(context.receive, upload.head)
    model = context.place.deployment
    inbound = Inbound(
        id=context.id,
        public_id=context.public_id,
        endpoint=endpoint,
        path=f"{endpoint.path}?{query}" if query else endpoint.path,
        headers=context.headers,
        credential=context.credential,
        address=context.address,
        started_at_us=context.started_at_us,
        started_ns=context.started_ns,
        read_body=_named_by_path(read, endpoint, model) if model else read,
        rest=upload,
        is_heavy=context.has_heavy_body,
        tags=values_of(HEADER, context.headers) if HEADER in context.named else (),
        user_agent=context.user_agent,
        tls=context.tls,
    )
    return exchange.run(context, client, context.app.lifecycle.serve(inbound, client))


def _named_by_path(read: ReadBody, endpoint: Endpoint, model: str) -> ReadBody:
    async def read_with_model() -> bytes:
        return with_model(endpoint, await read(), model)

    return read_with_model
