"""The WebSockets to providers.

Errors name a code or a status, and nothing that was sent. aiohttp's own errors contain the key.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aiohttp
from yarl import URL

from softix_proxy.domain.catalog.providers import Provider, ProviderType
from softix_proxy.domain.core.clock import Clock, SystemClock
from softix_proxy.domain.core.errors import Code, OperatorError
from softix_proxy.domain.instance import open_files
from softix_proxy.domain.instance.sections import UpstreamSection
from softix_proxy.domain.ports.upstream import ProviderFault, UpstreamRequest, WebSocketRefusedError
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.upstream.client import RequestTimeouts, UpstreamLimits
from softix_proxy.upstream.credentials import Credentials
from softix_proxy.upstream.sockets import OutOfFilesError, Trust, open_socket

MAX_MESSAGE_BYTES = 16 * 1024 * 1024
"""The most bytes of a message. OpenAI accepts 15 MiB of sound in one event, and returns an item in one."""
_CLOSE_S = 2.0


class ProviderWebSockets:
    """Implements `domain.ports.upstream.WebSocketClient`. It must be created within the running event loop."""

    def __init__(
        self,
        vault: Vault,
        limits: UpstreamLimits,
        ca_file: Path | None = None,
        bases: Mapping[ProviderType, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Takes what `HttpUpstream` takes. Raises FailureError."""
        self._credentials = Credentials(vault, clock or SystemClock(), ca_file)
        self._limits = limits
        self._bases = bases or {}
        self._trust = Trust(ca_file)
        self._session: aiohttp.ClientSession | None = None
        self._earlier: list[aiohttp.ClientSession] = []
        """The earlier sessions. Their sockets may still be open."""

    async def close(self) -> None:
        for session in (*self._earlier, self._session):
            if session is not None:
                await session.close()

    def take(self, upstream: UpstreamSection) -> None:
        """Applies new settings to the WebSockets to come."""
        limits = UpstreamLimits.of(upstream)
        if self._session is not None and limits.connect_timeout_s != self._limits.connect_timeout_s:
            self._earlier.append(self._session)
            self._session = None
        self._limits = limits

    async def open(self, call: UpstreamRequest) -> ProviderWebSocket:
        url, waits = self._url(call.provider, call.path), RequestTimeouts.of(call.timeouts, self._limits)
        try:
            opened = self._credentials.of(call.provider, call.key)
            proof = opened.proof or await self._credentials.prove(opened, str(url), dict(call.headers), b"")
        except OperatorError as error:
            code = Code.OUT_OF_FILES if isinstance(error, OutOfFilesError) else Code.PROVIDER_REFUSED
            raise ProviderFault(code, started=False) from None
        kept = [(name, value) for name, value in call.headers if name not in proof.headers]
        headers = [*kept, *proof.headers.items()]
        try:
            async with asyncio.timeout(waits.connect_s + waits.first_byte_s):
                socket = await (await self._sessions()).ws_connect(
                    url,
                    headers=headers,
                    timeout=aiohttp.ClientWSTimeout(ws_receive=None, ws_close=_CLOSE_S),
                    max_msg_size=MAX_MESSAGE_BYTES,
                    decode_text=False,
                )
        except TimeoutError:
            raise ProviderFault(Code.PROVIDER_TIMEOUT, started=False) from None
        except aiohttp.WSServerHandshakeError as error:
            raise _no_line(error.status, error.headers) from None
        except (aiohttp.ClientError, OSError, ssl.SSLError, ValueError) as error:
            code = Code.OUT_OF_FILES if open_files.are_used_up(error) else Code.PROVIDER_UNREACHABLE
            raise ProviderFault(code, started=False) from None
        return ProviderWebSocket(socket, proof.secret)

    async def _sessions(self) -> aiohttp.ClientSession:
        """Returns the session, which is created when it is first needed. Most daemons never need it."""
        trust = await self._trust.context()
        if self._session is None:
            tracing = aiohttp.TraceConfig()
            tracing.on_request_redirect.append(_refuse)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ssl=trust, socket_factory=open_socket),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._limits.connect_timeout_s),
                trace_configs=[tracing],
                trust_env=False,
            )
        return self._session

    def _url(self, provider: Provider, path: str) -> URL:
        base_url = provider.base_url or self._bases.get(provider.type, "")
        if not base_url:
            raise ProviderFault(Code.PROVIDER_UNREACHABLE, started=False)
        return URL(f"{base_url.rstrip('/')}{provider.path(path)}", encoded=True)


async def _refuse(_session: Any, _context: Any, redirect: aiohttp.TraceRequestRedirectParams) -> None:
    """Refuses to follow a redirect of a WebSocket, because the key would go elsewhere."""
    raise _no_line(redirect.response.status, redirect.response.headers)


def _no_line(status: int, headers: Mapping[str, str] | None) -> WebSocketRefusedError:
    return WebSocketRefusedError(status, [(name.lower(), value) for name, value in (headers or {}).items()])


class ProviderWebSocket:
    """Implements `domain.ports.upstream.WebSocketConnection`."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse[bool], secret: str | None) -> None:
        self._socket = socket
        self.secret = secret
        self.close_code: int | None = None

    async def receive(self) -> bytes | None:
        message = await self._socket.receive()
        if message.type is aiohttp.WSMsgType.TEXT:
            found: bytes = message.data
            return found
        if message.type is aiohttp.WSMsgType.CLOSE:
            self.close_code = message.data
            return None
        raise ProviderFault(Code.PROVIDER_BROKE_OFF, started=True)

    async def send(self, message: bytes) -> None:
        try:
            await self._socket.send_frame(message, aiohttp.WSMsgType.TEXT)
        except (ConnectionError, aiohttp.ClientError, RuntimeError):
            raise ProviderFault(Code.PROVIDER_BROKE_OFF, started=True) from None

    def abort(self) -> None:
        self._socket._response.close()  # noqa: SLF001 - a close of its own would wait for the provider's
