"""One row of a list of routes. Each room of this floor has a list of its own; `web.route_table` joins them."""

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
"""Stands for every method that no other row of the same pattern has."""
WEBSOCKET = "WEBSOCKET"
"""Stands for a GET that asks for a WebSocket. Where no row has it, the row of GET serves."""


class Auth(Enum):
    """What a request must prove before its handler runs."""

    PUBLIC = "public"
    """Nothing: whoever reaches the port gets an answer."""
    API_KEY = "api_key"
    """A key in force. The handler finds whose it is in `RequestContext.caller`."""
    API_KEY_IN_HANDLER = "api_key_in_handler"
    """A key in force, which the handler verifies itself, because a later step needs the proof anew."""
    METRICS_NETWORK = "metrics_network"
    """An address in one of the networks that may read the metrics."""


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    """As in the request line, or one of `ANY` and `WEBSOCKET`."""
    pattern: str
    """The path without versions, fixed or with one name in it: `{name}` is one part, `{name:path}` may have slashes."""
    handler: Handler
    auth: Auth
    family: Family | None = None
    """Whose errors the path speaks; None where those of the client that asks."""
    families: tuple[Family, ...] = ()
    """Whose clients it is for; empty for all."""
    label: str = "-"
    """Under which endpoint the metrics count what is refused here."""
    check_query: Callable[[str], None] | None = None
    """Raises RefusedError for a query that the path cannot have, whatever the method."""

    @property
    def is_fixed(self) -> bool:
        return "{" not in self.pattern
