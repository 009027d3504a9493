"""Sends events to receivers. It looks at each address to which a name leads, and of an answer at its status only."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp

from softix_proxy.domain.catalog.forbidden_hosts import is_private_host
from softix_proxy.domain.ports.webhook_post import WebhookAnswer, WebhookFault
from softix_proxy.upstream.sockets import ForbiddenAddressError, Trust, open_socket

if TYPE_CHECKING:
    from aiohttp import AddrInfoType

TIMEOUT_S = 15.0
"""The longest time for one attempt. The specification proposes 15 to 30 seconds."""
_GONE = 410


def open_public_socket(address: AddrInfoType) -> socket.socket:
    """Opens a socket for an address that the internet reaches. Raises ForbiddenAddressError for any other."""
    if is_private_host(str(address[4][0])):
        raise ForbiddenAddressError("private address")
    return open_socket(address)


class _Sockets:
    """Opens the sockets of one attempt, and remembers whether an address was refused."""

    def __init__(self, opens: Callable[[AddrInfoType], socket.socket]) -> None:
        self._opens = opens
        self.refused = False

    def __call__(self, address: AddrInfoType) -> socket.socket:
        try:
            return self._opens(address)
        except ForbiddenAddressError:
            self.refused = True
            raise


class HttpWebhookPost:
    """Implements domain.ports.webhook_post.WebhookPost."""

    def __init__(self, ca_file: Path | None = None, timeout_s: float = TIMEOUT_S) -> None:
        """Reads the file of certificate authorities at once. Raises FailureError."""
        self._trust = Trust(ca_file)
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, *, allow_private: bool) -> WebhookAnswer:
        sockets = _Sockets(open_socket if allow_private else open_public_socket)
        try:
            return await self._post(url, headers, body, sockets)
        except TimeoutError:  # first, because aiohttp's time-outs are connection errors as well
            fault = WebhookFault.TIMED_OUT
        except (aiohttp.ClientSSLError, ssl.SSLError):
            fault = WebhookFault.TLS_FAILED
        except (aiohttp.ClientConnectorError, OSError):
            fault = WebhookFault.PRIVATE_ADDRESS if sockets.refused else WebhookFault.UNREACHABLE
        except (aiohttp.ClientError, ValueError):
            fault = WebhookFault.BROKE_OFF
        return WebhookAnswer(None, fault)

    async def _post(self, url: str, headers: Mapping[str, str], body: bytes, sockets: _Sockets) -> WebhookAnswer:
        connector = aiohttp.TCPConnector(socket_factory=sockets, force_close=True, ssl=await self._trust.context())
        async with (
            aiohttp.ClientSession(
                connector=connector,
                timeout=self._timeout,
                trust_env=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            ) as session,
            session.post(url, data=body, headers=headers, allow_redirects=False) as answer,
        ):
            return WebhookAnswer(answer.status, _fault(answer.status))


def _fault(status: int) -> WebhookFault | None:
    if 200 <= status < 300:
        return None
    if status == _GONE:
        return WebhookFault.GONE
    return WebhookFault.REDIRECTED if 300 <= status < 400 else WebhookFault.REFUSED
