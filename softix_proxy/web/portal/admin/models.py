"""The page of models: which clients may request, at which price for all."""

from __future__ import annotations

from softix_proxy.domain.catalog.models import ModelStatus
from softix_proxy.operations.catalog import models
from softix_proxy.web.portal.admin.admin_page import admin_page, asked_status
from softix_proxy.web.portal.admin.apart import apart
from softix_proxy.web.portal.admin.listing import listing_in
from softix_proxy.web.portal.core.page import Answer, PageRequest, SeeOther

_STATUSES = {ModelStatus.DISABLED: "models.disable", ModelStatus.ACTIVE: "models.enable"}


async def models_page(request: PageRequest) -> Answer:
    """Lists the models by provider and name."""
    every = await apart(models.list_all(request.storage, every=True))
    page = listing_in(request, every, lambda entry: entry.full_name, lambda entry: entry.full_name)
    return admin_page(request, "admin_models", listing=page)


async def set_status(request: PageRequest) -> Answer:
    """Disables or enables a model, from the next request on. Its name may have slashes, so the form has it."""
    entry = await models.show(request.storage, request.form.get("model", ""))
    status, operation = asked_status(request, _STATUSES)
    await models.update(await request.door.enter(operation), entry.full_name, status=status)
    return SeeOther("/admin/models", "flash.saved")
