"""Changes a cap of a key by the form on its page."""

from __future__ import annotations

from softix_proxy.domain.core.errors import BadInputError, ConflictError
from softix_proxy.operations.organisations import key_limits
from softix_proxy.web.portal.core.page import Answer, PageRequest, SeeOther
from softix_proxy.web.portal.organisation.scope import scope_of
from softix_proxy.web.portal.product import cap_form, keys


async def change_limits(request: PageRequest) -> Answer:
    scope, key_id = scope_of(request), request.parts["key_id"]
    try:
        key = await key_limits.change(scope, key_id, cap_form.read(request.form))
    except (BadInputError, ConflictError) as error:
        return await keys.key_page(request, error)
    return SeeOther(f"/keys/{key.public_id}", "flash.saved")
