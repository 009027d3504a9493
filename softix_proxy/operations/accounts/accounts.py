"""The operations that an operator can run on accounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from softix_proxy.domain.access.identity import checked_display_name, checked_email
from softix_proxy.domain.access.roles import NO_GRANTER, NO_ROLE, Granter, OrganisationRole
from softix_proxy.domain.access.users import User
from softix_proxy.domain.accounts.accounts import Account, AccountStatus, is_admin, new_account
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.organisations.organisations import Membership
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.access import users
from softix_proxy.operations.accounts import account_view, password_resets, security_events


@dataclass(frozen=True, slots=True)
class AccountLink:
    """An account, and the path of a link with which its person sets a password. The link works once."""

    account: Account
    path: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AccountStanding:
    account: Account
    organisations: tuple[tuple[str, OrganisationRole], ...]
    """The public id of each organisation that it belongs to, and as what."""


async def create(
    storage: Storage,
    vault: Vault,
    *,
    email: str,
    display_name: str | None = None,
    role: str = NO_ROLE,
    organisation: str | None = None,
    organisation_role: OrganisationRole = OrganisationRole.OWNER,
    is_mailed: bool = True,
    by: Granter = NO_GRANTER,
) -> AccountLink:
    """Creates an account without a password, and the link for its first one.

    `organisation` connects the person with an existing user. Raises BadInputError, NotFoundError, ConflictError if the
    e-mail is taken, and NotPermittedError for a role that the granter may not give.
    """
    by.require(by.roles.require(role))
    address = checked_email(email)
    name = checked_display_name(display_name or address.partition("@")[0])
    async with storage.writing() as unit:
        now_us = unit.clock.now_us()
        owner = None if organisation is None else await users.find(unit, organisation)
        if await unit.accounts.by_email(address) is not None:
            raise ConflictError(
                f"an account has the e-mail {address!r} already",
                f"for a new link: softix accounts reset-link {address}",
            )
        account = await unit.accounts.add(new_account(address, name, now_us, role=role))
        if owner is not None:
            await unit.memberships.add(Membership(account.id, owner.id, organisation_role, now_us))
        return AccountLink(account, await password_resets.first_link(unit, vault, account, is_mailed=is_mailed))


async def list_all(storage: Storage) -> Sequence[AccountStanding]:
    unit = storage.reading()
    return [await _standing(unit, account) for account in await unit.accounts.list()]


async def show(storage: Storage, reference: str) -> AccountStanding:
    """Returns the account with this id or e-mail. Raises NotFoundError."""
    unit = storage.reading()
    return await _standing(unit, await find(unit, reference))


async def connect(
    storage: Storage, reference: str, organisation: str, role: OrganisationRole = OrganisationRole.OWNER
) -> AccountStanding:
    """Makes the person a member of an existing user. Raises NotFoundError, and ConflictError for a member."""
    async with storage.writing() as unit:
        account, owner = await find(unit, reference), await users.find(unit, organisation)
        await unit.memberships.add(Membership(account.id, owner.id, role, unit.clock.now_us()))
        await security_events.record(unit, "member_added", account.id, subject=owner.public_id)
        return await _standing(unit, account)


async def unconnected(storage: Storage) -> Sequence[tuple[Account, User]]:
    """Returns the people who belong to no organisation, each with the user that has the same address.

    Nobody verified the address of the user, so only an operator knows whether both are the same person.
    """
    unit, found = storage.reading(), []
    for account in await unit.accounts.list():
        user = await unit.users.find(account.email) if account.can_sign_in else None
        if user is not None and not await unit.memberships.of_account(account.id):
            found.append((account, user))
    return found


async def disable(storage: Storage, reference: str, by: Granter = NO_GRANTER) -> AccountStanding:
    """Disables the account, and ends its sessions and links in the same transaction.

    Raises NotFoundError, ConflictError for the last admin, and NotPermittedError for one who has more permissions.
    """
    async with storage.writing() as unit:
        account = await change_status(unit, await find(unit, reference), AccountStatus.DISABLED, by)
        return await _standing(unit, account)


async def enable(storage: Storage, reference: str, by: Granter = NO_GRANTER) -> AccountStanding:
    """Lets a disabled account sign in again. Raises NotFoundError, and NotPermittedError as `disable` does."""
    async with storage.writing() as unit:
        account = await change_status(unit, await find(unit, reference), AccountStatus.ACTIVE, by)
        return await _standing(unit, account)


async def change_status(unit: Unit, account: Account, status: AccountStatus, by: Granter) -> Account:
    """Sets the status. A disabled account has no session and no link any more.

    Raises ConflictError for the last admin, and NotPermittedError for one who has more permissions.
    """
    by.require(account.role)
    changed = replace(account, status=status)
    if changed == account:
        return account
    await _keep_an_admin(unit, account, changed)
    await unit.accounts.update(changed)
    if status is AccountStatus.DISABLED:
        await _end_sessions(unit, changed)
        await unit.account_tokens.end_all(changed.id)
    return changed


async def set_role(storage: Storage, reference: str, role: str, by: Granter) -> AccountStanding:
    """Sets what the person may do as an operator. It holds for the next page.

    Raises BadInputError, NotFoundError, ConflictError for the last admin, and NotPermittedError.
    """
    async with storage.writing() as unit:
        account = await change_role(unit, await find(unit, reference), role, by)
        return await _standing(unit, account)


async def change_role(unit: Unit, account: Account, role: str, by: Granter) -> Account:
    """Sets the role, and signs the account out, so that it signs in with its new permissions.

    Raises BadInputError, ConflictError for the last admin, and NotPermittedError for a role that the granter may not
    give or take.
    """
    by.require(by.roles.require(role), account.role)
    changed = replace(account, role=role)
    if changed != account:
        await _keep_an_admin(unit, account, changed)
        await unit.accounts.update(changed)
        await _end_sessions(unit, changed)
        await security_events.record(unit, "role_changed", changed.id, subject=changed.public_id)
    return changed


async def sign_out(storage: Storage, reference: str) -> int:
    """Ends every session of the account. Returns how many. Raises NotFoundError."""
    async with storage.writing() as unit:
        return await _end_sessions(unit, await find(unit, reference))


async def sign_out_everybody(storage: Storage) -> int:
    """Ends every session of every account. Returns how many."""
    async with storage.writing() as unit:
        return sum([await _end_sessions(unit, account) for account in await unit.accounts.list()])


async def reset_link(
    storage: Storage, vault: Vault, reference: str, *, is_mailed: bool = True, by: Granter = NO_GRANTER
) -> AccountLink:
    """Returns a new link with which the person sets a password. The password of today works until then.

    The second factors stay. Raises NotFoundError, ConflictError for a disabled account, and NotPermittedError for one
    who has more permissions than the granter.
    """
    async with storage.writing() as unit:
        account = await find(unit, reference)
        by.require(account.role)
        if not account.is_active:
            raise ConflictError("the account is disabled", f"run: softix accounts enable {account.public_id}")
        return AccountLink(account, await password_resets.first_link(unit, vault, account, is_mailed=is_mailed))


async def find(unit: Unit, reference: str) -> Account:
    """Returns the account with this id or e-mail. Raises NotFoundError."""
    account = await unit.accounts.find(reference)
    if account is None:
        raise NotFoundError(f"no account {reference!r}", "name it by its id or e-mail: softix accounts list")
    return account


def as_fields(standing: AccountStanding) -> dict[str, Any]:
    """Returns the fields that an operator is shown."""
    account = standing.account
    return {
        "id": account.public_id,
        "email": account.email,
        "display_name": account.display_name,
        "role": account.role,
        "status": account.status.value,
        "organisations": [{"id": public_id, "role": role.value} for public_id, role in standing.organisations],
        "verified_at": format_instant(account.verified_at_us),
        "created_at": format_instant(account.created_at_us),
    }


async def _standing(unit: Unit, account: Account) -> AccountStanding:
    joined = await account_view.joined_in(unit, account.id)
    return AccountStanding(account, tuple((each.organisation.public_id, each.membership.role) for each in joined))


async def _keep_an_admin(unit: Unit, before: Account, after: Account) -> None:
    """Raises ConflictError if nobody who can sign in could grant roles after this change, but somebody can now."""
    if not is_admin(before) or is_admin(after):
        return
    if not any(is_admin(other) for other in await unit.accounts.list() if other.id != before.id):
        raise ConflictError(
            "this is the last admin who can sign in",
            "make somebody else admin first, who can sign in: softix accounts set-role ACCOUNT admin",
        )


async def _end_sessions(unit: Unit, account: Account) -> int:
    ended = await unit.sessions.end_others(account.id)
    if ended:
        await security_events.record(unit, "session_ended", account.id)
    return ended
