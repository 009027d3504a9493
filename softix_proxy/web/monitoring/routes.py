"""The routes for monitoring the daemon."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.web.core import metrics_access
from softix_proxy.web.monitoring import health_pages
from softix_proxy.web.router.request_context import RequestContext
from softix_proxy.web.router.route import ANY, Auth, Handler, Route

METRICS = metrics_access.PATH


async def _refuse_method(context: RequestContext) -> web.Response:
    raise RefusedError(Code.METHOD_NOT_ALLOWED, "Use GET here.")


def _page(pattern: str, handler: Handler, auth: Auth = Auth.PUBLIC) -> list[Route]:
    return [Route("GET", pattern, handler, auth), Route("HEAD", pattern, handler, auth)]


ROUTES: Sequence[Route] = (
    *_page("/", health_pages.root),
    *_page("/api/hello", health_pages.root),
    *_page("/healthz", health_pages.healthz),
    *_page("/readyz", health_pages.readyz),
    *_page(METRICS, health_pages.metrics, Auth.METRICS_NETWORK),
    Route(ANY, METRICS, _refuse_method, Auth.METRICS_NETWORK),
)
