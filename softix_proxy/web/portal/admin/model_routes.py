"""The page of routes, which are names for several models."""

from __future__ import annotations

from softix_proxy.domain.routing.routes import RouteStatus
from softix_proxy.operations.routing import routes
from softix_proxy.web.portal.admin.admin_page import admin_page, asked_status
from softix_proxy.web.portal.core.page import Answer, PageRequest, SeeOther

_STATUSES = {RouteStatus.DISABLED: "routes.disable", RouteStatus.ACTIVE: "routes.enable"}


async def routes_page(request: PageRequest) -> Answer:
    """Lists the routes with their targets, in the order in which these are tried."""
    return admin_page(request, "admin_routes", routes=await routes.list_all(request.storage))


async def set_status(request: PageRequest) -> Answer:
    """Disables or enables a route. The name of a disabled one means the models of that name again."""
    details = await routes.show(request.storage, request.parts["id"])
    status, operation = asked_status(request, _STATUSES)
    public_id = details.route.public_id
    await routes.set_status(await request.door.enter(operation), public_id, status)
    return SeeOther("/admin/routes", "flash.saved")
