"""People in organisations: accounts with memberships, on a database that has the users."""

from __future__ import annotations

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.organisations.key_owners import KeyOwner
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.domain.organisations.projects import Project
from softix_proxy.domain.ports.storage import Storage


async def person(storage: Storage, name: str, *, verified: bool = True) -> Account:
    """An account at example.org that can sign in."""
    account = Account(
        id=0,
        public_id=f"acc_{name}",
        email=f"{name}@example.org",
        display_name=name.capitalize(),
        role=UserRole.USER,
        status=AccountStatus.ACTIVE,
        created_at_us=1,
        verified_at_us=1 if verified else None,
    )
    async with storage.writing() as unit:
        return await unit.accounts.add(account)


async def join(storage: Storage, name: str, role: OrganisationRole, user: str = "usr_ada") -> Membership:
    """A new account that is a member."""
    account = await person(storage, name)
    async with storage.writing() as unit:
        found = await unit.users.find(user)
        assert found is not None
        membership = Membership(account.id, found.id, role, 1)
        await unit.memberships.add(membership)
    return membership


async def project(storage: Storage, name: str, user_id: int = 1) -> Project:
    async with storage.writing() as unit:
        return await unit.projects.add(Project(0, f"prj_{name}", user_id, name, 1))


async def own(storage: Storage, key_id: int, *, account_id: int | None = None, project_id: int | None = None) -> None:
    async with storage.writing() as unit:
        await unit.key_owners.set(key_id, KeyOwner(account_id, project_id))
