"""The one HTTP client to providers. Nothing of aiohttp's errors leaves it: they hold headers, URLs and bytes."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from yarl import URL

from softix_proxy.domain.errors import Code, FailureError
from softix_proxy.domain.providers import Provider, ProviderType
from softix_proxy.domain.upstream import Call, Exchange, Header, Headers, ProviderFault
from softix_proxy.domain.vault import Vault
from softix_proxy.upstream.credentials import Credentials
from softix_proxy.upstream.pool import CleanPool, OwnedRequest, owner
from softix_proxy.upstream.sockets import open_socket

_NO_HEADERS_OF_ITS_OWN = frozenset(("User-Agent", "Content-Type", "Accept", "Accept-Encoding"))
_MAX_HEADER_BYTES = 16 * 1024
_KEEP_IDLE_S = 60
_FIRST_FINAL_STATUS = 200
_URLS_KEPT = 1024


@dataclass(frozen=True, slots=True)
class Limits:
    connect_timeout_s: float
    first_byte_timeout_s: float
    idle_timeout_s: float
    connect_retries: int
    connections_per_provider: int
    """Of one API key, or of all where they share; 0: no limit."""
    share_connections: bool = False
    """Between API keys: fewer handshakes, and trust in the provider that each answer is to its own request."""


class HttpUpstream:
    """Implements `domain.upstream.Upstream`. To be made within the running event loop."""

    def __init__(
        self, vault: Vault, limits: Limits, ca_file: Path | None = None, bases: Mapping[ProviderType, str] | None = None
    ) -> None:
        """`bases` are the base URLs of types of providers that have none of their own. Raises FailureError."""
        self._credentials = Credentials(vault)
        self._limits = limits
        self._bases = bases or {}
        self._urls: dict[tuple[str, str], URL] = {}
        connector = CleanPool(
            limit=0,
            limit_per_host=limits.connections_per_provider,
            keepalive_timeout=_KEEP_IDLE_S,
            ssl=_trust(ca_file),
            socket_factory=open_socket,
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            request_class=OwnedRequest,
            auto_decompress=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            skip_auto_headers=_NO_HEADERS_OF_ITS_OWN,
            max_line_size=_MAX_HEADER_BYTES,
            max_field_size=_MAX_HEADER_BYTES,
            timeout=aiohttp.ClientTimeout(
                total=None, sock_connect=limits.connect_timeout_s, sock_read=limits.first_byte_timeout_s
            ),
        )

    async def close(self) -> None:
        await self._session.close()

    async def send(self, call: Call) -> Exchange:
        try:
            secret, proof = self._credentials.of(call.provider)
        except FailureError:
            raise ProviderFault(Code.PROVIDER_REFUSED, started=False) from None
        headers = [*call.headers, *proof.items()]
        url = self._url(call.provider, call.path)
        for tries_left in range(self._limits.connect_retries, -1, -1):
            try:
                return await self._try(call, url, headers, secret)
            except ProviderFault as fault:
                if fault.started or not tries_left:
                    raise
        raise ProviderFault(Code.PROVIDER_UNREACHABLE, started=False)

    async def _try(self, call: Call, url: URL, headers: list[Header], secret: str | None) -> Answer:
        owner.set(None if self._limits.share_connections else call.key_id)
        try:
            async with asyncio.timeout(self._limits.first_byte_timeout_s):
                response = await self._session.post(url, data=call.body, headers=headers, allow_redirects=False)
        except (aiohttp.ClientError, OSError, ValueError) as error:  # TimeoutError is an OSError
            raise _fault(error) from None
        if response.status < _FIRST_FINAL_STATUS:  # it switched protocols, which nobody asked for
            response.close()
            raise ProviderFault(Code.PROVIDER_BROKE_OFF, started=True)
        answer = Answer(response, secret)
        if answer.is_stream:
            answer.watch(self._limits.idle_timeout_s)
        return answer

    def _url(self, provider: Provider, path: str) -> URL:
        base = provider.base_url or self._bases.get(provider.type, "")
        url = self._urls.get((base, path))
        if url is None:
            if len(self._urls) >= _URLS_KEPT:
                self._urls.clear()
            url = self._urls[(base, path)] = URL(base + path, encoded=True)
        return url


class Answer:
    """Implements `domain.upstream.Exchange` on aiohttp's response."""

    def __init__(self, response: aiohttp.ClientResponse, secret: str | None) -> None:
        self._response = response
        self.status = response.status
        self.headers: Headers = [(name.lower(), value) for name, value in response.headers.items()]
        self.is_stream = response.headers.get("Content-Type", "").lower().startswith("text/event-stream")
        self.secret: str | None = secret

    def watch(self, idle_timeout_s: float) -> None:
        """From now on silence is measured by this."""
        connection = self._response.connection
        if connection is not None and connection.protocol is not None:
            connection.protocol.read_timeout = idle_timeout_s
            connection.protocol.start_timeout()

    async def read(self, limit_bytes: int) -> bytes:
        try:
            parts, size = [], 0
            while chunk := await self._response.content.readany():
                parts.append(chunk)
                size += len(chunk)
                if size > limit_bytes:
                    raise ProviderFault(Code.PROVIDER_BROKE_OFF, started=True)
        except (aiohttp.ClientError, OSError) as error:
            raise _fault(error) from None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def chunk(self) -> bytes:
        try:
            return await self._response.content.readany()
        except (aiohttp.ClientError, OSError) as error:
            raise _fault(error) from None

    def abort(self) -> None:
        """Whoever waits for a chunk is woken by the loss of the connection."""
        connection = self._response.connection
        if connection is not None and connection.transport is not None:
            connection.transport.abort()

    def release(self) -> None:
        """aiohttp gives the connection back by itself at the end of an answer; any other is closed."""
        self._response.close()


def _fault(error: Exception) -> ProviderFault:
    if isinstance(error, (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)):
        return ProviderFault(Code.PROVIDER_UNREACHABLE, started=False)
    if isinstance(error, TimeoutError):
        return ProviderFault(Code.PROVIDER_TIMEOUT, started=True)
    return ProviderFault(Code.PROVIDER_BROKE_OFF, started=True)


def _trust(ca_file: Path | None) -> ssl.SSLContext | bool:
    """The system's certificate authorities, or those of a file. Raises FailureError."""
    if ca_file is None:
        return True
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError):
        raise FailureError(f"cannot read certificates from {ca_file}", "check upstream.ca_file") from None
