"""The pages of users, which are organisations: the list, one of them, and its changes."""

from __future__ import annotations

from functools import partial

from softix_proxy.domain.access.permissions import Permission
from softix_proxy.domain.access.users import UserStatus
from softix_proxy.domain.core.errors import OperatorError
from softix_proxy.operations.access import keys, users
from softix_proxy.operations.accounts import operators
from softix_proxy.operations.ledger import balance
from softix_proxy.operations.metering import usage
from softix_proxy.web.portal.admin.admin_page import admin_page, asked_status
from softix_proxy.web.portal.admin.faults import ShownFault, shown_fault
from softix_proxy.web.portal.admin.listing import listing_of, searched
from softix_proxy.web.portal.admin.recent import recent_from
from softix_proxy.web.portal.admin.usage import id_of
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther

_SHOWN = 20
"""The number of keys and of requests on the page of one user. Each has a link to the whole list."""
_STATUSES = {UserStatus.DISABLED: "users.disable", UserStatus.ACTIVE: "users.enable"}


async def users_page(request: PageRequest) -> Answer:
    """Lists users, the newest first, with their balance."""
    search = searched(request)
    found = partial(users.page, request.storage, search=search)
    page = await listing_of(request, found, lambda user: user.public_id, {"q": search})
    names = await users.display_names(request.storage, [user.id for user in page.rows])
    wallets = await balance.of_users(request.storage, [user.id for user in page.rows])
    return admin_page(request, "admin_users", listing=page, names=names, wallets=wallets)


async def user_page(request: PageRequest) -> Answer:
    """Shows a user with its balance, keys, members and last requests."""
    user = await users.show_id(request.storage, request.parts["id"])
    wallet = await balance.show(request.storage, user.public_id)
    names = await users.display_names(request.storage, [user.id])
    own = (
        await keys.page(request.storage, limit=_SHOWN, user_id=user.id)
        if request.principal.may(Permission.KEYS_READ)
        else ()
    )
    rows = (
        await usage.newest(request.storage, limit=_SHOWN, user=user.public_id, from_=recent_from(request.now_us))
        if request.principal.may(Permission.USAGE_READ)
        else ()
    )
    return admin_page(
        request,
        "admin_user",
        user=user,
        display_name=names.get(user.id),
        wallet=wallet,
        members=await operators.members(request.storage, user.id),
        keys=own,
        rows=rows,
        id_of=id_of,
    )


async def edit_page(request: PageRequest) -> Answer:
    return await _form(request)


async def edit(request: PageRequest) -> Answer:
    """Changes the name, the display name, the address and the way of payment, where they are others than before."""
    user = await users.show_id(request.storage, request.parts["id"])
    names = await users.display_names(request.storage, [user.id])
    form = request.form
    name, email = form.get("name", "").strip(), form.get("email", "").strip()
    display_name = form.get("display_name", "").strip()
    try:
        await users.update(
            await request.door.enter("users.update"),
            user.public_id,
            name=name if name != user.name else None,
            email=email if email != user.email else None,
            display_name=display_name if display_name != names.get(user.id, "") else None,
            postpaid=form.get("postpaid") == "yes",
        )
    except OperatorError as error:
        return await _form(request, shown_fault(error, "user"))
    return SeeOther(f"/admin/users/{user.public_id}", "flash.saved")


async def _form(request: PageRequest, fault: ShownFault | None = None) -> Page:
    user = await users.show_id(request.storage, request.parts["id"])
    names = await users.display_names(request.storage, [user.id])
    given = {
        "name": user.name,
        "email": user.email,
        "display_name": names.get(user.id, ""),
        "postpaid": "yes" if user.postpaid else "no",
        **(request.form if fault else {}),
    }
    return admin_page(request, "admin_user_edit", fault=fault, user=user, given=given)


async def set_status(request: PageRequest) -> Answer:
    """Disables or enables a user. All its keys are refused from the next request on, or work again."""
    user = await users.show_id(request.storage, request.parts["id"])
    status, operation = asked_status(request, _STATUSES)
    await users.update(await request.door.enter(operation), user.public_id, status=status)
    return SeeOther(f"/admin/users/{user.public_id}", "flash.saved")
