"""One small request to a provider, to see whether it answers and takes the key."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import aiohttp

from softix_proxy.domain.errors import FailureError
from softix_proxy.upstream.sockets import open_socket, trust

_TIMEOUT_S = 10


async def fetch(url: str, headers: Mapping[str, str], *, ca_file: Path | None = None) -> int:
    """The status of one GET; the body is not read. Follows no redirect, uses no proxy from the environment.

    Raises FailureError, which names neither URL nor headers: they may hold secrets, and so may aiohttp's errors.
    """
    connector = aiohttp.TCPConnector(socket_factory=open_socket, force_close=True, ssl=trust(ca_file))
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(
                connector=connector, timeout=timeout, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
            ) as session,
            session.get(url, headers=headers, allow_redirects=False) as answer,
        ):
            return answer.status
    except TimeoutError:
        raise FailureError(f"no answer within {_TIMEOUT_S} s", "check the base URL and the firewall") from None
    except aiohttp.ClientConnectorDNSError:
        raise FailureError("the host name is not known", "check the base URL and the machine's DNS") from None
    except aiohttp.ClientConnectorCertificateError:
        raise FailureError("the certificate is not trusted", "check the base URL, and the machine's CAs") from None
    except aiohttp.ClientSSLError:
        raise FailureError("TLS failed", "check whether the base URL should begin with http://") from None
    except (aiohttp.ClientError, OSError):
        raise FailureError("the provider cannot be reached", "check the base URL, and that it is running") from None
