from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from support.books import NOW_US, StoppedClock, make_database

from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.operations.pricing import prices
from softix_proxy.operations.pricing.price_changes import GivenPrice, change_price
from softix_proxy.storage.sqlite.unit import SqliteStorage

FOR_ALL = PriceSheet.parse({"bands": [{"prices": {"input": "2", "cached_input": "1", "output": "8"}}]})
LOWER = GivenPrice({"input_tokens": Decimal("0.5")})


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    database = await make_database(tmp_path, StoppedClock()).open()
    yield SqliteStorage(database)
    await database.close()


async def test_price_change_starts_from_the_price_in_force_at_its_start(storage: SqliteStorage) -> None:
    """And not from what is in force now."""
    await prices.set_price(storage, "llama", FOR_ALL)
    tomorrows = PriceSheet.parse({"bands": [{"prices": {"input": "4", "output": "9"}}]})
    await prices.set_price(storage, "llama", tomorrows, starts_at_us=NOW_US + DAY_US)
    changed = await change_price(storage, "llama", LOWER, starts_at_us=NOW_US + 2 * DAY_US)
    assert changed.before == tomorrows
    assert changed.listed.version.sheet.dump()["bands"][0]["prices"] == {"input": "0.5", "output": "9"}
    assert (await change_price(storage, "llama", LOWER)).before == FOR_ALL


async def test_price_change_for_a_customer_mentions_the_markup_only_the_first_time(storage: SqliteStorage) -> None:
    await prices.set_price(storage, "llama", FOR_ALL)
    await prices.set_markup(storage, Fraction(11, 10))
    first = await change_price(storage, "llama", LOWER, user="ada")
    assert first.before == FOR_ALL and "until now 10%" in first.remarks[0]
    assert [oddity.meter for oddity in first.oddities] == ["cached_input_tokens"]
    assert first.remedy(first.oddities[0]) == "softix prices set lab/llama --cached-input 0.25 --user usr_ada"
    second = await change_price(storage, "llama", LOWER, user="ada")
    assert second.before == first.listed.version.sheet and second.remarks == []


async def test_price_change_in_a_rehearsal_saves_nothing(storage: SqliteStorage) -> None:
    changed = await change_price(storage.rehearsal(), "llama", LOWER)
    assert changed.listed.version.sheet.bands[0].unit_prices == LOWER.prices
    assert await storage.reading().prices.list() == []


async def test_price_change_with_bad_input_is_refused(storage: SqliteStorage) -> None:
    with pytest.raises(NotFoundError):
        await change_price(storage, "none", LOWER)
    with pytest.raises(NotFoundError):
        await change_price(storage, "llama", LOWER, user="none")
    with pytest.raises(BadInputError, match="past"):
        await change_price(storage, "llama", LOWER, starts_at_us=NOW_US - 1)


async def test_price_change_after_the_clock_was_ahead_starts_from_the_last_price(tmp_path: Path) -> None:
    clock = StoppedClock()
    database = await make_database(tmp_path, clock).open()
    ahead = SqliteStorage(database)
    await prices.set_price(ahead, "llama", PriceSheet.parse({"bands": [{"prices": {"input": "4", "output": "9"}}]}))
    clock.us += 300 * DAY_US
    await prices.set_price(ahead, "llama", FOR_ALL)
    clock.us -= 300 * DAY_US - 1
    assert (await change_price(ahead, "llama", LOWER)).before == FOR_ALL
    await database.close()
