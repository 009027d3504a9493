"""The request as the relay receives it, and the client to which it responds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import field
from typing import Protocol

from softix_proxy.dialects.core.base import Endpoint
from softix_proxy.domain.core.headers import Headers
from softix_proxy.domain.core.records import record
from softix_proxy.domain.ports.upstream import BodyRemainder


class ClientGoneError(Exception):
    """Says that the client disconnected, or has not read for too long."""


class Client(Protocol):
    """The client that gets the response. Every method that waits raises ClientGoneError."""

    @property
    def begun(self) -> bool:
        """Whether the head of a response was sent."""
        ...

    @property
    def gone(self) -> bool:
        """Whether the client has disconnected, as far as is known."""
        ...

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """Sends a whole response at once."""
        ...

    async def begin(self, status: int, headers: Headers) -> None:
        """Sends the head of a streamed response."""
        ...

    def send(self, data: bytes) -> bool:
        """Sends a piece of the body without waiting.

        Returns False if the client is slow or gone. Then the caller must await `caught_up`.
        """
        ...

    async def caught_up(self) -> None:
        """Waits as long as the client is slower than the provider."""
        ...

    async def end(self) -> None:
        """Completes the stream."""
        ...

    def cut(self) -> None:
        """Breaks the stream off here, because the provider's stream broke off."""
        ...

    def when_gone(self, notice: Callable[[], None]) -> None:
        """Calls `notice` at once when the client disconnects."""
        ...


class Guest(Protocol):
    """The client of a session. Every method that waits raises ClientGoneError."""

    async def accept(self) -> None:
        """Completes the client's handshake."""
        ...

    async def receive(self) -> bytes:
        """Returns a whole message. Raises RefusedError for one that is not text."""
        ...

    async def send(self, message: bytes) -> None:
        """Sends a message, and waits if the client is slow."""
        ...

    async def close(self, code: int) -> None:
        """Closes the connection. It never raises."""
        ...


@record(frozen=True, slots=True)
class Inbound:
    """A request as it came, without its body. The body is read only after the caller is identified."""

    id: int
    public_id: str
    endpoint: Endpoint
    path: str
    """The path at the provider, with the part of the query that is passed on."""
    headers: Headers = field(repr=False)
    """The headers, with names in lower case."""
    credential: str | None = field(repr=False)
    address: str
    started_at_us: int
    started_ns: int
    read_body: Callable[[], Awaitable[bytes]]
    """The function that reads the body. For a form, it may read only what comes before the files."""
    rest: BodyRemainder | None = None
    """The part of the body that comes after that."""
    is_heavy: bool = False
    """Whether the body is large or compressed. Then softix first looks whether the caller could do anything at all."""
    tags: Sequence[str] = ()
    """The values of the header that names tags for the usage of the request."""
    user_agent: str = field(default="", repr=False)
    tls: str = ""
    """The version of the connection's TLS. Empty without TLS."""

    @property
    def rest_bytes(self) -> int:
        return 0 if self.rest is None else self.rest.size_bytes
