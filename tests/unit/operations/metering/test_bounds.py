from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from support.books import NOW_US, make_database, make_intent, make_settlement, post

from softix_proxy.domain.core.errors import NotFoundError
from softix_proxy.operations.metering import bounds
from softix_proxy.storage.sqlite.unit import SqliteStorage


@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[SqliteStorage]:
    """A request of the model cost more than its hold, and so did one with a certain member."""
    database = make_database(tmp_path)
    connection = database.connect()
    for number, members in ((1, ()), (2, ("documents",))):
        intent = make_intent(number, 0, hold_pico=30)
        post(connection, [make_settlement(intent, charge_pico=100, members=members)], NOW_US + number)
    connection.close()
    await database.open()
    yield SqliteStorage(database)
    await database.close()


async def members(storage: SqliteStorage, *, only_wider: bool = True) -> list[str]:
    return [named.bound.member for named in await bounds.list_all(storage, only_wider=only_wider)]


async def test_bounds_list_names_the_model_and_its_provider(storage: SqliteStorage) -> None:
    latest, first = await bounds.list_all(storage)
    assert (first.full_name, first.bound.member) == ("lab/llama", "")
    assert (latest.full_name, latest.bound.member) == ("lab/llama", "documents")


async def test_bounds_reset_of_a_member_leaves_the_others(storage: SqliteStorage) -> None:
    [reset] = await bounds.reset(storage, "llama", "documents")
    assert reset.bound.member == "documents"
    assert await members(storage) == [""]
    assert await members(storage, only_wider=False) == ["documents", ""]


async def test_bounds_reset_of_a_model_resets_all_of_its_bounds_once(storage: SqliteStorage) -> None:
    assert len(await bounds.reset(storage, "lab/llama")) == 2 and await members(storage) == []
    with pytest.raises(NotFoundError, match="is widened"):
        await bounds.reset(storage, "lab/llama")
