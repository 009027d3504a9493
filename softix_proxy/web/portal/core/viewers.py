"""Loads the person of a session, and the organisation that the pages are about."""

from __future__ import annotations

from softix_proxy.domain.access.organisations import Membership
from softix_proxy.domain.access.sessions import Session
from softix_proxy.domain.access.users import User
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.web.portal.core.page import Viewer


async def load(storage: Storage, session: Session, chosen: str) -> Viewer | None:
    """Returns the viewer, or None if the account may not sign in any more.

    `chosen` is the public id of an organisation. One that the account does not belong to counts as none.
    """
    unit = storage.reading()
    account = await unit.accounts.get(session.account_id)
    if not account.can_sign_in:
        return None
    memberships = tuple(await unit.memberships.of_account(account.id))
    membership, organisation = await _chosen(unit, memberships, chosen)
    return Viewer(account, session, memberships, membership, organisation)


async def _chosen(
    unit: Unit, memberships: tuple[Membership, ...], chosen: str
) -> tuple[Membership | None, User | None]:
    if not memberships:
        return None, None
    found = await unit.users.find(chosen) if chosen.startswith("usr_") else None
    if found is not None:
        for membership in memberships:
            if membership.user_id == found.id:
                return membership, found
    first = memberships[0]
    return first, await unit.users.get(first.user_id)
