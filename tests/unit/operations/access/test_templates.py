"""What new keys and people who register get of a template, and what is explicit."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import USD, StoppedClock, make_database

from softix_proxy.domain.access.keys import KeyLimits
from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.operations.access import templates
from softix_proxy.operations.access.caps import AskedLimits
from softix_proxy.operations.access.limit_terms import AskedTerms
from softix_proxy.operations.access.templates import Explicit, apply_to_key, apply_to_user
from softix_proxy.storage.sqlite.unit import SqliteStorage


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    """With a template for keys, which is the default, and one for users."""
    database = await make_database(tmp_path, StoppedClock()).open()
    storage = SqliteStorage(database)
    asked = AskedLimits("", {"day": USD, "month": 5 * USD}, AskedTerms(zone="UTC"), {"rpm": 60, "tpm": 900})
    await templates.set_to(storage, "trial", asked, is_default=True)
    await templates.set_to(storage, "trial", AskedLimits("lab/*", {"total": USD}, rates={"rpm": 5}))
    await templates.set_to(storage, "people", AskedLimits("", {"week": USD}), kind="user", is_default=True)
    yield storage
    await database.close()


def test_limits_that_are_set_are_explicit() -> None:
    explicit = Explicit(["tpm"]).with_limits(KeyLimits(rpm=1, cap_pico=1, cap_period="week"))
    assert (set(explicit.rates), set(explicit.periods)) == ({"rpm", "tpm"}, {"week"})
    assert set(Explicit().with_limits(KeyLimits()).periods) == set()


async def test_new_key_gets_all_parts_but_what_is_explicit(storage: SqliteStorage) -> None:
    async with storage.writing() as unit:
        key = await apply_to_key(unit, await unit.keys.get(1), None, Explicit(["rpm"], ["month"]))
        assert (key.limits.rpm, key.limits.tpm) == (None, 900)
        assert [(rate.models, rate.rpm) for rate in key.limits.model_rates] == [("lab/*", 5)]
        found = [(cap.models, cap.period, cap.zone) for cap in await unit.caps.list(1, 1)]
        assert found == [("", "day", "UTC"), ("lab/*", "total", None)]


async def test_user_who_registers_gets_the_default_for_users(storage: SqliteStorage) -> None:
    async with storage.writing() as unit:
        await apply_to_user(unit, await unit.users.get(2))
        assert [(cap.period, cap.key_id) for cap in await unit.caps.of_user(2)] == [("week", None)]
        await apply_to_user(unit, await unit.users.get(1), "none")
        assert await unit.caps.of_user(1) == []


async def test_template_of_another_kind_or_of_no_name_is_refused(storage: SqliteStorage) -> None:
    async with storage.writing() as unit:
        with pytest.raises(BadInputError, match="a template for a user"):
            await apply_to_key(unit, await unit.keys.get(1), "people", Explicit())
        with pytest.raises(NotFoundError, match="no template"):
            await apply_to_user(unit, await unit.users.get(1), "nothing")


async def test_deleted_template_is_no_default_any_more(storage: SqliteStorage) -> None:
    assert [listed.is_default for listed in await templates.list_all(storage)] == [True, True]
    deleted = await templates.delete(storage, "trial")
    assert deleted.template.name == "trial" and len(await templates.list_all(storage)) == 1
    async with storage.writing() as unit:
        key = await unit.keys.get(1)
        assert await apply_to_key(unit, key, None, Explicit()) == key
