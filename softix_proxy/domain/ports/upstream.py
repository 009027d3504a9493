"""The port to providers: it sends one request and returns one response."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import field
from typing import NamedTuple, Protocol

from softix_proxy.domain.catalog.credentials import EntraClient, GoogleAccount
from softix_proxy.domain.catalog.providers import Provider, ProviderKey
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.core.headers import Headers
from softix_proxy.domain.core.records import record
from softix_proxy.domain.routing.routes import SETTINGS, Timeouts


class BodyRemainder(Protocol):
    """The part of a body that the client has not sent yet when the request goes out."""

    size_bytes: int

    def chunks(self) -> AsyncIterator[bytes]:
        """Yields the chunks as they arrive. It can be called once.

        Raises the error that ends the request if the client disconnects, is too slow, or sends a malformed form.
        """
        ...


@record(frozen=True, slots=True)
class UpstreamRequest:
    """A request to a provider, without the credential. The credential is added where the request is sent."""

    key_id: int
    """The API key whose connection is used. Keys share no connections, unless the operator allows it."""
    provider: Provider
    path: str
    """The path in the dialect, from `/v1` on, with the part of the client's query that passes.

    The profile maps it to the provider's path.
    """
    headers: Headers
    body: bytes = field(repr=False)
    stream: bool
    rest: BodyRemainder | None = field(default=None, repr=False)
    """The rest of the body, which follows `body`. A call with such a rest can be sent only once."""
    key: ProviderKey | None = None
    """The provider's key that authenticates the request."""
    timeouts: Timeouts = SETTINGS
    method: str = "POST"
    adds_usage_option: bool = False
    """Whether softix itself added the option that requests usage to this body.

    It can be left out if the provider does not accept it.
    """
    added_limits: tuple[str, ...] = ()
    """The further names under which softix added the output limit. They can be left out as well."""


class ProviderFault(Exception):  # noqa: N818 - the word of the HTTP responses that it becomes
    """The provider gave no response, or the response broke off.

    It has a code and nothing of what was sent or received.
    """

    def __init__(self, code: Code, *, started: bool) -> None:
        super().__init__(code.value)
        self.code = code
        self.started = started
        """This is false only if the provider cannot have seen the request."""


class WebSocketRefusedError(Exception):
    """The provider answered the request for a WebSocket with a plain HTTP response.

    It has the head of the response, and nothing that was sent.
    """

    def __init__(self, status: int, headers: Headers) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        self.headers = headers


class UpstreamResponse(Protocol):
    """A response that has begun. The caller aborts it or reads it to its end, and then releases it."""

    status: int
    headers: Headers
    is_stream: bool
    """Whether this is a stream of events. They are server-sent, or in AWS's frames."""
    secret: str | None
    """The key that was used. It must not be in anything that goes back to the client."""

    async def read(self, limit_bytes: int) -> bytes:
        """Returns the whole body. Raises ProviderFault if it is cut off, late, or longer than the limit."""
        ...

    async def chunk(self) -> bytes:
        """Returns what has arrived, or empty bytes at the end.

        Raises ProviderFault if it is cut off or idle for too long.
        """
        ...

    async def pour(self, into: Callable[[bytes], bool]) -> bool:
        """Passes on each chunk the moment it arrives, without a turn of the event loop, until `into` returns False.

        Returns False at the end of the body. Raises as `chunk` does, and whatever `into` raises.
        """
        ...

    def abort(self) -> None:
        """Drops the connection, so that the provider stops. A reader gets a ProviderFault."""
        ...

    def release(self) -> None:
        """Frees the connection for reuse if the response was read to its end, and otherwise drops it."""
        ...


class Fetched(NamedTuple):
    """The result of one GET that belongs to no request of a client."""

    status: int
    body: bytes


Fetch = Callable[[str, Mapping[str, str], EntraClient | GoogleAccount | None], Awaitable[Fetched]]
"""Sends one GET to a URL with these headers, and with a token for the document.

Raises FailureError if there is no response.
"""


class Upstream(Protocol):
    async def send(self, call: UpstreamRequest, sending: Callable[[], None]) -> UpstreamResponse:
        """Sends the request and returns when the headers of the response are there.

        Raises ProviderFault. Tries again only if the request surely did not start. `sending` is called when the
        provider is about to see the request.
        """
        ...


class WebSocketConnection(Protocol):
    """A WebSocket to a provider, with whole text messages in both directions."""

    secret: str | None
    """The key that was used. It must not be in anything that goes back to the client."""

    @property
    def close_code(self) -> int | None:
        """The code with which the provider closed it. It is None while it is open, or if it broke off."""
        ...

    async def receive(self) -> bytes | None:
        """Returns the next message, or None if the provider closed the connection.

        Raises ProviderFault if it breaks off, or if the provider sends anything but text.
        """
        ...

    async def send(self, message: bytes) -> None:
        """Sends a message, and waits for a slow provider. Raises ProviderFault."""
        ...

    def abort(self) -> None:
        """Drops the connection, so that the provider stops."""
        ...


class WebSocketClient(Protocol):
    async def open(self, call: UpstreamRequest) -> WebSocketConnection:
        """Opens a WebSocket.

        Raises ProviderFault, or WebSocketRefusedError for an HTTP response. No work has begun then.
        """
        ...
