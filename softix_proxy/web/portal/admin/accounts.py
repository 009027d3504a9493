"""The pages of people's accounts, and of what they may do under /admin."""

from __future__ import annotations

from functools import partial

from softix_proxy.domain.access.roles import OPERATOR_ROLES, Granter
from softix_proxy.domain.accounts.accounts import AccountStatus
from softix_proxy.domain.core.errors import OperatorError
from softix_proxy.operations.accounts import operators
from softix_proxy.web.portal.admin.admin_page import admin_page, asked_status
from softix_proxy.web.portal.admin.faults import ShownFault, shown_fault
from softix_proxy.web.portal.admin.listing import listing_of, searched
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther

_STATUSES = {AccountStatus.DISABLED: "accounts.disable", AccountStatus.ACTIVE: "accounts.enable"}


async def accounts_page(request: PageRequest) -> Answer:
    """Lists the accounts of people, the newest first."""
    search = searched(request)
    found = partial(operators.accounts_page, request.storage, search=search)
    page = await listing_of(request, found, lambda account: account.public_id, {"q": search})
    return admin_page(request, "admin_accounts", listing=page)


async def account_page(request: PageRequest) -> Answer:
    """Shows an account with its organisations and its security events."""
    return await _page(request, "admin_account")


async def role_page(request: PageRequest) -> Answer:
    """Shows the form that sets the role, and what each role may do."""
    return await _page(request, "admin_account_role")


async def set_role(request: PageRequest) -> Answer:
    """Sets the role of another account. It is signed out, and signs in with its new rights."""
    public_id, text = request.parts["id"], request.form.get("role", "")
    try:
        storage = await request.door.enter("accounts.set-role")
        await operators.set_role(storage, request.viewer.account, public_id, text, _granter(request))
    except OperatorError as error:
        return await _page(request, "admin_account_role", _fault(error))
    return SeeOther(f"/admin/accounts/{public_id}", "flash.saved")


async def set_status(request: PageRequest) -> Answer:
    """Disables or enables another account. A disabled one is signed out everywhere."""
    public_id = request.parts["id"]
    status, operation = asked_status(request, _STATUSES)
    try:
        storage = await request.door.enter(operation)
        await operators.set_status(storage, request.viewer.account, public_id, status, _granter(request))
    except OperatorError as error:
        return await _page(request, "admin_account", _fault(error))
    return SeeOther(f"/admin/accounts/{public_id}", "flash.saved")


def _granter(request: PageRequest) -> Granter:
    return Granter(request.settings.roles.table, request.principal.permissions)


def _fault(error: OperatorError) -> ShownFault:
    return shown_fault(error, "account")


async def _page(request: PageRequest, template: str, fault: ShownFault | None = None) -> Page:
    seen = await operators.show_account(request.storage, request.parts["id"])
    return admin_page(
        request,
        template,
        fault=fault,
        seen=seen,
        account=seen.account,
        is_own=seen.account.id == request.viewer.account.id,
        softix_roles=OPERATOR_ROLES,
        permissions_by_role={role: sorted(own) for role, own in request.settings.roles.table.table.items()},
    )
