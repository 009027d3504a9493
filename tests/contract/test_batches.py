"""The store of batches and files: pages, owners, and intents that no process owns."""

from __future__ import annotations

from dataclasses import replace

from support.books import NOW_US, make_intent
from support.engines import Books

from softix_proxy.domain.metering.batches import PARKED_SLOT, Batch, KeptFile
from softix_proxy.operations.ledger import ledger

SLOT = 0


def batch(number: int, user: int = 1, name: str = "") -> Batch:
    return Batch(number, "openai", 1, "main", user, user, name or f"b{number}", 1, NOW_US)


def file(name: str, user: int = 1) -> KeptFile:
    return KeptFile(1, "main", user, user, name, NOW_US)


async def admit(books: Books, *numbers: int) -> None:
    await books.admit([make_intent(number, 0) for number in numbers], NOW_US, slot=SLOT)


async def test_batch_of_any_user_is_known_to_its_provider(books: Books) -> None:
    storage = books.storage
    async with storage.writing() as unit:
        await unit.batches.add(batch(1, name="b1"), {})
    known = storage.reading().batches.is_known
    assert (await known(1, "b1"), await known(1, "b2"), await known(2, "b1")) == (True, False, False)


async def test_batch_lines_after_admission_are_parked_and_read_back(books: Books) -> None:
    storage = books.storage
    await admit(books, 11, 12, 13)
    async with storage.writing() as unit:
        await unit.batches.add(batch(1), {"x": 11, "y": 12})
    lines = await storage.reading().batches.open_lines(1)
    assert {(line.custom_id, line.intent.request_id, line.hold_pico) for line in lines} == {
        ("x", 11, 10**12),
        ("y", 12, 10**12),
    }
    assert (await ledger.verify(storage)).violations == ()
    assert [orphan.intent.request_id for orphan in await books.orphans(SLOT)] == [13] and PARKED_SLOT < 0


async def test_batch_is_found_only_by_its_owner(books: Books) -> None:
    storage = books.storage
    async with storage.writing() as unit:
        await unit.batches.add(batch(1), {})
        await unit.batches.add(replace(batch(3), input_file="f0"), {})
    store = storage.reading().batches
    assert await store.find(1, "b1") == batch(1) == await store.get(1)
    assert await store.find(1, "b3") == replace(batch(3), input_file="f0")
    assert await store.find(2, "b1") is None and await store.get(2) is None


async def test_pages_of_batches_and_files_have_only_the_user_s_own_in_either_order(books: Books) -> None:
    storage = books.storage
    async with storage.writing() as unit:
        for number in (1, 2, 3):
            await unit.batches.add(batch(number), {})
            await unit.batches.keep_file(file(f"f{number}"))
        await unit.batches.add(batch(4, user=2), {})
        await unit.batches.keep_file(file("f1"))  # twice changes nothing
    store = storage.reading().batches
    assert [each.id for each in await store.page(1, "openai", 2, None)] == [3, 2]
    assert [each.id for each in await store.page(1, "openai", 2, "b2")] == [1]
    assert await store.page(1, "anthropic", 2, None) == [] and await store.page(1, "openai", 2, "b4") == []
    assert [each.remote_id for each in await store.page_of_files(1, 9, None)] == ["f3", "f2", "f1"]
    assert [each.remote_id for each in await store.page_of_files(1, 9, "f2")] == ["f1"]
    assert await store.page_of_files(2, 9, None) == []
    assert [each.id for each in await store.page(1, "openai", 2, None, ascending=True)] == [1, 2]
    assert [each.id for each in await store.page(1, "openai", 2, "b1", ascending=True)] == [2, 3]
    assert [each.remote_id for each in await store.page_of_files(1, 9, "f2", ascending=True)] == ["f3"]


async def test_file_whose_name_is_given_out_again_belongs_to_its_newest_owner(books: Books) -> None:
    storage = books.storage
    older, newer = file("f1"), replace(file("f1", user=2), created_at_us=NOW_US + 1)
    async with storage.writing() as unit:
        await unit.batches.keep_file(older)
        await unit.batches.keep_file(newer)
        await unit.batches.keep_file(older)  # an older batch that is looked at again takes nothing back
    store = storage.reading().batches
    assert (await store.find_file(1, "f1"), await store.find_file(2, "f1")) == (None, newer)
    assert await store.page_of_files(1, 9, None) == [] and await store.page_of_files(2, 9, None) == [newer]


async def test_batch_that_is_over_loses_its_name_to_a_newer_one(books: Books) -> None:
    storage = books.storage
    async with storage.writing() as unit:
        await unit.batches.add(batch(1, name="b"), {})
        await unit.batches.finish(1, NOW_US)
        await unit.batches.add(batch(2, user=2, name="b"), {})
    store = storage.reading().batches
    assert await store.find(1, "b") is None and await store.find(2, "b") == batch(2, user=2, name="b")


async def test_dropped_file_is_not_found(books: Books) -> None:
    storage = books.storage
    async with storage.writing() as unit:
        await unit.batches.keep_file(file("f1"))
        assert await unit.batches.find_file(1, "f1") == file("f1")
        await unit.batches.drop_file(file("f1"))
    assert await storage.reading().batches.find_file(1, "f1") is None


async def test_finished_batch_is_no_longer_listed_as_unmetered(books: Books) -> None:
    storage = books.storage
    async with storage.writing() as unit:
        await unit.batches.add(batch(1), {"x": 11})
    assert [each.id for each in await storage.reading().batches.unmetered()] == [1]
    async with storage.writing() as unit:
        await unit.batches.finish(1, NOW_US)
    assert await storage.reading().batches.unmetered() == []
    [summary] = await storage.reading().batches.summaries(all_of_them=True)
    assert summary.batch.metered_at_us == NOW_US
