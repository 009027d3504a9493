"""The door to providers: one request out, one answer back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import field
from typing import NamedTuple, Protocol

from softix_proxy.domain.credentials import EntraClient, GoogleAccount
from softix_proxy.domain.errors import Code
from softix_proxy.domain.providers import Provider, ProviderKey
from softix_proxy.domain.records import record
from softix_proxy.domain.routes import SETTINGS, Timeouts

Header = tuple[str, str]
Headers = Sequence[Header]
"""Names in lower case."""


class BodyRemainder(Protocol):
    """What of a body is still with the client when the request goes out."""

    size_bytes: int

    def chunks(self) -> AsyncIterator[bytes]:
        """As it comes; once. Raises what ends the request where the client leaves, is slow, or sends no form."""
        ...


@record(frozen=True, slots=True)
class UpstreamRequest:
    """A request to a provider, without what proves who pays: that is added where it is sent."""

    key_id: int
    """Whose connection it goes over: none is shared, unless the operator says so."""
    provider: Provider
    path: str
    """In the dialect, from `/v1` on, with what of the client's query passes; the profile knows the provider's."""
    headers: Headers
    body: bytes = field(repr=False)
    stream: bool
    rest: BodyRemainder | None = field(default=None, repr=False)
    """What follows the body. With it a call can be sent once only."""
    key: ProviderKey | None = None
    """Which of the provider's keys proves who pays."""
    timeouts: Timeouts = SETTINGS
    method: str = "POST"
    adds_usage_option: bool = False
    """softix itself asks for usage in this body: it can go without where the provider does not take that."""


class ProviderFault(Exception):  # noqa: N818 - the word of the HTTP answers that it becomes
    """No answer, or one that broke off. Holds a code and nothing of what was sent or received."""

    def __init__(self, code: Code, *, started: bool) -> None:
        super().__init__(code.value)
        self.code = code
        self.started = started
        """False only where the provider cannot have seen the request."""


class NoLineError(Exception):
    """The provider answered a call for a WebSocket as a plain request. Holds the head, and nothing that was sent."""

    def __init__(self, status: int, headers: Headers) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.headers = headers


class UpstreamResponse(Protocol):
    """An answer that has begun. It is aborted or read to its end, and then released."""

    status: int
    headers: Headers
    is_stream: bool
    """It is a stream of events, server-sent or in AWS's frames."""
    secret: str | None
    """The key that was used: what must not be in anything that goes back to the client."""

    async def read(self, limit_bytes: int) -> bytes:
        """The whole body. Raises ProviderFault where it is cut, late, or longer than the limit."""
        ...

    async def chunk(self) -> bytes:
        """What has arrived; empty at the end. Raises ProviderFault where it is cut or idle for too long."""
        ...

    async def pour(self, into: Callable[[bytes], bool]) -> bool:
        """Gives each chunk the moment it arrives, without a turn of the event loop, until told False. False at the end.

        Raises as `chunk` does, and what `into` raises.
        """
        ...

    def abort(self) -> None:
        """Drops the connection, so that the provider stops; whoever reads gets a ProviderFault."""
        ...

    def release(self) -> None:
        """The connection may be used again if the answer was read to its end; else it is dropped."""
        ...


class Fetched(NamedTuple):
    """What one GET gave, which is nobody's request."""

    status: int
    body: bytes


Fetch = Callable[[str, Mapping[str, str], EntraClient | GoogleAccount | None], Awaitable[Fetched]]
"""One GET of a URL with these headers, and a token for the document. Raises FailureError where there is no answer."""


class Upstream(Protocol):
    async def send(self, call: UpstreamRequest, sending: Callable[[], None]) -> UpstreamResponse:
        """Returns with the answer's headers. Raises ProviderFault; tries again only what surely did not start.

        `sending` is called when the provider is about to see the request.
        """
        ...


class Line(Protocol):
    """A WebSocket to a provider: whole messages of text, both ways."""

    close_code: int | None
    """What the provider closed it with; None while it is open, or where it broke off."""

    async def receive(self) -> bytes | None:
        """None where the provider closed it. Raises ProviderFault where it breaks off, or sends anything but text."""
        ...

    async def send(self, message: bytes) -> None:
        """Waits for a slow provider. Raises ProviderFault."""
        ...

    def abort(self) -> None:
        """Drops the connection, so that the provider stops."""
        ...


class Lines(Protocol):
    async def open(self, call: UpstreamRequest) -> Line:
        """Raises ProviderFault, or NoLineError for an HTTP answer; no work has begun then."""
        ...
