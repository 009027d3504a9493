import pytest
from support.books import StoppedClock
from support.engines import Books

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.ports.storage import Storage


async def test_unit_has_the_store_of_every_noun_and_the_clock(storage: Storage) -> None:
    unit = storage.reading()
    assert unit.clock.now_us() == StoppedClock().us
    for noun in ("instance", "users", "keys", "balance", "ledger", "providers", "models", "prices", "usage"):
        assert getattr(unit, noun) is getattr(unit, noun)


async def test_unit_that_raises_writes_nothing(storage: Storage) -> None:
    with pytest.raises(RuntimeError):
        async with storage.writing() as unit:
            await unit.balance.set_credit(1, 5)
            assert (await unit.balance.get(1)).credit_pico == 5
            raise RuntimeError
    assert (await storage.reading().balance.get(1)).credit_pico == 0


async def test_snapshot_during_another_write_stays_unchanged(storage: Storage) -> None:
    async with storage.snapshot() as unit:
        assert (await unit.balance.get(1)).credit_pico == 0
        async with storage.writing() as other:
            await other.balance.set_credit(1, 5)
        assert (await unit.balance.get(1)).credit_pico == 0
    assert (await storage.reading().balance.get(1)).credit_pico == 5


async def test_second_writer_sees_what_the_first_one_wrote(storage: Storage) -> None:
    async with storage.writing() as unit:
        await unit.balance.set_credit(1, 5)
    async with storage.writing() as unit:
        assert (await unit.balance.get(1)).credit_pico == 5


async def test_directory_changes_from_an_unreadable_table_raise_a_failure_with_a_remedy(
    storage: Storage, books: Books
) -> None:
    await books.run("DROP TABLE prices")
    with pytest.raises(FailureError) as failure:
        await storage.changes(0)
    assert failure.value.remedy
