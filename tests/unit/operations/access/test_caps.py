"""How a cap stands, and what commands show of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import NOW_US, USD, StoppedClock, make_database

from softix_proxy.domain.core.clock import SECOND_US
from softix_proxy.domain.metering.caps import Cap
from softix_proxy.operations.access import caps
from softix_proxy.operations.access.caps import AskedLimits, CapStanding
from softix_proxy.operations.access.limit_terms import AskedTerms
from softix_proxy.storage.sqlite.unit import SqliteStorage


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    database = await make_database(tmp_path, StoppedClock()).open()
    yield SqliteStorage(database)
    await database.close()


def test_left_and_percent_of_a_cap_go_by_the_amount_in_force() -> None:
    cap = Cap(1, 1, 1, "", "day", 1000, 1, held_pico=100)
    standing = CapStanding(cap, 300, 3000, 0, None)
    assert (standing.left_pico, standing.percent) == (2600, 10)
    over = CapStanding(cap, 2000, 1000, 0, None)
    assert (over.left_pico, over.percent) == (0, 200)
    assert CapStanding(cap, 0, 0, 0, None).percent == 100, "a cap of nothing is used up"


def test_asked_limits_without_anything_are_empty() -> None:
    assert AskedLimits().is_empty and AskedLimits("openai/*").is_empty
    asked = (AskedLimits("", {"day": None}), AskedLimits(rates={"rpm": 1}), AskedLimits(terms=AskedTerms(zone="UTC")))
    assert not any(each.is_empty for each in asked)


async def test_new_key_and_user_get_caps_that_have_spent_nothing(storage: SqliteStorage) -> None:
    async with storage.writing() as unit:
        key = await unit.keys.get(1)
        user = await unit.users.get(1)
        changed = await caps.set_in(unit, key, AskedLimits("", {"total": USD}, rates={"rpm": 5}))
        await caps.set_of_user_in(unit, user, AskedLimits("llama", {"day": 2 * USD, "month": 3 * USD}))
        assert changed.limits.rpm == 5 and await unit.keys.get(1) == changed
        assert [one.cap.period for one in await caps.of_user(unit, 1)] == ["day", "month"]
        [total] = await caps.of_key(unit, key)
    assert caps.as_fields(total) == {
        "model": None, "tag": None, "each_end_user": False,
        "period": "total", "amount": "1.00", "spent": "0.00", "held": "0.00", "left": "1.00",
        "ends_at": None, "zone": None, "reset_day": None, "alerts": [], "raised_to": None, "raised_until": None,
    }  # fmt: skip


async def test_standings_come_in_the_order_of_patterns_and_periods(storage: SqliteStorage) -> None:
    async with storage.writing() as unit:
        key = await unit.keys.get(1)
        for models, period in (("llama", "day"), ("", "month"), ("", "day")):
            await caps.set_in(unit, key, AskedLimits(models, {period: USD}))  # type: ignore[dict-item]
        found = await caps.of_key(unit, key)
    assert [(one.cap.models, one.cap.period) for one in found] == [("", "day"), ("", "month"), ("llama", "day")]
    assert all(one.began_at_us <= NOW_US < (one.ends_at_us or 0) for one in found)
    assert NOW_US % SECOND_US == 0
