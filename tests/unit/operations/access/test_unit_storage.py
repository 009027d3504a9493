from __future__ import annotations

import pytest

from softix_proxy.domain.access.users import User
from softix_proxy.operations.access import users
from softix_proxy.operations.access.unit_storage import UnitStorage
from softix_proxy.storage.sqlite.unit import SqliteStorage


async def test_operations_within_one_unit_happen_together_or_not(books: SqliteStorage, ada: User) -> None:
    with pytest.raises(LookupError):
        async with books.writing() as unit:
            within = UnitStorage(unit, changes=True)
            await users.update(within, ada.public_id, name="lovelace")
            assert (await users.show(within, "lovelace")).id == ada.id
            async with within.snapshot() as same:
                assert same is unit and within.rehearsal() is within
            raise LookupError
    assert (await users.show(books, ada.public_id)).name == "ada"


async def test_storage_that_only_reads_has_no_way_to_write(books: SqliteStorage, ada: User) -> None:
    within = UnitStorage(books.reading())
    assert (await users.show(within, "ada")).id == ada.id
    with pytest.raises(RuntimeError):
        await users.update(within, ada.public_id, name="lovelace")
    with pytest.raises(RuntimeError):
        await within.changes(0)
