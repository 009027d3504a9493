"""A provider on a raw socket, and what the relay's own client asks of it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import traceback
from collections.abc import AsyncIterator
from typing import Any

import pytest

from softix_proxy.domain.catalog.providers import Provider, ProviderStatus, ProviderType
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.ports.upstream import ProviderFault, UpstreamRequest
from softix_proxy.upstream.client import HttpUpstream, UpstreamLimits

SECRET = f"sk-{secrets.token_hex(16)}"
PROMPT = "canary-of-a-prompt"
LIMITS = UpstreamLimits(5, 5, 5, 2, 0)
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n5\r\ndata:\r\n"


class Vault:
    secret = SECRET

    def open_secret(self, blob: bytes, *place: str) -> str:
        if blob == b"damaged":
            raise FailureError("it does not open", "set it again")
        return self.secret


class Server:
    """A provider on a raw socket. `heads` are those of the requests."""

    def __init__(self) -> None:
        self.answer: bytes | None = OK
        """None: never."""
        self.heads: list[bytes] = []
        self.connections = 0
        self.port = 0
        self.lost = asyncio.Event()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                self.heads.append(head + await reader.readexactly(length))
                if self.answer == b"":
                    break
                if self.answer is not None:
                    writer.write(self.answer)
        self.lost.set()
        writer.close()


@contextlib.asynccontextmanager
async def upstream(vault: Vault | None = None, **limits: Any) -> AsyncIterator[HttpUpstream]:
    client = HttpUpstream(vault or Vault(), UpstreamLimits(**{**_as_fields(LIMITS), **limits}))  # type: ignore[arg-type]
    try:
        yield client
    finally:
        await client.close()


def _as_fields(limits: UpstreamLimits) -> dict[str, Any]:
    return {name: getattr(limits, name) for name in limits.__slots__}


def call(port: int, *, sealed: bytes | None = b"sealed", base_url: str = "", key: int = 1) -> UpstreamRequest:
    url = base_url or f"http://127.0.0.1:{port}/base"
    provider = Provider(1, "prv_a", "a", ProviderType.ANTHROPIC, url, sealed, "cancel", ProviderStatus.ACTIVE, 1)
    path = "/v1/messages?beta=true"
    return UpstreamRequest(
        key,
        provider,
        path,
        [("x-thing", "1"), ("accept-encoding", "identity")],
        PROMPT.encode(),
        False,
        key=next(iter(provider.keys), None),
    )


async def fault(client: HttpUpstream, asked: UpstreamRequest) -> ProviderFault:
    with pytest.raises(ProviderFault) as caught:
        answer = await client.send(asked, lambda: None)
        try:
            await answer.read(1000)
        finally:
            answer.release()
    told = "".join(traceback.format_exception(caught.value)) + repr(caught.value) + str(caught.value)
    assert SECRET not in told and PROMPT not in told and "127.0.0.1" not in told
    return caught.value
