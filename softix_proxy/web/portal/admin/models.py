"""The page of models: which clients may request, at which price for all."""

from __future__ import annotations

from softix_proxy.domain.accounts.audit import AuditAction
from softix_proxy.domain.catalog.models import ModelStatus
from softix_proxy.operations.catalog import models
from softix_proxy.web.portal.admin.admin_page import admin_page, asked_status, audited
from softix_proxy.web.portal.admin.apart import apart
from softix_proxy.web.portal.admin.listing import PER_PAGE, listing, searched
from softix_proxy.web.portal.core.page import Answer, PageRequest, SeeOther

_ACTIONS = {ModelStatus.DISABLED: AuditAction.DISABLE_MODEL, ModelStatus.ACTIVE: AuditAction.ENABLE_MODEL}


async def models_page(request: PageRequest) -> Answer:
    """Lists the models by provider and name."""
    search, before = searched(request), request.query.get("before", "")
    every = await apart(models.list_all(request.storage, every=True))
    found = [entry for entry in every if search.lower() in entry.full_name.lower()]
    start = next((at + 1 for at, entry in enumerate(found) if entry.full_name == before), 0)
    page = listing(request, found[start : start + PER_PAGE + 1], lambda entry: entry.full_name, {"q": search})
    return admin_page(request, "admin_models", listing=page)


async def set_status(request: PageRequest) -> Answer:
    """Disables or enables a model, from the next request on. Its name may have slashes, so the form has it."""
    entry = await models.show(request.storage, request.form.get("model", ""))
    status, action = asked_status(request, _ACTIONS)
    await models.update(audited(request, action, entry.full_name), entry.full_name, status=status)
    return SeeOther("/admin/models", "flash.saved")
