"""The client of a request behind something that changes what is sent to it."""

from __future__ import annotations

from collections.abc import Callable

from softix_proxy.domain.core.headers import Headers
from softix_proxy.relay.core.inbound import Client


class WrappedClient:
    """Passes everything on to the client. It implements `relay.core.inbound.Client`.

    A subclass overrides the methods whose bytes or headers it changes.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def begun(self) -> bool:
        return self._client.begun

    @property
    def gone(self) -> bool:
        return self._client.gone

    async def answer(self, status: int, headers: Headers, body: bytes) -> None:
        await self._client.answer(status, headers, body)

    async def begin(self, status: int, headers: Headers) -> None:
        await self._client.begin(status, headers)

    def send(self, data: bytes) -> bool:
        return self._client.send(data)

    async def caught_up(self) -> None:
        await self._client.caught_up()

    async def end(self) -> None:
        await self._client.end()

    def cut(self) -> None:
        self._client.cut()

    def when_gone(self, notice: Callable[[], None]) -> None:
        self._client.when_gone(notice)
