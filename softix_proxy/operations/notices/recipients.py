"""Finds the people who are told about an organisation, and tells them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.operations.notices.outbox import enqueue


async def members_who_may(unit: Unit, user_id: int, permission: Permission) -> Sequence[Account]:
    """Returns the members of the organisation who have this right, and whose address is verified and account active."""
    members = [member for member in await unit.memberships.of_organisation(user_id) if member.may(permission)]
    accounts = [await unit.accounts.get(member.account_id) for member in members]
    return [account for account in accounts if account.can_sign_in]


async def tell(
    unit: Unit,
    user_id: int,
    permission: Permission,
    kind: NoticeKind,
    values: Mapping[str, str],
    once: Callable[[Account], str] | None = None,
) -> int:
    """Adds a message without links to each member who has this right, in the caller's transaction. Returns how many.

    `once` names the cause for one person, so that the same cause is told once.
    """
    added = 0
    for account in await members_who_may(unit, user_id, permission):
        name = "" if once is None else once(account)
        added += await enqueue(unit, None, Notice(kind, account.email, values, account_id=account.id, once=name))
    return added
