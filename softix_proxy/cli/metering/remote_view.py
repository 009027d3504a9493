"""Reads the pictures of `softix top` from the admin API of another machine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import aiohttp

from softix_proxy.cli.metering.live_views import ShownPicture
from softix_proxy.domain.accounts.public_url import PublicUrl, parse_public_url
from softix_proxy.domain.core.errors import BadInputError, FailureError, NotFoundError, NotPermittedError, OperatorError
from softix_proxy.operations.metering.live import LiveWish
from softix_proxy.upstream.sockets import trust

_TIMEOUT_S: Final = 20
_MOST_BYTES: Final = 4 << 20
_PATH: Final = "/admin/v1/top"


class RemoteView:
    """Asks the API once for each picture."""

    def __init__(self, session: aiohttp.ClientSession, server: PublicUrl) -> None:
        self._session = session
        self._server = server

    async def look(self, wish: LiveWish) -> ShownPicture:
        query = {"sort": wish.order, "reverse": _word(wish.reverse), "errors": _word(wish.errors_only)}
        named = {"user": wish.user, "key": wish.key, "model": wish.model}
        query |= {name: value for name, value in named.items() if value is not None}
        try:
            async with self._session.get(self._server.origin + _PATH, params=query, allow_redirects=False) as answer:
                return ShownPicture(wish, _fields(answer.status, await answer.content.read(_MOST_BYTES)))
        except TimeoutError:
            raise FailureError(f"{self._server.authority} did not answer in {_TIMEOUT_S} s", "try again") from None
        except (aiohttp.ClientError, OSError) as error:
            reason = "the certificate is not trusted" if isinstance(error, aiohttp.ClientSSLError) else "no connection"
            raise FailureError(
                f"{self._server.authority} cannot be reached: {reason}", "check --server, and that the portal runs"
            ) from None


@asynccontextmanager
async def remote_view(server: str, token: str | None) -> AsyncIterator[RemoteView]:
    """Opens the way to a portal. Raises BadInputError without a token, or for what is no address of a portal."""
    if token is None:
        raise BadInputError("another machine asks for an admin token", "put one into SOFTIX_TOKEN")
    timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
    headers = {"Authorization": f"Bearer {token.strip()}"}
    connector = aiohttp.TCPConnector(ssl=trust(None))
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, headers=headers, trust_env=False, cookie_jar=aiohttp.DummyCookieJar()
    ) as session:
        yield RemoteView(session, _address(server))


def _address(text: str) -> PublicUrl:
    """Reads the address of a portal, which has the same form as `portal.public_url`."""
    try:
        return parse_public_url(text)
    except BadInputError:
        raise BadInputError(
            f"--server is not the address of a portal: {text!r}",
            "write the portal.public_url of that machine: https://portal.example.org",
        ) from None


def _fields(status: int, body: bytes) -> Any:
    """Returns the fields of an answer. Raises the error that it tells."""
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    if status == 200 and isinstance(told, dict):
        return told
    detail, remedy = _told(told)
    kinds: dict[int, type[OperatorError]] = {401: NotPermittedError, 403: NotPermittedError, 404: NotFoundError}
    if detail is None:
        raise FailureError(f"what answered is no admin API of softix (status {status})", "check --server")
    raise kinds.get(status, FailureError)(detail, remedy)


def _told(problem: Any) -> tuple[str | None, str]:
    if not isinstance(problem, dict) or not isinstance(problem.get("detail"), str):
        return None, ""
    return problem["detail"], str(problem.get("remedy", ""))


def _word(value: bool) -> str:
    return "true" if value else "false"
