"""The routes for requests to models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from softix_proxy.dialects.core.base import Endpoint
from softix_proxy.dialects.gemini.endpoint import GeminiEndpoint
from softix_proxy.dialects.openai.realtime import REALTIME
from softix_proxy.dialects.registry import ENDPOINTS
from softix_proxy.web.inference import realtime, stored_objects
from softix_proxy.web.inference.forward import forwarding, forwarding_for_model
from softix_proxy.web.router.path_syntax import read
from softix_proxy.web.router.route import WEBSOCKET, Auth, Route

_MODEL = "{model}"


def _row(endpoint: Endpoint) -> Route:
    """Returns a POST route. Each request to it leaves one usage row."""
    pattern, family, label = read(endpoint.path).path, endpoint.family, endpoint.name
    if not isinstance(endpoint, GeminiEndpoint):
        return Route("POST", pattern, forwarding(endpoint), Auth.API_KEY_IN_HANDLER, family, label=label)
    pattern, handler = pattern.replace(_MODEL, "{model:path}"), forwarding_for_model(endpoint)
    check = endpoint.check_query
    return Route("POST", pattern, handler, Auth.API_KEY_IN_HANDLER, family, label=label, check_query=check)


def _rows() -> Iterator[Route]:
    yield from map(_row, ENDPOINTS.values())
    yield Route(
        WEBSOCKET, "/realtime", realtime.converse, Auth.API_KEY_IN_HANDLER, REALTIME.family, label=REALTIME.name
    )
    yield from stored_objects.ROUTES


ROUTES: Sequence[Route] = tuple(_rows())
DEPLOYABLE: Sequence[str] = tuple(
    route.pattern for route in ROUTES if route.method == "POST" and route.family == "openai" and route.is_fixed
)
"""The fixed paths before which Azure's clients put the name of a model."""
