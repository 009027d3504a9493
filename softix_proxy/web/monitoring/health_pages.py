"""Pages for machines that monitor the daemon, and for clients that check whether it responds."""

from __future__ import annotations

import msgspec
from aiohttp import web

from softix_proxy import __version__
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.web.router.request_context import RequestContext
from softix_proxy.web.router.responses import respond

_NOT_READY = "not ready"


async def root(context: RequestContext) -> web.Response:
    return respond(msgspec.json.encode({"name": "softix-proxy", "version": __version__}))


async def healthz(context: RequestContext) -> web.Response:
    """Responds that the process is alive."""
    return respond(b'{"status":"ok"}')


async def readyz(context: RequestContext) -> web.Response:
    """Responds whether requests can be served: the books can be read and written, and the daemon is not stopping."""
    monitor = context.app.monitor
    if monitor.leaving or monitor.draining:
        return respond(msgspec.json.encode({"status": _NOT_READY, "reason": "stopping"}), status=503)
    trouble = await monitor.check()
    if trouble is None:
        return respond(b'{"status":"ready"}')
    since = None if trouble.since_us is None else format_instant(trouble.since_us)
    told = {"status": _NOT_READY, "reason": trouble.reason, "code": trouble.code, "remedy": trouble.remedy}
    return respond(msgspec.json.encode(told | ({"since": since} if since else {})), status=503)


async def metrics(context: RequestContext) -> web.Response:
    """Responds with the metrics for Prometheus. The route has decided whether the client may read them."""
    return respond(context.app.monitor.render_metrics(), content_type="text/plain; version=0.0.4")
