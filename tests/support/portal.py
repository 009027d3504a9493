"""The real portal in this process: its listener on a free port, on a real instance, with a clock that tests move."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from multidict import CIMultiDict, CIMultiDictProxy
from support.audited_rows import audited_rows, require_entry
from support.books import StoppedClock

from softix_proxy import assembly
from softix_proxy.assembly import Instance
from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import User, UserRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.accounts.principals import os_user
from softix_proxy.domain.accounts.public_url import PublicUrl, parse_public_url
from softix_proxy.domain.accounts.sessions import COOKIE, Session, SignInMethod
from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.core.secret_tokens import token_digest
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.exports.core.templates import HtmlTemplates
from softix_proxy.exports.core.texts import texts
from softix_proxy.operations.access import users
from softix_proxy.operations.notices import outbox
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.vault.password_hasher import QueuedPasswordHasher
from softix_proxy.web.portal.core.page import PortalRoute
from softix_proxy.web.portal.core.portal_app import PortalApp
from softix_proxy.web.portal.core.portal_context import PortalContext
from softix_proxy.web.server.client_address import ClientAddresses
from softix_proxy.web.server.http_server import HttpServer, ListenerSettings

HOST = "portal.example.org"
URL = parse_public_url(f"https://{HOST}")
OWN_FORM = {"sec-fetch-site": "same-origin"}
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


class Got(NamedTuple):
    """What the portal answered."""

    status: int
    headers: CIMultiDictProxy[str]
    text: str

    @property
    def location(self) -> str:
        return self.headers.get("Location", "")

    @property
    def title(self) -> str:
        found = re.search(r"<h1>(.*?)</h1>", self.text, re.DOTALL)
        return found[1].strip() if found else ""

    def cookie(self) -> Mapping[str, str] | None:
        """The cookie that it sets: its value, and its attributes with names in lower case."""
        jar = SimpleCookie(self.headers.get("Set-Cookie", ""))
        if COOKIE not in jar:
            return None
        return {"value": jar[COOKIE].value, **{name: str(value) for name, value in jar[COOKIE].items() if value}}


@dataclass
class Portal:
    """A portal that serves, and a browser without a memory: each request says what it has."""

    context: PortalContext
    server: HttpServer
    clock: StoppedClock
    session: aiohttp.ClientSession
    url: str = ""

    @property
    def storage(self) -> Any:
        return self.context.storage

    async def ask(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        form: Any = None,
        headers: Mapping[str, str] | None = None,
        host: str | None = None,
        **options: Any,
    ) -> Got:
        sent = CIMultiDict({"Host": host or self.context.url.authority, "User-Agent": FIREFOX})
        if method == "POST":
            sent.extend(OWN_FORM)
        if token is not None:
            sent["Cookie"] = f"{COOKIE}={token}"
        for name, value in (headers or {}).items():
            sent[name] = value
        if form is not None:
            options["data"] = form
        async with self.session.request(
            method, self.url + path, headers=sent, allow_redirects=False, **options
        ) as answer:
            return Got(answer.status, answer.headers, (await answer.read()).decode())

    async def get(self, path: str, **options: Any) -> Got:
        return await self.ask("GET", path, **options)

    async def post(self, path: str, form: Any = None, **options: Any) -> Got:
        """Sends a form. Whatever it changes must be in the audit."""
        folder = self.context.settings.paths.data_dir
        before = audited_rows(folder)
        got = await self.ask("POST", path, form=form or {}, **options)
        if not path.startswith("/webhooks/"):  # a provider tells of payments, and nobody here did anything
            require_entry(before, audited_rows(folder), ["POST", path])
        return got

    async def account(self, email: str = "ada@example.org", password: str = "", **changes: Any) -> Account:
        """An account that may sign in."""
        now_us = self.clock.now_us()
        made = Account(0, "acc_ada", email, "Ada", UserRole.USER, AccountStatus.ACTIVE, now_us, now_us)
        made = replace(made, **{"public_id": f"acc_{email.partition('@')[0]}", **changes})
        async with self.storage.writing() as unit:
            account: Account = await unit.accounts.add(made)
            if password:
                hashed = await self.context.hasher.hash(password)
                await unit.accounts.set_password_hash(account.id, hashed)
            return account

    async def sign_in(self, account: Account, token: str = "t0ken", **changes: Any) -> str:
        """Adds a session of the account. Returns its token."""
        now_us = self.clock.now_us()
        session = Session(
            0,
            f"ses_{token}",
            account.id,
            token_digest(token),
            SignInMethod.PASSWORD,
            second_factor=False,
            is_pending=False,
            device="Firefox on Linux",
            created_at_us=now_us,
            seen_at_us=now_us,
            reauthenticated_at_us=now_us,
            idle_ends_at_us=now_us + 3600 * SECOND_US,
            ends_at_us=now_us + 7200 * SECOND_US,
        )
        async with self.storage.writing() as unit:
            await unit.sessions.add(replace(session, **changes))
        return token

    async def links(self) -> list[tuple[str, str]]:
        """The kind and the path of each message with a link, the newest first."""
        queued = await outbox.list_all(self.storage, limit=100)
        opened = [(each.notice.kind.value, outbox.open_links(self.context.vault, each)) for each in queued]
        return [(kind, links["action"]) for kind, links in opened if links]

    async def kinds(self) -> list[str]:
        """The kinds of all messages, the newest first."""
        return [each.notice.kind.value for each in await outbox.list_all(self.storage, limit=100)]


async def organisation(portal: Portal, name: str, *members: Account) -> User:
    """An organisation that these people own."""
    made = await users.create(
        portal.storage, name=name, email=f"{name}@example.org", role=UserRole.USER, postpaid=False
    )
    async with portal.storage.writing() as unit:
        for member in members:
            await unit.memberships.add(Membership(member.id, made.id, OrganisationRole.OWNER, 1))
    return made


@asynccontextmanager
async def serving_portal(
    folder: Path,
    routes: Sequence[PortalRoute],
    *,
    url: PublicUrl = URL,
    trusted_proxies: tuple[str, ...] = (),
    port: int = 0,
    **portal: Any,
) -> AsyncIterator[Portal]:
    """Serves these routes, on a free port if none is given. `portal` are settings of the section [portal]."""
    settings = assembly.read_settings(None, folder / "softix")
    settings = replace(
        settings,
        portal=replace(settings.portal, public_url=url.origin, **portal),
        server=replace(settings.server, trusted_proxies=trusted_proxies),
    )
    await assembly.initialise(settings)
    clock, hasher = StoppedClock(), QueuedPasswordHasher()
    database = await Database(settings.paths.database, clock).open()
    instance = Instance(settings, SqliteStorage(database), clock, database, os_user(1000))
    async with aiohttp.ClientSession() as session:
        context = PortalContext(
            storage=instance.storage,
            vault=await instance.vault(),
            hasher=hasher,
            settings=settings,
            clock=clock,
            templates=HtmlTemplates("portal", texts(), UTC),
            texts=texts(),
            url=url,
            client_addresses=ClientAddresses(trusted_proxies),
        )
        listening = ListenerSettings("127.0.0.1", port, None, 5, 5, 5, settings.portal.max_connections)
        server = HttpServer(PortalApp(context, routes).handle, context, listening)
        made = Portal(context, server, clock, session, await server.open())
        try:
            yield made
        finally:
            await server.close(0, asyncio.Event())
            await hasher.close()
            await database.close()
