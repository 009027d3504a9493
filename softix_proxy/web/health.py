"""For machines that watch the daemon, and clients that look whether somebody is there."""

from __future__ import annotations

import msgspec

from softix_proxy import __version__
from softix_proxy.web.visit import Answer, Visit


async def root(visit: Visit) -> Answer:
    return Answer(msgspec.json.encode({"name": "softix-proxy", "version": __version__}))


async def healthz(visit: Visit) -> Answer:
    """The process answers."""
    return Answer(b'{"status":"ok"}')


async def readyz(visit: Visit) -> Answer:
    """Requests can be served: the books can be read and written, and the daemon is not stopping."""
    monitor = visit.house.monitor
    reason = "stopping" if monitor.draining else await monitor.check()
    if reason is None:
        return Answer(b'{"status":"ready"}')
    return Answer(msgspec.json.encode({"status": "not ready", "reason": reason}), status=503)


async def metrics(visit: Visit) -> Answer:
    """For a Prometheus; `scrapes` has decided whether it may read them."""
    return Answer(visit.house.monitor.render_metrics(), content_type="text/plain; version=0.0.4")
