"""The models that a customer may use, with the prices that this customer pays, a page at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from softix_proxy.domain.access.authorization import access
from softix_proxy.domain.access.keys import Key, KeyLimits, KeyStatus
from softix_proxy.domain.access.users import User
from softix_proxy.domain.catalog.models import Model
from softix_proxy.domain.catalog.providers import Provider
from softix_proxy.domain.core.money import PICO_PER_USD, divide_half_even
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.domain.pricing.rates import PriceBand, Rate
from softix_proxy.domain.routing.directory import Changes, Directory
from softix_proxy.domain.routing.routes import RouteStatus

MODELS_AT_ONCE = 50
MOST_QUERY = 128
_EVERY_RIGHT = Key(
    id=0,
    public_id="",
    user_id=0,
    label="",
    prefix="",
    digest=b"",
    models=(),
    allow_ip=(),
    limits=KeyLimits(),
    status=KeyStatus.ACTIVE,
    expires_at_us=None,
    created_at_us=0,
)
"""A key without a rule of its own. What it may use is what the customer may use."""


class OfferedPrice(NamedTuple):
    """What the customer pays for `per` units of a meter, with the mark-up."""

    meter: str
    per: int
    units: str
    """The name of `per` units."""
    amount_pico: int


class OfferedBand(NamedTuple):
    """The prices of one service tier, from a number of input tokens on (exclusive)."""

    service_tier: str
    above_input_tokens: int
    prices: Sequence[OfferedPrice]


@dataclass(frozen=True, slots=True)
class OfferedModel:
    """A model that the customer may use, with what the customer pays for it."""

    name: str
    """The shortest name by which clients can call it."""
    full_name: str
    """`provider/model`, which always means this one."""
    provider: str
    context_tokens: int | None
    max_output_tokens: int | None
    rate: Rate | None
    """None if there is no price, so that requests are refused."""

    @property
    def is_priced(self) -> bool:
        return self.rate is not None

    @property
    def is_free(self) -> bool:
        return self.rate is not None and self.rate.sheet.free

    @property
    def has_own_price(self) -> bool:
        """Whether the customer has a price that others do not have."""
        return self.rate is not None and self.rate.costs is not None

    @property
    def fee_pico(self) -> int:
        """The fee for each request that is answered."""
        return 0 if self.rate is None else self.rate.request_fee_pico

    @property
    def bands(self) -> Sequence[OfferedBand]:
        return () if self.rate is None else [_offered(band, self.rate.markup) for band in self.rate.sheet.bands]


class OfferedRoute(NamedTuple):
    """A name that leads to one of several models."""

    name: str
    models: Sequence[str]


@dataclass(frozen=True, slots=True)
class OfferedPage:
    models: Sequence[OfferedModel]
    routes: Sequence[OfferedRoute]
    """The routes that the search found. All of them are on the first page."""
    found: int
    """The number of models that the search found."""
    page: int

    @property
    def has_more(self) -> bool:
        return self.page * MODELS_AT_ONCE < self.found


async def offered(storage: Storage, user: User, key: Key | None = None, query: str = "", page: int = 1) -> OfferedPage:
    """Returns a page of the models that the customer may use, or one of the customer's keys, in order of their names.

    Each word of the query must be in `provider/model`. Only the prices of this page are read.
    """
    async with storage.snapshot() as unit:
        hosts = {provider.id: provider for provider in await unit.providers.list()}
        models = await unit.models.list()
        await asyncio.sleep(0)  # a large catalogue takes milliseconds, and others get their turn between the steps
        rights = key or _EVERY_RIGHT
        words = query[:MOST_QUERY].casefold().split()
        allowed = [
            model
            for model in models
            if _is_found(f"{hosts[model.provider_id].name}/{model.name}", words)
            and access(user, rights, hosts[model.provider_id], model) is None
        ]
        await asyncio.sleep(0)
        allowed.sort(key=lambda model: (model.name, model.provider_id))
        start = (page - 1) * MODELS_AT_ONCE
        shown = allowed[start : start + MODELS_AT_ONCE]
        directory = await _directory(unit, hosts, shown)
        now_us = unit.clock.now_us()
        routes = await _routes(unit, directory, user, rights, {m.id: m for m in models}, words) if page == 1 else ()
    return OfferedPage([_model(directory, user, model, now_us) for model in shown], routes, len(allowed), page)


async def _directory(unit: Unit, hosts: Mapping[int, Provider], shown: Sequence[Model]) -> Directory:
    """Returns a directory of these models, with their prices."""
    prices = [price for model in shown for price in await unit.prices.list(model.id)]
    directory = Directory()
    directory.apply(
        Changes(
            1,
            providers=tuple(hosts.values()),
            models=tuple(shown),
            prices=tuple(prices),
            markups=tuple(await unit.prices.markups()),
        )
    )
    return directory


async def _routes(
    unit: Unit,
    directory: Directory,
    user: User,
    key: Key,
    models: Mapping[int, Model],
    words: Sequence[str],
) -> Sequence[OfferedRoute]:
    found = []
    for route in await unit.routes.list():
        if route.status is not RouteStatus.ACTIVE or not _is_found(route.name, words):
            continue
        right = directory.right_to(route)
        legs = [models[leg.model_id] for leg in route.legs]
        hosts = directory.providers
        if any(access(user, key, hosts[model.provider_id], model, route_name=right) is None for model in legs):
            found.append(OfferedRoute(route.name, [f"{hosts[m.provider_id].name}/{m.name}" for m in legs]))
    return sorted(found)


def _model(directory: Directory, user: User, model: Model, now_us: int) -> OfferedModel:
    return OfferedModel(
        name=directory.called(model),
        full_name=directory.names_of(model)[1],
        provider=directory.providers[model.provider_id].name,
        context_tokens=model.context_tokens,
        max_output_tokens=model.max_output_tokens,
        rate=directory.rate(user.id, model.id, now_us),
    )


def _offered(band: PriceBand, markup: Fraction) -> OfferedBand:
    prices = []
    for name, price in band.unit_prices.items():
        exact = Fraction(price) * markup * PICO_PER_USD
        amount_pico = divide_half_even(exact.numerator, exact.denominator)
        prices.append(OfferedPrice(name, METERS[name].per, METERS[name].units, amount_pico))
    order = list(METERS)
    return OfferedBand(
        band.service_tier, band.above_input_tokens, sorted(prices, key=lambda price: order.index(price.meter))
    )


def _is_found(name: str, words: Sequence[str]) -> bool:
    folded = name.casefold()
    return all(word in folded for word in words)
