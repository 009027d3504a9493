from __future__ import annotations

import pytest
from support.people import new_vault

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.operations.core.bound_secret import BoundSecret
from softix_proxy.storage.sqlite.unit import SqliteStorage

SECRET = BoundSecret("sealed_x", "x_of", "secret of x", "nobody")


async def test_secret_opens_for_what_it_is_bound_to_and_for_nothing_else(books: SqliteStorage) -> None:
    vault = new_vault()
    assert await SECRET.load(books.reading()) == (None, "nobody")
    async with books.writing() as unit:
        await SECRET.store(unit, vault, "text", "ada")
    sealed, bound_to = await SECRET.load(books.reading())
    assert sealed is not None and bound_to == "ada"
    assert vault.open_secret(sealed, *SECRET.place(bound_to)) == "text"
    with pytest.raises(FailureError):
        vault.open_secret(sealed, *SECRET.place("eve"))


async def test_secret_is_counted_and_an_empty_value_is_none(books: SqliteStorage) -> None:
    vault = new_vault()
    assert await SECRET.count(books.reading(), vault) == (0, 0)
    async with books.writing() as unit:
        await SECRET.store(unit, vault, "text", "ada")
    assert await SECRET.count(books.reading(), vault) == (1, 0)
    assert await SECRET.count(books.reading(), new_vault()) == (1, 1)
    assert await SECRET.rewrap(books, vault) == 0
    async with books.writing() as unit:
        await unit.instance.set("sealed_x", b"")
    assert await SECRET.count(books.reading(), vault) == (0, 0)
