"""Finds users without a name of their own, addresses to which nothing can be sent, and people without their user."""

from __future__ import annotations

from collections.abc import AsyncIterator

from softix_proxy.doctor.check_context import CheckContext
from softix_proxy.doctor.findings import Observation, ok, warning
from softix_proxy.domain.access.identity import is_email
from softix_proxy.operations.access import users
from softix_proxy.operations.accounts import accounts

_SHOWN = 10


async def find(context: CheckContext) -> AsyncIterator[Observation]:
    """Looks at all users, and at the accounts whose address a user has."""
    known = await users.list_all(context.storage)
    unnamed = [user.public_id for user in known if user.name == user.public_id]
    unsendable = [user.public_id for user in known if not is_email(user.email)]
    for number in unnamed[:_SHOWN]:
        yield warning(
            f"the user {number} had a name that looks like an e-mail address or an id, so the id is the name now",
            f"softix users update {number} --name NAME",
        )
    for number in unsendable[:_SHOWN]:
        yield warning(
            f"the e-mail address of {number} is not one plain address, so nothing can be sent to it",
            f"softix users update {number} --email ADDRESS",
        )
    hidden = len(unnamed[_SHOWN:]) + len(unsendable[_SHOWN:])
    if hidden:
        yield warning(f"{hidden} more users need another name or address", "see: softix users list")
    unconnected = await accounts.unconnected(context.storage)
    for account, user in unconnected[:_SHOWN]:
        yield warning(
            f"the account {account.public_id} and the user {user.public_id} have one address, and are not connected",
            f"if both are the same person: softix accounts connect {account.public_id} {user.public_id}",
        )
    if not unnamed and not unsendable and not unconnected:
        yield ok(f"every user has a name and an e-mail address ({len(known)})")
