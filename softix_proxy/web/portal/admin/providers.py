"""The pages of providers: their state, and the health of their models as the daemons report it."""

from __future__ import annotations

from softix_proxy.domain.catalog.providers import ProviderStatus
from softix_proxy.operations.catalog import models, providers
from softix_proxy.operations.routing import routes
from softix_proxy.web.portal.admin.admin_page import admin_page, asked_status
from softix_proxy.web.portal.admin.apart import apart
from softix_proxy.web.portal.admin.target_states import states_of
from softix_proxy.web.portal.core.page import Answer, PageRequest, SeeOther

_SHOWN = 100
_STATUSES = {ProviderStatus.DISABLED: "providers.disable", ProviderStatus.ACTIVE: "providers.enable"}


async def providers_page(request: PageRequest) -> Answer:
    """Lists the providers with the worst state of their targets. Their keys are counted, and never shown."""
    found = await providers.list_all(request.storage)
    states = states_of(await routes.health(request.storage), request.now_us)
    worst = {name: max(one.severity for one in own) for name, own in states.items()}
    return admin_page(request, "admin_providers", providers=found, worst=worst)


async def provider_page(request: PageRequest) -> Answer:
    """Shows one provider, its models and how they fare."""
    provider = await providers.show_id(request.storage, request.parts["id"])
    found = await apart(models.list_all(request.storage, provider=provider.public_id, every=True))
    states = states_of(await routes.health(request.storage), request.now_us).get(provider.name, [])
    return admin_page(
        request, "admin_provider", provider=provider, models=found[:_SHOWN], more=found[_SHOWN:], states=states
    )


async def disable_page(request: PageRequest) -> Answer:
    """Asks whether the provider is to be disabled, and says what that stops."""
    provider = await providers.show_id(request.storage, request.parts["id"])
    found = await apart(models.list_all(request.storage, provider=provider.public_id, every=True))
    return admin_page(request, "admin_provider_disable", provider=provider, models=len(found))


async def set_status(request: PageRequest) -> Answer:
    """Disables or enables a provider, from the next request on."""
    provider = await providers.show_id(request.storage, request.parts["id"])
    status, operation = asked_status(request, _STATUSES)
    await providers.set_status(await request.door.enter(operation), provider.public_id, status)
    return SeeOther(f"/admin/providers/{provider.public_id}", "flash.saved")
