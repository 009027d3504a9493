"""For machines that watch the daemon, and clients that look whether somebody is there."""

from __future__ import annotations

import msgspec

from softix_proxy import __version__
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.web.visit import Answer, Visit

_NOT_READY = "not ready"


async def root(visit: Visit) -> Answer:
    return Answer(msgspec.json.encode({"name": "softix-proxy", "version": __version__}))


async def healthz(visit: Visit) -> Answer:
    """The process answers."""
    return Answer(b'{"status":"ok"}')


async def readyz(visit: Visit) -> Answer:
    """Requests can be served: the books can be read and written, and the daemon is not stopping."""
    monitor = visit.house.monitor
    if monitor.draining:
        return Answer(msgspec.json.encode({"status": _NOT_READY, "reason": "stopping"}), status=503)
    trouble = await monitor.check()
    if trouble is None:
        return Answer(b'{"status":"ready"}')
    since = None if trouble.since_us is None else format_instant(trouble.since_us)
    told = {"status": _NOT_READY, "reason": trouble.reason, "code": trouble.code, "remedy": trouble.remedy}
    return Answer(msgspec.json.encode(told | ({"since": since} if since else {})), status=503)


async def metrics(visit: Visit) -> Answer:
    """For a Prometheus; `scrapes` has decided whether it may read them."""
    return Answer(visit.house.monitor.render_metrics(), content_type="text/plain; version=0.0.4")
