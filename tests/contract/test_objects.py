"""The store of things at providers: where a user may name them, the record of new ones, and permissions."""

from __future__ import annotations

from support.books import NOW_US
from support.engines import Books

from softix_proxy.domain.access.objects import AccountPlace, ObjectRef, ObjectShare
from softix_proxy.domain.metering.batches import KeptFile

MAIN, SPARE = AccountPlace(1, "main"), AccountPlace(1, "spare")
FILE, STORE = ObjectRef("file", "f"), ObjectRef("vector_store", "vs")


def share(user_id: int | None, name: str = "vs") -> ObjectShare:
    user = None if user_id is None else ("ada", "bob")[user_id - 1]
    return ObjectShare("vector_store", name, 1, "lab", "main", user_id, user, NOW_US)


async def test_thing_is_resolved_for_its_owner_only(books: Books) -> None:
    async with books.storage.writing() as unit:
        await unit.batches.keep_file(KeptFile(1, "main", 1, 1, "f", NOW_US))
        await unit.batches.keep_file(KeptFile(1, "spare", 1, 1, "f", NOW_US))
    resolve = books.storage.reading().objects.resolve
    assert sorted(await resolve(1, (STORE, FILE))) == [(1, MAIN), (1, SPARE)]
    assert await resolve(2, (STORE, FILE)) == await resolve(1, (ObjectRef("response", "f"),)) == []


async def test_file_of_the_user_may_be_quoted(books: Books) -> None:
    async with books.storage.writing() as unit:
        await unit.batches.keep_file(KeptFile(1, "main", 1, 1, "f", NOW_US))
    assert await books.storage.reading().objects.resolve(1, (ObjectRef("cited_file", "f"),)) == [(0, MAIN)]


async def test_shared_thing_is_resolved_for_those_it_is_shared_with(books: Books) -> None:
    storage = books.storage
    async with storage.writing() as unit:
        await unit.objects.share(share(1))
        await unit.objects.share(share(1))
    resolve = storage.reading().objects.resolve
    assert (await resolve(1, (STORE,)), await resolve(2, (STORE,))) == ([(0, MAIN)], [])
    async with storage.writing() as unit:
        await unit.objects.share(share(None))
    assert await resolve(2, (STORE,)) == [(0, MAIN)]
    assert [(each.user_id, each.user) for each in await storage.reading().objects.shares()] == [
        (1, "ada"),
        (None, None),
    ]
    async with storage.writing() as unit:
        assert await unit.objects.unshare(share(None)) and not await unit.objects.unshare(share(2))
    assert await resolve(2, (STORE,)) == []


async def test_things_are_listed_by_user_and_kind_with_the_newest_first(books: Books) -> None:
    async with books.storage.writing() as unit:
        for name, user_id in (("f1", 1), ("f2", 2), ("f3", 1)):
            await unit.batches.keep_file(KeptFile(1, "main", user_id, user_id, name, NOW_US))
    listed = books.storage.reading().objects.list
    assert [each.remote_id for each in await listed(None, None, 2)] == ["f3", "f2"]
    assert [(each.remote_id, each.user) for each in await listed(1, "file", 9)] == [("f3", "ada"), ("f1", "ada")]
    assert await listed(1, "batch", 9) == []
