"""The access tokens, which are fetched with a credential and kept until shortly before they expire."""

from __future__ import annotations

import asyncio
import http.client
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from softix_proxy.domain.catalog.credentials import EntraClient, GoogleAccount
from softix_proxy.domain.core.clock import Clock, from_us
from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.instance import open_files
from softix_proxy.upstream.sockets import OutOfFilesError, dial, trust

_RENEWED_BEFORE_S = 300
_USUAL_S = 3600
_TIMEOUT_S = 10
_MOST_BYTES = 1 << 20
_GOOGLE_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    ends_ns: int
    """The time of expiry on the monotonic clock."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    status: int
    headers: Mapping[str, str]
    data: bytes


Send = Callable[[urllib.request.Request], HttpAnswer]


class Tokens:
    """Fetches and caches tokens: one fetch at a time for each credential, in a thread.

    It happens about once an hour.
    """

    def __init__(self, clock: Clock, ca_file: Path | None = None) -> None:
        self._clock = clock
        self._send: Send = partial(send, ca_file=ca_file)
        self._kept: dict[str, Token] = {}
        self._locks: dict[str, asyncio.Lock] = {}

    async def of(self, place: str, credential: EntraClient | GoogleAccount) -> str:
        """Returns a token. `place` identifies the credential.

        Raises FailureError, which names nothing of what was sent or received.
        """
        token = self._kept.get(place)
        if token is not None and self._clock.monotonic_ns() < token.ends_ns:
            return token.text
        async with self._locks.setdefault(place, asyncio.Lock()):
            token = self._kept.get(place)
            if token is None or self._clock.monotonic_ns() >= token.ends_ns:
                token = self._kept[place] = await self._fetch(credential)
        return token.text

    def forget(self, place: str) -> None:
        self._kept.pop(place, None)

    async def _fetch(self, credential: EntraClient | GoogleAccount) -> Token:
        fetch: Callable[[], tuple[str, int]]
        if isinstance(credential, EntraClient):
            fetch = partial(_entra, credential, self._send)
        else:
            fetch = partial(_google, credential, self._send, self._clock.now_us())
        started_ns = self._clock.monotonic_ns()
        text, lasts_s = await _in_thread(fetch)
        kept_s = max(lasts_s - _RENEWED_BEFORE_S, lasts_s // 2)
        return Token(text, started_ns + kept_s * _NS_PER_S)


async def _in_thread(fetch: Callable[[], tuple[str, int]]) -> tuple[str, int]:
    thread: Awaitable[tuple[str, int]] = asyncio.to_thread(fetch)
    try:
        return await thread
    except FailureError:
        raise
    except Exception as error:  # noqa: BLE001 - a library's errors contain what was sent
        raise FailureError(f"no access token: {type(error).__name__}", "check the provider's credential") from None


def _entra(client: EntraClient, ask: Send) -> tuple[str, int]:
    """Fetches a token by OAuth 2.0 client credentials, RFC 6749 section 4.4."""
    form = {
        "grant_type": "client_credentials",
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "scope": client.scope,
    }
    url = f"{client.authority.rstrip('/')}/{client.tenant_id}/oauth2/v2.0/token"
    request = urllib.request.Request(url, urlencode(form).encode(), method="POST")  # noqa: S310 - checked when parsed
    request.add_header("content-type", "application/x-www-form-urlencoded")
    answer = ask(request)
    if answer.status != 200:
        raise FailureError(f"Entra gives no token: it answers {answer.status}", "check client_id and client_secret")
    told = json.loads(answer.data)
    return str(told["access_token"]), int(told["expires_in"])


def _google(account: GoogleAccount, ask: Send, now_us: int) -> tuple[str, int]:
    try:
        from google.oauth2.service_account import Credentials
    except ImportError:
        raise FailureError("google-auth is not installed", "pip install 'softix-proxy[vertex]'") from None
    read: Callable[..., Any] = Credentials.from_service_account_info
    made = read(account.document, scopes=[_GOOGLE_SCOPE])
    made.refresh(partial(_for_google, ask))
    if not made.token:
        raise FailureError("Google gives no token", "check the service account")
    if made.expiry is None:
        return str(made.token), _USUAL_S
    left = made.expiry - from_us(now_us).replace(tzinfo=None)  # the library's instants are in UTC without a zone
    return str(made.token), max(int(left.total_seconds()), 0)


def _for_google(
    ask: Send,
    url: str,
    method: str = "GET",
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout: int | None = None,
    **_: Any,
) -> HttpAnswer:
    """Sends a request as the transport that google-auth calls."""
    return ask(urllib.request.Request(url, body, dict(headers or {}), method=method))  # noqa: S310 - the operator's


class _HttpConnection(http.client.HTTPConnection):
    """A connection to an address that was checked."""

    def connect(self) -> None:
        self.sock = dial(self.host, self.port, _TIMEOUT_S)


class _CheckedHttp(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_HttpConnection, request)


class _HttpsConnection(http.client.HTTPSConnection):
    """The same with TLS."""

    def __init__(self, host: str, *, trusted: ssl.SSLContext, **options: Any) -> None:
        super().__init__(host, context=trusted, **options)
        self._trusted = trusted

    def connect(self) -> None:
        self.sock = self._trusted.wrap_socket(dial(self.host, self.port, _TIMEOUT_S), server_hostname=self.host)


class _CheckedHttps(urllib.request.HTTPSHandler):
    def __init__(self, trusted: ssl.SSLContext) -> None:
        super().__init__(context=trusted)
        self._trusted = trusted

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(partial(_HttpsConnection, trusted=self._trusted), request)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def send(request: urllib.request.Request, *, ca_file: Path | None = None) -> HttpAnswer:
    """Sends a request without proxies of the environment, and without following redirects. Raises FailureError."""
    context = trust(ca_file)
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), _CheckedHttp, _CheckedHttps(context), _NoRedirect
    )
    try:
        with opener.open(request, timeout=_TIMEOUT_S) as answer:
            return HttpAnswer(answer.status, dict(answer.headers), answer.read(_MOST_BYTES))
    except urllib.error.HTTPError as error:
        with error:
            return HttpAnswer(error.code, dict(error.headers), error.read(_MOST_BYTES))
    except OSError as error:
        if open_files.are_used_up(error):
            raise OutOfFilesError("no file can be opened", open_files.RAISE_IT) from None
        raise FailureError("the token server cannot be reached", "check the machine's network and DNS") from None
