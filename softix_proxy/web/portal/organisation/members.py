"""The pages of an organisation's members: who they are, what they may do, and what each of them may spend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.roles import OrganisationRole
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError, OperatorError
from softix_proxy.domain.metering.budgets import BUDGET_PERIODS
from softix_proxy.domain.organisations.organisations import may_grant
from softix_proxy.operations.metering import budgets
from softix_proxy.operations.organisations import invitations, organisations
from softix_proxy.operations.organisations.organisation_scope import OrganisationScope
from softix_proxy.operations.organisations.organisations import MemberStanding
from softix_proxy.web.portal.core.form_faults import sentence, status_of
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther
from softix_proxy.web.portal.organisation import budget_form
from softix_proxy.web.portal.organisation.scope import require, scope_of

_SAVED = "flash.saved"


async def list_members(request: PageRequest) -> Answer:
    scope = require(request, Permission.ORGANISATIONS_READ)
    may_manage = scope.membership.may(Permission.ORGANISATIONS_WRITE)
    opened = (
        await invitations.open_of(request.storage, scope.organisation.public_id, scope.membership) if may_manage else ()
    )
    values = {
        "members": await organisations.members(request.storage, scope.organisation.public_id, scope.membership),
        "invitations": opened,
        "may_manage": may_manage,
        "self_id": scope.membership.account_id,
    }
    return Page("members", values)


async def show_member(request: PageRequest) -> Answer:
    return await _member_page(request, require(request, Permission.ORGANISATIONS_WRITE))


async def change_role(request: PageRequest) -> Answer:
    scope, account = require(request, Permission.ORGANISATIONS_WRITE), request.parts["account"]
    try:
        role = _role(request.form.get("role", ""))
        await organisations.set_role(request.storage, scope.organisation.public_id, account, role, scope.membership)
    except (BadInputError, ConflictError) as error:
        return await _member_page(request, scope, error)
    return SeeOther("/members", _SAVED)


async def remove_member(request: PageRequest) -> Answer:
    """Removes a member. The field `keys` is `revoke`, or the id of the member who gets them."""
    scope, keys = require(request, Permission.ORGANISATIONS_WRITE), request.form.get("keys", "revoke")
    heir = None if keys == "revoke" else keys
    try:
        await organisations.remove(
            request.storage, scope.organisation.public_id, request.parts["account"], scope.membership, hand_keys_to=heir
        )
    except ConflictError as error:
        return await _member_page(request, scope, error)
    return SeeOther("/members", _SAVED)


async def set_budget(request: PageRequest) -> Answer:
    scope, account = require(request, Permission.BUDGETS_WRITE), request.parts["account"]
    try:
        asked = budget_form.read(request.form)
        await budgets.set_to(
            request.storage,
            scope.organisation.public_id,
            asked.amount_pico,
            asked.period,
            scope.membership,
            member=account,
            terms=asked.terms,
        )
    except (BadInputError, ConflictError) as error:
        return await _member_page(request, scope, error)
    return SeeOther(f"/members/{account}", _SAVED)


async def ask_invitation(request: PageRequest) -> Answer:
    return _invite_page(request, require(request, Permission.ORGANISATIONS_WRITE))


async def invite(request: PageRequest) -> Answer:
    scope, email = require(request, Permission.ORGANISATIONS_WRITE), request.form.get("email", "")
    try:
        role = _role(request.form.get("role", ""))
        await invitations.invite(
            request.storage, request.vault, scope.organisation.public_id, email, role, scope.membership
        )
    except (BadInputError, ConflictError) as error:
        return _invite_page(request, scope, error, email=email, role=request.form.get("role", ""))
    return SeeOther("/members", "flash.invited")


async def cancel_invitation(request: PageRequest) -> Answer:
    scope = require(request, Permission.ORGANISATIONS_WRITE)
    await invitations.revoke(
        request.storage, scope.organisation.public_id, request.parts["invitation"], scope.membership
    )
    return SeeOther("/members", _SAVED)


async def ask_leave(request: PageRequest) -> Answer:
    scope_of(request)
    return Page("members_leave", {"problem": None})


async def leave(request: PageRequest) -> Answer:
    scope = scope_of(request)
    try:
        await organisations.leave(request.storage, scope.organisation.public_id, scope.membership)
    except ConflictError as error:
        return Page("members_leave", {"problem": sentence(error)}, status_of(error))
    return SeeOther("/account", "flash.left", organisation="")


async def _member_page(request: PageRequest, scope: OrganisationScope, error: OperatorError | None = None) -> Page:
    members = await organisations.members(request.storage, scope.organisation.public_id, scope.membership)
    found = next((each for each in members if each.account.public_id == request.parts["account"]), None)
    if found is None:
        raise NotFoundError("there is no such member")
    standings = await budgets.list_all(request.storage, scope.organisation.public_id, scope.membership)
    values: dict[str, Any] = {
        "member": found,
        "roles": _grantable(scope, found),
        "heirs": _heirs(members, found),
        "budgets": [each for each in standings if each.budget.account_id == found.account.id],
        "form": budget_form.shown(request.form),
        "periods": BUDGET_PERIODS,
        "problem": sentence(error),
    }
    return Page("member", values, status_of(error))


def _invite_page(
    request: PageRequest,
    scope: OrganisationScope,
    error: OperatorError | None = None,
    *,
    email: str = "",
    role: str = "",
) -> Page:
    values = {
        "may_register": request.settings.portal.registration != "closed",
        "roles": [each.value for each in OrganisationRole if may_grant(scope.membership, each)],
        "email": email,
        "role": role or OrganisationRole.MEMBER.value,
        "problem": sentence(error),
    }
    return Page("members_invite", values, status_of(error))


def _grantable(scope: OrganisationScope, member: MemberStanding) -> Sequence[str]:
    """Returns the roles that the person may give to this member. There are none if the member has more rights."""
    if not may_grant(scope.membership, member.membership.role):
        return ()
    return [role.value for role in OrganisationRole if may_grant(scope.membership, role)]


def _heirs(members: Sequence[MemberStanding], leaving: MemberStanding) -> Sequence[MemberStanding]:
    return [
        each for each in members if each.account.id != leaving.account.id and each.membership.may(Permission.KEYS_OWN)
    ]


def _role(text: str) -> OrganisationRole:
    try:
        return OrganisationRole(text)
    except ValueError:
        raise BadInputError("there is no such role", "choose one of the list") from None
