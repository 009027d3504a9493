"""The admin API of a real daemon, with tokens for it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple

import aiohttp
from multidict import CIMultiDictProxy
from support.daemon import Prepared
from support.portal_daemon import PortalDaemon, portal_daemon


class Said(NamedTuple):
    """What the API answered."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def value(self) -> Any:
        return json.loads(self.body)


@dataclass
class AdminApi:
    """The API at the portal of a daemon, by one token."""

    daemon: PortalDaemon
    session: aiohttp.ClientSession
    token: str

    async def get(self, path: str, **headers: str) -> Said:
        return await self.ask("GET", path, None, headers)

    async def post(self, path: str, body: Any = None, **headers: str) -> Said:
        """`if_match="…"` is the header `If-Match`."""
        return await self.ask("POST", path, {} if body is None else body, headers)

    async def ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Said:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        with_token = {"Authorization": f"Bearer {self.token}", **named}
        url = f"{self.daemon.url}/admin/v1/{path}"
        async with self.session.request(method, url, json=body, headers=with_token) as answer:
            return Said(answer.status, answer.headers, await answer.read())


@asynccontextmanager
async def admin_api(prepared: Prepared, role: str = "owner-operator", **variables: str) -> AsyncIterator[AdminApi]:
    """Serves the portal with the API, until the block ends."""
    async with portal_daemon(prepared, **variables) as daemon, aiohttp.ClientSession() as session:
        yield AdminApi(daemon, session, new_token(daemon, role))


def new_token(daemon: PortalDaemon, role: str) -> str:
    token: str = daemon.cli("tokens", "create", "--role", role)["token"]
    return token
