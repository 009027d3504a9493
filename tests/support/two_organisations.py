"""Two organisations with members of every role, keys and usage, and requests for pages as their members make them."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, DictLoader, PackageLoader
from support.books import NOW_US, USD, StoppedClock, make_database, make_intent, make_settlement, post

from softix_proxy import settings as settings_module
from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import User, UserRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.accounts.audit import Channel
from softix_proxy.domain.accounts.public_url import parse_public_url
from softix_proxy.domain.accounts.sessions import Session, SignInMethod
from softix_proxy.domain.core.clock import DAY_US, SECOND_US
from softix_proxy.domain.core.ids import format_request_id
from softix_proxy.domain.organisations.key_owners import KeyOwner
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.domain.ports.vault import NewKey
from softix_proxy.domain.pricing.prices import PriceVersion
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.exports.core.templates import HtmlTemplates
from softix_proxy.exports.core.texts import texts
from softix_proxy.operations.access.door import account_door
from softix_proxy.operations.organisations.organisation_scope import OrganisationScope
from softix_proxy.settings import Settings
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, Viewer

ADA, BOB = 1, 2
"""The numbers of the organisations."""
ROLES = tuple(OrganisationRole)
OWN_KEY, FOREIGN_KEY = "key_ada", "key_bob"
OWN_REQUEST, FOREIGN_REQUEST = format_request_id(1 << 22), format_request_id(2 << 22)
CHARGE_PICO = USD // 100


class KeyMaker:
    """The verb of the vault that pages of keys need."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def new_api_key(self) -> NewKey:
        text = f"sx_live_{secrets.token_hex(16)}"
        self.made.append(text)
        return NewKey(text, text[:12], secrets.token_bytes(32))


@dataclass
class Organisations:
    """A real database. Each role of the first organisation has one member; the owner of the second is a stranger."""

    database: Database
    storage: SqliteStorage
    settings: Settings
    clock: StoppedClock
    vault: KeyMaker = field(default_factory=KeyMaker)
    members: dict[OrganisationRole, Account] = field(default_factory=dict)

    async def user(self, number: int = ADA) -> User:
        return await self.storage.reading().users.get(number)

    def membership(self, role: OrganisationRole, number: int = ADA) -> Membership:
        return Membership(self.members[role].id, number, role, NOW_US)

    async def scope(self, role: OrganisationRole = OrganisationRole.OWNER) -> OrganisationScope:
        return OrganisationScope(self.storage, await self.user(), self.membership(role))

    async def viewer(self, role: OrganisationRole) -> Viewer:
        account, membership = self.members[role], self.membership(role)
        return Viewer(account, session_of(account), (membership,), membership, await self.user())

    async def request(
        self,
        method: str,
        path: str,
        *,
        role: OrganisationRole = OrganisationRole.OWNER,
        parts: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        viewer: Viewer | None = None,
        operation: str = "account.update",
        **portal: Any,
    ) -> PageRequest:
        settings = replace(self.settings, portal=replace(self.settings.portal, **portal)) if portal else self.settings
        vault: Any = self.vault
        seen = viewer or await self.viewer(role)
        door = account_door(self.storage, seen.account, Channel.PORTAL, settings.roles.table)
        return PageRequest(
            path=path,
            parts=parts or {},
            query=query or {},
            form=form or {},
            now_us=self.clock.us,
            address="203.0.113.7",
            device="Firefox on Linux",
            storage=door.recorded(operation),
            door=door,
            settings=settings,
            vault=vault,
            hasher=vault,
            url=parse_public_url(settings.portal.public_url or "http://localhost:8485"),
            _viewer=seen,
        )

    def use(self, *, user: int = ADA, number: int, days_ago: int = 0, **changes: Any) -> None:
        """One request that was settled. `number` makes its id."""
        connection = self.database.connect()
        intent_changes = {name: changes.pop(name) for name in ("key_id", "model_id", "price_id") if name in changes}
        intent = make_intent(number << 22, 0, hold_pico=USD // 10, user=user, **intent_changes)
        settled = make_settlement(intent, **{"charge_pico": CHARGE_PICO, **changes})
        post(connection, [settled], self.clock.us - days_ago * DAY_US)
        connection.close()

    def run(self, statement: str, *values: Any) -> None:
        """Does by hand what no operation does."""
        connection = self.database.connect()
        connection.execute(statement, values)
        connection.close()


def session_of(account: Account) -> Session:
    return Session(
        1,
        "ses_one",
        account.id,
        b"",
        SignInMethod.PASSWORD,
        second_factor=False,
        is_pending=False,
        device="Firefox on Linux",
        created_at_us=NOW_US,
        seen_at_us=NOW_US,
        reauthenticated_at_us=NOW_US,
        idle_ends_at_us=NOW_US + 3600 * SECOND_US,
        ends_at_us=NOW_US + 7200 * SECOND_US,
    )


def account_of(name: str) -> Account:
    return Account(
        0, f"acc_{name}", f"{name}@example.org", name.title(), UserRole.USER, AccountStatus.ACTIVE, NOW_US, NOW_US
    )


@asynccontextmanager
async def organisations(folder: Path) -> AsyncIterator[Organisations]:
    clock = StoppedClock()
    database = await make_database(folder, clock).open()
    made = Organisations(database, SqliteStorage(database), settings_module.load(None, folder, {}), clock)
    await populate(made)
    yield made
    await database.close()


async def populate(made: Organisations) -> None:
    """Adds members, owners of keys, a price and two requests to the two users of `support.books`."""
    async with made.storage.writing() as unit:
        for role in ROLES:
            account = await unit.accounts.add(account_of(role.value))
            made.members[role] = account
            await unit.memberships.add(Membership(account.id, ADA, role, NOW_US))
        stranger = await unit.accounts.add(account_of("stranger"))
        await unit.memberships.add(Membership(stranger.id, BOB, OrganisationRole.OWNER, NOW_US))
        await unit.key_owners.set(1, KeyOwner(account_id=made.members[OrganisationRole.MEMBER].id))
        sheet = PriceSheet.parse({"bands": [{"prices": {"input": "1.00", "output": "2.00"}}]})
        await unit.prices.add_all([PriceVersion(0, 1, None, "operator", sheet, 1, 1)])
    made.use(number=1)
    made.use(number=2, user=BOB)


_PLAIN = """<main class="{% block shape %}{% endblock %}"><h1>{% block title %}{% endblock %}</h1>
{% block content %}{% endblock %}</main>"""


def shown(page: Answer, viewer: Viewer) -> str:
    """The HTML of a page, in a frame that has nothing of its own."""
    assert isinstance(page, Page)
    own = PackageLoader("softix_proxy", "data/templates/portal")
    templates = HtmlTemplates("portal", texts(), UTC, ChoiceLoader([DictLoader({"layout.html": _PLAIN}), own]))
    return templates.render(page.template, {"viewer": viewer, "served": {"/billing"}, **page.values})
