"""The pages of API keys. A key's text is in the answer to the form that made it, and nowhere else."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from softix_proxy.domain.core.clock import PERIODS, parse_duration_us
from softix_proxy.domain.core.errors import BadInputError, ConflictError, OperatorError
from softix_proxy.operations.access.keys import IssuedKey
from softix_proxy.operations.organisations import key_limits, organisation_keys
from softix_proxy.operations.organisations.organisation_keys import KeyCondition
from softix_proxy.operations.organisations.organisation_scope import OrganisationScope
from softix_proxy.web.portal.core.form_faults import sentence, status_of
from softix_proxy.web.portal.core.page import Answer, Page, PageRequest, SeeOther
from softix_proxy.web.portal.organisation.scope import scope_of
from softix_proxy.web.portal.product import cap_form, key_form
from softix_proxy.web.portal.product.query import keys_in

GRACES = ("0s", "1h", "24h", "7d")
"""How long a replaced key may work on. Each has a text of its name."""
_USUAL_GRACE = "24h"


async def list_keys(request: PageRequest) -> Answer:
    scope = scope_of(request)
    views = await organisation_keys.list_all(scope)
    shows_all = request.query.get("all") == "1"
    shown = [view for view in views if shows_all or view.condition is not KeyCondition.REVOKED]
    values = {
        **keys_in(request, shown),
        "hidden_count": len(views) - len(shown),
        "shows_all": shows_all,
        "may_make": scope.may_make_keys,
        "suspended": await organisation_keys.suspended(scope),
    }
    return Page("keys", values)


async def new_key(request: PageRequest) -> Answer:
    scope = scope_of(request)
    scope.require_making_keys()
    values = dict.fromkeys(key_form.FIELDS, "") | {"cap_period": "month"}
    return await _form_page(scope, values, secrets.token_urlsafe(16))


async def create_key(request: PageRequest) -> Answer:
    """Makes the key and shows its text, without a redirect: what is shown once must be in no store.

    The form has an id, so sending it again makes no second key.
    """
    scope = scope_of(request)
    form_id = request.form.get("form_id", "")
    try:
        asked = key_form.read(request.form, await scope.calendar())
        issued = await organisation_keys.create(scope, request.vault, asked, form_id)
    except (BadInputError, ConflictError) as error:
        sent = key_form.values_in(request.form)
        return await _form_page(scope, sent, form_id or secrets.token_urlsafe(16), error)
    return _issued_page(issued)


async def show_key(request: PageRequest) -> Answer:
    return await key_page(request)


async def key_page(request: PageRequest, error: OperatorError | None = None) -> Page:
    """Returns the page of a key. With an error, it is of the form of its caps, which is shown as it was sent."""
    scope = scope_of(request)
    view = await organisation_keys.show(scope, request.parts["key_id"])
    at = await scope.calendar()
    return Page("key", await _key_values(request, view, key_form.values_of(view.key, at), error), status_of(error))


async def change_key(request: PageRequest) -> Answer:
    scope, key_id = scope_of(request), request.parts["key_id"]
    view = await organisation_keys.show(scope, key_id)
    try:
        at = await scope.calendar()
        await organisation_keys.update(scope, key_id, key_form.read(request.form, at, view.key))
    except (BadInputError, ConflictError) as error:
        values = await _key_values(request, view, key_form.values_in(request.form), error)
        return Page("key", values, status_of(error))
    return SeeOther(f"/keys/{view.key.public_id}", "flash.saved")


async def ask_rotation(request: PageRequest) -> Answer:
    return await _question(request, "key_rotate", {"form_id": secrets.token_urlsafe(16)})


async def rotate_key(request: PageRequest) -> Answer:
    scope, form_id, grace = scope_of(request), request.form.get("form_id", ""), request.form.get("grace", "")
    try:
        if grace not in GRACES:
            raise BadInputError("choose how long the old key may work on", "")
        issued = await organisation_keys.rotate(
            scope, request.vault, request.parts["key_id"], parse_duration_us(grace), form_id
        )
    except (BadInputError, ConflictError) as error:
        return await _question(request, "key_rotate", {"form_id": form_id or secrets.token_urlsafe(16)}, error)
    return _issued_page(issued, replaced=request.parts["key_id"])


async def ask_revocation(request: PageRequest) -> Answer:
    return await _question(request, "key_revoke", {})


async def revoke_key(request: PageRequest) -> Answer:
    await organisation_keys.revoke(scope_of(request), request.parts["key_id"])
    return SeeOther("/keys", "flash.key_revoked")


async def _question(
    request: PageRequest, template: str, values: Mapping[str, Any], error: OperatorError | None = None
) -> Page:
    """Returns the page that asks before a key changes for good."""
    view = await organisation_keys.show_changeable(scope_of(request), request.parts["key_id"])
    graces = {"graces": GRACES, "grace": _USUAL_GRACE}
    return Page(template, {"view": view, "problem": sentence(error), **graces, **values}, status_of(error))


async def _form_page(
    scope: OrganisationScope, values: Mapping[str, str], form_id: str, error: OperatorError | None = None
) -> Page:
    problem = sentence(error)
    projects = [(project.public_id, project.name) for project in await organisation_keys.open_projects(scope)]
    shown = {"values": values, "form_id": form_id, "problem": problem, "periods": PERIODS, "projects": projects}
    return Page("key_new", shown, status_of(error))


async def _key_values(
    request: PageRequest,
    view: organisation_keys.KeyView,
    values: Mapping[str, str],
    error: OperatorError | None = None,
) -> dict[str, Any]:
    return {
        "view": view,
        "values": values,
        "problem": sentence(error),
        "periods": PERIODS,
        "caps": await key_limits.of_key(scope_of(request), view.key.public_id),
        "cap_form": cap_form.shown(request.form),
    }


def _issued_page(issued: IssuedKey, replaced: str | None = None) -> Page:
    return Page("key_issued", {"key": issued.key, "text": issued.text, "replaced": replaced})
