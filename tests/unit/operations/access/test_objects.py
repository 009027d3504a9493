from __future__ import annotations

from typing import Any

import pytest

from softix_proxy.domain.access.users import User
from softix_proxy.domain.catalog.providers import ProviderType
from softix_proxy.domain.core.errors import BadInputError, NotFoundError
from softix_proxy.operations.access import objects
from softix_proxy.operations.catalog import providers
from softix_proxy.storage.sqlite.unit import SqliteStorage

STORE: dict[str, Any] = {"kind": "vector_store", "name": "vs", "provider": "lab"}


@pytest.fixture
async def lab(books: SqliteStorage) -> None:
    await providers.add(
        books,
        None,
        name="lab",
        kind=ProviderType.OPENAI_COMPATIBLE,
        base_url="http://127.0.0.1:9",
        key=None,  # type: ignore[arg-type] # no key is sealed
    )


async def test_thing_is_shared_listed_and_taken_back(books: SqliteStorage, ada: User, lab: None) -> None:
    made = await objects.share(books, **STORE, user="ada")
    assert (made.user, made.provider, made.provider_key) == ("ada", "lab", "")
    assert await objects.shares(books) == [made]
    with pytest.raises(NotFoundError):
        await objects.unshare(books, **STORE)
    await objects.unshare(books, **STORE, user="ada")
    assert await objects.shares(books) == [] == await objects.list_all(books, user="ada", kind="file", limit=9)


@pytest.mark.parametrize("change", [{"provider": "x"}, {"key": "x"}, {"user": "x"}])
async def test_share_of_something_unknown_is_refused(books: SqliteStorage, lab: None, change: dict[str, str]) -> None:
    with pytest.raises(NotFoundError):
        await objects.share(books, **{**STORE, **change})


@pytest.mark.parametrize("change", [{"kind": "wombat"}, {"name": ""}, {"name": "a b"}, {"name": "\x1b[2J"}])
async def test_share_of_what_is_no_name_is_refused(books: SqliteStorage, lab: None, change: dict[str, str]) -> None:
    with pytest.raises(BadInputError):
        await objects.share(books, **{**STORE, **change})


async def test_list_of_an_unknown_user_or_kind_is_refused(books: SqliteStorage) -> None:
    with pytest.raises(NotFoundError):
        await objects.list_all(books, user="eve", limit=9)
    with pytest.raises(BadInputError):
        await objects.list_all(books, kind="wombat", limit=9)
