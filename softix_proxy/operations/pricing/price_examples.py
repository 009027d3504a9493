"""Compares requests whose cost a provider's price page states with what softix calculates for them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from softix_proxy.domain.catalog.providers import ProviderStatus
from softix_proxy.domain.core.money import parse_usd
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.pricing.rates import STANDARD, Rate
from softix_proxy.operations.catalog import models
from softix_proxy.operations.catalog.catalogue import Catalogue, CatalogueModel

TOLERANCE_PICO = 1_000_000
"""One millionth of a dollar. Prices per hour are kept as prices per second with twelve decimals."""


@dataclass(frozen=True, slots=True)
class PriceExample:
    provider_type: str
    model: str
    what: str
    """The request, in words."""
    stated: str
    """The prices as the page states them."""
    source: str
    """The address of the page."""
    service_tier: str
    used: Mapping[str, int]
    usd_pico: int
    """The cost by the page's prices."""


@dataclass(frozen=True, slots=True)
class CheckedExample:
    """The comparison of one worked example with the cost that softix calculates."""

    example: PriceExample
    place: str
    """`catalogue`, or `provider/model` of this instance."""
    source: str
    """The source of the price: `catalogue`, `operator`."""
    cost_pico: int | None
    """None if there is no price."""

    @property
    def agrees(self) -> bool:
        return self.cost_pico is not None and abs(self.cost_pico - self.example.usd_pico) <= TOLERANCE_PICO

    @property
    def fails(self) -> bool:
        """Whether the difference is an error.

        An operator's price may differ from the page's, but the catalogue's may not.
        """
        return not self.agrees and self.source == "catalogue"


def load() -> Sequence[PriceExample]:
    raw = files("softix_proxy").joinpath("data/price_examples.json").read_bytes()
    return [
        PriceExample(
            row["provider"],
            row["model"],
            row["what"],
            row["stated"],
            row["source"],
            row.get("service_tier", STANDARD),
            row["used"],
            parse_usd(row["usd"]),
        )
        for row in json.loads(raw)
    ]


async def check(storage: Storage, catalogue: Catalogue, examples: Sequence[PriceExample]) -> Sequence[CheckedExample]:
    """Checks each example with the catalogue's price of the day and with the instance's price in force.

    No mark-up is included.
    """
    unit = storage.reading()
    now_us = unit.clock.now_us()
    sections: dict[str, Mapping[str, CatalogueModel]] = {}
    for kind in {example.provider_type for example in examples}:
        sections[kind] = {model.name: model for model in catalogue.models(kind)}
    directory = await models.priced_directory(unit)
    hosts = {host.id: host for host in await unit.providers.list() if host.status is not ProviderStatus.REMOVED}
    sources = {version.id: version.source for version in await unit.prices.list()}
    enabled = [(hosts[model.provider_id], model) for model in await unit.models.list() if model.provider_id in hosts]
    checked = []
    for example in examples:
        shipped = sections[example.provider_type].get(example.model)
        cost_pico = _cost_pico(Rate(0, shipped.versions(now_us)[0][1]), example) if shipped else None
        checked.append(CheckedExample(example, "catalogue", "catalogue", cost_pico))
        for host, model in enabled:
            rate = directory.rate(models.NOBODY, model.id, now_us)
            if rate and (host.type.value, model.upstream_name) == (example.provider_type, example.model):
                place = f"{host.name}/{model.name}"
                checked.append(CheckedExample(example, place, sources[rate.price_id], _cost_pico(rate, example)))
    return checked


def _cost_pico(rate: Rate, example: PriceExample) -> int | None:
    """Returns the provider's cost, or None if a part of the example has no price."""
    priced = rate.price(example.used, example.service_tier)
    return None if priced.unpriced else priced.cost_pico
