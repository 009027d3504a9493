"""The models that a key may use, in the form of the client's dialect."""

from __future__ import annotations

from functools import partial

from aiohttp import web

from softix_proxy.dialects.core import model_list
from softix_proxy.dialects.core.model_list import ListedModel
from softix_proxy.domain.access.authorization import access
from softix_proxy.domain.catalog.models import Model
from softix_proxy.domain.routing.routes import ModelRoute
from softix_proxy.relay.core import refusal
from softix_proxy.relay.core.plan import Caller
from softix_proxy.relay.request.lifecycle import Lifecycle
from softix_proxy.web.router.request_context import RequestContext
from softix_proxy.web.router.responses import respond


async def list_all(context: RequestContext) -> web.Response:
    caller, lifecycle = context.identified, context.app.lifecycle
    directory = lifecycle.directory.current
    listed = [_listed(lifecycle, m) for m in map(partial(_first, lifecycle, caller), directory.active_names()) if m]
    routed = [_routed(route) for route in directory.active_routes() if _serves(lifecycle, caller, route)]
    offered = {model.name: model for model in [*listed, *routed]}
    return respond(model_list.render(context.family, sorted(offered.values(), key=lambda model: model.name)))


async def show(context: RequestContext) -> web.Response:
    caller, lifecycle = context.identified, context.app.lifecycle
    route = lifecycle.directory.current.route(context.name)
    if route is not None and route.id and _serves(lifecycle, caller, route):
        return respond(model_list.render_one(context.family, _routed(route)))
    found = _first(lifecycle, caller, context.name)
    if found is None:
        raise refusal.no_model()
    return respond(model_list.render_one(context.family, _listed(lifecycle, found)))


def _first(lifecycle: Lifecycle, caller: Caller, name: str) -> Model | None:
    """Returns the oldest model of this name that the key may use, or None."""
    directory = lifecycle.directory.current
    for model in directory.models_named(name):
        if access(caller.user, caller.key, directory.providers[model.provider_id], model) is None:
            return model
    return None


def _serves(lifecycle: Lifecycle, caller: Caller, route: ModelRoute) -> bool:
    """Returns whether any target of the route may be used, in any dialect."""
    directory = lifecycle.directory.current
    right = directory.right_to(route)
    models = [directory.models[leg.model_id] for leg in route.legs]
    return any(
        access(caller.user, caller.key, directory.providers[model.provider_id], model, route_name=right) is None
        for model in models
    )


def _routed(route: ModelRoute) -> ListedModel:
    return ListedModel(route.name, "softix", route.created_at_us)


def _listed(lifecycle: Lifecycle, model: Model) -> ListedModel:
    directory = lifecycle.directory.current
    return ListedModel(directory.called(model), directory.providers[model.provider_id].name, model.created_at_us)
