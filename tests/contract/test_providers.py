from dataclasses import replace
from typing import Any

import pytest
from support.engines import Books

from softix_proxy.domain.catalog.providers import Provider, ProviderStatus, ProviderType
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.ports.storage import Storage

LAB = Provider(
    0,
    "prv_lab",
    "lab",
    ProviderType.OPENAI_COMPATIBLE,
    "http://lab:8000",
    b"\0sealed",
    "drain",
    ProviderStatus.ACTIVE,
    7,
)


@pytest.fixture
def storage(empty_books: Books) -> Storage:
    return empty_books.storage


async def test_added_provider_is_found_by_its_id_and_name(storage: Storage) -> None:
    async with storage.writing() as unit:
        added = await unit.providers.add(LAB)
    providers = storage.reading().providers
    assert added == replace(LAB, id=added.id) and added.id > 0
    assert await providers.get(added.id) == await providers.find("lab") == await providers.find("prv_lab") == added
    assert await providers.list() == [added]
    assert await providers.find("other") is None
    with pytest.raises(NotFoundError):
        await providers.get(added.id + 1)


async def test_provider_fields_to_drop_and_place_of_version_are_read_back_and_updated(storage: Storage) -> None:
    async with storage.writing() as unit:
        added = await unit.providers.add(replace(LAB, version_in_url=True, drop_fields=("stream_options", "store")))
        assert (added.version_in_url, added.drop_fields) == (True, ("stream_options", "store"))
        changed = replace(added, version_in_url=False, drop_fields=("user",))
        await unit.providers.update(changed)
    assert await storage.reading().providers.get(added.id) == changed
    told = (await storage.changes(0)).providers
    assert [(one.version_in_url, one.drop_fields) for one in told] == [(False, ("user",))]


async def test_provider_reference_with_a_public_id_prefers_it_to_an_equal_name(storage: Storage) -> None:
    async with storage.writing() as unit:
        await unit.providers.add(replace(LAB, name="prv_other"))
        other = await unit.providers.add(replace(LAB, public_id="prv_other", name="other"))
    assert await storage.reading().providers.find("prv_other") == other


async def test_provider_with_a_name_that_is_taken_is_refused(storage: Storage) -> None:
    with pytest.raises(ConflictError):
        async with storage.writing() as unit:
            await unit.providers.add(LAB)
            await unit.providers.add(replace(LAB, public_id="prv_two"))
    assert await storage.reading().providers.list() == []


async def test_provider_update_writes_every_column_that_may_change(storage: Storage) -> None:
    async with storage.writing() as unit:
        added = await unit.providers.add(LAB)
        await unit.providers.add(replace(LAB, public_id="prv_two", name="two"))
        changed = replace(
            added,
            name="labs",
            base_url="https://lab",
            sealed_key=None,
            on_hang_up="cancel",
            status=ProviderStatus.REMOVED,
        )
        await unit.providers.update(changed)
        with pytest.raises(ConflictError):
            await unit.providers.update(replace(changed, name="two"))
    assert await storage.reading().providers.get(added.id) == changed


@pytest.mark.parametrize("rule", ["pass", "strip", "refuse", None])
async def test_provider_rule_for_unknown_members_is_read_back_and_updated(storage: Storage, rule: Any) -> None:
    async with storage.writing() as unit:
        added = await unit.providers.add(replace(LAB, unknown_members=rule))
        assert added.unknown_members == rule
        await unit.providers.update(replace(added, unknown_members="refuse"))
    assert [one.unknown_members for one in (await storage.changes(0)).providers] == ["refuse"]
