"""The one HTTP client to providers. Its errors name a code, and nothing that was sent or received."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from softix_proxy.domain.catalog.credentials import AwsKeys
from softix_proxy.domain.catalog.providers import Provider, ProviderType
from softix_proxy.domain.core.clock import Clock, SystemClock
from softix_proxy.domain.core.errors import Code, OperatorError
from softix_proxy.domain.core.headers import Headers
from softix_proxy.domain.instance import open_files
from softix_proxy.domain.instance.sections import UpstreamSection
from softix_proxy.domain.ports.upstream import ProviderFault, UpstreamRequest, UpstreamResponse
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.domain.routing.routes import SETTINGS, Timeouts
from softix_proxy.upstream.credentials import Credentials, OpenedCredential, RequestProof
from softix_proxy.upstream.http1_connection import Http1Connection
from softix_proxy.upstream.inflation import inflated_headers, inflation_of
from softix_proxy.upstream.pool import ConnectionPool, PoolKey
from softix_proxy.upstream.sockets import OutOfFilesError, Trust

_PORTS = {"https": 443, "http": 80}
_NOT_TAKEN = 401
_STREAMS = ("text/event-stream", "application/vnd.amazon.eventstream")


@dataclass(frozen=True, slots=True)
class UpstreamLimits:
    """The limits for connections to providers: their time-outs and their number."""

    connect_timeout_s: float
    first_byte_timeout_s: float
    idle_timeout_s: float
    connect_retries: int
    connections_per_provider: int
    """The most connections of one API key, or of all keys if they share connections. 0 means no limit."""
    share_connections: bool = False
    """Whether API keys share connections.

    This saves handshakes. It relies on the provider to send each response to its own request.
    """

    @classmethod
    def of(cls, upstream: UpstreamSection) -> UpstreamLimits:
        return cls(
            connect_timeout_s=upstream.connect_timeout_s,
            first_byte_timeout_s=upstream.first_byte_timeout_s,
            idle_timeout_s=upstream.idle_timeout_s,
            connect_retries=upstream.connect_retries,
            connections_per_provider=upstream.max_connections_per_provider,
            share_connections=upstream.share_connections,
        )


class RequestTimeouts(NamedTuple):
    """The times that this call may take to connect, to get the first byte, and between chunks."""

    connect_s: float
    first_byte_s: float
    idle_s: float

    @classmethod
    def of(cls, asked: Timeouts, limits: UpstreamLimits) -> RequestTimeouts:
        """Returns the time-outs of the call's route, and those of the settings where it has none."""
        if asked is SETTINGS:
            return cls(limits.connect_timeout_s, limits.first_byte_timeout_s, limits.idle_timeout_s)
        return cls(
            limits.connect_timeout_s if asked.connect_ms is None else asked.connect_ms / 1000,
            limits.first_byte_timeout_s if asked.first_byte_ms is None else asked.first_byte_ms / 1000,
            limits.idle_timeout_s if asked.idle_ms is None else asked.idle_ms / 1000,
        )


@dataclass(frozen=True, slots=True)
class ProviderOrigin:
    """A base URL that was parsed once."""

    host: str
    port: int
    tls: bool
    host_header: str
    prefix: str
    """The path before `/v1`."""

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host_header}{self.prefix}"

    @classmethod
    def of(cls, base_url: str) -> ProviderOrigin:
        url = urlsplit(base_url)
        port = url.port or _PORTS[url.scheme]
        return cls(url.hostname or "", port, url.scheme == "https", url.netloc.rpartition("@")[2], url.path.rstrip("/"))


class HttpUpstream:
    """Implements `domain.ports.upstream.Upstream`. It must be created within the running event loop."""

    def __init__(
        self,
        vault: Vault,
        limits: UpstreamLimits,
        ca_file: Path | None = None,
        bases: Mapping[ProviderType, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Takes the limits, and in `bases` the base URLs of provider types that have none of their own.

        Raises FailureError.
        """
        self._credentials = Credentials(vault, clock or SystemClock(), ca_file)
        self._limits = limits
        self._bases = bases or {}
        self._origins: dict[str, ProviderOrigin] = {}
        self._pool = ConnectionPool(Trust(ca_file), limits.connections_per_provider, open_files.clients())

    async def close(self) -> None:
        self._pool.close()

    def take(self, upstream: UpstreamSection) -> None:
        """Applies new settings to the calls to come. The number of connections stays as it is."""
        self._limits = UpstreamLimits.of(upstream)

    async def send(self, call: UpstreamRequest, sending: Callable[[], None]) -> UpstreamResponse:
        origin = self._origin(call.provider)
        try:
            opened = self._credentials.of(call.provider, call.key)
            proof = opened.proof or await self._prove(opened, origin, call)
        except OperatorError as error:
            code = Code.OUT_OF_FILES if isinstance(error, OutOfFilesError) else Code.PROVIDER_REFUSED
            raise ProviderFault(code, started=False) from None
        head = compose(origin, call, proof.headers)
        waits = RequestTimeouts.of(call.timeouts, self._limits)
        place = PoolKey(origin.host, origin.port, origin.tls, None if self._limits.share_connections else call.key_id)
        for tries_left in range(self._limits.connect_retries, -1, -1):
            try:
                answer = await self._try(place, head, call, proof.secret, waits, sending)
            except ProviderFault as fault:
                if fault.started or fault.code in (Code.PROVIDER_BUSY, Code.OUT_OF_FILES) or not tries_left:
                    raise
            else:
                if answer.status == _NOT_TAKEN:
                    self._credentials.forget(opened)
                return answer
        raise ProviderFault(Code.PROVIDER_UNREACHABLE, started=False)

    async def _prove(self, opened: OpenedCredential, origin: ProviderOrigin, call: UpstreamRequest) -> RequestProof:
        """Returns the headers that authenticate this request. Raises OperatorError."""
        if call.rest is not None and isinstance(opened.credential, AwsKeys):
            raise ProviderFault(Code.PROVIDER_REFUSED, started=False)  # a signature needs the whole body
        path = call.provider.path(call.path)
        return await self._credentials.prove(opened, origin.url + path, dict(call.headers), call.body)

    async def _try(
        self,
        place: PoolKey,
        head: bytes,
        call: UpstreamRequest,
        secret: str | None,
        waits: RequestTimeouts,
        sending: Callable[[], None],
    ) -> HttpResponse:
        connection = await self._pool.take(place, waits.connect_s)
        sending()
        try:
            await connection.exchange(head, call.body, waits.first_byte_s, call.rest)
            answer = HttpResponse(self._pool, place, connection, secret)
        except BaseException:
            connection.close()
            self._pool.give(place, connection)
            raise
        if answer.is_stream:
            connection.listen(waits.idle_s)
        return answer

    def _origin(self, provider: Provider) -> ProviderOrigin:
        base_url = provider.base_url or self._bases.get(provider.type, "")
        origin = self._origins.get(base_url)
        if origin is None:
            if not base_url:
                raise ProviderFault(Code.PROVIDER_UNREACHABLE, started=False)
            origin = self._origins[base_url] = ProviderOrigin.of(base_url)
        return origin


def compose(origin: ProviderOrigin, call: UpstreamRequest, proof: Mapping[str, str]) -> bytes:
    """Returns the head of the request, with the values byte for byte as they came.

    Raises ProviderFault if a value contains a line break.
    """
    path = call.provider.path(call.path)
    lines = [f"{call.method} {origin.prefix}{path} HTTP/1.1", f"host: {origin.host_header}"]
    lines += [f"{name}: {value}" for name, value in call.headers]
    lines += [f"{name}: {value}" for name, value in proof.items()]
    size_bytes = len(call.body) + (call.rest.size_bytes if call.rest else 0)
    if size_bytes or call.method == "POST":
        lines.append(f"content-length: {size_bytes}")
    lines += ["", ""]
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1 or "\0" in head:
        raise ProviderFault(Code.PROVIDER_UNREACHABLE, started=False)
    return head.encode("utf-8", "surrogateescape")


class HttpResponse:
    """Implements `domain.ports.upstream.UpstreamResponse`."""

    def __init__(self, pool: ConnectionPool, place: PoolKey, connection: Http1Connection, secret: str | None) -> None:
        self._pool = pool
        self._place = place
        self._connection: Http1Connection = connection
        self._released = False
        self.status = connection.status
        self._inflation = inflation_of(connection.headers)
        self.headers: Headers = connection.headers
        if self._inflation is not None:
            self.headers = inflated_headers(connection.headers)
        self.is_stream = any(
            name == "content-type" and value.lower().startswith(_STREAMS) for name, value in connection.headers
        )
        self.secret: str | None = secret

    async def read(self, limit_bytes: int) -> bytes:
        parts, size = [], 0
        while chunk := await self.chunk():
            parts.append(chunk)
            size += len(chunk)
            if size > limit_bytes:
                raise ProviderFault(Code.PROVIDER_BROKE_OFF, started=True)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def chunk(self) -> bytes:
        inflation = self._inflation
        if inflation is None:
            return await self._connection.chunk()
        while not (piece := inflation.piece()):
            arrived = await self._connection.chunk()
            if not arrived:
                if not inflation.complete:
                    raise ProviderFault(Code.PROVIDER_BROKE_OFF, started=True)
                return b""
            inflation.feed(arrived)
        return piece

    async def pour(self, into: Callable[[bytes], bool]) -> bool:
        if self._inflation is None:
            return await self._connection.pour(into)
        while chunk := await self.chunk():
            if not into(chunk):
                return True
        return False

    def abort(self) -> None:
        if not self._released:
            self._connection.close()

    def release(self) -> None:
        if not self._released:
            self._released = True
            self._pool.give(self._place, self._connection)
