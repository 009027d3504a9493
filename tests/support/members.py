"""People who can sign in, and the organisations that they belong to."""

from __future__ import annotations

from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import UserRole
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.domain.ports.storage import Storage


async def join(
    storage: Storage,
    user_id: int,
    name: str,
    role: OrganisationRole = OrganisationRole.OWNER,
    *,
    is_verified: bool = True,
    status: AccountStatus = AccountStatus.ACTIVE,
) -> Account:
    """Makes the account `name@example.org`, a member of the organisation."""
    async with storage.writing() as unit:
        now_us = unit.clock.now_us()
        account = await unit.accounts.add(
            Account(
                id=0,
                public_id=new_public_id("acc"),
                email=f"{name}@example.org",
                display_name=name.capitalize(),
                role=UserRole.USER,
                status=status,
                created_at_us=now_us,
                verified_at_us=now_us if is_verified else None,
            )
        )
        await unit.memberships.add(Membership(account.id, user_id, role, now_us))
        return account
