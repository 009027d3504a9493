"""The operations on invitations to an organisation.

The link in the message has a token, which is bound to the address that it was sent to. A page shows what the link is
for, and only a form that follows uses it up, because programs that scan mail open every link.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from shlex import quote
from typing import Any

from softix_proxy.domain.access.identity import checked_email
from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.access.users import User
from softix_proxy.domain.accounts.account_tokens import TokenPurpose
from softix_proxy.domain.accounts.accounts import Account, folded_email
from softix_proxy.domain.core.clock import format_instant
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.core.ids import new_public_id
from softix_proxy.domain.notices.contents import ACTION
from softix_proxy.domain.notices.outbox import Notice, NoticeKind
from softix_proxy.domain.organisations.invitations import Invitation
from softix_proxy.domain.organisations.organisations import OPERATOR, Actor, Membership, may_grant
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.ports.vault import Vault
from softix_proxy.operations.accounts import account_tokens, invitation_links, security_events, throttles
from softix_proxy.operations.core.shown_names import name_of
from softix_proxy.operations.notices import facts
from softix_proxy.operations.notices.outbox import enqueue
from softix_proxy.operations.organisations.organisations import authorized

_LASTS_US = account_tokens.LASTS_US[TokenPurpose.INVITATION]
_MOST_OPEN = 50
_GONE = "the invitation is used, withdrawn or too old", "ask for a new one"


@dataclass(frozen=True, slots=True)
class OpenInvitation:
    """An invitation that can be accepted, as its page shows it."""

    invitation: Invitation
    organisation: User
    organisation_name: str
    """The name by which people know it."""
    invited_by: str
    """The name of the member who invited. Empty if an operator did."""
    has_account: bool
    """Whether the address has an account. Only whoever has the token is told."""

    def is_for(self, account: Account) -> bool:
        return folded_email(account.email) == folded_email(self.invitation.email)


async def invite(
    storage: Storage, vault: Vault, organisation: str, email: str, role: OrganisationRole, by: Actor
) -> Invitation:
    """Sends an invitation. An open one of the same address ends.

    Raises NotFoundError, BadInputError, ConflictError, and RefusedError(RATE_LIMITED) if members invite too often.
    """
    address = checked_email(email.strip())
    async with storage.writing() as unit:
        user, actor = await authorized(unit, organisation, by, Permission.ORGANISATIONS_WRITE)
        if not may_grant(actor, role):
            raise ConflictError("nobody grants a right that they do not have", "invite with another role")
        person = await unit.accounts.by_email(address)
        if person is not None and await unit.memberships.find(person.id, user.id) is not None:
            raise ConflictError("this person is a member already", "change the role instead")
        now_us, others = unit.clock.now_us(), 0
        for earlier in await unit.invitations.open(user.id, now_us):
            if folded_email(earlier.email) == folded_email(address):
                await _withdraw(unit, earlier, now_us)
            else:
                others += 1
        if actor != OPERATOR:
            await _count(unit, vault, user, actor, address, others)
        to = address if person is None else person.email
        invited_by = None if actor == OPERATOR else actor.account_id
        made = await unit.invitations.add(
            Invitation(0, new_public_id("inv"), user.id, to, role, invited_by, now_us, now_us + _LASTS_US)
        )
        token = await account_tokens.issue(unit, TokenPurpose.INVITATION, to, invitation_id=made.id)
        await enqueue(unit, vault, await _notice(unit, made, token))
        return made


async def _count(unit: Unit, vault: Vault, user: User, by: Membership, address: str, open_ones: int) -> None:
    """Counts an invitation by a member. Else an organisation would be a way to send mail to anybody.

    Raises ConflictError, RefusedError(RATE_LIMITED).
    """
    if open_ones >= _MOST_OPEN:
        raise ConflictError(
            f"an organisation has at most {_MOST_OPEN} open invitations", "cancel some, or wait until they are accepted"
        )
    account = await unit.accounts.get(by.account_id)
    await throttles.take(unit, throttles.INVITE_BY_ACCOUNT, account.public_id)
    await throttles.take(unit, throttles.INVITE_BY_ORGANISATION, user.public_id)
    await throttles.take(unit, throttles.INVITATION_MAIL, throttles.email_subject(vault, address))


async def has_account(storage: Storage, invitation: Invitation) -> bool:
    """Returns whether the person who is invited has an account. Only operators may be told."""
    return await storage.reading().accounts.by_email(invitation.email) is not None


async def find(storage: Storage, token: str) -> OpenInvitation:
    """Returns what a link is for, and leaves it as it is. Raises NotFoundError."""
    async with storage.snapshot() as unit:
        return await _opened(unit, await invitation_links.look(unit, token))


async def accept(storage: Storage, token: str, account_id: int) -> Membership:
    """Makes the account a member, and ends the invitation. The account has the address that was invited.

    Raises NotFoundError, and ConflictError for another account or a member.
    """
    async with storage.writing() as unit:
        now_us, account = unit.clock.now_us(), await unit.accounts.get(account_id)
        opened = await _opened(unit, await invitation_links.consume(unit, token))
        if not opened.is_for(account) or not account.can_sign_in:
            raise ConflictError("the invitation was sent to another address", "sign in with that address")
        membership = Membership(account.id, opened.organisation.id, opened.invitation.role, now_us)
        await unit.memberships.add(membership)
        await unit.invitations.update(replace(opened.invitation, accepted_at_us=now_us))
        await security_events.record(unit, "member_added", account.id, subject=opened.organisation.public_id)
        return membership


async def open_of(storage: Storage, organisation: str, by: Actor) -> Sequence[Invitation]:
    """Returns the organisation's open invitations. Raises NotFoundError."""
    async with storage.snapshot() as unit:
        user, _ = await authorized(unit, organisation, by, Permission.ORGANISATIONS_WRITE)
        return await unit.invitations.open(user.id, unit.clock.now_us())


async def revoke(storage: Storage, organisation: str, invitation: str, by: Actor) -> Invitation:
    """Withdraws an invitation. Its link leads nowhere from now on. Raises NotFoundError."""
    async with storage.writing() as unit:
        user, _ = await authorized(unit, organisation, by, Permission.ORGANISATIONS_WRITE)
        now_us = unit.clock.now_us()
        found = await unit.invitations.find(user.id, invitation)
        if found is None or not found.is_open(now_us):
            raise NotFoundError(
                f"no open invitation {invitation!r}", f"see: softix organisations invitations {quote(user.name)}"
            )
        return await _withdraw(unit, found, now_us)


def as_fields(invitation: Invitation) -> dict[str, Any]:
    """Returns the fields that people see. The token is not among them, and nobody can get it again."""
    return {
        "id": invitation.public_id,
        "email": invitation.email,
        "role": invitation.role.value,
        "created_at": format_instant(invitation.created_at_us),
        "expires_at": format_instant(invitation.expires_at_us),
    }


async def _opened(unit: Unit, invitation: Invitation | None) -> OpenInvitation:
    if invitation is None:
        raise NotFoundError(*_GONE)
    organisation = await unit.users.get(invitation.user_id)
    name = await name_of(unit, organisation.id)
    has_account = await unit.accounts.by_email(invitation.email) is not None
    return OpenInvitation(invitation, organisation, name, await _name_of_inviter(unit, invitation), has_account)


async def _withdraw(unit: Unit, invitation: Invitation, now_us: int) -> Invitation:
    revoked = replace(invitation, revoked_at_us=now_us)
    await unit.invitations.update(revoked)
    await unit.account_tokens.end_invitation(invitation.id)
    return revoked


async def _name_of_inviter(unit: Unit, invitation: Invitation) -> str:
    return "" if invitation.invited_by is None else (await unit.accounts.get(invitation.invited_by)).display_name


async def _notice(unit: Unit, invitation: Invitation, token: str) -> Notice:
    values = {
        "organisation": await name_of(unit, invitation.user_id),
        "role": invitation.role.value,
        "expires": facts.when(invitation.expires_at_us),
    }
    if by := await _name_of_inviter(unit, invitation):
        values["by"] = by
    links = {ACTION: f"/invitations/{token}"}
    return Notice(NoticeKind.INVITATION, invitation.email, values=values, links=links)
