"""Finds the people who are told about an organisation."""

from __future__ import annotations

from collections.abc import Sequence

from softix_proxy.domain.accounts.accounts import Account
from softix_proxy.domain.organisations.organisations import Right
from softix_proxy.domain.ports.storage import Unit


async def members_who_may(unit: Unit, user_id: int, right: Right) -> Sequence[Account]:
    """Returns the members of the organisation who have this right, and whose address is verified and account active."""
    members = [member for member in await unit.memberships.of_organisation(user_id) if member.may(right)]
    accounts = [await unit.accounts.get(member.account_id) for member in members]
    return [account for account in accounts if account.can_sign_in]
