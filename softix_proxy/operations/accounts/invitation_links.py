"""The links of invitations: which of them can still be used. Joining and registering ask the same rule."""

from __future__ import annotations

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.accounts.account_tokens import AccountToken, TokenPurpose
from softix_proxy.domain.core.secret_tokens import token_digest
from softix_proxy.domain.organisations.invitations import Invitation
from softix_proxy.domain.organisations.organisations import may_grant
from softix_proxy.domain.ports.storage import Unit


async def look(unit: Unit, text: str) -> Invitation | None:
    """Returns the invitation that a link leads to, and spends nothing. None if the link is worth nothing any more."""
    now_us = unit.clock.now_us()
    return await _usable(unit, await unit.account_tokens.find(token_digest(text), TokenPurpose.INVITATION, now_us))


async def consume(unit: Unit, text: str) -> Invitation | None:
    """Returns what `look` does, and ends the link."""
    now_us = unit.clock.now_us()
    return await _usable(unit, await unit.account_tokens.consume(token_digest(text), TokenPurpose.INVITATION, now_us))


async def _usable(unit: Unit, token: AccountToken | None) -> Invitation | None:
    invitation = None if token is None else await unit.invitations.get(token.invitation_id or 0)
    if invitation is None or not invitation.is_open(unit.clock.now_us()) or not await _stands(unit, invitation):
        return None
    return invitation


async def _stands(unit: Unit, invitation: Invitation) -> bool:
    """Returns whether whoever invited could still do it.

    Who was removed or disabled must not come back by an own invitation.
    """
    if invitation.invited_by is None:
        return True
    if not (await unit.accounts.get(invitation.invited_by)).can_sign_in:
        return False
    inviter = await unit.memberships.find(invitation.invited_by, invitation.user_id)
    return inviter is not None and inviter.may(Permission.ORGANISATIONS_WRITE) and may_grant(inviter, invitation.role)
