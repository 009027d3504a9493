from collections.abc import Sequence

import pytest
from support.engines import Books
from support.principals import EVE

from softix_proxy.domain.accounts.audit import FIRST, AuditEntry, Outcome, chained
from softix_proxy.domain.ports.storage import Storage


async def write(storage: Storage, *subjects: str) -> Sequence[AuditEntry]:
    async with storage.writing() as unit:
        return [await unit.audit.add(EVE, "keys.update", subject, Outcome.DONE) for subject in subjects]


async def test_audit_entries_are_numbered_and_chained(storage: Storage) -> None:
    first, second = await write(storage, "key_one", "key_two")
    [third] = await write(storage, "key_three")
    assert [entry.id for entry in (first, second, third)] == [1, 2, 3]
    assert first == chained(FIRST, first) and third == chained(second.sha256, third)
    assert await storage.reading().audit.page(None, 9) == [third, second, first]
    assert await storage.reading().audit.page(3, 1) == [second]
    assert [list(part) async for part in storage.reading().audit.entries()] == [[first, second, third]]


async def test_audit_entry_of_a_transaction_that_fails_is_not_kept(storage: Storage) -> None:
    with pytest.raises(RuntimeError):
        async with storage.writing() as unit:
            await unit.audit.add(EVE, "keys.update", "key_one", Outcome.DONE)
            raise RuntimeError
    assert await storage.reading().audit.page(None, 9) == []


@pytest.mark.parametrize("statement", ["UPDATE audit SET actor = 'acc_eve'", "DELETE FROM audit"])
async def test_audit_refuses_to_be_changed(books: Books, statement: str) -> None:
    await write(books.storage, "key_one")
    with pytest.raises(Exception, match="append-only"):
        await books.run(statement)
    assert len(await books.storage.reading().audit.page(None, 9)) == 1
