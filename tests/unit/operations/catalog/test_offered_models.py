from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.books import USD
from support.two_organisations import ADA, BOB, Organisations, organisations

from softix_proxy.domain.catalog.models import Model, ModelStatus
from softix_proxy.domain.pricing.prices import PriceVersion
from softix_proxy.domain.pricing.rates import PriceSheet, parse_markup
from softix_proxy.domain.routing.routes import ModelRoute, RouteLeg, RouteStatus
from softix_proxy.operations.catalog import offered_models
from softix_proxy.operations.catalog.offered_models import OfferedPage, offered
from softix_proxy.operations.pricing import prices


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Organisations]:
    async with organisations(tmp_path) as made:
        await add(made, "gpt-4o", "gpt-4o-mini", "claude")
        yield made


async def add(house: Organisations, *names: str) -> None:
    async with house.storage.writing() as unit:
        await unit.models.add_all([Model(0, name, 1, name, 128_000, 4096, ModelStatus.ACTIVE, 1) for name in names])


async def look(house: Organisations, query: str = "", page: int = 1, models: tuple[str, ...] = ()) -> OfferedPage:
    key = await house.storage.reading().keys.get(1)
    return await offered(house.storage, await house.user(), replace(key, models=models), query, page)


def names(found: OfferedPage) -> list[str]:
    return [model.name for model in found.models]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["claude", "gpt-4o", "gpt-4o-mini", "llama"]),
        ("GPT", ["gpt-4o", "gpt-4o-mini"]),
        ("lab mini", ["gpt-4o-mini"]),
        ("nothing", []),
        ("%", []),
        ("<script>", []),
    ],
)
async def test_search_finds_models_that_have_each_word(house: Organisations, query: str, expected: list[str]) -> None:
    found = await look(house, query)
    assert (names(found), found.found) == (expected, len(expected))


async def test_models_that_the_key_or_the_customer_may_not_use_are_not_offered(house: Organisations) -> None:
    assert names(await look(house, models=("gpt-*",))) == ["gpt-4o", "gpt-4o-mini"]
    house.run("UPDATE models SET status = 'disabled' WHERE name = 'claude'")
    assert "claude" not in names(await offered(house.storage, await house.user()))
    house.run("""UPDATE users SET regions = '["eu"]' WHERE id = 1""")
    assert names(await offered(house.storage, await house.user())) == []


async def test_pages_have_all_models_once(house: Organisations, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(offered_models, "MODELS_AT_ONCE", 3)
    first, second, third = [await look(house, page=page) for page in (1, 2, 3)]
    assert [*names(first), *names(second)] == ["claude", "gpt-4o", "gpt-4o-mini", "llama"]
    assert (first.has_more, second.has_more, names(third)) == (True, False, [])


async def test_price_is_what_this_customer_pays_with_the_mark_up(house: Organisations) -> None:
    await prices.set_markup(house.storage, parse_markup("7.5%"), fee_pico=USD // 1000)
    [llama] = (await look(house, "llama")).models
    [band] = llama.bands
    assert [(price.meter, price.per, price.amount_pico) for price in band.prices] == [
        ("input_tokens", 1_000_000, USD * 1075 // 1000),
        ("output_tokens", 1_000_000, USD * 2150 // 1000),
    ]
    assert (llama.fee_pico, llama.has_own_price, llama.is_free) == (USD // 1000, False, False)
    [unpriced] = (await look(house, "claude")).models
    assert not unpriced.is_priced and unpriced.bands == () and unpriced.fee_pico == 0


async def test_own_price_of_a_customer_is_shown_to_this_customer_alone(house: Organisations) -> None:
    sheet = PriceSheet.parse({"bands": [{"prices": {"input": "0.50", "output": "0.75"}}]})
    async with house.storage.writing() as unit:
        await unit.prices.add_all([PriceVersion(0, 1, ADA, "customer", sheet, 2, 2)])
    [mine] = (await look(house, "llama")).models
    [theirs] = (await offered(house.storage, await house.user(BOB), query="llama")).models
    assert (mine.has_own_price, theirs.has_own_price) == (True, False)
    assert [price.amount_pico for price in mine.bands[0].prices] == [USD // 2, USD * 3 // 4]
    assert theirs.bands[0].prices[0].amount_pico == USD


async def test_free_model_is_told_as_free(house: Organisations) -> None:
    async with house.storage.writing() as unit:
        await unit.prices.add_all([PriceVersion(0, 1, None, "operator", PriceSheet(()), 5, 5)])
    [llama] = (await look(house, "llama")).models
    assert llama.is_free and llama.bands == []


async def test_route_is_offered_if_one_of_its_models_may_be_used(house: Organisations) -> None:
    async with house.storage.writing() as unit:
        for name, status in (("fast", RouteStatus.ACTIVE), ("old", RouteStatus.REMOVED)):
            await unit.routes.add(ModelRoute(0, f"rte_{name}", name, (RouteLeg(1), RouteLeg(2)), status=status))
    assert (await look(house)).routes == [("fast", ["lab/llama", "lab/gpt-4o"])]
    assert [route.name for route in (await look(house, models=("fast",))).routes] == ["fast"]
    assert (await look(house, models=("claude",))).routes == []
    assert (await look(house, "fast")).found == 0
    assert (await look(house, page=2)).routes == ()


async def test_model_whose_name_two_providers_have_is_offered_with_both(house: Organisations) -> None:
    house.run(
        "INSERT INTO providers (id, public_id, name, type, base_url, on_hang_up, created_at_us)"
        " VALUES (2, 'prv_two', 'claude', 'demo', '', 'cancel', 1)"
    )
    house.run(
        "INSERT INTO models (id, name, provider_id, upstream_name, created_at_us) VALUES (90, 'claude/x', 1, 'x', 1)"
    )
    found = (await look(house, "claude/x")).models
    assert [(model.name, model.full_name) for model in found] == [("lab/claude/x", "lab/claude/x")]
