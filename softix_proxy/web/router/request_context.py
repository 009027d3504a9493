"""One request on its way to its handler: what came with it, and what is known of it so far."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from softix_proxy.dialects.core.base import Family
from softix_proxy.domain.core.headers import Header
from softix_proxy.web.router.path_resolver import ResolvedPath
from softix_proxy.web.server import request_body

if TYPE_CHECKING:
    from softix_proxy.relay.core.plan import Caller
    from softix_proxy.web.core.app_context import AppContext


@dataclass(slots=True)
class RequestContext:
    request: web.BaseRequest = field(repr=False)
    app: AppContext = field(repr=False)
    id: int
    public_id: str
    started_ns: int
    started_at_us: int
    method: str
    """As the routes name it: a GET that asks for a WebSocket is another one."""
    headers: list[Header] = field(repr=False)
    """Names in lower case."""
    named: dict[str, str] = field(repr=False)
    """The headers by their names; of several with one name the last."""
    place: ResolvedPath
    query: str = field(repr=False)
    """Without what is understood of it already."""
    address: str
    family: Family = "openai"
    """Whose errors and lists the client reads."""
    credential: str | None = field(default=None, repr=False)
    label: str = "-"
    """Under which endpoint the metrics count what is refused."""
    caller: Caller | None = None
    """Whose key it is, where the route asks for one before its handler."""

    @property
    def path(self) -> str:
        return self.place.path

    @property
    def name(self) -> str:
        """The name in the path, where its pattern has one."""
        return self.place.name

    @property
    def identified(self) -> Caller:
        assert self.caller is not None, "the route has no Auth.API_KEY"  # noqa: S101
        return self.caller

    async def read_body(self) -> bytes:
        """Raises RefusedError, ClientGoneError."""
        return await request_body.read(self.request, self.app.max_body_bytes, self.app.body_timeout_s)
