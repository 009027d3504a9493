"""One request on its way to its handler: its contents, and what is known of it so far."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from aiohttp import web

from softix_proxy.dialects.core.base import Family
from softix_proxy.domain.access.networks import client_network
from softix_proxy.domain.core.headers import Header
from softix_proxy.web.core.body_budget import FREE_BYTES
from softix_proxy.web.router.path_resolver import ResolvedPath
from softix_proxy.web.server import request_body
from softix_proxy.web.server.client_connection import tls_of

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
    def user_agent(self) -> str:
        return self.named.get("user-agent", "")

    @property
    def tls(self) -> str:
        return tls_of(self.request)

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
        app = self.app
        return await self.receive(partial(request_body.read, self.request, app.max_body_bytes, app.body_timeout_s))

    async def receive(self, read: Callable[[], Awaitable[bytes]]) -> bytes:
        """Returns what `read` returns. It reads within the client's share of memory, unless the body is here already.

        Raises what `read` raises, and RefusedError if there is no room for the body in time.
        """
        app, size_bytes = self.app, self.request.content_length
        if size_bytes is None or "content-encoding" in self.named:
            size_bytes = app.max_body_bytes
        if size_bytes <= FREE_BYTES or self.request.content.is_eof():
            return await read()
        network = client_network(self.address)
        async with app.bodies.share(self.credential, network, size_bytes, app.body_timeout_s):
            return await read()


def wants_websocket(named: Mapping[str, str]) -> bool:
    """Returns whether a client with these headers wants a WebSocket. Only a GET opens one."""
    return "websocket" in named.get("upgrade", "").lower()
