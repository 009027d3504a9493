"""One request on its way to its handler: its contents, and what is known of it so far."""

from __future__ import annotations

from collections.abc import Mapping
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

_HEAVY_DIGITS = len("1000000")


@dataclass(slots=True)
class RequestContext:
    """The data of one request that handlers use."""

    request: web.BaseRequest = field(repr=False)
    app: AppContext = field(repr=False)
    id: int
    public_id: str
    started_ns: int
    started_at_us: int
    method: str
    """The method as the routes name it. A GET that requests a WebSocket has a name of its own."""
    headers: list[Header] = field(repr=False)
    """The headers, with names in lower case."""
    named: dict[str, str] = field(repr=False)
    """The headers by their names. If several have the same name, the last one counts."""
    place: ResolvedPath
    query: str = field(repr=False)
    """The query without the parts that are already consumed."""
    address: str
    family: Family = "openai"
    """The family of errors and lists that the client reads."""
    credential: str | None = field(default=None, repr=False)
    label: str = "-"
    """The endpoint under which the metrics count refusals."""
    caller: Caller | None = None
    """The owner of the key, if the route requires one before its handler."""

    @property
    def path(self) -> str:
        return self.place.path

    @property
    def name(self) -> str:
        """Returns the name in the path, if its pattern has one."""
        return self.place.name

    @property
    def identified(self) -> Caller:
        assert self.caller is not None, "the route has no Auth.API_KEY"  # noqa: S101
        return self.caller

    @property
    def has_heavy_body(self) -> bool:
        """Whether the body is compressed, of unknown size, or of a million bytes or more."""
        named = self.named
        return (
            "content-encoding" in named
            or "transfer-encoding" in named
            or len(named.get("content-length", "")) >= _HEAVY_DIGITS
        )

    async def read_body(self) -> bytes:
        """Returns the body. Raises RefusedError, ClientGoneError."""
        return await request_body.read(self.request, self.app.max_body_bytes, self.app.body_timeout_s)


def wants_websocket(named: Mapping[str, str]) -> bool:
    """Returns whether a client with these headers wants a WebSocket. Only a GET opens one."""
    return "websocket" in named.get("upgrade", "").lower()
