"""Decides whether a key could do anything at all, before softix works on a body that is large or compressed.

Admission decides about every request, but only after its body is here and read. Whoever has no money or no rights must
not have that work done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from softix_proxy.dialects.core.base import Endpoint
from softix_proxy.dialects.registry import provider_side
from softix_proxy.domain.access.authorization import access
from softix_proxy.domain.catalog.models import Model
from softix_proxy.domain.core.errors import Code
from softix_proxy.domain.metering.admission import Denied
from softix_proxy.domain.ports.storage import Unit
from softix_proxy.domain.pricing.rates import Rate
from softix_proxy.domain.routing.directory import Directory
from softix_proxy.relay.core import refusal
from softix_proxy.relay.core.plan import Caller

_LEAST_PICO = 1


async def require_eligible(
    directory: Directory, books: Unit, caller: Caller, endpoints: Sequence[Endpoint], now_us: int
) -> None:
    """Raises RefusedError if no request of this key to any of these endpoints could be admitted now.

    Free models need no money, so they are looked for only if there is none.
    """
    if not any(True for _ in _usable(directory, caller, endpoints, now_us)):
        raise refusal.no_model()
    denied = await _without_money(books, caller)
    if denied is not None and not any(map(_is_free, _usable(directory, caller, endpoints, now_us))):
        raise refusal.denied(denied, caller.key.limits)


async def _without_money(books: Unit, caller: Caller) -> Denied | None:
    """Returns why the key can pay nothing: its balance is used up, or its cap is reached."""
    limits = caller.key.limits
    if not caller.user.postpaid:
        available_pico = (await books.balance.get(caller.user.id)).available_pico
        if available_pico < _LEAST_PICO:
            return Denied(Code.INSUFFICIENT_BALANCE, None, _LEAST_PICO, max(available_pico, 0))
    if limits.cap_pico is not None:
        spend = await books.keys.spend(caller.key.id)
        room_pico = limits.cap_pico - spend.of(limits.cap_period) - spend.held_pico
        if room_pico < _LEAST_PICO:
            return Denied(Code.CAP_REACHED, None, _LEAST_PICO, max(room_pico, 0))
    return None


def _usable(directory: Directory, caller: Caller, endpoints: Sequence[Endpoint], now_us: int) -> Iterator[Rate | None]:
    """Yields the price of each model that could serve such a request. None stands for a request that costs nothing."""
    for model, route_name in _candidates(directory):
        provider = directory.providers[model.provider_id]
        if access(caller.user, caller.key, provider, model, route_name=route_name) is not None:
            continue
        spoken, best = provider.profile.endpoints, provider.profile.preferred
        there = [provider_side(endpoint, spoken, best, model.upstream_name) for endpoint in endpoints]
        if not any(there):
            continue
        rate = directory.rate(caller.user.id, model.id, now_us)
        if any(each is not None and not each.metered for each in there):
            yield None
        elif rate is not None:
            yield rate


def _candidates(directory: Directory) -> Iterator[tuple[Model, str]]:
    """Yields all models by their own names, and again by each route, since a key may allow only the route."""
    for model in directory.models.values():
        yield model, ""
    for route in directory.active_routes():
        for leg in route.legs:
            yield directory.models[leg.model_id], route.name


def _is_free(rate: Rate | None) -> bool:
    """Returns whether requests at this price need no money. A price of zero is one as well as the word `free`."""
    if rate is None or rate.sheet.free:
        return True
    prices = (price for band in rate.sheet.bands for price in band.unit_prices.values())
    return not rate.request_fee_pico and (not rate.markup or not any(prices))
