"""What the relay is given of a request, and the client that it answers to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import field
from typing import Protocol

from softix_proxy.dialects.base import Endpoint
from softix_proxy.domain.records import record
from softix_proxy.domain.upstream import BodyRemainder, Headers


class ClientGoneError(Exception):
    """The client hung up, or has not read for too long."""


class Client(Protocol):
    """Where the answer goes. Every verb that waits raises ClientGoneError."""

    @property
    def begun(self) -> bool:
        """The head of an answer was sent."""
        ...

    @property
    def gone(self) -> bool:
        """It has hung up, as far as is known."""
        ...

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        """A whole answer at once."""
        ...

    async def begin(self, status: int, headers: Headers) -> None:
        """The head of a streamed one."""
        ...

    def send(self, data: bytes) -> bool:
        """A piece of it, at once. False where the client is slow, or gone: `caught_up` is to be awaited."""
        ...

    async def caught_up(self) -> None:
        """Waits as long as the client is slower than the provider."""
        ...

    async def end(self) -> None:
        """The stream is complete."""
        ...

    def cut(self) -> None:
        """The stream breaks off here, as the provider's did."""
        ...

    def when_gone(self, notice: Callable[[], None]) -> None:
        """Calls `notice` at once when the client hangs up."""
        ...


class Guest(Protocol):
    """The client of a session. Every verb that waits raises ClientGoneError."""

    async def accept(self) -> None:
        """Answers its handshake."""
        ...

    async def receive(self) -> bytes:
        """A whole message. Raises RefusedError for one that is no text."""
        ...

    async def send(self, message: bytes) -> None:
        """Waits for a slow client."""
        ...

    async def close(self, code: int) -> None:
        """Never raises."""
        ...


@record(frozen=True, slots=True)
class Inbound:
    """One request as it came, less its body, which is read only for who may ask."""

    id: int
    public_id: str
    endpoint: Endpoint
    path: str
    """At the provider, with what of the query passes there."""
    headers: Headers = field(repr=False)
    """Names in lower case."""
    credential: str | None = field(repr=False)
    address: str
    started_at_us: int
    started_ns: int
    read_body: Callable[[], Awaitable[bytes]]
    """Of a form perhaps only what comes before its files."""
    rest: BodyRemainder | None = None
    """What comes after that."""

    @property
    def rest_bytes(self) -> int:
        return 0 if self.rest is None else self.rest.size_bytes
