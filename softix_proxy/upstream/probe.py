"""Sends one small request to a provider, to see whether it answers and accepts the key, and which models it has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import aiohttp

from softix_proxy.domain.catalog.credentials import EntraClient, GoogleAccount
from softix_proxy.domain.core.clock import SystemClock
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.ports.upstream import Fetched
from softix_proxy.upstream.sockets import ForbiddenAddressError, open_socket, trust
from softix_proxy.upstream.tokens import Tokens

_TIMEOUT_S = 10
_MOST_BYTES = 4 << 20
"""The most bytes of a response. Any list of models is smaller."""
_UNREACHABLE = "the provider cannot be reached", "check the base URL, and that it is running"


async def fetch(
    url: str,
    headers: Mapping[str, str],
    document: EntraClient | GoogleAccount | None = None,
    *,
    ca_file: Path | None = None,
    timeout_s: float | None = None,
    verify: bool = True,
) -> Fetched:
    """Sends one GET, with a token for the document. It follows no redirect, and uses no proxy from the environment.

    Without `verify` any certificate is accepted. This is for this machine's own daemon, to which nothing secret is
    sent. Raises FailureError, which names neither URL nor headers: they may contain secrets, and so may aiohttp's
    errors.
    """
    limit_s = timeout_s or _TIMEOUT_S
    if document is not None:
        token = await Tokens(SystemClock(), ca_file).of("", document)
        headers = {**headers, "authorization": f"Bearer {token}"}
    trusted = trust(ca_file) if verify else False
    connector = aiohttp.TCPConnector(socket_factory=open_socket, force_close=True, ssl=trusted)
    timeout = aiohttp.ClientTimeout(total=limit_s)
    try:
        async with (
            aiohttp.ClientSession(
                connector=connector, timeout=timeout, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
            ) as session,
            session.get(url, headers=headers, allow_redirects=False) as answer,
        ):
            parts, size = [], 0
            async for part in answer.content.iter_any():
                parts.append(part)
                size += len(part)
                if size > _MOST_BYTES:
                    return Fetched(answer.status, b"")
            return Fetched(answer.status, b"".join(parts))
    except TimeoutError:
        raise FailureError(f"no answer within {limit_s} s", "check the base URL and the firewall") from None
    except aiohttp.ClientConnectorDNSError:
        raise FailureError("the host name is not known", "check the base URL and the machine's DNS") from None
    except aiohttp.ClientConnectorCertificateError:
        raise FailureError("the certificate is not trusted", "check the base URL, and the machine's CAs") from None
    except aiohttp.ClientSSLError:
        raise FailureError("TLS failed", "check whether the base URL should begin with http://") from None
    except aiohttp.ClientConnectorError as error:
        if isinstance(error.os_error, ForbiddenAddressError):
            raise FailureError(
                "the host name leads to where a cloud keeps secrets, or to a link-local address", "check the base URL"
            ) from None
        raise FailureError(*_UNREACHABLE) from None
    except (aiohttp.ClientError, OSError):
        raise FailureError(*_UNREACHABLE) from None
