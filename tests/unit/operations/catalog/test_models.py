from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from support.books import StoppedClock

from softix_proxy.domain.catalog.models import ModelStatus
from softix_proxy.domain.catalog.providers import Provider, ProviderStatus, ProviderType
from softix_proxy.domain.core.errors import BadInputError, ConflictError, NotFoundError
from softix_proxy.domain.pricing.rates import PriceSheet
from softix_proxy.operations.catalog import models, providers
from softix_proxy.operations.pricing import prices
from softix_proxy.storage.sqlite.core.database import Database
from softix_proxy.storage.sqlite.unit import SqliteStorage

SHEET = PriceSheet.parse({"bands": [{"prices": {"input": "0.15", "output": "0.60"}}]})
LAB = Provider(0, "prv_lab", "lab", ProviderType.DEMO, "", None, "drain", ProviderStatus.ACTIVE, 7)


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def storage(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[SqliteStorage]:
    database = Database(tmp_path / "softix.db", clock)
    database.create()
    await database.open()
    yield SqliteStorage(database)
    await database.close()


@pytest.fixture(autouse=True)
async def hosts(storage: SqliteStorage) -> None:
    async with storage.writing() as unit:
        await unit.providers.add(LAB)
        await unit.providers.add(replace(LAB, public_id="prv_two", name="two"))


async def names(storage: SqliteStorage, **options: object) -> list[str]:
    return [entry.full_name for entry in await models.list_all(storage, **options)]  # type: ignore[arg-type]


async def test_model_after_creation_has_its_price(storage: SqliteStorage) -> None:
    added = await models.add(
        storage,
        name="llama",
        provider="lab",
        upstream_name="meta/llama",
        sheet=SHEET,
        context_tokens=8192,
        max_output_tokens=0,
    )
    assert (added.full_name, added.sheet, added.active) == ("lab/llama", SHEET, True)
    model = added.model
    assert (model.upstream_name, model.context_tokens, model.max_output_tokens) == ("meta/llama", 8192, 0)
    assert await models.show(storage, "llama") == added
    [price] = await storage.reading().prices.list()
    assert (price.source, price.sheet, price.model_id) == ("operator", SHEET, model.id)


async def test_model_without_a_price_has_none_and_a_free_one_is_free(storage: SqliteStorage) -> None:
    assert (await models.add(storage, name="a", provider="lab")).sheet is None
    await models.add(storage, name="b", provider="lab", sheet=PriceSheet(()))
    entry = await models.show(storage, "b")
    assert entry.sheet is not None and entry.sheet.free
    assert (await models.show(storage, "a")).sheet is None
    assert (await models.show(storage, "a")).model.upstream_name == "a"


async def test_model_with_a_taken_or_bad_name_or_provider_is_refused(storage: SqliteStorage) -> None:
    await models.add(storage, name="a", provider="lab")
    with pytest.raises(ConflictError):
        await models.add(storage, name="a", provider="prv_lab")
    with pytest.raises(NotFoundError, match="no provider"):
        await models.add(storage, name="a", provider="none")
    await providers.remove(storage, "two")
    with pytest.raises(ConflictError, match="removed"):
        await models.add(storage, name="a", provider="prv_two")
    for bad in ("", "a b", "/a", "ä", "a" * 129, "a\n"):
        with pytest.raises(BadInputError):
            await models.add(storage, name=bad, provider="lab")
        with pytest.raises(BadInputError):
            await models.add(storage, name="x", provider="lab", upstream_name=bad or " ")
    assert await names(storage) == ["lab/a"]


async def test_model_name_without_a_provider_finds_the_model_if_it_is_the_only_one(storage: SqliteStorage) -> None:
    for provider in ("lab", "two"):
        await models.add(storage, name="llama", provider=provider)
    await models.add(storage, name="meta/mini", provider="two")
    for reference, found in {
        "lab/llama": "lab/llama",
        "two/llama": "two/llama",
        "prv_two/llama": "two/llama",
        "meta/mini": "two/meta/mini",
        "two/meta/mini": "two/meta/mini",
    }.items():
        assert (await models.show(storage, reference)).full_name == found
    with pytest.raises(BadInputError) as ambiguous:
        await models.show(storage, "llama")
    assert "lab/llama, two/llama" in ambiguous.value.remedy
    for unknown in ("mini", "lab/mini", "none/llama"):
        with pytest.raises(NotFoundError):
            await models.show(storage, unknown)


async def test_model_name_with_a_provider_never_means_the_model_of_another_one(storage: SqliteStorage) -> None:
    await models.add(storage, name="lab/llama", provider="two")
    with pytest.raises(NotFoundError, match="lab has no model 'llama'") as refused:
        await models.show(storage, "lab/llama")
    assert refused.value.remedy == "for that of two: two/lab/llama"
    await models.add(storage, name="llama", provider="lab")
    assert (await models.show(storage, "lab/llama")).full_name == "lab/llama"
    assert (await models.show(storage, "two/lab/llama")).full_name == "two/lab/llama"


async def test_model_list_contains_only_active_models_unless_all_are_wanted(storage: SqliteStorage) -> None:
    for name, provider in (("z", "lab"), ("b", "lab"), ("c", "two")):
        await models.add(storage, name=name, provider=provider)
    await models.update(storage, "b", status=ModelStatus.DISABLED)
    assert await names(storage) == ["lab/z", "two/c"]
    assert await names(storage, every=True) == ["lab/b", "lab/z", "two/c"]
    assert await names(storage, provider="lab", every=True) == ["lab/b", "lab/z"]
    await providers.set_status(storage, "two", ProviderStatus.DISABLED)
    assert await names(storage) == ["lab/z"]
    assert await names(storage, every=True) == ["lab/b", "lab/z", "two/c"]
    await providers.remove(storage, "two")
    assert await names(storage, every=True) == ["lab/b", "lab/z"]
    with pytest.raises(NotFoundError):
        await names(storage, provider="none")


async def test_model_of_a_removed_provider_leaves_its_name_to_others(storage: SqliteStorage) -> None:
    for provider in ("lab", "two"):
        await models.add(storage, name="llama", provider=provider)
    await providers.remove(storage, "lab")
    assert (await models.show(storage, "llama")).full_name == "two/llama"
    assert (await models.show(storage, "prv_lab/llama")).full_name == "prv_lab/llama"


async def test_model_update_changes_only_the_given_fields(storage: SqliteStorage) -> None:
    before = await models.add(storage, name="a", provider="lab", context_tokens=5, max_output_tokens=4)
    assert (await models.update(storage, "a")).model == before.model
    after = await models.update(storage, "a", upstream_name="b", max_output_tokens=0)
    assert after.model == replace(before.model, upstream_name="b", max_output_tokens=0)
    assert (await models.update(storage, "a", context_tokens=9)).model.context_tokens == 9
    with pytest.raises(BadInputError):
        await models.update(storage, "a", upstream_name="")


async def test_model_list_shows_the_price_in_force(storage: SqliteStorage, clock: StoppedClock) -> None:
    await models.add(storage, name="a", provider="lab", sheet=SHEET)
    await prices.set_price(storage, "a", PriceSheet(()), starts_at_us=clock.us + 10)
    assert [entry.sheet for entry in await models.list_all(storage)] == [SHEET]
    clock.us += 10
    assert [entry.sheet for entry in await models.list_all(storage)] == [PriceSheet(())]
