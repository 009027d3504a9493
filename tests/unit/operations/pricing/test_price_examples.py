from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from softix_proxy.domain.catalog.providers import Provider, ProviderStatus, ProviderType
from softix_proxy.domain.core.money import format_usd
from softix_proxy.domain.pricing.meters import METERS
from softix_proxy.domain.pricing.rates import PriceSheet, Rate
from softix_proxy.operations.catalog import catalogue, models
from softix_proxy.operations.pricing import price_examples, prices
from softix_proxy.operations.pricing.price_examples import PriceExample
from softix_proxy.storage.sqlite.unit import SqliteStorage

EXAMPLES = price_examples.load()
GROQ = Provider(0, "prv_1", "fast", ProviderType.OPENAI, "https://a.example", None, "cancel", ProviderStatus.ACTIVE, 1)
MINI = next(example for example in EXAMPLES if example.model == "gpt-4o-mini" and example.provider_type == "openai")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: f"{one.provider_type}-{one.model}-{one.service_tier}")
def test_catalogue_price_of_each_example_equals_the_stated_price(example: PriceExample) -> None:
    shipped = catalogue.load().find(example.provider_type, example.model)
    assert shipped is not None
    priced = Rate(1, shipped.sheet).price(example.used, example.service_tier)
    assert priced.unpriced == ()
    assert abs(priced.cost_pico - example.usd_pico) <= price_examples.TOLERANCE_PICO, format_usd(priced.cost_pico)


def test_price_examples_cover_each_section_and_are_complete() -> None:
    assert {example.provider_type for example in EXAMPLES} == set(catalogue.load().sections)
    for example in EXAMPLES:
        assert urlsplit(example.source).scheme == "https" and "$" in example.stated and example.what
        assert example.used and example.used.keys() <= METERS.keys() and example.usd_pico > 0


async def test_price_check_with_an_own_price_compares_it_without_failing(books: SqliteStorage) -> None:
    async with books.writing() as unit:
        await unit.providers.add(GROQ)
    await models.add(books, name="mini", provider="fast", upstream_name="gpt-4o-mini")
    [shipped] = await price_examples.check(books, catalogue.load(), [MINI])
    assert (shipped.place, shipped.agrees, shipped.fails) == ("catalogue", True, False)
    await prices.set_price(books, "mini", PriceSheet.parse({"bands": [{"prices": {"input": "9", "output": "9"}}]}))
    _, own = await price_examples.check(books, catalogue.load(), [MINI])
    assert (own.place, own.source, own.agrees, own.fails) == ("fast/mini", "operator", False, False)


async def test_price_check_with_a_wrong_or_missing_catalogue_price_fails(books: SqliteStorage) -> None:
    asked = [
        replace(MINI, usd_pico=MINI.usd_pico + 10**7),
        replace(MINI, model="gpt-none"),
        replace(MINI, used={**MINI.used, "characters": 1}),
    ]
    checked = await price_examples.check(books, catalogue.load(), asked)
    assert [(one.fails, one.cost_pico) for one in checked] == [(True, MINI.usd_pico), (True, None), (True, None)]
