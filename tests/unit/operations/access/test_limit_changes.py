"""What becomes of the caps and limits by model of a key or a user."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import NOW_US, USD, StoppedClock, make_database, make_intent, make_settlement, post

from softix_proxy.domain.access.keys import ModelRate
from softix_proxy.domain.core.clock import DAY_US
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.metering.caps import MOST_CAPS
from softix_proxy.operations.access import caps, keys, limit_changes
from softix_proxy.operations.access.caps import AskedLimits, CapStanding
from softix_proxy.operations.access.limit_terms import AskedTerms
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await make_database(tmp_path, StoppedClock()).open()
    yield database
    await database.close()


@pytest.fixture
def storage(database: Database) -> SqliteStorage:
    return SqliteStorage(database)


def spend(database: Database, number: int, charge_pico: int, at_us: int = NOW_US) -> None:
    connection = database.connect()
    settlement = make_settlement(make_intent(number, 0, hold_pico=charge_pico), charge_pico=charge_pico)
    post(connection, [settlement], at_us)
    connection.close()


async def standings(storage: SqliteStorage) -> list[CapStanding]:
    async with storage.snapshot() as unit:
        assert (await unit.ledger.verify()).violations == ()
        return list(await caps.of_key(unit, await unit.keys.get(1)))


async def test_new_cap_counts_what_was_spent_in_its_period_before(storage: SqliteStorage, database: Database) -> None:
    spend(database, 1, 300, NOW_US - 20 * DAY_US)
    spend(database, 2, 50)
    asked = AskedLimits("", {"day": 1000, "week": 1000, "month": 1000, "total": 1000})
    await limit_changes.set_of_key(storage, "key_ada", asked)
    assert [one.spent_pico for one in await standings(storage)] == [50, 50, 50, 350]
    terms = AskedTerms(zone="UTC", reset_day="20")
    await limit_changes.set_of_key(storage, "key_ada", AskedLimits("", {"month": 1000}, terms))
    assert [one.spent_pico for one in await standings(storage)] == [50, 50, 350, 350], "2027-01-15 is before the 20th"
    assert [one.left_pico for one in await standings(storage)] == [950, 950, 650, 650]
    assert (await standings(storage))[2].percent == 35


async def test_new_cap_of_a_model_counts_what_the_model_cost_before(storage: SqliteStorage, database: Database) -> None:
    spend(database, 1, 300)
    await limit_changes.set_of_key(storage, "key_ada", AskedLimits("llama", {"total": 1000}))
    [standing] = await standings(storage)
    assert (standing.spent_pico, standing.cap.models, standing.ends_at_us) == (300, "llama", None)


async def test_limit_by_model_is_changed_alone_and_removed_with_its_last_figure(storage: SqliteStorage) -> None:
    async def change(models: str, **rates: int | None) -> tuple[ModelRate, ...]:
        return (await limit_changes.set_of_key(storage, "key_ada", AskedLimits(models, rates=rates))).limits.model_rates

    assert await change("lab/*", rpm=5) == (ModelRate("lab/*", 5, None),)
    assert await change("gpt-*", tpm=7) == (ModelRate("gpt-*", None, 7), ModelRate("lab/*", 5, None))
    assert await change("lab/*", tpm=9) == (ModelRate("gpt-*", None, 7), ModelRate("lab/*", 5, 9))
    assert await change("gpt-*", tpm=None) == (ModelRate("lab/*", 5, 9),)
    assert (await storage.reading().keys.get(1)).limits.model_rates == (ModelRate("lab/*", 5, 9),)


async def test_plain_cap_of_a_named_period_becomes_one_of_the_caps(storage: SqliteStorage) -> None:
    await keys.update(storage, "key_ada", limits={"cap_pico": 7 * USD, "cap_period": "week"})
    key = await limit_changes.set_of_key(storage, "key_ada", AskedLimits("", {"day": USD}))
    assert key.limits.cap_pico == 7 * USD
    key = await limit_changes.set_of_key(
        storage, "key_ada", AskedLimits("", {"week": 9 * USD}, AskedTerms(until="2027-02-01"))
    )
    assert key.limits.cap_pico is None
    assert [(one.cap.amount_pico, one.in_force_pico) for one in await standings(storage)] == [
        (USD, USD),
        (7 * USD, 9 * USD),
    ]
    await keys.update(storage, "key_ada", limits={"cap_pico": USD, "cap_period": "week"})
    key = await limit_changes.set_of_key(storage, "key_ada", AskedLimits("", {"week": None, "day": None}))
    assert key.limits.cap_pico is None and await standings(storage) == []


async def test_limits_that_cannot_be_kept_are_refused(storage: SqliteStorage) -> None:
    for asked in (
        AskedLimits("", {"day": -1}),
        AskedLimits("", {"day": 2**63}),
        AskedLimits("", {}, AskedTerms(alerts="50")),
        AskedLimits("nobody/*", {"day": 1}),
        AskedLimits("lab/*", rates={"concurrency": 1}),
        AskedLimits("lab/*", rates={"rpm": 0}),
    ):
        with pytest.raises(BadInputError):
            await limit_changes.set_of_key(storage, "key_ada", asked)
    with pytest.raises(NotFoundError):
        await limit_changes.set_of_user(storage, "nobody", AskedLimits("", {"day": 1}))


async def test_key_has_no_more_caps_than_a_request_can_read(storage: SqliteStorage) -> None:
    for number in range(MOST_CAPS):
        await limit_changes.set_of_key(storage, "key_ada", AskedLimits(f"m{number}", {"day": 1}))
    with pytest.raises(ConflictError, match="50 caps already"):
        await limit_changes.set_of_key(storage, "key_ada", AskedLimits("one", {"day": 1}))
    await limit_changes.set_of_key(storage, "key_ada", AskedLimits("m1", {"day": 2}))
    for number in range(20):
        await limit_changes.set_of_key(storage, "key_ada", AskedLimits(f"m{number}", rates={"rpm": 1}))
    with pytest.raises(ConflictError, match="20 patterns"):
        await limit_changes.set_of_key(storage, "key_ada", AskedLimits("one", rates={"rpm": 1}))
