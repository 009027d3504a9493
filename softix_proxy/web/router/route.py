"""One route. Each web package has a list of its own, and `web.route_table` joins them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from aiohttp import web

from softix_proxy.dialects.core.base import Family

if TYPE_CHECKING:
    from softix_proxy.web.router.request_context import RequestContext

Handler = Callable[["RequestContext"], Awaitable[web.StreamResponse]]
"""Answers one request. Raises RefusedError, OperatorError."""
ANY = "*"
"""The value for every method that no other route of the same pattern has."""
WEBSOCKET = "WEBSOCKET"
"""The value for a GET that requests a WebSocket. If no route has it, the GET route serves."""


class Auth(Enum):
    """The proof that a request must give before its handler runs."""

    PUBLIC = "public"
    """No proof is needed: every client that reaches the port gets a response."""
    API_KEY = "api_key"
    """A valid key is needed. The handler finds its owner in `RequestContext.caller`."""
    API_KEY_IN_HANDLER = "api_key_in_handler"
    """A valid key is needed. The handler verifies it itself, because a later step needs the proof again."""
    METRICS_NETWORK = "metrics_network"
    """An address in one of the networks that may read the metrics is needed."""


@dataclass(frozen=True, slots=True)
class Route:
    """A pattern of paths, its method, and the handler that serves it."""

    method: str
    """The method as in the request line, or one of `ANY` and `WEBSOCKET`."""
    pattern: str
    """The path without versions. It is fixed or has one name: `{name}` is one part, `{name:path}` may have slashes."""
    handler: Handler
    auth: Auth
    family: Family | None = None
    """The family of errors at this path. None if it is that of the client."""
    families: tuple[Family, ...] = ()
    """The families of clients that the route serves. It is empty for all."""
    label: str = "-"
    """The endpoint under which the metrics count refusals here."""
    check_query: Callable[[str], None] | None = None
    """The function that raises RefusedError for a query that the path cannot have, whatever the method."""

    @property
    def is_fixed(self) -> bool:
        return "{" not in self.pattern
