"""An organisation with a person of each role, and another one with a stranger who owns it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from support.organisation import join, own, project
from support.portal import Got, Portal

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.organisations.organisations import OPERATOR
from softix_proxy.operations.access import keys, users
from softix_proxy.operations.metering import budgets
from softix_proxy.operations.organisations import invitations
from softix_proxy.web.portal.organisation.routes import ROUTES


@dataclass
class Acme:
    """The portal, and the ids of what acme has. Each person is signed in by the own name."""

    portal: Portal
    key: str
    free_key: str
    budget: str
    invitation: str

    async def ask(self, method: str, path: str, who: str | None, form: dict[str, str] | None = None) -> Got:
        """`{key}` and the like in the path and the form stand for the ids."""
        return await self.portal.ask(
            method,
            self.named(path),
            token=who,
            form={name: self.named(value) for name, value in (form or {}).items()} if method == "POST" else None,
        )

    def named(self, text: str) -> str:
        for name in ("key", "free_key", "budget", "invitation"):
            text = text.replace(f"{{{name}}}", getattr(self, name))
        return text


@pytest.fixture
async def acme(serve: Any, request: pytest.FixtureRequest) -> AsyncIterator[Acme]:
    """A test may give settings of the portal, as the parameter of the fixture."""
    async with serve(ROUTES, **getattr(request, "param", {})) as portal:
        storage, vault = portal.storage, portal.context.vault
        for name in ("acme", "bolt"):
            await users.create(storage, name=name, email=f"{name}@example.org", role=UserRole.USER, postpaid=False)
        organisation = await users.show(storage, "acme")
        for role in OrganisationRole:
            await signed_in(portal, role.value, role, "acme")
        await signed_in(portal, "stranger", OrganisationRole.OWNER, "bolt")
        bot = await project(storage, "bot", organisation.id)
        await project(storage, "desk", organisation.id)
        used = (await keys.create(storage, vault, user="acme", label="ci")).key
        await own(storage, used.id, project_id=bot.id)
        free = (await keys.create(storage, vault, user="acme", label="free")).key
        standing = await budgets.set_to(storage, "acme", 10**12, "month", OPERATOR, project="bot")
        invited = await invitations.invite(
            storage, vault, "acme", "grace@example.org", OrganisationRole.MEMBER, OPERATOR
        )
        yield Acme(portal, used.public_id, free.public_id, standing.budget.public_id, invited.public_id)


async def signed_in(portal: Portal, name: str, role: OrganisationRole, user: str) -> None:
    membership = await join(portal.storage, name, role, user)
    await portal.sign_in(await portal.storage.reading().accounts.get(membership.account_id), name)
