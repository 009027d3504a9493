from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import pytest
from support.engines import Books

from softix_proxy.domain.access.users import User, UserRole, UserStatus
from softix_proxy.domain.catalog.models import Model, ModelStatus
from softix_proxy.domain.catalog.providers import Provider, ProviderStatus, ProviderType
from softix_proxy.domain.ports.storage import Storage, Unit
from softix_proxy.domain.pricing.prices import MarkupVersion, PriceVersion, UnpricedAsks
from softix_proxy.domain.pricing.rates import PriceSheet, parse_markup

CHEAP = PriceSheet.parse({"bands": [{"prices": {"input": "0.15", "output": "0.60", "audio_second": "0.000000000001"}}]})
LONG = PriceSheet.parse(
    {
        "bands": [
            {"prices": {"input": "3"}},
            {"prices": {"input": "6"}, "above_input_tokens": 200000},
            {"prices": {"input": "9"}, "service_tier": "priority"},
        ]
    }
)
FREE = PriceSheet.parse({"free": True})


@pytest.fixture
def storage(empty_books: Books) -> Storage:
    return empty_books.storage


async def furnish(unit: Unit) -> tuple[User, Sequence[Model]]:
    user = await unit.users.add(User(0, "usr_a", "ada", "ada@example.org", UserRole.USER, UserStatus.ACTIVE, False, 1))
    lab = await unit.providers.add(
        Provider(0, "prv_lab", "lab", ProviderType.DEMO, "", None, "drain", ProviderStatus.ACTIVE, 7)
    )
    names = ("one", "two")
    models = [Model(0, name, lab.id, name, None, None, ModelStatus.ACTIVE, 9) for name in names]
    return user, await unit.models.add_all(models)


async def test_added_prices_are_read_back_in_the_same_order(storage: Storage) -> None:
    async with storage.writing() as unit:
        user, (one, two) = await furnish(unit)
        asked = [
            PriceVersion(0, two.id, None, "catalogue", LONG, 5, 4),
            PriceVersion(0, one.id, None, "operator", CHEAP, 6, 4),
            PriceVersion(0, one.id, user.id, "customer", FREE, 2**60, 4),
        ]
        added = await unit.prices.add_all(asked)
    prices = storage.reading().prices
    assert [replace(version, id=0) for version in added] == asked
    assert await prices.list() == added
    assert await prices.list(one.id) == added[1:]
    assert await prices.list(99) == []


async def test_markups_are_read_back_exactly(storage: Storage) -> None:
    async with storage.writing() as unit:
        versions = [
            await unit.prices.add_markup(MarkupVersion(0, "default", None, parse_markup("7.500001%"), 5, 4)),
            await unit.prices.add_markup(MarkupVersion(0, "user", 3, Fraction(0), 6, 4)),
        ]
    assert versions[0].id < versions[1].id
    assert await storage.reading().prices.markups() == versions


async def test_requests_without_a_price_are_counted_by_model(storage: Storage, empty_books: Books) -> None:
    async with storage.writing() as unit:
        _, (one, two) = await furnish(unit)
    for model, at_us in ((one, 10), (two, 20), (two, 30)):
        await empty_books.note_unpriced(model.id, at_us)
    assert await storage.reading().prices.unpriced_asks() == [UnpricedAsks(two.id, 2, 30), UnpricedAsks(one.id, 1, 10)]
