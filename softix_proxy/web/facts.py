"""What a key may ask about: the models that it may use, itself, and what its user used."""

from __future__ import annotations

from functools import partial

import msgspec

from softix_proxy.dialects.core import model_list
from softix_proxy.dialects.core.model_list import ListedModel
from softix_proxy.domain.access.authorization import access
from softix_proxy.domain.catalog.models import Model
from softix_proxy.domain.core.errors import Code, RefusedError
from softix_proxy.domain.core.money import CURRENCY, format_usd
from softix_proxy.domain.routing.routes import Route
from softix_proxy.relay.core.plan import Caller
from softix_proxy.relay.request.lifecycle import Lifecycle
from softix_proxy.web.visit import Answer, Visit


async def models(visit: Visit) -> Answer:
    """Only what the key may use, in the shape of the dialect that asks."""
    caller = await _caller(visit)
    lifecycle = visit.house.lifecycle
    directory = lifecycle.directory.current
    listed = [_listed(lifecycle, m) for m in map(partial(_first, lifecycle, caller), directory.active_names()) if m]
    routed = [_routed(route) for route in directory.active_routes() if _serves(lifecycle, caller, route)]
    offered = {model.name: model for model in [*listed, *routed]}
    return Answer(model_list.render(visit.family, sorted(offered.values(), key=lambda model: model.name)))


async def model(visit: Visit) -> Answer:
    caller = await _caller(visit)
    lifecycle = visit.house.lifecycle
    route = lifecycle.directory.current.route(visit.name)
    if route is not None and route.id and _serves(lifecycle, caller, route):
        return Answer(model_list.render_one(visit.family, _routed(route)))
    found = _first(lifecycle, caller, visit.name)
    if found is None:
        raise RefusedError(Code.MODEL_NOT_FOUND, "There is no model of this name here. See GET /v1/models.")
    return Answer(model_list.render_one(visit.family, _listed(lifecycle, found)))


async def key(visit: Visit) -> Answer:
    """The key's own limits, caps and spend, and the balance that it draws on."""
    from softix_proxy.operations.access import (
        keys,  # late, as for usage: with what they show goes much that is not asked for
    )

    caller = await _caller(visit)
    standing = await keys.standing(visit.house.storage, caller.key.public_id)
    wallet = standing.wallet
    fields = {
        **keys.as_fields(standing.key, standing.user.public_id, standing.spend),
        "balance": format_usd(wallet.posted_pico),
        "available": format_usd(wallet.available_pico),
        "credit_limit": format_usd(wallet.credit_pico),
        "currency": CURRENCY,
    }
    return Answer(msgspec.json.encode(fields))


async def usage(visit: Visit) -> Answer:
    """One request of the same user."""
    from softix_proxy.operations.metering import usage

    caller = await _caller(visit)
    row = await usage.for_request(visit.house.storage, visit.name, caller.user.id)
    if row is None:
        raise RefusedError(Code.NOT_FOUND, "There is no usage of this request yet, or it is not yours.")
    return Answer(msgspec.json.encode(row))


async def _caller(visit: Visit) -> Caller:
    return await visit.house.lifecycle.identify(visit.credential, visit.address)


def _first(lifecycle: Lifecycle, caller: Caller, name: str) -> Model | None:
    """The oldest model of this name that the key may use, where it may."""
    directory = lifecycle.directory.current
    for model in directory.models_named(name):
        if access(caller.user, caller.key, directory.providers[model.provider_id], model) is None:
            return model
    return None


def _serves(lifecycle: Lifecycle, caller: Caller, route: Route) -> bool:
    """Whether any of its targets may be used, in whatever dialect."""
    directory = lifecycle.directory.current
    models = [directory.models[leg.model_id] for leg in route.legs]
    return any(
        access(caller.user, caller.key, directory.providers[model.provider_id], model, route_name=route.name) is None
        for model in models
    )


def _routed(route: Route) -> ListedModel:
    return ListedModel(route.name, "softix", route.created_at_us)


def _listed(lifecycle: Lifecycle, model: Model) -> ListedModel:
    provider = lifecycle.directory.current.providers[model.provider_id]
    return ListedModel(model.name, provider.name, model.created_at_us)
