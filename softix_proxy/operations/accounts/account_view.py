"""What pages are about: the account of a session, and the organisation that was chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from softix_proxy.domain.access.identity import ID_PREFIX
from softix_proxy.domain.access.users import User
from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.accounts.sessions import Session
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.core.shown_names import name_of


@dataclass(frozen=True, slots=True)
class AccountView:
    account: Account
    memberships: tuple[Membership, ...]
    membership: Membership | None
    """The membership of the organisation that was chosen, or else of the first one."""
    organisation: User | None
    organisation_name: str = ""
    """The name by which people know it."""


class JoinedOrganisation(NamedTuple):
    membership: Membership
    organisation: User
    name: str
    """The name by which people know the organisation."""


async def load(storage: Storage, session: Session, chosen: str) -> AccountView | None:
    """Returns the account of a session as it is now, or None if it may not sign in any more.

    `chosen` is the public id of an organisation. One that the account does not belong to counts as none.
    """
    unit = storage.reading()
    account = await unit.accounts.get(session.account_id)
    if not account.can_sign_in:
        return None
    memberships = tuple(await unit.memberships.of_account(account.id))
    membership, organisation = await _chosen(unit, memberships, chosen)
    name = "" if organisation is None else await name_of(unit, organisation.id)
    return AccountView(account, memberships, membership, organisation, name)


async def joined(storage: Storage, account_id: int) -> Sequence[JoinedOrganisation]:
    """Returns the organisations that an account belongs to, the oldest membership first."""
    return await joined_in(storage.reading(), account_id)


async def joined_in(unit: Unit, account_id: int) -> Sequence[JoinedOrganisation]:
    """Returns what `joined` does, as the transaction sees it."""
    return [
        JoinedOrganisation(each, await unit.users.get(each.user_id), await name_of(unit, each.user_id))
        for each in await unit.memberships.of_account(account_id)
    ]


async def _chosen(
    unit: Unit, memberships: tuple[Membership, ...], chosen: str
) -> tuple[Membership | None, User | None]:
    if not memberships:
        return None, None
    found = await unit.users.find(chosen) if chosen.startswith(ID_PREFIX) else None
    for membership in memberships:
        if found is not None and membership.user_id == found.id:
            return membership, found
    return memberships[0], await unit.users.get(memberships[0].user_id)
