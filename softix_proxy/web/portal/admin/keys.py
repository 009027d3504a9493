"""The pages of keys: found by their prefix, with their limits. A key's text is shown nowhere, because nobody has it."""

from __future__ import annotations

from functools import partial

from softix_proxy.domain.core.clock import PERIODS
from softix_proxy.domain.core.errors import BadInputError, OperatorError
from softix_proxy.operations.access import keys, limit_changes, users
from softix_proxy.web.portal.admin.admin_page import admin_page
from softix_proxy.web.portal.admin.faults import ShownFault, shown_fault
from softix_proxy.web.portal.admin.listing import listing_of, searched
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther
from softix_proxy.web.portal.product.key_form import limits_shown, read_limits


async def keys_page(request: PageRequest) -> Answer:
    """Lists keys, the newest first: those of one user or of all."""
    search, user = searched(request), request.query.get("user", "")
    owner = await users.show_id(request.storage, user) if user else None
    found = partial(keys.page, request.storage, search=search, user_id=owner.id if owner else None)
    page = await listing_of(request, found, lambda key: key.public_id, {"q": search, "user": user})
    owners = {number: await users.show_number(request.storage, number) for number in {key.user_id for key in page.rows}}
    return admin_page(request, "admin_keys", listing=page, owners=owners, owner=owner)


async def key_page(request: PageRequest) -> Answer:
    """Shows a key with its limits and its spend."""
    return await _page(request, "admin_key")


async def edit_page(request: PageRequest) -> Answer:
    return await _page(request, "admin_key_edit")


async def edit(request: PageRequest) -> Answer:
    """Changes label, models and limits. An empty field means no limit."""
    key = await keys.show_id(request.storage, request.parts["id"])
    form = request.form
    models = tuple(part.strip() for part in form.get("models", "").split(",") if part.strip())
    try:
        await keys.update(
            await request.door.enter("keys.update"),
            key.public_id,
            label=form.get("label", "").strip(),
            models=models if models != key.models else None,
            limits=read_limits(form).of_forms,
        )
    except OperatorError as error:
        return await _page(request, "admin_key_edit", shown_fault(error, "key"))
    return SeeOther(f"/admin/keys/{key.public_id}", "flash.saved")


async def revoke(request: PageRequest) -> Answer:
    """Revokes the key for good, if the box is ticked that says so."""
    key = await keys.show_id(request.storage, request.parts["id"])
    if request.form.get("sure") != "yes":
        fault = shown_fault(BadInputError("a key is revoked for good, so the box must be ticked"), "revoke")
        return await _page(request, "admin_key", fault)
    await keys.revoke(await request.door.enter("keys.revoke"), key.public_id)
    return SeeOther(f"/admin/keys/{key.public_id}", "flash.saved")


async def _page(request: PageRequest, template: str, fault: ShownFault | None = None) -> Page:
    key = await keys.show_id(request.storage, request.parts["id"])
    standing = await keys.standing(request.storage, key.public_id)
    found = await limit_changes.caps_of_key(request.storage, key)
    given = {
        "label": key.label,
        "models": ", ".join(key.models),
        **limits_shown(standing.key.limits),
        "cap_period": standing.key.limits.cap_period,
        **(request.form if fault else {}),
    }
    values = {"key": key, "standing": standing, "given": given, "periods": PERIODS, "caps": found}
    return admin_page(request, template, fault=fault, **values)
