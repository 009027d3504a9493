from dataclasses import replace

import pytest
from support.engines import Books

from softix_proxy.domain.core.errors import ConflictError
from softix_proxy.domain.ports.storage import Storage
from softix_proxy.domain.reporting.manifests import Manifest

FIRST = Manifest(1, "2026-11-01T00:00:00.000000Z", "é.csv", "csv", 3, "01" * 32, None, "22" * 32, b"\x00signed")


async def add(storage: Storage, *manifests: Manifest) -> None:
    async with storage.writing() as unit:
        for manifest in manifests:
            await unit.manifests.add(manifest)


async def test_manifests_are_listed_in_order_and_found_by_their_body(books: Books) -> None:
    storage = books.storage
    assert await storage.reading().manifests.last() is None and await storage.reading().manifests.list() == []
    second = replace(FIRST, number=2, previous_sha256=FIRST.sha256, body_sha256="02" * 32)
    third = replace(FIRST, number=3, previous_sha256=second.sha256)
    await add(storage, FIRST, second, third)
    manifests = storage.reading().manifests
    assert await manifests.list() == [FIRST, second, third] and await manifests.last() == third
    assert await manifests.with_body("02" * 32) == second
    assert await manifests.with_body("01" * 32) == third, "the newest"
    assert await manifests.with_body("03" * 32) is None


@pytest.mark.parametrize("number", [0, 1, 3, -1])
async def test_manifest_with_a_number_that_is_not_the_next_is_refused(books: Books, number: int) -> None:
    storage = books.storage
    await add(storage, FIRST)
    with pytest.raises(ConflictError):
        await add(storage, replace(FIRST, number=number))
    assert await storage.reading().manifests.list() == [FIRST]


async def test_manifest_cannot_be_updated_or_deleted(books: Books) -> None:
    await add(books.storage, FIRST)
    for statement in ("UPDATE manifests SET head = ''", "DELETE FROM manifests"):
        with pytest.raises(Exception, match="append-only"):
            await books.run(statement)
