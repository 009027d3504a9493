import pytest
from support.books import StoppedClock
from support.engines import Books

from softix_proxy.domain.core.errors import FailureError
from softix_proxy.domain.ports.storage import Storage


async def test_a_unit_has_every_noun_and_the_clock(storage: Storage) -> None:
    unit = storage.reading()
    assert unit.clock.now_us() == StoppedClock().us
    for noun in ("instance", "users", "keys", "balance", "ledger", "providers", "models", "prices", "usage"):
        assert getattr(unit, noun) is getattr(unit, noun)


async def test_writing_is_all_or_nothing(storage: Storage) -> None:
    with pytest.raises(RuntimeError):
        async with storage.writing() as unit:
            await unit.balance.set_credit(1, 5)
            assert (await unit.balance.get(1)).credit_pico == 5
            raise RuntimeError
    assert (await storage.reading().balance.get(1)).credit_pico == 0


async def test_a_snapshot_stays_as_it_is(storage: Storage) -> None:
    async with storage.snapshot() as unit:
        assert (await unit.balance.get(1)).credit_pico == 0
        async with storage.writing() as other:
            await other.balance.set_credit(1, 5)
        assert (await unit.balance.get(1)).credit_pico == 0
    assert (await storage.reading().balance.get(1)).credit_pico == 5


async def test_writers_wait_for_each_other(storage: Storage) -> None:
    async with storage.writing() as unit:
        await unit.balance.set_credit(1, 5)
    async with storage.writing() as unit:
        assert (await unit.balance.get(1)).credit_pico == 5


async def test_a_directory_that_cannot_be_read_is_a_failure(storage: Storage, books: Books) -> None:
    await books.run("DROP TABLE prices")
    with pytest.raises(FailureError) as failure:
        await storage.changes(0)
    assert failure.value.remedy
