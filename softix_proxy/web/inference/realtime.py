"""The handler of realtime sessions, which reads how a client opens one."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from urllib.parse import parse_qs

import msgspec
from aiohttp import web

from softix_proxy.dialects.openai.realtime import REALTIME
from softix_proxy.dialects.request.fields import invalid, unmetered
from softix_proxy.domain.core.headers import Header, values_of
from softix_proxy.domain.metering.usage_tags import HEADER
from softix_proxy.relay.core.inbound import Inbound
from softix_proxy.web.inference import exchange
from softix_proxy.web.router.credentials import offered_protocols
from softix_proxy.web.router.request_context import RequestContext
from softix_proxy.web.server.websocket_downstream import PROTOCOL, WebSocketDownstream

_BETA_PROTOCOL = "openai-beta.realtime-v1"


def converse(context: RequestContext) -> Awaitable[web.StreamResponse]:
    client = exchange.downstream_of(context, WebSocketDownstream)
    return exchange.run(context, client, _converse(context, client))


async def _converse(context: RequestContext, client: WebSocketDownstream) -> None:
    async def read_opening() -> bytes:
        return opening_of(context)

    inbound = Inbound(
        id=context.id,
        public_id=context.public_id,
        endpoint=REALTIME,
        path=REALTIME.path,
        headers=[*context.headers, *told_by_protocols(context.named)],
        credential=context.credential,
        address=context.address,
        started_at_us=context.started_at_us,
        started_ns=context.started_ns,
        read_body=read_opening,
        tags=values_of(HEADER, context.headers) if HEADER in context.named else (),
        user_agent=context.user_agent,
        tls=context.tls,
    )
    code = await context.app.sessions.serve(inbound, client)
    if code is not None:
        context.app.monitor.count_refusal(REALTIME.name, code)


def told_by_protocols(named: Mapping[str, str]) -> list[Header]:
    """Returns the headers that browsers express as subprotocols, because they cannot set headers."""
    return [("openai-beta", "realtime=v1")] if _BETA_PROTOCOL in offered_protocols(named) else []


def opening_of(context: RequestContext) -> bytes:
    """Returns the session's settings in the URL as if they were the body of a request. Raises RefusedError.

    Azure's clients call the model their deployment, whatever else they name.
    """
    offered = offered_protocols(context.named)
    if offered and PROTOCOL not in offered:
        raise invalid(f"Of subprotocols, `{PROTOCOL}` is spoken here.")
    if not web.WebSocketResponse(protocols=(PROTOCOL,)).can_prepare(context.request).ok:
        raise invalid("This is not how a WebSocket is opened.")
    asked = parse_qs(context.request.raw_path.partition("?")[2])
    if {"intent", "call_id"} & asked.keys():
        raise unmetered("Only sessions that name a `model` can be metered here: no transcription alone, and no calls.")
    named = asked.get("deployment") or asked.get("model", [])
    if len(named) > 1:
        raise invalid("`model` comes twice.")
    return msgspec.json.encode({"model": named[0] if named else ""})
