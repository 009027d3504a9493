"""Which models a pattern adds, and what the provider keeps of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import StoppedClock, make_database

from softix_proxy.domain.catalog.models import ModelStatus
from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.operations.catalog import providers, wildcards
from softix_proxy.operations.catalog.catalogue import CatalogueModel
from softix_proxy.storage.sqlite.unit import SqliteStorage

SHEET = '{"bands":[{"prices":{"input":"1"}}]}'
PRICED = (
    CatalogueModel("demo", "llama", 10, 5, SHEET),
    CatalogueModel("demo", "llama-2", 10, 5, SHEET),
    CatalogueModel("demo", "llama-3", None, None, ""),
)
"""The first is there already, and the last has no price."""


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    database = await make_database(tmp_path, StoppedClock()).open()
    yield SqliteStorage(database)
    await database.close()


async def test_pattern_names_its_provider_or_leaves_that_to_an_option(storage: SqliteStorage) -> None:
    for name, provider in (("lab/llama*", None), ("llama*", "lab"), ("lab/llama*", "lab")):
        host, pattern = await wildcards.provider_of(storage, name, provider)
        assert (host.name, pattern) == ("lab", "llama*")
    with pytest.raises(BadInputError, match="names no provider"):
        await wildcards.provider_of(storage, "other/*", None)
    with pytest.raises(NotFoundError):
        await wildcards.provider_of(storage, "*", "other")


async def test_pattern_adds_what_has_a_price_and_is_not_there(storage: SqliteStorage) -> None:
    host, _ = await wildcards.provider_of(storage, "lab/*", None)
    offered = await wildcards.add(storage, host, "llama*", PRICED)
    assert list(offered.added) == ["llama-2"]
    fields = wildcards.as_fields(offered)
    assert (fields["models"], fields["disabled"], fields["status"]) == (["llama", "llama-2"], [], "active")
    host = await providers.find(storage.reading(), "lab")
    assert host.model_patterns == ("llama*",)
    again = await wildcards.add(storage, host, "llama*", PRICED)
    assert list(again.added) == [] and (await wildcards.show(storage, host, "llama*")).models == again.models
    unit = storage.reading()
    [added] = [model for model in await unit.models.list() if model.name == "llama-2"]
    assert len(await unit.prices.list(added.id)) == 1


async def test_disabled_pattern_is_not_kept(storage: SqliteStorage) -> None:
    host, _ = await wildcards.provider_of(storage, "lab/*", None)
    await wildcards.add(storage, host, "*", PRICED)
    off = await wildcards.set_status(storage, host, "*", ModelStatus.DISABLED)
    assert {model.status for model in off.models} == {ModelStatus.DISABLED}
    with pytest.raises(NotFoundError, match="no pattern"):
        await wildcards.show(storage, await providers.find(storage.reading(), "lab"), "*")
    on = await wildcards.set_status(storage, host, "*", ModelStatus.ACTIVE)
    assert {model.status for model in on.models} == {ModelStatus.ACTIVE}


@pytest.mark.parametrize("pattern", ["gpt-*", "llama-3", "two words*"])
async def test_pattern_without_a_priced_model_is_refused(storage: SqliteStorage, pattern: str) -> None:
    host, _ = await wildcards.provider_of(storage, "lab/*", None)
    with pytest.raises(BadInputError):
        await wildcards.add(storage, host, pattern, PRICED)
