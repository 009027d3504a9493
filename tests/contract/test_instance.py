import pytest
from support.engines import Books

from softix_proxy.domain.ports.storage import Storage


@pytest.fixture
def storage(empty_books: Books) -> Storage:
    return empty_books.storage


async def test_instance_value_set_twice_is_the_last_one(storage: Storage) -> None:
    assert await storage.reading().instance.get("pepper") is None
    async with storage.writing() as unit:
        await unit.instance.set("pepper", b"\x00\xff")
        await unit.instance.set("other", b"")
    async with storage.writing() as unit:
        await unit.instance.set("other", b"1")
    assert await storage.reading().instance.get("pepper") == b"\x00\xff"
    assert await storage.reading().instance.get("other") == b"1"
