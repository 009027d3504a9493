"""What operators do with the accounts of others, and what they see of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from softix_proxy.domain.access.roles import Granter
from softix_proxy.domain.accounts.accounts import Account, AccountStatus
from softix_proxy.domain.accounts.security_events import SecurityEvent
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.operations.accounts import account_view, accounts
from softix_proxy.operations.accounts.account_view import JoinedOrganisation

_EVENTS = 50
_MEMBERS = 200


async def set_role(storage: Storage, actor: Account, reference: str, role: str, by: Granter) -> Account:
    """Sets the role of another account, and ends its sessions, so that it signs in with the new permissions.

    Nobody sets the own role. Raises BadInputError, NotFoundError, NotPermittedError for a role that the granter may not
    give or take, and ConflictError for the actor's own account, and for the last admin.
    """
    async with storage.writing() as unit:
        account = await _other(unit, actor, reference)
        return await accounts.change_role(unit, account, role, by)


async def set_status(storage: Storage, actor: Account, reference: str, status: AccountStatus, by: Granter) -> Account:
    """Disables or enables another account. A disabled one is signed out everywhere. Raises as `set_role` does."""
    async with storage.writing() as unit:
        account = await _other(unit, actor, reference)
        return await accounts.change_status(unit, account, status, by)


async def _other(unit: Unit, actor: Account, reference: str) -> Account:
    account = await find(unit, reference)
    if account.id == actor.id:
        raise ConflictError("nobody changes their own account here", "ask another admin")
    return account


async def find(unit: Unit, reference: str) -> Account:
    """Returns the account with this public id. Raises NotFoundError."""
    account = await unit.accounts.find(reference)
    if account is None or account.public_id != reference:
        raise NotFoundError(f"no account {reference!r}", "see: softix accounts list")
    return account


async def accounts_page(
    storage: Storage, *, search: str = "", before: str | None = None, limit: int = 50
) -> Sequence[Account]:
    """Returns the accounts of people, the newest first: those before the account of this id, if one is given.

    `search` selects those whose id, address or display name contains the text. Raises NotFoundError.
    """
    unit = storage.reading()
    before_id = (await find(unit, before)).id if before else None
    return await unit.accounts.page(search, before_id, limit)


@dataclass(frozen=True, slots=True)
class SeenAccount:
    """An account as an operator sees it."""

    account: Account
    memberships: Sequence[JoinedOrganisation]
    events: Sequence[SecurityEvent]
    sessions: int
    """The number of sessions that have not ended."""


async def show_account(storage: Storage, reference: str) -> SeenAccount:
    """Returns the account with its organisations and what happened to its security. Raises NotFoundError."""
    unit = storage.reading()
    account = await find(unit, reference)
    own = await account_view.joined_in(unit, account.id)
    events = await unit.security_events.list(account.id, _EVENTS)
    return SeenAccount(account, own, events, len(await unit.sessions.list(account.id, unit.clock.now_us())))


async def members(storage: Storage, user_id: int) -> Sequence[tuple[Membership, Account]]:
    """Returns the members of an organisation with their accounts, the oldest first."""
    unit = storage.reading()
    found = await unit.memberships.of_organisation(user_id)
    return [(each, await unit.accounts.get(each.account_id)) for each in found[:_MEMBERS]]


async def security_events(
    storage: Storage, account: str | None = None, *, before: int | None = None, limit: int = 50
) -> Sequence[tuple[SecurityEvent, Account | None]]:
    """Returns security events with their accounts, the newest first: those before that number, if one is given.

    They are of one account or of all. Raises NotFoundError.
    """
    unit = storage.reading()
    account_id = (await find(unit, account)).id if account else None
    events = await unit.security_events.list(account_id, limit, before)
    known = {number: await unit.accounts.get(number) for number in {event.account_id for event in events} if number}
    return [(event, known.get(event.account_id or 0)) for event in events]
