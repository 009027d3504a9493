from dataclasses import replace

import pytest
from support.engines import Books

from softix_proxy.domain.catalog.models import Model, ModelStatus
from softix_proxy.domain.catalog.providers import Provider, ProviderStatus, ProviderType
from softix_proxy.domain.core.errors import ConflictError, NotFoundError
from softix_proxy.domain.ports.storage import Storage

LAB = Provider(0, "prv_lab", "lab", ProviderType.DEMO, "", None, "drain", ProviderStatus.ACTIVE, 7)


@pytest.fixture
def storage(empty_books: Books) -> Storage:
    return empty_books.storage


def model(provider: Provider, name: str = "llama") -> Model:
    return Model(0, name, provider.id, "meta/llama", 8192, None, ModelStatus.ACTIVE, 9)


async def test_added_models_are_read_back_in_the_same_order(storage: Storage) -> None:
    async with storage.writing() as unit:
        lab = await unit.providers.add(LAB)
        asked = [model(lab, name) for name in ("zeta", "alpha", 'mu:"7b"')]
        added = await unit.models.add_all(asked)
        assert await unit.models.add_all([]) == []
    models = storage.reading().models
    assert [replace(one, id=0) for one in added] == asked
    assert await models.list() == added
    assert [await models.get(one.id) for one in added] == added
    assert await models.find(lab.id, "alpha") == added[1]
    assert await models.find(lab.id + 1, "alpha") is None
    with pytest.raises(NotFoundError):
        await models.get(99)


async def test_models_with_a_name_that_is_taken_are_all_refused(storage: Storage) -> None:
    async with storage.writing() as unit:
        lab = await unit.providers.add(LAB)
        await unit.models.add_all([model(lab)])
        with pytest.raises(ConflictError, match="'llama'"):
            await unit.models.add_all([model(lab)])
        with pytest.raises(ConflictError):
            await unit.models.add_all([model(lab, "other"), model(lab)])
    assert [one.name for one in await storage.reading().models.list()] == ["llama"]


async def test_models_named_after_removal_of_a_provider_leave_out_its_model(storage: Storage) -> None:
    async with storage.writing() as unit:
        first = await unit.providers.add(LAB)
        second = await unit.providers.add(replace(LAB, public_id="prv_two", name="two"))
        added = await unit.models.add_all([model(first), model(second), model(second, "other")])
        assert await unit.models.named("llama") == added[:2]
        await unit.providers.update(replace(first, status=ProviderStatus.REMOVED))
        assert await unit.models.named("llama") == [added[1]]
        assert await unit.models.named("none") == []


async def test_model_update_and_disable_all_change_only_the_models_meant(storage: Storage) -> None:
    async with storage.writing() as unit:
        lab = await unit.providers.add(LAB)
        added = await unit.models.add_all([model(lab), model(lab, "other")])
        changed = replace(
            added[0], upstream_name="x", context_tokens=None, max_output_tokens=0, status=ModelStatus.DISABLED
        )
        await unit.models.update(changed)
        assert await unit.models.list() == [changed, added[1]]
        await unit.models.disable_all(lab.id + 1)
        assert await unit.models.list() == [changed, added[1]]
        await unit.models.disable_all(lab.id)
    assert {one.status for one in await storage.reading().models.list()} == {ModelStatus.DISABLED}
